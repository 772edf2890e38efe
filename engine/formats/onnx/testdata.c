/* SPDX-License-Identifier: Apache-2.0 */
/* TensorProto, SequenceProto, OptionalProto and MapProto to values and back. */
#include "engine/formats/onnx/testdata.h"

#include <string.h>

#include "engine/formats/onnx/parse.h"
#include "engine/formats/onnx/tensor.h"
#include "engine/formats/onnx/validate.h"
#include "engine/ops/op.h"

typedef struct Reading {
    QnArena *arena;
    QnError *err;
} Reading;

typedef ONNX_LIST(QnValue) Values;

static QnStatus read_value(const Reading *r, QnProto in, const QnIrType *type, QnValue *out);

/* The declared type of what a collection holds; an unknown one where nothing is declared. */
static const QnIrType *item_type(const QnIrType *type)
{
    static const QnIrType unknown = {.kind = QN_NONE, .shape = {.rank = -1}};
    return type->item ? type->item : &unknown;
}

static QnType element_of(const QnIrType *type)
{
    while (type->item)
        type = type->item;
    return type->element;
}

/* --- tensors --- */

static QnStatus check(const Reading *r, OnnxTensor *tensor)
{
    static const QnReadOptions options = {0};
    QnReport report = qn_report(r->arena);
    const QnReader in = {
        .file = "", .scratch = r->arena, .report = &report, .options = &options, .err = r->err};
    onnx_check_tensor(&in, tensor, onnx_say(&in, "tensor '%s'", tensor->name));
    if (tensor->is_external)
        return qn_fail(r->err, QN_UNSUPPORTED, "tensor '%s': its values lie in another file",
                       tensor->name);
    return qn_report_fail(&report, QN_BAD_TENSOR, r->err);
}

static QnStatus read_tensor(const Reading *r, QnProto in, const QnIrType *type, QnValue *out)
{
    OnnxTensor stored;
    QnTensor tensor;
    QN_TRY(onnx_parse_tensor(in, &stored, r->arena, r->err));
    QN_TRY(check(r, &stored));
    QN_TRY(onnx_decode_tensor(&tensor, &stored, r->arena, NULL, r->err));
    if (type->kind == QN_TENSOR && type->element == QN_BFLOAT16 && tensor.type == QN_UINT16)
        tensor.type = QN_BFLOAT16;
    *out = qn_value_tensor(tensor);
    return QN_OK;
}

/* --- collections --- */

static QnStatus add_value(const Reading *r, Values *values, QnProto in, const QnIrType *type,
                          QnKind kind)
{
    QnIrType item = *type;
    QnValue value;
    if (item.kind == QN_NONE)
        item.kind = kind;
    if (item.kind != kind)
        return qn_fail(r->err, QN_BAD_TENSOR,
                       "a collection holds another kind of value than is declared");
    QN_TRY(read_value(r, in, &item, &value));
    ONNX_ADD(values, r->arena, value);
    return QN_OK;
}

/* The kind of value in a field: SequenceProto and OptionalProto number them alike. */
static QnKind kind_of_field(uint32_t field)
{
    static const QnKind kinds[] = {
        [3] = QN_TENSOR, [5] = QN_SEQUENCE, [6] = QN_MAP, [7] = QN_OPTIONAL};
    return field < QN_COUNT_OF(kinds) ? kinds[field] : QN_NONE;
}

static QnStatus read_items(const Reading *r, QnProto in, const QnIrType *type, QnValue *out)
{
    Values values = {0};
    const bool is_optional = type->kind == QN_OPTIONAL;
    while (qn_proto_next(&in)) {
        const QnKind kind = kind_of_field(in.field);
        if (kind != QN_NONE && in.wire == QN_PROTO_BYTES)
            QN_TRY(add_value(r, &values, qn_proto_message(&in), item_type(type), kind));
    }
    QN_TRY(qn_proto_finish(&in, is_optional ? "OptionalProto" : "SequenceProto", r->err));
    if (is_optional && values.count > 1)
        return qn_fail(r->err, QN_BAD_TENSOR, "an optional holds %d values, expected at most 1",
                       values.count);
    *out = (QnValue){.kind = type->kind, .count = values.count, .items = values.items};
    out->type = values.count ? values.items[0].type : element_of(type);
    return QN_OK;
}

