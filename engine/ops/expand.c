/* SPDX-License-Identifier: Apache-2.0 */
/* Expand repeats elements along dimensions of size 1 by NumPy's broadcasting; Tile repeats the
 * whole along every dimension. */
#include "engine/ops/op.h"

/* The rank that a 1-D input of known length gives; -1: not known. */
static QnStatus rank_from(const QnInfer *in, int i, int *rank)
{
    const QnShape *list = qn_infer_shape(in, i);
    *rank = -1;
    if (!list || list->rank != 1 || !qn_dim_is_known(list->dims[0]))
        return QN_OK;
    if (list->dims[0] > QN_MAX_RANK)
        return qn_infer_fail(in, "input %d has %lld entries, expected %d at most", i,
                             (long long)list->dims[0], QN_MAX_RANK);
    *rank = (int)list->dims[0];
    return QN_OK;
}

static QnStatus infer_expand(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    QnShape wanted, y;
    int rank;
    wanted.rank = qn_infer_ints(in, 1, wanted.dims, QN_MAX_RANK);
    if (!x || wanted.rank < 0) {
        QN_TRY(rank_from(in, 1, &rank));
        return qn_infer_unknown(in, 0, element,
                                x && rank >= 0 ? (rank > x->rank ? rank : x->rank) : -1);
    }
    for (int d = 0; d < wanted.rank; d++) {
        int64_t number;
        if (qn_dim_constant(in->dims, wanted.dims[d], &number) && number < 0)
            return qn_infer_fail(in, "the shape's entry %d is %lld, expected 0 at least", d,
                                 (long long)number);
    }
    QN_TRY(qn_shape_broadcast(in->dims, &y, x, &wanted, in->err));
    QN_TRY(qn_infer_tensor(in, 0, element, &y));
    QnDim content[QN_CONTENT_LIMIT];
    if (y.rank != 1 || !qn_dim_is_known(y.dims[0]) || y.dims[0] > QN_CONTENT_LIMIT ||
        qn_infer_ints(in, 0, content, 1) != 1)
        return QN_OK;
    for (int64_t i = 1; i < y.dims[0]; i++)
        content[i] = content[0];
    return qn_infer_content(in, 0, content, (int)y.dims[0]);
}

/* x seen with y's dims: strides of 0 where it is broadcast; false where it cannot be. */
static bool broadcast_view(const QnTensor *x, const QnTensor *y, QnTensor *view)
{
    *view = *y;
    view->data = x->data;
    for (int d = 0; d < y->rank; d++) {
        const int from = d - (y->rank - x->rank);
        if (from >= 0 && x->dims[from] != y->dims[d] && x->dims[from] != 1)
            return false;
        view->strides[d] = from < 0 || x->dims[from] == 1 ? 0 : x->strides[from];
    }
    return true;
}

static QnStatus expand(const QnCall *call)
{
    QnTensor view, *y = qn_call_result(call, 0);
    if (qn_call_input(call, 0)->rank > y->rank || !broadcast_view(qn_call_input(call, 0), y, &view))
        return qn_call_fail(call, "the input does not broadcast to the shape");
    return qn_call_copy(call, &view, y);
}

static QnStatus infer_tile(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    QnDim repeats[QN_MAX_RANK];
    const int count = qn_infer_ints(in, 1, repeats, QN_MAX_RANK);
    if (!x || count < 0)
        return qn_infer_unknown(in, 0, element, x ? x->rank : -1);
    if (count != x->rank)
        return qn_infer_fail(in, "repeats has %d entries, expected %d", count, x->rank);
    QnShape y = *x;
    for (int d = 0; d < y.rank; d++) {
        int64_t number;
        if (qn_dim_constant(in->dims, repeats[d], &number) && number < 0)
            return qn_infer_fail(in, "repeats[%d] is %lld, expected 0 at least", d,
                                 (long long)number);
        y.dims[d] = qn_dim_mul(in->dims, x->dims[d], repeats[d]);
    }
    return qn_infer_tensor(in, 0, element, &y);
}

static QnStatus tile(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const size_t element = qn_type_size(x->type);
    const int64_t total = qn_tensor_count(y);
    for (int64_t i = 0; i < total; i++) {
        int64_t rest = i, from = 0;
        for (int d = x->rank - 1; d >= 0; d--) {
            from += rest % y->dims[d] % x->dims[d] * x->strides[d];
            rest /= y->dims[d];
        }
        memcpy((uint8_t *)y->data + (size_t)i * element, (const uint8_t *)x->data + from, element);
    }
    return qn_call_poll(call);
}

const QnOp qn_ops_expand[] = {
    {.name = "Expand",
     .since = 13,
     .inputs = "input: any, shape: int64",
     .outputs = "output: T",
     .infer = infer_expand,
     .reference = expand},
    {.name = "Tile",
     .since = 13,
     .inputs = "input: any, repeats: int64",
     .outputs = "output: T",
     .infer = infer_tile,
     .reference = tile},
    {0},
};
