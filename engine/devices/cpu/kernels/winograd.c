/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/winograd.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "base/fault.h"
#include "engine/devices/cpu/kernels/gemm_block.h"

enum {
    SHARED_FLOATS =
        1 << 19, /* of transformed input at a time: shares a second or third level cache */
    ROWS = 48,   /* most tiles of a product: its sums stay in the second level */
    INPUT_FLOATS = 1 << 15, /* that one chunk transforms */
    WIDTH = QN_WINOGRAD_GROUP * QN_PANEL,
    LINE = 16 /* floats; between positions, so that they do not share a set of the first level */
};

/* clang-format off */
const QnWinogradF32 qn_winograd_f32[] = {
#if QN_ARCH_X86
    {"winograd_2_avx512", QN_ISA_AVX512, 2, qn_winograd_input_2_avx512, qn_winograd_output_2_avx512},
    {"winograd_4_avx512", QN_ISA_AVX512, 4, qn_winograd_input_4_avx512, qn_winograd_output_4_avx512},
    {"winograd_2_avx2", QN_ISA_AVX2, 2, qn_winograd_input_2_avx2, qn_winograd_output_2_avx2},
    {"winograd_4_avx2", QN_ISA_AVX2, 4, qn_winograd_input_4_avx2, qn_winograd_output_4_avx2},
#endif
    {NULL, QN_ISA_NONE, 0, NULL, NULL},
};
/* clang-format on */

const int qn_winograd_f32_count = QN_COUNT_OF(qn_winograd_f32) - 1;

const QnWinogradF32 *qn_winograd_f32_pick(QnIsa have, int tile)
{
    for (int i = 0; i < qn_winograd_f32_count; i++) {
        const QnWinogradF32 *variant = &qn_winograd_f32[i];
        if (variant->tile == tile && (variant->needs & have) == variant->needs)
            return variant;
    }
    return NULL;
}

bool qn_winograd_f32_fits(const QnConv *conv, QnIsa isa)
{
    if (conv->axes != 2 || conv->groups != 1 || conv->transposed ||
        !qn_winograd_f32_pick(isa, conv->tile))
        return false;
    for (int d = 0; d < 2; d++)
        if (conv->kernel[d] != 3 || conv->stride[d] != 1 || conv->dilation[d] != 1)
            return false;
    return true;
}

/* How the work is cut. */
typedef struct Cut {
    int side, taps;         /* of a tile of input */
    int64_t lines, columns; /* tiles of an image */
    int64_t tiles;          /* of all images */
    int64_t block, blocks;  /* tiles of a pair of rounds, and how many pairs */
    int64_t pitch, v_step;  /* floats between tiles and between positions of V */
    int64_t input_tiles;    /* of a chunk of the first kind of round */
    int64_t rows, m_step;   /* tiles of a chunk of the second kind; floats between positions of M */
    int64_t groups;         /* of output channels */
} Cut;

/* Equal parts of at most `most`. */
static int64_t part(int64_t count, int64_t most)
{
    return count ? qn_ceil_div(count, qn_ceil_div(count, most)) : 1;
}

static Cut cut_conv(const QnConvF32 *conv)
{
    const QnConv *c = &conv->conv;
    Cut cut = {.side = c->tile + 2,
               .lines = qn_ceil_div(conv->out[0], c->tile),
               .columns = qn_ceil_div(conv->out[1], c->tile),
               .pitch = (int64_t)qn_round_up((size_t)c->in_channels, LINE)};
    cut.taps = cut.side * cut.side;
    cut.tiles = conv->images * cut.lines * cut.columns;
    cut.block = part(cut.tiles, qn_max_i64(ROWS, SHARED_FLOATS / (cut.taps * cut.pitch)));
    cut.blocks = qn_ceil_div(cut.tiles, cut.block);
    cut.v_step = cut.block * cut.pitch + LINE;
    cut.input_tiles = qn_max_i64(1, INPUT_FLOATS / (cut.taps * cut.pitch));
    cut.rows = part(cut.block, ROWS);
    cut.m_step = cut.rows * WIDTH + LINE;
    cut.groups = qn_ceil_div(c->out_channels, WIDTH);
    return cut;
}

