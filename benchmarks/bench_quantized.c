/* SPDX-License-Identifier: Apache-2.0 */
/* Quantized convolutions of ResNet-50 and MobileNets, channels last, bytes to bytes. */
#include <stdlib.h>

#include "base/compiler.h"
#include "benchmarks/kernels.h"
#include "engine/devices/cpu/kernels/depthwise_i8.h"

typedef struct Layer {
    int64_t in, out, groups, kernel, stride, size;
} Layer;

static const Layer layers[] = {
    {3, 64, 1, 7, 2, 224},     {64, 64, 1, 1, 1, 56},   {64, 64, 1, 3, 1, 56},
    {256, 64, 1, 1, 1, 56},    {128, 128, 1, 3, 1, 28}, {128, 512, 1, 1, 1, 28},
    {256, 256, 1, 3, 1, 14},   {256, 256, 1, 1, 1, 14}, {512, 512, 1, 3, 1, 7},
    {96, 96, 96, 3, 1, 112},   {96, 96, 96, 3, 2, 112}, {384, 384, 384, 3, 1, 14},
    {240, 240, 240, 5, 1, 28},
};

/* One of the two ways to compute a convolution. */
typedef struct Way {
    const char *kind;
    bool (*packed_size)(size_t *bytes, const QnConv *conv);
    void (*pack)(void *packed, const QnConv *conv, bool is_unsigned, const void *w);
    int64_t (*chunks)(const QnConvI8 *conv);
    size_t (*scratch)(const QnConvI8 *conv);
    void (*run)(const QnConvI8 *conv, int64_t chunk, void *scratch);
} Way;

#define WAY_FUNCTIONS(name) \
    name##_packed_size, name##_pack, name##_chunks, name##_scratch, name##_run
static const Way product = {"conv-i8", WAY_FUNCTIONS(qn_conv_i8)};
static const Way depthwise = {"depthwise-i8", WAY_FUNCTIONS(qn_depthwise_i8)};
#undef WAY_FUNCTIONS

typedef struct ConvRun {
    const Way *way;
    QnConvI8 conv;
    void *scratch;
} ConvRun;

static void run(void *user)
{
    const ConvRun *r = user;
    const int64_t chunks = r->way->chunks(&r->conv);
    for (int64_t i = 0; i < chunks; i++)
        r->way->run(&r->conv, i, r->scratch);
}

static QnConvI8 geometry_of(const Bench *bench, const Layer *layer)
{
    const int64_t size = layer->size, pixel = layer->in;
    const int64_t out = (size - 1) / layer->stride + 1;
    return (QnConvI8){.isa = bench->isa,
                      .conv = {.axes = 2,
                               .groups = layer->groups,
                               .in_channels = layer->in,
                               .out_channels = layer->out,
                               .kernel = {layer->kernel, layer->kernel},
                               .stride = {layer->stride, layer->stride},
                               .dilation = {1, 1}},
                      .images = 1,
                      .in = {size, size},
                      .out = {out, out},
                      .pad = {layer->kernel / 2, layer->kernel / 2},
                      .x_image_step = pixel * size * size,
                      .x_channel_step = 1,
                      .x_step = {pixel * size, pixel},
                      .x_pitch = pixel,
                      .y_step = {layer->out * out, layer->out},
                      .terms = {.to = QN_SCALE_TO_U8, .zero_a = 128, .zero = 128}};
}

static void bench_layer(Bench *bench, const Layer *layer)
{
    const Way *way = layer->groups > 1 ? &depthwise : &product;
    char name[64];
    snprintf(name, sizeof name, "%dx%ds%d %d-%d at %d", (int)layer->kernel, (int)layer->kernel,
             (int)layer->stride, (int)layer->in, (int)layer->out, (int)layer->size);
    if (!bench_wants(bench, way->kind, name))
        return;
    ConvRun user = {.way = way, .conv = geometry_of(bench, layer)};
    QnConvI8 *conv = &user.conv;
    size_t packed_size;
    if (!way->packed_size(&packed_size, &conv->conv))
        return;
    const int64_t pixels = conv->out[0] * conv->out[1];
    const int64_t weights = layer->in / layer->groups * layer->out * layer->kernel * layer->kernel;
    const float factor = 0.001f;
    void *w = bench_bytes((size_t)weights), *packed = bench_bytes(packed_size);
    void *x = bench_bytes((size_t)conv->x_image_step),
         *y = bench_bytes((size_t)(layer->out * pixels));
    way->pack(packed, &conv->conv, false, w);
    conv->weights = packed;
    conv->terms.factor = &factor;
    conv->x = x;
    conv->y = y;
    user.scratch = bench_bytes(way->scratch(conv));
    bench_row(bench, &(BenchCase){way->kind, name, bench->isa, 2.0 * (double)(weights * pixels),
                                  run, &user});
    free(w);
    free(packed);
    free(x);
    free(y);
    free(user.scratch);
}

void bench_quantized(Bench *bench)
{
    for (size_t i = 0; i < QN_COUNT_OF(layers); i++)
        bench_layer(bench, &layers[i]);
}
