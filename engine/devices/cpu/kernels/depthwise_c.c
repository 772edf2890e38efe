/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise lines in portable C: the definition that the other variants are checked against. */
#include "engine/devices/cpu/kernels/depthwise.h"
#include "engine/devices/cpu/kernels/gemm.h"

/* Sixteen channels of a pixel, or the rest of them; x and w are at the first. */
static void add_row(float *acc, const float *x, const float *w, const QnDepthwiseLine *t, int64_t n)
{
    for (int64_t j = 0; j < t->taps; j++)
        for (int64_t c = 0; c < n; c++)
            acc[c] += x[j * t->tap_step + c] * w[j * QN_PANEL + c];
}

static void store(const float *acc, const QnDepthwiseLine *t, int64_t pixel, int64_t first,
                  int64_t n)
{
    for (int64_t c = 0; c < n; c++) {
        float v = acc[c];
        if (t->residual)
            v += t->beta * t->residual[pixel * t->residual_step + first + c];
        if (t->clamp) {
            v = v < t->low ? t->low : v;
            v = v > t->high ? t->high : v;
        }
        t->y[pixel * t->y_step + first + c] = v;
    }
}

void qn_depthwise_f32_c(const QnDepthwiseLine *t)
{
    for (int64_t i = 0; i < t->count; i++)
        for (int64_t first = 0; first < t->channels; first += QN_PANEL) {
            const int64_t left = t->channels - first, n = left < QN_PANEL ? left : QN_PANEL;
            float acc[QN_PANEL] = {0};
            for (int64_t c = 0; t->bias && c < n; c++)
                acc[c] = t->bias[first + c];
            for (int64_t r = 0; r < t->row_count; r++)
                add_row(acc, t->rows[r].x + i * t->x_step + first,
                        t->rows[r].w + first / QN_PANEL * t->w_step, t, n);
            store(acc, t, i, first, n);
        }
}
