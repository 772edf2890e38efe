/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic on two tensors, element by element, with NumPy's broadcasting; and the operators that
 * fold any number of tensors.  Integers wrap; a division by zero gives 0, as does its remainder.
 */
#include <math.h>

#include "engine/ops/op.h"

/* ---- formulas ---- */

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

static double sub(double a, double b, const double *attributes)
{
    (void)attributes;
    return a - b;
}

static int64_t sub_int(int64_t a, int64_t b, const double *attributes)
{
    (void)attributes;
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static double mul(double a, double b, const double *attributes)
{
    (void)attributes;
    return a * b;
}

static int64_t mul_int(int64_t a, int64_t b, const double *attributes)
{
    (void)attributes;
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static double divide(double a, double b, const double *attributes)
{
    (void)attributes;
    return a / b;
}

static int64_t divide_int(int64_t a, int64_t b, const double *attributes)
{
    (void)attributes;
    if (b == 0)
        return 0;
    return b == -1 ? (int64_t)(0 - (uint64_t)a) : a / b;
}

static uint64_t divide_uint(uint64_t a, uint64_t b, const double *attributes)
{
    (void)attributes;
    return b == 0 ? 0 : a / b;
}

static double power(double a, double b, const double *attributes)
{
    (void)attributes;
    return pow(a, b);
}

/* Wraps, by squaring. */
static uint64_t power_uint(uint64_t a, uint64_t b, const double *attributes)
{
    (void)attributes;
    uint64_t result = 1;
    for (; b; b >>= 1, a *= a)
        if (b & 1)
            result *= a;
    return result;
}

/* A negative power is a fraction, which is cut towards zero; of 0 it is 0 too. */
static int64_t power_int(int64_t a, int64_t b, const double *attributes)
{
    if (b >= 0)
        return (int64_t)power_uint((uint64_t)a, (uint64_t)b, attributes);
    return a == 1 || (a == -1 && b % 2 == 0) ? 1 : a == -1 ? -1 : 0;
}

/* The attribute is fmod: the sign of the remainder is the dividend's (C) instead of the divisor's
 * (Python), that of a zero too. */
static double mod(double a, double b, const double *attributes)
{
    const double rest = fmod(a, b);
    if (attributes[0] != 0 || isnan(rest))
        return rest;
    if (rest == 0)
        return copysign(0, b);
    return (rest < 0) == (b < 0) ? rest : rest + b;
}

static int64_t mod_int(int64_t a, int64_t b, const double *attributes)
{
    if (b == 0 || b == -1)
        return 0;
    const int64_t rest = a % b;
    return attributes[0] != 0 || rest == 0 || (rest < 0) == (b < 0) ? rest : rest + b;
}

static uint64_t mod_uint(uint64_t a, uint64_t b, const double *attributes)
{
    (void)attributes;
    return b == 0 ? 0 : a % b;
}

/* NaN wins, on either side. */
static double larger(double a, double b, const double *attributes)
{
    (void)attributes;
    return isnan(a) || a > b ? a : b;
}

static int64_t larger_int(int64_t a, int64_t b, const double *attributes)
{
    (void)attributes;
    return a > b ? a : b;
}

static uint64_t larger_uint(uint64_t a, uint64_t b, const double *attributes)
{
    (void)attributes;
    return a > b ? a : b;
}

static double smaller(double a, double b, const double *attributes)
{
    (void)attributes;
    return isnan(a) || a < b ? a : b;
}

static int64_t smaller_int(int64_t a, int64_t b, const double *attributes)
{
    (void)attributes;
    return a < b ? a : b;
}

static uint64_t smaller_uint(uint64_t a, uint64_t b, const double *attributes)
{
    (void)attributes;
    return a < b ? a : b;
}

/* ---- what is more than one formula ---- */

/* The mean of n tensors: their sum in the output, then a division in place. */
static QnStatus mean(const QnCall *call)
{
    QN_TRY(qn_reference_elementwise(call));
    QnTensor *y = qn_call_result(call, 0);
    const int64_t count = qn_tensor_count(y);
    for (int64_t i = 0; i < count; i++)
        qn_tensor_set(y, i, qn_tensor_get(y, i) / call->input_count);
    return QN_OK;
}

#define BINARY(code_)                                         \
    {                                                         \
        {                                                     \
            .code = QN_CODE_##code_, .out = 2, .a = 0, .b = 1 \
        }                                                     \
    }
static const QnInstruction add_program[] = BINARY(ADD), sub_program[] = BINARY(SUB),
                           mul_program[] = BINARY(MUL), div_program[] = BINARY(DIV),
                           pow_program[] = BINARY(POW), max_program[] = BINARY(MAX),
                           min_program[] = BINARY(MIN), mod_program[] = BINARY(MOD),
                           fmod_program[] = BINARY(FMOD);
#undef BINARY

static const QnInstruction *pick_mod(const QnNode *node, int *count)
{
    *count = 1;
    return qn_op_int(node, "fmod") ? fmod_program : mod_program;
}

static const QnOpAttribute mod_attributes[] = {{"fmod", QN_ATTRIBUTE_INT}, {0}};

#define COMMON(op, since_)                                                                  \
    .name = (op), .since = (since_), .inputs = "A: numeric, B: numeric", .outputs = "C: T", \
    .infer = qn_infer_elementwise, .reference = qn_reference_elementwise
#define VARIADIC(op, since_)                                                             \
    .name = (op), .since = (since_), .inputs = "data*: numeric", .outputs = "result: T", \
    .infer = qn_infer_elementwise, .reference = qn_reference_elementwise

const QnOp qn_ops_elementwise[] = {
    {COMMON("Add", 14), .traits = QN_OP_IN_PLACE | QN_OP_COMMUTATIVE,
     .scalar = {.binary = add, .binary_int = add_int}, QN_PROGRAM(add_program)},
    {COMMON("Div", 14), .traits = QN_OP_IN_PLACE,
     .scalar = {.binary = divide, .binary_int = divide_int, .binary_uint = divide_uint},
     QN_PROGRAM(div_program)},
    {VARIADIC("Max", 13), .traits = QN_OP_IN_PLACE | QN_OP_COMMUTATIVE,
     .scalar = {.binary = larger, .binary_int = larger_int, .binary_uint = larger_uint},
     QN_PROGRAM(max_program)},
    {.name = "Mean",
     .since = 13,
     .inputs = "data*: float",
     .outputs = "mean: T",
     .traits = QN_OP_IN_PLACE | QN_OP_COMMUTATIVE,
     .infer = qn_infer_elementwise,
     .reference = mean,
     .scalar = {.binary = add}},
    {VARIADIC("Min", 13), .traits = QN_OP_IN_PLACE | QN_OP_COMMUTATIVE,
     .scalar = {.binary = smaller, .binary_int = smaller_int, .binary_uint = smaller_uint},
     QN_PROGRAM(min_program)},
    {COMMON("Mod", 28), .attributes = mod_attributes,
     .scalar = {.binary = mod, .binary_int = mod_int, .binary_uint = mod_uint},
     .pick_program = pick_mod},
    {COMMON("Mul", 14), .traits = QN_OP_IN_PLACE | QN_OP_COMMUTATIVE,
     .scalar = {.binary = mul, .binary_int = mul_int}, QN_PROGRAM(mul_program)},
    {.name = "Pow",
     .since = 15,
     .inputs = "X: numeric, Y: numeric",
     .outputs = "Z: T",
     .traits = QN_OP_IN_PLACE,
     .infer = qn_infer_elementwise,
     .reference = qn_reference_elementwise,
     .scalar = {.binary = power, .binary_int = power_int, .binary_uint = power_uint},
     QN_PROGRAM(pow_program)},
    {COMMON("Sub", 14), .traits = QN_OP_IN_PLACE, .scalar = {.binary = sub, .binary_int = sub_int},
     QN_PROGRAM(sub_program)},
    {VARIADIC("Sum", 13), .traits = QN_OP_IN_PLACE | QN_OP_COMMUTATIVE,
     .scalar = {.binary = add, .binary_int = add_int}, QN_PROGRAM(add_program)},
    {0},
};
