/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of random geometry against the sum over the kernel in doubles, at every CPU level;
 * where they fit also by way of winograd.h. */
#include "engine/devices/cpu/kernels/conv.h"

#include "base/checked.h"
#include "base/compiler.h"
#include "engine/devices/cpu/kernels/winograd.h"
#include "tests/kernels/check.h"

static const QnIsa levels[] = {QN_ISA_NONE, QN_ISA_AVX2, QN_ISA_AVX2 | QN_ISA_AVX512};

typedef struct Case {
    QnConvF32 f;
    const float *w;
    int64_t kernel_size;
    float x_max; /* the largest input */
} Case;

/* Fills the steps of a tensor and gives its size in floats. */
static int64_t lay_out(QnConvTensor *tensor, const QnConvF32 *f, const int64_t *sizes,
                       int64_t channels, bool is_planes, int64_t slack)
{
    int64_t step = is_planes ? 1 : channels + slack, pixels = 1;
    for (int d = f->conv.axes - 1; d >= 0; d--) {
        tensor->step[d] = step;
        step *= sizes[d];
        pixels *= sizes[d];
    }
    tensor->channel_step = is_planes ? pixels + slack : 1;
    tensor->image_step = is_planes ? channels * tensor->channel_step : step;
    if (pixels == 0 || f->images == 0)
        return 0;
    /* Up to the last element and no further. */
    return (f->images - 1) * tensor->image_step + (channels - 1) * tensor->channel_step +
           (pixels - 1) * tensor->step[f->conv.axes - 1] + 1;
}

static int64_t find(const QnConvTensor *tensor, const QnConvF32 *f, int64_t image, int64_t channel,
                    const int64_t *position)
{
    int64_t at = image * tensor->image_step + channel * tensor->channel_step;
    for (int d = 0; d < f->conv.axes; d++)
        at += position[d] * tensor->step[d];
    return at;
}

/* The next position in a box; false after the last. */
static bool next(int64_t *position, const int64_t *sizes, int axes)
{
    for (int d = axes - 1; d >= 0; d--) {
        if (++position[d] < sizes[d])
            return true;
        position[d] = 0;
    }
    return false;
}

/* The input position of kernel position `t` for output position `q`; false: there is none. */
static bool find_input(int64_t *p, const QnConvF32 *f, const int64_t *q, const int64_t *t)
{
    for (int d = 0; d < f->conv.axes; d++) {
        const int64_t shift = t[d] * f->conv.dilation[d], stride = f->conv.stride[d];
        if (!f->conv.transposed) {
            p[d] = q[d] * stride + shift - f->pad[d];
        } else {
            const int64_t at = q[d] + f->pad[d] - shift;
            if (at % stride != 0)
                return false;
            p[d] = at / stride;
        }
        if (p[d] < 0 || p[d] >= f->in[d])
            return false;
    }
    return true;
}

static Sum compute(const Case *c, int64_t image, int64_t o, const int64_t *q)
{
    const QnConvF32 *f = &c->f;
    const QnConv *v = &f->conv;
    const int64_t in = v->in_channels / v->groups, out = v->out_channels / v->groups;
    const int64_t group = o / out;
    int64_t t[QN_CONV_MAX_AXES] = {0}, p[QN_CONV_MAX_AXES];
    Sum sum = {0};
    for (int64_t tap = 0; tap < c->kernel_size; tap++) {
        if (find_input(p, f, q, t))
            for (int64_t i = 0; i < in; i++) {
                const int64_t w = v->transposed ? (group * in + i) * out + o % out : o * in + i;
                sum_add(&sum, (double)c->w[w * c->kernel_size + tap],
                        (double)f->x.data[find(&f->x, f, image, group * in + i, p)]);
            }
        next(t, v->kernel, v->axes);
    }
    if (f->epilogue.bias)
        sum_add(&sum, (double)f->epilogue.bias[o], 1);
    if (f->residual.data)
        sum_add(&sum, (double)f->residual.data[find(&f->residual, f, image, o, q)], 1);
    if (f->epilogue.activation == QN_ACTIVATION_RELU && sum.value < 0)
        sum.value = 0;
    if (f->epilogue.activation == QN_ACTIVATION_HARD_SWISH) {
        sum.magnitude *= 2;
        sum.value *= fmin(1, fmax(0, sum.value / 6 + 0.5));
    }
    return sum;
}

/*
 * What the transforms round is as large as the largest input of a tile.  Their worst case is some
 * thousand units of that times the weights; values like these stay far below.
 */
