/* SPDX-License-Identifier: Apache-2.0 */
/* What inference of attention and its kin shares: tensors of rows in several heads. */
#ifndef QN_ENGINE_OPS_HEADS_H
#define QN_ENGINE_OPS_HEADS_H

#include "engine/ops/op.h"

/* What is known of a tensor [batch, heads, rows, size] or [batch, rows, heads * size]. */
typedef struct QnHeads {
    bool is_known; /* the rank is, and with it the rest */
    QnDim batch, heads, rows, size;
} QnHeads;

/* Reads input i; of rank 3 it has as many heads as the attribute `name` says, `count`. */
QnStatus qn_heads_read(QnInfer *in, int i, const char *name, int64_t count, QnHeads *out);

/* Fails where two sizes are surely not the same; `what` they are of inputs i and k. */
QnStatus qn_heads_want_same(const QnInfer *in, const char *what, int i, QnDim a, int k, QnDim b);

/* Fails where heads of queries cannot share those of keys in equal groups. */
QnStatus qn_heads_want_groups(const QnInfer *in, QnDim queries, QnDim keys);

#endif
