/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of bytes of random geometry against the sum over the kernel, to the bit. */
#include "engine/devices/cpu/kernels/conv_i8.h"

#include "base/checked.h"
#include "base/compiler.h"
#include "engine/devices/cpu/kernels/depthwise_i8.h"
#include "tests/kernels/check.h"

static const QnIsa levels[] = {QN_ISA_NONE, QN_ISA_AVX2, QN_ISA_AVX2 | QN_ISA_AVX512,
                               QN_ISA_AVX2 | QN_ISA_AVX512 | QN_ISA_AVX512VNNI};

/* The two ways to compute one. */
typedef struct Way {
    const char *name;
    bool (*packed_size)(size_t *bytes, const QnConv *conv);
    void (*pack)(void *packed, const QnConv *conv, bool is_unsigned, const void *w);
    int64_t (*chunks)(const QnConvI8 *conv);
    size_t (*scratch)(const QnConvI8 *conv);
    void (*run)(const QnConvI8 *conv, int64_t chunk, void *scratch);
} Way;

#define WAY(name)                                                                         \
    {                                                                                     \
#        name, name##_packed_size, name##_pack, name##_chunks, name##_scratch, name##_run \
    }
static const Way product = WAY(qn_conv_i8), depthwise = WAY(qn_depthwise_i8);

typedef struct Case {
    QnConvI8 c;
    const uint8_t *x, *w; /* as they are given */
    int64_t kernel_size;
} Case;

/* Any bytes, or only the ones at the ends of both ranges, whose products of 16 bits saturate. */
static uint8_t *make_bytes(Check *check, int64_t count)
{
    static const uint8_t ends[][2] = {{0xff, 0xff}, {0x80, 0x80}, {0x7f, 0x7f}, {0x80, 0x7f}};
    uint8_t *bytes = check_bytes(check, count);
    const int kind = check_random(check, 2 * (int)QN_COUNT_OF(ends));
    for (int64_t i = 0; kind < (int)QN_COUNT_OF(ends) && i < count; i++)
        bytes[i] = ends[kind][i % 2];
    return bytes;
}

static void choose_geometry(QnConvI8 *c, Check *check, bool is_depthwise)
{
    c->conv.axes = 1 + check_random(check, 3);
    c->images = 1 + check_random(check, 2);
    c->conv.groups = is_depthwise ? 1 + check_random(check, 140) : 1 + check_random(check, 2);
    c->conv.in_channels = c->conv.groups * (is_depthwise ? 1 : 1 + check_random(check, 20));
    c->conv.out_channels = c->conv.groups * (is_depthwise ? 1 : 1 + check_random(check, 40));
    const bool is_pointwise = check_random(check, 4) == 0;
    for (int d = 0; d < c->conv.axes; d++) {
        c->conv.kernel[d] = is_pointwise ? 1 : 1 + check_random(check, 3);
        c->conv.stride[d] = is_pointwise ? 1 : 1 + check_random(check, 2);
        c->conv.dilation[d] = 1 + check_random(check, 2);
        c->in[d] = check_random(check, 12 - 3 * c->conv.axes) + 1;
        c->pad[d] = is_pointwise ? 0 : check_random(check, 3);
        const int64_t reach = (c->conv.kernel[d] - 1) * c->conv.dilation[d] + 1;
        const int64_t room = c->in[d] + c->pad[d] + check_random(check, 2) - reach;
        c->out[d] =
            room < 0 || is_pointwise ? is_pointwise * c->in[d] : room / c->conv.stride[d] + 1;
    }
}

/* Channels last with a pitch, or planes where the kernel reads them. */
static void make_x(Case *k, Check *check, bool may_be_planes)
{
    QnConvI8 *c = &k->c;
    const int64_t channels = c->conv.in_channels;
    const bool is_planes = may_be_planes && check_random(check, 4) == 0;
    int64_t step = is_planes ? 1 : channels + check_random(check, 4), pixels = 1;
    c->x_pitch = is_planes ? 1 : step;
    for (int d = c->conv.axes - 1; d >= 0; d--) {
        c->x_step[d] = step;
        step *= c->in[d];
        pixels *= c->in[d];
    }
    c->x_channel_step = is_planes ? pixels : 1;
    c->x_image_step = is_planes ? channels * pixels : step;
    c->x = k->x = make_bytes(check, c->images * c->x_image_step);
}

