/* SPDX-License-Identifier: Apache-2.0 */
/* The convolutions of ResNet-50 and a few others, channels last, with bias and relu. */
#include <stdlib.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "benchmarks/kernels.h"
#include "engine/devices/cpu/kernels/conv.h"
#include "engine/devices/cpu/kernels/gemm.h"
#include "engine/devices/cpu/kernels/winograd.h"

typedef struct Layer {
    const char *name;
    int64_t in, out, groups, kernel, stride, size;
    int count; /* how often ResNet-50 has it */
} Layer;

static const Layer layers[] = {
    {"resnet50 7x7s2 3-64 at 224 (planes)", 3, 64, 1, 7, 2, 224, 1},
    {"resnet50 1x1 64-64 at 56", 64, 64, 1, 1, 1, 56, 1},
    {"resnet50 3x3 64-64 at 56", 64, 64, 1, 3, 1, 56, 3},
    {"resnet50 1x1 64-256 at 56", 64, 256, 1, 1, 1, 56, 4},
    {"resnet50 1x1 256-64 at 56", 256, 64, 1, 1, 1, 56, 2},
    {"resnet50 1x1 256-128 at 56", 256, 128, 1, 1, 1, 56, 1},
    {"resnet50 3x3s2 128-128 at 56", 128, 128, 1, 3, 2, 56, 1},
    {"resnet50 1x1 128-512 at 28", 128, 512, 1, 1, 1, 28, 4},
    {"resnet50 1x1s2 256-512 at 56", 256, 512, 1, 1, 2, 56, 1},
    {"resnet50 1x1 512-128 at 28", 512, 128, 1, 1, 1, 28, 3},
    {"resnet50 3x3 128-128 at 28", 128, 128, 1, 3, 1, 28, 3},
    {"resnet50 1x1 512-256 at 28", 512, 256, 1, 1, 1, 28, 1},
    {"resnet50 3x3s2 256-256 at 28", 256, 256, 1, 3, 2, 28, 1},
    {"resnet50 1x1 256-1024 at 14", 256, 1024, 1, 1, 1, 14, 6},
    {"resnet50 1x1s2 512-1024 at 28", 512, 1024, 1, 1, 2, 28, 1},
    {"resnet50 1x1 1024-256 at 14", 1024, 256, 1, 1, 1, 14, 5},
    {"resnet50 3x3 256-256 at 14", 256, 256, 1, 3, 1, 14, 5},
    {"resnet50 1x1 1024-512 at 14", 1024, 512, 1, 1, 1, 14, 1},
    {"resnet50 3x3s2 512-512 at 14", 512, 512, 1, 3, 2, 14, 1},
    {"resnet50 1x1 512-2048 at 7", 512, 2048, 1, 1, 1, 7, 3},
    {"resnet50 1x1s2 1024-2048 at 14", 1024, 2048, 1, 1, 2, 14, 1},
    {"resnet50 1x1 2048-512 at 7", 2048, 512, 1, 1, 1, 7, 2},
    {"resnet50 3x3 512-512 at 7", 512, 512, 1, 3, 1, 7, 2},
    {"resnext50 3x3 128-128 of 32 groups at 56", 128, 128, 32, 3, 1, 56, 0},
    {"3x3 16-16 at 112", 16, 16, 1, 3, 1, 112, 0},
    {"3x3 32-32 at 80", 32, 32, 1, 3, 1, 80, 0},
    {"3x3 64-64 at 224", 64, 64, 1, 3, 1, 224, 0},
    {"3x3 512-512 at 28", 512, 512, 1, 3, 1, 28, 0},
    {"3x3s2 3-32 at 224 (planes)", 3, 32, 1, 3, 2, 224, 0},
};

typedef struct ConvRun {
    QnConvF32 conv;
    void *scratch;
} ConvRun;

static void run(void *user)
{
    const ConvRun *r = user;
    const int64_t chunks = qn_conv_f32_chunks(&r->conv);
    for (int64_t i = 0; i < chunks; i++)
        qn_conv_f32_run(&r->conv, i, r->scratch);
}

static void set_steps(QnConvTensor *tensor, int64_t channels, int64_t size, bool is_planes)
{
    const int64_t pixel = is_planes ? 1 : (int64_t)qn_round_up((size_t)channels, QN_PANEL);
    tensor->step[1] = pixel;
    tensor->step[0] = pixel * size;
    tensor->channel_step = is_planes ? size * size : 1;
}

