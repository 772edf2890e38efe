/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolutions of bytes: QLinearConv, and ConvInteger alone or with the Cast, Mul and Add that make
 * its sums real (terms_i8.h).  Results are channels last.  Constant weights are packed when the
 * plan is made, computed ones at every run.
 */
#include "base/checked.h"
#include "engine/devices/cpu/kernels/depthwise_i8.h"
#include "engine/devices/cpu/spread.h"
#include "engine/devices/cpu/terms_i8.h"
#include "engine/ops/window.h"

static const QnCpuTermsForm forms[] = {
    {"ConvInteger", "", {0, 1, 2, 3, -1, -1, -1, -1, -1, -1}},
    {"QLinearConv", "", {0, 3, 2, 5, 8, 1, 4, 6, 7, -1}},
};

/* A way to compute a convolution: its kernel, which is also the name of its packing. */
typedef struct Way {
    const char *name;
    double cost;     /* nanoseconds per multiply-add on one thread */
    bool wants_move; /* of signed bytes to unsigned ones */
    bool (*packed_size)(size_t *bytes, const QnConv *conv);
    void (*pack)(void *packed, const QnConv *conv, bool is_unsigned, const void *w);
    int64_t (*chunks)(const QnConvI8 *conv);
    size_t (*scratch)(const QnConvI8 *conv);
    void (*run)(const QnConvI8 *conv, int64_t chunk, void *scratch);
} Way;

#define CONV_FUNCTIONS(name) \
    name##_packed_size, name##_pack, name##_chunks, name##_scratch, name##_run

static const Way product = {"conv_i8", 0.003, true, CONV_FUNCTIONS(qn_conv_i8)};
static const Way depthwise = {"depthwise_i8", 0.02, false, CONV_FUNCTIONS(qn_depthwise_i8)};

#undef CONV_FUNCTIONS

/* What a step keeps. */
typedef struct ConvData {
    const Way *way;
    QnConv conv;
    QnWindow window;
    QnIsa isa;
    QnTermsI8 terms; /* signs and what results are; no pointers */
    size_t packed_bytes;
    const void *weights; /* packed; NULL: they are an input */
    double element_cost; /* nanoseconds per output element on one thread */
} ConvData;

typedef struct Context {
    ConvData data;
    const QnTensor *weight; /* NULL: computed */
} Context;

/* ---- binding and running ---- */

static QnStatus set_sizes(const ConvData *data, const QnTensor *x, const QnTensor *y,
                          QnConvI8 *conv, QnError *err)
{
    if (x->dims[1] != data->conv.in_channels)
        return qn_fail(err, QN_BAD_TENSOR, "the input has %lld channels, expected %lld",
                       (long long)x->dims[1], (long long)data->conv.in_channels);
    for (int d = 0; d < data->conv.axes; d++) {
        int64_t end;
        conv->in[d] = x->dims[d + 2];
        conv->out[d] = y->dims[d + 2];
        qn_window_pads(&data->window, d, conv->in[d], conv->out[d], &conv->pad[d], &end);
        if (qn_window_size(&data->window, d, conv->in[d]) != conv->out[d])
            return qn_fail(err, QN_BAD_TENSOR,
                           "the kernel does not fit into %lld elements along dimension %d",
                           (long long)conv->in[d], d + 2);
    }
    return QN_OK;
}

static void set_steps(const QnTensor *x, const QnTensor *y, int axes, QnConvI8 *conv)
{
    const int64_t size = qn_scale_size(conv->terms.to);
    conv->x_image_step = x->strides[0];
    conv->x_channel_step = x->strides[1];
    conv->x_pitch = x->strides[axes + 1];
    conv->y_image_step = y->strides[0] / size;
    for (int d = 0; d < axes; d++) {
        conv->x_step[d] = x->strides[d + 2];
        conv->y_step[d] = y->strides[d + 2] / size;
    }
}

/* Where the weights are packed at run time, behind the terms. */
static size_t weights_at(const ConvData *data)
{
    return qn_cpu_terms_room(data->conv.out_channels);
}

/* Where the input is moved to, behind the weights. */
static size_t moved_at(const ConvData *data)
{
    return weights_at(data) + (data->weights ? 0 : qn_round_up(data->packed_bytes, 64));
}

