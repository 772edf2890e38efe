/* SPDX-License-Identifier: Apache-2.0 */
/*
 * com.microsoft's GroupQueryAttention: causal attention of new rows on a cache and themselves.
 *
 * Item b has T = seqlens_k[b] + 1 keys once its Q new rows are in the cache, at positions [T - Q,
 * T). The cache is a buffer with room for more, or grows by the new rows.  A first prompt
 * (`total_sequence_length` is the number of rows) begins at position 0 whatever lies in the cache.
 *
 * With `sliding_window_cache` the cache holds the last positions only, in its first rows: of
 * capacity C and window W, all T up to C, then as many as are left when C - W + 1 go at a time.
 *
 * A quantized cache holds round(x / scale): bytes, or halves of bytes with 8 added; new keys take
 * part as what the cache makes of them.
 */
#include "engine/ops/group_query.h"
#include "engine/ops/key_mask.h"

/* ---- inference ---- */

static QnStatus check_window(const QnInfer *in)
{
    const int64_t window = qn_op_int(in->node, "local_window_size");
    const int64_t causal = qn_op_int(in->node, "causal");
    if (causal != 0 && causal != 1)
        return qn_infer_fail(in, "causal is %lld, expected 0 or 1", (long long)causal);
    if (window != -1 && (window < 1 || !causal))
        return qn_infer_fail(in, "local_window_size is %lld, expected -1%s", (long long)window,
                             causal ? " or more than 0" : " where causal is 0");
    if (!qn_gqa_is_windowed(in->node))
        return QN_OK;
    if (window < 1 || !qn_infer_has(in, QN_GQA_PAST_KEY))
        return qn_infer_fail(in, "sliding_window_cache needs local_window_size and a cache");
    return in->output_count > QN_GQA_SCORES && in->outputs[QN_GQA_SCORES].is_present
               ? qn_infer_fail(in, "output_qk is wanted, which sliding_window_cache has not")
               : QN_OK;
}

/* Both sides are quantized in one way, or none is. */
static QnStatus check_quantization(const QnInfer *in)
{
    const int64_t bits = qn_op_int(in->node, "kv_cache_bit_width");
    const QnType type = qn_infer_element(in, QN_GQA_PAST_KEY);
    const bool is_plain = type == QN_UNDEFINED || type == qn_infer_element(in, QN_GQA_QUERY);
    if (!is_plain && (!qn_infer_has(in, QN_GQA_K_SCALE) || !qn_infer_has(in, QN_GQA_V_SCALE)))
        return qn_infer_fail(in, "a cache of %s needs k_scale and v_scale", qn_type_name(type));
    if (is_plain && (qn_infer_has(in, QN_GQA_K_SCALE) || qn_infer_has(in, QN_GQA_V_SCALE)))
        return qn_infer_fail(in, "has a scale of the cache, which is not quantized");
    if (bits != 0 && bits != 4 && bits != 8)
        return qn_infer_fail(in, "kv_cache_bit_width is %lld, expected 4 or 8", (long long)bits);
    if (!is_plain && (bits == 4) != (type == QN_UINT8))
        return qn_infer_fail(in, "kv_cache_bit_width is %lld for a cache of %s", (long long)bits,
                             qn_type_name(type));
    return QN_OK;
}

static QnStatus check_pairs(const QnInfer *in)
{
    static const struct {
        int a, b;
        const char *names;
    } pairs[] = {{QN_GQA_PAST_KEY, QN_GQA_PAST_VALUE, "past_key and past_value"},
                 {QN_GQA_Q_NORM, QN_GQA_K_NORM, "q_norm_weight and k_norm_weight"}};
    for (size_t i = 0; i < QN_COUNT_OF(pairs); i++)
        if (qn_infer_has(in, pairs[i].a) != qn_infer_has(in, pairs[i].b))
            return qn_infer_fail(in, "has one of %s, expected both or none", pairs[i].names);
    if (qn_infer_has(in, QN_GQA_COUNTS) && !qn_infer_has(in, QN_GQA_PAST_KEY))
        return qn_infer_fail(in, "query_seqlens needs a cache");
    return QN_OK;
}

