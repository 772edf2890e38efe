/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolutions of MobileNets and EfficientNets, channels last, with bias and relu6. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "benchmarks/kernels.h"
#include "engine/devices/cpu/kernels/depthwise.h"

typedef struct Layer {
    int64_t channels, kernel, stride, size;
} Layer;

static const Layer layers[] = {
    {384, 3, 1, 14}, {96, 3, 1, 112}, {192, 3, 1, 56}, {960, 3, 1, 7},
    {128, 3, 1, 56}, {96, 3, 2, 112}, {144, 3, 2, 56}, {576, 3, 2, 14},
    {240, 5, 1, 28}, {672, 5, 2, 14}, {96, 7, 1, 56},
};

typedef struct DepthwiseRun {
    QnConvF32 conv;
    void *scratch;
} DepthwiseRun;

static void run(void *user)
{
    const DepthwiseRun *r = user;
    const int64_t chunks = qn_depthwise_f32_chunks(&r->conv);
    for (int64_t i = 0; i < chunks; i++)
        qn_depthwise_f32_run(&r->conv, i, r->scratch);
}

static void bench_layer(Bench *bench, const Layer *layer)
{
    char name[64];
    snprintf(name, sizeof name, "%dx%ds%d %d at %d", (int)layer->kernel, (int)layer->kernel,
             (int)layer->stride, (int)layer->channels, (int)layer->size);
    if (!bench_wants(bench, "depthwise", name))
        return;
    const int64_t c = layer->channels, size = layer->size;
    const int64_t out = (size - 1) / layer->stride + 1, pad = layer->kernel / 2;
    QnConvF32 conv = {.isa = bench->isa,
                      .conv = {.axes = 2,
                               .groups = c,
                               .in_channels = c,
                               .out_channels = c,
                               .kernel = {layer->kernel, layer->kernel},
                               .stride = {layer->stride, layer->stride},
                               .dilation = {1, 1}},
                      .images = 1,
                      .in = {size, size},
                      .out = {out, out},
                      .pad = {pad, pad},
                      .x = {.step = {c * size, c}, .channel_step = 1},
                      .y = {.step = {c * out, c}, .channel_step = 1},
                      .epilogue = {.alpha = 1, .activation = QN_ACTIVATION_CLIP, .q = 6}};
    size_t packed_size;
    if (!qn_depthwise_f32_packed_size(&packed_size, &conv.conv))
        return;
    float *w = bench_floats((size_t)(c * layer->kernel * layer->kernel));
    float *packed = bench_bytes(packed_size), *bias = bench_floats((size_t)c);
    qn_depthwise_f32_pack(packed, &conv.conv, w);
    conv.weights = packed;
    conv.epilogue.bias = bias;
    conv.x.data = bench_floats((size_t)(c * size * size));
    conv.y.data = bench_floats((size_t)(c * out * out));
    DepthwiseRun user = {conv, bench_bytes(qn_depthwise_f32_scratch(&conv))};
    const double flops = 2.0 * (double)(c * out * out * layer->kernel * layer->kernel);
    bench_row(bench, &(BenchCase){"depthwise", name, bench->isa, flops, run, &user});
    free(w);
    free(packed);
    free(bias);
    free(conv.x.data);
    free(conv.y.data);
    free(user.scratch);
}

void bench_depthwise(Bench *bench)
{
    for (size_t i = 0; i < QN_COUNT_OF(layers); i++)
        bench_layer(bench, &layers[i]);
}
