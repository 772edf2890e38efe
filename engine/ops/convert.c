/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements in another type.  Cast: integers keep their low bits, floats to integers go towards
 * zero, and as base/to_integer.h says where the integer cannot hold them; to a float is rounded
 * once to nearest, halves to even; what does not fit in a float of 8 bits becomes its largest
 * number, or with saturate 0 its infinity or NaN.  Strings are read and written as decimal numbers.
 * BitCast keeps the bits.
 */
#include <assert.h>
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "engine/ops/op.h"
#include "engine/ops/small_float.h"

enum { ROW = 256 };

/* ---- inference ---- */

static QnStatus infer_to(QnInfer *in, QnType type)
{
    const QnShape *x = qn_infer_shape(in, 0);
    if (qn_type_size(type) == 0)
        return qn_infer_fail(in, "the type to cast to is %d, expected one of ONNX's element types",
                             (int)type);
    if (!x)
        return qn_infer_unknown(in, 0, type, -1);
    QN_TRY(qn_infer_tensor(in, 0, type, x));
    QnDim content[QN_CONTENT_LIMIT];
    const bool keeps = type == QN_INT64 || type == QN_INT32;
    const int count = keeps && qn_type_is_integer(qn_infer_element(in, 0))
                          ? qn_infer_ints(in, 0, content, QN_CONTENT_LIMIT)
                          : -1;
    return count >= 0 ? qn_infer_content(in, 0, content, count) : QN_OK;
}

static QnStatus infer_cast(QnInfer *in)
{
    const int64_t to = qn_op_int(in->node, "to");
    return infer_to(in, to > 0 && to < QN_TYPE_COUNT ? (QnType)to : QN_UNDEFINED);
}

static QnStatus infer_cast_like(QnInfer *in)
{
    const QnType type = qn_infer_element(in, 1);
    return type == QN_UNDEFINED ? QN_OK : infer_to(in, type);
}

static int type_bits(QnType type)
{
    static const uint8_t bits[QN_TYPE_COUNT] = {
#define BITS(name, number, text, bits_, bytes) [number] = (bits_),
        QN_TYPE_MAP(BITS)
#undef BITS
    };
    return type < QN_TYPE_COUNT ? bits[type] : 0;
}

static QnStatus infer_bit_cast(QnInfer *in)
{
    const int64_t to = qn_op_int(in->node, "to");
    const QnType type = to > 0 && to < QN_TYPE_COUNT ? (QnType)to : QN_UNDEFINED;
    const QnType from = qn_infer_element(in, 0);
    const QnShape *x = qn_infer_shape(in, 0);
    if (from != QN_UNDEFINED && (type_bits(type) == 0 || type_bits(type) != type_bits(from)))
        return qn_infer_fail(in, "cannot see %s as %s: they have %d and %d bits",
                             qn_type_name(from), qn_type_name(type), type_bits(from),
                             type_bits(type));
    return x ? qn_infer_tensor(in, 0, type, x) : qn_infer_unknown(in, 0, type, -1);
}

/* ---- from and to text ---- */

static QnString string_at(const QnTensor *x, int64_t i)
{
    QnString text;
    memcpy(&text, (const char *)x->data + i * (int64_t)sizeof text, sizeof text);
    return text;
}

/* An element as the shortest text that reads back; the length. */
static int print_element(char *to, const QnTensor *x, int64_t i)
{
    if (x->type == QN_BOOL)
        return snprintf(to, 8, "%d", qn_tensor_get_int(x, i) != 0);
    if (x->type == QN_UINT64)
        return qn_print_u64(to, (uint64_t)qn_tensor_get_int(x, i));
    if (x->type == QN_DOUBLE)
        return qn_print_f64(to, qn_tensor_get(x, i));
    if (qn_type_is_float(x->type))
        return qn_print_f32(to, (float)qn_tensor_get(x, i));
    return qn_print_i64(to, qn_tensor_get_int(x, i));
}

static QnStatus to_string(const QnCall *call, const QnTensor *x, QnTensor *y)
{
    const int64_t count = qn_tensor_count(x);
    QnString *to = y->data;
    for (int64_t i = 0; i < count; i++) {
        char text[40];
        const int size = print_element(text, x, i);
        to[i] = (QnString){qn_arena_copy_text(call->arena, text, (size_t)size), (size_t)size};
        if (!to[i].data)
            return QN_NO_MEMORY;
    }
    return QN_OK;
}

