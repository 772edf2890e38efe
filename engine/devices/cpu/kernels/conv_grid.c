/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/conv_grid.h"

#include <string.h>

#include "base/checked.h"
#include "engine/devices/cpu/kernels/gemm_block.h"

int64_t qn_conv_phase_count(const QnConv *conv)
{
    int64_t count = 1;
    for (int d = 0; conv->transposed && d < conv->axes; d++)
        if (!qn_mul_i64(&count, count, conv->stride[d]))
            return -1;
    return count;
}

static void set_axis(QnConvAxis *axis, const QnConv *conv, int d, const QnConvF32 *sizes)
{
    *axis = (QnConvAxis){.out_step = 1,
                         .taps = conv->kernel[d],
                         .kernel_step = 1,
                         .in_step = conv->stride[d],
                         .tap_step = conv->dilation[d]};
    if (sizes) {
        axis->count = sizes->out[d];
        axis->in_first = -sizes->pad[d];
    }
}

/*
 * With q' = q + pad, a kernel position t serves q' if (q' - t * dilation) is a multiple of the
 * stride: those of phase r are the t with t * dilation = r modulo the stride, which are equally far
 * apart.
 */
static void set_transposed_axis(QnConvAxis *axis, const QnConv *conv, int d, int64_t residue,
                                const QnConvF32 *sizes)
{
    const int64_t stride = conv->stride[d], dilation = conv->dilation[d], kernel = conv->kernel[d];
    *axis = (QnConvAxis){.out_step = stride, .in_step = 1, .kernel_step = 1};
    int64_t first = 0;
    while (first < kernel && first < stride && (first * dilation - residue) % stride != 0)
        first++;
    if (first < kernel && first < stride) {
        int64_t step = 1;
        while (step * dilation % stride != 0)
            step++;
        axis->kernel_first = first;
        axis->kernel_step = step;
        axis->taps = (kernel - 1 - first) / step + 1;
        axis->in_first = (residue - first * dilation) / stride;
        axis->tap_step = -(step * dilation / stride);
    }
    if (!sizes)
        return;
    const int64_t pad = sizes->pad[d];
    const int64_t begin = qn_ceil_div(pad - residue, stride);
    axis->out_first = begin * stride + residue - pad;
    axis->count = qn_max_i64(0, qn_ceil_div(sizes->out[d] - axis->out_first, stride));
    axis->in_first += begin;
}

void qn_conv_phase(QnConvPhase *out, const QnConv *conv, int64_t index, const QnConvF32 *sizes)
{
    *out = (QnConvPhase){.pixels = 1, .taps = 1};
    for (int d = conv->axes - 1; d >= 0; d--) {
        QnConvAxis *axis = &out->axis[d];
        if (conv->transposed) {
            set_transposed_axis(axis, conv, d, index % conv->stride[d], sizes);
            index /= conv->stride[d];
        } else {
            set_axis(axis, conv, d, sizes);
        }
        out->taps *= axis->taps;
        out->pixels *= axis->count;
    }
    out->k = out->taps * (conv->in_channels / conv->groups);
}

int64_t qn_conv_run_width(const QnConvF32 *conv)
{
    enum { FEW_CHANNELS = 32 };
    const QnConv *c = &conv->conv;
    const int inner = c->axes - 1;
    const int64_t channels = c->in_channels, taps = c->kernel[inner];
    if (c->from_planes)
        return 1;
    const bool is_gapless = conv->x.step[inner] == channels && c->dilation[inner] == 1;
    return is_gapless && !c->transposed && c->groups == 1 && taps > 1 && channels <= FEW_CHANNELS &&
                   taps * channels <= QN_GEMM_RUN_LENGTH
               ? channels
               : 0;
}

/* Pixels of one row of the grid: all but the innermost position are the same. */
typedef struct Segment {
    int64_t position[QN_CONV_MAX_AXES]; /* of its first pixel */
    int64_t count;
    int64_t row; /* of the table */
} Segment;

/* Where tap `outer` of all axes but the innermost lies for a segment, at innermost position 0;
 * NULL: outside. */
static const float *find_row(const QnConvF32 *conv, const QnConvPhase *phase,
                             const Segment *segment, const float *image, int64_t outer)
{
    for (int d = conv->conv.axes - 2; d >= 0; d--) {
        const QnConvAxis *axis = &phase->axis[d];
        const int64_t tap = outer % axis->taps;
        const int64_t at =
            segment->position[d] * axis->in_step + axis->in_first + tap * axis->tap_step;
        if (at < 0 || at >= conv->in[d])
            return NULL;
        image += at * conv->x.step[d];
        outer /= axis->taps;
    }
    return image;
}

/* Which pixels i of [0, count) have at + i * step inside [0, size):
 * from `first` to before `end`. */
static void find_inside(int64_t at, int64_t step, int64_t size, int64_t count, int64_t *first,
                        int64_t *end)
{
    if (step < 0) { /* seen from the other end */
        at = size - 1 - at;
        step = -step;
    }
    *first = at >= 0 ? 0 : qn_min_i64(count, qn_ceil_div(-at, step));
    *end = at >= size ? *first : qn_max_i64(*first, qn_min_i64(count, (size - 1 - at) / step + 1));
}

