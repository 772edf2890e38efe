/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/taps.h"

/* Constants lie at any alignment. */
#define SUM(name, type)                                                                          \
    static void name(const char *x, int64_t step, int64_t count, const QnTap *taps, int taps_of, \
                     double *to)                                                                 \
    {                                                                                            \
        for (int64_t c = 0; c < count; c++, x += step * (int64_t)sizeof(type)) {                 \
            double sum = 0;                                                                      \
            for (int t = 0; t < taps_of; t++) {                                                  \
                type v;                                                                          \
                memcpy(&v, x + taps[t].offset * (int64_t)sizeof v, sizeof v);                    \
                sum += taps[t].weight * (double)v;                                               \
            }                                                                                    \
            to[c] = sum;                                                                         \
        }                                                                                        \
    }
SUM(sum_f32, float)
SUM(sum_f64, double)
#undef SUM

void qn_taps_sum(const QnTensor *x, int64_t first, int64_t step, int64_t count, const QnTap *taps,
                 int tap_count, double *to)
{
    const char *from = (const char *)x->data + first * (int64_t)qn_type_size(x->type);
    if (x->type == QN_FLOAT) {
        sum_f32(from, step, count, taps, tap_count, to);
        return;
    }
    if (x->type == QN_DOUBLE) {
        sum_f64(from, step, count, taps, tap_count, to);
        return;
    }
    enum { ROW = 64 };
    memset(to, 0, (size_t)count * sizeof *to);
    for (int64_t c = 0; c < count; c += ROW) {
        const int64_t length = count - c < ROW ? count - c : ROW;
        double row[ROW];
        for (int t = 0; t < tap_count; t++) {
            qn_tensor_read_row(x, first + c * step + taps[t].offset, step, length, row);
            for (int64_t i = 0; i < length; i++)
                to[c + i] += taps[t].weight * row[i];
        }
    }
}
