/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CausalConvWithState: each channel is a sequence, convolved with a kernel of its own that looks at
 * the past only; what it still has to know of the past is the state.
 *
 *     line = past_state ++ x;  y[t] = activation(bias + sum_j weight[j] line[t + j dilation])
 *
 * The state after position p is the last (taps - 1) * dilation elements of the line up to there.
 * com.microsoft's may keep those after each of the last positions (`state_window`), and may have
 * its channels last, in any number of dimensions.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/op.h"

enum { X, WEIGHT, BIAS, PAST };
enum { Y, PRESENT };

/* ---- inference ---- */

/* What an operator of com.microsoft may say and only its CUDA kernel computes. */
static const struct {
    const char *name;
    int64_t usual;
} others[] = {
    {"input_channel_offset", 0}, {"input_channels", 0},        {"ndim", 1},
    {"state_channels_last", -1}, {"state_update_capacity", 0}, {"state_length", 0},
};

static QnStatus check_attributes(const QnInfer *in)
{
    const int64_t dilation = qn_op_int(in->node, "dilation");
    const int64_t window = qn_op_int(in->node, "state_window");
    if (!qn_op_string_is(in->node, "activation", "none") &&
        !qn_op_string_is(in->node, "activation", "silu") &&
        !qn_op_string_is(in->node, "activation", "swish"))
        return qn_infer_fail(in, "activation is not 'none', 'silu' or 'swish'");
    if (!*in->node->domain)
        return QN_OK;
    for (size_t i = 0; i < QN_COUNT_OF(others); i++)
        if (qn_op_int(in->node, others[i].name) != others[i].usual)
            return qn_infer_fail(in, "%s is %lld, of which only %lld is known", others[i].name,
                                 (long long)qn_op_int(in->node, others[i].name),
                                 (long long)others[i].usual);
    if (dilation < 1 || dilation > INT32_MAX)
        return qn_infer_fail(in, "dilation is %lld, expected 1 to %d", (long long)dilation,
                             INT32_MAX);
    if (window < 0 || window > 8)
        return qn_infer_fail(in, "state_window is %lld, expected 0 to 8", (long long)window);
    return QN_OK;
}

static int64_t dilation_of(const QnNode *node)
{
    return *node->domain ? qn_op_int(node, "dilation") : 1;
}

static bool has_channels_last(const QnNode *node)
{
    return qn_op_int(node, "channels_last") != 0;
}

/* The shape of the state: that of the input with another length, and the window in front. */
static QnShape state_shape(const QnInfer *in, const QnShape *x, QnDim length)
{
    const int64_t window = qn_op_int(in->node, "state_window");
    QnShape state = *x;
    state.dims[has_channels_last(in->node) ? 1 : 2] = length;
    if (window == 0)
        return state;
    memmove(state.dims + 1, state.dims, (size_t)state.rank++ * sizeof *state.dims);
    state.dims[0] = window;
    return state;
}

static QnStatus infer_shapes(QnInfer *in, const QnShape *x)
{
    const QnShape *weight = qn_infer_shape(in, WEIGHT);
    const bool is_last = has_channels_last(in->node);
    const QnDim channels = is_last ? qn_shape_product(in->dims, x, 2, x->rank) : x->dims[1];
    const QnDim taps = weight ? weight->dims[2] : qn_infer_fresh(in);
    if (taps == 0)
        return qn_infer_fail(in, "the kernel has no elements");
    const QnDim length = qn_dim_mul(in->dims, qn_dim_sub(in->dims, taps, 1), dilation_of(in->node));
    const QnShape state = state_shape(in, x, length);
    QN_TRY(qn_infer_want_shape(in, WEIGHT, 3, (const QnDim[]){channels, 1, taps}));
    QN_TRY(qn_infer_want_shape(in, BIAS, 1, &channels));
    QN_TRY(qn_infer_want_shape(in, PAST, state.rank, state.dims));
    return qn_infer_tensor(in, PRESENT, qn_infer_element(in, X), &state);
}

static QnStatus infer_causal(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, X);
    const bool is_last = has_channels_last(in->node);
    QN_TRY(check_attributes(in));
    QN_TRY(qn_infer_want_rank(in, WEIGHT, 3));
    if (x && (is_last ? x->rank < 3 || x->rank >= QN_MAX_RANK : x->rank != 3))
        return qn_infer_fail(in, "input %d has rank %d, expected 3%s", X, x->rank,
                             is_last ? " at least" : "");
    QN_TRY(qn_infer_unary(in));
    return x ? infer_shapes(in, x)
             : qn_infer_unknown(in, PRESENT, qn_infer_element(in, X), is_last ? -1 : 3);
}

/* ---- computing ---- */

/* Channel c of item b, and how its elements lie. */
typedef struct Causal {
    const QnCall *call;
    int64_t batch, channels, length, taps, dilation, state, window;
    bool is_last, is_silu;
    double *line;   /* [state + length] */
    double *y;      /* [length] */
    double *weight; /* [taps] */
    double *zeros;  /* [state] */
} Causal;

/* The first element of a sequence of `length`, and the distance from one to the next. */
static int64_t first_of(const Causal *c, int64_t b, int64_t channel, int64_t length)
{
    return c->is_last ? b * length * c->channels + channel : (b * c->channels + channel) * length;
}

