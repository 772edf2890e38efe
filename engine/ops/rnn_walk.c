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

/* Inputs of a quantized kind: of W, then of R; [directions] or [directions, gates * hidden]. */
enum { W_SCALE = 8, W_ZERO = 9, R_SCALE = 10, R_ZERO = 11 };

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

/* Scales and zero points of a quantized kind: one for each direction, or for each row. */
static QnStatus check_scales(const QnInfer *in, QnDim rows, int directions)
{
    for (int i = W_SCALE; i <= R_ZERO; i++) {
        const QnShape *shape = qn_infer_shape(in, i);
        if (shape)
            QN_TRY(want_shape(in, i, shape->rank == 1 ? 1 : 2, (const QnDim[]){directions, rows}));
    }
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
    if (kind->is_quantized) {
        QN_TRY(want_shape(in, 1, 3, (const QnDim[]){directions, x->dims[2], rows}));
        QN_TRY(want_shape(in, 2, 3, (const QnDim[]){directions, hidden, rows}));
        QN_TRY(check_scales(in, rows, directions));
    } else {
        QN_TRY(want_shape(in, 1, 3, (const QnDim[]){directions, rows, x->dims[2]}));
        QN_TRY(want_shape(in, 2, 3, (const QnDim[]){directions, rows, hidden}));
    }
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
    const QnDim hidden = r ? r->dims[kind->is_quantized ? 1 : 2] : qn_infer_fresh(in);
    const int64_t declared = qn_op_int(in->node, "hidden_size");
    if (declared && qn_dim_is_known(hidden) && declared != hidden)
        return qn_infer_fail(in, "hidden_size is %lld, but R is of %lld", (long long)declared,
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
    QN_ALLOC(rnn->states, arena, rnn->batch * rnn->hidden);
    QN_ALLOC(rnn->cells, arena, rnn->batch * rnn->hidden);
    QN_ALLOC(rnn->rounded, arena, rnn->batch * rnn->hidden);
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

/* The integers of direction d, which lie transposed, as real numbers. */
static void read_quantized(const QnCall *call, int input, int scale_input, int64_t first,
                           int64_t rows, int64_t inner, int d, double *to)
{
    const QnTensor *weights = qn_call_input(call, input), *scale = qn_call_input(call, scale_input),
                   *zero = qn_call_input(call, scale_input + 1);
    for (int64_t k = 0; k < rows; k++) {
        const double factor = qn_tensor_get(scale, scale->rank == 1 ? d : d * rows + k);
        const double offset = qn_tensor_get(zero, zero->rank == 1 ? d : d * rows + k);
        qn_tensor_read_row(weights, first + k, rows, inner, to + k * inner);
        for (int64_t j = 0; j < inner; j++)
            to[k * inner + j] = (to[k * inner + j] - offset) * factor;
    }
}

static void read_weights(QnRnn *rnn, const QnRnnKind *kind, int d)
{
    const int64_t rows = kind->gates * rnn->hidden;
    const int64_t first_w = d * rows * rnn->inputs, first_r = d * rows * rnn->hidden;
    if (kind->is_quantized) {
        read_quantized(rnn->call, 1, W_SCALE, first_w, rows, rnn->inputs, d, rnn->w);
        read_quantized(rnn->call, 2, R_SCALE, first_r, rows, rnn->hidden, d, rnn->r);
    } else {
        read_part(rnn->call, 1, first_w, rows * rnn->inputs, rnn->w);
        read_part(rnn->call, 2, first_r, rows * rnn->hidden, rnn->r);
    }
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

static void start_items(QnRnn *rnn, const QnRnnKind *kind, int d)
{
    const size_t size = (size_t)(rnn->batch * rnn->hidden) * sizeof(double);
    memset(rnn->states, 0, size);
    memset(rnn->cells, 0, size);
    for (int64_t b = 0; b < rnn->batch; b++) {
        const int64_t at = state_at(rnn, d, b), to = b * rnn->hidden;
        read_part(rnn->call, kind->h_input, at, rnn->hidden, rnn->states + to);
        read_part(rnn->call, kind->c_input, at, rnn->hidden, rnn->cells + to);
    }
}

static void choose_item(QnRnn *rnn, int64_t b)
{
    rnn->h = rnn->states + b * rnn->hidden;
    rnn->c = rnn->cells + b * rnn->hidden;
}

/* How long item b is; what it says was checked. */
static int64_t length_of(const QnRnn *rnn, int64_t b)
{
    const QnTensor *lengths = qn_call_input(rnn->call, 4);
    return lengths ? qn_tensor_get_int(lengths, b) : rnn->steps;
}

static QnStatus check_lengths(const QnRnn *rnn)
{
    for (int64_t b = 0; b < rnn->batch; b++) {
        const int64_t length = length_of(rnn, b);
        if (length < 0 || length > rnn->steps)
            return qn_call_fail(rnn->call, "sequence_lens[%lld] is %lld, expected 0 to %lld",
                                (long long)b, (long long)length, (long long)rnn->steps);
    }
    return QN_OK;
}

/* The last states, and zeros in Y for what is past an item's length. */
static void finish_item(QnRnn *rnn, int d, int64_t b)
{
    choose_item(rnn, b);
    if (qn_call_wants(rnn->call, 1))
        qn_tensor_write_row(qn_call_result(rnn->call, 1), state_at(rnn, d, b), 1, rnn->hidden,
                            rnn->h);
    if (qn_call_wants(rnn->call, 2))
        qn_tensor_write_row(qn_call_result(rnn->call, 2), state_at(rnn, d, b), 1, rnn->hidden,
                            rnn->c);
    memset(rnn->h, 0, (size_t)rnn->hidden * sizeof *rnn->h);
    for (int64_t time = length_of(rnn, b); time < rnn->steps; time++)
        write_y(rnn, d, b, time, rnn->h);
}

static void round_row(double *to, const double *from, int64_t count, const QnByteGrid *grid)
{
    for (int64_t i = 0; i < count; i++)
        to[i] = qn_byte_grid_round(grid, from[i]);
}

/* The states of all items that have a step t, rounded to one grid. */
static const double *round_states(QnRnn *rnn, int64_t t)
{
    QnByteGrid grid = {0};
    for (int64_t b = 0; b < rnn->batch; b++)
        for (int64_t k = 0; k < rnn->hidden && t < length_of(rnn, b); k++)
            qn_byte_grid_widen(&grid, rnn->states[b * rnn->hidden + k]);
    qn_byte_grid_settle(&grid);
    round_row(rnn->rounded, rnn->states, rnn->batch * rnn->hidden, &grid);
    return rnn->rounded;
}

/* One grid for all of X. */
static void read_grid(QnRnn *rnn)
{
    const QnTensor *x = qn_call_input(rnn->call, 0);
    for (int64_t i = 0; i < qn_tensor_count(x); i++)
        qn_byte_grid_widen(&rnn->grid, qn_tensor_get(x, i));
    qn_byte_grid_settle(&rnn->grid);
}

/* One direction.  All items go through a step before the next:
 * quantized kinds round their states together. */
static QnStatus walk(QnRnn *rnn, const QnRnnKind *kind, QnRnnStep *step, int d)
{
    const int64_t rows = kind->gates * rnn->hidden;
    const bool is_reverse = d == 1 || qn_op_string_is(rnn->call->node, "direction", "reverse");
    start_items(rnn, kind, d);
    for (int64_t t = 0; t < rnn->steps; t++) {
        const double *states = rnn->states;
        if (kind->is_quantized)
            states = round_states(rnn, t);
        for (int64_t b = 0; b < rnn->batch; b++) {
            const int64_t length = length_of(rnn, b), time = is_reverse ? length - 1 - t : t;
            const int64_t at = rnn->is_batch_first ? b * rnn->steps + time : time * rnn->batch + b;
            if (t >= length)
                continue;
            QN_TRY(qn_call_poll(rnn->call));
            choose_item(rnn, b);
            read_part(rnn->call, 0, at * rnn->inputs, rnn->inputs, rnn->x);
            if (kind->is_quantized)
                round_row(rnn->x, rnn->x, rnn->inputs, &rnn->grid);
            qn_rnn_product(rnn->from_x, rnn->w, rnn->w_bias, rnn->x, rows, rnn->inputs);
            qn_rnn_product(rnn->from_h, rnn->r, rnn->r_bias, states + b * rnn->hidden, rows,
                           rnn->hidden);
            step(rnn);
            write_y(rnn, d, b, time, rnn->h);
        }
    }
    for (int64_t b = 0; b < rnn->batch; b++)
        finish_item(rnn, d, b);
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
        .hidden = r->dims[kind->is_quantized ? 1 : 2],
        .directions = count_directions(call->node),
        .is_batch_first = is_batch_first,
        .clip = clip > 0 ? clip : INFINITY,
    };
    QN_TRY(read_activations(call->node, kind, rnn.directions, f, call->err));
    QN_TRY(make_room(&rnn, kind->gates * rnn.hidden));
    QN_TRY(check_lengths(&rnn));
    if (kind->is_quantized)
        read_grid(&rnn);
    for (int d = 0; d < rnn.directions; d++) {
        read_weights(&rnn, kind, d);
        memcpy(rnn.f, f + d * kind->activations, (size_t)kind->activations * sizeof *f);
        QN_TRY(walk(&rnn, kind, step, d));
    }
    return QN_OK;
}
