/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conv and ConvTranspose in fp32: a product over pointers to pixels (kernels/conv.h), or one kernel
 * per channel (kernels/depthwise.h), or 3x3 kernels with fewer multiplications
 * (kernels/winograd.h), with what follows it done before results are stored.  Inputs of few
 * channels are read as planes, others channels last.  Constant weights are packed when the plan is
 * made, computed ones at every run.
 */
#include "base/checked.h"
#include "engine/devices/cpu/fuse.h"
#include "engine/devices/cpu/kernels/depthwise.h"
#include "engine/devices/cpu/kernels/winograd.h"
#include "engine/ops/transposed.h"

enum { INPUT = 0, RESIDUAL = 1, WEIGHTS = 2, BIAS = 3, INPUT_COUNT = 4 };

/* A way to compute a convolution: its kernel, and how it wants its tensors. */
typedef struct Way {
    const char *name; /* of the kernel, and of its packing */
    bool from_planes;
    int tile; /* of winograd.h, or 0 */
    unsigned accepts, accepts_residual;
    double cost; /* nanoseconds per multiply-add on one thread */
    bool (*packed_size)(size_t *bytes, const QnConv *conv);
    void (*pack)(float *packed, const QnConv *conv, const void *w);
    int64_t (*chunks)(const QnConvF32 *conv);
    size_t (*scratch)(const QnConvF32 *conv);
    void (*run)(const QnConvF32 *conv, int64_t chunk, void *scratch);
    int64_t (*rounds)(const QnConvF32 *conv); /* NULL: one, which shares nothing */
    size_t (*shared)(const QnConvF32 *conv);
} Way;

#define CONV_FUNCTIONS(name) \
    name##_packed_size, name##_pack, name##_chunks, name##_scratch, name##_run

/* clang-format off */
static const Way
    channels_last = {"conv_f32", false, 0, QN_ACCEPT_NHWC, QN_ACCEPT_ANY, 0.02,
                     CONV_FUNCTIONS(qn_conv_f32), NULL, NULL},
    planes = {"conv_f32_planes", true, 0, QN_ACCEPT_PLAIN | QN_ACCEPT_STRIDED, QN_ACCEPT_ANY, 0.02,
              CONV_FUNCTIONS(qn_conv_f32), NULL, NULL},
    transposed = {"conv_transposed_f32", false, 0, QN_ACCEPT_NHWC, QN_ACCEPT_ANY, 0.02,
                  CONV_FUNCTIONS(qn_conv_f32), NULL, NULL},
    depthwise = {"depthwise_f32", false, 0, QN_ACCEPT_NHWC, QN_ACCEPT_NHWC, 0.04,
                 CONV_FUNCTIONS(qn_depthwise_f32), NULL, NULL},
    winograd_2 = {"conv_winograd_2_f32", false, 2, QN_ACCEPT_NHWC, QN_ACCEPT_ANY, 0.02,
                  CONV_FUNCTIONS(qn_winograd_f32), qn_winograd_f32_rounds, qn_winograd_f32_shared},
    winograd_4 = {"conv_winograd_4_f32", false, 4, QN_ACCEPT_NHWC, QN_ACCEPT_ANY, 0.02,
                  CONV_FUNCTIONS(qn_winograd_f32), qn_winograd_f32_rounds, qn_winograd_f32_shared};
/* clang-format on */

#undef CONV_FUNCTIONS

/* What a step keeps. */
typedef struct ConvData {
    const Way *way;
    QnConv conv;
    QnTransposed window; /* of a plain convolution: its first member alone */
    QnEpilogue epilogue;
    QnIsa isa;
    size_t packed_bytes;
    const float *weights; /* packed; NULL: they are an input */
    const float *bias;    /* [out_channels]; NULL: none, or an input */
    double element_cost;  /* nanoseconds per output element on one thread */
} ConvData;

/* What an offer keeps until its step is made. */
typedef struct Context {
    ConvData data;
    const QnTensor *weight, *bias, *more_bias; /* constants: the node's, and an added bias */
} Context;

static void set_tensor(QnConvTensor *to, const QnTensor *from, int axes)
{
    to->data = NULL;
    to->image_step = from->strides[0] / 4;
    to->channel_step = from->strides[1] / 4;
    for (int d = 0; d < axes; d++)
        to->step[d] = from->strides[d + 2] / 4;
}