/* Channels last: one pointer per innermost tap and pixel. */
static void fill_pixels(const QnConvTable *table, const QnConvF32 *conv, const QnConvAxis *axis,
                        const Segment *segment, const float *line, int64_t first_tap)
{
    const int inner = conv->conv.axes - 1;
    const int64_t step = conv->x.step[inner], count = segment->count;
    for (int64_t j = 0; j < axis->taps; j++) {
        const float **to = table->pointers + (first_tap + j) * QN_GEMM_BLOCK_ROWS + segment->row;
        const int64_t at =
            segment->position[inner] * axis->in_step + axis->in_first + j * axis->tap_step;
        int64_t first = count, end = count;
        if (line)
            find_inside(at, axis->in_step, conv->in[inner], count, &first, &end);
        for (int64_t i = 0; i < first; i++)
            to[i] = table->zeros;
        for (int64_t i = first; i < end; i++)
            to[i] = line + (at + i * axis->in_step) * step;
        for (int64_t i = end; i < count; i++)
            to[i] = table->zeros;
    }
}

/* A run of innermost taps with some outside the image, written out. */
static void fill_patch(float *patch, const float *line, const QnConvAxis *axis, int64_t at,
                       int64_t size, int64_t step, int64_t width)
{
    int64_t first, end;
    find_inside(at, axis->tap_step, size, axis->taps, &first, &end);
    for (int64_t i = 0; i < first * width; i++)
        patch[i] = 0;
    const float *from = line + (at + first * axis->tap_step) * step;
    if (axis->tap_step * step == width)
        for (int64_t i = 0; i < (end - first) * width; i++)
            patch[first * width + i] = from[i];
    else
        for (int64_t j = first; j < end; j++, from += axis->tap_step * step)
            for (int64_t c = 0; c < width; c++)
                patch[j * width + c] = from[c];
    for (int64_t i = end * width; i < axis->taps * width; i++)
        patch[i] = 0;
}

/* The pixels of a segment whose innermost taps are one run inside the image. */
typedef struct Whole {
    int64_t width;       /* floats of a tap */
    int64_t at;          /* input position of the first tap of the segment's first pixel */
    int64_t first, last; /* none if last < first */
} Whole;

static Whole find_whole(const QnConvF32 *conv, const QnConvAxis *axis, const Segment *segment,
                        int64_t width)
{
    const int inner = conv->conv.axes - 1;
    const int64_t at = segment->position[inner] * axis->in_step + axis->in_first;
    const int64_t reach = (axis->taps - 1) * axis->tap_step;
    if (axis->tap_step * conv->x.step[inner] != width && axis->taps != 1)
        return (Whole){width, at, segment->count, -1};
    const int64_t high = qn_floor_div(conv->in[inner] - 1 - reach - at, axis->in_step);
    return (Whole){width, at,
                   qn_min_i64(segment->count, qn_max_i64(0, qn_ceil_div(-at, axis->in_step))),
                   qn_min_i64(segment->count - 1, high)};
}

/* One pointer per pixel, to the first of its innermost taps; a run with a hole in it gets a patch.
 * Taps are numbered from 0 to `taps`; line NULL: it is outside the image. */
static void fill_runs(const QnConvTable *table, const QnConvF32 *conv, const QnConvAxis *axis,
                      const Segment *segment, const Whole *whole, const float *line, int64_t tap,
                      int64_t taps)
{
    const int inner = conv->conv.axes - 1;
    const int64_t step = conv->x.step[inner], count = segment->count;
    const float **to = table->pointers + tap * QN_GEMM_BLOCK_ROWS + segment->row;
    if (!line) {
        for (int64_t i = 0; i < count; i++)
            to[i] = table->zeros;
        return;
    }
    for (int64_t i = whole->first; i <= whole->last; i++)
        to[i] = line + (whole->at + i * axis->in_step) * step;
    for (int64_t i = 0; i < count; i++) {
        if (i >= whole->first && i <= whole->last) {
            i = whole->last;
            continue;
        }
        float *patch =
            table->patches + ((segment->row + i) * taps + tap) * axis->taps * whole->width;
        to[i] = patch;
        fill_patch(patch, line, axis, whole->at + i * axis->in_step, conv->in[inner], step,
                   whole->width);
    }
}

/* All rows of taps of a segment: of one pixel, or channel by channel from planes. */
static void fill_all_runs(const QnConvTable *table, const QnConvF32 *conv, const QnConvPhase *phase,
                          const float *image, const Segment *segment, int64_t width)
{
    const QnConvAxis *inner = &phase->axis[conv->conv.axes - 1];
    const int64_t outer_taps = phase->taps / inner->taps;
    const int64_t planes = conv->conv.from_planes ? conv->conv.in_channels : 1;
    const Whole whole = find_whole(conv, inner, segment, width);
    for (int64_t outer = 0; outer < outer_taps; outer++) {
        const float *line = find_row(conv, phase, segment, image, outer);
        for (int64_t c = 0; c < planes; c++)
            fill_runs(table, conv, inner, segment, &whole,
                      line ? line + c * conv->x.channel_step : NULL, c * outer_taps + outer,
                      outer_taps * planes);
    }
}

