/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/depthwise_i8.h"

#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/fault.h"

enum {
    PIXELS = 16, /* of a line that are done together */
    CHUNK_OPERATIONS = 4000000,
    BLOCK = QN_DEPTHWISE_I8_BLOCK,
    TAPS = QN_DEPTHWISE_I8_TAPS
};

/* ---- variants ---- */

const QnDepthwiseI8 qn_depthwise_i8[] = {
#if QN_ARCH_X86
    {"depthwise_i8_avx512vnni", QN_ISA_AVX512 | QN_ISA_AVX512VNNI, qn_depthwise_i8_avx512vnni},
    {"depthwise_i8_avx2", QN_ISA_AVX2, qn_depthwise_i8_avx2},
#endif
    {"depthwise_i8_c", QN_ISA_NONE, qn_depthwise_i8_c},
};

const int qn_depthwise_i8_count = QN_COUNT_OF(qn_depthwise_i8);

const QnDepthwiseI8 *qn_depthwise_i8_pick(QnIsa have)
{
    const QnDepthwiseI8 *variant = qn_depthwise_i8;
    while ((variant->needs & have) != variant->needs)
        variant++;
    return variant;
}

/* Where the weight of a channel and tap is in its block's four taps, in bytes. */
static int64_t weight_at(int64_t channel, int64_t tap)
{
    const int64_t c = channel % BLOCK, vector = c % 16 / 4, lane = c / 16;
    return vector * 64 + lane * 16 + c % 4 * TAPS + tap % TAPS;
}

static void add_products(int32_t *restrict sums, const uint8_t *restrict x,
                         const int16_t *restrict w, uint8_t move, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        sums[j] += (int16_t)(x[j] ^ move) * w[j];
}

/* Channels c to c + n, which are of one block: tap by tap, so that its weights are put side by side
 * once for all pixels. */
static void run_part(const QnDepthwiseI8Line *line, int64_t c, int64_t n)
{
    const int8_t *block = line->w + c / BLOCK * line->groups * BLOCK * TAPS;
    int16_t w[BLOCK], ones[BLOCK];
    for (int64_t j = 0; j < n; j++)
        ones[j] = 1;
    for (int64_t t = 0; t < line->groups * TAPS; t++) {
        for (int64_t j = 0; j < n; j++)
            w[j] = block[t / TAPS * BLOCK * TAPS + weight_at(c + j, t)];
        for (int64_t i = 0; i < line->count; i++) {
            const uint8_t *x = line->taps[i * line->pixel_step + t] + c;
            add_products(line->sums + i * line->channels + c, x, w, line->move, n);
            if (line->x_sums)
                add_products(line->x_sums + i * line->channels + c, x, ones, line->move, n);
        }
    }
}

void qn_depthwise_i8_from(const QnDepthwiseI8Line *line, int64_t first)
{
    for (int64_t i = 0; i < line->count; i++)
        for (int64_t c = first; c < line->channels; c++) {
            line->sums[i * line->channels + c] = 0;
            if (line->x_sums)
                line->x_sums[i * line->channels + c] = 0;
        }
    for (int64_t c = first, n; c < line->channels; c += n) {
        n = qn_min_i64(BLOCK - c % BLOCK, line->channels - c);
        run_part(line, c, n);
    }
}

void qn_depthwise_i8_c(const QnDepthwiseI8Line *line)
{
    qn_depthwise_i8_from(line, 0);
}

/* ---- weights ---- */

bool qn_depthwise_i8_fits(const QnConv *conv)
{
    return conv->groups > 1 && conv->in_channels == conv->groups &&
           conv->out_channels == conv->groups;
}

static int64_t count_taps(const QnConv *conv)
{
    int64_t taps = 1;
    for (int d = 0; d < conv->axes; d++)
        taps *= conv->kernel[d];
    return taps;
}

/* The order of the taps in fours: tap (row, column) of the kernel is number
 * row * row_step + column * column_step of 4 * groups.  It depends on nothing but the kernel, as
 * packed weights do. */
typedef struct Order {
    int64_t rows, columns; /* of the kernel, whose columns are its innermost axis */
    int64_t groups, row_step, column_step;
    bool is_by_columns;
} Order;

