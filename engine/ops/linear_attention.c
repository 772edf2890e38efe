/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LinearAttention: each head of keys keeps a matrix, its state, which every token changes and its
 * queries read.  Key and value are k and v, the decay exp(g), the rate beta:
 *
 *     S = exp(g) S                    where the rule is gated
 *     v = beta (v - k' S)             where it is delta
 *     S = S + k v';  y = scale q' S
 *
 * com.microsoft's may keep the states after each of the last tokens (`state_window`), and may have
 * more heads of keys than of queries.  LinearAttentionGate makes decay and rate from projections.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/heads.h"

enum { Q, K, V, PAST, DECAY, BETA };
enum { Y, PRESENT };

/* ---- inference ---- */

static const struct Rule {
    const char *name;
    bool is_gated, is_delta;
} rules[] = {{"linear", false, false},
             {"gated", true, false},
             {"delta", false, true},
             {"gated_delta", true, true}};

static const struct Rule *find_rule(const QnNode *node)
{
    for (size_t i = 0; i < QN_COUNT_OF(rules); i++)
        if (qn_op_string_is(node, "update_rule", rules[i].name))
            return &rules[i];
    return NULL;
}

/* An input that the rule wants is there, and one that it does not want is not. */
static QnStatus check_rule(const QnInfer *in)
{
    const struct Rule *rule = find_rule(in->node);
    const int64_t window = qn_op_int(in->node, "state_window");
    if (!rule)
        return qn_infer_fail(in, "update_rule is not 'linear', 'gated', 'delta' or 'gated_delta'");
    if (qn_infer_has(in, DECAY) != rule->is_gated)
        return qn_infer_fail(in, "update_rule '%s' %s decay", rule->name,
                             rule->is_gated ? "needs" : "has no");
    if (qn_infer_has(in, BETA) != rule->is_delta)
        return qn_infer_fail(in, "update_rule '%s' %s beta", rule->name,
                             rule->is_delta ? "needs" : "has no");
    if (window < 0 || window > 8)
        return qn_infer_fail(in, "state_window is %lld, expected 0 to 8", (long long)window);
    return QN_OK;
}

/* Rows of one number per head, or of another count that is allowed. */
static QnStatus check_rows(const QnInfer *in, int i, const QnHeads *k, QnDim other)
{
    const QnShape *x = qn_infer_shape(in, i);
    if (!x)
        return QN_OK;
    QN_TRY(qn_infer_want_shape(in, i, 3, (const QnDim[]){k->batch, k->rows, x->dims[2]}));
    if (qn_dim_is_known(x->dims[2]) && qn_dim_is_known(other) && x->dims[2] != k->heads &&
        x->dims[2] != other)
        return qn_infer_fail(in, "input %d has rows of %lld, expected %lld or %lld", i,
                             (long long)x->dims[2], (long long)k->heads, (long long)other);
    return QN_OK;
}

static QnStatus check_heads(const QnInfer *in, int64_t queries, int64_t keys)
{
    const bool may_invert = *in->node->domain != 0; /* com.microsoft's */
    if (queries < 1 || keys < 1)
        return qn_infer_fail(in, "q_num_heads is %lld and kv_num_heads %lld, expected 1 at least",
                             (long long)queries, (long long)keys);
    return may_invert && keys > queries ? qn_heads_want_groups(in, keys, queries)
                                        : qn_heads_want_groups(in, queries, keys);
}

/* The type of the state: that of the past where there is one, else the queries'. */
static QnType state_type(const QnInfer *in)
{
    return qn_infer_element(in, qn_infer_has(in, PAST) ? PAST : Q);
}

static QnStatus infer_state(QnInfer *in, const QnHeads *k, const QnHeads *v)
{
    const int64_t window = qn_op_int(in->node, "state_window");
    const int extra = window > 0;
    QnShape state = {4 + extra, {window}};
    const QnDim dims[4] = {k->batch, k->heads, k->size, v->size};
    memcpy(state.dims + extra, dims, sizeof dims);
    QN_TRY(qn_infer_want_shape(in, PAST, state.rank, state.dims));
    return qn_infer_tensor(in, PRESENT, state_type(in), &state);
}

/* What follows where the sizes of all three sides are known. */
static QnStatus infer_sizes(QnInfer *in, const QnHeads *q, const QnHeads *k, const QnHeads *v)
{
    const QnDim outputs = qn_max_i64(q->heads, k->heads);
    const QnDim width = qn_dim_mul(in->dims, k->heads, k->size);
    QN_TRY(qn_heads_want_same(in, "head size", Q, q->size, K, k->size));
    for (int i = K; i <= V; i++) {
        QN_TRY(qn_infer_want_dim(in, i, 0, q->batch));
        QN_TRY(qn_infer_want_dim(in, i, 1, q->rows));
    }
    QN_TRY(check_rows(in, DECAY, k, width));
    QN_TRY(check_rows(in, BETA, k, 1));
    QN_TRY(infer_state(in, k, v));
    return qn_infer_tensor(
        in, Y, qn_infer_element(in, Q),
        &(QnShape){3, {q->batch, q->rows, qn_dim_mul(in->dims, outputs, v->size)}});
}

static QnStatus infer_linear(QnInfer *in)
{
    const int64_t queries = qn_op_int(in->node, "q_num_heads");
    const int64_t keys = qn_op_int(in->node, "kv_num_heads");
    QnHeads q, k, v;
    QN_TRY(check_rule(in));
    QN_TRY(check_heads(in, queries, keys));
    for (int i = Q; i <= V; i++)
        QN_TRY(qn_infer_want_rank(in, i, 3));
    QN_TRY(qn_heads_read(in, Q, "q_num_heads", queries, &q));
    QN_TRY(qn_heads_read(in, K, "kv_num_heads", keys, &k));
    QN_TRY(qn_heads_read(in, V, "kv_num_heads", keys, &v));
    if (q.is_known && k.is_known && v.is_known)
        return infer_sizes(in, &q, &k, &v);
    QN_TRY(qn_infer_unknown(in, Y, qn_infer_element(in, Q), 3));
    return qn_infer_unknown(in, PRESENT, state_type(in),
                            qn_op_int(in->node, "state_window") > 0 ? 5 : 4);
}

/* ---- computing ---- */

/* Head h of keys of item b. */
typedef struct Linear {
    const QnCall *call;
    const struct Rule *rule;
    int64_t batch, rows, queries, keys, size, v_size, window;
    double scale;
    double *state;                 /* [size, v_size] */
    double *q, *k, *v, *y, *decay; /* [size], [size], [v_size], [v_size], [size] */
} Linear;

/* Row t of head h of an input that has `heads` of them. */
static void read_head(const Linear *l, int i, int64_t b, int64_t t, int64_t heads, int64_t h,
                      int64_t size, double *to)
{
    const QnTensor *x = qn_call_input(l->call, i);
    qn_tensor_read_row(x, ((b * l->rows + t) * heads + h) * size, 1, size, to);
}

/* The decay of each row of the state: one for the head, or one each. */
static void read_decay(const Linear *l, int64_t b, int64_t t, int64_t h)
{
    const QnTensor *decay = qn_call_input(l->call, DECAY);
    if (decay->dims[2] == l->keys * l->size)
        read_head(l, DECAY, b, t, l->keys, h, l->size, l->decay);
    else
        for (int64_t d = 0; d < l->size; d++)
            l->decay[d] = qn_tensor_get(decay, (b * l->rows + t) * l->keys + h);
}

static double read_beta(const Linear *l, int64_t b, int64_t t, int64_t h)
{
    const QnTensor *beta = qn_call_input(l->call, BETA);
    const int64_t width = beta->dims[2];
    return qn_tensor_get(beta, (b * l->rows + t) * width + (width == 1 ? 0 : h));
}

static void scale_row(double *row, double by, int64_t count)
{
    for (int64_t m = 0; m < count; m++)
        row[m] *= by;
}

static void add_row(double *row, const double *add, double by, int64_t count)
{
    for (int64_t m = 0; m < count; m++)
        row[m] += by * add[m];
}

/* to' = by' S: the rows of the state, each times a number. */
static void sum_rows(const Linear *l, const double *by, double *to)
{
    memset(to, 0, (size_t)l->v_size * sizeof *to);
    for (int64_t d = 0; d < l->size; d++)
        add_row(to, l->state + d * l->v_size, by[d], l->v_size);
}

static void update(const Linear *l, int64_t b, int64_t t, int64_t h)
{
    read_head(l, K, b, t, l->keys, h, l->size, l->k);
    read_head(l, V, b, t, l->keys, h, l->v_size, l->v);
    if (l->rule->is_gated) {
        read_decay(l, b, t, h);
        for (int64_t d = 0; d < l->size; d++)
            scale_row(l->state + d * l->v_size, exp(l->decay[d]), l->v_size);
    }
    if (l->rule->is_delta) {
        const double beta = read_beta(l, b, t, h);
        sum_rows(l, l->k, l->y);
        for (int64_t m = 0; m < l->v_size; m++)
            l->v[m] = beta * (l->v[m] - l->y[m]);
    }
    for (int64_t d = 0; d < l->size; d++)
        add_row(l->state + d * l->v_size, l->v, l->k[d], l->v_size);
}

/* What the queries read that share the head of keys, or the other way round. */
static void read_out(const Linear *l, int64_t b, int64_t t, int64_t h)
{
    const int64_t outputs = qn_max_i64(l->queries, l->keys), group = outputs / l->keys;
    for (int64_t o = h * group; o < (h + 1) * group; o++) {
        read_head(l, Q, b, t, l->queries, o * l->queries / outputs, l->size, l->q);
        sum_rows(l, l->q, l->y);
        scale_row(l->y, l->scale, l->v_size);
        qn_tensor_write_row(qn_call_result(l->call, Y),
                            ((b * l->rows + t) * outputs + o) * l->v_size, 1, l->v_size, l->y);
    }
}

static int64_t state_at(const Linear *l, int64_t slot, int64_t b, int64_t h)
{
    return ((slot * l->batch + b) * l->keys + h) * l->size * l->v_size;
}

/* The state is written after each of the last tokens that have a slot. */
static void write_state(const Linear *l, int64_t b, int64_t t, int64_t h)
{
    const int64_t slots = qn_max_i64(l->window, 1), slot = t - l->rows + slots;
    if (slot >= 0 && qn_call_wants(l->call, PRESENT))
        qn_tensor_write_row(qn_call_result(l->call, PRESENT), state_at(l, slot, b, h), 1,
                            l->size * l->v_size, l->state);
}

static void walk(const Linear *l, int64_t b, int64_t h)
{
    const QnTensor *past = qn_call_input(l->call, PAST);
    const int64_t count = l->size * l->v_size;
    memset(l->state, 0, (size_t)count * sizeof *l->state);
    for (int64_t t = l->rows - l->window; t < 0; t++) /* slots of no token of this call */
        write_state(l, b, t, h);
    if (past)
        qn_tensor_read_row(past, state_at(l, qn_max_i64(l->window - 1, 0), b, h), 1, count,
                           l->state);
    if (l->rows == 0 && l->window == 0)
        write_state(l, b, -1, h);
    for (int64_t t = 0; t < l->rows; t++) {
        update(l, b, t, h);
        read_out(l, b, t, h);
        write_state(l, b, t, h);
    }
}

/* Heads begin <= i < end of all items; the room is the state and the rows. */
static QnStatus walk_heads(const QnCall *call, const void *work, void *room, int64_t begin,
                           int64_t end)
{
    Linear l = *(const Linear *)work;
    l.call = call;
    l.state = room;
    l.q = l.state + l.size * l.v_size;
    l.k = l.q + l.size;
    l.decay = l.k + l.size;
    l.v = l.decay + l.size;
    l.y = l.v + l.v_size;
    for (int64_t i = begin; i < end; i++) {
        QN_TRY(qn_call_poll(call));
        walk(&l, i / l.keys, i % l.keys);
    }
    return QN_OK;
}

static QnStatus run_linear(const QnCall *call)
{
    const QnTensor *q = qn_call_input(call, Q), *v = qn_call_input(call, V);
    const double scale = qn_op_float(call->node, "scale");
    Linear l = {.call = call,
                .rule = find_rule(call->node),
                .batch = q->dims[0],
                .rows = q->dims[1],
                .queries = qn_op_int(call->node, "q_num_heads"),
                .keys = qn_op_int(call->node, "kv_num_heads"),
                .window = qn_op_int(call->node, "state_window")};
    l.size = q->dims[2] / l.queries;
    l.v_size = v->dims[2] / l.keys;
    l.scale = scale != 0 ? scale : 1 / sqrt((double)l.size);
    const double state = (double)l.size * (double)l.v_size;
    const size_t room = (size_t)(l.size * l.v_size + 3 * l.size + 2 * l.v_size) * sizeof(double);
    return qn_call_for(call, l.batch * l.keys, (double)(l.rows + 1) * (3 * state + 50), room,
                       walk_heads, &l);
}

/* ---- LinearAttentionGate ---- */

static QnStatus infer_gate(QnInfer *in)
{
    const QnShape *a = qn_infer_shape(in, 0);
    QN_TRY(qn_infer_want_rank(in, 0, 3));
    for (int i = 1; i <= 2 && a; i++)
        QN_TRY(qn_infer_want_shape(in, i, 1, &a->dims[2]));
    if (a)
        QN_TRY(qn_infer_want_shape(in, 3, 3, a->dims));
    if (in->output_count > 1 && in->outputs[1].is_present && !qn_infer_has(in, 3))
        return qn_infer_fail(in, "output 1 is wanted, which needs input 3");
    QN_TRY(qn_infer_output(in, 1, qn_infer_type(in, 3)));
    return qn_infer_unary(in);
}

/* Rows of heads begin <= i < end; the room is three of them. */
static QnStatus gate_rows(const QnCall *call, const void *work, void *room, int64_t begin,
                          int64_t end)
{
    const int64_t heads = *(const int64_t *)work;
    double *row = room, *bias = row + heads, *scale = bias + heads;
    qn_tensor_read_row(qn_call_input(call, 1), 0, 1, heads, bias);
    qn_tensor_read_row(qn_call_input(call, 2), 0, 1, heads, scale);
    for (int64_t i = begin; i < end; i++) {
        if (qn_call_wants(call, 0)) {
            qn_tensor_read_row(qn_call_input(call, 0), i * heads, 1, heads, row);
            for (int64_t h = 0; h < heads; h++) {
                const double x = row[h] + bias[h];
                row[h] = (fmax(x, 0) + log1p(exp(-fabs(x)))) * scale[h]; /* softplus */
            }
            qn_tensor_write_row(qn_call_result(call, 0), i * heads, 1, heads, row);
        }
        if (qn_call_wants(call, 1)) {
            qn_tensor_read_row(qn_call_input(call, 3), i * heads, 1, heads, row);
            for (int64_t h = 0; h < heads; h++)
                row[h] = 1 / (1 + exp(-row[h]));
            qn_tensor_write_row(qn_call_result(call, 1), i * heads, 1, heads, row);
        }
    }
    return QN_OK;
}

static QnStatus run_gate(const QnCall *call)
{
    const QnTensor *a = qn_call_input(call, 0);
    const int64_t heads = a->dims[2];
    return qn_call_for(call, a->dims[0] * a->dims[1], 50 * (double)heads,
                       3 * (size_t)heads * sizeof(double), gate_rows, &heads);
}

#define COMMON                                                                                 \
    {"chunk_size", QN_ATTRIBUTE_INT, .i = 64}, /* a hint that changes no result */             \
        {"kv_num_heads", QN_ATTRIBUTE_INT, .is_required = true},                               \
        {"q_num_heads", QN_ATTRIBUTE_INT, .is_required = true}, {"scale", QN_ATTRIBUTE_FLOAT}, \
    {                                                                                          \
        "update_rule", QN_ATTRIBUTE_STRING, .s = "gated_delta"                                 \
    }

static const QnOpAttribute attributes[] = {COMMON, {0}};
static const QnOpAttribute contributed_attributes[] = {
    COMMON, {"state_window", QN_ATTRIBUTE_INT}, {0}};

#define ROW                                                                                        \
    .name = "LinearAttention",                                                                     \
    .inputs = "query: float, key: T, value: T, past_state?: float, decay?: T, beta?: T",           \
    .outputs = "output: T, present_state: float", .traits = QN_OP_PORTABLE, .infer = infer_linear, \
    .reference = run_linear

const QnOp qn_ops_linear_attention[] = {
    {ROW, .since = 27, .attributes = attributes},
    {ROW, .domain = "com.microsoft", .since = 1, .attributes = contributed_attributes},
    {.name = "LinearAttentionGate",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "a: float, dt_bias: float, decay_scale: float, b?: T",
     .outputs = "decay: T, beta?: T",
     .traits = QN_OP_PORTABLE,
     .infer = infer_gate,
     .reference = run_gate},
    {0},
};
