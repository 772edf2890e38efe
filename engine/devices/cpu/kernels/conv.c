/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/conv.h"

#include <string.h>

#include "base/checked.h"
#include "engine/devices/cpu/kernels/conv_grid.h"
#include "engine/devices/cpu/kernels/conv_pack.h"
#include "engine/devices/cpu/kernels/gemm_block.h"

enum {
    CHUNK_FLOPS = 4000000,
    BLOCK_ROWS = 60, /* a multiple of most tiles */
    GROUP = 4        /* panels that one tile takes */
};

/*
 * The cut into chunks: images, phases, column chunks, block chunks, the last varying fastest, so
 * that neighbours share weights.  A column chunk is a range of groups, or of the panels of one
 * group.
 */
typedef struct Cut {
    int64_t phases;
    bool is_flat; /* output pixels of an image are equally far apart, over the ends of lines too */
    int64_t blocks; /* of a phase of an image, at most */
    int64_t chunk_blocks, block_chunks;
    int64_t groups, panels; /* of a column chunk; one of them is its all */
    int64_t panel_chunks, column_chunks;
} Cut;

static bool has_flat_steps(const QnConvF32 *conv, const QnConvTensor *tensor)
{
    for (int d = 0; d < conv->conv.axes - 1; d++)
        if (tensor->step[d] != tensor->step[d + 1] * conv->out[d + 1])
            return false;
    return true;
}

static bool is_flat(const QnConvF32 *conv)
{
    for (int d = 0; d < conv->conv.axes; d++)
        if (conv->conv.transposed && conv->conv.stride[d] != 1)
            return false;
    return has_flat_steps(conv, &conv->y) &&
           (!conv->residual.data || has_flat_steps(conv, &conv->residual));
}

/* Most grid positions of an axis in any phase. */
static int64_t most_positions(const QnConvF32 *conv, int d)
{
    return conv->conv.transposed ? qn_ceil_div(conv->out[d], conv->conv.stride[d]) : conv->out[d];
}

/* A span of pixels is cut into blocks of this many rows. */
static int64_t block_rows(int64_t span)
{
    const int64_t blocks = qn_ceil_div(span, BLOCK_ROWS);
    return blocks <= 1 ? qn_max_i64(span, 1) : qn_ceil_div(qn_ceil_div(span, blocks), 6) * 6;
}

static int64_t at_least_one(double x)
{
    return x < 1 ? 1 : x > 1e9 ? 1000000000 : (int64_t)x;
}

static Cut cut_conv(const QnConvF32 *conv)
{
    const QnConv *c = &conv->conv;
    Cut cut = {.phases = qn_conv_phase_count(c), .is_flat = is_flat(conv)};
    int64_t lines = 1, span = most_positions(conv, c->axes - 1);
    for (int d = 0; d < c->axes - 1; d++)
        lines *= most_positions(conv, d);
    if (cut.is_flat) {
        span *= lines;
        lines = 1;
    }
    const int64_t rows = block_rows(span);
    cut.blocks = lines * qn_ceil_div(span, rows);
    const int64_t group_channels = c->in_channels / c->groups;
    double k = (double)group_channels;
    for (int d = 0; d < c->axes; d++)
        k *= (double)c->kernel[d] / (double)(c->transposed ? c->stride[d] : 1);
    const int64_t panels = qn_ceil_div(c->out_channels / c->groups, QN_PANEL);
    const double whole = 2.0 * (double)rows * k * (double)c->out_channels;
    cut.chunk_blocks = 1;
    cut.groups = c->groups;
    cut.panels = panels;
    if (whole <= 2.0 * CHUNK_FLOPS)
        cut.chunk_blocks = at_least_one(CHUNK_FLOPS / (whole + 1));
    else if (c->groups > 1)
        cut.groups = at_least_one((double)c->groups * CHUNK_FLOPS / whole);
    else
        cut.panels =
            qn_min_i64(panels, GROUP * at_least_one((double)panels / GROUP * CHUNK_FLOPS / whole));
    cut.block_chunks = qn_ceil_div(cut.blocks, cut.chunk_blocks);
    cut.panel_chunks = qn_ceil_div(panels, cut.panels);
    cut.column_chunks = qn_ceil_div(c->groups, cut.groups) * cut.panel_chunks;
    return cut;
}

int64_t qn_conv_f32_chunks(const QnConvF32 *conv)
{
    for (int d = 0; d < conv->conv.axes; d++)
        if (conv->out[d] == 0)
            return 0;
    const Cut cut = cut_conv(conv);
    return conv->images * cut.phases * cut.column_chunks * cut.block_chunks;
}

/* What one thread's scratch holds, in this order; bytes, each part in whole lines. */
typedef struct Room {
    size_t zeros, runs, pointers, patches, sums, padded;
} Room;

/* Taps that have a list of pointers: all, or all but the innermost where these are one run. */
static int64_t count_lists(const QnConvF32 *conv, int64_t kernel_taps)
{
    const QnConv *c = &conv->conv;
    const int64_t lists =
        qn_conv_run_width(conv) ? kernel_taps / c->kernel[c->axes - 1] : kernel_taps;
    return c->from_planes ? lists * c->in_channels : lists;
}

