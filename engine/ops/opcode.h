/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The instructions of pointwise programs, one list for everybody.
 *
 * A program computes the elements of its outputs from the elements of its inputs at the same
 * (broadcast) position. Operator tables describe elementwise operators by such programs, lowering
 * joins them, and each device runs them: the CPU on strips that stay in its first cache, a GPU as
 * generated source.  A new elementwise operator is one row:
 *
 *     static const QnInstruction mish[] = {{QN_CODE_SOFTPLUS, .out = 1, .a = 0},
 *                                          {QN_CODE_TANH, .out = 1, .a = 1},
 *                                          {QN_CODE_MUL, .out = 1, .a = 0, .b = 1}};
 *
 * Registers 0 to n-1 are the program's n inputs, and are never written.  Those from n on are
 * temporaries; one may be written more than once, also by an instruction that reads it.  The result
 * of an operator's program is the `out` of its last instruction.  A register has one element type
 * wherever it is alive.
 */
#ifndef QN_ENGINE_OPS_OPCODE_H
#define QN_ENGINE_OPS_OPCODE_H

#include <stdint.h>

#include "quern/value.h"

/*
 * X(NAME, operands, types taken, type made, "name", what it computes)
 *
 * Types taken (all operands have the same, but for SELECT's condition): ANY number, FLOAT, INT,
 * BOOL (uint8, 0 or not 0), COPY (any).  Type made: SAME as its (last) operand's; BOOL (uint8,
 * exactly 0 or 1); CAST (the instruction's).
 *
 * Integers wrap; x / 0 and x mod 0 are 0 for integers, and nothing traps.  A NaN operand of MIN,
 * MAX, CLIP gives NaN.
 */
#define QN_CODE_MAP(X)                                                                            \
    X(COPY, 1, COPY, SAME, "copy", "a")                                                           \
    X(CAST, 1, ANY, CAST, "cast", "a in another type; see below")                                 \
    X(ABS, 1, ANY, SAME, "abs", "|a|")                                                            \
    X(NEG, 1, ANY, SAME, "neg", "-a")                                                             \
    X(SIGN, 1, ANY, SAME, "sign", "-1, 0 or 1; NaN of NaN")                                       \
    X(SQUARE, 1, ANY, SAME, "square", "a * a")                                                    \
    X(FLOOR, 1, FLOAT, SAME, "floor", "")                                                         \
    X(CEIL, 1, FLOAT, SAME, "ceil", "")                                                           \
    X(ROUND, 1, FLOAT, SAME, "round", "to the nearest integer, halves to the even one")           \
    X(TRUNC, 1, FLOAT, SAME, "trunc", "towards zero")                                             \
    X(SQRT, 1, FLOAT, SAME, "sqrt", "")                                                           \
    X(RSQRT, 1, FLOAT, SAME, "rsqrt", "1 / sqrt(a)")                                              \
    X(RECIPROCAL, 1, FLOAT, SAME, "reciprocal", "1 / a")                                          \
    X(EXP, 1, FLOAT, SAME, "exp", "")                                                             \
    X(EXPM1, 1, FLOAT, SAME, "expm1", "exp(a) - 1")                                               \
    X(LOG, 1, FLOAT, SAME, "log", "")                                                             \
    X(LOG1P, 1, FLOAT, SAME, "log1p", "log(1 + a)")                                               \
    X(SIN, 1, FLOAT, SAME, "sin", "")                                                             \
    X(COS, 1, FLOAT, SAME, "cos", "")                                                             \
    X(TAN, 1, FLOAT, SAME, "tan", "")                                                             \
    X(ASIN, 1, FLOAT, SAME, "asin", "")                                                           \
    X(ACOS, 1, FLOAT, SAME, "acos", "")                                                           \
    X(ATAN, 1, FLOAT, SAME, "atan", "")                                                           \
    X(SINH, 1, FLOAT, SAME, "sinh", "")                                                           \
    X(COSH, 1, FLOAT, SAME, "cosh", "")                                                           \
    X(TANH, 1, FLOAT, SAME, "tanh", "")                                                           \
    X(ASINH, 1, FLOAT, SAME, "asinh", "")                                                         \
    X(ACOSH, 1, FLOAT, SAME, "acosh", "")                                                         \
    X(ATANH, 1, FLOAT, SAME, "atanh", "")                                                         \
    X(ERF, 1, FLOAT, SAME, "erf", "")                                                             \
    X(SIGMOID, 1, FLOAT, SAME, "sigmoid", "1 / (1 + exp(-a))")                                    \
    X(SOFTPLUS, 1, FLOAT, SAME, "softplus", "log(1 + exp(a))")                                    \
    X(SILU, 1, FLOAT, SAME, "silu", "a * sigmoid(a)")                                             \
    X(GELU, 1, FLOAT, SAME, "gelu", "a / 2 * (1 + erf(a / sqrt 2))")                              \
    X(RELU, 1, ANY, SAME, "relu", "max(a, 0); NaN of NaN")                                        \
    X(IS_NAN, 1, FLOAT, BOOL, "is_nan", "")                                                       \
    X(IS_INF, 1, FLOAT, BOOL, "is_inf", "plus or minus infinity")                                 \
    X(NOT, 1, BOOL, BOOL, "not", "!a")                                                            \
    X(BIT_NOT, 1, INT, SAME, "bit_not", "~a")                                                     \
    X(ADD, 2, ANY, SAME, "add", "a + b")                                                          \
    X(SUB, 2, ANY, SAME, "sub", "a - b")                                                          \
    X(MUL, 2, ANY, SAME, "mul", "a * b")                                                          \
    X(DIV, 2, ANY, SAME, "div", "a / b; integers towards zero")                                   \
    X(FLOOR_DIV, 2, ANY, SAME, "floor_div", "a / b towards minus infinity")                       \
    X(MOD, 2, ANY, SAME, "mod", "the remainder with the sign of b")                               \
    X(FMOD, 2, ANY, SAME, "fmod", "the remainder with the sign of a")                             \
    X(POW, 2, ANY, SAME, "pow", "a to the power b; integers wrap, a negative b truncates")        \
    X(ATAN2, 2, FLOAT, SAME, "atan2", "the angle of (b, a)")                                      \
    X(MAX, 2, ANY, SAME, "max", "")                                                               \
    X(MIN, 2, ANY, SAME, "min", "")                                                               \
    X(EQ, 2, ANY, BOOL, "eq", "a == b")                                                           \
    X(NE, 2, ANY, BOOL, "ne", "a != b")                                                           \
    X(LT, 2, ANY, BOOL, "lt", "a < b")                                                            \
    X(LE, 2, ANY, BOOL, "le", "a <= b")                                                           \
    X(GT, 2, ANY, BOOL, "gt", "a > b")                                                            \
    X(GE, 2, ANY, BOOL, "ge", "a >= b")                                                           \
    X(AND, 2, BOOL, BOOL, "and", "a && b")                                                        \
    X(OR, 2, BOOL, BOOL, "or", "a || b")                                                          \
    X(XOR, 2, BOOL, BOOL, "xor", "!a != !b")                                                      \
    X(BIT_AND, 2, INT, SAME, "bit_and", "a & b")                                                  \
    X(BIT_OR, 2, INT, SAME, "bit_or", "a | b")                                                    \
    X(BIT_XOR, 2, INT, SAME, "bit_xor", "a ^ b")                                                  \
    X(SHIFT_LEFT, 2, INT, SAME, "shift_left", "a << b; 0 where b is not less than the width")     \
    X(SHIFT_RIGHT, 2, INT, SAME, "shift_right", "a >> b with the sign; 0 or -1 beyond the width") \
    X(FMA, 3, ANY, SAME, "fma", "a * b + c, rounded once")                                        \
    X(CLIP, 3, ANY, SAME, "clip", "min(max(a, b), c)")                                            \
    X(SELECT, 3, COPY, SAME, "select", "a (BOOL) ? b : c")

