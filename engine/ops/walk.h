/* SPDX-License-Identifier: Apache-2.0 */
/* Going through all positions of a tensor, and the indices that data gives. */
#ifndef QN_ENGINE_OPS_WALK_H
#define QN_ENGINE_OPS_WALK_H

#include "engine/ops/op.h"

/* Moves on to the next position in row-major order; false after the last one, which is followed by
 * the first.  Positions of tensors without elements are none: check before. */
static inline bool qn_walk_next(int64_t *position, const int64_t *dims, int rank)
{
    for (int d = rank - 1; d >= 0; d--) {
        if (++position[d] < dims[d])
            return true;
        position[d] = 0;
    }
    return false;
}

/* Where a position lies, in bytes from the first element. */
static inline int64_t qn_walk_offset(const QnTensor *tensor, const int64_t *position)
{
    int64_t offset = 0;
    for (int d = 0; d < tensor->rank; d++)
        offset += position[d] * tensor->strides[d];
    return offset;
}

/* Entry i of a tensor of indices into a dimension of `size`; negative ones count from its end.
 * QN_BAD_TENSOR with the range where it is outside. */
static inline QnStatus qn_walk_index(const QnCall *call, const QnTensor *indices, int64_t i,
                                     int64_t size, int64_t *out)
{
    const int64_t given = qn_tensor_get_int(indices, i);
    *out = given < 0 ? given + size : given;
    if (given < -size || given >= size)
        return qn_call_fail(call, "index %lld at entry %lld is outside a dimension of %lld",
                            (long long)given, (long long)i, (long long)size);
    return QN_OK;
}

#endif
