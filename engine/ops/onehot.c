/* SPDX-License-Identifier: Apache-2.0 */
/* OneHot:  y[…, k, …] is the on value where k is the index at …, else the off value; a new
 * dimension of `depth` holds k.  Indices in [-depth, -1] count from its end, others outside are off
 * everywhere. */
#include <math.h>

#include "engine/ops/op.h"

enum { INDICES = 0, DEPTH = 1, VALUES = 2 };

/* The depth: a dim, or a number of any type where the data is there. */
static QnStatus read_depth(QnInfer *in, QnDim *depth)
{
    const QnTensor *constant = in->inputs[DEPTH].constant;
    int64_t number;
    if (qn_infer_ints(in, DEPTH, depth, 1) != 1) {
        *depth = constant && qn_tensor_count(constant) == 1
                     ? qn_dim_number(in->dims, qn_tensor_get_int(constant, 0))
                     : qn_infer_fresh(in);
        if (constant && qn_tensor_count(constant) != 1)
            return qn_infer_fail(in, "depth has %lld elements, expected 1",
                                 (long long)qn_tensor_count(constant));
    }
    if (qn_dim_constant(in->dims, *depth, &number) && number < 0)
        return qn_infer_fail(in, "depth is %lld, expected 0 at least", (long long)number);
    return QN_OK;
}

static QnStatus infer_onehot(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, INDICES), *values = qn_infer_shape(in, VALUES);
    const QnType element = qn_infer_element(in, VALUES);
    QnDim depth;
    int axis;
    QN_TRY(read_depth(in, &depth));
    if (values && (values->rank != 1 || (qn_dim_is_known(values->dims[0]) && values->dims[0] != 2)))
        return qn_infer_fail(in, "values has another shape than 2: the off and the on value");
    if (!x)
        return qn_infer_unknown(in, 0, element, -1);
    if (x->rank == QN_MAX_RANK)
        return qn_infer_fail(in, "the result would have over %d dimensions", QN_MAX_RANK);
    QN_TRY(qn_infer_axis(in, x->rank + 1, &axis));
    QnShape y = {.rank = x->rank + 1};
    for (int d = 0; d < y.rank; d++)
        y.dims[d] = d == axis ? depth : x->dims[d < axis ? d : d - 1];
    return qn_infer_tensor(in, 0, element, &y);
}

/* The place of an index along the new dimension, -1: none. */
static int64_t place_of(const QnTensor *indices, int64_t i, int64_t depth)
{
    int64_t at = qn_tensor_get_int(indices, i);
    if (qn_type_is_float(indices->type) && isnan(qn_tensor_get(indices, i)))
        return -1;
    if (indices->type == QN_UINT64 && at < 0) /* over 2^63 */
        return -1;
    if (at < -depth || at >= depth)
        return -1;
    return at < 0 ? at + depth : at;
}

static QnStatus onehot(const QnCall *call)
{
    const QnTensor *indices = qn_call_input(call, INDICES), *values = qn_call_input(call, VALUES);
    QnTensor *y = qn_call_result(call, 0);
    const size_t element = qn_type_size(y->type);
    const int64_t axis = qn_op_int(call->node, "axis");
    const QnBox box = qn_box(y, (int)(axis < 0 ? axis + y->rank : axis));
    const uint8_t *off = values->data, *on = off + element;
    const int64_t count = qn_tensor_count(y);
    qn_tensor_fill(y, off);
    QN_TRY(qn_call_poll(call));
    for (int64_t i = 0; i < box.outer * box.inner && count; i++) {
        const int64_t at = place_of(indices, i, box.length);
        const int64_t first = i / box.inner * box.length * box.inner + i % box.inner;
        if (at >= 0)
            memcpy((uint8_t *)y->data + (size_t)(first + at * box.inner) * element, on, element);
    }
    return QN_OK;
}

static const QnOpAttribute attributes[] = {{"axis", QN_ATTRIBUTE_INT, .i = -1}, {0}};

const QnOp qn_ops_onehot[] = {
    {.name = "OneHot",
     .since = 28,
     .inputs = "indices: numeric, depth: numeric, values: any",
     .outputs = "output: T",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_onehot,
     .reference = onehot},
    {0},
};
