/* SPDX-License-Identifier: Apache-2.0 */
/* Storing real numbers as integers: what the quantized forms of operators share. */
#ifndef QN_ENGINE_OPS_QUANTIZED_H
#define QN_ENGINE_OPS_QUANTIZED_H

#include "engine/ops/op.h"

/* The range of an integer type of at most 32 bits; false for others. */
bool qn_quantized_range(QnType type, int64_t *lowest, int64_t *highest);

/* tensor[i] = clamp(round(value) + zero), halves to even; NaN is `zero`. */
void qn_quantized_set(QnTensor *tensor, int64_t i, double value, int64_t zero);

/* Fails unless each of those inputs is there and has one element. */
QnStatus qn_quantized_want_scalars(const QnCall *call, const int *inputs, int count);

#endif