/* The bytes from the first pixel to the end of the last, with what lies between them. */
static int64_t span_of(const QnTensor *x)
{
    int64_t bytes = x->strides[x->rank - 1];
    for (int d = 0; d < x->rank; d++)
        if (d != 1)
            bytes += (x->dims[d] - 1) * x->strides[d];
    return qn_tensor_count(x) ? bytes : 0;
}

static bool is_moved(const ConvData *data)
{
    return data->terms.a_is_signed && data->way->wants_move;
}

static QnStatus bind_conv(const QnStep *step, QnBindCall *call)
{
    const ConvData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, QN_TERM_A),
                   *bias = qn_step_input(step, call->values, QN_TERM_SUMMAND),
                   *y = qn_step_output(step, call->values, 0);
    const int64_t channels = data->conv.out_channels;
    QnConvI8 *conv = call->params;
    *conv = (QnConvI8){.isa = data->isa,
                       .conv = data->conv,
                       .images = x->dims[0],
                       .weights = data->weights,
                       .terms = data->terms};
    QN_TRY(set_sizes(data, x, y, conv, call->err));
    QN_TRY(qn_cpu_terms_check(step, call, channels));
    if (bias && qn_tensor_count(bias) != channels)
        return qn_fail(call->err, QN_BAD_TENSOR, "the bias has %lld elements, expected %lld",
                       (long long)qn_tensor_count(bias), (long long)channels);
    set_steps(x, y, data->conv.axes, conv);
    call->scratch_bytes = moved_at(data) + (is_moved(data) ? (size_t)span_of(x) : 0);
    call->member_scratch_bytes = data->way->scratch(conv);
    return QN_OK;
}

typedef struct Work {
    const Way *way;
    const QnConvI8 *conv;
    uint8_t *scratch;
    size_t stride;
} Work;

static void run_chunk(void *user, int64_t chunk, int member)
{
    const Work *work = user;
    work->way->run(work->conv, chunk, work->scratch + (size_t)member * work->stride);
}

enum { MOVE_BYTES = 4096 }; /* at a time */

typedef struct Move {
    const uint8_t *from;
    uint8_t *to;
    int64_t size_bytes;
} Move;

static void run_move(const void *user, int64_t begin, int64_t end, int member)
{
    const Move *move = user;
    const int64_t first = begin * MOVE_BYTES;
    (void)member;
    qn_move_i8(move->to + first, move->from + first,
               qn_min_i64(end * MOVE_BYTES, move->size_bytes) - first);
}

/* The input as unsigned bytes. */
static const uint8_t *move_input(const ConvData *data, const QnTensor *x, const QnRunCall *call)
{
    const Move move = {x->data, (uint8_t *)call->scratch + moved_at(data), span_of(x)};
    qn_cpu_spread(call, qn_ceil_div(move.size_bytes, MOVE_BYTES), 200, run_move, &move);
    return move.to;
}

static QnStatus run_conv(const QnStep *step, const void *params, QnRunCall *call)
{
    const ConvData *data = step->data;
    QnConvI8 conv = *(const QnConvI8 *)params;
    const QnTensor *x = qn_step_input(step, call->values, QN_TERM_A),
                   *bias = qn_step_input(step, call->values, QN_TERM_SUMMAND),
                   *weights = qn_step_input(step, call->values, QN_TERM_B),
                   *y = qn_step_output(step, call->values, 0);
    conv.x = is_moved(data) ? move_input(data, x, call) : x->data;
    conv.y = y->data;
    qn_cpu_terms_read(&conv.terms, step, call, call->scratch, data->conv.out_channels, 1);
    if (bias) {
        conv.terms.bias = bias->data;
        conv.terms.bias_step = 1;
    }
    if (weights) {
        void *packed = (char *)call->scratch + weights_at(data);
        data->way->pack(packed, &data->conv, data->terms.b_is_unsigned, weights->data);
        conv.weights = packed;
    }
    Work work = {data->way, &conv, call->member_scratch, call->member_stride};
    const double cost = (double)qn_tensor_count(y) * data->element_cost;
    qn_gang_for(call->gang, data->way->chunks(&conv), (int64_t)cost, run_chunk, &work);
    qn_cpu_fault(data->way->name, y);
    return QN_OK;
}

