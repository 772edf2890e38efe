/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over both tensors; the sums are in double, whatever the elements are. */
#include "tools/metrics.h"

#include <math.h>

#include "quern/unstable/values.h"

static const double relative_floor = 1e-12;

/* Sums over the elements. */
typedef struct Sums {
    double want_squares, got_squares, products, error_squares, errors, max_want;
} Sums;

static bool is_measured(QnType type)
{
    return type != QN_UNDEFINED && type != QN_STRING && type != QN_COMPLEX64 &&
           type != QN_COMPLEX128;
}

static bool is_same_shape(const QnTensor *a, const QnTensor *b)
{
    if (a->rank != b->rank)
        return false;
    for (int d = 0; d < a->rank; d++)
        if (a->dims[d] != b->dims[d])
            return false;
    return true;
}

static void add_element(Metrics *metrics, Sums *sums, double got, double want)
{
    if (!isfinite(got) || !isfinite(want)) {
        metrics->odd += !(got == want || (isnan(got) && isnan(want)));
        return;
    }
    const double error = fabs(got - want), size = fabs(want);
    metrics->max_abs = fmax(metrics->max_abs, error);
    metrics->max_rel = fmax(metrics->max_rel, error / fmax(size, relative_floor));
    sums->max_want = fmax(sums->max_want, size);
    sums->errors += error;
    sums->error_squares += error * error;
    sums->want_squares += want * want;
    sums->got_squares += got * got;
    sums->products += got * want;
}

bool metrics_measure(Metrics *out, const QnTensor *got, const QnTensor *want)
{
    if (!is_measured(got->type) || !is_measured(want->type) || !is_same_shape(got, want))
        return false;
    Metrics metrics = {.count = qn_tensor_count(want)};
    Sums sums = {0};
    for (int64_t i = 0; i < metrics.count; i++)
        add_element(&metrics, &sums, qn_tensor_element(got, i), qn_tensor_element(want, i));
    const double count = metrics.count ? (double)metrics.count : 1;
    const double sizes = sqrt(sums.want_squares) * sqrt(sums.got_squares);
    metrics.mean_abs = sums.errors / count;
    metrics.rmse = sqrt(sums.error_squares / count);
    metrics.cosine = sizes > 0 ? sums.products / sizes : sums.want_squares == sums.got_squares;
    metrics.psnr_db = metrics.rmse > 0 ? 20 * log10(sums.max_want / metrics.rmse) : INFINITY;
    metrics.sqnr_db =
        metrics.rmse > 0 ? 10 * log10(sums.want_squares / sums.error_squares) : INFINITY;
    *out = metrics;
    return true;
}