/* The sizes follow from those of the weights, which were found to fit with room to spare. */
static Room measure(const QnConvF32 *sizes)
{
    const QnConv *conv = &sizes->conv;
    const size_t block = QN_GEMM_BLOCK_ROWS;
    const int64_t width = qn_conv_run_width(sizes);
    const int64_t run = width * conv->kernel[conv->axes - 1];
    int64_t taps = 1;
    for (int d = 0; d < conv->axes; d++)
        taps *= conv->kernel[d];
    const int64_t lists = count_lists(sizes, taps);
    const int64_t pieces =
        width ? 1 : qn_ceil_div(conv->in_channels / conv->groups, QN_GEMM_RUN_LENGTH);
    const int64_t zeros = width ? run : conv->in_channels;
    return (Room){.zeros = qn_round_up((size_t)zeros * sizeof(float), 64),
                  .runs = qn_round_up((size_t)(lists * pieces) * sizeof(QnGemmRun), 64),
                  .pointers = (size_t)lists * block * sizeof(float *),
                  .patches = qn_round_up((size_t)(lists * run) * block * sizeof(float), 64),
                  .sums = QN_GEMM_SCRATCH_FLOATS * sizeof(float),
                  .padded = qn_round_up((size_t)qn_conv_padded_floats(sizes) * sizeof(float), 64)};
}

size_t qn_conv_f32_scratch(const QnConvF32 *conv)
{
    const Room room = measure(conv);
    return room.zeros + room.runs + room.pointers + room.patches + room.sums + room.padded;
}

/* One chunk at work. */
typedef struct Chunk {
    const QnConvF32 *conv;
    Cut cut;
    QnConvPhase phase;
    QnConvWeights weights;
    int64_t image;
    int64_t first_block, block_count;
    int64_t first_group, group_count;
    int64_t first_panel, panel_count;
    QnGemmRun *runs;
    int64_t run_count;
    QnConvTable table;
    float *sums;
    bool is_product; /* the input pixels lie as the output pixels do: no table */
} Chunk;

/* A kernel of one position that reads pixel after pixel. */
static bool is_product(const Chunk *t)
{
    const QnConvF32 *conv = t->conv;
    const int axes = conv->conv.axes;
    if (conv->conv.from_planes || t->phase.taps != 1)
        return false;
    for (int d = 0; d < axes; d++) {
        const QnConvAxis *axis = &t->phase.axis[d];
        if (axis->in_first != 0 || axis->in_step != 1 || axis->count != conv->in[d])
            return false;
        if (d + 1 < axes && conv->x.step[d] != conv->x.step[d + 1] * conv->in[d + 1])
            return false;
    }
    return true;
}

static void make_runs(Chunk *t)
{
    const QnConv *conv = &t->conv->conv;
    const int64_t channels = conv->in_channels / conv->groups;
    const int64_t inner = t->phase.axis[conv->axes - 1].taps, width = qn_conv_run_width(t->conv);
    QnGemmRun *run = t->runs;
    if (width) {
        const int64_t planes = conv->from_planes ? channels : 1;
        const int64_t lists = inner ? t->phase.taps / inner * planes : 0;
        for (int64_t tap = 0; tap < lists; tap++)
            *run++ = (QnGemmRun){0, inner * width, tap};
    } else {
        for (int64_t tap = 0; tap < t->phase.taps; tap++)
            for (int64_t c = 0; c < channels; c += QN_GEMM_RUN_LENGTH)
                *run++ = (QnGemmRun){c, qn_min_i64(QN_GEMM_RUN_LENGTH, channels - c), tap};
    }
    t->run_count = run - t->runs;
}

static void place(Chunk *t, int64_t number)
{
    const Cut *cut = &t->cut;
    const QnConv *conv = &t->conv->conv;
    t->first_block = number % cut->block_chunks * cut->chunk_blocks;
    t->block_count = qn_min_i64(cut->chunk_blocks, cut->blocks - t->first_block);
    number /= cut->block_chunks;
    const int64_t panels = qn_ceil_div(conv->out_channels / conv->groups, QN_PANEL);
    t->first_panel = number % cut->panel_chunks * cut->panels;
    t->panel_count = qn_min_i64(cut->panels, panels - t->first_panel);
    const int64_t column = number % cut->column_chunks;
    t->first_group = column / cut->panel_chunks * cut->groups;
    t->group_count = qn_min_i64(cut->groups, conv->groups - t->first_group);
    number /= cut->column_chunks;
    qn_conv_phase(&t->phase, conv, number % cut->phases, t->conv);
    t->image = number / cut->phases;
}

/* The first output pixel of a block in `tensor`, at channel 0. */
static float *find_pixel(const Chunk *t, const QnConvTensor *tensor, int64_t pixel)
{
    float *data = tensor->data + t->image * tensor->image_step;
    for (int d = t->conv->conv.axes - 1; d >= 0; d--) {
        const QnConvAxis *axis = &t->phase.axis[d];
        const int64_t position = axis->out_first + pixel % axis->count * axis->out_step;
        data += position * tensor->step[d];
        pixel /= axis->count;
    }
    return data;
}

