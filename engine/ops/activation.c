/* SPDX-License-Identifier: Apache-2.0 */
/* Activations: one input, one output, element by element. */
#include <math.h>

#include "engine/ops/op.h"

static double relu(double x, const double *attributes)
{
    (void)attributes;
    return x > 0 || isnan(x) ? x : 0;
}

static int64_t relu_int(int64_t x, const double *attributes)
{
    (void)attributes;
    return x > 0 ? x : 0;
}

static const QnInstruction relu_program[] = {{.code = QN_CODE_RELU, .out = 1, .a = 0}};

const QnOp qn_ops_activation[] = {
    {.name = "Relu",
     .since = 14,
     .inputs = "X: signed",
     .outputs = "Y: T",
     .traits = QN_OP_IN_PLACE,
     .infer = qn_infer_unary,
     .reference = qn_reference_elementwise,
     .scalar = {.unary = relu, .unary_int = relu_int},
     QN_PROGRAM(relu_program)},
    {0},
};
