/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks of matrices that are multiplied by NumPy's rules: batch dims broadcast; a 1-D operand is a
 * row in front or a column behind, whose dimension goes away. */
#ifndef QN_ENGINE_OPS_MATRICES_H
#define QN_ENGINE_OPS_MATRICES_H

#include "engine/ops/op.h"

/* Fails where two sizes that must be equal surely are not. */
QnStatus qn_matrices_want_equal(const QnInfer *in, QnDim a, QnDim b);

/* The shape of a * b. */
QnStatus qn_matrices_infer(QnInfer *in, const QnShape *a, const QnShape *b, QnShape *y);

/* The element offset of batch `index` (over the dims of the result) in an operand
 * whose batch dims broadcast. */
int64_t qn_matrices_batch(const QnTensor *x, int64_t index, const int64_t *dims, int rank);

#endif
