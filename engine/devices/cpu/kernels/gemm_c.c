/* SPDX-License-Identifier: Apache-2.0 */
/* The fp32 product in portable C: the definition that the other variants are checked against. */
#include <string.h>

#include "engine/devices/cpu/kernels/gemm.h"

enum { ROWS = 2 };

/* acc += A * B over one run.  The inner loop has a constant count,
 * so that compilers make vectors of it. */
static const float *add_run(float (*acc)[QN_PANEL], const float *const *a, const float *b,
                            int64_t step, int64_t length, int rows)
{
    for (int64_t k = 0; k < length; k++, b += step)
        for (int i = 0; i < rows; i++) {
            const float av = a[i][k];
            for (int j = 0; j < QN_PANEL; j++)
                acc[i][j] += av * b[j];
        }
    return b;
}

static void finish(float (*acc)[QN_PANEL], const QnGemmTile *t)
{
    for (int i = 0; i < t->rows; i++)
        for (int j = 0; j < t->columns; j++) {
            float v = t->alpha * acc[i][j];
            if (t->bias)
                v += t->bias[j];
            if (t->residual)
                v += t->beta * t->residual[i * t->residual_step + j];
            /* Both comparisons are false for NaN, which passes. */
            if (t->clamp) {
                v = v < t->low ? t->low : v;
                v = v > t->high ? t->high : v;
            }
            acc[i][j] = v;
        }
}

void qn_gemm_f32_2x16_c(const QnGemmTile *t)
{
    float acc[ROWS][QN_PANEL] = {{0}};
    const size_t row_bytes = (size_t)t->columns * sizeof(float);
    if (t->start)
        for (int i = 0; i < t->rows; i++)
            memcpy(acc[i], t->start + i * t->start_step, row_bytes);
    const float *b = t->b;
    for (int64_t r = 0; r < t->run_count; r++) {
        const QnGemmRun *run = &t->runs[r];
        const float *a[ROWS] = {0};
        for (int i = 0; i < t->rows; i++)
            a[i] = (t->a_rows ? t->a_rows[run->tap * t->a_tap_step + i] + t->a_offset
                              : t->a + i * t->a_step) +
                   run->offset;
        b = add_run(acc, a, b, t->b_step, run->length, t->rows);
    }
    if (t->finish)
        finish(acc, t);
    for (int i = 0; i < t->rows; i++)
        memcpy(t->c + i * t->c_step, acc[i], row_bytes);
}
