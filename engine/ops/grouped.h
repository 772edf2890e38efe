/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What GroupQueryAttention and SparseAttention share: rows of queries, keys and values in one
 * tensor or three, whose heads share those of keys in groups, and which are rotated by position.
 */
#ifndef QN_ENGINE_OPS_GROUPED_H
#define QN_ENGINE_OPS_GROUPED_H

#include "engine/ops/op.h"

/* Which part of the rows. */
typedef enum QnGroupedPart { QN_GROUPED_QUERY, QN_GROUPED_KEY, QN_GROUPED_VALUE } QnGroupedPart;

/* What is known of inputs 0 to 2: query [batch, rows, heads * size], key and value [batch, rows,
 * kv_heads * size]; where these are absent the query holds all three, one behind the other. */
typedef struct QnGroupedSizes {
    bool is_known;
    int64_t heads, kv_heads; /* attributes num_heads and kv_num_heads */
    QnDim batch, rows, size;
} QnGroupedSizes;

QnStatus qn_grouped_infer(QnInfer *in, QnGroupedSizes *out);

/* Fails where the tables of angles, inputs `cos` and `sin`, are missing or surely do not fit. */
QnStatus qn_grouped_infer_tables(const QnInfer *in, int cos, int sin, const QnGroupedSizes *sizes);

/* The same while computing. */
typedef struct QnGrouped {
    const QnCall *call;
    int64_t batch, rows, heads, kv_heads, size;
    const QnTensor *cos, *sin; /* [positions, at most size / 2]; NULL: nothing is rotated */
    bool is_interleaved;
} QnGrouped;

QnGrouped qn_grouped(const QnCall *call, int cos, int sin);

/* Row i of a head of one part of item b: to[size]. */
void qn_grouped_read(const QnGrouped *g, QnGroupedPart part, int64_t b, int64_t i, int64_t h,
                     double *to);

/* Fails where the tables have no such position. */
QnStatus qn_grouped_check(const QnGrouped *g, int64_t position);

/* Rotates a row by a position that was checked. */
void qn_grouped_rotate(const QnGrouped *g, double *row, int64_t position);

#endif