static void make_y(Case *k, Check *check)
{
    QnConvI8 *c = &k->c;
    int64_t step = c->conv.out_channels + check_random(check, 3);
    for (int d = c->conv.axes - 1; d >= 0; d--) {
        c->y_step[d] = step;
        step *= c->out[d];
        step += d == c->conv.axes - 1 && check_random(check, 3) == 0 ? 5 : 0; /* not flat */
    }
    c->y_image_step = step;
    c->y = check_room(check, (size_t)(c->images * step * qn_scale_size(c->terms.to)));
}

static void make_terms(Case *k, Check *check)
{
    QnTermsI8 *t = &k->c.terms;
    const int64_t channels = k->c.conv.out_channels;
    t->a_is_signed = check_random(check, 2);
    t->b_is_unsigned = check_random(check, 2);
    t->to = (QnScaleTo)check_random(check, 4);
    t->zero_a = check_random(check, 128);
    t->zero = check_random(check, 100);
    t->zero_b_step = check_random(check, 2);
    t->factor_step = check_random(check, 2);
    t->bias_step = 1;
    int32_t *zeros = check_room(check, (size_t)channels * sizeof *zeros);
    int32_t *bias = check_room(check, (size_t)channels * sizeof *bias);
    for (int64_t i = 0; i < channels; i++) {
        zeros[i] = check_random(check, 256) - 128;
        bias[i] = check_random(check, 2001) - 1000;
    }
    t->zero_b = check_random(check, 2) ? zeros : NULL;
    t->bias = check_random(check, 2) ? bias : NULL;
    t->factor = check_floats(check, channels);
}

/* Products want signed bytes moved. */
static void move_x(Case *k, Check *check)
{
    const int64_t size = k->c.images * k->c.x_image_step;
    uint8_t *moved = check_room(check, (size_t)size);
    qn_move_i8(moved, k->x, size);
    k->c.x = moved;
}

static bool make_weights(Case *k, Check *check, const Way *way)
{
    QnConvI8 *c = &k->c;
    size_t bytes;
    k->kernel_size = 1;
    for (int d = 0; d < c->conv.axes; d++)
        k->kernel_size *= c->conv.kernel[d];
    k->w = make_bytes(check, c->conv.out_channels * (c->conv.in_channels / c->conv.groups) *
                                 k->kernel_size);
    if (!way->packed_size(&bytes, &c->conv))
        return EXPECT(check->t, false, "%s: no size", way->name);
    void *packed = check_room(check, qn_round_up(bytes, 64));
    way->pack(packed, &c->conv, c->terms.b_is_unsigned, k->w);
    c->weights = packed;
    return true;
}

static bool next(int64_t *position, const int64_t *sizes, int axes)
{
    for (int d = axes - 1; d >= 0; d--) {
        if (++position[d] < sizes[d])
            return true;
        position[d] = 0;
    }
    return false;
}

