/* SPDX-License-Identifier: Apache-2.0 */
/* Trilu keeps the triangle of a matrix above or below a diagonal, EyeLike makes a matrix with ones
 * on one.  Diagonal k holds the elements of column - row = k. */
#include "engine/ops/op.h"

/* ---- Trilu ---- */

static QnStatus infer_trilu(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    if (x && x->rank < 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at least", x->rank);
    return qn_infer_output(in, 0, qn_infer_type(in, 0));
}

static QnStatus trilu(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *diagonal = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const size_t element = qn_type_size(x->type);
    const bool is_upper = qn_op_int(call->node, "upper") != 0;
    const int64_t rows = x->dims[x->rank - 2], columns = x->dims[x->rank - 1];
    const int64_t count = qn_tensor_count(x);
    if (diagonal && qn_tensor_count(diagonal) != 1)
        return qn_call_fail(call, "k has %lld elements, expected 1",
                            (long long)qn_tensor_count(diagonal));
    if (count == 0)
        return QN_OK;
    int64_t k = diagonal ? qn_tensor_get_int(diagonal, 0) : 0; /* may lie far outside */
    k = k < -rows ? -rows : k > columns ? columns : k;
    memcpy(y->data, x->data, (size_t)count * element);
    for (int64_t row = 0; row < count / columns; row++) {
        const int64_t crossing = row % rows + k; /* the column where the diagonal meets the row */
        int64_t first = is_upper ? 0 : crossing + 1, end = is_upper ? crossing : columns;
        first = first < 0 ? 0 : first;
        end = end > columns ? columns : end;
        if (first < end)
            memset((uint8_t *)y->data + (size_t)(row * columns + first) * element, 0,
                   (size_t)(end - first) * element);
    }
    return qn_call_poll(call);
}

/* ---- EyeLike ---- */

static QnStatus infer_eyelike(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const int64_t wanted = qn_op_int(in->node, "dtype");
    const QnType element = wanted ? (QnType)wanted : qn_infer_element(in, 0);
    QN_TRY(qn_infer_want_rank(in, 0, 2));
    if (wanted < 0 || wanted >= QN_TYPE_COUNT || element == QN_STRING)
        return qn_infer_fail(in, "dtype is %lld, expected a numeric type", (long long)wanted);
    return x ? qn_infer_tensor(in, 0, element, x) : qn_infer_unknown(in, 0, element, 2);
}

static QnStatus eyelike(const QnCall *call)
{
    QnTensor *y = qn_call_result(call, 0);
    const int64_t k = qn_op_int(call->node, "k"), count = qn_tensor_count(y);
    memset(y->data, 0, (size_t)count * qn_type_size(y->type));
    for (int64_t row = 0; row < y->dims[0]; row++)
        if (k >= -row && k < y->dims[1] - row)
            qn_tensor_set(y, row * y->dims[1] + row + k, 1);
    return qn_call_poll(call);
}

static const QnOpAttribute trilu_attributes[] = {{"upper", QN_ATTRIBUTE_INT, .i = 1}, {0}};
static const QnOpAttribute eyelike_attributes[] = {
    {"dtype", QN_ATTRIBUTE_INT}, {"k", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_diagonal[] = {
    {.name = "EyeLike",
     .since = 22,
     .inputs = "input: any",
     .outputs = "output: any",
     .attributes = eyelike_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_eyelike,
     .reference = eyelike},
    {.name = "Trilu",
     .since = 14,
     .inputs = "input: any, k?: int64",
     .outputs = "output: T",
     .attributes = trilu_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_trilu,
     .reference = trilu},
    {0},
};