/* Sizes of computed weights and biases may differ from what was inferred from symbols. */
static QnStatus check_operands(const ConvData *data, const QnTensor *x, const QnTensor *bias,
                               QnError *err)
{
    if (x->dims[1] != data->conv.in_channels)
        return qn_fail(err, QN_BAD_TENSOR, "the input has %lld channels, expected %lld",
                       (long long)x->dims[1], (long long)data->conv.in_channels);
    if (bias && qn_tensor_count(bias) != data->conv.out_channels)
        return qn_fail(err, QN_BAD_TENSOR, "the bias has %lld elements, expected %lld",
                       (long long)qn_tensor_count(bias), (long long)data->conv.out_channels);
    return QN_OK;
}

static QnStatus set_sizes(const ConvData *data, const QnTensor *x, const QnTensor *y,
                          QnConvF32 *conv, QnError *err)
{
    const QnWindow *window = &data->window.window;
    for (int d = 0; d < data->conv.axes; d++) {
        int64_t end;
        conv->in[d] = x->dims[d + 2];
        conv->out[d] = y->dims[d + 2];
        if (data->conv.transposed) {
            conv->pad[d] = qn_transposed_pad(&data->window, d, conv->in[d], conv->out[d]);
            continue;
        }
        qn_window_pads(window, d, conv->in[d], conv->out[d], &conv->pad[d], &end);
        if (qn_window_size(window, d, conv->in[d]) != conv->out[d])
            return qn_fail(err, QN_BAD_TENSOR,
                           "the kernel does not fit into %lld elements along dimension %d",
                           (long long)conv->in[d], d + 2);
    }
    return QN_OK;
}

static QnStatus bind_conv(const QnStep *step, QnBindCall *call)
{
    const ConvData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, INPUT),
                   *y = qn_step_output(step, call->values, 0);
    const QnTensor *residual = qn_step_input(step, call->values, RESIDUAL);
    QnConvF32 *conv = call->params;
    QN_TRY(check_operands(data, x, qn_step_input(step, call->values, BIAS), call->err));
    *conv = (QnConvF32){
        .isa = data->isa, .conv = data->conv, .images = x->dims[0], .weights = data->weights};
    conv->epilogue = data->epilogue;
    conv->epilogue.bias = data->bias;
    QN_TRY(set_sizes(data, x, y, conv, call->err));
    set_tensor(&conv->x, x, data->conv.axes);
    set_tensor(&conv->y, y, data->conv.axes);
    if (residual)
        set_tensor(&conv->residual, residual, data->conv.axes);
    conv->residual.data =
        residual ? (float *)residual->data : NULL; /* says that there is one; the run sets it */
    call->member_scratch_bytes = data->way->scratch(conv);
    /* Computed weights are packed there, or rounds share it: never both. */
    call->scratch_bytes = !data->weights      ? data->packed_bytes
                          : data->way->shared ? data->way->shared(conv)
                                              : 0;
    return QN_OK;
}

typedef struct Work {
    const Way *way;
    const QnConvF32 *conv;
    uint8_t *scratch;
    size_t stride;
} Work;

static void run_chunk(void *user, int64_t chunk, int member)
{
    const Work *work = user;
    work->way->run(work->conv, chunk, work->scratch + (size_t)member * work->stride);
}

static QnStatus run_conv(const QnStep *step, const void *params, QnRunCall *call)
{
    const ConvData *data = step->data;
    QnConvF32 conv = *(const QnConvF32 *)params;
    const QnTensor *y = qn_step_output(step, call->values, 0),
                   *residual = qn_step_input(step, call->values, RESIDUAL),
                   *weights = qn_step_input(step, call->values, WEIGHTS),
                   *bias = qn_step_input(step, call->values, BIAS);
    conv.x.data = qn_step_input(step, call->values, INPUT)->data;
    conv.y.data = y->data;
    conv.residual.data = residual ? residual->data : NULL;
    if (weights) {
        data->way->pack(call->scratch, &data->conv, weights->data);
        conv.weights = call->scratch;
    }
    if (bias)
        conv.epilogue.bias = bias->data;
    if (data->way->shared)
        conv.shared = call->scratch;
    Work work = {data->way, &conv, call->member_scratch, call->member_stride};
    const int64_t rounds = data->way->rounds ? data->way->rounds(&conv) : 1;
    const double cost =
        (double)qn_tensor_count(y) * data->element_cost / (double)qn_max_i64(rounds, 1);
    for (conv.round = 0; conv.round < rounds; conv.round++)
        qn_gang_for(call->gang, data->way->chunks(&conv), (int64_t)cost, run_chunk, &work);
    qn_cpu_fault(data->way->name, y);
    return QN_OK;
}

