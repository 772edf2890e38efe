/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From sums of products of bytes (gemm_i8.h) to results, a few rows at a time.  With
 *
 *     s = sum[m][n] + add[n] - row_sum[m] * zero_b[n] + more[m][n]        in 32 bits, which wrap
 *
 * a result is one of
 *
 *     s
 *     s * factor[n] + bias[n]               a float
 *     clamp(round(s * factor[n]) + zero)    a byte, halves to even
 *
 * All variants give the same bits.
 *
 * Why: with operands a and b moved to what the product takes, and zero points za and zb of the
 * moved ones, sum (a - za)(b - zb) = sum a b - za * (column sum of b - k * zb) - zb * row sum of a.
 * The middle term is part of `add`.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_SCALE_I32_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_SCALE_I32_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cpu.h"

typedef enum QnScaleTo {
    QN_SCALE_TO_I32,
    QN_SCALE_TO_F32,
    QN_SCALE_TO_U8,
    QN_SCALE_TO_I8
} QnScaleTo;

/* What is the same for many rows.  The arrays begin at the rows' first column. */
typedef struct QnScaleI32 {
    QnScaleTo to;
    const int32_t *add;
    const int32_t *zero_b; /* NULL: all are 0 */
    const float *factor;   /* of all but I32 */
    const float *bias;     /* of F32; NULL: none */
    int32_t zero;          /* of U8 and I8 */
} QnScaleI32;

typedef struct QnScaleRows {
    const QnScaleI32 *scale;
    int64_t rows, count; /* either may be 0 */
    const int32_t *sums; /* [rows][sums_step] */
    int64_t sums_step;
    const int32_t *row_sums; /* [rows]; looked at where there is zero_b */
    const int32_t *more;     /* [rows][more_step], a row's more_column_step apart,
                                which is 0 or 1; NULL: none */
    int64_t more_step, more_column_step;
    void *y; /* [rows][y_step] of the type asked for; overlaps nothing */
    int64_t y_step;
} QnScaleRows;

typedef void QnScaleI32Fn(const QnScaleRows *rows);

typedef struct QnScaleI32Variant {
    const char *name;
    QnIsa needs;
    QnScaleI32Fn *run;
} QnScaleI32Variant;

extern const QnScaleI32Variant qn_scale_i32[];
extern const int qn_scale_i32_count;

const QnScaleI32Variant *qn_scale_i32_pick(QnIsa have);

/* Bytes of an element. */
static inline int64_t qn_scale_size(QnScaleTo to)
{
    return to == QN_SCALE_TO_U8 || to == QN_SCALE_TO_I8 ? 1 : 4;
}

QnScaleI32Fn qn_scale_i32_avx512, qn_scale_i32_avx2, qn_scale_i32_c;

#endif
