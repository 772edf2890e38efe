/* SPDX-License-Identifier: Apache-2.0 */
/* Recurrent cells: every float variant against the formulas in double, between guard pages. */
#include <float.h>

#include "engine/devices/cpu/kernels/rnn.h"
#include "tests/support/guard.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"
#include "tests/support/this_cpu.h"

static double s(double x, double clip)
{
    const double v = clip > 0 ? fmin(clip, fmax(-clip, x)) : x;
    return 1 / (1 + exp(-v));
}

static double th(double x, double clip)
{
    return tanh(clip > 0 ? fmin(clip, fmax(-clip, x)) : x);
}

enum { ROWS = 10 };
typedef struct World {
    Guard guards[ROWS];
    float *row[ROWS];
} World;

static World make_world(Samples *samples, int64_t count)
{
    World w;
    for (int r = 0; r < ROWS; r++) {
        w.row[r] = guard_end(&w.guards[r], (size_t)count * 4);
        for (int64_t k = 0; k < count; k++)
            w.row[r][k] = 2 * sample_float(samples, SAMPLE_NORMAL);
    }
    return w;
}

static void free_world(World *w)
{
    for (int r = 0; r < ROWS; r++)
        guard_free(&w->guards[r]);
}

/* Values of at most a few units, through functions with slopes of at most 1:
 * a few dozen roundings. */
static bool is_near(float got, double want)
{
    return fabs((double)got - want) <= 40 * (double)FLT_EPSILON * (1 + fabs(want));
}

static void check_lstm(Test *t, const QnRnnVariant *v, Samples *samples, int64_t count, int round)
{
    World w = make_world(samples, count);
    const bool peeps = round & 1, coupled = round & 2;
    const double clip = round & 4 ? 1.5 : 0;
    const QnLstmCell cell = {count,
                             w.row[0],
                             w.row[1],
                             w.row[2],
                             w.row[3],
                             peeps ? w.row[4] : NULL,
                             peeps ? w.row[5] : NULL,
                             peeps ? w.row[6] : NULL,
                             w.row[7],
                             w.row[8],
                             w.row[9],
                             clip,
                             coupled};
    qn_lstm_run(v, &cell);
    for (int64_t k = 0; k < count; k++) {
        double x[ROWS];
        for (int r = 0; r < ROWS; r++)
            x[r] = (double)w.row[r][k];
        const double in = s(x[0] + (peeps ? x[4] * x[7] : 0), clip);
        const double forget = coupled ? 1 - in : s(x[2] + (peeps ? x[6] * x[7] : 0), clip);
        const double c = forget * x[7] + in * th(x[3], clip),
                     out = s(x[1] + (peeps ? x[5] * c : 0), clip);
        EXPECT(t, is_near(w.row[8][k], c), "%s: c = %g, not %g", v->name, x[8], c);
        EXPECT(t, is_near(w.row[9][k], out * tanh(c)), "%s: h = %g, not %g", v->name, x[9],
               out * tanh(c));
    }
    free_world(&w);
}

static void check_gru(Test *t, const QnRnnVariant *v, Samples *samples, int64_t count, int round)
{
    World w = make_world(samples, count);
    const double clip = round & 4 ? 1.5 : 0;
    const QnGruCell cell = {count,    w.row[0], w.row[1], w.row[2], round & 1 ? w.row[3] : NULL,
                            w.row[4], w.row[5], w.row[6], clip};
    qn_gru_run_reset(v, &cell);
    qn_gru_run_state(v, &cell);
    for (int64_t k = 0; k < count; k++) {
        const double z = s((double)w.row[0][k], clip), r = s((double)w.row[1][k], clip),
                     before = (double)w.row[4][k];
        const double n = th((double)w.row[2][k] + (round & 1 ? r * (double)w.row[3][k] : 0), clip);
        EXPECT(t, is_near(w.row[5][k], r * before), "%s: reset %g", v->name, (double)w.row[5][k]);
        EXPECT(t, is_near(w.row[6][k], (1 - z) * n + z * before), "%s: h = %g", v->name,
               (double)w.row[6][k]);
    }
    free_world(&w);
}

TEST(cells_compute_the_formulas)
{
    static const int64_t counts[] = {0, 1, 7, 8, 15, 16, 17, 33, 128};
    Samples samples = {13};
    for (int v = 0; v < qn_rnn_variant_count; v++)
        for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
            for (int round = 0; round < 8; round++) {
                if (!runs_here(qn_rnn_variants[v].needs) || qn_rnn_variants[v].type != QN_FLOAT)
                    continue;
                check_lstm(t, &qn_rnn_variants[v], &samples, counts[c], round);
                check_gru(t, &qn_rnn_variants[v], &samples, counts[c], round);
            }
}

TEST_MAIN(CASE(cells_compute_the_formulas))
