/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling: random windows in both layouts against the definition, between guard pages. */
#include <float.h>

#include "base/checked.h"
#include "engine/devices/cpu/kernels/pool.h"
#include "tests/support/guard.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"
#include "tests/support/this_cpu.h"

/* Random geometry of rank 1 to 3, with ceil_mode now and then. */
static QnPool random_pool(Samples *s, QnPoolKind kind, bool channels_last)
{
    static const int64_t channels[] = {1, 3, 8, 15, 16, 17, 33, 64, 70};
    QnPool p = {.kind = kind,
                .family = QN_FAMILY_F32,
                .batch = 1 + sample_below(s, 2),
                .p = (double)(1 + sample_below(s, 3))};
    p.rank = 1 + (int)sample_below(s, 3);
    p.channels = channels[sample_below(s, 9)];
    p.counts_pad = sample_below(s, 2);
    for (int d = 0; d < p.rank; d++) {
        p.kernel[d] = 1 + sample_below(s, p.rank == 1 ? 90 : 5);
        p.strides[d] = 1 + sample_below(s, 3);
        p.dilations[d] = 1 + sample_below(s, 2);
        const int64_t reach = (p.kernel[d] - 1) * p.dilations[d] + 1;
        p.x_dims[d] = reach + sample_below(s, 7);
        p.pads_begin[d] = sample_below(s, p.kernel[d]);
        p.pads_end[d] = sample_below(s, p.kernel[d]);
        const int64_t room = p.x_dims[d] + p.pads_begin[d] + p.pads_end[d] - reach;
        p.y_dims[d] =
            (sample_below(s, 2) ? room / p.strides[d] : qn_ceil_div(room, p.strides[d])) + 1;
        if ((p.y_dims[d] - 1) * p.strides[d] >= p.x_dims[d] + p.pads_begin[d])
            p.y_dims[d]--;
    }
    const int64_t gap = channels_last ? sample_below(s, 5) : 0;
    int64_t x = channels_last ? p.channels + gap : 1, y = x, index = 1;
    for (int d = p.rank - 1; d >= 0; d--) {
        p.x_strides[d] = x;
        p.y_strides[d] = y;
        p.index_strides[d] = index;
        x *= p.x_dims[d];
        y *= p.y_dims[d];
        index *= p.x_dims[d];
    }
    p.x_channel_stride = channels_last ? 1 : x;
    p.y_channel_stride = channels_last ? 1 : y;
    p.x_batch_stride = channels_last ? x : x * p.channels;
    p.y_batch_stride = channels_last ? y : y * p.channels;
    p.index_channel_stride = index;
    p.index_batch_stride = index * p.channels;
    return p;
}

/* The definition at one output; *index is the position of a maximum,
 * *size what bounds the error. */
static double define(const QnPool *p, const float *x, int64_t n, int64_t c, const int64_t *o,
                     int64_t *index, double *size)
{
    int64_t count = 1, counted = 0;
    double result = p->kind == QN_POOL_MAX ? -INFINITY : 0;
    for (int d = 0; d < p->rank; d++)
        count *= p->kernel[d];
    *index = -1;
    *size = 0;
    for (int64_t k = 0; k < count; k++) {
        int64_t rest = k, taps[QN_MAX_RANK], at = n * p->x_batch_stride + c * p->x_channel_stride;
        int64_t position = n * p->index_batch_stride + c * p->index_channel_stride;
        bool inside = true, padded = true;
        for (int d = p->rank - 1; d >= 0; d--) {
            taps[d] =
                o[d] * p->strides[d] - p->pads_begin[d] + rest % p->kernel[d] * p->dilations[d];
            rest /= p->kernel[d];
            inside = inside && taps[d] >= 0 && taps[d] < p->x_dims[d];
            padded = padded && taps[d] < p->x_dims[d] + p->pads_end[d];
            at += taps[d] * p->x_strides[d];
            position += taps[d] * p->index_strides[d];
        }
        counted += p->counts_pad ? padded : inside;
        if (!inside)
            continue;
        const double v = (double)x[at];
        if (p->kind == QN_POOL_MAX && (*index < 0 || v > result || (v != v && result == result))) {
            result = v;
            *index = position;
        } else if (p->kind != QN_POOL_MAX) {
            result += p->kind == QN_POOL_LP ? pow(fabs(v), p->p) : v;
            *size += fabs(v);
        }
    }
    *size /= (double)(counted ? counted : 1);
    return p->kind == QN_POOL_LP        ? pow(result, 1 / p->p)
           : p->kind == QN_POOL_AVERAGE ? counted ? result / (double)counted : 0
                                        : result;
}

