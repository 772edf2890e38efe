/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole product of matrices of bytes, cut into chunks that threads compute in any order:
 *
 *     C[m][n] = terms(sum over k of (A[m][k] - zero_a) * (B[k][n] - zero_b[n]))
 *
 * (gemm_i8_block.h says what becomes of the sums.)  All sums are exact, so the bits depend on
 * nothing but the operands.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_PRODUCT_I8_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_PRODUCT_I8_H

#include "engine/devices/cpu/kernels/gemm_i8_block.h"

/* Steps are in elements.  c overlaps no operand.
 * No element but those of the formula is read or written. */
typedef struct QnProductI8 {
    QnIsa isa;
    int64_t m, n, k; /* each may be 0 */
    const void *a;
    int64_t a_step, a_k_step; /* of rows, and of k */
    /* Packed by qn_pack_i8, aligned to 64; or where `panels` is NULL element (k, n) is
     * b[k * b_k_step + n * b_n_step], which is packed at every run. */
    const void *b;
    const QnPanelsI8 *panels;
    int64_t b_k_step, b_n_step;
    QnTermsI8 terms;
    void *c; /* [m][c_step] */
    int64_t c_step;
    const int32_t *more; /* as in QnGemmI8Block */
    int64_t more_step, more_column_step;
} QnProductI8;

/* How many chunks; 0 if C is empty. */
int64_t qn_product_i8_chunks(const QnProductI8 *product);

/* The room that one thread needs, aligned to 64 bytes; SIZE_MAX where the number does not fit,
 * which no allocator will give. */
size_t qn_product_i8_scratch(const QnProductI8 *product);

/* Computes chunk 0 <= chunk < chunks. */
void qn_product_i8_run(const QnProductI8 *product, int64_t chunk, void *scratch);

#endif
