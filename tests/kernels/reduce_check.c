/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions: every operation of every variant over every set of axes,
 * against sums in long double. */
#include <float.h>

#include "engine/devices/cpu/kernels/reduce.h"
#include "tests/support/guard.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"
#include "tests/support/this_cpu.h"

static double get(const void *data, QnFamily family, int64_t i)
{
    switch (family) {
#define GET(suffix, NAME, T, type, ...) \
    case QN_FAMILY_##NAME:              \
        return (double)((const T *)data)[i];
        QN_FAMILY_MAP(GET, )
#undef GET
    default:
        return NAN;
    }
}

static void put(void *data, QnFamily family, int64_t i, double x)
{
    switch (family) {
#define PUT(suffix, NAME, T, type, ...) \
    case QN_FAMILY_##NAME:              \
        ((T *)data)[i] = (T)x;          \
        break;
        QN_FAMILY_MAP(PUT, )
#undef PUT
    default:
        break;
    }
}

/* Takes one element into the definition's sum; *size collects what bounds the error. */
static void take(QnReduceOp op, long double x, long double shift, long double *sum,
                 long double *size)
{
    long double v = x;
    switch (op) {
    case QN_REDUCE_MAX:
        *sum = x > *sum || x != x ? x : *sum;
        return;
    case QN_REDUCE_MIN:
        *sum = x < *sum || x != x ? x : *sum;
        return;
    case QN_REDUCE_PROD:
        *sum *= x;
        *size = fabsl(*sum);
        return;
    case QN_REDUCE_L1:
        v = fabsl(x);
        break;
    case QN_REDUCE_L2:
    case QN_REDUCE_SUM_SQUARE:
        v = x * x;
        break;
    case QN_REDUCE_LOG_SUM_EXP:
        v = expl(x - shift);
        break;
    default:
        break;
    }
    *sum += v;
    *size += fabsl(v);
}

static long double finish(QnReduceOp op, long double sum, long double shift, int64_t count)
{
    switch (op) {
    case QN_REDUCE_MEAN:
        return sum / (long double)count;
    case QN_REDUCE_L2:
        return sqrtl(sum);
    case QN_REDUCE_LOG_SUM:
        return logl(sum);
    case QN_REDUCE_LOG_SUM_EXP:
        return logl(sum) + shift;
    default:
        return sum;
    }
}

typedef struct Case {
    int rank;
    int64_t dims[4];
    uint32_t axes;
} Case;

/* The element of x for result `kept` and reduced position `r`. */
static int64_t element_of(const Case *c, int64_t kept, int64_t r)
{
    int64_t at = 0, stride = 1;
    for (int d = c->rank - 1; d >= 0; d--) {
        int64_t *from = c->axes >> d & 1 ? &r : &kept;
        at += *from % c->dims[d] * stride;
        *from /= c->dims[d];
        stride *= c->dims[d];
    }
    return at;
}