typedef enum QnCode {
#define QN_CODE_ENUM(name, operands, takes, makes, text, what) QN_CODE_##name,
    QN_CODE_MAP(QN_CODE_ENUM)
#undef QN_CODE_ENUM
        QN_CODE_COUNT
} QnCode;

/*
 * CAST: to bool (QN_BOOL): 0 or 1, NaN is true.  Integers to integers wrap.  Floats to integers go
 * towards zero, and where the integer cannot hold them as base/to_integer.h says.  To a float:
 * rounded to the nearest, halves to even.
 */

/* As an operand: the instruction's immediate instead of a register.
 * At most one operand of an instruction. */
enum { QN_IMMEDIATE = 255 };

typedef struct QnInstruction {
    uint8_t code; /* a QnCode */
    uint8_t out;  /* the register written */
    uint8_t a, b,
        c;        /* registers, or QN_IMMEDIATE; those past the code's operands are not looked at */
    uint8_t type; /* of CAST: the QnType made; 0: the operator's output type */
    double immediate;      /* converted to the type of the other operands */
    const char *attribute; /* in operator tables: the node's attribute (a number) that replaces the
                              immediate at lowering; where the node lacks it `immediate` stays.
                              NULL: none */
} QnInstruction;

/* Instructions of operator tables: of one to three registers, with a number as the last operand, or
 * with an attribute (and its default) there. */
#define QN_DO1(code_, out_, a_)                            \
    {                                                      \
        .code = QN_CODE_##code_, .out = (out_), .a = (a_), \
    }
#define QN_DO2(code_, out_, a_, b_)                                   \
    {                                                                 \
        .code = QN_CODE_##code_, .out = (out_), .a = (a_), .b = (b_), \
    }
#define QN_DO3(code_, out_, a_, b_, c_)                                          \
    {                                                                            \
        .code = QN_CODE_##code_, .out = (out_), .a = (a_), .b = (b_), .c = (c_), \
    }
#define QN_DO2N(code_, out_, a_, number)                                      \
    {                                                                         \
        .code = QN_CODE_##code_, .out = (out_), .a = (a_), .b = QN_IMMEDIATE, \
        .immediate = (number),                                                \
    }
#define QN_DO2A(code_, out_, a_, number, attribute_)                          \
    {                                                                         \
        .code = QN_CODE_##code_, .out = (out_), .a = (a_), .b = QN_IMMEDIATE, \
        .immediate = (number), .attribute = (attribute_),                     \
    }
#define QN_DO3N(code_, out_, a_, b_, number)                                             \
    {                                                                                    \
        .code = QN_CODE_##code_, .out = (out_), .a = (a_), .b = (b_), .c = QN_IMMEDIATE, \
        .immediate = (number),                                                           \
    }

#endif
