/* SPDX-License-Identifier: Apache-2.0 */
/* Weighted sums of few elements, the same for all channels:
 * what sampling between elements comes to. */
#ifndef QN_ENGINE_OPS_TAPS_H
#define QN_ENGINE_OPS_TAPS_H

#include "engine/ops/op.h"

/* An element, by its distance from the first one of a channel, and what it counts. */
typedef struct QnTap {
    int64_t offset;
    double weight;
} QnTap;

/*
 *     to[c] = sum over t of taps[t].weight * x[first + c * step + taps[t].offset]   for c < count
 *
 * x: contiguous, of any type that qn_tensor_read_row reads; terms are added in the order of taps.
 */
void qn_taps_sum(const QnTensor *x, int64_t first, int64_t step, int64_t count, const QnTap *taps,
                 int tap_count, double *to);

/*
 * The same for several lists, of one channel:
 *
 *     to[p] = sum over t < counts[p] of the taps from taps[p * limit] on
 */
void qn_taps_sum_places(const QnTensor *x, int64_t first, const QnTap *taps, int limit,
                        const int *counts, int places, double *to);

#endif
