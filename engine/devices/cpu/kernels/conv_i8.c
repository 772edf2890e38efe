/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/conv_i8.h"

#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"

enum {
    CHUNK_OPERATIONS = 16000000,
    GROUP = 4,            /* panels that one tile takes */
    POINTED_CHANNELS = 16 /* from how many on a pointer costs less than a copy */
};

/* ---- weights ---- */

/* Input channels of a group: the bytes of a tap in a row. */
static int64_t tap_bytes(const QnConv *c)
{
    return c->in_channels / c->groups;
}

static int64_t count_taps(const QnConv *c)
{
    int64_t taps = 1;
    for (int d = 0; d < c->axes; d++)
        taps *= c->kernel[d];
    return taps;
}

/* The panels of one group; false where a number does not fit. */
static bool find_panels(QnPanelsI8 *panels, const QnConv *c)
{
    int64_t k = tap_bytes(c);
    for (int d = 0; d < c->axes; d++)
        if (!qn_mul_i64(&k, k, c->kernel[d]))
            return false;
    return qn_pack_i8_size(panels, k, c->out_channels / c->groups);
}

bool qn_conv_i8_packed_size(size_t *bytes, const QnConv *conv)
{
    QnPanelsI8 panels;
    int64_t weights = conv->in_channels / conv->groups;
    for (int d = 0; d < conv->axes; d++)
        if (!qn_mul_i64(&weights, weights, conv->kernel[d]))
            return false;
    /* Every product of sizes that is formed later fits if this does. */
    return qn_mul_i64(&weights, weights, conv->out_channels) && weights < INT64_MAX / 4096 &&
           find_panels(&panels, conv) &&
           qn_mul_size(bytes, panels.size_bytes, (size_t)conv->groups);
}

void qn_conv_i8_pack(void *packed, const QnConv *conv, bool is_unsigned, const void *w)
{
    const int64_t channels = conv->in_channels / conv->groups,
                  out = conv->out_channels / conv->groups, taps = count_taps(conv);
    QnPanelsI8 panels;
    if (!find_panels(&panels, conv))
        return; /* its size was refused */
    for (int64_t g = 0; g < conv->groups; g++) {
        char *to = (char *)packed + (size_t)g * panels.size_bytes;
        const char *from = (const char *)w + g * out * channels * taps;
        qn_pack_i8(to, &panels, from, 0, 0, is_unsigned, 0, out);
        for (int64_t tap = 0; tap < taps; tap++)
            qn_pack_i8_rows(to, &panels, tap * tap_bytes(conv), from + tap, taps, channels * taps,
                            is_unsigned, channels, out);
    }
}

/* ---- the cut ---- */

/* Chunks: images, groups, column chunks, block chunks, the last varying fastest. */
typedef struct Cut {
    bool is_flat;   /* output pixels of an image are equally far apart */
    int64_t lines;  /* of an image that blocks do not cross; 1 if flat */
    int64_t span;   /* pixels of a line */
    int64_t blocks; /* of a line */
    int64_t chunk_blocks, block_chunks;
    int64_t panels, panel_chunks;
} Cut;

static bool is_flat(const QnConvI8 *conv)
{
    for (int d = 0; d < conv->conv.axes - 1; d++)
        if (conv->y_step[d] != conv->y_step[d + 1] * conv->out[d + 1])
            return false;
    return true;
}

static int64_t at_least_one(double x)
{
    return x < 1 ? 1 : x > 1e9 ? 1000000000 : (int64_t)x;
}

