/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax: every variant against the formula in double,
 * along rows and columns, between guard pages. */
#include <float.h>

#include "engine/devices/cpu/kernels/softmax.h"
#include "tests/support/guard.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"
#include "tests/support/this_cpu.h"

static double get(const void *data, QnType type, int64_t i)
{
    return type == QN_DOUBLE ? ((const double *)data)[i] : (double)((const float *)data)[i];
}

static void put(void *data, QnType type, int64_t i, double x)
{
    if (type == QN_DOUBLE)
        ((double *)data)[i] = x;
    else
        ((float *)data)[i] = (float)x;
}

/* The three functions together: exp 1.5 ulp, a sum of `length` terms in lanes, a product. */
static void check_tensor(Test *t, const QnSoftmax *softmax, Samples *s, SampleClass class)
{
    const QnType type = softmax->variant->type;
    const int64_t length = softmax->length, inner = softmax->inner,
                  count = softmax->outer * length * inner;
    const size_t bytes = (size_t)count * (type == QN_DOUBLE ? 8 : 4);
    Guard x_guard, y_guard;
    void *x = guard_end(&x_guard, bytes), *y = guard_start(&y_guard, bytes);
    for (int64_t i = 0; i < count; i++)
        put(x, type, i, (double)sample_float(s, class) * (class == SAMPLE_NORMAL ? 20 : 1));
    const int64_t units = qn_softmax_unit_count(softmax);
    qn_softmax_run(softmax, x, y, units / 2, units);
    qn_softmax_run(softmax, x, y, 0, units / 2);
    for (int64_t line = 0; line < softmax->outer * inner; line++) {
        const int64_t first = line / inner * length * inner + line % inner;
        double max = -INFINITY, sum = 0;
        for (int64_t i = 0; i < length; i++)
            max = fmax(max, get(x, type, first + i * inner));
        for (int64_t i = 0; i < length; i++)
            sum += exp(get(x, type, first + i * inner) - max);
        for (int64_t i = 0; i < length; i++) {
            const double difference = get(x, type, first + i * inner) - max;
            const double want = softmax->is_log ? difference - log(sum) : exp(difference) / sum;
            const double unit = type == QN_DOUBLE ? DBL_EPSILON : (double)FLT_EPSILON;
            /* The rounding of x - max is a relative error of its size in the exponential. */
            const double relative = (8 + (double)length / 8 + fabs(difference)) * unit;
            const double bound = softmax->is_log ? (relative + unit * (4 + fabs(want)))
                                                 : relative * want + (double)FLT_MIN * unit * 2;
            const double got = get(y, type, first + i * inner);
            EXPECT(t, fabs(got - want) <= bound, "%s length %lld inner %lld: %g, not %g",
                   softmax->variant->name, (long long)length, (long long)inner, got, want);
        }
    }
    guard_free(&x_guard);
    guard_free(&y_guard);
}

TEST(every_variant_computes_the_formula)
{
    static const int64_t lengths[] = {0, 1, 2, 7, 8, 9, 16, 17, 63, 64, 65, 127, 1000, 2053};
    static const int64_t inners[] = {1, 1, 2, 15, 16, 17, 64, 65, 130};
    Samples s = {6};
    for (int v = 0; v < qn_softmax_variant_count; v++) {
        const QnSoftmaxVariant *variant = &qn_softmax_variants[v];
        if (!runs_here(variant->needs))
            continue;
        for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++)
            for (size_t i = 0; i < sizeof inners / sizeof inners[0]; i++)
                for (int log = 0; log < 2; log++) {
                    const QnSoftmax softmax = {variant, lengths[l] > 200 ? 1 : 3, lengths[l],
                                               inners[i], log};
                    check_tensor(t, &softmax, &s,
                                 (SampleClass)sample_below(&s, SAMPLE_CLASS_COUNT));
                }
    }
}

TEST(special_rows_are_what_the_formula_says)
{
    static const struct {
        const char *what;
        float x[4], want[4];
    } rows[] = {
        {"a NaN spoils its row", {1, NAN, 2, 3}, {NAN, NAN, NAN, NAN}},
        {"minus infinity has no weight", {0, -INFINITY, 0, -INFINITY}, {0.5f, 0, 0.5f, 0}},
        {"infinity is no number", {0, INFINITY, 0, 0}, {0, NAN, 0, 0}},
        {"all minus infinity", {-INFINITY, -INFINITY, -INFINITY, -INFINITY}, {NAN, NAN, NAN, NAN}},
        {"huge differences", {3e38f, -3e38f, 0, 3e38f}, {0.5f, 0, 0, 0.5f}},
    };
    for (int v = 0; v < qn_softmax_variant_count; v++) {
        const QnSoftmaxVariant *variant = &qn_softmax_variants[v];
        if (!runs_here(variant->needs) || variant->type != QN_FLOAT)
            continue;
        for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
            float y[4];
            variant->row(4, rows[r].x, y, false);
            for (int i = 0; i < 4; i++)
                EXPECT(t,
                       ulp_distance(y[i], (double)rows[r].want[i]) <= 1 ||
                           (isinf(rows[r].x[1]) && isnan(y[i])),
                       "%s: %s gave %g at %d", variant->name, rows[r].what, (double)y[i], i);
        }
    }
}

TEST_MAIN(CASE(every_variant_computes_the_formula), CASE(special_rows_are_what_the_formula_says))
