/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conv with constant fp32 weights: a product over pointers to pixels (kernels/conv.h), with what
 * follows it done before results are stored.  Inputs of few channels are read as planes, others
 * channels last.
 */
#include "base/fault.h"
#include "engine/devices/cpu/fuse.h"
#include "engine/devices/cpu/kernels/conv.h"
#include "engine/ops/window.h"

enum { INPUT = 0, RESIDUAL = 1 };

/* What a step keeps. */
typedef struct ConvData {
    QnConv conv;
    QnWindow window;
    QnEpilogue epilogue;
    QnIsa isa;
    const float *weights; /* packed */
    const float *bias;    /* [out_channels] or NULL */
    double flop_cost;     /* nanoseconds per multiply-add on one thread */
} ConvData;

/* What an offer keeps until its step is made. */
typedef struct Context {
    ConvData data;
    const QnTensor *weight, *bias, *more_bias; /* the node's and an added one */
} Context;

static void set_tensor(QnConvTensor *to, const QnTensor *from, int axes)
{
    to->data = NULL;
    to->image_step = from->strides[0] / 4;
    to->channel_step = from->strides[1] / 4;
    for (int d = 0; d < axes; d++)
        to->step[d] = from->strides[d + 2] / 4;
}

static QnStatus bind_conv(const QnStep *step, QnBindCall *call)
{
    const ConvData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, INPUT),
                   *y = qn_step_output(step, call->values, 0);
    const QnTensor *residual = qn_step_input(step, call->values, RESIDUAL);
    QnConvF32 *conv = call->params;
    if (x->dims[1] != data->conv.in_channels)
        return qn_fail(call->err, QN_BAD_TENSOR, "the input has %lld channels, expected %lld",
                       (long long)x->dims[1], (long long)data->conv.in_channels);
    *conv = (QnConvF32){
        .isa = data->isa, .conv = data->conv, .images = x->dims[0], .weights = data->weights};
    conv->epilogue = data->epilogue;
    conv->epilogue.bias = data->bias;
    for (int d = 0; d < data->conv.axes; d++) {
        int64_t end;
        conv->in[d] = x->dims[d + 2];
        conv->out[d] = y->dims[d + 2];
        qn_window_pads(&data->window, d, conv->in[d], conv->out[d], &conv->pad[d], &end);
        if (qn_window_size(&data->window, d, conv->in[d]) != conv->out[d])
            return qn_fail(call->err, QN_BAD_TENSOR,
                           "the kernel does not fit into %lld elements along dimension %d",
                           (long long)conv->in[d], d + 2);
    }
    set_tensor(&conv->x, x, data->conv.axes);
    set_tensor(&conv->y, y, data->conv.axes);
    if (residual)
        set_tensor(&conv->residual, residual, data->conv.axes);
    conv->residual.data =
        residual ? (float *)residual->data : NULL; /* says that there is one; the run sets it */
    call->member_scratch_bytes = qn_conv_f32_scratch(conv);
    return QN_OK;
}

typedef struct Work {
    const QnConvF32 *conv;
    uint8_t *scratch;
    size_t stride;
} Work;

static void run_chunk(void *user, int64_t chunk, int member)
{
    const Work *work = user;
    qn_conv_f32_run(work->conv, chunk, work->scratch + (size_t)member * work->stride);
}

static QnStatus run_conv(const QnStep *step, const void *params, QnRunCall *call)
{
    const ConvData *data = step->data;
    QnConvF32 conv = *(const QnConvF32 *)params;
    const QnTensor *y = qn_step_output(step, call->values, 0),
                   *residual = qn_step_input(step, call->values, RESIDUAL);
    conv.x.data = qn_step_input(step, call->values, INPUT)->data;
    conv.y.data = y->data;
    conv.residual.data = residual ? residual->data : NULL;
    Work work = {&conv, call->member_scratch, call->member_stride};
    const double macs = (double)qn_tensor_count(y) * data->flop_cost;
    qn_gang_for(call->gang, qn_conv_f32_chunks(&conv), (int64_t)macs, run_chunk, &work);
    if (qn_fault("lowering", "conv") && y->size_bytes)
        qn_fault_spoil(y->data, 4);
    return QN_OK;
}

static const QnStepCode code = {
    .name = "conv", .params_size = sizeof(QnConvF32), .bind = bind_conv, .run = run_conv};

