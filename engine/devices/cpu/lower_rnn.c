/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LSTM, GRU and RNN in fp32 with ONNX's default activations.
 *
 *     gates = X W' + biases, for all steps at once;   for each step:  gates[t] += H R',  then cells
 *
 * The first product is large and shared among threads; each step's is a product of its own, with
 * the pointwise half of the cells (kernels/rnn.h) behind it.  A GRU's new gate is a product apart:
 * of the reset state, or of the state into a place of its own.  Items with lengths of their own are
 * walked one by one.
 */
#include <math.h>
#include <strings.h>

#include "base/checked.h"
#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/gemm_pack.h"
#include "engine/devices/cpu/kernels/product.h"
#include "engine/devices/cpu/kernels/rnn.h"
#include "engine/devices/cpu/spread.h"

enum { X = 0, W = 1, R = 2, B = 3, LENGTHS = 4, FIRST_H = 5, FIRST_C = 6, PEEPHOLES = 7, INPUTS };
enum { Y = 0, LAST_H = 1, LAST_C = 2, OUTPUTS };
enum { DIRECTIONS = 2 };

typedef struct Kind {
    const char *op;
    int gates, activations;
    const char *usual[3];
    int apart; /* gates of the second recurrent product */
} Kind;

static const Kind kinds[] = {
    {"GRU", 3, 2, {"Sigmoid", "Tanh", NULL}, 1},
    {"LSTM", 4, 3, {"Sigmoid", "Tanh", "Tanh"}, 0},
    {"RNN", 1, 1, {"Tanh", NULL, NULL}, 0},
};

/* Packed weights of one direction: of the input, and of the state for each of its products. */
enum { PANELS_W, PANELS_R, PANELS_APART, PANELS_COUNT };

typedef struct RnnData {
    const Kind *kind;
    QnIsa isa;
    const QnRnnVariant *variant;
    int directions;
    bool is_reverse, is_batch_first, is_linear_first, is_coupled;
    double clip;
    int64_t inputs, hidden;
    const float *panels[DIRECTIONS][PANELS_COUNT]; /* NULL: packed at run time */
    int64_t strides[PANELS_COUNT];
    size_t sizes[PANELS_COUNT];
} RnnData;

/* The columns of a packing, and where they begin among the gates. */
static int64_t columns_of(const RnnData *data, int panels, int64_t *first)
{
    const int64_t all = data->kind->gates * data->hidden, apart = data->kind->apart * data->hidden;
    *first = panels == PANELS_APART ? all - apart : 0;
    return panels == PANELS_W ? all : panels == PANELS_R ? all - apart : apart;
}

/* ---- packing ---- */

static void pack_panels(const RnnData *data, int panels, int direction, const QnTensor *weights,
                        float *to)
{
    int64_t first;
    const int64_t columns = columns_of(data, panels, &first);
    const int64_t inner = panels == PANELS_W ? data->inputs : data->hidden;
    const size_t at = (size_t)((direction * data->kind->gates * data->hidden + first) * inner);
    qn_pack_f32(to, data->strides[panels], 0, (const uint8_t *)weights->data + at * sizeof(float),
                1, inner, inner, columns);
}

static bool set_panel_sizes(RnnData *data)
{
    for (int i = 0; i < PANELS_COUNT; i++) {
        QnPanelsF32 panels = {0};
        int64_t first;
        const int64_t columns = columns_of(data, i, &first);
        if (columns &&
            !qn_pack_f32_size(&panels, i == PANELS_W ? data->inputs : data->hidden, columns))
            return false;
        data->strides[i] = panels.stride;
        data->sizes[i] = panels.size_bytes;
    }
    return true;
}

typedef struct Fill {
    const RnnData *data;
    int panels, direction;
    const QnTensor *weights;
} Fill;

static void fill_panels(void *to, void *user)
{
    const Fill *fill = user;
    pack_panels(fill->data, fill->panels, fill->direction, fill->weights, to);
}