static void run_winograd(void *user)
{
    ConvRun *r = user;
    const int64_t rounds = qn_winograd_f32_rounds(&r->conv);
    for (r->conv.round = 0; r->conv.round < rounds; r->conv.round++) {
        const int64_t chunks = qn_winograd_f32_chunks(&r->conv);
        for (int64_t i = 0; i < chunks; i++)
            qn_winograd_f32_run(&r->conv, i, r->scratch);
    }
}

/* The same layer with fewer multiplications; the figure is that of the direct sum's operations. */
static void bench_winograd(Bench *bench, const Layer *layer, const QnConvF32 *direct,
                           const float *w)
{
    for (int tile = 2; tile <= 4; tile += 2) {
        ConvRun user = {.conv = *direct};
        QnConvF32 *conv = &user.conv;
        size_t packed_size;
        conv->conv.tile = tile;
        if (!qn_winograd_f32_fits(&conv->conv, bench->isa) ||
            !qn_winograd_f32_packed_size(&packed_size, &conv->conv))
            return;
        float *packed = bench_bytes(packed_size);
        qn_winograd_f32_pack(packed, &conv->conv, w);
        conv->weights = packed;
        conv->shared = bench_bytes(qn_winograd_f32_shared(conv));
        user.scratch = bench_bytes(qn_winograd_f32_scratch(conv));
        const double operations =
            18.0 * (double)(layer->in * layer->out * conv->out[0] * conv->out[1]);
        bench_row(bench, &(BenchCase){tile == 2 ? "winograd2" : "winograd4", layer->name,
                                      bench->isa, operations, run_winograd, &user});
        free(packed);
        free(conv->shared);
        free(user.scratch);
    }
}

/* Gives the median in nanoseconds. */
static double bench_layer(Bench *bench, const Layer *layer)
{
    const int64_t size = layer->size, out_size = (size - 1) / layer->stride + 1;
    const int64_t pad = layer->kernel / 2;
    QnConvF32 conv = {.isa = bench->isa,
                      .conv = {.axes = 2,
                               .groups = layer->groups,
                               .in_channels = layer->in,
                               .out_channels = layer->out,
                               .kernel = {layer->kernel, layer->kernel},
                               .stride = {layer->stride, layer->stride},
                               .dilation = {1, 1},
                               .from_planes = layer->in == 3},
                      .images = 1,
                      .in = {size, size},
                      .out = {out_size, out_size},
                      .pad = {pad, pad},
                      .epilogue = {.alpha = 1, .activation = QN_ACTIVATION_RELU}};
    set_steps(&conv.x, layer->in, size, conv.conv.from_planes);
    set_steps(&conv.y, layer->out, out_size, false);
    size_t packed_size;
    if (!qn_conv_f32_packed_size(&packed_size, &conv.conv))
        return 0;
    const int64_t weights = layer->in / layer->groups * layer->out * layer->kernel * layer->kernel;
    float *w = bench_floats((size_t)weights), *packed = bench_bytes(packed_size);
    float *bias = bench_floats((size_t)layer->out);
    qn_conv_f32_pack(packed, &conv.conv, w);
    conv.weights = packed;
    conv.epilogue.bias = bias;
    conv.x.data = bench_floats((size_t)((layer->in + 16) * size * size));
    conv.y.data = bench_floats((size_t)((layer->out + 16) * out_size * out_size));
    ConvRun user = {conv, bench_bytes(qn_conv_f32_scratch(&conv))};
    const double ns =
        bench_row(bench, &(BenchCase){"conv", layer->name, bench->isa,
                                      2.0 * (double)(weights * out_size * out_size), run, &user});
    bench_winograd(bench, layer, &conv, w);
    free(w);
    free(packed);
    free(bias);
    free(conv.x.data);
    free(conv.y.data);
    free(user.scratch);
    return ns;
}

void bench_convolutions(Bench *bench)
{
    double total = 0;
    int count = 0;
    for (size_t i = 0; i < QN_COUNT_OF(layers); i++)
        if (bench_wants(bench, "conv", layers[i].name)) {
            total += layers[i].count * bench_layer(bench, &layers[i]);
            count += layers[i].count;
        }
    if (count == 53)
        printf("conv       all 53 of resnet50 %10.2f ms\n", total / 1e6);
}
