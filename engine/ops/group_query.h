/* SPDX-License-Identifier: Apache-2.0 */
/* GroupQueryAttention in two files: its row and inference, and its reference. */
#ifndef QN_ENGINE_OPS_GROUP_QUERY_H
#define QN_ENGINE_OPS_GROUP_QUERY_H

#include "engine/ops/grouped.h"

/* The inputs and outputs. */
enum {
    QN_GQA_QUERY,
    QN_GQA_KEY,
    QN_GQA_VALUE,
    QN_GQA_PAST_KEY,
    QN_GQA_PAST_VALUE,
    QN_GQA_LENGTHS, /* seqlens_k */
    QN_GQA_TOTAL,   /* total_sequence_length */
    QN_GQA_COS,
    QN_GQA_SIN,
    QN_GQA_POSITIONS,
    QN_GQA_BIAS,
    QN_GQA_SINK,
    QN_GQA_K_SCALE,
    QN_GQA_V_SCALE,
    QN_GQA_Q_NORM,
    QN_GQA_K_NORM,
    QN_GQA_COUNTS, /* query_seqlens */
};
enum { QN_GQA_Y, QN_GQA_PRESENT_KEY, QN_GQA_PRESENT_VALUE, QN_GQA_SCORES };

/* Does the cache hold the last positions only; two numbers in a byte? */
static inline bool qn_gqa_is_windowed(const QnNode *node)
{
    return qn_op_int(node, "sliding_window_cache") != 0;
}

static inline bool qn_gqa_has_nibbles(const QnNode *node)
{
    return qn_op_int(node, "kv_cache_bit_width") == 4;
}

/* The reference; its outputs are ready. */
QnStatus qn_gqa_run(const QnCall *call);

#endif