static double winograd_bound(const Case *c, int64_t o, const Sum *want)
{
    const int64_t count = c->f.conv.in_channels * c->kernel_size;
    double weights = 0;
    for (int64_t i = 0; i < count; i++)
        weights += fabs((double)c->w[o * count + i]);
    return sum_bound(want) + 8 * FLT_EPSILON * weights * (double)c->x_max;
}

static void compare(const Case *c, const Check *check)
{
    const QnConvF32 *f = &c->f;
    const bool is_exact = check->values == CHECK_INTEGERS && !f->conv.tile &&
                          f->epilogue.activation != QN_ACTIVATION_HARD_SWISH;
    for (int64_t image = 0; image < f->images; image++)
        for (int64_t o = 0; o < f->conv.out_channels; o++) {
            int64_t q[QN_CONV_MAX_AXES] = {0};
            do {
                const Sum want = compute(c, image, o, q);
                const float got = f->y.data[find(&f->y, f, image, o, q)];
                const double bound = is_exact       ? 0
                                     : f->conv.tile ? winograd_bound(c, o, &want)
                                                    : sum_bound(&want);
                if (!EXPECT(check->t, check_is_near(got, want.value, bound),
                            "%s axes %d groups %d %s tile %d channel %d at %d,%d: %.9g, not %.9g",
                            qn_isa_level_name(f->isa), f->conv.axes, (int)f->conv.groups,
                            f->conv.transposed ? "transposed" : "", f->conv.tile, (int)o, (int)q[0],
                            (int)q[1], (double)got, want.value))
                    return;
            } while (next(q, f->out, f->conv.axes));
        }
}

/* The pattern between channels of neighbouring pixels must be there still. */
static void compare_slack(const Case *c, const Check *check, int64_t count, int64_t slack)
{
    const QnConvF32 *f = &c->f;
    if (f->y.channel_step != 1 || !slack)
        return;
    for (int64_t i = 0; i < count; i++)
        if (i % (f->conv.out_channels + slack) >= f->conv.out_channels)
            EXPECT(check->t, f->y.data[i] == check_pattern, "float %d was written", (int)i);
}

static void run_all(Check *check, const QnConvF32 *f)
{
    const int64_t floats = (int64_t)(qn_conv_f32_scratch(f) / sizeof(float));
    float *scratch = check_blank(check, floats);
    for (int64_t i = qn_conv_f32_chunks(f) - 1; i >= 0; i--) {
        for (int64_t x = 0; x < floats; x++)
            scratch[x] = NAN;
        qn_conv_f32_run(f, i, scratch);
    }
}

/* What one round of run_winograd leaves in scratch, no other may find: it is spoiled. */
static void run_winograd(Check *check, QnConvF32 *f)
{
    const int64_t floats = (int64_t)(qn_winograd_f32_scratch(f) / sizeof(float));
    const int64_t shared = (int64_t)(qn_winograd_f32_shared(f) / sizeof(float));
    float *scratch = check_blank(check, floats);
    f->shared = check_blank(check, shared);
    const int64_t rounds = qn_winograd_f32_rounds(f);
    for (f->round = 0; f->round < rounds; f->round++)
        for (int64_t i = qn_winograd_f32_chunks(f) - 1; i >= 0; i--) {
            for (int64_t x = 0; x < floats; x++)
                scratch[x] = NAN;
            qn_winograd_f32_run(f, i, scratch);
        }
}

static void make_weights(Case *c, Check *check)
{
    QnConv *v = &c->f.conv;
    c->kernel_size = 1;
    for (int d = 0; d < v->axes; d++)
        c->kernel_size *= v->kernel[d];
    c->w = check_floats(check, v->in_channels / v->groups * v->out_channels * c->kernel_size);
}

static void pack_weights(Case *c, Check *check)
{
    QnConv *v = &c->f.conv;
    size_t size;
    if (!(v->tile ? qn_winograd_f32_packed_size : qn_conv_f32_packed_size)(&size, v))
        return;
    float *packed = check_blank(check, (int64_t)(size / sizeof(float)));
    (v->tile ? qn_winograd_f32_pack : qn_conv_f32_pack)(packed, v, c->w);
    c->f.weights = packed;
}

