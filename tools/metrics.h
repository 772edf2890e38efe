/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How far a tensor is from another, in numbers.  With r the reference, y the result, e = y - r, all
 * in double, over the elements where both are numbers:
 *
 *     max_abs = max |e|                        mean_abs = mean |e|      rmse = sqrt(mean e^2)
 *     max_rel = max |e| / |r|, |r| at least 1e-12
 *     cosine  = r.y / (|r| |y|); 1 where both are 0
 *     psnr_db = 20 log10(max |r| / rmse)       sqnr_db = 10 log10(sum r^2 / sum e^2)
 *
 * Without an error the last two are infinite.
 */
#ifndef QN_TOOLS_METRICS_H
#define QN_TOOLS_METRICS_H

#include "quern/value.h"

typedef struct Metrics {
    int64_t count;
    int64_t odd; /* elements where one is NaN or infinite and the other is not the same */
    double max_abs, mean_abs, rmse, max_rel, cosine, psnr_db, sqnr_db;
} Metrics;

/* Of two tensors of numbers and the same shape; false, and nothing is set, for others. */
bool metrics_measure(Metrics *out, const QnTensor *got, const QnTensor *want);

#endif