/* keys 3 or string_keys 4, and values 5: a SequenceProto. */
static QnStatus read_map(const Reading *r, QnProto in, const QnIrType *type, QnValue *out)
{
    const QnIrType sequence = {.kind = QN_SEQUENCE, .item = item_type(type)};
    QnProtoList numbers = {0};
    ONNX_LIST(QnString) strings = {0};
    QnValue values = {.kind = QN_SEQUENCE, .type = element_of(type)};
    while (qn_proto_next(&in)) {
        if (in.field == 3)
            qn_proto_add_i64(&in, &numbers, r->arena);
        if (in.field == 4) {
            const QnBytes key = qn_proto_bytes(&in);
            ONNX_ADD(&strings, r->arena, (QnString){(const char *)key.data, key.size});
        }
        if (in.field == 5)
            QN_TRY(read_value(r, qn_proto_message(&in), &sequence, &values));
    }
    QN_TRY(qn_proto_finish(&in, "MapProto", r->err));
    const bool has_strings = strings.count > 0 || type->element == QN_STRING;
    const int64_t count = has_strings ? strings.count : (int64_t)numbers.count;
    if (count != values.count)
        return qn_fail(r->err, QN_BAD_TENSOR, "a map has %lld keys and %lld values",
                       (long long)count, (long long)values.count);
    QN_ALLOC(out->items, r->arena, 2);
    out->items[0] = qn_value_tensor(has_strings ? qn_tensor(QN_STRING, 1, &count, strings.items)
                                                : qn_tensor(QN_INT64, 1, &count, numbers.data));
    out->items[1] = values;
    out->kind = QN_MAP;
    out->type = values.type;
    out->count = 2;
    return QN_OK;
}

static QnStatus read_value(const Reading *r, QnProto in, const QnIrType *type, QnValue *out)
{
    *out = (QnValue){0};
    switch (type->kind) {
    case QN_SEQUENCE:
    case QN_OPTIONAL:
        return read_items(r, in, type, out);
    case QN_MAP:
        return read_map(r, in, type, out);
    default:
        return read_tensor(r, in, type, out);
    }
}

QnStatus onnx_read_value(QnValue *out, QnBytes bytes, const QnIrType *type, QnArena *arena,
                         QnError *err)
{
    const Reading reading = {arena, err};
    QnValue value;
    const QnStatus status = read_value(&reading, qn_proto(bytes), type, &value);
    if (status == QN_NO_MEMORY)
        return qn_no_memory(err);
    if (status == QN_BAD_MODEL && err)
        err->status = QN_BAD_TENSOR;
    if (status == QN_OK)
        *out = value;
    return status == QN_BAD_MODEL ? QN_BAD_TENSOR : status;
}

/* --- writing --- */

/* Values of 2, 4 or 6 bits, one per byte in memory, as a little-endian stream of bits. */
static void put_packed(QnText *out, const QnTensor *tensor, int64_t count)
{
    const unsigned bits = (unsigned)(onnx_storage_size(tensor->type, 4) * 2);
    const uint8_t *from = tensor->data;
    uint32_t held = 0;
    unsigned held_bits = 0;
    for (int64_t i = 0; i < count; i++) {
        held |= (from[i] & ((1u << bits) - 1)) << held_bits;
        for (held_bits += bits; held_bits >= 8; held_bits -= 8, held >>= 8)
            qn_text_putc(out, (char)held);
    }
    if (held_bits > 0)
        qn_text_putc(out, (char)held);
}

static void put_strings(QnText *out, const QnTensor *tensor, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        QnString string;
        memcpy(&string, (const uint8_t *)tensor->data + (size_t)i * sizeof string, sizeof string);
        qn_proto_put_bytes(out, 6, qn_bytes(string.data, string.size));
    }
}

