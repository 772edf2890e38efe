/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of C, as high as fits the second cache level, with a whole epilogue: what products and
 * convolutions are cut into.  The block's sums over long k are made in pieces, with partial sums in
 * scratch, so that the panels in use stay in the second cache level while all rows pass; C is
 * written once and never read.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_BLOCK_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_BLOCK_H

#include "engine/devices/cpu/kernels/epilogue.h"
#include "engine/devices/cpu/kernels/gemm.h"

enum {
    QN_GEMM_BLOCK_ROWS = 64,  /* most rows of a block */
    QN_GEMM_RUN_LENGTH = 768, /* runs are cut to this, so that k can be taken in pieces */
    QN_GEMM_SCRATCH_FLOATS = QN_GEMM_BLOCK_ROWS * 64
};

typedef struct QnGemmBlock {
    QnIsa isa;
    /* A and B as in QnGemmTile.  Runs longer than QN_GEMM_RUN_LENGTH are right but slow. */
    const float *a;
    int64_t a_step;
    const float *const *a_rows;
    int64_t a_tap_step, a_offset;
    const QnGemmRun *runs;
    int64_t run_count;
    const float *b;
    int64_t b_step, b_stride;

    int64_t rows; /* 1 .. QN_GEMM_BLOCK_ROWS */
    int64_t columns;
    float *c; /* element (m, n) at m * c_step + n * c_column_step */
    int64_t c_step, c_column_step;
    const QnEpilogue *epilogue; /* its bias and residual begin at the block's first element */
    float *scratch; /* QN_GEMM_SCRATCH_FLOATS, aligned to 64 bytes; the caller's thread's own */
} QnGemmBlock;

void qn_gemm_f32_block(const QnGemmBlock *block);

#endif