/* ---- making ---- */

static void fill_weights(void *to, void *user)
{
    const Context *context = user;
    qn_conv_f32_pack(to, &context->data.conv, context->weight->data);
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
    size_t size;
    if (!qn_conv_f32_packed_size(&size, &context->data.conv))
        return qn_fail(make->err, QN_BAD_MODEL,
                       "the packed weights have a size that no memory holds");
    QN_TRY(make_bias(context, make, &context->data.bias));
    context->data.weights =
        make->pack(make->user, context->weight,
                   context->data.conv.from_planes ? "conv_f32:planes" : "conv_f32", size,
                   fill_weights, context);
    *out = &context->data;
    return context->data.weights ? QN_OK : qn_no_memory(make->err);
}

/* ---- offering ---- */

static bool read_conv(const QnOfferCall *call, Context *context)
{
    const QnNode *node = call->node;
    const QnIrValue *x = qn_node_input(node, 0), *w = qn_node_input(node, 1),
                    *b = qn_node_input(node, 2);
    ConvData *data = &context->data;
    if (!qn_cpu_is_constant(w) || w->constant->type != QN_FLOAT || x->type.element != QN_FLOAT ||
        (b && (!qn_cpu_is_constant(b) || b->constant->type != QN_FLOAT)))
        return false;
    const int axes = x->type.shape.rank - 2;
    if (axes < 1 || axes > QN_CONV_MAX_AXES || qn_tensor_count(w->constant) == 0 ||
        qn_window_read(&data->window, node, axes, w->constant->dims + 2, NULL) != QN_OK)
        return false;
    context->weight = w->constant;
    context->bias = b ? b->constant : NULL;
    data->isa = qn_cpu_of(call)->isa;
    data->conv = (QnConv){
        .axes = axes, .groups = qn_op_int(node, "group"), .out_channels = w->constant->dims[0]};
    data->conv.in_channels = w->constant->dims[1] * data->conv.groups;
    double taps = (double)w->constant->dims[1];
    for (int d = 0; d < axes; d++) {
        data->conv.kernel[d] = data->window.kernel[d];
        data->conv.stride[d] = data->window.stride[d];
        data->conv.dilation[d] = data->window.dilation[d];
        taps *= (double)data->window.kernel[d];
    }
    data->flop_cost = taps * 0.02;
    return true;
}

/* One offer, for one way to read the input. */
static QnStatus offer_conv(QnOfferCall *call, const Context *read, bool from_planes)
{
    Context *context;
    QN_ALLOC(context, call->arena, 1);
    *context = *read;
    context->data.conv.from_planes = from_planes;
    QnOffer offer = {
        .code = &code,
        .kernel = from_planes ? "conv_f32_planes" : "conv_f32",
        .tier = QN_TIER_TUNED,
        .nodes = {call->node},
        .node_count = 1,
        .inputs = {call->node->inputs[0].value},
        .accepts = {from_planes ? QN_ACCEPT_ANY : QN_ACCEPT_NHWC, QN_ACCEPT_ANY},
        .input_count = 2,
        .layouts = {QN_LAYOUT_NHWC},
        .context = context,
        .make = make_conv,
    };
    QnCpuFused fused = {.epilogue = {.alpha = 1}, .result = call->node->outputs[0]};
    qn_cpu_fuse(call, &offer, &fused, 1);
    context->data.epilogue = fused.epilogue;
    context->more_bias = fused.bias ? fused.bias->constant : NULL;
    offer.inputs[RESIDUAL] = fused.residual;
    offer.outputs[0] = fused.result;
    offer.cost = 500 + qn_cpu_elements(call, call->node->outputs[0]) * context->data.flop_cost;
    call->offer(call, &offer);
    return QN_OK;
}

QnStatus qn_cpu_lower_conv(QnOfferCall *call)
{
    Context context = {0};
    if (strcmp(call->node->op, "Conv") != 0 || !read_conv(call, &context))
        return QN_OK;
    /* Few channels make short runs channels last; planes make runs of the kernel's width. */
    const bool is_few = context.data.conv.in_channels / context.data.conv.groups < 8 &&
                        context.data.conv.groups == 1;
    QN_TRY(offer_conv(call, &context, false));
    return is_few ? offer_conv(call, &context, true) : QN_OK;
}