/* A scale of one number, or of one for each element of a head. */
static QnStatus check_scale(const QnInfer *in, int i, const QnGroupedSizes *s)
{
    const QnShape *scale = qn_infer_shape(in, i);
    QnDim count = scale ? qn_shape_product(in->dims, scale, 0, scale->rank) : 1;
    const QnDim all = qn_dim_mul(in->dims, s->size, s->kv_heads);
    if (qn_dim_is_known(count) && qn_dim_is_known(all) && count != 1 && count != all)
        return qn_infer_fail(in, "input %d has %lld elements, expected 1 or %lld", i,
                             (long long)count, (long long)all);
    return QN_OK;
}

static QnStatus check_shapes(const QnInfer *in, const QnGroupedSizes *s, QnDim total)
{
    const QnShape *past = qn_infer_shape(in, QN_GQA_PAST_KEY);
    const QnDim size =
        qn_gqa_has_nibbles(in->node) ? qn_dim_floor_div(in->dims, s->size, 2) : s->size;
    const QnDim scores[4] = {s->batch, s->heads, s->rows, total};
    if (qn_gqa_has_nibbles(in->node) && qn_dim_is_known(s->size) && s->size % 2)
        return qn_infer_fail(in, "a cache of 4 bits cannot hold heads of %lld", (long long)s->size);
    for (int i = QN_GQA_PAST_KEY; i <= QN_GQA_PAST_VALUE && past; i++)
        QN_TRY(qn_infer_want_shape(
            in, i, 4,
            (const QnDim[]){s->batch, s->kv_heads, past->rank == 4 ? past->dims[2] : 0, size}));
    for (int i = QN_GQA_Q_NORM; i <= QN_GQA_K_NORM; i++)
        QN_TRY(qn_infer_want_shape(in, i, 1, &s->size));
    for (int i = QN_GQA_K_SCALE; i <= QN_GQA_V_SCALE; i++)
        QN_TRY(check_scale(in, i, s));
    QN_TRY(qn_infer_want_shape(in, QN_GQA_LENGTHS, 1, &s->batch));
    QN_TRY(qn_infer_want_shape(in, QN_GQA_COUNTS, 1, &s->batch));
    QN_TRY(qn_infer_want_shape(in, QN_GQA_POSITIONS, 2, (const QnDim[]){s->batch, s->rows}));
    QN_TRY(qn_infer_want_shape(in, QN_GQA_SINK, 1, &(QnDim){s->heads}));
    QN_TRY(qn_key_mask_infer_bias(in, QN_GQA_BIAS, scores));
    return qn_grouped_infer_tables(in, QN_GQA_COS, QN_GQA_SIN, s);
}

/* Numbers that would let the cache grow by more than the new rows are refused before it is made. */
static QnStatus check_total(const QnInfer *in, const QnGroupedSizes *s, QnDim total)
{
    const QnShape *past = qn_infer_shape(in, QN_GQA_PAST_KEY);
    const QnDim held = !qn_infer_has(in, QN_GQA_PAST_KEY) ? 0 : past ? past->dims[2] : -1;
    int64_t number;
    if (qn_gqa_is_windowed(in->node) || !qn_dim_constant(in->dims, total, &number) ||
        !qn_dim_is_known(held) || !qn_dim_is_known(s->rows))
        return QN_OK;
    if (number < s->rows || number > held + s->rows)
        return qn_infer_fail(in, "total_sequence_length is %lld, expected %lld to %lld",
                             (long long)number, (long long)s->rows, (long long)(held + s->rows));
    return QN_OK;
}

static QnStatus infer_outputs(QnInfer *in, const QnGroupedSizes *s, QnDim total)
{
    const QnShape *past = qn_infer_shape(in, QN_GQA_PAST_KEY);
    const QnType type = qn_infer_element(in, QN_GQA_QUERY);
    const bool has_past = qn_infer_has(in, QN_GQA_PAST_KEY);
    QnShape present = {4, {s->batch, s->kv_heads, s->rows, s->size}};
    if (has_past && past)
        present = *past;
    else if (has_past)
        present.dims[3] = qn_infer_fresh(in);
    if (has_past && !qn_gqa_is_windowed(in->node))
        present.dims[2] = past ? qn_dim_max(in->dims, past->dims[2], total) : qn_infer_fresh(in);
    QN_TRY(qn_infer_tensor(
        in, QN_GQA_Y, type,
        &(QnShape){3, {s->batch, s->rows, qn_dim_mul(in->dims, s->size, s->heads)}}));
    for (int i = QN_GQA_PRESENT_KEY; i <= QN_GQA_PRESENT_VALUE; i++)
        QN_TRY(qn_infer_tensor(
            in, i, has_past ? qn_infer_element(in, QN_GQA_PAST_KEY + i - 1) : type, &present));
    return qn_infer_tensor(in, QN_GQA_SCORES, type,
                           &(QnShape){4, {s->batch, s->heads, s->rows, total}});
}