static void fill_segment(const QnConvTable *table, const QnConvF32 *conv, const QnConvPhase *phase,
                         const float *image, const Segment *segment)
{
    const QnConvAxis *inner = &phase->axis[conv->conv.axes - 1];
    const int64_t outer_taps = phase->taps / inner->taps, width = qn_conv_run_width(conv);
    if (width) {
        fill_all_runs(table, conv, phase, image, segment, width);
        return;
    }
    for (int64_t outer = 0; outer < outer_taps; outer++)
        fill_pixels(table, conv, inner, segment, find_row(conv, phase, segment, image, outer),
                    outer * inner->taps);
}

void qn_conv_fill_table(const QnConvTable *table, const QnConvF32 *conv, const QnConvPhase *phase,
                        int64_t image, int64_t first, int64_t count)
{
    if (!phase->taps)
        return;
    const int inner = conv->conv.axes - 1;
    const float *data = conv->x.data + image * conv->x.image_step;
    Segment segment = {.row = 0};
    for (; segment.row < count; segment.row += segment.count) {
        int64_t pixel = first + segment.row;
        for (int d = inner; d >= 0; d--) {
            segment.position[d] = pixel % phase->axis[d].count;
            pixel /= phase->axis[d].count;
        }
        segment.count =
            qn_min_i64(count - segment.row, phase->axis[inner].count - segment.position[inner]);
        fill_segment(table, conv, phase, data, &segment);
    }
}

/* ---- small images ---- */

/* Elements of axis d that some tap reads, padding included. */
static int64_t reach_of(const QnConvF32 *conv, int d)
{
    const QnConv *c = &conv->conv;
    return (conv->out[d] - 1) * c->stride[d] + (c->kernel[d] - 1) * c->dilation[d] + 1;
}

int64_t qn_conv_padded_floats(const QnConvF32 *conv)
{
    enum { MOST = 1 << 14 };
    int64_t floats = conv->conv.in_channels;
    bool has_padding = false;
    if (!qn_conv_run_width(conv) || conv->conv.transposed)
        return 0;
    for (int d = 0; d < conv->conv.axes; d++) {
        if (conv->out[d] < 1)
            return 0;
        has_padding = has_padding || conv->pad[d] > 0 || reach_of(conv, d) > conv->in[d];
        if (!qn_mul_i64(&floats, floats, reach_of(conv, d)) || floats > MOST)
            return 0;
    }
    return has_padding ? floats : 0;
}

/* Copies `count` positions of `width` floats, or of one each `step` floats apart. */
static void copy_line(float *to, const float *from, int64_t count, int64_t step, int64_t width)
{
    if (step == width) {
        memcpy(to, from, (size_t)(count * width) * sizeof *to);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        for (int64_t c = 0; c < width; c++)
            to[i * width + c] = from[i * step + c];
}

/* The lines of one plane, or of all channels where these lie last. */
static void pad_plane(const QnConvF32 *out, const QnConvF32 *conv, float *to, const float *from)
{
    const int inner = conv->conv.axes - 1;
    const int64_t width = qn_conv_run_width(conv);
    const int64_t count =
        qn_max_i64(0, qn_min_i64(conv->in[inner], out->in[inner] - conv->pad[inner]));
    int64_t lines = 1;
    for (int d = 0; d < inner; d++)
        lines *= conv->in[d];
    for (int64_t line = 0; line < lines; line++) {
        const float *source = from;
        float *target = to + conv->pad[inner] * width;
        bool is_needed = true;
        for (int64_t d = inner - 1, rest = line; d >= 0; d--) {
            const int64_t at = rest % conv->in[d];
            rest /= conv->in[d];
            source += at * conv->x.step[d];
            target += (at + conv->pad[d]) * out->x.step[d];
            is_needed = is_needed && at + conv->pad[d] < out->in[d];
        }
        if (is_needed)
            copy_line(target, source, count, conv->x.step[inner], width);
    }
}

void qn_conv_pad(QnConvF32 *out, const QnConvF32 *conv, int64_t image, float *copy)
{
    const int64_t planes = conv->conv.from_planes ? conv->conv.in_channels : 1;
    int64_t step = qn_conv_run_width(conv);
    memset(copy, 0, (size_t)qn_conv_padded_floats(conv) * sizeof *copy);
    *out = *conv;
    for (int d = conv->conv.axes - 1; d >= 0; d--) {
        out->in[d] = reach_of(conv, d);
        out->pad[d] = 0;
        out->x.step[d] = step;
        step *= out->in[d];
    }
    out->x.channel_step = conv->conv.from_planes ? step : 1;
    out->x.image_step = 0; /* whichever image is asked for, this is it */
    out->x.data = copy;
    const float *data = conv->x.data + image * conv->x.image_step;
    for (int64_t c = 0; c < planes; c++)
        pad_plane(out, conv, copy + c * step, data + c * conv->x.channel_step);
}
