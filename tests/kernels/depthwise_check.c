/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise lines of every variant, and whole depthwise convolutions of random geometry. */
#include "engine/devices/cpu/kernels/depthwise.h"

#include "base/checked.h"
#include "base/compiler.h"
#include "engine/devices/cpu/kernels/gemm.h"
#include "tests/kernels/check.h"

enum { MAX_ROWS = 4 };

/* A line whose kernel rows are buffers of their own. */
typedef struct Case {
    QnDepthwiseLine line;
    QnDepthwiseRow rows[MAX_ROWS];
} Case;

static void make_line(Case *c, Check *check, const QnDepthwiseF32 *variant)
{
    QnDepthwiseLine *t = &c->line;
    const int64_t stride = variant->stride ? variant->stride : 1 + check_random(check, 3);
    t->rows = c->rows;
    t->row_count = check_random(check, MAX_ROWS + 1);
    t->taps = variant->taps ? variant->taps : 1 + check_random(check, 7);
    t->tap_step = t->channels + check_random(check, 4);
    t->x_step = stride * t->tap_step;
    t->w_step = t->taps * QN_PANEL;
    const int64_t pixels = (t->count - 1) * stride + t->taps;
    const int64_t groups = qn_ceil_div(t->channels, QN_PANEL);
    for (int64_t r = 0; r < t->row_count; r++) {
        float *w = check_floats(check, groups * t->w_step);
        for (int64_t i = 0; i < groups * t->w_step; i++) /* pad lanes say nothing */
            if (i / t->w_step * QN_PANEL + i % QN_PANEL >= t->channels)
                w[i] = NAN;
        c->rows[r] =
            (QnDepthwiseRow){check_floats(check, (pixels - 1) * t->tap_step + t->channels), w};
    }
    t->y_step = t->channels + check_random(check, 3);
    t->y = check_blank(check, (t->count - 1) * t->y_step + t->channels);
    if (check_random(check, 2))
        t->bias = check_floats(check, t->channels);
    t->residual_step = t->channels + check_random(check, 3);
    t->beta = 0.5f;
    if (check_random(check, 2))
        t->residual = check_floats(check, (t->count - 1) * t->residual_step + t->channels);
    t->clamp = check_random(check, 2);
    t->low = -0.5f;
    t->high = 0.75f;
}

static Sum compute_line(const QnDepthwiseLine *t, int64_t i, int64_t c)
{
    Sum sum = {0};
    for (int64_t r = 0; r < t->row_count; r++)
        for (int64_t j = 0; j < t->taps; j++)
            sum_add(&sum, (double)t->rows[r].x[i * t->x_step + j * t->tap_step + c],
                    (double)t->rows[r].w[c / QN_PANEL * t->w_step + j * QN_PANEL + c % QN_PANEL]);
    if (t->bias)
        sum_add(&sum, (double)t->bias[c], 1);
    if (t->residual)
        sum_add(&sum, (double)t->residual[i * t->residual_step + c], (double)t->beta);
    if (t->clamp && sum.value < (double)t->low)
        sum.value = (double)t->low;
    if (t->clamp && sum.value > (double)t->high)
        sum.value = (double)t->high;
    return sum;
}

static void compare_line(const QnDepthwiseLine *t, const Check *check, const char *name)
{
    for (int64_t i = 0; i < t->count; i++)
        for (int64_t c = 0; c < (i + 1 < t->count ? t->y_step : t->channels); c++) {
            const float got = t->y[i * t->y_step + c];
            if (c >= t->channels) {
                EXPECT(check->t, got == check_pattern, "%s wrote past pixel %d", name, (int)i);
                continue;
            }
            const Sum want = compute_line(t, i, c);
            const double bound = check->values == CHECK_INTEGERS ? 0 : sum_bound(&want);
            EXPECT(check->t, check_is_near(got, want.value, bound),
                   "%s pixel %d of %d channel %d of %d: %.9g, not %.9g", name, (int)i,
                   (int)t->count, (int)c, (int)t->channels, (double)got, want.value);
        }
}