static void check_pool(Test *t, Samples *s, const QnPool *p, QnIsa isa, bool wants_indices)
{
    int64_t x_count = p->batch * p->x_batch_stride, y_count = p->batch * p->y_batch_stride,
            windows = p->batch;
    const int64_t gap =
        p->x_channel_stride == 1 && p->rank ? p->x_strides[p->rank - 1] - p->channels : 0;
    if (p->x_channel_stride == 1) { /* nothing lies behind the last channel */
        x_count -= gap;
        y_count -= gap;
    }
    Guard guards[3];
    float *x = guard_end(&guards[0], (size_t)x_count * 4),
          *y = guard_end(&guards[1], (size_t)y_count * 4);
    int64_t *indices = guard_end(&guards[2], (size_t)y_count * 8);
    for (int64_t i = 0; i < x_count; i++)
        x[i] = sample_below(s, 500) ? sample_float(s, SAMPLE_WHOLE) : NAN;
    QnPoolFn *run = qn_pool_pick(p, isa);
    const int64_t units = qn_pool_unit_count(p);
    qn_pool_run(p, run, x, y, wants_indices ? indices : NULL, units / 2, units);
    qn_pool_run(p, run, x, y, wants_indices ? indices : NULL, 0, units / 2);
    for (int d = 0; d < p->rank; d++)
        windows *= p->y_dims[d];
    for (int64_t w = 0; w < windows * p->channels; w++) {
        int64_t rest = w / p->channels, o[QN_MAX_RANK], at = w % p->channels * p->y_channel_stride,
                index;
        for (int d = p->rank - 1; d >= 0; d--) {
            o[d] = rest % p->y_dims[d];
            at += o[d] * p->y_strides[d];
            rest /= p->y_dims[d];
        }
        at += rest * p->y_batch_stride;
        double size;
        const double want = define(p, x, rest, w % p->channels, o, &index, &size);
        const double got = (double)y[at];
        EXPECT(t,
               (got != got && want != want) || got == want ||
                   fabs(got - want) <= 4 * (double)FLT_EPSILON * (fabs(want) + size),
               "kind %d rank %d channels %d: %g, not %g", (int)p->kind, p->rank, (int)p->channels,
               got, want);
        if (wants_indices)
            EXPECT(t, indices[at] == index || index < 0, "index %d, not %d", (int)indices[at],
                   (int)index);
    }
    for (int i = 0; i < 3; i++)
        guard_free(&guards[i]);
}

TEST(windows_are_what_the_definition_says)
{
    static const QnIsa masks[] = {QN_ISA_NONE, QN_ISA_AVX2, QN_ISA_AVX2 | QN_ISA_AVX512};
    Samples s = {8};
    for (int m = 0; m < 3; m++)
        for (int round = 0; round < 240 && runs_here(masks[m]); round++) {
            const QnPool pool = random_pool(&s, (QnPoolKind)(round % 3), round / 3 % 2);
            check_pool(t, &s, &pool, masks[m], round % 3 == QN_POOL_MAX && round % 4 == 0);
        }
}

TEST(bytes_have_maxima_and_no_means)
{
    const int8_t x[] = {-128, -5, 3, -7};
    int8_t y[2];
    QnPool pool = {.kind = QN_POOL_MAX,
                   .family = QN_FAMILY_I8,
                   .rank = 1,
                   .batch = 1,
                   .channels = 1,
                   .x_dims = {4},
                   .y_dims = {2},
                   .kernel = {2},
                   .strides = {2},
                   .dilations = {1},
                   .x_strides = {1},
                   .y_strides = {1}};
    qn_pool_run(&pool, qn_pool_pick(&pool, 0), x, y, NULL, 0, qn_pool_unit_count(&pool));
    EXPECT(t, y[0] == -5 && y[1] == 3, "%d %d", y[0], y[1]);
    pool.kind = QN_POOL_AVERAGE;
    EXPECT(t, !qn_pool_pick(&pool, 0), "there is a mean of bytes");
}

TEST_MAIN(CASE(windows_are_what_the_definition_says), CASE(bytes_have_maxima_and_no_means))
