/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/matrices.h"

QnStatus qn_matrices_want_equal(const QnInfer *in, QnDim a, QnDim b)
{
    if (qn_dim_is_known(a) && qn_dim_is_known(b) && a != b)
        return qn_infer_fail(in, "the inner sizes are %lld and %lld, expected equal ones",
                             (long long)a, (long long)b);
    return QN_OK;
}

/* The batch dims of a matrix operand. */
static QnShape batch_of(const QnShape *shape)
{
    QnShape batch = *shape;
    batch.rank = shape->rank > 2 ? shape->rank - 2 : 0;
    return batch;
}

QnStatus qn_matrices_infer(QnInfer *in, const QnShape *a, const QnShape *b, QnShape *y)
{
    if (a->rank < 1 || b->rank < 1)
        return qn_infer_fail(in, "the inputs have ranks %d and %d, expected 1 at least", a->rank,
                             b->rank);
    const QnShape batch_a = batch_of(a), batch_b = batch_of(b);
    QN_TRY(
        qn_matrices_want_equal(in, a->dims[a->rank - 1], b->dims[b->rank > 1 ? b->rank - 2 : 0]));
    QN_TRY(qn_shape_broadcast(in->dims, y, &batch_a, &batch_b, in->err));
    if (y->rank + 2 > QN_MAX_RANK)
        return qn_infer_fail(in, "the result has over %d dimensions", QN_MAX_RANK);
    if (a->rank > 1)
        y->dims[y->rank++] = a->dims[a->rank - 2];
    if (b->rank > 1)
        y->dims[y->rank++] = b->dims[b->rank - 1];
    return QN_OK;
}

int64_t qn_matrices_batch(const QnTensor *x, int64_t index, const int64_t *dims, int rank)
{
    const int own = x->rank > 2 ? x->rank - 2 : 0;
    int64_t scale = 1, offset = 0;
    for (int d = x->rank - 1; d >= own; d--)
        scale *= x->dims[d];
    for (int d = rank - 1; d >= 0; d--) {
        const int64_t at = index % dims[d];
        const int from = d - (rank - own);
        index /= dims[d];
        if (from < 0)
            continue;
        offset += x->dims[from] == 1 ? 0 : at * scale;
        scale *= x->dims[from];
    }
    return offset;
}