static int64_t step_of(const Causal *c)
{
    return c->is_last ? c->channels : 1;
}

static void read_line(const Causal *c, int64_t b, int64_t channel)
{
    const QnTensor *past = qn_call_input(c->call, PAST);
    const int64_t slot = c->window > 0 ? c->window - 1 : 0;
    memset(c->line, 0, (size_t)c->state * sizeof *c->line);
    if (past)
        qn_tensor_read_row(past, first_of(c, slot * c->batch + b, channel, c->state), step_of(c),
                           c->state, c->line);
    qn_tensor_read_row(qn_call_input(c->call, X), first_of(c, b, channel, c->length), step_of(c),
                       c->length, c->line + c->state);
    qn_tensor_read_row(qn_call_input(c->call, WEIGHT), channel * c->taps, 1, c->taps, c->weight);
}

static void convolve(const Causal *c, int64_t channel)
{
    const QnTensor *bias = qn_call_input(c->call, BIAS);
    const double start = bias ? qn_tensor_get(bias, channel) : 0;
    for (int64_t t = 0; t < c->length; t++)
        c->y[t] = start;
    for (int64_t j = 0; j < c->taps; j++)
        for (int64_t t = 0; t < c->length; t++)
            c->y[t] += c->weight[j] * c->line[t + j * c->dilation];
    for (int64_t t = 0; t < c->length && c->is_silu; t++)
        c->y[t] /= 1 + exp(-c->y[t]);
}

/* The states after the last positions; zeros for those before the first. */
static void write_states(const Causal *c, int64_t b, int64_t channel)
{
    QnTensor *present = qn_call_result(c->call, PRESENT);
    const int64_t slots = qn_max_i64(c->window, 1);
    for (int64_t slot = 0; slot < slots; slot++) {
        const int64_t seen = c->length - slots + slot + 1;
        const int64_t to = first_of(c, slot * c->batch + b, channel, c->state);
        qn_tensor_write_row(present, to, step_of(c), c->state,
                            c->window > 0 && seen < 1 ? c->zeros : c->line + seen);
    }
}

/* Channels begin <= i < end of all items; the room holds the lists of Causal. */
static QnStatus run_channels(const QnCall *call, const void *work, void *room, int64_t begin,
                             int64_t end)
{
    Causal c = *(const Causal *)work;
    c.call = call;
    c.line = room;
    c.y = c.line + c.state + c.length;
    c.weight = c.y + c.length;
    c.zeros = c.weight + c.taps;
    memset(c.zeros, 0, (size_t)c.state * sizeof *c.zeros);
    for (int64_t i = begin; i < end; i++) {
        const int64_t b = i / c.channels, channel = i % c.channels;
        read_line(&c, b, channel);
        convolve(&c, channel);
        qn_tensor_write_row(qn_call_result(call, Y), first_of(&c, b, channel, c.length),
                            step_of(&c), c.length, c.y);
        if (qn_call_wants(call, PRESENT))
            write_states(&c, b, channel);
    }
    return QN_OK;
}

static QnStatus run_causal(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, X);
    const bool is_last = has_channels_last(call->node);
    Causal c = {.call = call,
                .batch = x->dims[0],
                .channels = qn_call_input(call, WEIGHT)->dims[0],
                .length = x->dims[is_last ? 1 : 2],
                .taps = qn_call_input(call, WEIGHT)->dims[2],
                .dilation = dilation_of(call->node),
                .window = qn_op_int(call->node, "state_window"),
                .is_last = is_last,
                .is_silu = !qn_op_string_is(call->node, "activation", "none")};
    c.state = (c.taps - 1) * c.dilation;
    if (c.state + c.length == 0)
        return QN_OK;
    const size_t room = (size_t)(2 * c.state + 2 * c.length + c.taps) * sizeof(double);
    return qn_call_for(call, c.batch * c.channels, (double)c.length * (double)(c.taps + 3) + 50,
                       room, run_channels, &c);
}

static const QnOpAttribute attributes[] = {{"activation", QN_ATTRIBUTE_STRING, .s = "none"}, {0}};

static const QnOpAttribute contributed_attributes[] = {
    {"activation", QN_ATTRIBUTE_STRING, .s = "none"},
    {"channels_last", QN_ATTRIBUTE_INT},
    {"dilation", QN_ATTRIBUTE_INT, .i = 1},
    {"input_channel_offset", QN_ATTRIBUTE_INT},
    {"input_channels", QN_ATTRIBUTE_INT},
    {"ndim", QN_ATTRIBUTE_INT, .i = 1},
    {"state_channels_last", QN_ATTRIBUTE_INT, .i = -1},
    {"state_length", QN_ATTRIBUTE_INT},
    {"state_update_capacity", QN_ATTRIBUTE_INT},
    {"state_window", QN_ATTRIBUTE_INT},
    {0}};

#define ROW                                                                                       \
    .name = "CausalConvWithState", .inputs = "input: float, weight: T, bias?: T, past_state?: T", \
    .outputs = "output: T, present_state: T", .traits = QN_OP_PORTABLE, .infer = infer_causal,    \
    .reference = run_causal

const QnOp qn_ops_causal_conv[] = {
    {ROW, .since = 27, .attributes = attributes},
    {ROW, .domain = "com.microsoft", .since = 1, .attributes = contributed_attributes},
    {0},
};