static Order order_taps(const QnConv *conv)
{
    const int64_t columns = conv->kernel[conv->axes - 1], rows = count_taps(conv) / columns;
    const int64_t high = qn_ceil_div(rows, TAPS), flat = qn_ceil_div(rows * columns, TAPS);
    if (high * columns > flat)
        return (Order){rows, columns, flat, columns, 1, false};
    return (Order){rows, columns, flat, 1, high * TAPS, true};
}

/* Is the next pixel's first column one of this pixel's, or the one behind them? */
static bool slides(const QnConv *conv)
{
    const int last = conv->axes - 1;
    return order_taps(conv).is_by_columns && conv->dilation[last] == 1 &&
           conv->stride[last] <= conv->kernel[last];
}

/* Bytes of the weights, which the sums of the channels' weights follow. */
static size_t weight_bytes(const QnConv *conv)
{
    return (size_t)(qn_ceil_div(conv->groups, BLOCK) * order_taps(conv).groups * BLOCK * TAPS);
}

bool qn_depthwise_i8_packed_size(size_t *bytes, const QnConv *conv)
{
    int64_t weights = conv->groups;
    for (int d = 0; d < conv->axes; d++)
        if (!qn_mul_i64(&weights, weights, conv->kernel[d]))
            return false;
    if (weights > INT64_MAX / 4096)
        return false;
    *bytes = weight_bytes(conv) + (size_t)conv->groups * sizeof(int32_t);
    return true;
}

void qn_depthwise_i8_pack(void *packed, const QnConv *conv, bool is_unsigned, const void *w)
{
    const Order order = order_taps(conv);
    const int64_t taps = order.rows * order.columns;
    const uint8_t move = is_unsigned ? 0x80 : 0, *from = w;
    int8_t *to = packed;
    int32_t *sums = (int32_t *)(void *)((char *)packed + weight_bytes(conv));
    memset(packed, 0, weight_bytes(conv));
    for (int64_t c = 0; c < conv->groups; c++) {
        int8_t *block = to + c / BLOCK * order.groups * BLOCK * TAPS;
        sums[c] = 0;
        for (int64_t t = 0; t < taps; t++) {
            const int8_t value = (int8_t)(from[c * taps + t] ^ move);
            const int64_t at =
                t / order.columns * order.row_step + t % order.columns * order.column_step;
            block[at / TAPS * BLOCK * TAPS + weight_at(c, at)] = value;
            sums[c] += value;
        }
    }
}

/* ---- lines ---- */

/* Chunks: runs of lines of all images; a line is a row of output pixels. */
typedef struct Cut {
    int64_t lines, chunk_lines;
} Cut;

static Cut cut_conv(const QnConvI8 *conv)
{
    const QnConv *c = &conv->conv;
    const double work = 2.0 * (double)conv->out[c->axes - 1] * (double)(count_taps(c) * c->groups);
    Cut cut = {.lines = conv->images, .chunk_lines = 1};
    for (int d = 0; d < c->axes - 1; d++)
        cut.lines *= conv->out[d];
    if (work < CHUNK_OPERATIONS)
        cut.chunk_lines = (int64_t)(CHUNK_OPERATIONS / (work + 1));
    return cut;
}

int64_t qn_depthwise_i8_chunks(const QnConvI8 *conv)
{
    const Cut cut = cut_conv(conv);
    return conv->out[conv->conv.axes - 1] ? qn_ceil_div(cut.lines, cut.chunk_lines) : 0;
}

/* What one thread's scratch holds, in this order; bytes, in whole lines. */
typedef struct Room {
    size_t outside; /* a pixel of zero points; and one of nothing */
    size_t taps;    /* pointers */
    size_t sums,
        terms; /* int32 [PIXELS][channels], [2][channels]; of the inputs where they count */
} Room;

static Room measure(const QnConvI8 *conv)
{
    const size_t channels = (size_t)conv->conv.groups,
                 taps = (size_t)order_taps(&conv->conv).groups * TAPS * PIXELS;
    return (Room){.outside = qn_round_up(channels, 64),
                  .taps = qn_round_up(taps * sizeof(uint8_t *), 64),
                  .sums = qn_round_up(channels * PIXELS * sizeof(int32_t), 64),
                  .terms = qn_round_up(channels * sizeof(int32_t), 64)};
}

