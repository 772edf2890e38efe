/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block of a quantized product with all that is done to its sums: what products and convolutions
 * of bytes are cut into.  Sums are of whole k: 64 columns of B stay in the second cache level while
 * all rows of the block pass.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_I8_BLOCK_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_I8_BLOCK_H

#include "engine/devices/cpu/kernels/gemm_i8.h"
#include "engine/devices/cpu/kernels/scale_i32.h"

enum {
    QN_BLOCK_I8_ROWS = 120, /* of a block; a multiple of all tiles */
    QN_MOVE_I8 = 128        /* what signed rows of A are moved up, and unsigned B down */
};

/*
 * What integers stand for, and what becomes of their sums (scale_i32.h).  Steps are 0 where one
 * number serves all columns, else 1; the arrays begin at the product's first column.
 */
typedef struct QnTermsI8 {
    bool a_is_signed, b_is_unsigned;
    int32_t zero_a;        /* of A as it was given */
    const int32_t *zero_b; /* of B as it was given; NULL: 0 */
    int64_t zero_b_step;
    const int32_t *bias; /* NULL: 0 */
    int64_t bias_step;
    const float *factor; /* of results that are no int32 */
    int64_t factor_step;
    const float *float_bias; /* one per column; of float results; NULL: 0 */
    QnScaleTo to;
    int32_t zero; /* of results that are bytes */
} QnTermsI8;

/* Do the terms need the sums of A's rows? */
static inline bool qn_terms_i8_need_rows(const QnTermsI8 *terms)
{
    return terms->zero_b || terms->b_is_unsigned;
}

typedef struct QnGemmI8Block {
    QnIsa isa;
    const QnTermsI8 *terms;
    /* A as the product takes it: run r of row m is a[r * a_step + m], of k bytes, and as many more
     * as fill a group of four; of several runs, k is whole groups. */
    const uint8_t *const *a;
    int64_t a_step, runs, k;
    const int32_t *row_sums; /* [rows], where the terms need them */
    const int8_t *b;         /* panels of the product's columns, and their sums */
    int64_t b_stride;
    const int32_t *b_sums;
    int64_t rows;           /* 1 .. QN_BLOCK_I8_ROWS */
    int64_t first, columns; /* of the product, `first` a multiple of 16 */
    void *c;                /* element (row, column `first`) at row * c_step, in elements */
    int64_t c_step;
    const int32_t *more; /* added to the sum of (row, first + column) from row * more_step + column
                          * more_column_step, the latter 0 or 1; NULL: nothing */
    int64_t more_step, more_column_step;
} QnGemmI8Block;

void qn_gemm_i8_block(const QnGemmI8Block *block);

/* Signed bytes as unsigned ones, moved up. */
void qn_move_i8(uint8_t *to, const uint8_t *from, int64_t count);

/*
 * Copies rows of k bytes, `step` apart and bytes k_step apart, into rows of to_step bytes, moved
 * where `is_signed`, with zeros up to a whole group of four.
 */
void qn_copy_i8(uint8_t *to, int64_t to_step, const void *from, int64_t step, int64_t k_step,
                bool is_signed, int64_t rows, int64_t k);

/* The sums of rows, of `runs` runs of k bytes each. */
void qn_sum_i8(int32_t *row_sums, const uint8_t *const *a, int64_t a_step, int64_t runs,
               int64_t rows, int64_t k);

/* The rows of a block that lie `step` apart. */
static inline void qn_point_i8(const uint8_t **a, const uint8_t *first, int64_t step, int64_t rows)
{
    for (int64_t m = 0; m < rows; m++)
        a[m] = first + m * step;
}

#endif
