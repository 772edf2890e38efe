/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that multiply and shift each channel by constants: what passes about them share. */
#ifndef QN_ENGINE_PASSES_AFFINE_H
#define QN_ENGINE_PASSES_AFFINE_H

#include "engine/passes/rewrite.h"

/* y = scale[c] * x + shift[c], c along an axis of x. */
typedef struct QnAffine {
    QnIrValue *x;
    int64_t channels;
    double *scale, *shift; /* [channels] */
} QnAffine;

/*
 * Reads BatchNormalization (inference), Mul, Div, Add or Sub of a floating tensor x by constants
 * that are per channel of the axis, or one number.  The axis counts from the last where it is
 * negative.  *is_affine false where the node is something else, or a factor is not finite.
 */
QnStatus qn_affine_read(QnAffine *out, bool *is_affine, const QnNode *node, int axis,
                        QnArena *arena);

/*
 * The weights [groups, middle, length, inner] with each element multiplied by the factor
 * factors[group * length + index]: a new constant of the same type and dims.  *out NULL where a
 * product is not finite though its weight is.
 */
typedef struct QnScaling {
    int64_t groups, middle, length;
    const double *factors; /* [groups * length] */
} QnScaling;
QnStatus qn_affine_scale(QnPassCall *call, QnIrValue **out, const QnIrValue *weights,
                         const QnScaling *scaling);

/* A constant of one row of numbers. */
QnStatus qn_affine_row(QnPassCall *call, QnIrValue **out, QnGraph *graph, QnType type, int rank,
                       const int64_t *dims, const double *elements);

#endif