static QnStatus make_rnn(const QnOffer *offer, QnMake *make, const void **out)
{
    static const char *const names[DIRECTIONS][PANELS_COUNT] = {
        {"rnn_f32:w:0", "rnn_f32:r:0", "rnn_f32:apart:0"},
        {"rnn_f32:w:1", "rnn_f32:r:1", "rnn_f32:apart:1"}};
    RnnData *data = offer->context;
    *out = data;
    for (int d = 0; d < data->directions; d++)
        for (int i = 0; i < PANELS_COUNT; i++) {
            const QnIrValue *value = offer->nodes[0]->inputs[i == PANELS_W ? W : R].value;
            if (!qn_cpu_is_constant(value) || data->sizes[i] == 0)
                continue;
            Fill fill = {data, i, d, value->constant};
            data->panels[d][i] = make->pack(make->user, value->constant, names[d][i],
                                            data->sizes[i], fill_panels, &fill);
            if (!data->panels[d][i])
                return qn_no_memory(make->err);
        }
    return QN_OK;
}

/* ---- binding ---- */

/* Where things lie in the scratch memory: bytes from its start. */
typedef struct Room {
    size_t gates;  /* [steps * batch, gates * hidden] */
    size_t bias;   /* [gates * hidden] */
    size_t hidden; /* [batch, hidden], as the two that follow */
    size_t cell;
    size_t aside; /* a GRU's reset state, or the product of its new gate */
    size_t panels[PANELS_COUNT];
    size_t total;
} Room;

typedef struct Params {
    int64_t steps, batch;
    Room room;
} Params;

/* Adds a part of so many floats; false where the sum does not fit. */
static bool add_room(Room *room, size_t *at, size_t count, size_t each)
{
    size_t bytes;
    *at = room->total;
    return qn_mul_size(&bytes, count, each) && qn_mul_size(&bytes, bytes, sizeof(float)) &&
           bytes < SIZE_MAX / 2 && qn_add_size(&room->total, room->total, qn_round_up(bytes, 64));
}

static bool set_room(const RnnData *data, int64_t steps, int64_t batch, Room *room)
{
    const size_t hidden = (size_t)data->hidden, all = hidden * (size_t)data->kind->gates;
    size_t rows;
    *room = (Room){0};
    bool fits = qn_mul_size(&rows, (size_t)steps, (size_t)batch) &&
                add_room(room, &room->gates, rows, all) && add_room(room, &room->bias, all, 1) &&
                add_room(room, &room->hidden, (size_t)batch, hidden) &&
                add_room(room, &room->cell, (size_t)batch, hidden) &&
                add_room(room, &room->aside, (size_t)batch, hidden);
    for (int i = 0; fits && i < PANELS_COUNT; i++)
        fits = add_room(room, &room->panels[i],
                        data->panels[0][i] ? 0 : data->sizes[i] / sizeof(float), 1);
    return fits;
}

/* The product of m rows with a packing, without its data. */
static QnProductF32 product_of(const RnnData *data, int panels, int64_t m)
{
    int64_t first;
    const int64_t inner = panels == PANELS_W ? data->inputs : data->hidden;
    return (QnProductF32){.isa = data->isa,
                          .m = m,
                          .n = columns_of(data, panels, &first),
                          .k = inner,
                          .a_step = inner,
                          .a_k_step = 1,
                          .b_is_packed = true,
                          .b_stride = data->strides[panels],
                          .c_step = data->kind->gates * data->hidden,
                          .c_column_step = 1,
                          .epilogue = {.alpha = 1},
                          .inner = {.count = 1},
                          .outer = {.count = 1}};
}

static QnStatus bind_rnn(const QnStep *step, QnBindCall *call)
{
    const RnnData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, X),
                   *lengths = qn_step_input(step, call->values, LENGTHS);
    Params *p = call->params;
    *p = (Params){.steps = x->dims[data->is_batch_first], .batch = x->dims[!data->is_batch_first]};
    if (x->dims[2] != data->inputs)
        return qn_fail(call->err, QN_BAD_TENSOR, "the input has %lld numbers a step, expected %lld",
                       (long long)x->dims[2], (long long)data->inputs);
    if (lengths && qn_tensor_count(lengths) != p->batch)
        return qn_fail(call->err, QN_BAD_TENSOR, "there are %lld sequence_lens, expected %lld",
                       (long long)qn_tensor_count(lengths), (long long)p->batch);
    if (!set_room(data, p->steps, p->batch, &p->room))
        return qn_fail(call->err, QN_NO_MEMORY, "the gates have a size that no memory holds");
    call->scratch_bytes = p->room.total;
    const int64_t rows[PANELS_COUNT] = {p->steps * p->batch, p->batch, p->batch};
    for (int i = 0; i < PANELS_COUNT; i++) {
        const QnProductF32 product = product_of(data, i, rows[i]);
        const size_t needed = qn_product_f32_scratch(&product);
        if (needed > call->member_scratch_bytes)
            call->member_scratch_bytes = needed;
    }
    return QN_OK;
}

