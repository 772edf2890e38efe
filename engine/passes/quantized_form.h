/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Convolutions and products of bytes, as quantizers write them: on real numbers that
 * DequantizeLinear has just made.  What folding has to leave alone, and fusing takes.
 *
 *     Conv(DequantizeLinear(x, ...), DequantizeLinear(w, ...) [, bias])        so Gemm, MatMul
 */
#ifndef QN_ENGINE_PASSES_QUANTIZED_FORM_H
#define QN_ENGINE_PASSES_QUANTIZED_FORM_H

#include "engine/passes/rewrite.h"

/* Where integers stand for real numbers: what QuantizeLinear and DequantizeLinear read. */
enum { QN_QUANTIZED_X = 0, QN_QUANTIZED_SCALE = 1, QN_QUANTIZED_ZERO = 2 };

typedef struct QnQuantizedForm {
    QnNode *node;          /* Conv, Gemm or MatMul */
    QnNode *x, *w;         /* the DequantizeLinear of its operands */
    int64_t channels;      /* of the result, the columns of a product; 0: not known */
    const QnIrValue *bias; /* real; one that qn_quantized_form_bias can read; NULL: none */
} QnQuantizedForm;

/*
 * Reads a node.  Scales and zero points are constants: of x one, of w one or one for each channel;
 * both hold bytes.  False for all that is otherwise.
 */
bool qn_quantized_form_read(QnQuantizedForm *form, QnNode *node);

/* Writes the bias of each channel; `channels` of them. */
void qn_quantized_form_bias(const QnQuantizedForm *form, double *to);

/* Is it a node with one scale and at most one zero point,
 * both constant, whose integers are bytes? */
bool qn_quantized_is_simple(const QnNode *node);

#endif
