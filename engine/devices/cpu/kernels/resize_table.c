/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of a resized axis.  Output o lies at a coordinate among the inputs; the filter around
 * it gives the weights: a triangle of radius 1 (linear), Keys's cubic of radius 2; both widened by
 * 1 / scale where antialiasing shrinks.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/devices/cpu/kernels/resize.h"

static double coordinate(const QnResizeSpec *spec, int64_t o)
{
    const double x = (double)o, in = (double)spec->in, out = (double)spec->out;
    switch (spec->coordinates) {
    case QN_COORDINATES_HALF_PIXEL_SYMMETRIC: {
        /* Where the scale does not fit the sizes, the sampled part stays in the middle. */
        const double adjustment = out / (spec->scale * in);
        return in / 2 * (1 - adjustment) + (x + 0.5) / spec->scale - 0.5;
    }
    case QN_COORDINATES_PYTORCH_HALF_PIXEL:
        return out > 1 ? (x + 0.5) / spec->scale - 0.5 : 0;
    case QN_COORDINATES_ALIGN_CORNERS:
        return out > 1 ? x * (in - 1) / (out - 1) : 0;
    case QN_COORDINATES_ASYMMETRIC:
        return x / spec->scale;
    case QN_COORDINATES_TF_CROP_AND_RESIZE:
        return out > 1
                   ? spec->start * (in - 1) + x * (spec->end - spec->start) * (in - 1) / (out - 1)
                   : 0.5 * (spec->start + spec->end) * (in - 1);
    default:
        return (x + 0.5) / spec->scale - 0.5;
    }
}

static int64_t nearest(const QnResizeSpec *spec, double x)
{
    double whole = floor(x);
    switch (spec->nearest) {
    case QN_NEAREST_ROUND_PREFER_FLOOR:
        whole = x == whole + 0.5 ? whole : floor(x + 0.5);
        break;
    case QN_NEAREST_ROUND_PREFER_CEIL:
        whole = floor(x + 0.5);
        break;
    case QN_NEAREST_CEIL:
        whole = ceil(x);
        break;
    default:
        break;
    }
    return (int64_t)fmin((double)spec->in - 1, fmax(0, whole));
}

static double filter(const QnResizeSpec *spec, double x)
{
    const double d = fabs(x), a = spec->cubic_a;
    if (spec->mode == QN_RESIZE_LINEAR)
        return d < 1 ? 1 - d : 0;
    if (d <= 1)
        return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/* How much the filter is narrowed: less than 1 where antialiasing shrinks the axis. */
static double narrowing(const QnResizeSpec *spec)
{
    return spec->antialias && spec->scale < 1 ? spec->scale : 1;
}

int64_t qn_resize_taps(const QnResizeSpec *spec)
{
    if (spec->mode == QN_RESIZE_NEAREST)
        return 1;
    const double radius = (spec->mode == QN_RESIZE_LINEAR ? 1 : 2) / narrowing(spec);
    return narrowing(spec) == 1 ? (int64_t)(2 * radius)
                                : qn_min_i64(2 * (int64_t)ceil(radius) + 1, 2 * spec->in + 4);
}

static void fill_row(const QnResizeSpec *spec, double x, int64_t taps, int64_t *indices,
                     double *weights)
{
    const double narrow = narrowing(spec), in = (double)spec->in;
    const int64_t first = (int64_t)floor(x) - (taps - 1) / 2;
    double sum = 0;
    for (int64_t t = 0; t < taps; t++) {
        const double at = (double)(first + t);
        weights[t] = filter(spec, (at - x) * narrow);
        if (spec->excludes_outside && (at < 0 || at >= in))
            weights[t] = 0;
        sum += weights[t];
        indices[t] = (int64_t)fmin(in - 1, fmax(0, at));
    }
    if ((spec->excludes_outside || narrow < 1) && sum != 0)
        for (int64_t t = 0; t < taps; t++)
            weights[t] /= sum;
}

void qn_resize_table(const QnResizeSpec *spec, int64_t *indices, double *weights)
{
    const int64_t taps = qn_resize_taps(spec);
    for (int64_t o = 0; o < spec->out; o++) {
        const double x = coordinate(spec, o);
        if (spec->mode == QN_RESIZE_NEAREST) {
            indices[o] = nearest(spec, x);
            weights[o] = 1;
        } else {
            /* Far outside, every tap is the edge; the bound keeps the whole part representable. */
            const double bounded = fmin((double)spec->in + 4, fmax(-5, x));
            fill_row(spec, bounded, taps, indices + o * taps, weights + o * taps);
        }
        const bool is_outside = x < 0 || x > (double)spec->in - 1;
        if (spec->coordinates == QN_COORDINATES_TF_CROP_AND_RESIZE && is_outside)
            weights[o * taps] = NAN;
    }
}