/* ---- running ---- */

/* One direction of some items while it computes. */
typedef struct Layer {
    const RnnData *data;
    const Params *p;
    QnRunCall *call;
    int direction;
    int64_t first, items;                        /* the items at hand */
    float *gates, *bias, *hidden, *cell, *aside; /* in the scratch memory, of all items */
    const float *panels[PANELS_COUNT];
    const float *peepholes; /* [3 * hidden], or NULL */
    const QnTensor *y;
} Layer;

typedef struct ProductWork {
    const QnProductF32 *product;
    const QnRunCall *call;
} ProductWork;

static void run_chunk(void *user, int64_t chunk, int member)
{
    const ProductWork *work = user;
    qn_product_f32_run(work->product, chunk, qn_cpu_member_scratch(work->call, member));
}

static void run_product(const QnRunCall *call, const QnProductF32 *product)
{
    ProductWork work = {product, call};
    const double cost = 0.02 * (double)product->m * (double)product->n * (double)product->k;
    qn_gang_for(call->gang, qn_product_f32_chunks(product), (int64_t)cost, run_chunk, &work);
}

/* A row of gates: item b at a time. */
static float *gate_row(const Layer *layer, int64_t time, int64_t b)
{
    const int64_t row =
        layer->data->is_batch_first ? b * layer->p->steps + time : time * layer->p->batch + b;
    return layer->gates + row * layer->data->kind->gates * layer->data->hidden;
}

/* Where a state of item b lies in a tensor of the first or last states. */
static int64_t state_at(const Layer *layer, int64_t b)
{
    const int64_t d = layer->direction;
    return (layer->data->is_batch_first ? b * layer->data->directions + d
                                        : d * layer->p->batch + b) *
           layer->data->hidden;
}

static float *y_row(const Layer *layer, int64_t time, int64_t b)
{
    const Params *p = layer->p;
    const int64_t directions = layer->data->directions, d = layer->direction;
    const int64_t row = layer->data->is_batch_first ? (b * p->steps + time) * directions + d
                                                    : (time * directions + d) * p->batch + b;
    return (float *)layer->y->data + row * layer->data->hidden;
}

/* Adds the product of `state` with the weights to the gates at a time, or puts it aside. */
static void add_product(const Layer *layer, int panels, int64_t time, const float *state,
                        bool is_aside)
{
    const RnnData *data = layer->data;
    const int64_t all = data->kind->gates * data->hidden;
    int64_t first;
    QnProductF32 product = product_of(data, panels, layer->items);
    columns_of(data, panels, &first);
    product.a = state + layer->first * data->hidden;
    product.b = layer->panels[panels];
    if (is_aside) {
        product.c = layer->aside + layer->first * data->hidden;
        product.c_step = data->hidden;
    } else {
        product.c = gate_row(layer, time, layer->first) + first;
        product.c_step = all * (data->is_batch_first ? layer->p->steps : 1);
        product.epilogue.residual = product.c;
        product.epilogue.residual_step = product.c_step;
        product.epilogue.residual_column_step = 1;
        product.epilogue.beta = 1;
    }
    run_product(layer->call, &product);
}

/* The cells of a step: items [begin, end) of those at hand. */
typedef struct CellWork {
    const Layer *layer;
    int64_t time;
    const float *new_bias; /* of a GRU's new gate, where its product was put aside */
} CellWork;

static void run_lstm(const void *user, int64_t begin, int64_t end, int member)
{
    const CellWork *work = user;
    const Layer *layer = work->layer;
    const RnnData *data = layer->data;
    const int64_t n = data->hidden;
    (void)member;
    for (int64_t b = layer->first + begin; b < layer->first + end; b++) {
        const float *g = gate_row(layer, work->time, b), *peep = layer->peepholes;
        const QnLstmCell cell = {.count = n,
                                 .i = g,
                                 .o = g + n,
                                 .f = g + 2 * n,
                                 .c = g + 3 * n,
                                 .peep_i = peep,
                                 .peep_o = peep ? peep + n : NULL,
                                 .peep_f = peep ? peep + 2 * n : NULL,
                                 .cell_before = layer->cell + b * n,
                                 .cell = layer->cell + b * n,
                                 .hidden = layer->hidden + b * n,
                                 .clip = data->clip,
                                 .is_coupled = data->is_coupled};
        qn_lstm_run(data->variant, &cell);
    }
}

