/* SPDX-License-Identifier: Apache-2.0 */
/* Normalization: every variant and kind against the formula in double, between guard pages. */
#include <float.h>

#include "engine/devices/cpu/kernels/normalize.h"
#include "tests/support/guard.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"
#include "tests/support/this_cpu.h"

static double get(const void *data, QnType type, int64_t i)
{
    return type == QN_DOUBLE ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static void fill(void *data, QnType type, int64_t count, Samples *s, SampleClass class)
{
    for (int64_t i = 0; i < count; i++) {
        const float x = sample_float(s, class);
        if (type == QN_DOUBLE)
            ((double *)data)[i] = (double)x;
        else
            ((float *)data)[i] = x;
    }
}

/* 0: x, 1: residual, 2: scale, 3: bias, 4: y, 5: sum, 6: means, 7: factors */
typedef struct World {
    Guard guards[8];
    void *data[8];
} World;

static void check_rows(Test *t, const QnNormalize *n, const QnNormalizeVariant *v, const World *w,
                       bool has_residual, bool has_scale)
{
    const double unit = v->type == QN_DOUBLE ? DBL_EPSILON : (double)FLT_EPSILON;
    for (int64_t r = 0; r < n->rows; r++) {
        const int64_t first = r * n->length, count = n->length;
        double mean = 0, sum = 0, most = 0;
        for (int64_t i = 0; i < count; i++) {
            mean += get(w->data[5], v->type, first + i);
            most = fmax(most, fabs(get(w->data[5], v->type, first + i)));
        }
        mean = n->kind == QN_NORMALIZE_LAYER ? mean / (double)count : 0;
        for (int64_t i = 0; i < count; i++) {
            const double d = get(w->data[5], v->type, first + i) - mean;
            sum += n->kind == QN_NORMALIZE_L1 ? fabs(d) : d * d;
        }
        const double factor = n->kind == QN_NORMALIZE_L1 ? (sum > 0 ? 1 / sum : 0)
                              : n->kind == QN_NORMALIZE_L2
                                  ? (sum > 0 ? 1 / sqrt(sum) : 0)
                                  : 1 / sqrt(sum / (double)count + n->epsilon);
        /* Relative: at most 256 additions in a lane; absolute:
         * the mean's rounding, carried by the factor. */
        const double relative = 300 * unit;
        for (int64_t i = 0; i < count; i++) {
            const int64_t c = r % n->period * n->step + i / n->repeat;
            const double a = has_scale ? get(w->data[2], v->type, c) : 1,
                         b = has_scale ? get(w->data[3], v->type, c) : 0;
            const double s = get(w->data[5], v->type, first + i),
                         want = (s - mean) * factor * a + b;
            const double bound = relative * fabs((s - mean) * factor * a) +
                                 8 * unit * most * factor * fabs(a) + 2 * unit * fabs(b) +
                                 (double)FLT_MIN;
            const double got = get(w->data[4], v->type, first + i);
            EXPECT(t, fabs(got - want) <= bound, "%s kind %d length %d: %g, not %g", v->name,
                   (int)n->kind, (int)count, got, want);
            if (has_residual) {
                const double x = get(w->data[0], v->type, first + i),
                             residual = get(w->data[1], v->type, first + i);
                EXPECT(t,
                       s == (v->type == QN_DOUBLE ? x + residual : (double)(float)(x + residual)),
                       "%s: sum %g", v->name, s);
            }
        }
        EXPECT(t, fabs(get(w->data[6], v->type, r) - mean) <= 8 * unit * most, "%s mean", v->name);
        EXPECT(t,
               fabs(get(w->data[7], v->type, r) - factor) <=
                   relative * factor + 8 * unit * most * factor,
               "%s factor", v->name);
    }
}

static void check_one(Test *t, Samples *s, const QnNormalizeVariant *v, const QnNormalize *n)
{
    const int64_t count = n->rows * n->length,
                  affine = n->period == 1 ? (n->length + n->repeat - 1) / n->repeat
                                          : n->period * n->step;
    const int64_t counts[8] = {count, count, affine, affine, count, count, n->rows, n->rows};
    const bool has_residual = sample_below(s, 2), has_scale = sample_below(s, 2);
    const SampleClass class = (SampleClass)sample_below(s, SAMPLE_DENORMAL);
    World w;
    for (int i = 0; i < 8; i++) {
        w.data[i] = guard_end(&w.guards[i], (size_t)counts[i] * (v->type == QN_DOUBLE ? 8 : 4));
        fill(w.data[i], v->type, counts[i], s, class);
    }
    if (!has_residual)
        memcpy(w.data[5], w.data[0], (size_t)count * (v->type == QN_DOUBLE ? 8 : 4));
    const QnNormalizeData data = {w.data[0],
                                  has_residual ? w.data[1] : NULL,
                                  has_scale ? w.data[2] : NULL,
                                  has_scale ? w.data[3] : NULL,
                                  w.data[4],
                                  has_residual ? w.data[5] : NULL,
                                  w.data[6],
                                  w.data[7]};
    qn_normalize_run(v, n, &data, 0, n->rows);
    check_rows(t, n, v, &w, has_residual, has_scale);
    for (int i = 0; i < 8; i++)
        guard_free(&w.guards[i]);
}

TEST(every_variant_computes_the_formulas)
{
    static const int64_t lengths[] = {1, 2, 7, 8, 15, 16, 17, 63, 64, 65, 129, 768, 4097, 9001};
    Samples s = {9};
    for (int v = 0; v < qn_normalize_variant_count; v++)
        for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
            for (int kind = 0; kind < 4 && runs_here(qn_normalize_variants[v].needs); kind++) {
                const QnNormalize plain = {(QnNormalizeKind)kind, 3, lengths[l], 1e-5, 1, 0, 1};
                check_one(t, &s, &qn_normalize_variants[v], &plain);
            }
}

/* Two images of three groups of four channels of 5 x 7. */
TEST(groups_have_their_own_scales)
{
    Samples s = {10};
    for (int v = 0; v < qn_normalize_variant_count; v++) {
        const QnNormalize groups = {QN_NORMALIZE_LAYER, 6, 4 * 35, 1e-5, 3, 4, 35};
        for (int round = 0; round < 8 && runs_here(qn_normalize_variants[v].needs); round++)
            check_one(t, &s, &qn_normalize_variants[v], &groups);
    }
}

TEST_MAIN(CASE(every_variant_computes_the_formulas), CASE(groups_have_their_own_scales))