int64_t qn_winograd_f32_rounds(const QnConvF32 *conv)
{
    return 2 * cut_conv(conv).blocks;
}

size_t qn_winograd_f32_shared(const QnConvF32 *conv)
{
    const Cut cut = cut_conv(conv);
    return (size_t)(cut.taps * cut.v_step) * sizeof(float);
}

static bool is_input_round(const QnConvF32 *conv)
{
    return conv->round % 2 == 0;
}

/* The tiles of this pair of rounds. */
static int64_t count_tiles(const QnConvF32 *conv, const Cut *cut)
{
    return qn_min_i64(cut->block, cut->tiles - conv->round / 2 * cut->block);
}

int64_t qn_winograd_f32_chunks(const QnConvF32 *conv)
{
    const Cut cut = cut_conv(conv);
    const int64_t tiles = count_tiles(conv, &cut);
    return is_input_round(conv) ? qn_ceil_div(tiles, cut.input_tiles)
                                : qn_ceil_div(tiles, cut.rows) * cut.groups;
}

/* Floats of a thread's scratch: M and the results of a tile, or pixels that are outside. */
typedef struct Room {
    int64_t m, staged;
} Room;

static Room measure(const QnConvF32 *conv, const Cut *cut)
{
    const int tile = conv->conv.tile;
    return (Room){.m = qn_max_i64(cut->taps * cut->m_step, cut->pitch),
                  .staged = tile * tile * WIDTH};
}

size_t qn_winograd_f32_scratch(const QnConvF32 *conv)
{
    const Cut cut = cut_conv(conv);
    const Room room = measure(conv, &cut);
    return (size_t)(room.m + room.staged + QN_GEMM_SCRATCH_FLOATS) * sizeof(float);
}

/* Where a tile is: its image, and its first output pixel. */
typedef struct Place {
    int64_t image, y, x;
} Place;

static Place find_tile(const QnConvF32 *conv, const Cut *cut, int64_t number)
{
    const int64_t in_image = number % (cut->lines * cut->columns);
    return (Place){.image = number / (cut->lines * cut->columns),
                   .y = in_image / cut->columns * conv->conv.tile,
                   .x = in_image % cut->columns * conv->conv.tile};
}

/* ---- the first kind of round ---- */

static void find_pixels(QnWinogradInput *in, const QnConvF32 *conv, const Cut *cut, Place place,
                        const float *zeros)
{
    const float *image = conv->x.data + place.image * conv->x.image_step;
    for (int i = 0; i < cut->taps; i++) {
        const int64_t y = place.y - conv->pad[0] + i / cut->side,
                      x = place.x - conv->pad[1] + i % cut->side;
        const bool is_inside = y >= 0 && y < conv->in[0] && x >= 0 && x < conv->in[1];
        in->pixels[i] = is_inside ? image + y * conv->x.step[0] + x * conv->x.step[1] : zeros;
    }
}

static void transform_input(const QnConvF32 *conv, const Cut *cut, const QnWinogradF32 *variant,
                            int64_t chunk, float *zeros)
{
    const int64_t first = chunk * cut->input_tiles;
    const int64_t end = qn_min_i64(first + cut->input_tiles, count_tiles(conv, cut));
    const int64_t before = conv->round / 2 * cut->block;
    memset(zeros, 0, (size_t)cut->pitch * sizeof *zeros);
    for (int64_t i = first; i < end; i++) {
        QnWinogradInput in = {.channels = conv->conv.in_channels,
                              .v = (float *)conv->shared + i * cut->pitch,
                              .v_step = cut->v_step};
        find_pixels(&in, conv, cut, find_tile(conv, cut, before + i), zeros);
        variant->input(&in);
    }
}

/* ---- the second kind ---- */