static Cut cut_conv(const QnConvI8 *conv)
{
    const QnConv *c = &conv->conv;
    Cut cut = {.is_flat = is_flat(conv), .lines = 1, .span = conv->out[c->axes - 1]};
    for (int d = 0; d < c->axes - 1; d++)
        *(cut.is_flat ? &cut.span : &cut.lines) *= conv->out[d];
    cut.blocks = qn_ceil_div(cut.span, QN_BLOCK_I8_ROWS);
    cut.panels = qn_ceil_div(c->out_channels / c->groups, QN_PANEL_I8);
    const double rows = (double)qn_min_i64(cut.span, QN_BLOCK_I8_ROWS);
    const double whole =
        2.0 * 16 * rows * (double)(count_taps(c) * tap_bytes(c)) * (double)cut.panels;
    const int64_t panels = cut.panels;
    cut.chunk_blocks = at_least_one(CHUNK_OPERATIONS / (whole + 1));
    /* Few large blocks are cut into columns, many are chunks of their own. */
    if (whole > 2.0 * CHUNK_OPERATIONS && cut.blocks * cut.lines < 8)
        cut.panels = qn_min_i64(
            panels, GROUP * at_least_one((double)panels / GROUP * CHUNK_OPERATIONS / whole));
    cut.block_chunks = qn_ceil_div(cut.blocks * cut.lines, cut.chunk_blocks);
    cut.panel_chunks = qn_ceil_div(panels, cut.panels);
    return cut;
}

int64_t qn_conv_i8_chunks(const QnConvI8 *conv)
{
    for (int d = 0; d < conv->conv.axes; d++)
        if (conv->out[d] == 0)
            return 0;
    const Cut cut = cut_conv(conv);
    return conv->images * conv->conv.groups * cut.panel_chunks * cut.block_chunks;
}

/* ---- rows ---- */

/* Fastest first. */
static const struct Patch {
    QnIsa needs;
    QnPatchFn *run;
} patches[] = {
#if QN_ARCH_X86
    {QN_ISA_AVX512, qn_patch_avx512},
    {QN_ISA_AVX2, qn_patch_avx2},
#endif
    {QN_ISA_NONE, qn_patch_c},
};

static QnPatchFn *pick_patch(QnIsa have)
{
    const struct Patch *variant = patches;
    while ((variant->needs & have) != variant->needs)
        variant++;
    return variant->run;
}

void qn_patch_c(uint8_t *to, int64_t step, const uint8_t *first, const int64_t *pieces,
                int64_t count, int64_t bytes)
{
    for (int64_t i = 0; i < count; i++)
        memcpy(to + i * step, first + pieces[i], (size_t)bytes);
}

/* The byte that stands for zero. */
static int zero_of(const QnConvI8 *conv)
{
    return (uint8_t)(conv->terms.zero_a + (conv->terms.a_is_signed ? QN_MOVE_I8 : 0));
}

/* How the product gets its rows. */
typedef enum Access {
    IN_PLACE, /* the pixels are the rows */
    POINTED,  /* a row is as many pixels as the kernel has taps, wherever they lie */
    COPIED    /* side by side */
} Access;

/* Are the pixels that the kernel sees the rows of the product as they lie? */
static bool is_in_place(const QnConvI8 *conv)
{
    const QnConv *c = &conv->conv;
    const int last = c->axes - 1;
    const int64_t channels = tap_bytes(c);
    for (int d = 0; d < c->axes; d++) {
        if (c->kernel[d] != 1 || c->stride[d] != 1 || conv->pad[d] || conv->in[d] != conv->out[d])
            return false;
        if (d < last && conv->x_step[d] != conv->x_step[d + 1] * conv->in[d + 1])
            return false;
    }
    return c->groups == 1 ? (channels + 3) / 4 * 4 <= conv->x_pitch : channels % 4 == 0;
}

static Access access_of(const QnConvI8 *conv)
{
    const int64_t channels = tap_bytes(&conv->conv);
    if (conv->x_channel_step != 1)
        return COPIED;
    if (is_in_place(conv))
        return IN_PLACE;
    return channels % 4 == 0 && channels >= POINTED_CHANNELS ? POINTED : COPIED;
}

static size_t row_bytes(const QnConvI8 *conv)
{
    return qn_round_up((size_t)(count_taps(&conv->conv) * tap_bytes(&conv->conv)), 64);
}