/* Values everywhere but in the lanes between pixels, which are NaN and must not be read. */
static void make_input(Case *c, Check *check, int64_t slack)
{
    QnConvF32 *f = &c->f;
    const int64_t channels = f->conv.in_channels;
    const int64_t count = lay_out(&f->x, f, f->in, channels, f->conv.from_planes, slack);
    f->x.data = check_floats(check, count);
    for (int64_t i = 0; i < count; i++)
        c->x_max = fmaxf(c->x_max, fabsf(f->x.data[i]));
    for (int64_t i = 0; !f->conv.from_planes && i < count; i++)
        if (i % (channels + slack) >= channels)
            f->x.data[i] = NAN;
}

/* One form of a case, into an output of its own. */
static void check_form(Check *check, const Case *form, int tile, int64_t y_slack, bool to_planes)
{
    Case c = *form;
    QnConvF32 *f = &c.f;
    f->conv.tile = tile;
    if (tile && !qn_winograd_f32_fits(&f->conv, f->isa))
        return;
    pack_weights(&c, check);
    const int64_t count = lay_out(&f->y, f, f->out, f->conv.out_channels, to_planes, y_slack);
    f->y.data = check_blank(check, count);
    if (tile)
        run_winograd(check, f);
    else
        run_all(check, f);
    if (count) {
        compare(&c, check);
        compare_slack(&c, check, count, y_slack);
    }
}

static void check_case(Check *check, const QnConvF32 *form)
{
    for (size_t level = 0; level < QN_COUNT_OF(levels); level++) {
        if ((levels[level] & check->have) != levels[level])
            continue;
        Case c = {.f = *form};
        QnConvF32 *f = &c.f;
        f->isa = levels[level];
        f->epilogue = (QnEpilogue){.alpha = 1, .beta = 1};
        const int64_t slack = check_random(check, 3), y_slack = check_random(check, 3);
        make_weights(&c, check);
        make_input(&c, check, slack);
        const bool to_planes = check_random(check, 3) == 0;
        if (check_random(check, 2))
            f->epilogue.bias = check_floats(check, f->conv.out_channels);
        if (check_random(check, 2)) {
            const bool is_planes = check_random(check, 4) == 0;
            f->residual.data = check_floats(
                check, lay_out(&f->residual, f, f->out, f->conv.out_channels, is_planes, slack));
        }
        static const QnActivation activations[] = {QN_ACTIVATION_NONE, QN_ACTIVATION_RELU,
                                                   QN_ACTIVATION_HARD_SWISH};
        f->epilogue.activation = activations[check_random(check, 3)];
        for (int tile = 0; tile <= 4; tile += 2)
            if (!tile || !f->conv.from_planes)
                check_form(check, &c, tile, y_slack, to_planes);
        check_end(check);
    }
}

static int64_t output_size(const QnConvF32 *f, int d, int64_t pad_end)
{
    const QnConv *v = &f->conv;
    const int64_t reach = (v->kernel[d] - 1) * v->dilation[d] + 1;
    const int64_t size =
        v->transposed ? (f->in[d] - 1) * v->stride[d] + reach - f->pad[d] - pad_end
                      : qn_floor_div(f->in[d] + f->pad[d] + pad_end - reach, v->stride[d]) + 1;
    return qn_max_i64(0, size);
}

static void check_random_case(Check *check, int axes, bool transposed)
{
    static const int64_t widths[] = {1, 2, 3, 5, 8, 16, 17, 20};
    QnConvF32 f = {.images = 1 + check_random(check, 2), .conv = {.axes = axes}};
    QnConv *v = &f.conv;
    v->groups = check_random(check, 2) ? 1 : 1 + check_random(check, 3);
    v->in_channels = v->groups * widths[check_random(check, QN_COUNT_OF(widths))];
    v->out_channels = v->groups * widths[check_random(check, QN_COUNT_OF(widths))];
    v->transposed = transposed;
    v->from_planes = check_random(check, 3) == 0;
    for (int d = 0; d < axes; d++) {
        v->kernel[d] = 1 + check_random(check, axes > 2 ? 3 : 5);
        v->stride[d] = 1 + check_random(check, 3);
        v->dilation[d] = 1 + check_random(check, 3) / 2;
        f.in[d] = 1 + check_random(check, axes == 1 ? 150 : axes == 2 ? 14 : 5);
        f.pad[d] = check_random(check, 4);
        f.out[d] = output_size(&f, d, check_random(check, 4));
    }
    check->end = (CheckEnd)check_random(check, 2);
    check->values = (CheckValues)check_random(check, CHECK_CLASSES);
    check_case(check, &f);
}