size_t qn_depthwise_i8_scratch(const QnConvI8 *conv)
{
    const Room room = measure(conv);
    return 2 * room.outside + room.taps + 2 * room.sums + 3 * room.terms;
}

/* One chunk at work. */
typedef struct Chunk {
    const QnConvI8 *conv;
    const QnDepthwiseI8 *variant;
    QnScaleI32Fn *scale;
    QnScaleI32 terms;
    Order order;
    bool slides;
    int64_t pixel_step;     /* of the taps */
    const uint8_t *outside; /* zero points */
    const uint8_t **taps;
    int32_t *sums, *x_sums;
    int32_t *add;    /* [channels] */
    int32_t *zero_w; /* [channels], of the moved weights */
    bool has_zero_w; /* one of them is not 0 */
    float *factor;   /* [channels] */
} Chunk;

static void set_terms(Chunk *t)
{
    const QnTermsI8 *terms = &t->conv->terms;
    const QnConv *c = &t->conv->conv;
    const int32_t *w_sums =
        (const int32_t *)(const void *)((const char *)t->conv->weights + weight_bytes(c));
    const uint32_t zero_x = (uint32_t)terms->zero_a + (terms->a_is_signed ? QN_MOVE_I8 : 0),
                   taps = (uint32_t)count_taps(c);
    for (int64_t n = 0; n < c->groups; n++) {
        const uint32_t given = terms->zero_b ? (uint32_t)terms->zero_b[n * terms->zero_b_step] : 0;
        const uint32_t zero_w = given - (terms->b_is_unsigned ? QN_MOVE_I8 : 0);
        const uint32_t bias = terms->bias ? (uint32_t)terms->bias[n * terms->bias_step] : 0;
        t->add[n] = (int32_t)(bias - zero_x * ((uint32_t)w_sums[n] - taps * zero_w));
        t->zero_w[n] = (int32_t)zero_w;
        t->has_zero_w = t->has_zero_w || zero_w;
        t->factor[n] = terms->factor ? terms->factor[n * terms->factor_step] : 1;
    }
    t->terms = (QnScaleI32){.to = terms->to,
                            .add = t->add,
                            .factor = t->factor,
                            .bias = terms->float_bias,
                            .zero = terms->zero};
}

/* A line of the output in its innermost axis: the positions of the others, and its image. */
typedef struct Line {
    int64_t image, position[QN_CONV_MAX_AXES];
} Line;

static Line find_line(const QnConvI8 *conv, int64_t number)
{
    Line line = {0};
    for (int d = conv->conv.axes - 2; d >= 0; d--) {
        line.position[d] = number % conv->out[d];
        number /= conv->out[d];
    }
    line.image = number;
    return line;
}

/* The input's line under row `row` of the kernel; NULL: it is outside. */
static const uint8_t *find_input(const QnConvI8 *conv, const Line *line, int64_t row)
{
    const QnConv *c = &conv->conv;
    const uint8_t *x = conv->x + line->image * conv->x_image_step;
    for (int d = c->axes - 2; d >= 0; d--) {
        const int64_t y =
            line->position[d] * c->stride[d] - conv->pad[d] + row % c->kernel[d] * c->dilation[d];
        row /= c->kernel[d];
        if (y < 0 || y >= conv->in[d])
            return NULL;
        x += y * conv->x_step[d];
    }
    return x;
}

/* The pointers of `count` pixels from `first` on.  Those that fill fours stay what they are. */
static void fill_taps(const Chunk *t, const Line *line, int64_t first, int64_t count)
{
    const QnConvI8 *conv = t->conv;
    const QnConv *c = &conv->conv;
    const Order *order = &t->order;
    const int last = c->axes - 1;
    const int64_t pixels = t->slides ? 1 : count;
    const int64_t columns =
        t->slides ? (count - 1) * c->stride[last] + order->columns : order->columns;
    for (int64_t row = 0; row < order->rows; row++) {
        const uint8_t *x = find_input(conv, line, row);
        for (int64_t i = 0; i < pixels; i++) {
            int64_t at = (first + i) * c->stride[last] - conv->pad[last];
            const uint8_t **to = t->taps + i * TAPS * order->groups + row * order->row_step;
            for (int64_t j = 0; j < columns; j++, at += c->dilation[last], to += order->column_step)
                *to =
                    x && at >= 0 && at < conv->in[last] ? x + at * conv->x_step[last] : t->outside;
        }
    }
}