static size_t piece_room(const QnConvI8 *conv)
{
    return qn_round_up((size_t)count_taps(&conv->conv) * sizeof(int64_t), 64);
}

/* Of pointers: a pixel of zero points, and the taps of each row. */
static size_t outside_room(const QnConvI8 *conv)
{
    return qn_round_up((size_t)(tap_bytes(&conv->conv)), 64);
}

size_t qn_conv_i8_scratch(const QnConvI8 *conv)
{
    switch (access_of(conv)) {
    case IN_PLACE:
        return 0;
    case POINTED:
        return outside_room(conv) +
               (size_t)count_taps(&conv->conv) * QN_BLOCK_I8_ROWS * sizeof(uint8_t *);
    default:
        return piece_room(conv) + row_bytes(conv) * QN_BLOCK_I8_ROWS;
    }
}

/* One chunk at work. */
typedef struct Chunk {
    const QnConvI8 *conv;
    Cut cut;
    QnPanelsI8 panels;
    int64_t image, group;
    int64_t first_block, block_count;
    int64_t first_panel, panel_count;
    Access access;
    int64_t lines; /* of the kernel */
    /* Of pointers: run r of row m is pointers[r * QN_BLOCK_I8_ROWS + m]. */
    const uint8_t **pointers, *outside;
    /* Of copies. */
    int64_t *pieces; /* [piece_count]: where they are from the first tap on */
    int64_t piece_count, piece_bytes, piece_step; /* step: in a row */
    QnPatchFn *patch;
    uint8_t *rows;
} Chunk;

/* Do the taps of a line of the kernel lie side by side, as they do in a row? */
static bool is_run(const QnConvI8 *conv)
{
    const QnConv *c = &conv->conv;
    const int last = c->axes - 1;
    return conv->x_channel_step == 1 && c->dilation[last] == 1 &&
           conv->x_step[last] == tap_bytes(c);
}

/* The pieces of a row whose taps are all inside the image: runs of a line, or taps. */
static void find_pieces(Chunk *t)
{
    const QnConvI8 *conv = t->conv;
    const QnConv *c = &conv->conv;
    const int last = is_run(conv) ? c->axes - 1 : c->axes;
    int64_t tap[QN_CONV_MAX_AXES] = {0};
    t->piece_count = last < c->axes ? t->lines : count_taps(c);
    t->piece_step = tap_bytes(c) * (last < c->axes ? c->kernel[last] : 1);
    t->piece_bytes = last < c->axes ? t->piece_step : tap_bytes(c);
    for (int64_t i = 0; i < t->piece_count; i++) {
        t->pieces[i] = 0;
        for (int d = 0; d < last; d++)
            t->pieces[i] += tap[d] * c->dilation[d] * conv->x_step[d];
        for (int d = last - 1; d >= 0 && ++tap[d] == c->kernel[d]; d--)
            tap[d] = 0;
    }
}

/* `count` pixels of the innermost axis, tap_step apart, whose first is at position `at`. */
static void copy_line(const Chunk *t, uint8_t *to, const uint8_t *line, int64_t at)
{
    const QnConvI8 *conv = t->conv;
    const QnConv *c = &conv->conv;
    const int last = c->axes - 1;
    const int64_t channels = tap_bytes(c), bytes = tap_bytes(c), count = c->kernel[last],
                  dilation = c->dilation[last], step = conv->x_step[last];
    const int64_t reach = at + (count - 1) * dilation;
    if (is_run(conv) && at >= 0 && reach < conv->in[last]) {
        memcpy(to, line + at * step, (size_t)(count * bytes));
        return;
    }
    for (int64_t j = 0; j < count; j++, at += dilation, to += bytes) {
        if (at < 0 || at >= conv->in[last])
            memset(to, zero_of(conv), (size_t)bytes);
        else if (conv->x_channel_step == 1)
            memcpy(to, line + at * step, (size_t)channels);
        else
            for (int64_t i = 0; i < channels; i++)
                to[i] = line[at * step + i * conv->x_channel_step];
    }
}