TEST(every_line_is_the_sum_within_its_bound)
{
    Check check = check_make(t);
    for (int v = 0; v < qn_depthwise_f32_count; v++) {
        const QnDepthwiseF32 *variant = &qn_depthwise_f32[v];
        if (!check_begin(&check, variant->name, variant->needs))
            continue;
        for (int64_t count = 1; count <= 18; count++)
            for (int64_t channels = 1; channels <= 35; channels += 1 + check_random(&check, 3)) {
                Case c = {.line = {.count = count, .channels = channels}};
                check.end = (CheckEnd)check_random(&check, 2);
                check.values = (CheckValues)check_random(&check, CHECK_CLASSES);
                make_line(&c, &check, variant);
                variant->run(&c.line);
                compare_line(&c.line, &check, variant->name);
                check_end(&check);
            }
    }
}

TEST(nan_and_infinity_stay_in_their_channel)
{
    static const float specials[] = {NAN, INFINITY, -INFINITY};
    Check check = check_make(t);
    for (int v = 0; v < qn_depthwise_f32_count; v++)
        for (size_t s = 0; s < QN_COUNT_OF(specials); s++) {
            const QnDepthwiseF32 *variant = &qn_depthwise_f32[v];
            if ((variant->needs & check.have) != variant->needs)
                continue;
            Case c = {.line = {.count = 9, .channels = 19}};
            make_line(&c, &check, variant);
            if (c.line.row_count)
                ((float *)(uintptr_t)c.rows[0].x)[4 * c.line.tap_step + 17] = specials[s];
            variant->run(&c.line);
            compare_line(&c.line, &check, variant->name);
            check_end(&check);
        }
}

static double compute(const QnConvF32 *f, const float *w, int64_t image, int64_t c, int64_t oy,
                      int64_t ox, Sum *sum)
{
    const QnConv *v = &f->conv;
    *sum = (Sum){0};
    for (int64_t ky = 0; ky < v->kernel[0]; ky++)
        for (int64_t kx = 0; kx < v->kernel[1]; kx++) {
            const int64_t y = oy * v->stride[0] + ky * v->dilation[0] - f->pad[0];
            const int64_t x = ox * v->stride[1] + kx * v->dilation[1] - f->pad[1];
            if (y < 0 || y >= f->in[0] || x < 0 || x >= f->in[1])
                continue;
            sum_add(sum, (double)w[(c * v->kernel[0] + ky) * v->kernel[1] + kx],
                    (double)f->x
                        .data[image * f->x.image_step + y * f->x.step[0] + x * f->x.step[1] + c]);
        }
    sum_add(sum, (double)f->epilogue.bias[c], 1);
    if (f->epilogue.activation == QN_ACTIVATION_CLIP)
        sum->value = fmin((double)f->epilogue.q, fmax((double)f->epilogue.p, sum->value));
    if (f->epilogue.activation == QN_ACTIVATION_LEAKY && sum->value < 0)
        sum->value *= (double)f->epilogue.p;
    if (f->residual.data)
        sum_add(sum, 1,
                (double)f->residual.data[image * f->residual.image_step + oy * f->residual.step[0] +
                                         ox * f->residual.step[1] + c]);
    return sum->value;
}

static int64_t lay_out(QnConvTensor *tensor, const int64_t *sizes, int64_t channels, int64_t pitch,
                       int64_t images)
{
    tensor->step[1] = pitch;
    tensor->step[0] = pitch * sizes[1];
    tensor->image_step = tensor->step[0] * sizes[0];
    tensor->channel_step = 1;
    const int64_t pixels = images * sizes[0] * sizes[1];
    return pixels ? (pixels - 1) * pitch + channels : 0;
}