TEST(convolutions_of_random_geometry_are_right)
{
    Check check = check_make(t);
    for (int i = 0; i < 150; i++)
        for (int axes = 1; axes <= 3; axes++)
            check_random_case(&check, axes, false);
}

TEST(transposed_convolutions_of_random_geometry_are_right)
{
    Check check = check_make(t);
    for (int i = 0; i < 100; i++)
        for (int axes = 1; axes <= 3; axes++)
            check_random_case(&check, axes, true);
}

/* Shapes that need several blocks, chunks and pieces of k, as models have them. */
TEST(convolutions_of_models_are_right)
{
    static const struct {
        int64_t in, out, groups, kernel, stride, pad, size;
        bool from_planes;
    } rows[] = {
        {3, 64, 1, 7, 2, 3, 45, true},    {1100, 70, 1, 1, 1, 0, 9, false},
        {64, 64, 1, 3, 1, 1, 20, false},  {300, 130, 1, 3, 2, 1, 7, false},
        {64, 128, 1, 1, 2, 0, 17, false}, {64, 64, 16, 3, 1, 1, 12, false},
        {16, 300, 1, 1, 1, 0, 40, false}, {800, 70, 1, 3, 1, 1, 4, false},
    };
    Check check = check_make(t);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnConvF32 f = {.images = 1,
                       .conv = {.axes = 2,
                                .groups = rows[i].groups,
                                .in_channels = rows[i].in,
                                .out_channels = rows[i].out,
                                .from_planes = rows[i].from_planes}};
        for (int d = 0; d < 2; d++) {
            f.conv.kernel[d] = rows[i].kernel;
            f.conv.stride[d] = rows[i].stride;
            f.conv.dilation[d] = 1;
            f.in[d] = rows[i].size + d;
            f.pad[d] = rows[i].pad;
            f.out[d] = output_size(&f, d, rows[i].pad);
        }
        check_case(&check, &f);
    }
}

/* 3x3 of stride 1, which every way fits: one pixel, no whole tile, many blocks of tiles. */
TEST(all_ways_of_a_small_kernel_are_right)
{
    static const struct {
        int64_t in, out, height, width, pad, images;
    } rows[] = {{1, 1, 1, 1, 1, 1},    {16, 17, 5, 7, 1, 2},  {33, 64, 14, 14, 1, 1},
                {64, 96, 9, 30, 0, 3}, {20, 130, 3, 3, 0, 1}, {40, 67, 26, 27, 2, 2}};
    Check check = check_make(t);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        for (int values = 0; values < CHECK_CLASSES; values++) {
            QnConvF32 f = {.images = rows[i].images,
                           .conv = {.axes = 2,
                                    .groups = 1,
                                    .in_channels = rows[i].in,
                                    .out_channels = rows[i].out,
                                    .kernel = {3, 3},
                                    .stride = {1, 1},
                                    .dilation = {1, 1}},
                           .in = {rows[i].height, rows[i].width},
                           .pad = {rows[i].pad, rows[i].pad}};
            for (int d = 0; d < 2; d++)
                f.out[d] = output_size(&f, d, rows[i].pad);
            check.values = (CheckValues)values;
            check_case(&check, &f);
        }
}

TEST(sizes_that_do_not_fit_are_refused)
{
    QnConv conv = {.axes = 2,
                   .groups = 1,
                   .in_channels = INT64_C(1) << 40,
                   .out_channels = INT64_C(1) << 40,
                   .kernel = {1, 1},
                   .stride = {1, 1},
                   .dilation = {1, 1}};
    size_t size;
    EXPECT(t, !qn_conv_f32_packed_size(&size, &conv), "2^80 weights were accepted");
    conv.tile = 4;
    EXPECT(t, !qn_winograd_f32_packed_size(&size, &conv), "2^80 transformed weights were accepted");
    conv.tile = 0;
    conv.in_channels = conv.out_channels = 1;
    conv.transposed = true;
    conv.stride[0] = conv.stride[1] = INT64_C(1) << 40;
    EXPECT(t, !qn_conv_f32_packed_size(&size, &conv), "2^80 phases were accepted");
}

TEST_MAIN(CASE(convolutions_of_random_geometry_are_right),
          CASE(transposed_convolutions_of_random_geometry_are_right),
          CASE(convolutions_of_models_are_right), CASE(all_ways_of_a_small_kernel_are_right),
          CASE(sizes_that_do_not_fit_are_refused))