/* The next line of the kernel: of the innermost axis all taps are one. */
static void next_line(int64_t *tap, const QnConv *c)
{
    for (int d = c->axes - 2; d >= 0 && ++tap[d] == c->kernel[d]; d--)
        tap[d] = 0;
}

/* The line of the image under a line of the kernel; NULL: it is outside. */
static const uint8_t *find_line(const QnConvI8 *conv, const uint8_t *image, const int64_t *position,
                                const int64_t *tap)
{
    const QnConv *c = &conv->conv;
    for (int d = 0; d < c->axes - 1; d++) {
        const int64_t at = position[d] * c->stride[d] - conv->pad[d] + tap[d] * c->dilation[d];
        if (at < 0 || at >= conv->in[d])
            return NULL;
        image += at * conv->x_step[d];
    }
    return image;
}

/* The input pixel under the kernel's first tap; NULL where some tap is outside the image. */
static const uint8_t *find_inside(const QnConvI8 *conv, const uint8_t *image,
                                  const int64_t *position)
{
    const QnConv *c = &conv->conv;
    for (int d = 0; d < c->axes; d++) {
        const int64_t at = position[d] * c->stride[d] - conv->pad[d];
        if (at < 0 || at + (c->kernel[d] - 1) * c->dilation[d] >= conv->in[d])
            return NULL;
        image += at * conv->x_step[d];
    }
    return image;
}

/* What the kernel sees at an output position. */
static void copy_pixel(const Chunk *t, uint8_t *to, const uint8_t *image, const int64_t *position)
{
    const QnConvI8 *conv = t->conv;
    const QnConv *c = &conv->conv;
    const int last = c->axes - 1;
    const int64_t bytes = c->kernel[last] * tap_bytes(c);
    const int64_t at = position[last] * c->stride[last] - conv->pad[last];
    const uint8_t *inside = conv->x_channel_step == 1 ? find_inside(conv, image, position) : NULL;
    int64_t tap[QN_CONV_MAX_AXES] = {0};
    if (inside) {
        t->patch(to, t->piece_step, inside, t->pieces, t->piece_count, t->piece_bytes);
        return;
    }
    for (int64_t i = 0; i < t->lines; i++, to += bytes) {
        const uint8_t *line = find_line(conv, image, position, tap);
        if (line)
            copy_line(t, to, line, at);
        else
            memset(to, zero_of(conv), (size_t)bytes);
        next_line(tap, c);
    }
}

static void find_position(const QnConvI8 *conv, int64_t pixel, int64_t *position)
{
    for (int d = conv->conv.axes - 1; d >= 0; d--) {
        position[d] = pixel % conv->out[d];
        pixel /= conv->out[d];
    }
}

static const uint8_t *find_image(const Chunk *t)
{
    const QnConvI8 *conv = t->conv;
    const int64_t channels = tap_bytes(&conv->conv);
    return conv->x + t->image * conv->x_image_step + t->group * channels * conv->x_channel_step;
}

/* The rows of output pixels [pixel, pixel + rows). */
static void copy_rows(const Chunk *t, int64_t pixel, int64_t rows)
{
    const QnConvI8 *conv = t->conv;
    const int64_t step = (int64_t)row_bytes(conv);
    const uint8_t *image = find_image(t);
    int64_t position[QN_CONV_MAX_AXES];
    find_position(conv, pixel, position);
    for (int64_t m = 0; m < rows; m++) {
        copy_pixel(t, t->rows + m * step, image, position);
        for (int d = conv->conv.axes - 1; d >= 0 && ++position[d] == conv->out[d]; d--)
            position[d] = 0;
    }
}

/* One tap of `count` output pixels side by side, the first of which has it at position `at`; a NULL
 * line is outside. */