static QnGruCell gru_cell(const CellWork *work, int64_t b)
{
    const Layer *layer = work->layer;
    const int64_t n = layer->data->hidden;
    const float *g = gate_row(layer, work->time, b);
    return (QnGruCell){.count = n,
                       .z = g,
                       .r = g + n,
                       .n = g + 2 * n,
                       .hidden_before = layer->hidden + b * n,
                       .reset = layer->aside + b * n,
                       .hidden = layer->hidden + b * n,
                       .clip = layer->data->clip};
}

static void run_gru_reset(const void *user, int64_t begin, int64_t end, int member)
{
    const CellWork *work = user;
    (void)member;
    for (int64_t b = work->layer->first + begin; b < work->layer->first + end; b++) {
        const QnGruCell cell = gru_cell(work, b);
        qn_gru_run_reset(work->layer->data->variant, &cell);
    }
}

static void run_gru_state(const void *user, int64_t begin, int64_t end, int member)
{
    const CellWork *work = user;
    const Layer *layer = work->layer;
    const int64_t n = layer->data->hidden;
    (void)member;
    for (int64_t b = layer->first + begin; b < layer->first + end; b++) {
        QnGruCell cell = gru_cell(work, b);
        if (layer->data->is_linear_first) {
            float *m = layer->aside + b * n;
            for (int64_t k = 0; k < n && work->new_bias; k++)
                m[k] += work->new_bias[k];
            cell.m = m;
        }
        qn_gru_run_state(layer->data->variant, &cell);
    }
}

static void run_plain(const void *user, int64_t begin, int64_t end, int member)
{
    const CellWork *work = user;
    const Layer *layer = work->layer;
    const int64_t n = layer->data->hidden;
    const float clip = layer->data->clip > 0 ? (float)layer->data->clip : INFINITY;
    (void)member;
    for (int64_t b = layer->first + begin; b < layer->first + end; b++) {
        float *g = gate_row(layer, work->time, b);
        for (int64_t k = 0; k < n; k++)
            g[k] = g[k] > clip ? clip : g[k] < -clip ? -clip : g[k];
        qn_activate_f32_pick(layer->data->isa)(layer->hidden + b * n, g, n, QN_ACTIVATION_TANH, 0,
                                               0);
    }
}

static void run_cells(const Layer *layer, QnCpuUnitsFn *run, const CellWork *work)
{
    qn_cpu_spread(layer->call, layer->items, 3 * (double)layer->data->hidden, run, work);
}

static void run_time(const Layer *layer, int64_t time, const float *new_bias)
{
    const RnnData *data = layer->data;
    const CellWork work = {layer, time, new_bias};
    add_product(layer, PANELS_R, time, layer->hidden, false);
    if (data->kind->apart) {
        if (!data->is_linear_first)
            run_cells(layer, run_gru_reset, &work);
        add_product(layer, PANELS_APART, time, data->is_linear_first ? layer->hidden : layer->aside,
                    data->is_linear_first);
        run_cells(layer, run_gru_state, &work);
    } else {
        run_cells(layer, data->kind->gates == 1 ? run_plain : run_lstm, &work);
    }
    for (int64_t b = layer->first; layer->y && b < layer->first + layer->items; b++)
        memcpy(y_row(layer, time, b), layer->hidden + b * data->hidden,
               (size_t)data->hidden * sizeof(float));
}

/* The steps of the items at hand, whose length is one and the same; those behind it are zero. */
static QnStatus run_items(const Layer *layer, int64_t length, const float *new_bias)
{
    const bool is_reverse = layer->direction == 1 || layer->data->is_reverse;
    for (int64_t t = 0; t < length; t++) {
        if (layer->call->is_cancelled(layer->call->session))
            return qn_fail(layer->call->err, QN_CANCELLED, "cancelled or past its deadline");
        run_time(layer, is_reverse ? length - 1 - t : t, new_bias);
    }
    for (int64_t t = length; layer->y && t < layer->p->steps; t++)
        for (int64_t b = layer->first; b < layer->first + layer->items; b++)
            memset(y_row(layer, t, b), 0, (size_t)layer->data->hidden * sizeof(float));
    return QN_OK;
}