static const QnStepCode code = {
    .name = "qconv", .params_size = sizeof(QnConvI8), .bind = bind_conv, .run = run_conv};

/* ---- making ---- */

static void fill_weights(void *to, void *user)
{
    const Context *context = user;
    const ConvData *data = &context->data;
    data->way->pack(to, &data->conv, data->terms.b_is_unsigned, context->weight->data);
}

static QnStatus make_conv(const QnOffer *offer, QnMake *make, const void **out)
{
    Context *context = offer->context;
    ConvData *data = &context->data;
    *out = data;
    if (!data->way->packed_size(&data->packed_bytes, &data->conv))
        return qn_fail(make->err, QN_BAD_MODEL,
                       "the packed weights have a size that no memory holds");
    if (!context->weight)
        return QN_OK;
    data->weights = make->pack(make->user, context->weight, data->way->name, data->packed_bytes,
                               fill_weights, context);
    return data->weights ? QN_OK : qn_no_memory(make->err);
}

/* ---- offering ---- */

/* The geometry, where the weight's dims are all known and none is 0. */
static bool read_geometry(const QnNode *node, const QnIrValue *x, const QnIrValue *w,
                          ConvData *data)
{
    const QnShape *shape = &w->type.shape;
    const int axes = shape->rank - 2;
    const int64_t groups = qn_op_int(node, "group");
    if (axes < 1 || axes > QN_CONV_MAX_AXES || x->type.shape.rank != axes + 2)
        return false;
    for (int d = 0; d < shape->rank; d++)
        if (!qn_dim_is_known(shape->dims[d]) || shape->dims[d] == 0)
            return false;
    if (qn_window_read(&data->window, node, axes, shape->dims + 2, NULL) != QN_OK)
        return false;
    data->conv = (QnConv){.axes = axes,
                          .groups = groups,
                          .in_channels = shape->dims[1] * groups,
                          .out_channels = shape->dims[0]};
    for (int d = 0; d < axes; d++) {
        data->conv.kernel[d] = data->window.kernel[d];
        data->conv.stride[d] = data->window.stride[d];
        data->conv.dilation[d] = data->window.dilation[d];
    }
    return true;
}

static double macs_per_element(const QnConv *conv)
{
    double macs = (double)conv->in_channels / (double)conv->groups;
    for (int d = 0; d < conv->axes; d++)
        macs *= (double)conv->kernel[d];
    return macs;
}

QnStatus qn_cpu_lower_qconv(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const QnCpuTermsForm *form = qn_cpu_terms_form(node, forms, QN_COUNT_OF(forms));
    Context read = {.data = {.isa = qn_cpu_of(call)->isa}}, *context;
    ConvData *data = &read.data;
    QnOffer offer = {
        .code = &code,
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .outputs = {node->outputs[0]},
        .layouts = {QN_LAYOUT_NHWC},
        .make = make_conv,
    };
    if (!form || !qn_cpu_terms_read_node(node, form, &offer, &data->terms) ||
        !read_geometry(node, offer.inputs[QN_TERM_A], offer.inputs[QN_TERM_B], data))
        return QN_OK;
    data->way = qn_depthwise_i8_fits(&data->conv) ? &depthwise : &product;
    data->element_cost = macs_per_element(&data->conv) * data->way->cost;
    offer.kernel = data->way->name;
    offer.accepts[QN_TERM_A] = QN_ACCEPT_NHWC;
    offer.cost = 500 + qn_cpu_elements(call, offer.outputs[0]) * (data->element_cost + 0.1);
    if (data->terms.to == QN_SCALE_TO_I32)
        qn_cpu_terms_grow(call, &offer, &data->terms, data->conv.axes);
    if (qn_cpu_is_constant(offer.inputs[QN_TERM_B])) {
        read.weight = offer.inputs[QN_TERM_B]->constant;
        offer.inputs[QN_TERM_B] = NULL;
    }
    QN_ALLOC(context, call->arena, 1);
    *context = read;
    offer.context = context;
    call->offer(call, &offer);
    return QN_OK;
}
