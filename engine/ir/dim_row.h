/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the dimension table, shared by its files:
 * dim.c, dim_algebra.c, dim_quotient.c, dim_text.c. */
#ifndef QN_ENGINE_IR_DIM_ROW_H
#define QN_ENGINE_IR_DIM_ROW_H

#include "engine/ir/dim.h"

/* The row of a negative dim. */
static inline const QnDimRow *qn_dim_row(const QnDims *dims, QnDim dim)
{
    return &dims->rows[-1 - dim];
}

/* Is it a row of that operator? */
static inline bool qn_dim_is(const QnDims *dims, QnDim dim, QnDimOp op)
{
    return dim < 0 && qn_dim_row(dims, dim)->op == op;
}

/* The row equal to `row`, made where there is none: terms and name are copied, the flags are found
 * out (but for a symbol's is_late, which is taken over).  0 where the table failed. */
QnDim qn_dim_intern(QnDims *dims, const QnDimRow *row);

#endif