/* W's and R's biases together, but for what a GRU adds inside of its reset. */
static void sum_biases(const Layer *layer, const QnTensor *b)
{
    const RnnData *data = layer->data;
    const int64_t all = data->kind->gates * data->hidden;
    const int64_t joint = data->is_linear_first ? all - data->hidden : all;
    const float *from = b ? (const float *)b->data + 2 * all * layer->direction : NULL;
    for (int64_t i = 0; i < all; i++)
        layer->bias[i] = !from ? 0 : from[i] + (i < joint ? from[all + i] : 0);
}

static void run_inputs(const Layer *layer, const QnTensor *x)
{
    QnProductF32 product = product_of(layer->data, PANELS_W, layer->p->steps * layer->p->batch);
    product.a = x->data;
    product.b = layer->panels[PANELS_W];
    product.c = layer->gates;
    product.epilogue.bias = layer->bias;
    run_product(layer->call, &product);
}

static void move_states(const Layer *layer, const QnTensor *tensor, float *states, bool is_first)
{
    const size_t size = (size_t)layer->data->hidden * sizeof(float);
    for (int64_t b = 0; b < layer->p->batch; b++) {
        float *state = states + b * layer->data->hidden;
        float *at = tensor ? (float *)tensor->data + state_at(layer, b) : NULL;
        if (is_first && at)
            memcpy(state, at, size);
        else if (is_first)
            memset(state, 0, size);
        else if (at)
            memcpy(at, state, size);
    }
}

static void set_panels(const QnStep *step, Layer *layer)
{
    const RnnData *data = layer->data;
    for (int i = 0; i < PANELS_COUNT; i++) {
        layer->panels[i] = data->panels[layer->direction][i];
        if (layer->panels[i] || data->sizes[i] == 0)
            continue;
        float *to = (float *)(void *)((uint8_t *)layer->call->scratch + layer->p->room.panels[i]);
        pack_panels(data, i, layer->direction,
                    qn_step_input(step, layer->call->values, i == PANELS_W ? W : R), to);
        layer->panels[i] = to;
    }
}

static QnStatus run_direction(const QnStep *step, Layer *layer)
{
    const QnValue *values = layer->call->values;
    const RnnData *data = layer->data;
    const QnTensor *lengths = qn_step_input(step, values, LENGTHS),
                   *b = qn_step_input(step, values, B),
                   *peepholes = qn_step_input(step, values, PEEPHOLES);
    const int64_t all = data->kind->gates * data->hidden, n = data->hidden;
    const float *biases = b ? (const float *)b->data + 2 * all * layer->direction : NULL;
    const float *new_bias = biases && data->is_linear_first ? biases + 2 * all - n : NULL;
    layer->peepholes = peepholes ? (const float *)peepholes->data + 3 * n * layer->direction : NULL;
    set_panels(step, layer);
    sum_biases(layer, b);
    run_inputs(layer, qn_step_input(step, values, X));
    move_states(layer, qn_step_input(step, values, FIRST_H), layer->hidden, true);
    move_states(layer, qn_step_input(step, values, FIRST_C), layer->cell, true);
    layer->items = lengths ? 1 : layer->p->batch;
    for (layer->first = 0; layer->first < layer->p->batch; layer->first += layer->items) {
        const int64_t length = lengths ? qn_tensor_get_int(lengths, layer->first) : layer->p->steps;
        if (length < 0 || length > layer->p->steps)
            return qn_fail(layer->call->err, QN_BAD_TENSOR,
                           "sequence_lens[%lld] is %lld, expected 0 to %lld",
                           (long long)layer->first, (long long)length, (long long)layer->p->steps);
        QN_TRY(run_items(layer, length, new_bias));
    }
    move_states(layer, qn_step_output(step, values, LAST_H), layer->hidden, false);
    move_states(layer, qn_step_output(step, values, LAST_C), layer->cell, false);
    return QN_OK;
}

static QnStatus run_rnn(const QnStep *step, const void *params, QnRunCall *call)
{
    const RnnData *data = step->data;
    const Params *p = params;
    uint8_t *scratch = call->scratch;
    for (int d = 0; d < data->directions; d++) {
        Layer layer = {.data = data,
                       .p = p,
                       .call = call,
                       .direction = d,
                       .gates = (float *)(void *)(scratch + p->room.gates),
                       .bias = (float *)(void *)(scratch + p->room.bias),
                       .hidden = (float *)(void *)(scratch + p->room.hidden),
                       .cell = (float *)(void *)(scratch + p->room.cell),
                       .aside = (float *)(void *)(scratch + p->room.aside),
                       .y = qn_step_output(step, call->values, Y)};
        QN_TRY(run_direction(step, &layer));
    }
    for (int i = 0; i < OUTPUTS; i++)
        if (qn_step_output(step, call->values, i))
            qn_cpu_fault(data->kind->op, qn_step_output(step, call->values, i));
    return QN_OK;
}