static QnStatus infer_group(QnInfer *in)
{
    const int64_t stage = qn_op_int(in->node, "qk_output");
    QnGroupedSizes s;
    QnDim total;
    QN_TRY(check_window(in));
    QN_TRY(check_pairs(in));
    QN_TRY(check_quantization(in));
    if (stage < 0 || stage > 2)
        return qn_infer_fail(in, "qk_output is %lld, expected 0 to 2", (long long)stage);
    QN_TRY(qn_grouped_infer(in, &s));
    if (!s.is_known) {
        QN_TRY(qn_infer_unknown(in, QN_GQA_Y, qn_infer_element(in, QN_GQA_QUERY), 3));
        for (int i = QN_GQA_PRESENT_KEY; i <= QN_GQA_SCORES; i++)
            QN_TRY(qn_infer_unknown(
                in, i,
                qn_infer_element(in, qn_infer_has(in, QN_GQA_PAST_KEY) && i < QN_GQA_SCORES
                                         ? QN_GQA_PAST_KEY
                                         : QN_GQA_QUERY),
                4));
        return QN_OK;
    }
    if (!qn_infer_has(in, QN_GQA_PAST_KEY))
        total = s.rows;
    else if (qn_infer_ints(in, QN_GQA_TOTAL, &total, 1) != 1)
        total = qn_infer_fresh(in);
    QN_TRY(check_total(in, &s, total));
    QN_TRY(check_shapes(in, &s, total));
    return infer_outputs(in, &s, total);
}

static const QnOpAttribute attributes[] = {
    {"causal", QN_ATTRIBUTE_INT, .i = 1},
    {"do_rotary", QN_ATTRIBUTE_INT},
    {"k_norm_epsilon", QN_ATTRIBUTE_FLOAT},             /* absent: qk_norm_epsilon */
    {"k_quant_type", QN_ATTRIBUTE_STRING, .s = "NONE"}, /* the scale's shape says the same */
    {"kv_cache_bit_width", QN_ATTRIBUTE_INT},
    {"kv_num_heads", QN_ATTRIBUTE_INT, .is_required = true},
    {"local_window_size", QN_ATTRIBUTE_INT, .i = -1},
    {"num_heads", QN_ATTRIBUTE_INT, .is_required = true},
    {"q_norm_epsilon", QN_ATTRIBUTE_FLOAT}, /* absent: qk_norm_epsilon */
    {"qk_norm_epsilon", QN_ATTRIBUTE_FLOAT, .f = 1e-6},
    {"qk_output", QN_ATTRIBUTE_INT},
    {"rotary_interleaved", QN_ATTRIBUTE_INT},
    {"scale", QN_ATTRIBUTE_FLOAT}, /* 0 or absent: 1 / sqrt(size of a head) */
    {"sliding_window_cache", QN_ATTRIBUTE_INT},
    {"smooth_softmax", QN_ATTRIBUTE_INT, .i = -1},
    {"softcap", QN_ATTRIBUTE_FLOAT},
    {"v_quant_type", QN_ATTRIBUTE_STRING, .s = "NONE"},
    {0}};

const QnOp qn_ops_group_query[] = {
    {.name = "GroupQueryAttention",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "query: float, key?: T, value?: T, past_key?: any, past_value?: any, "
               "seqlens_k: int32, total_sequence_length: int32, cos_cache?: T, sin_cache?: T, "
               "position_ids?: int64, attention_bias?: T, head_sink?: T, k_scale?: float, "
               "v_scale?: float, q_norm_weight?: T, k_norm_weight?: T, query_seqlens?: int32",
     .outputs = "output: T, present_key?: any, present_value?: any, output_qk?: T",
     .attributes = attributes,
     .infer = infer_group,
     .reference = qn_gqa_run},
    {0},
};
