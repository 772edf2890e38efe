/* SPDX-License-Identifier: Apache-2.0 */
/* The sampling grid of Resize along one axis: where an output position lies in the input, and
 * which neighbours it reads. */
#ifndef QN_ENGINE_OPS_RESIZE_GRID_H
#define QN_ENGINE_OPS_RESIZE_GRID_H

#include "engine/ops/op.h"

typedef enum QnResizeFilter { QN_FILTER_NEAREST, QN_FILTER_LINEAR, QN_FILTER_CUBIC } QnResizeFilter;

typedef enum QnResizeSpace {
    QN_SPACE_HALF_PIXEL,
    QN_SPACE_PYTORCH_HALF_PIXEL,
    QN_SPACE_ASYMMETRIC,
    QN_SPACE_ALIGN_CORNERS,
    QN_SPACE_TF_HALF_PIXEL,
    QN_SPACE_TF_CROP,
    QN_SPACE_HALF_PIXEL_SYMMETRIC
} QnResizeSpace;

typedef enum QnResizeRound {
    QN_ROUND_PREFER_FLOOR,
    QN_ROUND_PREFER_CEIL,
    QN_ROUND_FLOOR,
    QN_ROUND_CEIL,
    QN_ROUND_SIMPLE /* ceil where the axis shrinks, else floor */
} QnResizeRound;

typedef struct QnResizeGrid {
    int64_t input, output; /* sizes; input > 0 where output is */
    double scale;          /* as given, or output / input */
    double start, end;     /* of the region of interest, in parts of the input */
    QnResizeFilter filter;
    QnResizeSpace space;
    QnResizeRound round;
    double cubic; /* the coefficient a */
    bool antialias, exclude_outside;
    bool is_identity; /* every position reads itself */
    bool crops;       /* positions may lie outside and are then extrapolated */
} QnResizeGrid;

/* What an output position reads: input positions first to first + count - 1, which may lie outside
 * and then mean the border. */
typedef struct QnResizeTap {
    int64_t first, count;
    double *weights; /* [qn_resize_tap_limit] */
} QnResizeTap;

/* Fails with a sentence where a mode of the node is none of ONNX's. */
QnStatus qn_resize_check(const QnNode *node, QnError *err);

/* The axes that are resized, in the order of scales and sizes: all, or the attribute's. */
QnStatus qn_resize_axes(const QnNode *node, int rank, int *axes, int *count, QnError *err);

/* The grid of one axis; the node has passed qn_resize_check. */
void qn_resize_grid(QnResizeGrid *grid, const QnNode *node, int64_t input, int64_t output,
                    double scale, double start, double end);

/*
 * Results for integers, ready to be stored: rounded to the nearest one and kept within the type,
 * or, by linear interpolation without antialiasing, which leaves no range, cut towards zero.  That
 * is what ONNX Runtime does; ONNX is silent.  What the arithmetic left a little below an integer,
 * by less than a millionth, counts as that integer: constant images stay constant.
 */
bool qn_resize_rounds(const QnNode *node);
double qn_resize_integer(bool to_nearest, QnType type, double x);

double qn_resize_coordinate(const QnResizeGrid *grid, int64_t i);
int64_t qn_resize_tap_limit(const QnResizeGrid *grid);
void qn_resize_tap(const QnResizeGrid *grid, int64_t i, QnResizeTap *tap);

#endif