/* Some tiles and one group of output channels. */
typedef struct Part {
    const QnConvF32 *conv;
    const Cut *cut;
    const QnWinogradF32 *variant;
    int64_t first, count;     /* tiles of the block */
    int64_t channel, columns; /* output channels */
    int64_t width;            /* of a row of M and of the weights: whole panels */
    const float *weights;
    float *m, *staged, *sums;
    bool is_direct; /* the transform itself can do the epilogue */
    bool clamp;
    float low, high;
    QnActivateF32Fn *activate;
} Part;

/* M[p] = V[p] U[p] for all positions. */
static void multiply(const Part *part)
{
    const Cut *cut = part->cut;
    const int64_t channels = part->conv->conv.in_channels;
    QnGemmRun runs[64];
    int64_t run_count = 0;
    for (int64_t c = 0; c < channels; c += runs[run_count - 1].length) {
        const bool is_rest = run_count + 1 == (int64_t)QN_COUNT_OF(runs);
        const int64_t length =
            is_rest ? channels - c : qn_min_i64(QN_GEMM_RUN_LENGTH, channels - c);
        runs[run_count++] = (QnGemmRun){.offset = c, .length = length};
    }
    const QnEpilogue bare = {.alpha = 1};
    for (int p = 0; p < cut->taps; p++) {
        const float *v = (const float *)part->conv->shared + p * cut->v_step;
        qn_gemm_f32_block(&(QnGemmBlock){.isa = part->conv->isa,
                                         .a = v + part->first * cut->pitch,
                                         .a_step = cut->pitch,
                                         .runs = runs,
                                         .run_count = run_count,
                                         .b = part->weights + p * channels * part->width,
                                         .b_step = part->width,
                                         .b_stride = QN_PANEL,
                                         .rows = part->count,
                                         .columns = part->width,
                                         .c = part->m + p * cut->m_step,
                                         .c_step = part->width,
                                         .c_column_step = 1,
                                         .epilogue = &bare,
                                         .scratch = part->sums});
    }
}

/* The lines of a tile go through the epilogue one by one, from the first cache level. */
static void finish_staged(const Part *part, Place place, const QnWinogradOutput *out)
{
    const QnConvF32 *conv = part->conv;
    const QnConvTensor *y = &conv->y, *residual = &conv->residual;
    QnEpilogue epilogue = conv->epilogue;
    epilogue.residual_step = residual->step[1];
    epilogue.residual_column_step = residual->channel_step;
    QnEpilogueRows line = {.epilogue = &epilogue,
                           .activate = part->activate,
                           .rows = out->pixels,
                           .columns = part->columns,
                           .pitch = out->y_pixel_step,
                           .c_step = y->step[1],
                           .c_column_step = y->channel_step};
    for (int i = 0; i < out->rows; i++) {
        line.sums = out->y + i * out->y_row_step;
        line.c = y->data + place.image * y->image_step + (place.y + i) * y->step[0] +
                 place.x * y->step[1] + part->channel * y->channel_step;
        if (residual->data)
            line.residual = residual->data + place.image * residual->image_step +
                            (place.y + i) * residual->step[0] + place.x * residual->step[1] +
                            part->channel * residual->channel_step;
        qn_epilogue_finish_rows(&line);
    }
}

static void set_direct(const Part *part, Place place, QnWinogradOutput *out)
{
    const QnConvF32 *conv = part->conv;
    const QnConvTensor *y = &conv->y, *residual = &conv->residual;
    out->y = y->data + place.image * y->image_step + place.y * y->step[0] + place.x * y->step[1] +
             part->channel;
    out->y_row_step = y->step[0];
    out->y_pixel_step = y->step[1];
    out->beta = conv->epilogue.beta;
    out->clamp = part->clamp;
    out->low = part->low;
    out->high = part->high;
    if (!residual->data)
        return;
    out->residual = residual->data + place.image * residual->image_step +
                    place.y * residual->step[0] + place.x * residual->step[1] + part->channel;
    out->residual_row_step = residual->step[0];
    out->residual_pixel_step = residual->step[1];
}