/* Takes what the zero points of the weights count for away from the sums. */
static void subtract_zeros(const Chunk *t, int64_t count)
{
    const int64_t channels = t->conv->conv.groups;
    for (int64_t i = 0; i < count; i++)
        for (int64_t n = 0; n < channels; n++)
            t->sums[i * channels + n] =
                (int32_t)((uint32_t)t->sums[i * channels + n] -
                          (uint32_t)t->x_sums[i * channels + n] * (uint32_t)t->zero_w[n]);
}

static void run_pixels(const Chunk *t, const Line *line, int64_t first, int64_t count)
{
    const QnConvI8 *conv = t->conv;
    const QnConv *c = &conv->conv;
    const int last = c->axes - 1;
    const int64_t size = qn_scale_size(t->terms.to);
    int64_t at = line->image * conv->y_image_step + first * conv->y_step[last];
    for (int d = 0; d < last; d++)
        at += line->position[d] * conv->y_step[d];
    fill_taps(t, line, first, count);
    t->variant->run(&(QnDepthwiseI8Line){.taps = t->taps,
                                         .pixel_step = t->pixel_step,
                                         .count = count,
                                         .groups = t->order.groups,
                                         .channels = c->groups,
                                         .w = conv->weights,
                                         .move = conv->terms.a_is_signed ? QN_MOVE_I8 : 0,
                                         .sums = t->sums,
                                         .x_sums = t->has_zero_w ? t->x_sums : NULL});
    if (t->has_zero_w)
        subtract_zeros(t, count);
    t->scale(&(QnScaleRows){.scale = &t->terms,
                            .rows = count,
                            .count = c->groups,
                            .sums = t->sums,
                            .sums_step = c->groups,
                            .y = (char *)conv->y + at * size,
                            .y_step = conv->y_step[last]});
    if (qn_fault("kernel", t->variant->name))
        qn_fault_spoil((char *)conv->y + at * size, 1);
}

/* Taps that fill fours point to zeros of x, moved or not, which add nothing to its sums. */
static void lay_out(Chunk *t, char *scratch)
{
    const QnConvI8 *conv = t->conv;
    const QnConv *c = &conv->conv;
    const Room room = measure(conv);
    char *at = scratch, *nothing = at + room.outside;
    memset(at, (uint8_t)conv->terms.zero_a, room.outside);
    memset(nothing, conv->terms.a_is_signed ? QN_MOVE_I8 : 0, room.outside);
    t->outside = (const uint8_t *)at;
    t->taps = (const uint8_t **)(void *)(at += 2 * room.outside);
    t->sums = (int32_t *)(void *)(at += room.taps);
    t->x_sums = (int32_t *)(void *)(at += room.sums);
    t->add = (int32_t *)(void *)(at += room.sums);
    t->zero_w = (int32_t *)(void *)(at += room.terms);
    t->factor = (float *)(void *)(at + room.terms);
    t->order = order_taps(c);
    t->slides = slides(c);
    t->pixel_step =
        t->slides ? t->order.column_step * c->stride[c->axes - 1] : TAPS * t->order.groups;
    for (int64_t i = 0; i < PIXELS * TAPS * t->order.groups; i++)
        t->taps[i] = (const uint8_t *)nothing;
}

void qn_depthwise_i8_run(const QnConvI8 *conv, int64_t number, void *scratch)
{
    const Cut cut = cut_conv(conv);
    const int64_t width = conv->out[conv->conv.axes - 1];
    const int64_t first = number * cut.chunk_lines,
                  end = qn_min_i64(first + cut.chunk_lines, cut.lines);
    Chunk t = {.conv = conv,
               .variant = qn_depthwise_i8_pick(conv->isa),
               .scale = qn_scale_i32_pick(conv->isa)->run};
    lay_out(&t, scratch);
    set_terms(&t);
    for (int64_t i = first; i < end; i++) {
        const Line line = find_line(conv, i);
        for (int64_t p = 0; p < width; p += PIXELS)
            run_pixels(&t, &line, p, qn_min_i64(PIXELS, width - p));
    }
}