/* Each pixel of the output, or of a transposed convolution's input, meets the whole kernel. */
static double count_operations(const QnStep *step, const void *params)
{
    const QnConvF32 *bound = params;
    const QnConv *conv = &bound->conv;
    double count = 2 * (double)bound->images * (double)conv->in_channels *
                   ((double)conv->out_channels / (double)conv->groups);
    (void)step;
    for (int d = 0; d < conv->axes; d++)
        count *=
            (double)conv->kernel[d] * (double)(conv->transposed ? bound->in[d] : bound->out[d]);
    return count;
}

static const QnStepCode code = {.name = "conv",
                                .params_size = sizeof(QnConvF32),
                                .bind = bind_conv,
                                .run = run_conv,
                                .operations = count_operations};

/* ---- making ---- */

static void fill_weights(void *to, void *user)
{
    const Context *context = user;
    context->data.way->pack(to, &context->data.conv, context->weight->data);
}

/* The sum of the node's bias and an added one. */
static QnStatus make_bias(const Context *context, QnMake *make, const float **out)
{
    float *bias;
    *out = NULL;
    if (!context->bias && !context->more_bias)
        return QN_OK;
    QN_ALLOC(bias, make->arena, context->data.conv.out_channels);
    for (int64_t c = 0; c < context->data.conv.out_channels; c++)
        bias[c] = (float)((context->bias ? qn_tensor_get(context->bias, c) : 0) +
                          (context->more_bias ? qn_tensor_get(context->more_bias, c) : 0));
    *out = bias;
    return QN_OK;
}

static QnStatus make_conv(const QnOffer *offer, QnMake *make, const void **out)
{
    Context *context = offer->context;
    ConvData *data = &context->data;
    *out = data;
    if (!data->way->packed_size(&data->packed_bytes, &data->conv))
        return qn_fail(make->err, QN_BAD_MODEL,
                       "the packed weights have a size that no memory holds");
    QN_TRY(make_bias(context, make, &data->bias));
    if (!context->weight)
        return QN_OK;
    data->weights = make->pack(make->user, context->weight, data->way->name, data->packed_bytes,
                               fill_weights, context);
    return data->weights ? QN_OK : qn_no_memory(make->err);
}

/* ---- offering ---- */

/* The weight's dims where all are known and none is 0. */
static bool read_weight(const QnIrValue *w, int64_t *dims)
{
    if (w->type.kind != QN_TENSOR || w->type.element != QN_FLOAT)
        return false;
    for (int d = 0; d < w->type.shape.rank; d++) {
        dims[d] = w->type.shape.dims[d];
        if (dims[d] <= 0)
            return false;
    }
    return w->type.shape.rank >= 3;
}

static bool read_window(const QnNode *node, bool is_transposed, int axes, const int64_t *kernel,
                        QnTransposed *window)
{
    return is_transposed ? qn_transposed_read(window, node, axes, kernel, NULL) == QN_OK
                         : qn_window_read(&window->window, node, axes, kernel, NULL) == QN_OK;
}

/* The weight is [out, in / groups, ...], or transposed [in, out / groups, ...]. */
static QnConv conv_of(const QnNode *node, const QnWindow *window, bool is_transposed, int axes,
                      const int64_t *dims)
{
    const int64_t groups = qn_op_int(node, "group");
    QnConv conv = {.axes = axes,
                   .groups = groups,
                   .in_channels = is_transposed ? dims[0] : dims[1] * groups,
                   .out_channels = is_transposed ? dims[1] * groups : dims[0],
                   .transposed = is_transposed};
    for (int d = 0; d < axes; d++) {
        conv.kernel[d] = window->kernel[d];
        conv.stride[d] = window->stride[d];
        conv.dilation[d] = window->dilation[d];
    }
    return conv;
}

static bool read_conv(const QnOfferCall *call, bool is_transposed, Context *context)
{
    const QnNode *node = call->node;
    const QnIrValue *x = qn_node_input(node, 0), *w = qn_node_input(node, 1),
                    *b = qn_node_input(node, 2);
    ConvData *data = &context->data;
    int64_t dims[QN_MAX_RANK];
    if (x->type.element != QN_FLOAT || !read_weight(w, dims))
        return false;
    const int axes = w->type.shape.rank - 2;
    if (axes > QN_CONV_MAX_AXES || x->type.shape.rank != axes + 2 ||
        !read_window(node, is_transposed, axes, dims + 2, &data->window))
        return false;
    context->weight = qn_cpu_is_constant(w) ? w->constant : NULL;
    context->bias = qn_cpu_is_constant(b) ? b->constant : NULL;
    data->isa = qn_cpu_of(call)->isa;
    data->conv = conv_of(node, &data->window.window, is_transposed, axes, dims);
    data->element_cost = (double)data->conv.in_channels / (double)data->conv.groups;
    for (int d = 0; d < axes; d++)
        data->element_cost *=
            (double)data->conv.kernel[d] / (is_transposed ? (double)data->conv.stride[d] : 1);
    return true;
}

