/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention:  y = softmax(softcap(scale q k') + bias) v,  with k and v behind what a cache holds.
 *
 * Q, K and V are [batch, heads, rows, size], or [batch, rows, heads * size] with the number of
 * heads as an attribute, each for itself.  The bias is a mask, the causal frontier, a window, and
 * the end of the valid keys.  The position of query 0 among the keys is the length of the past;
 * with `nonpad_kv_seqlen` the number of valid keys less that of queries.
 *
 * Two inputs go beyond ONNX: `offset`, the position of query 0 of each item (or of all) where it is
 * not that; and `sink`, one more score for each head of queries, in the sum of its softmax only.
 */
#include <math.h>

#include "engine/ops/attend.h"
#include "engine/ops/heads.h"

enum { Q, K, V, MASK, PAST_KEY, PAST_VALUE, VALID, OFFSET, SINK };
enum { Y, PRESENT_KEY, PRESENT_VALUE, SCORES };

/* ---- inference ---- */

static QnStatus check_sides(const QnInfer *in, const QnHeads *q, const QnHeads *k, const QnHeads *v)
{
    if (!q->is_known || !k->is_known || !v->is_known)
        return QN_OK;
    QN_TRY(qn_heads_want_same(in, "batch", Q, q->batch, K, k->batch));
    QN_TRY(qn_heads_want_same(in, "batch", Q, q->batch, V, v->batch));
    QN_TRY(qn_heads_want_same(in, "head size", Q, q->size, K, k->size));
    QN_TRY(qn_heads_want_same(in, "heads", K, k->heads, V, v->heads));
    QN_TRY(qn_heads_want_same(in, "rows", K, k->rows, V, v->rows));
    return qn_heads_want_groups(in, q->heads, k->heads);
}

/* A cache has the batch, heads and size of what follows it;
 * those of keys and values have one length. */
static QnStatus check_past(const QnInfer *in, const QnHeads *k, const QnHeads *v)
{
    const QnShape *past = qn_infer_shape(in, PAST_KEY);
    const QnHeads *sides[2] = {k, v};
    if (qn_infer_has(in, PAST_KEY) != qn_infer_has(in, PAST_VALUE))
        return qn_infer_fail(in, "has one of past_key and past_value, expected both or none");
    if (qn_infer_has(in, PAST_KEY) && qn_infer_has(in, VALID))
        return qn_infer_fail(in, "has both past_key and nonpad_kv_seqlen, expected one at most");
    for (int p = 0; p < 2; p++) {
        const QnHeads *side = sides[p];
        QN_TRY(qn_infer_want_rank(in, PAST_KEY + p, 4));
        if (past && side->is_known)
            QN_TRY(qn_infer_want_shape(
                in, PAST_KEY + p, 4,
                (const QnDim[]){side->batch, side->heads, past->dims[2], side->size}));
    }
    return QN_OK;
}

/* A mask broadcasts to the scores, but for its last dimension:
 * keys behind its end are not allowed. */
static QnStatus check_mask(const QnInfer *in, const QnShape *scores)
{
    const QnShape *mask = qn_infer_shape(in, MASK);
    if (!mask)
        return QN_OK;
    if (mask->rank < 1 || mask->rank > 4)
        return qn_infer_fail(in, "input %d has rank %d, expected 1 to 4", MASK, mask->rank);
    for (int d = 0; d < mask->rank; d++) {
        const QnDim have = mask->dims[d], want = scores->dims[4 - mask->rank + d];
        const bool is_last = d == mask->rank - 1;
        if (!qn_dim_is_known(have) || !qn_dim_is_known(want) || have == want)
            continue;
        if (is_last ? have > want : have != 1)
            return qn_infer_fail(in, "the mask has size %lld in dimension %d, expected %s%lld",
                                 (long long)have, d, is_last ? "at most " : "1 or ",
                                 (long long)want);
    }
    return QN_OK;
}

/* One number per item, or per head: `what`. */
static QnStatus check_vector(const QnInfer *in, int i, const char *what, QnDim count)
{
    const QnShape *x = qn_infer_shape(in, i);
    if (!x || (i == OFFSET && x->rank == 0))
        return QN_OK;
    QN_TRY(qn_infer_want_rank(in, i, 1));
    if (qn_dim_is_known(x->dims[0]) && qn_dim_is_known(count) && x->dims[0] != count)
        return qn_infer_fail(in, "input %d has %lld elements, expected one per %s: %lld", i,
                             (long long)x->dims[0], what, (long long)count);
    return QN_OK;
}

static QnStatus check_attributes(const QnInfer *in)
{
    static const char *const windows[] = {"left_window_size", "right_window_size"};
    const int64_t mode = qn_op_int(in->node, "qk_matmul_output_mode");
    const int64_t precision = qn_op_int(in->node, "softmax_precision");
    for (int i = 0; i < 2; i++)
        if (qn_op_int(in->node, windows[i]) < -1)
            return qn_infer_fail(in, "%s is %lld, expected -1 or more", windows[i],
                                 (long long)qn_op_int(in->node, windows[i]));
    if (mode < 0 || mode > 3)
        return qn_infer_fail(in, "qk_matmul_output_mode is %lld, expected 0 to 3", (long long)mode);
    if (precision != 0 && precision != QN_FLOAT && precision != QN_FLOAT16 &&
        precision != QN_DOUBLE && precision != QN_BFLOAT16)
        return qn_infer_fail(in, "softmax_precision is %lld, which is no type of float",
                             (long long)precision);
    return QN_OK;
}

static QnStatus infer_outputs(QnInfer *in, const QnHeads *q, const QnHeads *k, const QnHeads *v)
{
    const QnType type = qn_infer_element(in, Q), type_of_v = qn_infer_element(in, V);
    const QnShape *past = qn_infer_shape(in, PAST_KEY);
    const QnDim total = !qn_infer_has(in, PAST_KEY) ? k->rows
                        : past                      ? qn_dim_add(in->dims, past->dims[2], k->rows)
                                                    : qn_infer_fresh(in);
    const QnShape y = {4, {q->batch, q->heads, q->rows, v->size}};
    const QnShape packed = {3, {q->batch, q->rows, qn_dim_mul(in->dims, q->heads, v->size)}};
    const QnShape scores = {4, {q->batch, q->heads, q->rows, total}};
    QN_TRY(check_mask(in, &scores));
    QN_TRY(check_vector(in, VALID, "item", q->batch));
    QN_TRY(check_vector(in, OFFSET, "item", q->batch));
    QN_TRY(check_vector(in, SINK, "head", q->heads));
    QN_TRY(qn_infer_tensor(in, Y, type, qn_infer_shape(in, Q)->rank == 3 ? &packed : &y));
    QN_TRY(qn_infer_tensor(in, PRESENT_KEY, qn_infer_element(in, K),
                           &(QnShape){4, {k->batch, k->heads, total, k->size}}));
    QN_TRY(qn_infer_tensor(in, PRESENT_VALUE, type_of_v,
                           &(QnShape){4, {v->batch, v->heads, total, v->size}}));
    return qn_infer_tensor(in, SCORES, type, &scores);
}

static QnStatus infer_attention(QnInfer *in)
{
    const QnShape *shape = qn_infer_shape(in, Q);
    const int64_t kv_heads = qn_op_int(in->node, "kv_num_heads");
    QnHeads q, k, v;
    QN_TRY(check_attributes(in));
    QN_TRY(qn_heads_read(in, Q, "q_num_heads", qn_op_int(in->node, "q_num_heads"), &q));
    QN_TRY(qn_heads_read(in, K, "kv_num_heads", kv_heads, &k));
    QN_TRY(qn_heads_read(in, V, "kv_num_heads", kv_heads, &v));
    QN_TRY(check_sides(in, &q, &k, &v));
    QN_TRY(check_past(in, &k, &v));
    if (q.is_known && k.is_known && v.is_known)
        return infer_outputs(in, &q, &k, &v);
    QN_TRY(qn_infer_unknown(in, Y, qn_infer_element(in, Q), shape ? shape->rank : -1));
    for (int i = PRESENT_KEY; i <= SCORES; i++)
        QN_TRY(qn_infer_unknown(in, i, qn_infer_element(in, i == SCORES ? Q : i), 4));
    return QN_OK;
}

/* ---- the bias ---- */

typedef struct Bias {
    const QnTensor *mask; /* or NULL */
    int64_t *mask_row;    /* [keys] of a mask of bools */
    double *mask_values;  /* [keys] of any other */
    const QnTensor *valid, *offset;
    int64_t past, queries; /* how many */
    QnAttendWindow window;
    bool is_causal;
} Bias;

/* The first element of the mask's row for query i of head h. */
static int64_t mask_at(const QnTensor *mask, int64_t b, int64_t h, int64_t i)
{
    const int64_t index[4] = {b, h, i, 0};
    int64_t at = 0;
    for (int d = 0; d < mask->rank; d++) {
        const int64_t size = mask->dims[d];
        at = at * size + (d == mask->rank - 1 || size == 1 ? 0 : index[4 - mask->rank + d]);
    }
    return at;
}

static void add_mask(const Bias *bias, int64_t first, double *row, int64_t keys)
{
    const QnTensor *mask = bias->mask;
    const int64_t count = mask->dims[mask->rank - 1];
    const bool is_bool = mask->type == QN_BOOL;
    qn_tensor_read_row(mask, first, 1, count, bias->mask_values);
    for (int64_t j = 0; j < count; j++)
        row[j] += !is_bool ? bias->mask_values[j] : bias->mask_values[j] != 0 ? 0 : -INFINITY;
    for (int64_t j = count; j < keys; j++)
        row[j] = -INFINITY;
}

static void add_bias(const QnAttend *attend, int64_t b, int64_t h, int64_t i, double *row)
{
    const Bias *bias = attend->user;
    const int64_t valid = bias->valid ? qn_tensor_get_int(bias->valid, b) : attend->k.rows;
    int64_t offset = bias->valid ? valid - bias->queries : bias->past;
    if (bias->offset)
        offset = qn_tensor_get_int(bias->offset, bias->offset->rank ? b : 0);
    if (bias->mask)
        add_mask(bias, mask_at(bias->mask, b, h, i), row, attend->k.rows);
    QnAttendWindow window = bias->window;
    if (bias->is_causal)
        window.right = 0;
    qn_attend_window(window, offset, i, row, attend->k.rows);
    for (int64_t j = valid; j < attend->k.rows; j++)
        row[j] = -INFINITY;
}

static QnStatus check_valid(const QnCall *call, int64_t keys)
{
    const QnTensor *valid = qn_call_input(call, VALID);
    for (int64_t b = 0; valid && b < valid->dims[0]; b++) {
        const int64_t count = qn_tensor_get_int(valid, b);
        if (count < 0 || count > keys)
            return qn_call_fail(call, "nonpad_kv_seqlen[%lld] is %lld, expected 0 to %lld",
                                (long long)b, (long long)count, (long long)keys);
    }
    return QN_OK;
}

/* ---- computing ---- */

static QnAttendSide side_of(const QnTensor *x, int64_t heads)
{
    return x->rank == 3 ? (QnAttendSide){heads, x->dims[1], x->dims[2] / heads}
                        : (QnAttendSide){x->dims[1], x->dims[2], x->dims[3]};
}

/* Keys or values: those of the cache, then the new ones; written out where that is wanted. */
static QnStatus read_cached(const QnCall *call, int i, int64_t batch, QnAttendSide *side,
                            double **out)
{
    const QnTensor *past = qn_call_input(call, PAST_KEY + i - K), *x = qn_call_input(call, i);
    const int64_t held = past ? past->dims[2] : 0, total = held + side->rows;
    const int64_t count = qn_tensor_count(x) + (past ? qn_tensor_count(past) : 0);
    QN_ALLOC(*out, call->scratch, count);
    if (past) {
        const QnAttendSide cached = {side->heads, held, side->size};
        const QnAttendFrom from = qn_attend_from(past, cached);
        qn_attend_read(*out, total, 0, &from, batch, cached);
    }
    const QnAttendFrom from = qn_attend_from(x, *side);
    qn_attend_read(*out, total, held, &from, batch, *side);
    side->rows = total;
    if (qn_call_wants(call, PRESENT_KEY + i - K))
        qn_tensor_write_row(qn_call_result(call, PRESENT_KEY + i - K), 0, 1, count, *out);
    return QN_OK;
}

static QnStatus read_sinks(const QnCall *call, const double **out)
{
    const QnTensor *sink = qn_call_input(call, SINK);
    double *sinks;
    if (!sink)
        return QN_OK;
    QN_ALLOC(sinks, call->scratch, sink->dims[0]);
    qn_tensor_read_row(sink, 0, 1, sink->dims[0], sinks);
    *out = sinks;
    return QN_OK;
}

static QnStatus read_bias(const QnCall *call, const QnAttend *a, Bias *bias)
{
    const QnNode *node = call->node;
    *bias = (Bias){
        .mask = qn_call_input(call, MASK),
        .valid = qn_call_input(call, VALID),
        .offset = qn_call_input(call, OFFSET),
        .past = qn_call_input(call, PAST_KEY) ? qn_call_input(call, PAST_KEY)->dims[2] : 0,
        .queries = a->q.rows,
        .window = {qn_op_int(node, "left_window_size"), qn_op_int(node, "right_window_size")},
        .is_causal = qn_op_int(node, "is_causal") != 0,
    };
    QN_ALLOC(bias->mask_values, call->scratch, a->k.rows);
    return check_valid(call, a->k.rows);
}

static QnStatus attention(const QnCall *call)
{
    const QnNode *node = call->node;
    const QnTensor *q = qn_call_input(call, Q);
    const int64_t kv_heads = qn_op_int(node, "kv_num_heads");
    Bias bias;
    QnAttend a = {.call = call,
                  .batch = q->dims[0],
                  .q = side_of(q, qn_op_int(node, "q_num_heads")),
                  .k = side_of(qn_call_input(call, K), kv_heads),
                  .v = side_of(qn_call_input(call, V), kv_heads),
                  .softcap = qn_op_float(node, "softcap"),
                  .bias = add_bias,
                  .user = &bias,
                  .y = qn_call_result(call, Y),
                  .scores = qn_call_wants(call, SCORES) ? qn_call_result(call, SCORES) : NULL,
                  .stage = (QnAttendStage)qn_op_int(node, "qk_matmul_output_mode")};
    a.scale = qn_node_float(node, "scale", 1 / sqrt((double)a.q.size));
    QN_ALLOC(a.queries, call->scratch, qn_tensor_count(q));
    const QnAttendFrom from = qn_attend_from(q, a.q);
    qn_attend_read(a.queries, a.q.rows, 0, &from, a.batch, a.q);
    QN_TRY(read_cached(call, K, a.batch, &a.k, &a.keys));
    QN_TRY(read_cached(call, V, a.batch, &a.v, &a.values));
    QN_TRY(read_sinks(call, &a.sinks));
    QN_TRY(read_bias(call, &a, &bias));
    return qn_attend(&a);
}

static const QnOpAttribute attributes[] = {
    {"is_causal", QN_ATTRIBUTE_INT},
    {"kv_num_heads", QN_ATTRIBUTE_INT},
    {"left_window_size", QN_ATTRIBUTE_INT, .i = -1},
    {"q_num_heads", QN_ATTRIBUTE_INT},
    {"qk_matmul_output_mode", QN_ATTRIBUTE_INT},
    {"right_window_size", QN_ATTRIBUTE_INT, .i = -1},
    {"scale", QN_ATTRIBUTE_FLOAT}, /* absent: 1 / sqrt(head size) */
    {"softcap", QN_ATTRIBUTE_FLOAT},
    {"softmax_precision", QN_ATTRIBUTE_INT}, /* absent: that of Q */
    {0}};

const QnOp qn_ops_attention[] = {
    {.name = "Attention",
     .since = 25,
     .inputs = "Q: float, K: float, V: float, attn_mask?: any, past_key?: float, "
               "past_value?: float, nonpad_kv_seqlen?: int64, offset?: int64, sink?: float",
     .outputs = "Y: T, present_key?: float, present_value?: float, qk_matmul_output?: float",
     .attributes = attributes,
     .infer = infer_attention,
     .reference = attention},
    {0},
};