/* One group's columns of a block whose table is filled. */
static void run_group(const Chunk *t, int64_t group, QnGemmBlock *block, int64_t pixel)
{
    const QnConvF32 *conv = t->conv;
    const QnConv *c = &conv->conv;
    const int inner = c->axes - 1;
    const int64_t out = c->out_channels / c->groups, channels = c->in_channels / c->groups;
    const int64_t first = t->first_panel * QN_PANEL;
    const int64_t channel = group * out + first;
    const int64_t out_step = t->phase.axis[inner].out_step;
    QnEpilogue epilogue = conv->epilogue;
    epilogue.bias = epilogue.bias ? epilogue.bias + channel : NULL;
    epilogue.residual = NULL;
    if (conv->residual.data) {
        epilogue.residual =
            find_pixel(t, &conv->residual, pixel) + channel * conv->residual.channel_step;
        epilogue.residual_step = conv->residual.step[inner] * out_step;
        epilogue.residual_column_step = conv->residual.channel_step;
    }
    block->a_offset = 0;
    if (t->is_product) {
        block->a = conv->x.data + t->image * conv->x.image_step + pixel * conv->x.step[inner] +
                   group * channels;
        block->a_step = conv->x.step[inner];
    } else if (c->from_planes) {
        const int64_t taps = t->run_count; /* of one group: one run each */
        block->a_rows = t->table.pointers + group * taps * QN_GEMM_BLOCK_ROWS;
    } else {
        block->a_rows = t->table.pointers;
        block->a_offset = group * channels;
    }
    block->b = conv->weights + t->weights.offset + group * t->weights.group_floats +
               t->first_panel * t->weights.stride;
    block->columns = qn_min_i64(t->panel_count * QN_PANEL, out - first);
    block->c = find_pixel(t, &conv->y, pixel) + channel * conv->y.channel_step;
    block->epilogue = &epilogue;
    qn_gemm_f32_block(block);
    block->epilogue = NULL;
}

static void run_block(const Chunk *t, int64_t pixel, int64_t rows)
{
    const QnConvF32 *conv = t->conv;
    const int inner = conv->conv.axes - 1;
    if (!t->is_product)
        qn_conv_fill_table(&t->table, conv, &t->phase, t->image, pixel, rows);
    QnGemmBlock block = {.isa = conv->isa,
                         .a_tap_step = QN_GEMM_BLOCK_ROWS,
                         .runs = t->runs,
                         .run_count = t->run_count,
                         .b_step = QN_PANEL,
                         .b_stride = t->weights.stride,
                         .rows = rows,
                         .c_step = conv->y.step[inner] * t->phase.axis[inner].out_step,
                         .c_column_step = conv->y.channel_step,
                         .scratch = t->sums};
    for (int64_t g = 0; g < t->group_count; g++)
        run_group(t, t->first_group + g, &block, pixel);
}

static void run_blocks(const Chunk *t)
{
    const int64_t span =
        t->cut.is_flat ? t->phase.pixels : t->phase.axis[t->conv->conv.axes - 1].count;
    const int64_t rows = block_rows(span), blocks = qn_ceil_div(span, rows);
    for (int64_t i = 0; i < t->block_count; i++) {
        const int64_t block = t->first_block + i;
        const int64_t pixel = block / blocks * span + block % blocks * rows;
        const int64_t left = span - block % blocks * rows;
        if (pixel >= t->phase.pixels)
            return; /* a phase with fewer pixels than others */
        run_block(t, pixel, qn_min_i64(rows, left));
    }
}

static void run_chunk(const QnConvF32 *conv, int64_t number, const Room *room, char *scratch)
{
    Chunk t = {.conv = conv, .cut = cut_conv(conv)};
    place(&t, number);
    if (t.phase.pixels == 0 ||
        !qn_conv_weights_find(&t.weights, &conv->conv,
                              number / t.cut.block_chunks / t.cut.column_chunks % t.cut.phases))
        return;
    memset(scratch, 0, room->zeros);
    t.table.zeros = (const float *)(void *)scratch;
    t.runs = (QnGemmRun *)(void *)(scratch += room->zeros);
    t.table.pointers = (const float **)(void *)(scratch += room->runs);
    t.table.patches = (float *)(void *)(scratch += room->pointers);
    t.sums = (float *)(void *)(scratch + room->patches);
    t.is_product = is_product(&t);
    make_runs(&t);
    run_blocks(&t);
}

void qn_conv_f32_run(const QnConvF32 *conv, int64_t number, void *scratch)
{
    const Room room = measure(conv);
    if (!room.padded) {
        run_chunk(conv, number, &room, scratch);
        return;
    }
    const Cut cut = cut_conv(conv);
    QnConvF32 padded;
    char *copy =
        (char *)scratch + (room.zeros + room.runs + room.pointers + room.patches + room.sums);
    qn_conv_pad(&padded, conv, number / (cut.phases * cut.column_chunks * cut.block_chunks),
                (float *)(void *)copy);
    run_chunk(&padded, number, &room, scratch);
}