static void check_one(Test *t, Samples *s, QnReduceOp op, QnFamily family, const Case *c, QnIsa isa)
{
    int64_t count = 1, kept_count = 1, reduced_count = 1;
    if (op == QN_REDUCE_LOG_SUM_EXP && family > QN_FAMILY_F64)
        return;
    for (int d = 0; d < c->rank; d++) {
        count *= c->dims[d];
        *(c->axes >> d & 1 ? &reduced_count : &kept_count) *= c->dims[d];
    }
    const size_t size = (size_t)qn_family_size(family);
    const bool is_float = family <= QN_FAMILY_F64;
    Guard x_guard, y_guard;
    void *x = guard_end(&x_guard, (size_t)count * size),
         *y = guard_end(&y_guard, (size_t)kept_count * size);
    const SampleClass class = (SampleClass)sample_below(s, SAMPLE_CLASS_COUNT);
    for (int64_t i = 0; i < count; i++) {
        double v = is_float ? (double)sample_float(s, class) : (double)sample_below(s, 5);
        if (op == QN_REDUCE_LOG_SUM)
            v = fabs(v) + 1;
        if (op == QN_REDUCE_PROD)
            v = is_float ? 1 + v / 64 / (class == SAMPLE_WIDE ? 1e6 : 1)
                         : (double)(sample_below(s, 2) + 1) * (i % 7 == 0) + (i % 7 != 0);
        put(x, family, i, v);
    }
    QnReduce reduce;
    qn_reduce_bind(&reduce, op, family, c->rank, c->dims, c->axes, isa);
    qn_reduce_run(&reduce, x, y, reduce.unit_count / 2, reduce.unit_count);
    qn_reduce_run(&reduce, x, y, 0, reduce.unit_count / 2);
    for (int64_t k = 0; k < kept_count; k++) {
        long double max = -INFINITY, sum = op == QN_REDUCE_PROD ? 1 : 0, error = 0;
        for (int64_t r = 0; r < reduced_count; r++)
            max = fmaxl(max, get(x, family, element_of(c, k, r)));
        if (op == QN_REDUCE_MAX || op == QN_REDUCE_MIN)
            sum = op == QN_REDUCE_MAX ? -INFINITY : INFINITY;
        for (int64_t r = 0; r < reduced_count; r++)
            take(op, get(x, family, element_of(c, k, r)), max, &sum, &error);
        const long double want = finish(op, sum, max, reduced_count);
        const double got = get(y, family, k);
        if (!is_float) {
            if (reduced_count > 0 && sum < 100)
                EXPECT(t, got == floor((double)want), "op %d: %g, not %Lg", (int)op, got, want);
            continue;
        }
        /* At most 4096 terms in a lane, or 256 in a column: 256 roundings; one more for each block;
         * the end's own. */
        const double unit = family == QN_FAMILY_F32 ? (double)FLT_EPSILON : DBL_EPSILON;
        const double terms = 16 + fmin(256, (double)reduced_count);
        long double bound = terms * unit * error + unit * fabsl(want) + (long double)FLT_MIN * unit;
        if (op == QN_REDUCE_PROD)
            bound = (double)(reduced_count + 2) * unit * fabsl(want);
        if (op == QN_REDUCE_MEAN)
            bound /= (double)reduced_count;
        if (op == QN_REDUCE_L2) /* a root halves relative errors */
            bound = terms * unit * want + sqrt((double)FLT_MIN) * sqrt(unit) * 2;
        if (op == QN_REDUCE_LOG_SUM || op == QN_REDUCE_LOG_SUM_EXP)
            bound = 2 * terms * unit * (1 + fabsl(want) + (reduced_count > 0 ? fabsl(max) : 0));
        EXPECT(t,
               (got != got && want != want) ||
                   got == (family == QN_FAMILY_F32 ? (double)(float)want : (double)want) ||
                   fabsl(got - want) <= bound + (op == QN_REDUCE_MEAN ? unit * fabsl(want) : 0),
               "op %d family %d of %lld kept %lld: %.9g, not %.9Lg", (int)op, (int)family,
               (long long)reduced_count, (long long)kept_count, got, want);
    }
    guard_free(&x_guard);
    guard_free(&y_guard);
}

static const Case shapes[] = {
    {1, {1}, 1},           {1, {0}, 1},           {1, {17}, 1},        {1, {10007}, 1},
    {2, {5, 63}, 2},       {2, {5, 64}, 2},       {2, {5, 65}, 2},     {2, {300, 17}, 1},
    {2, {63, 130}, 1},     {3, {3, 20, 16}, 2},   {3, {3, 20, 33}, 5}, {4, {2, 3, 4, 37}, 5},
    {4, {2, 3, 7, 9}, 10}, {4, {2, 5, 7, 9}, 12}, {3, {4, 0, 3}, 2},   {3, {4, 3, 2}, 0},
    {2, {700, 3}, 1},      {0, {0}, 0},
};

