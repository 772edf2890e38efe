/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Normalization of rows: LayerNorm, RMSNorm, InstanceNorm and GroupNorm of plain layouts,
 * LpNormalization.
 *
 *     s = x + residual                                            (residual may be absent)
 *     y[i] = (s[i] - mean) * factor * scale[i / repeat] + bias[i / repeat]
 *
 *     LAYER  mean = sum s / n,  factor = 1 / sqrt(sum (s - mean)^2 / n + epsilon)
 *     RMS    mean = 0,          factor = 1 / sqrt(sum s^2 / n + epsilon)
 *     L1     mean = 0,          factor = 1 / sum |s|;   0 where that sum is 0
 *     L2     mean = 0,          factor = 1 / sqrt(sum s^2);   0 where that sum is 0
 *
 * The variance is taken in a second pass over the row.  Sums are made in lanes over blocks of fixed
 * size, and the blocks added in double.  Types: float and double; others are cast before and after.
 * Rows are contiguous and aligned to their elements; y and the sum may be x or the residual.
 */
#ifndef QN_KERNELS_NORMALIZE_H
#define QN_KERNELS_NORMALIZE_H

#include "base/cpu.h"
#include "quern/value.h"

typedef enum QnNormalizeKind {
    QN_NORMALIZE_LAYER,
    QN_NORMALIZE_RMS,
    QN_NORMALIZE_L1,
    QN_NORMALIZE_L2
} QnNormalizeKind;

typedef struct QnNormalize {
    QnNormalizeKind kind;
    int64_t rows, length;
    double epsilon;
    /* Row r uses scale and bias from element (r % period) * step on, each for `repeat` elements: a
       LayerNorm has period 1, repeat 1; a GroupNorm period groups, step channels per group, repeat
       the size of an image. */
    int64_t period, step, repeat;
} QnNormalize;

/* One row: what is read, what is written; NULL: absent. */
typedef struct QnNormalizeRow {
    const void *x, *residual, *scale, *bias; /* scale and bias of this row */
    void *y, *sum;                           /* sum: x + residual */
    double mean, factor;                     /* given back */
} QnNormalizeRow;

typedef void QnNormalizeFn(const QnNormalize *normalize, QnNormalizeRow *row);

typedef struct QnNormalizeVariant {
    const char *name;
    QnIsa needs;
    QnType type;
    QnNormalizeFn *run;
} QnNormalizeVariant;

extern const QnNormalizeVariant qn_normalize_variants[];
extern const int qn_normalize_variant_count;
const QnNormalizeVariant *qn_normalize_pick(QnType type, QnIsa have);

/* The tensors of a run; every row follows the one before. */
typedef struct QnNormalizeData {
    const void *x, *residual, *scale, *bias; /* all but x may be NULL */
    void *y, *sum;                           /* sum may be NULL */
    void *means, *factors;                   /* [rows] of the same type, or NULL */
} QnNormalizeData;

/* Computes rows begin <= r < end. */
void qn_normalize_run(const QnNormalizeVariant *variant, const QnNormalize *normalize,
                      const QnNormalizeData *data, int64_t begin, int64_t end);

#endif
