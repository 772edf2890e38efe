/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic, element by element, with NumPy's broadcasting. */
#include <math.h>

#include "engine/ops/op.h"

static double add(double a, double b, const double *attributes)
{
    (void)attributes;
    return a + b;
}

static int64_t add_int(int64_t a, int64_t b, const double *attributes)
{
    (void)attributes;
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static const QnInstruction add_program[] = {{.code = QN_CODE_ADD, .out = 2, .a = 0, .b = 1}};

const QnOp qn_ops_elementwise[] = {
    {.name = "Add",
     .since = 14,
     .inputs = "A: numeric, B: numeric",
     .outputs = "C: numeric",
     .traits = QN_OP_IN_PLACE | QN_OP_COMMUTATIVE,
     .infer = qn_infer_elementwise,
     .reference = qn_reference_elementwise,
     .scalar = {.binary = add, .binary_int = add_int},
     QN_PROGRAM(add_program)},
    {0},
};