static QnString trim(QnString text)
{
    while (text.size && strchr(" \t\r\n", text.data[0]))
        text = (QnString){text.data + 1, text.size - 1};
    while (text.size && strchr(" \t\r\n", text.data[text.size - 1]))
        text.size--;
    return text;
}

/* Reads an element; false where the text is no number.  Integers written as floats count too. */
static bool parse_element(QnTensor *y, int64_t i, QnString text)
{
    int64_t number;
    uint64_t wide;
    double value;
    if (!qn_type_is_float(y->type)) {
        if (qn_parse_i64(&number, text.data, text.size)) {
            qn_tensor_set_int(y, i, number);
            return true;
        }
        if (qn_parse_u64(&wide, text.data, text.size)) {
            qn_tensor_set_int(y, i, (int64_t)wide);
            return true;
        }
    }
    if (!qn_parse_f64(&value, text.data, text.size))
        return false;
    qn_tensor_set(y, i, value);
    return true;
}

static QnStatus from_string(const QnCall *call, const QnTensor *x, QnTensor *y)
{
    const int64_t count = qn_tensor_count(x);
    for (int64_t i = 0; i < count; i++) {
        const QnString text = string_at(x, i), trimmed = trim(text);
        float value;
        if (y->type == QN_FLOAT && qn_parse_f32(&value, trimmed.data, trimmed.size))
            qn_tensor_set(y, i, (double)value);
        else if (!parse_element(y, i, trimmed))
            return qn_call_fail(call, "'%.*s' is no %s", (int)(text.size < 64 ? text.size : 64),
                                text.data, qn_type_name(y->type));
    }
    return QN_OK;
}

/* ---- from number to number ---- */

/*
 * The exponent byte of a float8e8m0: the power of two at, above or below the value.  What lies
 * outside of the type, 0 and negative numbers too, becomes its end or, without saturation, NaN.
 */
static uint8_t encode_e8m0(const QnCall *call, double value)
{
    const bool saturate = qn_op_int(call->node, "saturate") != 0;
    if (isnan(value))
        return 255;
    if (value < ldexp(1, -127))
        return saturate ? 0 : 255;
    if (value > ldexp(1, 127))
        return saturate ? 254 : 255;
    int exponent;
    const double mantissa = frexp(value, &exponent); /* in [0.5, 1) */
    const bool up = qn_op_string_is(call->node, "round_mode", "up");
    const bool nearest = qn_op_string_is(call->node, "round_mode", "nearest");
    return (uint8_t)(exponent + 126 + ((up && mantissa > 0.5) || (nearest && mantissa >= 0.75)));
}

static bool is_byte_float(QnType type)
{
    return qn_small_float_is(type) && type != QN_FLOAT16 && type != QN_BFLOAT16;
}

/* Floats of 8 bits and fewer: with or without saturation. */
static void to_byte_float(const QnCall *call, const QnTensor *x, QnTensor *y)
{
    const bool saturate = qn_op_int(call->node, "saturate") != 0;
    const int64_t count = qn_tensor_count(x);
    uint8_t *to = y->data;
    for (int64_t i = 0; i < count; i++) {
        const double value = qn_tensor_get(x, i);
        to[i] = y->type == QN_FLOAT8E8M0 ? encode_e8m0(call, value)
                                         : (uint8_t)qn_small_float_encode(y->type, value, saturate);
    }
}

/* uint64 as unsigned numbers, which int64_t cannot carry to a float. */
static void from_wide(const QnTensor *x, QnTensor *y)
{
    const int64_t count = qn_tensor_count(x);
    for (int64_t i = 0; i < count; i++) {
        const uint64_t value = (uint64_t)qn_tensor_get_int(x, i);
        qn_tensor_set(y, i, y->type == QN_FLOAT ? (double)(float)value : (double)value);
    }
}

