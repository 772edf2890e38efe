/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of few rows with a matrix that is given transposed and not packed:
 *
 *     c[m][n] = sum over k of a[m][k] * b[n][k]
 *
 * Sums are made in several lanes, so a result differs in its last bits from that of gemm.h.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_DOT_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_DOT_H

#include <stdint.h>

#include "base/cpu.h"

/* Steps in floats; sizes may be 0.  Any alignment of float.
 * c overlaps neither input; nothing else is read. */
typedef struct QnDot {
    int64_t m, n, k;
    const float *a; /* [m][a_step] */
    int64_t a_step;
    const float *b; /* [n][b_step] */
    int64_t b_step;
    float *c; /* [m][c_step] */
    int64_t c_step;
} QnDot;

typedef void QnDotF32Fn(const QnDot *dot);

typedef struct QnDotF32 {
    const char *name;
    QnIsa needs;
    QnDotF32Fn *run;
} QnDotF32;

extern const QnDotF32 qn_dot_f32[];
extern const int qn_dot_f32_count;

/* The first variant that `have` can run. */
const QnDotF32 *qn_dot_f32_pick(QnIsa have);

QnDotF32Fn qn_dot_f32_avx512, qn_dot_f32_avx2, qn_dot_f32_c;

#endif