static void transform_output(const Part *part, int64_t i)
{
    const QnConvF32 *conv = part->conv;
    const int tile = conv->conv.tile;
    const Place place =
        find_tile(conv, part->cut, conv->round / 2 * part->cut->block + part->first + i);
    QnWinogradOutput out = {.m = part->m + i * part->width,
                            .m_step = part->cut->m_step,
                            .columns = (int)part->columns,
                            .rows = (int)qn_min_i64(tile, conv->out[0] - place.y),
                            .pixels = (int)qn_min_i64(tile, conv->out[1] - place.x),
                            .y = part->staged,
                            .y_row_step = tile * part->width,
                            .y_pixel_step = part->width,
                            .alpha = conv->epilogue.alpha,
                            .bias =
                                conv->epilogue.bias ? conv->epilogue.bias + part->channel : NULL};
    if (part->is_direct)
        set_direct(part, place, &out);
    part->variant->output(&out);
    if (!part->is_direct)
        finish_staged(part, place, &out);
}

static void set_epilogue(Part *part)
{
    const QnConvF32 *conv = part->conv;
    const QnEpilogue *e = &conv->epilogue;
    const bool is_clamp = qn_epilogue_clamp(e, &part->low, &part->high);
    const bool has_plain_residual =
        !conv->residual.data || (conv->residual.channel_step == 1 &&
                                 !(e->residual_last && e->activation != QN_ACTIVATION_NONE));
    part->is_direct = is_clamp && has_plain_residual && conv->y.channel_step == 1;
    part->clamp = e->activation != QN_ACTIVATION_NONE;
    part->activate = qn_activate_f32_pick(conv->isa);
}

static void multiply_and_transform(const QnConvF32 *conv, const Cut *cut,
                                   const QnWinogradF32 *variant, int64_t chunk, float *scratch)
{
    const Room room = measure(conv, cut);
    const int64_t tiles = count_tiles(conv, cut), parts = qn_ceil_div(tiles, cut->rows);
    const int64_t group = chunk / parts;
    Part part = {.conv = conv,
                 .cut = cut,
                 .variant = variant,
                 .first = chunk % parts * cut->rows,
                 .channel = group * WIDTH,
                 .m = scratch,
                 .staged = scratch + room.m,
                 .sums = scratch + room.m + room.staged};
    part.count = qn_min_i64(cut->rows, tiles - part.first);
    part.columns = qn_min_i64(WIDTH, conv->conv.out_channels - part.channel);
    part.width = (int64_t)qn_round_up((size_t)part.columns, QN_PANEL);
    part.weights = conv->weights + group * cut->taps * conv->conv.in_channels * WIDTH;
    set_epilogue(&part);
    multiply(&part);
    for (int64_t i = 0; i < part.count; i++)
        transform_output(&part, i);
    if (qn_fault("kernel", variant->name))
        qn_fault_spoil(conv->y.data, sizeof *conv->y.data);
}

void qn_winograd_f32_run(const QnConvF32 *conv, int64_t chunk, void *scratch)
{
    const Cut cut = cut_conv(conv);
    const QnWinogradF32 *variant = qn_winograd_f32_pick(conv->isa, conv->conv.tile);
    if (is_input_round(conv))
        transform_input(conv, &cut, variant, chunk, scratch);
    else
        multiply_and_transform(conv, &cut, variant, chunk, scratch);
}

/*
 * Measured on Zen 5, in multiply-adds: an element of V or M takes as long as 14 of them, and a
 * weight, which comes from memory, as 10.
 */
enum { TRANSFORM_WORK = 14, WEIGHT_WORK = 10 };

double qn_winograd_f32_work(const QnConv *conv, double images, double height, double width)
{
    const double in = (double)conv->in_channels, out = (double)conv->out_channels;
    if (!conv->tile)
        return 9 * in * out * (images * height * width + WEIGHT_WORK);
    const double tile = conv->tile, taps = (tile + 2) * (tile + 2);
    const double tiles = images * ceil(height / tile) * ceil(width / tile);
    return taps * (tiles * (in * out + TRANSFORM_WORK * (in + out)) + WEIGHT_WORK * in * out);
}
