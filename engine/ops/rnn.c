/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recurrent layers: one step each, over the walk in rnn_walk.c.
 *
 *   RNN   h = f(W x + R h + bias)
 *   GRU   z, r = f(...);  n = g(W x + R (r * h) + bias);  h = (1 - z) n + z h
 *         with linear_before_reset:  n = g(W x + bias + r * (R h + bias))
 *   LSTM  i, o, f = f(... + peephole * c);  c = f c + i g(...);  h = o h(c)
 *
 * Gates stand in the order LSTM i, o, f, c; GRU z, r, h.
 */
#include <math.h>

#include "engine/ops/rnn.h"

static void rnn_step(QnRnn *rnn)
{
    for (int64_t k = 0; k < rnn->hidden; k++)
        rnn->h[k] = qn_rnn_activate(rnn, 0, rnn->from_x[k] + rnn->from_h[k]);
}

static void gru_step(QnRnn *rnn)
{
    const int64_t n = rnn->hidden;
    const bool is_linear_first = qn_op_int(rnn->call->node, "linear_before_reset") != 0;
    double *z = rnn->from_x, *r = rnn->from_x + n, *candidate = rnn->from_x + 2 * n;
    for (int64_t k = 0; k < 2 * n; k++)
        rnn->from_x[k] = qn_rnn_activate(rnn, 0, rnn->from_x[k] + rnn->from_h[k]);
    if (!is_linear_first) {
        for (int64_t k = 0; k < n; k++)
            rnn->c[k] = r[k] * rnn->h[k];
        qn_rnn_product(rnn->from_h + 2 * n, rnn->r + 2 * n * n, rnn->r_bias + 2 * n, rnn->c, n, n);
    }
    for (int64_t k = 0; k < n; k++) {
        const double recurrent = rnn->from_h[2 * n + k] * (is_linear_first ? r[k] : 1);
        candidate[k] = qn_rnn_activate(rnn, 1, candidate[k] + recurrent);
        rnn->h[k] = (1 - z[k]) * candidate[k] + z[k] * rnn->h[k];
    }
}

static void lstm_step(QnRnn *rnn)
{
    const int64_t n = rnn->hidden;
    const bool is_coupled = qn_op_int(rnn->call->node, "input_forget") != 0;
    const double *x = rnn->from_x, *h = rnn->from_h, *p = rnn->peephole;
    for (int64_t k = 0; k < n; k++) {
        const double before = rnn->c[k];
        const double input = qn_rnn_activate(rnn, 0, x[k] + h[k] + p[k] * before);
        const double forget =
            is_coupled
                ? 1 - input
                : qn_rnn_activate(rnn, 0, x[2 * n + k] + h[2 * n + k] + p[2 * n + k] * before);
        const double candidate = qn_rnn_activate(rnn, 1, x[3 * n + k] + h[3 * n + k]);
        const double cell = forget * before + input * candidate;
        const double output = qn_rnn_activate(rnn, 0, x[n + k] + h[n + k] + p[n + k] * cell);
        rnn->c[k] = cell;
        /* The cell is no pre-activation: it is not clipped. */
        rnn->h[k] = output * rnn->f[2].apply(cell, rnn->f[2].alpha, rnn->f[2].beta);
    }
}

static const QnRnnKind kind_rnn = {1, 1, {"Tanh"}, 5, -1, -1, false};
static const QnRnnKind kind_gru = {3, 2, {"Sigmoid", "Tanh"}, 5, -1, -1, false};
static const QnRnnKind kind_lstm = {4, 3, {"Sigmoid", "Tanh", "Tanh"}, 5, 6, 7, false};
static const QnRnnKind kind_dynamic = {4, 3, {"Sigmoid", "Tanh", "Tanh"}, 5, 6, 7, true};

#define DEFINE(fn, step)                           \
    static QnStatus infer_##fn(QnInfer *in)        \
    {                                              \
        return qn_rnn_infer(in, &kind_##fn);       \
    }                                              \
    static QnStatus run_##fn(const QnCall *call)   \
    {                                              \
        return qn_rnn_run(call, &kind_##fn, step); \
    }
DEFINE(rnn, rnn_step)
DEFINE(gru, gru_step)
DEFINE(lstm, lstm_step)
DEFINE(dynamic, lstm_step)

#define COMMON                                                                                 \
    {"activation_alpha", QN_ATTRIBUTE_FLOATS}, {"activation_beta", QN_ATTRIBUTE_FLOATS},       \
        {"activations", QN_ATTRIBUTE_STRINGS}, {"clip", QN_ATTRIBUTE_FLOAT},                   \
        {"direction", QN_ATTRIBUTE_STRING, .s = "forward"}, {"hidden_size", QN_ATTRIBUTE_INT}, \
    {                                                                                          \
        "layout", QN_ATTRIBUTE_INT                                                             \
    }
static const QnOpAttribute rnn_attributes[] = {COMMON, {0}};
static const QnOpAttribute gru_attributes[] = {
    COMMON, {"linear_before_reset", QN_ATTRIBUTE_INT}, {0}};
static const QnOpAttribute lstm_attributes[] = {COMMON, {"input_forget", QN_ATTRIBUTE_INT}, {0}};
#undef COMMON

#define INPUTS "X: float, W: T, R: T, B?: T, sequence_lens?: int32, initial_h?: T"

const QnOp qn_ops_rnn[] = {
    {.name = "DynamicQuantizeLSTM",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "X: float, W: integer, R: integer, B?: T, sequence_lens?: int32, initial_h?: T, "
               "initial_c?: T, P?: T, W_scale: T, W_zero_point: integer, R_scale: T, "
               "R_zero_point: integer",
     .outputs = "Y?: T, Y_h?: T, Y_c?: T",
     .attributes = lstm_attributes,
     .infer = infer_dynamic,
     .reference = run_dynamic},
    {.name = "GRU",
     .since = 22,
     .inputs = INPUTS,
     .outputs = "Y?: T, Y_h?: T",
     .attributes = gru_attributes,
     .infer = infer_gru,
     .reference = run_gru},
    {.name = "LSTM",
     .since = 22,
     .inputs = INPUTS ", initial_c?: T, P?: T",
     .outputs = "Y?: T, Y_h?: T, Y_c?: T",
     .attributes = lstm_attributes,
     .infer = infer_lstm,
     .reference = run_lstm},
    {.name = "RNN",
     .since = 22,
     .inputs = INPUTS,
     .outputs = "Y?: T, Y_h?: T",
     .attributes = rnn_attributes,
     .infer = infer_rnn,
     .reference = run_rnn},
    {0},
};