/* One result by the formula: a line of one element. */
static void compute(const Case *k, int64_t image, int64_t o, const int64_t *q, void *y)
{
    const QnConvI8 *c = &k->c;
    const QnTermsI8 *terms = &c->terms;
    const int64_t in = c->conv.in_channels / c->conv.groups,
                  out = c->conv.out_channels / c->conv.groups;
    const int32_t zero_w = terms->zero_b ? terms->zero_b[o * terms->zero_b_step] : 0;
    const int32_t add = terms->bias ? terms->bias[o] : 0;
    int64_t t[QN_CONV_MAX_AXES] = {0};
    int32_t sum = 0;
    for (int64_t tap = 0; tap < k->kernel_size; tap++, next(t, c->conv.kernel, c->conv.axes)) {
        int64_t at = image * c->x_image_step + o / out * in * c->x_channel_step;
        bool is_inside = true;
        for (int d = 0; d < c->conv.axes; d++) {
            const int64_t p = q[d] * c->conv.stride[d] + t[d] * c->conv.dilation[d] - c->pad[d];
            is_inside = is_inside && p >= 0 && p < c->in[d];
            at += p * c->x_step[d];
        }
        for (int64_t i = 0; is_inside && i < in; i++) {
            const uint8_t byte = k->x[at + i * c->x_channel_step],
                          weight = k->w[(o * in + i) * k->kernel_size + tap];
            sum += ((terms->a_is_signed ? (int8_t)byte : byte) - terms->zero_a) *
                   ((terms->b_is_unsigned ? weight : (int8_t)weight) - zero_w);
        }
    }
    const QnScaleI32 scale = {.to = terms->to,
                              .add = &add,
                              .factor = terms->factor + o * terms->factor_step,
                              .zero = terms->zero};
    qn_scale_i32_c(&(QnScaleRows){.scale = &scale, .rows = 1, .count = 1, .sums = &sum, .y = y});
}

static void compare(const Case *k, const Check *check, const char *name)
{
    const QnConvI8 *c = &k->c;
    const int64_t size = qn_scale_size(c->terms.to);
    int64_t q[QN_CONV_MAX_AXES] = {0};
    for (int d = 0; d < c->conv.axes; d++)
        if (c->out[d] == 0)
            return;
    for (int64_t image = 0; image < c->images; image++)
        do {
            int64_t at = image * c->y_image_step;
            for (int d = 0; d < c->conv.axes; d++)
                at += q[d] * c->y_step[d];
            for (int64_t o = 0; o < c->conv.out_channels; o++) {
                int32_t want = 0;
                compute(k, image, o, q, &want);
                EXPECT(check->t, !memcmp((char *)c->y + (at + o) * size, &want, (size_t)size),
                       "%s %s: image %d channel %d of %d at %d", name, qn_isa_level_name(c->isa),
                       (int)image, (int)o, (int)c->conv.out_channels, (int)q[c->conv.axes - 1]);
            }
        } while (next(q, c->out, c->conv.axes));
}

static void check_conv(Check *check, const Way *way, int seed)
{
    for (size_t level = 0; level < QN_COUNT_OF(levels); level++) {
        Case k = {.c = {.isa = levels[level]}};
        if ((levels[level] & check->have) != levels[level])
            continue;
        check->state = (uint32_t)seed * 2654435761u + 1;
        choose_geometry(&k.c, check, way == &depthwise);
        make_x(&k, check, way != &depthwise);
        make_terms(&k, check);
        make_y(&k, check);
        if (way == &product && k.c.terms.a_is_signed)
            move_x(&k, check);
        if (make_weights(&k, check, way)) {
            void *scratch = check_room(check, qn_round_up(way->scratch(&k.c), 64));
            for (int64_t i = way->chunks(&k.c); i-- > 0;)
                way->run(&k.c, i, scratch);
            compare(&k, check, way->name);
        }
        check_end(check);
    }
}

TEST(convolutions_of_bytes_are_exact)
{
    Check check = check_make(t);
    for (int seed = 0; seed < 400; seed++) {
        check.end = (CheckEnd)(seed % 2);
        check_conv(&check, &product, seed);
    }
}

TEST(depthwise_convolutions_of_bytes_are_exact)
{
    Check check = check_make(t);
    for (int seed = 0; seed < 300; seed++) {
        check.end = (CheckEnd)(seed % 2);
        check_conv(&check, &depthwise, seed);
    }
}

TEST(impossible_weights_are_refused)
{
    const QnConv conv = {.axes = 1,
                         .groups = 1,
                         .in_channels = INT64_MAX / 64,
                         .out_channels = 1024,
                         .kernel = {1024},
                         .stride = {1},
                         .dilation = {1}};
    size_t bytes;
    EXPECT(t, !qn_conv_i8_packed_size(&bytes, &conv), "a size was given");
}

TEST_MAIN(CASE(convolutions_of_bytes_are_exact), CASE(depthwise_convolutions_of_bytes_are_exact),
          CASE(impossible_weights_are_refused))
