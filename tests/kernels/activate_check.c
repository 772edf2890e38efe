/* SPDX-License-Identifier: Apache-2.0 */
/* The activations of epilogues: every variant against doubles, and what a line of sums becomes. */
#include "engine/devices/cpu/kernels/epilogue.h"

#include "base/compiler.h"
#include "tests/kernels/check.h"

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double define(double x, QnActivation activation, double p, double q)
{
    switch (activation) {
    case QN_ACTIVATION_RELU:
        return x < 0 ? 0 : x;
    case QN_ACTIVATION_CLIP:
        return fmin(q, fmax(p, x));
    case QN_ACTIVATION_LEAKY:
        return x < 0 ? p * x : x;
    case QN_ACTIVATION_HARD_SIGMOID:
        return fmin(1, fmax(0, p * x + q));
    case QN_ACTIVATION_HARD_SWISH:
        return x * fmin(1, fmax(0, x / 6 + 0.5));
    case QN_ACTIVATION_SIGMOID:
        return sigmoid(x);
    case QN_ACTIVATION_TANH:
        return tanh(x);
    case QN_ACTIVATION_SILU:
        return x * sigmoid(x);
    case QN_ACTIVATION_GELU:
        return x / 2 * (1 + erf(x * sqrt(0.5)));
    default:
        return x;
    }
}

/*
 * Exact ones are exact; sums of products lose a few units of the last place of their largest term;
 * the others keep the relative errors that vector_math.h states, and gelu its absolute one in the
 * left tail.
 */
static double bound(double x, double want, QnActivation activation)
{
    switch (activation) {
    case QN_ACTIVATION_NONE:
    case QN_ACTIVATION_RELU:
    case QN_ACTIVATION_CLIP:
        return 0;
    case QN_ACTIVATION_LEAKY:
        return FLT_EPSILON * fabs(want);
    case QN_ACTIVATION_HARD_SIGMOID:
    case QN_ACTIVATION_HARD_SWISH:
        return 3 * FLT_EPSILON * (1 + fabs(x));
    case QN_ACTIVATION_GELU:
        return 4 * FLT_EPSILON * fabs(want) + 5e-7;
    default:
        return 4 * FLT_EPSILON * fabs(want) + 1e-37;
    }
}

static void check_variant(Check *check, const QnActivateF32 *variant, QnActivation activation,
                          int64_t count)
{
    const float p = activation == QN_ACTIVATION_HARD_SIGMOID ? 0.2f : -0.25f, q = 0.5f;
    float *x = check_floats(check, count), *y = check_blank(check, count);
    for (int64_t i = 0; i < count; i++)
        x[i] *= 8;
    variant->run(y, x, count, activation, p, q);
    for (int64_t i = 0; i < count; i++) {
        const double want = define((double)x[i], activation, (double)p, (double)q);
        EXPECT(check->t, check_is_near(y[i], want, bound((double)x[i], want, activation)),
               "%s activation %d of %.9g: %.9g, not %.9g", variant->name, activation, (double)x[i],
               (double)y[i], want);
    }
    variant->run(x, x, count, activation, p, q);
    EXPECT(check->t, !memcmp(x, y, (size_t)count * sizeof *x), "%s differs in place",
           variant->name);
    check_end(check);
}

TEST(every_activation_is_within_its_bound)
{
    Check check = check_make(t);
    for (int v = 0; v < qn_activate_f32_count; v++) {
        if (!check_begin(&check, qn_activate_f32[v].name, qn_activate_f32[v].needs))
            continue;
        for (int a = 0; a < QN_ACTIVATION_COUNT; a++)
            for (int64_t count = 0; count < 70; count++) {
                check.end = (CheckEnd)(count % 2);
                check.values = (CheckValues)check_random(&check, CHECK_CLASSES);
                check_variant(&check, &qn_activate_f32[v], (QnActivation)a, count);
            }
    }
}

TEST(nan_passes_and_infinities_saturate)
{
    Check check = check_make(t);
    for (int v = 0; v < qn_activate_f32_count; v++) {
        if ((qn_activate_f32[v].needs & check.have) != qn_activate_f32[v].needs)
            continue;
        for (int a = 0; a < QN_ACTIVATION_COUNT; a++) {
            const float x[3] = {NAN, INFINITY, -1e30f};
            float y[3];
            qn_activate_f32[v].run(y, x, 3, (QnActivation)a, 0.25f, 0.5f);
            EXPECT(t, isnan(y[0]), "%s activation %d of NaN: %g", qn_activate_f32[v].name, a,
                   (double)y[0]);
            const double want = define(INFINITY, (QnActivation)a, 0.25, 0.5);
            EXPECT(t, (double)y[1] == want, "%s activation %d of infinity: %g, not %g",
                   qn_activate_f32[v].name, a, (double)y[1], want);
            EXPECT(t, !isnan(y[2]), "%s activation %d of -1e30 is NaN", qn_activate_f32[v].name, a);
        }
    }
}

TEST(lines_are_finished_in_the_order_of_the_formula)
{
    static const struct {
        bool residual_last;
        float want;
    } rows[] = {{false, 3}, {true, 5}}; /* relu(2 * -3 + 1 + 4 * 2), relu(2 * -3 + 1) + 2.5 * 2 */
    const float bias = 1, residual = 2;
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        float sum = -3, y = 0;
        const QnEpilogue epilogue = {.alpha = 2,
                                     .beta = rows[i].residual_last ? 2.5f : 4,
                                     .residual_last = rows[i].residual_last,
                                     .activation = QN_ACTIVATION_RELU};
        qn_epilogue_finish(&(QnEpilogueLine){.epilogue = &epilogue,
                                             .activate = qn_activate_f32_c,
                                             .sums = &sum,
                                             .count = 1,
                                             .bias = &bias,
                                             .residual = &residual,
                                             .c = &y,
                                             .c_step = 1});
        EXPECT(t, y == rows[i].want, "%g, not %g", (double)y, (double)rows[i].want);
    }
}

TEST_MAIN(CASE(every_activation_is_within_its_bound), CASE(nan_passes_and_infinities_saturate),
          CASE(lines_are_finished_in_the_order_of_the_formula))
