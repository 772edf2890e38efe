/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole matrix product, or a batch of them, cut into chunks that threads compute in any order:
 *
 *     C[b][m][n] = epilogue(sum over k of A[b][m][k] * B[b][k][n])
 *
 * The cut depends on the shape and the CPU level only, and no sum is split between chunks, so the
 * bits do not depend on the number of threads.  A chunk is meant to take 20 to 100 microseconds.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_PRODUCT_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_PRODUCT_H

#include <stddef.h>

#include "engine/devices/cpu/kernels/epilogue.h"

/* Steps between neighbours of a two-level batch, in floats; 0 repeats an operand. */
typedef struct QnProductBatch {
    int64_t count; /* 1 where there is no such level */
    int64_t a, b, c, residual;
} QnProductBatch;

/*
 * Steps are in floats and may be 0 or negative where they are read.  c overlaps no operand but a
 * residual of equal steps. No element but those of the formula is read or written, whatever lies
 * between them.
 */
typedef struct QnProductF32 {
    QnIsa isa;
    int64_t m, n, k; /* each may be 0 */
    const float *a;
    int64_t a_step, a_k_step; /* of rows, and of k: 1 is fast */

    /* Packed (gemm_pack.h): b_stride as made there, b aligned to 64.  Else element (k, n) is b[k *
     * b_k_step + n * b_n_step], which is packed or used in place at every run. */
    bool b_is_packed;
    const float *b;
    int64_t b_stride;
    int64_t b_k_step, b_n_step;

    float *c;
    int64_t c_step, c_column_step;
    QnEpilogue epilogue;
    QnProductBatch outer, inner;
    bool fixed_order; /* the bits of a row must not depend on the number of rows */
} QnProductF32;

/* How many chunks; 0 if C is empty. */
int64_t qn_product_f32_chunks(const QnProductF32 *product);

/* The room that one thread needs, aligned to 64 bytes; its contents are of no interest between
 * chunks.  SIZE_MAX where the number does not fit, which no allocator will give. */
size_t qn_product_f32_scratch(const QnProductF32 *product);

/* The room for any product like this one whose m, n and k are at most as large; B is not packed. */
size_t qn_product_f32_scratch_up_to(const QnProductF32 *product);

/* Computes chunk 0 <= chunk < chunks. */
void qn_product_f32_run(const QnProductF32 *product, int64_t chunk, void *scratch);

#endif