static void put_tensor(QnText *out, const char *name, const QnTensor *tensor)
{
    const int64_t count = qn_tensor_count(tensor);
    const size_t size = (size_t)count * qn_type_size(tensor->type);
    for (int i = 0; i < tensor->rank; i++)
        qn_proto_put_int(out, 1, tensor->dims[i]);
    qn_proto_put_int(out, 2, tensor->type);
    qn_proto_put_string(out, 8, name);
    if (tensor->type == QN_STRING) {
        put_strings(out, tensor, count);
    } else if (onnx_storage_size(tensor->type, count) == size) {
        qn_proto_put_bytes(out, 9, qn_bytes(tensor->data, size));
    } else {
        const size_t mark = qn_proto_put_begin(out, 9);
        put_packed(out, tensor, count);
        qn_proto_put_end(out, mark);
    }
}

static void put_value(QnText *out, const char *name, const QnValue *value);

/* elem_type as SequenceProto and OptionalProto number it;
 * the field that holds such an item is two more. */
static uint32_t number_of_kind(QnKind kind)
{
    static const uint32_t numbers[] = {
        [QN_NONE] = 0, [QN_TENSOR] = 1, [QN_SEQUENCE] = 3, [QN_MAP] = 4, [QN_OPTIONAL] = 5};
    return numbers[kind];
}

static void put_items(QnText *out, const char *name, const QnValue *value)
{
    const uint32_t number = value->count > 0             ? number_of_kind(value->items[0].kind)
                            : value->kind == QN_SEQUENCE ? 1u
                                                         : 0u;
    qn_proto_put_string(out, 1, name);
    qn_proto_put_uint(out, 2, number);
    for (int64_t i = 0; i < value->count; i++) {
        const size_t mark = qn_proto_put_begin(out, number + 2);
        put_value(out, "", &value->items[i]);
        qn_proto_put_end(out, mark);
    }
}

/* A SequenceProto; of a 1-D tensor every element becomes a scalar. */
static void put_map_values(QnText *out, const QnValue *values)
{
    const size_t mark = qn_proto_put_begin(out, 5);
    const QnTensor *tensor = &values->tensor;
    if (values->kind != QN_TENSOR)
        put_items(out, "", values);
    else
        qn_proto_put_uint(out, 2, number_of_kind(QN_TENSOR));
    for (int64_t i = 0; values->kind == QN_TENSOR && i < tensor->dims[0]; i++) {
        const size_t item = qn_proto_put_begin(out, 3);
        const QnTensor scalar =
            qn_tensor(tensor->type, 0, NULL,
                      (uint8_t *)tensor->data + (size_t)i * qn_type_size(tensor->type));
        put_tensor(out, "", &scalar);
        qn_proto_put_end(out, item);
    }
    qn_proto_put_end(out, mark);
}

/* Integer keys are written as int64, whatever their type: MapProto has one list for all. */
static void put_map(QnText *out, const char *name, const QnValue *value)
{
    const QnTensor *keys = &value->items[0].tensor;
    const int64_t count = qn_tensor_count(keys);
    qn_proto_put_string(out, 1, name);
    qn_proto_put_int(out, 2, keys->type);
    for (int64_t i = 0; i < count; i++) {
        if (keys->type == QN_STRING) {
            QnString key;
            memcpy(&key, (const uint8_t *)keys->data + (size_t)i * sizeof key, sizeof key);
            qn_proto_put_bytes(out, 4, qn_bytes(key.data, key.size));
        } else {
            qn_proto_put_int(out, 3, qn_tensor_get_int(keys, i));
        }
    }
    put_map_values(out, &value->items[1]);
}

static void put_value(QnText *out, const char *name, const QnValue *value)
{
    switch (value->kind) {
    case QN_TENSOR:
        put_tensor(out, name, &value->tensor);
        break;
    case QN_MAP:
        put_map(out, name, value);
        break;
    case QN_SEQUENCE:
    case QN_OPTIONAL:
        put_items(out, name, value);
        break;
    case QN_NONE:
        break;
    }
}

QnStatus onnx_write_value(QnText *out, const char *name, const QnValue *value, QnError *err)
{
    put_value(out, name, value);
    return out->failed ? qn_no_memory(err) : QN_OK;
}
