/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of matrices of doubles, and of integers of 32 and 64 bits, which wrap:
 *
 *     c[m][n] = sum over k of a[m * a_row + k * a_column] * b[k * b_row + n * b_column]
 *
 * Steps are in elements and may be 0 or negative; sizes may be 0.  Terms are added in the order of
 * k, by one multiplication and one addition each, so that all variants give the same bits.  c
 * overlaps neither operand.  fp32 has kernels of its own: product.h.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_MATRIX_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

typedef enum QnMatrixType {
    QN_MATRIX_F64,
    QN_MATRIX_U32,
    QN_MATRIX_U64,
    QN_MATRIX_TYPES
} QnMatrixType;

enum { QN_MATRIX_COLUMNS = 32 }; /* of B that are brought together */

typedef struct QnMatrix {
    int64_t rows, columns, inner;
    const void *a, *b;
    int64_t a_row, a_column, b_row, b_column;
    void *c;       /* [rows][c_row] */
    int64_t c_row; /* at least `columns` */
} QnMatrix;

/* Computes columns [first, first + QN_MATRIX_COLUMNS), as far as there are, of all rows.  scratch:
 * qn_matrix_scratch bytes, aligned to 64. */
typedef void QnMatrixFn(const QnMatrix *matrix, int64_t first, void *scratch);

typedef struct QnMatrixVariant {
    const char *name;
    QnIsa needs;
    QnMatrixFn *run[QN_MATRIX_TYPES];
} QnMatrixVariant;

/* Fastest first; the last needs nothing. */
extern const QnMatrixVariant qn_matrix_variants[];
extern const int qn_matrix_variant_count;

const QnMatrixVariant *qn_matrix_pick(QnIsa have);

/* Room for the columns of B; SIZE_MAX where the number does not fit. */
size_t qn_matrix_scratch(int64_t inner);

QnMatrixFn qn_matrix_f64_c, qn_matrix_u32_c, qn_matrix_u64_c;
QnMatrixFn qn_matrix_f64_avx2, qn_matrix_u32_avx2, qn_matrix_u64_avx2;
QnMatrixFn qn_matrix_f64_avx512, qn_matrix_u32_avx512, qn_matrix_u64_avx512;

#endif
