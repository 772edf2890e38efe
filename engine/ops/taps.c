/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/taps.h"

/* The sum of one list of taps, whose elements lie from `x` on.  Constants lie at any alignment. */
#define SUM(name, type)                                                    \
    static inline double name(const char *x, const QnTap *taps, int count) \
    {                                                                      \
        double sum = 0;                                                    \
        for (int t = 0; t < count; t++) {                                  \
            type v;                                                        \
            memcpy(&v, x + taps[t].offset * (int64_t)sizeof v, sizeof v);  \
            sum += taps[t].weight * (double)v;                             \
        }                                                                  \
        return sum;                                                        \
    }
SUM(sum_f32, float)
SUM(sum_f64, double)
#undef SUM

/* The same of any type. */
static double sum_any(const QnTensor *x, int64_t first, const QnTap *taps, int count)
{
    double sum = 0;
    for (int t = 0; t < count; t++)
        sum += taps[t].weight * qn_tensor_get(x, first + taps[t].offset);
    return sum;
}

void qn_taps_sum(const QnTensor *x, int64_t first, int64_t step, int64_t count, const QnTap *taps,
                 int tap_count, double *to)
{
    const char *from = (const char *)x->data + first * (int64_t)qn_type_size(x->type);
    if (x->type == QN_FLOAT)
        for (int64_t c = 0; c < count; c++)
            to[c] = sum_f32(from + c * step * (int64_t)sizeof(float), taps, tap_count);
    else if (x->type == QN_DOUBLE)
        for (int64_t c = 0; c < count; c++)
            to[c] = sum_f64(from + c * step * (int64_t)sizeof(double), taps, tap_count);
    else
        for (int64_t c = 0; c < count; c++)
            to[c] = sum_any(x, first + c * step, taps, tap_count);
}

void qn_taps_sum_places(const QnTensor *x, int64_t first, const QnTap *taps, int limit,
                        const int *counts, int places, double *to)
{
    const char *from = (const char *)x->data + first * (int64_t)qn_type_size(x->type);
    for (int p = 0; p < places; p++) {
        const QnTap *own = taps + (size_t)p * (size_t)limit;
        to[p] = x->type == QN_FLOAT    ? sum_f32(from, own, counts[p])
                : x->type == QN_DOUBLE ? sum_f64(from, own, counts[p])
                                       : sum_any(x, first, own, counts[p]);
    }
}
