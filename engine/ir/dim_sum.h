/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and products on the stack, shared by the two files of the algebra:
 * dim_algebra.c, dim_quotient.c. */
#ifndef QN_ENGINE_IR_DIM_SUM_H
#define QN_ENGINE_IR_DIM_SUM_H

#include "engine/ir/dim.h"

enum { QN_FACTOR_LIMIT = 16 };

/* constant + sum of terms, by falling row, no factor 0. */
typedef struct QnSum {
    int64_t constant;
    int count;
    QnDimTerm terms[QN_DIM_TERM_LIMIT];
} QnSum;

/* The atoms of a product, by falling row. */
typedef struct QnFactors {
    int count;
    QnDim rows[QN_FACTOR_LIMIT];
} QnFactors;

/* What became of an operation on sums.  Where it is not done, the sum is to be thrown away. */
typedef enum QnSumOutcome { QN_SUM_DONE, QN_SUM_TOO_LONG, QN_SUM_OVERFLOWS } QnSumOutcome;

/* The row that has no value, for numbers past 64 bits and sizes that cannot meet: floor(0/0). */
QnDim qn_dim_undefined(QnDims *dims);

/* The row of an operator with two operands, as it is. */
QnDim qn_dim_binary(QnDims *dims, QnDimOp op, QnDim a, QnDim b);

/* a + factor * b; a sum that would be too long becomes one of its two halves. */
QnDim qn_dim_combine(QnDims *dims, QnDim a, QnDim b, int64_t factor);

/* A dim taken apart, and put together. */
QnSum qn_sum_of(const QnDims *dims, QnDim dim);
QnDim qn_sum_intern(QnDims *dims, QnSum *sum);

/* sum += factor * row; sum += factor * other; to += by * sum, by a term with a row. */
QnSumOutcome qn_sum_add_term(QnSum *sum, QnDim row, int64_t factor);
QnSumOutcome qn_sum_add_scaled(QnSum *sum, const QnSum *other, int64_t factor);
QnSumOutcome qn_sum_add_multiple(QnDims *dims, QnSum *to, const QnSum *sum, QnDimTerm by);

/* The atoms of a product row, or the row itself; false where there are over QN_FACTOR_LIMIT.
 * And their product. */
bool qn_factors_of(const QnDims *dims, QnDim row, QnFactors *factors);
QnDim qn_factors_intern(QnDims *dims, const QnFactors *factors);

#endif