static QnStatus cast_rows(const QnCall *call, const QnTensor *x, QnTensor *y)
{
    const bool is_int = !qn_type_is_float(x->type);
    const int64_t count = qn_tensor_count(x);
    for (int64_t from = 0; from < count; from += ROW) {
        const int64_t length = count - from < ROW ? count - from : ROW;
        QN_TRY(qn_call_poll(call));
        if (is_int) {
            int64_t row[ROW];
            qn_tensor_read_row_int(x, from, 1, length, row);
            qn_tensor_write_row_int(y, from, 1, length, row);
        } else {
            double row[ROW];
            qn_tensor_read_row(x, from, 1, length, row);
            qn_tensor_write_row(y, from, 1, length, row);
        }
    }
    return QN_OK;
}

static QnStatus cast(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    if (x->type == QN_COMPLEX64 || x->type == QN_COMPLEX128 || y->type == QN_COMPLEX64 ||
        y->type == QN_COMPLEX128)
        return qn_call_fail(call, "cannot cast %s to %s", qn_type_name(x->type),
                            qn_type_name(y->type));
    if (x->type == y->type) {
        memcpy(y->data, x->data, (size_t)qn_tensor_count(x) * qn_type_size(x->type));
        return QN_OK;
    }
    if (x->type == QN_STRING)
        return from_string(call, x, y);
    if (y->type == QN_STRING)
        return to_string(call, x, y);
    if (is_byte_float(y->type))
        to_byte_float(call, x, y);
    else if (x->type == QN_UINT64 && qn_type_is_float(y->type))
        from_wide(x, y);
    else
        return cast_rows(call, x, y);
    return QN_OK;
}

/* Types under a byte stand one per byte: their bits are those below, their sign is spread above. */
static QnStatus bit_cast(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t count = qn_tensor_count(x);
    const int bits = type_bits(x->type);
    if (bits >= 8) {
        memcpy(y->data, x->data, (size_t)count * qn_type_size(x->type));
        return QN_OK;
    }
    assert(bits > 0);
    const uint8_t *from = x->data;
    uint8_t *to = y->data;
    const bool spreads = y->type == QN_INT4 || y->type == QN_INT2;
    for (int64_t i = 0; i < count; i++) {
        const unsigned low = from[i] & ((1u << bits) - 1);
        const bool is_negative = spreads && (low >> (bits - 1)) != 0;
        to[i] = (uint8_t)(is_negative ? low | (0xFFu << bits) : low);
    }
    return QN_OK;
}

/* ---- rows ---- */

static const QnInstruction cast_program[] = {QN_DO1(CAST, 1, 0)};
static const QnInstruction cast_like_program[] = {QN_DO1(CAST, 2, 0)};

/* Numbers only; what saturate or round_mode decide, the reference decides. */
static const QnInstruction *pick_cast(const QnNode *node, int *count)
{
    const QnType from = node->inputs[0].value->type.element, to = node->outputs[0]->type.element;
    if (from == QN_STRING || to == QN_STRING || is_byte_float(to) || from == QN_COMPLEX64 ||
        from == QN_COMPLEX128)
        return NULL;
    *count = 1;
    return node->input_count == 2 ? cast_like_program : cast_program;
}

static const QnOpAttribute cast_attributes[] = {
    {"round_mode", QN_ATTRIBUTE_STRING, .s = "up"},
    {"saturate", QN_ATTRIBUTE_INT, .i = 1},
    {"to", QN_ATTRIBUTE_INT, .is_required = true},
    {0},
};
static const QnOpAttribute cast_like_attributes[] = {
    {"round_mode", QN_ATTRIBUTE_STRING, .s = "up"}, {"saturate", QN_ATTRIBUTE_INT, .i = 1}, {0}};
static const QnOpAttribute bit_cast_attributes[] = {{"to", QN_ATTRIBUTE_INT, .is_required = true},
                                                    {0}};

const QnOp qn_ops_convert[] = {
    {.name = "BitCast",
     .since = 26,
     .inputs = "input: any",
     .outputs = "output: any",
     .attributes = bit_cast_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_bit_cast,
     .reference = bit_cast},
    {.name = "Cast",
     .since = 28,
     .inputs = "input: any",
     .outputs = "output: any",
     .attributes = cast_attributes,
     .infer = infer_cast,
     .reference = cast,
     .pick_program = pick_cast},
    {.name = "CastLike",
     .since = 25,
     .inputs = "input: any, target_type: any",
     .outputs = "output: any",
     .attributes = cast_like_attributes,
     .infer = infer_cast_like,
     .reference = cast,
     .pick_program = pick_cast},
    {0},
};
