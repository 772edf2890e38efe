/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resizing by interpolation, one axis after another: an axis has a table, made when shapes are
 * bound, of which inputs each output is made of and by what weights.
 *
 *     y[outer][o][inner] = sum over t < taps of weights[o][t] * x[outer][indices[o][t]][inner]
 *
 * The coordinates, weights and edges are those of ONNX's Resize.  Types: float and double; nearest
 * needs no arithmetic and is a gather of slices of any type (qn_gather takes the table's indices).
 * Tensors are contiguous, x and y apart.
 */
#ifndef QN_KERNELS_RESIZE_H
#define QN_KERNELS_RESIZE_H

#include "base/cpu.h"
#include "quern/value.h"

typedef enum QnResizeMode { QN_RESIZE_NEAREST, QN_RESIZE_LINEAR, QN_RESIZE_CUBIC } QnResizeMode;

typedef enum QnResizeCoordinates {
    QN_COORDINATES_HALF_PIXEL,
    QN_COORDINATES_HALF_PIXEL_SYMMETRIC,
    QN_COORDINATES_PYTORCH_HALF_PIXEL,
    QN_COORDINATES_ALIGN_CORNERS,
    QN_COORDINATES_ASYMMETRIC,
    QN_COORDINATES_TF_CROP_AND_RESIZE
} QnResizeCoordinates;

typedef enum QnResizeNearest {
    QN_NEAREST_ROUND_PREFER_FLOOR,
    QN_NEAREST_ROUND_PREFER_CEIL,
    QN_NEAREST_FLOOR,
    QN_NEAREST_CEIL
} QnResizeNearest;

/* What an axis's table is made from. */
typedef struct QnResizeSpec {
    QnResizeMode mode;
    QnResizeCoordinates coordinates;
    QnResizeNearest nearest;
    double cubic_a; /* -0.75 in ONNX */
    bool excludes_outside, antialias;
    int64_t in, out;
    double scale;      /* as given, or out / in */
    double start, end; /* of the crop, in parts of the axis: TF_CROP_AND_RESIZE */
} QnResizeSpec;

/* Inputs that make one output; memory for a table is out * taps of both. */
int64_t qn_resize_taps(const QnResizeSpec *spec);

/*
 * Fills indices[out][taps], all inside [0, in), and weights[out][taps].  An output outside a crop
 * has the weight NaN first: it takes the extrapolation value.
 */
void qn_resize_table(const QnResizeSpec *spec, int64_t *indices, double *weights);

typedef struct QnResizeAxis {
    int64_t outer, in, out, inner, taps;
    const int64_t *indices; /* [out][taps] */
    const double *weights;  /* [out][taps] */
    double extrapolation;
} QnResizeAxis;

/* One output line of `inner` elements from its taps; `x` is the first line of its outer index. */
typedef void QnResizeLineFn(const QnResizeAxis *axis, int64_t o, const void *x, void *y);

typedef struct QnResizeVariant {
    const char *name;
    QnIsa needs;
    QnType type;
    QnResizeLineFn *line;
} QnResizeVariant;

extern const QnResizeVariant qn_resize_variants[];
extern const int qn_resize_variant_count;
const QnResizeVariant *qn_resize_pick(QnType type, QnIsa have);

/* Computes lines begin <= outer * out + o < end. */
void qn_resize_run(const QnResizeVariant *variant, const QnResizeAxis *axis, const void *x, void *y,
                   int64_t begin, int64_t end);

#endif