/* The products alone: what the cells add is little beside them. */
static double count_operations(const QnStep *step, const void *params)
{
    const RnnData *data = step->data;
    const Params *p = params;
    return 2 * (double)data->directions * (double)p->steps * (double)p->batch *
           (double)data->kind->gates * (double)data->hidden * (double)(data->inputs + data->hidden);
}

static const QnStepCode code = {.name = "rnn",
                                .params_size = (sizeof(Params) + 7) / 8 * 8,
                                .bind = bind_rnn,
                                .run = run_rnn,
                                .operations = count_operations};

/* ---- offering ---- */

static const Kind *find_kind(const QnNode *node)
{
    for (size_t i = 0; i < QN_COUNT_OF(kinds) && !*node->domain; i++)
        if (!strcmp(kinds[i].op, node->op))
            return &kinds[i];
    return NULL;
}

/* The kernels know the usual activations only. */
static bool has_usual_activations(const QnNode *node, const Kind *kind)
{
    const QnAttribute *names = qn_node_attribute(node, "activations");
    for (int i = 0; names && i < names->count; i++) {
        const char *usual = kind->usual[i % kind->activations];
        const QnString name = names->strings[i];
        if (name.size != strlen(usual) || strncasecmp(name.data, usual, name.size) != 0)
            return false;
    }
    return true;
}

/* All floats; weights of known sizes. */
static bool has_known_inputs(const QnNode *node)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].value && i != LENGTHS &&
            node->inputs[i].value->type.element != QN_FLOAT)
            return false;
    const QnIrValue *w = qn_node_input(node, W), *r = qn_node_input(node, R);
    for (int d = 0; d < 3; d++)
        if (!w || !r || w->type.shape.dims[d] <= 0 || r->type.shape.dims[d] <= 0)
            return false;
    return true;
}

static void read_attributes(const QnNode *node, RnnData *data)
{
    data->directions = qn_op_string_is(node, "direction", "bidirectional") ? 2 : 1;
    data->is_reverse = qn_op_string_is(node, "direction", "reverse");
    data->is_batch_first = qn_op_int(node, "layout") != 0;
    data->clip = qn_op_float(node, "clip");
    data->is_linear_first = data->kind->apart && qn_op_int(node, "linear_before_reset");
    data->is_coupled = data->kind->gates == 4 && qn_op_int(node, "input_forget");
    data->inputs = node->inputs[W].value->type.shape.dims[2];
    data->hidden = node->inputs[R].value->type.shape.dims[2];
}

QnStatus qn_cpu_lower_rnn(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const Kind *kind = find_kind(node);
    RnnData *data;
    if (!kind || !has_known_inputs(node) || !has_usual_activations(node, kind))
        return QN_OK;
    QN_ALLOC(data, call->arena, 1);
    data->kind = kind;
    data->isa = qn_cpu_of(call)->isa;
    data->variant = qn_rnn_pick(QN_FLOAT, data->isa);
    read_attributes(node, data);
    if (!set_panel_sizes(data))
        return QN_OK;
    const QnShape *x = &node->inputs[X].value->type.shape;
    const double rows = qn_cpu_size(call, x->dims[0]) * qn_cpu_size(call, x->dims[1]);
    const double inner = (double)(data->inputs + data->hidden);
    QnOffer offer = {
        .code = &code,
        .kernel = data->variant->name,
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .input_count = INPUTS,
        .context = data,
        .make = make_rnn,
        .cost =
            1000 + rows * data->directions * (double)(kind->gates * data->hidden) * inner * 0.05,
    };
    for (int i = 0; i < INPUTS; i++) {
        offer.inputs[i] = qn_node_input(node, i);
        offer.accepts[i] = QN_ACCEPT_PLAIN;
        if ((i == W || i == R) && qn_cpu_is_constant(offer.inputs[i]))
            offer.inputs[i] = NULL;
    }
    for (int i = 0; i < OUTPUTS; i++)
        offer.outputs[i] = qn_node_output(node, i);
    call->offer(call, &offer);
    return QN_OK;
}