static void point_line(const Chunk *t, const uint8_t **to, const uint8_t *line, int64_t at,
                       int64_t count)
{
    const QnConvI8 *conv = t->conv;
    const int last = conv->conv.axes - 1;
    const int64_t stride = conv->conv.stride[last], in = conv->in[last];
    int64_t begin = 0, end = line ? count : 0; /* of those inside */
    if (line && at < 0)
        begin = qn_min_i64(count, qn_ceil_div(-at, stride));
    if (line && at + (count - 1) * stride >= in)
        end = at < in ? qn_max_i64(begin, qn_ceil_div(in - at, stride)) : begin;
    for (int64_t i = 0; i < begin; i++)
        to[i] = t->outside;
    for (int64_t i = begin; i < end; i++)
        to[i] = line + (at + i * stride) * conv->x_step[last];
    for (int64_t i = end; i < count; i++)
        to[i] = t->outside;
}

/* The pointers of output pixels [pixel, pixel + rows), line by line of the output. */
static void point_rows(const Chunk *t, int64_t pixel, int64_t rows)
{
    const QnConvI8 *conv = t->conv;
    const QnConv *c = &conv->conv;
    const int last = c->axes - 1;
    const uint8_t *image = find_image(t);
    int64_t position[QN_CONV_MAX_AXES], count;
    for (int64_t m = 0; m < rows; m += count) {
        int64_t tap[QN_CONV_MAX_AXES] = {0};
        find_position(conv, pixel + m, position);
        count = qn_min_i64(rows - m, conv->out[last] - position[last]);
        const uint8_t **to = t->pointers + m;
        for (int64_t i = 0; i < t->lines; i++, next_line(tap, c)) {
            const uint8_t *line = find_line(conv, image, position, tap);
            int64_t at = position[last] * c->stride[last] - conv->pad[last];
            for (int64_t j = 0; j < c->kernel[last]; j++, to += QN_BLOCK_I8_ROWS) {
                point_line(t, to, line, at, count);
                at += c->dilation[last];
            }
        }
    }
}

/* Where the rows of output pixels lie, in a block's terms; `rows`: room for their pointers. */
static void find_rows(const Chunk *t, QnGemmI8Block *block, const uint8_t **rows, int64_t pixel)
{
    const QnConvI8 *conv = t->conv;
    const QnConv *c = &conv->conv;
    block->a = rows;
    block->a_step = QN_BLOCK_I8_ROWS;
    block->runs = 1;
    block->k = count_taps(c) * tap_bytes(c);
    if (t->access == IN_PLACE) {
        const int64_t step = conv->x_step[c->axes - 1];
        qn_point_i8(rows, find_image(t) + pixel * step, step, block->rows);
    } else if (t->access == POINTED) {
        point_rows(t, pixel, block->rows);
        block->a = t->pointers;
        block->runs = count_taps(c);
        block->k = tap_bytes(c);
    } else {
        copy_rows(t, pixel, block->rows);
        qn_point_i8(rows, t->rows, (int64_t)row_bytes(conv), block->rows);
    }
}

/* ---- blocks ---- */

/* Terms whose arrays begin at the group's first channel. */
static QnTermsI8 terms_of(const Chunk *t)
{
    const int64_t first = t->group * (t->conv->conv.out_channels / t->conv->conv.groups);
    QnTermsI8 terms = t->conv->terms;
    terms.zero_b = terms.zero_b ? terms.zero_b + first * terms.zero_b_step : NULL;
    terms.bias = terms.bias ? terms.bias + first * terms.bias_step : NULL;
    terms.factor = terms.factor ? terms.factor + first * terms.factor_step : NULL;
    terms.float_bias = terms.float_bias ? terms.float_bias + first : NULL;
    return terms;
}

/* Where an output pixel lies, in elements. */
static int64_t find_output(const QnConvI8 *conv, int64_t image, int64_t pixel)
{
    int64_t position[QN_CONV_MAX_AXES], at = image * conv->y_image_step;
    find_position(conv, pixel, position);
    for (int d = 0; d < conv->conv.axes; d++)
        at += position[d] * conv->y_step[d];
    return at;
}

