/* SPDX-License-Identifier: Apache-2.0 */
/* Storing real numbers as integers: what the quantized forms of operators share. */
#ifndef QN_ENGINE_OPS_QUANTIZED_H
#define QN_ENGINE_OPS_QUANTIZED_H

#include "engine/ops/op.h"

/* The range of an integer type of at most 32 bits; false for others. */
bool qn_quantized_range(QnType type, int64_t *lowest, int64_t *highest);

/* tensor[i] = clamp(round(value) + zero), halves to even; NaN is `zero`. */
void qn_quantized_set(QnTensor *tensor, int64_t i, double value, int64_t zero);

/*
 * The 256 steps that DynamicQuantizeLinear rounds real numbers to: a range widened to hold 0, in
 * float, as models were calibrated.  A zeroed grid is that of no numbers.
 */
typedef struct QnByteGrid {
    float low, high; /* of the numbers */
    float scale;     /* set by settle, as is the zero point */
    int64_t zero;
} QnByteGrid;

void qn_byte_grid_widen(QnByteGrid *grid, double x);
void qn_byte_grid_settle(QnByteGrid *grid);

/* The step of a number, 0 to 255; and what that is worth. */
int64_t qn_byte_grid_step(const QnByteGrid *grid, double x);
double qn_byte_grid_round(const QnByteGrid *grid, double x);

/* Fails unless each of those inputs is there and has one element. */
QnStatus qn_quantized_want_scalars(const QnCall *call, const int *inputs, int count);

#endif