/* The work of a convolution by way of winograd.h as a share of the direct sum's. */
static double winograd_share(const QnOfferCall *call, const QnConv *conv)
{
    const QnDim *dims = call->node->outputs[0]->type.shape.dims;
    const double images = qn_cpu_size(call, dims[0]), height = qn_cpu_size(call, dims[2]),
                 width = qn_cpu_size(call, dims[3]);
    QnConv direct = *conv;
    direct.tile = 0;
    return qn_winograd_f32_work(conv, images, height, width) /
           qn_winograd_f32_work(&direct, images, height, width);
}

/* One offer, for one way to compute it. */
static QnStatus offer_conv(QnOfferCall *call, const Context *read, const Way *way)
{
    const QnIrValue *w = call->node->inputs[1].value, *b = qn_node_input(call->node, 2);
    Context *context;
    QN_ALLOC(context, call->arena, 1);
    *context = *read;
    context->data.way = way;
    context->data.conv.from_planes = way->from_planes;
    context->data.conv.tile = way->tile;
    context->data.element_cost *= way->cost;
    if (way->tile)
        context->data.element_cost *= winograd_share(call, &context->data.conv);
    QnOffer offer = {
        .code = &code,
        .kernel = way->name,
        .tier = QN_TIER_TUNED,
        .nodes = {call->node},
        .node_count = 1,
        .inputs = {call->node->inputs[0].value, NULL, read->weight ? NULL : w,
                   read->bias ? NULL : b},
        .accepts = {way->accepts, way->accepts_residual, QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN},
        .input_count = INPUT_COUNT,
        .layouts = {QN_LAYOUT_NHWC},
        .context = context,
        .make = make_conv,
    };
    QnCpuFused fused = {.epilogue = {.alpha = 1},
                        .result = call->node->outputs[0],
                        .bias = offer.inputs[BIAS]}; /* a computed bias leaves no room for more */
    qn_cpu_fuse(call, &offer, &fused, 1);
    context->data.epilogue = fused.epilogue;
    if (fused.bias != offer.inputs[BIAS])
        context->more_bias = fused.bias->constant;
    offer.inputs[RESIDUAL] = fused.residual;
    offer.outputs[0] = fused.result;
    offer.cost = 500 + qn_cpu_elements(call, call->node->outputs[0]) * context->data.element_cost;
    call->offer(call, &offer);
    return QN_OK;
}

/* The ways that round differently from the direct sum and have weights of another form. */
static QnStatus offer_winograd(QnOfferCall *call, const Context *context)
{
    static const Way *const ways[] = {&winograd_2, &winograd_4};
    if (call->is_strict || !context->weight || context->data.conv.in_channels < 16)
        return QN_OK;
    for (size_t i = 0; i < QN_COUNT_OF(ways); i++) {
        QnConv conv = context->data.conv;
        conv.tile = ways[i]->tile;
        if (qn_winograd_f32_fits(&conv, context->data.isa))
            QN_TRY(offer_conv(call, context, ways[i]));
    }
    return QN_OK;
}

QnStatus qn_cpu_lower_conv(QnOfferCall *call)
{
    Context context = {0};
    const bool is_transposed = !strcmp(call->node->op, "ConvTranspose");
    if ((!is_transposed && strcmp(call->node->op, "Conv") != 0) || *call->node->domain ||
        !read_conv(call, is_transposed, &context))
        return QN_OK;
    if (is_transposed)
        return offer_conv(call, &context, &transposed);
    /* As a product, each group would fill one column of a panel of sixteen. */
    if (qn_depthwise_f32_fits(&context.data.conv))
        return offer_conv(call, &context, &depthwise);
    QN_TRY(offer_conv(call, &context, &channels_last));
    QN_TRY(offer_winograd(call, &context));
    /* Few channels make short runs channels last; planes make runs of the kernel's width. */
    const bool is_few = context.data.conv.in_channels < 8 && context.data.conv.groups == 1;
    return is_few ? offer_conv(call, &context, &planes) : QN_OK;
}