static void run_block(const Chunk *t, int64_t pixel, int64_t rows)
{
    const QnConvI8 *conv = t->conv;
    const QnConv *c = &conv->conv;
    const int last = c->axes - 1;
    const int64_t out = c->out_channels / c->groups, first = t->first_panel * QN_PANEL_I8;
    const char *packed = (const char *)conv->weights + (size_t)t->group * t->panels.size_bytes;
    const QnTermsI8 terms = terms_of(t);
    const uint8_t *row_pointers[QN_BLOCK_I8_ROWS];
    int32_t row_sums[QN_BLOCK_I8_ROWS];
    QnGemmI8Block block = {
        .isa = conv->isa,
        .terms = &terms,
        .row_sums = row_sums,
        .b = (const int8_t *)packed,
        .b_stride = t->panels.stride,
        .b_sums = (const int32_t *)(const void *)(packed + t->panels.sums_offset),
        .rows = rows,
        .first = first,
        .columns = qn_min_i64(t->panel_count * QN_PANEL_I8, out - first),
        .c_step = conv->y_step[last],
    };
    find_rows(t, &block, row_pointers, pixel);
    if (qn_terms_i8_need_rows(&terms))
        qn_sum_i8(row_sums, block.a, block.a_step, block.runs, rows, block.k);
    block.c = (char *)conv->y + (find_output(conv, t->image, pixel) + t->group * out + first) *
                                    qn_scale_size(terms.to);
    qn_gemm_i8_block(&block);
}

static void place(Chunk *t, int64_t number)
{
    const Cut *cut = &t->cut;
    const QnConv *c = &t->conv->conv;
    t->first_block = number % cut->block_chunks * cut->chunk_blocks;
    t->block_count = qn_min_i64(cut->chunk_blocks, cut->blocks * cut->lines - t->first_block);
    number /= cut->block_chunks;
    const int64_t panels = qn_ceil_div(c->out_channels / c->groups, QN_PANEL_I8);
    t->first_panel = number % cut->panel_chunks * cut->panels;
    t->panel_count = qn_min_i64(cut->panels, panels - t->first_panel);
    number /= cut->panel_chunks;
    t->group = number % c->groups;
    t->image = number / c->groups;
}

static void lay_out(Chunk *t, uint8_t *scratch)
{
    const QnConvI8 *conv = t->conv;
    t->access = access_of(conv);
    t->lines = count_taps(&conv->conv) / conv->conv.kernel[conv->conv.axes - 1];
    if (t->access == POINTED) {
        memset(scratch, zero_of(conv), outside_room(conv));
        t->outside = scratch;
        t->pointers = (const uint8_t **)(void *)(scratch + outside_room(conv));
    } else if (t->access == COPIED) {
        t->pieces = (int64_t *)(void *)scratch;
        t->rows = scratch + piece_room(conv);
        t->patch = pick_patch(conv->isa);
        find_pieces(t);
        /* What fills up pixels and rows meets weights of zero: any number, but one that was set. */
        memset(t->rows, 0, row_bytes(conv) * QN_BLOCK_I8_ROWS);
    }
}

void qn_conv_i8_run(const QnConvI8 *conv, int64_t number, void *scratch)
{
    Chunk t = {.conv = conv, .cut = cut_conv(conv)};
    if (!find_panels(&t.panels, &conv->conv))
        return; /* its size was refused */
    place(&t, number);
    lay_out(&t, scratch);
    for (int64_t i = 0; i < t.block_count; i++) {
        const int64_t block = t.first_block + i, line = block / t.cut.blocks;
        const int64_t first = block % t.cut.blocks * QN_BLOCK_I8_ROWS;
        run_block(&t, line * t.cut.span + first, qn_min_i64(QN_BLOCK_I8_ROWS, t.cut.span - first));
    }
}
