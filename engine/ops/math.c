/* SPDX-License-Identifier: Apache-2.0 */
/* Functions of one number, element by element: the rows say name, formula and opcode. */
#include <math.h>

#include "engine/ops/op.h"

/* X(operator, since, C name, opcode, types, formula): functions of floating-point numbers. */
/* clang-format off */
#define UNARY_MAP(X) \
    X(Acos, 22, acos, ACOS, "float", acos(x)) \
    X(Acosh, 22, acosh, ACOSH, "float", acosh(x)) \
    X(Asin, 22, asin, ASIN, "float", asin(x)) \
    X(Asinh, 22, asinh, ASINH, "float", asinh(x)) \
    X(Atan, 22, atan, ATAN, "float", atan(x)) \
    X(Atanh, 22, atanh, ATANH, "float", atanh(x)) \
    X(Ceil, 13, ceil, CEIL, "float", ceil(x)) \
    X(Cos, 22, cos, COS, "float", cos(x)) \
    X(Cosh, 22, cosh, COSH, "float", cosh(x)) \
    X(Erf, 13, erf, ERF, "numeric", erf(x)) \
    X(Exp, 13, exp, EXP, "float", exp(x)) \
    X(Floor, 13, floor, FLOOR, "float", floor(x)) \
    X(Log, 13, log, LOG, "float", log(x)) \
    X(Reciprocal, 13, reciprocal, RECIPROCAL, "float", 1 / x) \
    X(Round, 22, round, ROUND, "float", nearbyint(x)) \
    X(Sin, 22, sin, SIN, "float", sin(x)) \
    X(Sinh, 22, sinh, SINH, "float", sinh(x)) \
    X(Sqrt, 13, sqrt, SQRT, "float", sqrt(x)) \
    X(Tan, 22, tan, TAN, "float", tan(x))

/* The same with formulas for integers, which wrap, and for uint64. */
#define UNARY_INT_MAP(X) \
    X(Abs, 13, abs, ABS, "numeric", fabs(x), x < 0 ? (int64_t)(0 - (uint64_t)x) : x, x) \
    X(Neg, 13, neg, NEG, "signed", -x, (int64_t)(0 - (uint64_t)x), 0 - x) \
    X(Sign, 13, sign, SIGN, "numeric", isnan(x) ? x : (double)((x > 0) - (x < 0)), (x > 0) - (x < 0), x > 0)
/* clang-format on */

#define DEFINE(op, since_, fn, code_, types, formula)            \
    static double float_##fn(double x, const double *attributes) \
    {                                                            \
        (void)attributes;                                        \
        return formula;                                          \
    }                                                            \
    static const QnInstruction program_##fn[] = {{.code = QN_CODE_##code_, .out = 1, .a = 0}};
#define DEFINE_INT(op, since_, fn, code_, types, formula, int_formula, uint_formula) \
    DEFINE(op, since_, fn, code_, types, formula)                                    \
    static int64_t int_##fn(int64_t x, const double *attributes)                     \
    {                                                                                \
        (void)attributes;                                                            \
        return int_formula;                                                          \
    }                                                                                \
    static uint64_t uint_##fn(uint64_t x, const double *attributes)                  \
    {                                                                                \
        (void)attributes;                                                            \
        return uint_formula;                                                         \
    }
UNARY_MAP(DEFINE)
UNARY_INT_MAP(DEFINE_INT)

#define COMMON(op, since_, fn, types)                                                         \
    .name = #op, .since = (since_), .inputs = "X: " types, .outputs = "Y: T",                 \
    .traits = QN_OP_IN_PLACE, .infer = qn_infer_unary, .reference = qn_reference_elementwise, \
    QN_PROGRAM(program_##fn)
#define ROW(op, since_, fn, code_, types, formula) \
    {COMMON(op, since_, fn, types), .scalar = {.unary = float_##fn}},
#define ROW_INT(op, since_, fn, code_, types, formula, int_formula, uint_formula) \
    {COMMON(op, since_, fn, types),                                               \
     .scalar = {.unary = float_##fn, .unary_int = int_##fn, .unary_uint = uint_##fn}},

const QnOp qn_ops_math[] = {UNARY_MAP(ROW) UNARY_INT_MAP(ROW_INT){0}};