TEST(every_operation_matches_its_definition)
{
    static const QnIsa masks[] = {QN_ISA_NONE, QN_ISA_AVX2, QN_ISA_AVX2 | QN_ISA_AVX512};
    Samples s = {7};
    for (int m = 0; m < 3; m++)
        for (int family = 0; family < QN_FAMILY_COUNT && runs_here(masks[m]); family++)
            for (int op = 0; op < QN_REDUCE_OP_COUNT; op++)
                for (size_t c = 0; c < sizeof shapes / sizeof shapes[0]; c++)
                    check_one(t, &s, (QnReduceOp)op, (QnFamily)family, &shapes[c], masks[m]);
}

TEST(nan_reaches_the_result)
{
    static const QnReduceOp ops[] = {QN_REDUCE_SUM, QN_REDUCE_MAX, QN_REDUCE_MIN,
                                     QN_REDUCE_LOG_SUM_EXP};
    float x[3 * 40], y[40];
    for (int o = 0; o < 4; o++)
        for (int at = 0; at < 120; at += 17)
            for (uint32_t axes = 1; axes <= 2; axes++) {
                for (int i = 0; i < 120; i++)
                    x[i] = i == at ? NAN : 1;
                QnReduce reduce;
                const int64_t dims[] = {3, 40};
                qn_reduce_bind(&reduce, ops[o], QN_FAMILY_F32, 2, dims, axes, this_cpu());
                qn_reduce_run(&reduce, x, y, 0, reduce.unit_count);
                const int hit = axes == 1 ? at % 40 : at / 40, results = axes == 1 ? 40 : 3;
                for (int k = 0; k < results; k++)
                    EXPECT(t, isnan(y[k]) == (k == hit), "op %d axes %u element %d: %g",
                           (int)ops[o], axes, at, (double)y[k]);
            }
}

TEST(integers_wrap_and_keep_their_ends)
{
    const int64_t large[] = {INT64_MAX, 1}, dims[] = {2};
    const int8_t small[] = {-128, -128};
    int64_t sum;
    int8_t narrow;
    QnReduce reduce;
    qn_reduce_bind(&reduce, QN_REDUCE_SUM, QN_FAMILY_I64, 1, dims, 1, 0);
    qn_reduce_run(&reduce, large, &sum, 0, 1);
    EXPECT(t, sum == INT64_MIN, "%lld", (long long)sum);
    qn_reduce_bind(&reduce, QN_REDUCE_SUM, QN_FAMILY_I8, 1, dims, 1, 0);
    qn_reduce_run(&reduce, small, &narrow, 0, 1);
    EXPECT(t, narrow == 0, "%d", narrow);
    qn_reduce_bind(&reduce, QN_REDUCE_MAX, QN_FAMILY_I8, 1, dims, 1, 0);
    qn_reduce_run(&reduce, small, &narrow, 0, 1);
    EXPECT(t, narrow == -128, "%d", narrow);
}

TEST(indices_take_the_first_or_the_last_of_equals)
{
    static const struct {
        float x[6];
        bool is_min, takes_last;
        int64_t want[2]; /* of [3, 2] along the middle of [1, 3, 2] */
    } rows[] = {
        {{1, 5, 3, 2, 3, 5}, false, false, {1, 0}},
        {{1, 5, 3, 2, 3, 5}, false, true, {2, 2}},
        {{1, 5, 3, 2, 1, 5}, true, false, {0, 1}},
        {{1, 5, 3, 2, 1, 5}, true, true, {2, 1}},
        {{1, NAN, 3, 2, NAN, NAN}, false, false, {2, 0}},
        {{1, NAN, 3, 2, NAN, NAN}, true, true, {2, 2}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        const QnArg arg = {QN_FAMILY_F32, 1, 3, 2, rows[r].is_min, rows[r].takes_last};
        int64_t y[2];
        qn_arg_run(&arg, rows[r].x, y, 0, 1);
        EXPECT(t, y[0] == rows[r].want[0] && y[1] == rows[r].want[1], "row %zu: %d %d", r,
               (int)y[0], (int)y[1]);
    }
}

TEST_MAIN(CASE(every_operation_matches_its_definition), CASE(nan_reaches_the_result),
          CASE(integers_wrap_and_keep_their_ends),
          CASE(indices_take_the_first_or_the_last_of_equals))
