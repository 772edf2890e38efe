/* SPDX-License-Identifier: Apache-2.0 */
/* Inference of tensors of rows in several heads; heads.h. */
#include "engine/ops/heads.h"

static QnStatus read_packed(QnInfer *in, int i, const char *name, int64_t count, QnHeads *out)
{
    const QnShape *x = qn_infer_shape(in, i);
    if (count < 1)
        return qn_infer_fail(in, "input %d has rank 3, which needs %s", i, name);
    if (qn_dim_is_known(x->dims[2]) && x->dims[2] % count)
        return qn_infer_fail(in, "input %d has rows of %lld elements, which are not %lld heads", i,
                             (long long)x->dims[2], (long long)count);
    *out = (QnHeads){true, x->dims[0], count, x->dims[1],
                     qn_dim_floor_div(in->dims, x->dims[2], count)};
    return QN_OK;
}

QnStatus qn_heads_read(QnInfer *in, int i, const char *name, int64_t count, QnHeads *out)
{
    const QnShape *x = qn_infer_shape(in, i);
    *out = (QnHeads){.is_known = false};
    if (!x)
        return QN_OK;
    if (x->rank == 3)
        return read_packed(in, i, name, count, out);
    if (x->rank != 4)
        return qn_infer_fail(in, "input %d has rank %d, expected 3 or 4", i, x->rank);
    *out = (QnHeads){true, x->dims[0], x->dims[1], x->dims[2], x->dims[3]};
    return QN_OK;
}

QnStatus qn_heads_want_same(const QnInfer *in, const char *what, int i, QnDim a, int k, QnDim b)
{
    if (qn_dim_is_known(a) && qn_dim_is_known(b) && a != b)
        return qn_infer_fail(in, "inputs %d and %d differ in %s: %lld and %lld", i, k, what,
                             (long long)a, (long long)b);
    return QN_OK;
}

QnStatus qn_heads_want_groups(const QnInfer *in, QnDim queries, QnDim keys)
{
    if (qn_dim_is_known(queries) && qn_dim_is_known(keys) && queries != keys &&
        (keys == 0 || queries % keys))
        return qn_infer_fail(in, "%lld heads of queries cannot share %lld heads of keys",
                             (long long)queries, (long long)keys);
    return QN_OK;
}
