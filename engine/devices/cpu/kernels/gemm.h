/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fp32 matrix product, the one contract under matrix multiplication, convolution and all that
 * lowers to them:
 *
 *     C[m][n] = clamp(alpha * sum over runs r, over k in run r of A(r, m)[k] * B[.. k ..][n]
 *                     + bias[n] + beta * residual[m][n])
 *
 * A is not packed.  A row of it is a list of runs, each a contiguous piece, reached in one of two
 * ways:
 *
 *     strided   A(r, m) = a + m * a_step + runs[r].offset
 *     pointers  A(r, m) = a_rows[runs[r].tap * a_tap_step + m] + a_offset + runs[r].offset
 *
 * A plain product is one run; a convolution has one pointer per pixel and kernel position (its
 * "tap").
 *
 * B is packed in panels of 16 columns, [panel][k][16] floats; k counts through the runs in their
 * order.  Panels lie `b_stride` floats apart; packed B is aligned to 64 bytes.  Columns past
 * `columns` in the last panel are read and ignored.  Whole panels of a row-major matrix can be used
 * in place: b_step is its row step, b_stride is 16.
 *
 * Order of additions: every element is one chain over k, from 0 or from `start`, whatever the tile
 * and the number of rows.  So a result depends neither on blocking nor on its neighbours, and all
 * variants with fused multiply-add give the same bits.  The portable one rounds products.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cpu.h"

enum {
    QN_PANEL = 16,               /* columns of a panel */
    QN_GEMM_MAX_ROWS = 16,       /* of any variant's tile */
    QN_GEMM_MAX_FLOATS = 14 * 32 /* of any variant's tile */
};

/* A piece of the sum over k in which consecutive k are consecutive floats of A. */
typedef struct QnGemmRun {
    int64_t offset; /* in floats, added to the pointer of the row */
    int64_t length; /* in floats; 0 is valid */
    int64_t tap;    /* which list of row pointers; unused when strided */
} QnGemmRun;

/*
 * One tile of C.  Reads of A: the runs and nothing else.  Reads of bias, start, residual and writes
 * of c: `columns` floats a row and nothing else.  No pointer needs more than the alignment of
 * float.  C may be the same memory as `start` or as the residual if the steps are equal too; it
 * overlaps nothing else.
 */
typedef struct QnGemmTile {
    const float *a; /* strided form; ignored if a_rows is set */
    int64_t a_step;
    const float *const *a_rows; /* pointer form: [tap][row] */
    int64_t a_tap_step;         /* pointers between two taps */
    int64_t a_offset;           /* floats added to every pointer */
    const QnGemmRun *runs;
    int64_t run_count; /* 0 is valid: the sum is `start` */

    const float *b;
    int64_t b_step;   /* floats between the groups of k and k + 1: 16 where packed */
    int64_t b_stride; /* floats between panels */

    const float *start; /* sums of earlier k, [rows][start_step]; NULL: 0 */
    int64_t start_step;
    float *c; /* [rows][c_step] */
    int64_t c_step;
    int rows;    /* 1 .. the variant's rows */
    int columns; /* 16 * (panels - 1) + 1 .. 16 * panels of the variant */

    bool finish;           /* false: c gets the bare sum, and what follows is ignored */
    float alpha, beta;     /* beta: of the residual */
    const float *bias;     /* [columns] or NULL */
    const float *residual; /* [rows][residual_step] or NULL */
    int64_t residual_step;
    bool clamp; /* low <= C <= high; NaN stays NaN */
    float low, high;
} QnGemmTile;

typedef void QnGemmF32Fn(const QnGemmTile *tile);

typedef struct QnGemmF32 {
    const char *name; /* gemm_f32_<rows>x<columns>_<isa> */
    QnIsa needs;
    int rows, panels; /* most rows; the exact number of panels */
    bool is_thin;     /* for products of at most `rows` rows */
    QnGemmF32Fn *run;
} QnGemmF32;

/* Wider panels first in each level, the portable one last. */
extern const QnGemmF32 qn_gemm_f32[];
extern const int qn_gemm_f32_count;

/* The first variant that `have` can run for a product of `rows` rows with `panels` >= 1 panels
 * still to do. */
const QnGemmF32 *qn_gemm_f32_pick(QnIsa have, int64_t rows, int64_t panels);

QnGemmF32Fn qn_gemm_f32_6x64_avx512, qn_gemm_f32_8x48_avx512, qn_gemm_f32_14x32_avx512,
    qn_gemm_f32_16x16_avx512, qn_gemm_f32_1x128_avx512;
QnGemmF32Fn qn_gemm_f32_3x32_avx2, qn_gemm_f32_6x16_avx2, qn_gemm_f32_1x64_avx2;
QnGemmF32Fn qn_gemm_f32_2x16_c;

#endif