static void check_conv(Check *check, QnConvF32 *f)
{
    const int64_t channels = f->conv.groups, pitch = channels + check_random(check, 3);
    const float *w = check_floats(check, channels * f->conv.kernel[0] * f->conv.kernel[1]);
    size_t size;
    if (!qn_depthwise_f32_packed_size(&size, &f->conv))
        return;
    float *packed = check_blank(check, (int64_t)(size / sizeof(float)));
    qn_depthwise_f32_pack(packed, &f->conv, w);
    f->weights = packed;
    f->x.data = check_floats(check, lay_out(&f->x, f->in, channels, pitch, f->images));
    f->y.data = check_blank(check, lay_out(&f->y, f->out, channels, pitch, f->images));
    f->epilogue = (QnEpilogue){.alpha = 1, .beta = 1, .p = -0.5f, .q = 0.5f, .residual_last = true};
    f->epilogue.activation =
        (QnActivation)(check_random(check, 2) ? QN_ACTIVATION_CLIP : QN_ACTIVATION_LEAKY);
    f->epilogue.bias = check_floats(check, channels);
    f->residual.data = NULL;
    if (check_random(check, 2))
        f->residual.data =
            check_floats(check, lay_out(&f->residual, f->out, channels, channels, f->images));
    float *scratch = check_blank(check, (int64_t)(qn_depthwise_f32_scratch(f) / sizeof(float)));
    for (int64_t i = qn_depthwise_f32_chunks(f) - 1; i >= 0; i--)
        qn_depthwise_f32_run(f, i, scratch);
    for (int64_t i = 0; i < f->images * f->out[0] * f->out[1] * channels; i++) {
        const int64_t c = i % channels, x = i / channels % f->out[1];
        const int64_t y = i / channels / f->out[1] % f->out[0];
        const int64_t image = i / channels / f->out[1] / f->out[0];
        Sum sum;
        const double want = compute(f, w, image, c, y, x, &sum);
        const float got =
            f->y.data[image * f->y.image_step + y * f->y.step[0] + x * f->y.step[1] + c];
        EXPECT(check->t, check_is_near(got, want, sum_bound(&sum)),
               "%s channel %d at %d,%d: %.9g, not %.9g", qn_isa_level_name(f->isa), (int)c, (int)y,
               (int)x, (double)got, want);
    }
    check_end(check);
}

TEST(convolutions_of_random_geometry_are_right)
{
    static const QnIsa levels[] = {QN_ISA_NONE, QN_ISA_AVX2, QN_ISA_AVX2 | QN_ISA_AVX512};
    Check check = check_make(t);
    for (int i = 0; i < 400; i++) {
        QnConvF32 f = {.isa = levels[check_random(&check, 3)],
                       .images = 1 + check_random(&check, 2),
                       .conv = {.axes = 2}};
        if ((f.isa & check.have) != f.isa)
            continue;
        QnConv *v = &f.conv;
        v->groups = v->in_channels = v->out_channels = 1 + check_random(&check, 40);
        for (int d = 0; d < 2; d++) {
            v->kernel[d] = 1 + check_random(&check, 7);
            v->stride[d] = 1 + check_random(&check, 3);
            v->dilation[d] = 1 + check_random(&check, 3) / 2;
            f.in[d] = 1 + check_random(&check, 25);
            f.pad[d] = check_random(&check, 5);
            const int64_t reach = (v->kernel[d] - 1) * v->dilation[d] + 1;
            const int64_t room = f.in[d] + f.pad[d] + check_random(&check, 5) - reach;
            f.out[d] = room < 0 ? 0 : room / v->stride[d] + 1;
        }
        EXPECT(t, qn_depthwise_f32_fits(v), "not for this kernel");
        check.end = (CheckEnd)check_random(&check, 2);
        check.values = (CheckValues)check_random(&check, CHECK_INTEGERS);
        check_conv(&check, &f);
    }
}

TEST_MAIN(CASE(every_line_is_the_sum_within_its_bound),
          CASE(nan_and_infinity_stay_in_their_channel),
          CASE(convolutions_of_random_geometry_are_right))
