/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits of integers, element by element.  A shift to the right fills with the sign; one by a
 * negative number, or by the width or more, leaves nothing but what fills.
 */
#include "engine/ops/op.h"

/* X(operator, C name, opcode, expression) */
/* clang-format off */
#define BITWISE_MAP(X) \
    X(BitwiseAnd, and, BIT_AND, a & b) \
    X(BitwiseOr, or, BIT_OR, a | b) \
    X(BitwiseXor, xor, BIT_XOR, a ^ b)
/* clang-format on */

#define DEFINE(op, fn, code_, formula)                                      \
    static int64_t int_##fn(int64_t a, int64_t b, const double *attributes) \
    {                                                                       \
        (void)attributes;                                                   \
        return formula;                                                     \
    }                                                                       \
    static const QnInstruction program_##fn[] = {QN_DO2(code_, 2, 0, 1)};
BITWISE_MAP(DEFINE)
#undef DEFINE

static int64_t int_not(int64_t x, const double *attributes)
{
    (void)attributes;
    return ~x;
}

static const QnInstruction program_not[] = {QN_DO1(BIT_NOT, 1, 0)};

/* ---- BitShift ---- */

static const QnInstruction program_left[] = {QN_DO2(SHIFT_LEFT, 2, 0, 1)};
static const QnInstruction program_right[] = {QN_DO2(SHIFT_RIGHT, 2, 0, 1)};

static bool is_left(const QnNode *node)
{
    return qn_op_string_is(node, "direction", "LEFT");
}

static QnStatus infer_shift(QnInfer *in)
{
    const QnString text = qn_op_string(in->node, "direction");
    if (!is_left(in->node) && !qn_op_string_is(in->node, "direction", "RIGHT"))
        return qn_infer_fail(in, "direction is '%.*s', expected LEFT or RIGHT",
                             (int)(text.size < 64 ? text.size : 64), text.data);
    return qn_infer_elementwise(in);
}

static QnStatus shift(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *by = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const bool left = is_left(call->node), is_signed = qn_type_is_signed(x->type);
    const int64_t count = qn_tensor_count(y);
    for (int64_t i = 0; i < count; i++) {
        const uint64_t value = (uint64_t)qn_tensor_get_int(x, qn_broadcast_index(x, y, i));
        const uint64_t bits = (uint64_t)qn_tensor_get_int(by, qn_broadcast_index(by, y, i));
        const uint64_t shifted = bits > 63 ? 0 : left ? value << bits : value >> bits;
        const int64_t with_sign = (int64_t)value >> (bits > 63 ? 63 : bits);
        qn_tensor_set_int(y, i, left || !is_signed ? (int64_t)shifted : with_sign);
    }
    return QN_OK;
}

static const QnInstruction *pick_shift(const QnNode *node, int *count)
{
    *count = 1;
    return is_left(node) ? program_left : program_right;
}

static const QnOpAttribute shift_attributes[] = {
    {"direction", QN_ATTRIBUTE_STRING, .s = "", .is_required = true}, {0}};

#define ROW(op, fn, code_, formula)                \
    {.name = #op,                                  \
     .since = 18,                                  \
     .inputs = "A: integer, B: T",                 \
     .outputs = "C: T",                            \
     .traits = QN_OP_IN_PLACE | QN_OP_COMMUTATIVE, \
     .infer = qn_infer_elementwise,                \
     .reference = qn_reference_elementwise,        \
     .scalar = {.binary_int = int_##fn},           \
     QN_PROGRAM(program_##fn)},

const QnOp qn_ops_bitwise[] = {
    {.name = "BitShift",
     .since = 28,
     .inputs = "X: integer, Y: T",
     .outputs = "Z: T",
     .attributes = shift_attributes,
     .traits = QN_OP_IN_PLACE,
     .infer = infer_shift,
     .reference = shift,
     .pick_program = pick_shift},
    BITWISE_MAP(ROW){.name = "BitwiseNot",
                     .since = 18,
                     .inputs = "X: integer",
                     .outputs = "Y: T",
                     .traits = QN_OP_IN_PLACE,
                     .infer = qn_infer_unary,
                     .reference = qn_reference_elementwise,
                     .scalar = {.unary_int = int_not},
                     QN_PROGRAM(program_not)},
    {0},
};
