/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk of recurrent layers over directions, items and time.
 *
 * W is [directions, gates * hidden, inputs], R [.., hidden], B [directions, 2 * gates * hidden]:
 * input biases, then recurrent ones.  X and Y are [steps, batch, …], with layout 1 batch first. The
 * reverse direction begins at an item's own last step and stores at the original time; steps past
 * the item's length are zero in Y.
 */
#include <math.h>
#include <strings.h>

#include "engine/ops/rnn.h"

/* ---- activations ---- */

static double act_affine(double x, double a, double b)
{
    return a * x + b;
}

static double act_elu(double x, double a, double b)
{
    (void)b;
    return x < 0 ? a * expm1(x) : x;
}

static double act_hard_sigmoid(double x, double a, double b)
{
    return fmin(fmax(a * x + b, 0), 1);
}

static double act_leaky_relu(double x, double a, double b)
{
    (void)b;
    return x < 0 ? a * x : x;
}

static double act_relu(double x, double a, double b)
{
    (void)a, (void)b;
    return x > 0 ? x : 0;
}

static double act_scaled_tanh(double x, double a, double b)
{
    return a * tanh(b * x);
}

static double act_sigmoid(double x, double a, double b)
{
    (void)a, (void)b;
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

static double act_softplus(double x, double a, double b)
{
    (void)a, (void)b;
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double act_softsign(double x, double a, double b)
{
    (void)a, (void)b;
    return x / (1 + fabs(x));
}

static double act_tanh(double x, double a, double b)
{
    (void)a, (void)b;
    return tanh(x);
}

static double act_thresholded_relu(double x, double a, double b)
{
    (void)b;
    return x > a ? x : 0;
}

/* takes_*: which of the lists activation_alpha and activation_beta it draws from. */
static const struct {
    const char *name;
    QnRnnActivation activation;
    bool takes_alpha, takes_beta;
} activations[] = {
    {"Affine", {act_affine, 1, 0}, true, true},
    {"Elu", {act_elu, 1, 0}, true, false},
    {"HardSigmoid", {act_hard_sigmoid, 0.2, 0.5}, true, true},
    {"LeakyRelu", {act_leaky_relu, 0.01, 0}, true, false},
    {"Relu", {act_relu, 0, 0}, false, false},
    {"ScaledTanh", {act_scaled_tanh, 1, 1}, true, true},
    {"Sigmoid", {act_sigmoid, 0, 0}, false, false},
    {"Softplus", {act_softplus, 0, 0}, false, false},
    {"Softsign", {act_softsign, 0, 0}, false, false},
    {"Tanh", {act_tanh, 0, 0}, false, false},
    {"ThresholdedRelu", {act_thresholded_relu, 1, 0}, true, false},
};

static int find_activation(const char *name, size_t size)
{
    for (int i = 0; i < (int)QN_COUNT_OF(activations); i++)
        if (strlen(activations[i].name) == size && !strncasecmp(activations[i].name, name, size))
            return i;
    return -1;
}

static const QnAttribute *find_list(const QnNode *node, const char *name, QnAttributeKind kind)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    return list && list->kind == kind && list->count > 0 ? list : NULL;
}

/* The activations of all directions; both lists of numbers are used up in their order. */
static QnStatus read_activations(const QnNode *node, const QnRnnKind *kind, int directions,
                                 QnRnnActivation *to, QnError *err)
{
    const QnAttribute *names = find_list(node, "activations", QN_ATTRIBUTE_STRINGS);
    const QnAttribute *alphas = find_list(node, "activation_alpha", QN_ATTRIBUTE_FLOATS);
    const QnAttribute *betas = find_list(node, "activation_beta", QN_ATTRIBUTE_FLOATS);
    const int count = kind->activations * directions;
    int alpha = 0, beta = 0;
    if (names && names->count != count)
        return qn_fail(err, QN_BAD_MODEL, "activations has %d entries, expected %d", names->count,
                       count);
    for (int i = 0; i < count; i++) {
        const char *usual = kind->usual[i % kind->activations];
        const QnString name = names ? names->strings[i] : (QnString){usual, strlen(usual)};
        const int row = find_activation(name.data, name.size);
        if (row < 0)
            return qn_fail(err, QN_BAD_MODEL, "activation '%.*s' is none of ONNX's",
                           (int)(name.size < 64 ? name.size : 64), name.data);
        to[i] = activations[row].activation;
        if (activations[row].takes_alpha && alphas && alpha < alphas->count)
            to[i].alpha = (double)alphas->floats[alpha++];
        if (activations[row].takes_beta && betas && beta < betas->count)
            to[i].beta = (double)betas->floats[beta++];
    }
    return QN_OK;
}

double qn_rnn_activate(const QnRnn *rnn, int i, double x)
{
    const double clipped = x > rnn->clip ? rnn->clip : x < -rnn->clip ? -rnn->clip : x;
    return rnn->f[i].apply(clipped, rnn->f[i].alpha, rnn->f[i].beta);
}

/* ---- inference ---- */

/* 0: none of ONNX's. */
static int count_directions(const QnNode *node)
{
    if (qn_op_string_is(node, "direction", "bidirectional"))
        return 2;
    return qn_op_string_is(node, "direction", "forward") ||
           qn_op_string_is(node, "direction", "reverse");
}

/* Fails unless input i, where it is there, has surely no other shape than dims[rank]. */
static QnStatus want_shape(const QnInfer *in, int i, int rank, const QnDim *dims)
{
    const QnShape *shape = i >= 0 ? qn_infer_shape(in, i) : NULL;
    if (!shape)
        return QN_OK;
    QN_TRY(qn_infer_want_rank(in, i, rank));
    for (int d = 0; d < rank; d++)
        if (qn_dim_is_known(shape->dims[d]) && qn_dim_is_known(dims[d]) &&
            shape->dims[d] != dims[d])
            return qn_infer_fail(in, "input %d has size %lld along dimension %d, expected %lld", i,
                                 (long long)shape->dims[d], d, (long long)dims[d]);
    return QN_OK;
}

static QnStatus check_shapes(QnInfer *in, const QnRnnKind *kind, const QnShape *x, QnDim hidden,
                             int directions)
{
    const bool is_batch_first = qn_op_int(in->node, "layout") != 0;
    const QnDim batch = x->dims[is_batch_first ? 0 : 1];
    const QnDim rows = qn_dim_mul(in->dims, hidden, kind->gates);
    const QnDim first = is_batch_first ? batch : directions;
    const QnDim second = is_batch_first ? directions : batch;
    QN_TRY(want_shape(in, 1, 3, (const QnDim[]){directions, rows, x->dims[2]}));
    QN_TRY(want_shape(in, 2, 3, (const QnDim[]){directions, rows, hidden}));
    QN_TRY(want_shape(in, 3, 2, (const QnDim[]){directions, qn_dim_mul(in->dims, rows, 2)}));
    QN_TRY(want_shape(in, 4, 1, &batch));
    QN_TRY(want_shape(in, kind->h_input, 3, (const QnDim[]){first, second, hidden}));
    QN_TRY(want_shape(in, kind->c_input, 3, (const QnDim[]){first, second, hidden}));
    return want_shape(in, kind->p_input, 2,
                      (const QnDim[]){directions, qn_dim_mul(in->dims, hidden, 3)});
}

QnStatus qn_rnn_infer(QnInfer *in, const QnRnnKind *kind)
{
    const QnShape *x = qn_infer_shape(in, 0), *r = qn_infer_shape(in, 2);
    const QnType element = qn_infer_element(in, 0);
    const int directions = count_directions(in->node);
    const bool is_batch_first = qn_op_int(in->node, "layout") != 0;
    QnRnnActivation f[2 * QN_RNN_ACTIVATIONS];
    if (directions == 0)
        return qn_infer_fail(in, "direction is not forward, reverse or bidirectional");
    QN_TRY(read_activations(in->node, kind, directions, f, in->err));
    QN_TRY(qn_infer_want_rank(in, 0, 3));
    QN_TRY(qn_infer_want_rank(in, 2, 3));
    const QnDim hidden = r ? r->dims[2] : qn_infer_fresh(in);
    const int64_t declared = qn_op_int(in->node, "hidden_size");
    if (declared && qn_dim_is_known(hidden) && declared != hidden)
        return qn_infer_fail(in, "hidden_size is %lld, but R has %lld columns", (long long)declared,
                             (long long)hidden);
    if (!x) {
        for (int i = 0; i < in->output_count; i++)
            QN_TRY(qn_infer_unknown(in, i, element, i == 0 ? 4 : 3));
        return QN_OK;
    }
    QN_TRY(check_shapes(in, kind, x, hidden, directions));
    const QnDim steps = x->dims[is_batch_first ? 1 : 0], batch = x->dims[is_batch_first ? 0 : 1];
    const QnShape y = is_batch_first
                          ? (QnShape){.rank = 4, .dims = {batch, steps, directions, hidden}}
                          : (QnShape){.rank = 4, .dims = {steps, directions, batch, hidden}};
    const QnShape state = is_batch_first
                              ? (QnShape){.rank = 3, .dims = {batch, directions, hidden}}
                              : (QnShape){.rank = 3, .dims = {directions, batch, hidden}};
    for (int i = 0; i < in->output_count; i++)
        QN_TRY(qn_infer_tensor(in, i, element, i == 0 ? &y : &state));
    return QN_OK;
}

/* ---- computing ---- */

void qn_rnn_product(double *to, const double *rows, const double *bias, const double *x,
                    int64_t count, int64_t inner)
{
    for (int64_t k = 0; k < count; k++) {
        double sum = bias[k];
        for (int64_t j = 0; j < inner; j++)
            sum += rows[k * inner + j] * x[j];
        to[k] = sum;
    }
}

static QnStatus make_room(QnRnn *rnn, int64_t rows)
{
    QnArena *arena = rnn->call->scratch;
    QN_ALLOC(rnn->w, arena, rows * rnn->inputs);
    QN_ALLOC(rnn->r, arena, rows * rnn->hidden);
    QN_ALLOC(rnn->w_bias, arena, rows);
    QN_ALLOC(rnn->r_bias, arena, rows);
    QN_ALLOC(rnn->peephole, arena, 3 * rnn->hidden);
    QN_ALLOC(rnn->x, arena, rnn->inputs);
    QN_ALLOC(rnn->h, arena, rnn->hidden);
    QN_ALLOC(rnn->c, arena, rnn->hidden);
    QN_ALLOC(rnn->from_x, arena, rows);
    QN_ALLOC(rnn->from_h, arena, rows);
    return QN_OK;
}

/* The part of direction d of an input that has all directions stacked; absent ones stay zero. */
static void read_part(const QnCall *call, int i, int64_t first, int64_t count, double *to)
{
    const QnTensor *x = i >= 0 ? qn_call_input(call, i) : NULL;
    if (x)
        qn_tensor_read_row(x, first, 1, count, to);
}

static void read_weights(QnRnn *rnn, const QnRnnKind *kind, int d)
{
    const int64_t rows = kind->gates * rnn->hidden;
    read_part(rnn->call, 1, d * rows * rnn->inputs, rows * rnn->inputs, rnn->w);
    read_part(rnn->call, 2, d * rows * rnn->hidden, rows * rnn->hidden, rnn->r);
    read_part(rnn->call, 3, d * 2 * rows, rows, rnn->w_bias);
    read_part(rnn->call, 3, (d * 2 + 1) * rows, rows, rnn->r_bias);
    read_part(rnn->call, kind->p_input, d * 3 * rnn->hidden, 3 * rnn->hidden, rnn->peephole);
}

/* Where a state of item b lies in initial_h, Y_h and their like. */
static int64_t state_at(const QnRnn *rnn, int d, int64_t b)
{
    return (rnn->is_batch_first ? b * rnn->directions + d : d * rnn->batch + b) * rnn->hidden;
}

static void write_y(const QnRnn *rnn, int d, int64_t b, int64_t time, const double *h)
{
    const int64_t row = rnn->is_batch_first ? (b * rnn->steps + time) * rnn->directions + d
                                            : (time * rnn->directions + d) * rnn->batch + b;
    if (qn_call_wants(rnn->call, 0))
        qn_tensor_write_row(qn_call_result(rnn->call, 0), row * rnn->hidden, 1, rnn->hidden, h);
}

static void start_item(QnRnn *rnn, const QnRnnKind *kind, int d, int64_t b)
{
    const size_t size = (size_t)rnn->hidden * sizeof(double);
    memset(rnn->h, 0, size);
    memset(rnn->c, 0, size);
    read_part(rnn->call, kind->h_input, state_at(rnn, d, b), rnn->hidden, rnn->h);
    read_part(rnn->call, kind->c_input, state_at(rnn, d, b), rnn->hidden, rnn->c);
}

/* One item in one direction. */
static QnStatus walk(QnRnn *rnn, const QnRnnKind *kind, QnRnnStep *step, int d, int64_t b)
{
    const QnTensor *lengths = qn_call_input(rnn->call, 4);
    const int64_t rows = kind->gates * rnn->hidden;
    const int64_t length = lengths ? qn_tensor_get_int(lengths, b) : rnn->steps;
    const bool is_reverse = d == 1 || qn_op_string_is(rnn->call->node, "direction", "reverse");
    if (length < 0 || length > rnn->steps)
        return qn_call_fail(rnn->call, "sequence_lens[%lld] is %lld, expected 0 to %lld",
                            (long long)b, (long long)length, (long long)rnn->steps);
    start_item(rnn, kind, d, b);
    for (int64_t t = 0; t < length; t++) {
        const int64_t time = is_reverse ? length - 1 - t : t;
        const int64_t at = rnn->is_batch_first ? b * rnn->steps + time : time * rnn->batch + b;
        QN_TRY(qn_call_poll(rnn->call));
        read_part(rnn->call, 0, at * rnn->inputs, rnn->inputs, rnn->x);
        qn_rnn_product(rnn->from_x, rnn->w, rnn->w_bias, rnn->x, rows, rnn->inputs);
        qn_rnn_product(rnn->from_h, rnn->r, rnn->r_bias, rnn->h, rows, rnn->hidden);
        step(rnn);
        write_y(rnn, d, b, time, rnn->h);
    }
    if (qn_call_wants(rnn->call, 1))
        qn_tensor_write_row(qn_call_result(rnn->call, 1), state_at(rnn, d, b), 1, rnn->hidden,
                            rnn->h);
    if (qn_call_wants(rnn->call, 2))
        qn_tensor_write_row(qn_call_result(rnn->call, 2), state_at(rnn, d, b), 1, rnn->hidden,
                            rnn->c);
    memset(rnn->h, 0, (size_t)rnn->hidden * sizeof *rnn->h);
    for (int64_t time = length; time < rnn->steps; time++)
        write_y(rnn, d, b, time, rnn->h);
    return QN_OK;
}

QnStatus qn_rnn_run(const QnCall *call, const QnRnnKind *kind, QnRnnStep *step)
{
    const QnTensor *x = qn_call_input(call, 0), *r = qn_call_input(call, 2);
    const bool is_batch_first = qn_op_int(call->node, "layout") != 0;
    const double clip = qn_op_float(call->node, "clip");
    QnRnnActivation f[2 * QN_RNN_ACTIVATIONS];
    QnRnn rnn = {
        .call = call,
        .steps = x->dims[is_batch_first ? 1 : 0],
        .batch = x->dims[is_batch_first ? 0 : 1],
        .inputs = x->dims[2],
        .hidden = r->dims[2],
        .directions = count_directions(call->node),
        .is_batch_first = is_batch_first,
        .clip = clip > 0 ? clip : INFINITY,
    };
    QN_TRY(read_activations(call->node, kind, rnn.directions, f, call->err));
    QN_TRY(make_room(&rnn, kind->gates * rnn.hidden));
    for (int d = 0; d < rnn.directions; d++) {
        read_weights(&rnn, kind, d);
        memcpy(rnn.f, f + d * kind->activations, (size_t)kind->activations * sizeof *f);
        for (int64_t b = 0; b < rnn.batch; b++)
            QN_TRY(walk(&rnn, kind, step, d, b));
    }
    return QN_OK;
}
