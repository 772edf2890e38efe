/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by table: the wire form. */
#include "base/message.h"

/* What number kinds are on the wire. */
static const struct {
    QnProtoWire wire;
    void (*add)(QnProto *in, QnProtoList *list, QnArena *arena);
} wires[] = {
    [QN_KIND_BOOL] = {QN_PROTO_VARINT, qn_proto_add_bool},
    [QN_KIND_INT32] = {QN_PROTO_VARINT, qn_proto_add_i32},
    [QN_KIND_INT64] = {QN_PROTO_VARINT, qn_proto_add_i64},
    [QN_KIND_UINT32] = {QN_PROTO_VARINT, qn_proto_add_u32},
    [QN_KIND_UINT64] = {QN_PROTO_VARINT, qn_proto_add_u64},
    [QN_KIND_FLOAT] = {QN_PROTO_FIXED32, qn_proto_add_f32},
    [QN_KIND_DOUBLE] = {QN_PROTO_FIXED64, qn_proto_add_f64},
    [QN_KIND_ENUM] = {QN_PROTO_VARINT, qn_proto_add_i32},
};

/* Appends to the list of a field what the cursor holds of it. */
static void read_numbers(QnProto *in, const QnField *field, void *message, QnArena *arena)
{
    void *member = (char *)message + field->offset;
    QnListHead head;
    memcpy(&head, member, sizeof head);
    QnProtoList list = {.data = head.items, .count = head.count, .capacity = head.capacity};
    wires[field->kind].add(in, &list, arena);
    head = (QnListHead){.items = list.data, .count = list.count, .capacity = list.capacity};
    memcpy(member, &head, sizeof head);
}

static QnScalar read_scalar(QnProto *in, const QnField *field, QnArena *arena)
{
    QnScalar value = {.bytes = {0}};
    switch (field->kind) {
    case QN_KIND_FLOAT:
        value.f = (double)qn_proto_f32(in);
        break;
    case QN_KIND_DOUBLE:
        value.f = qn_proto_f64(in);
        break;
    case QN_KIND_STRING: {
        const QnBytes text = qn_proto_text(in);
        if (text.size && memchr(text.data, 0, text.size))
            qn_proto_fail(in, QN_BAD_MODEL, "its text holds a zero character");
        value.text = qn_proto_string(in, arena);
        break;
    }
    case QN_KIND_BYTES:
        value.bytes = qn_proto_bytes(in);
        break;
    default:
        value.u = qn_proto_uint(in);
    }
    return value;
}

static void read_message(QnProto *in, const QnMessage *type, void *message, QnArena *arena);

/* Recursion: qn_proto_message fails past its depth limit. */
static void read_child(QnProto *in, const QnField *field, void *message, QnArena *arena)
{
    QnProto inner = qn_proto_message(in);
    void *child = qn_proto_failed(&inner) ? NULL : qn_field_slot(field, message, arena);
    if (!child) {
        qn_proto_fail(in, QN_NO_MEMORY, "out of memory");
        return;
    }
    read_message(&inner, field->message, child, arena);
    qn_proto_adopt(in, &inner);
    if (field->shape == QN_MAPPED && !qn_proto_failed(in) && !qn_field_settle_entry(field, message))
        qn_proto_fail(in, QN_BAD_MODEL, "a map has more than 1024 entries");
}

static void read_message(QnProto *in, const QnMessage *type, void *message, QnArena *arena)
{
    while (qn_proto_next(in)) {
        const QnField *field = qn_message_find_number(type, in->field);
        if (!field)
            continue;
        if (field->kind == QN_KIND_MESSAGE) {
            read_child(in, field, message, arena);
            continue;
        }
        if (field->shape == QN_REPEATED && qn_kind_is_number(field->kind)) {
            read_numbers(in, field, message, arena);
            continue;
        }
        const QnScalar value = read_scalar(in, field, arena);
        void *slot = qn_proto_failed(in) ? NULL : qn_field_slot(field, message, arena);
        if (slot)
            qn_field_store(field, slot, value);
        else
            qn_proto_fail(in, QN_NO_MEMORY, "out of memory");
    }
}

QnStatus qn_message_read(void *out, const QnMessage *type, QnBytes bytes, QnArena *arena,
                         QnError *err)
{
    QnProto in = qn_proto(bytes);
    read_message(&in, type, out, arena);
    return qn_proto_finish(&in, type->name, err);
}

/* A number without its tag, as single and packed fields have it. */
static void put_number(QnText *out, const QnField *field, const void *slot)
{
    if (wires[field->kind].wire == QN_PROTO_VARINT)
        qn_proto_put_varint(out, qn_field_load(field, slot).u);
    else
        qn_text_put(out, slot, qn_field_size(field));
}

static void write_value(QnText *out, const QnField *field, const void *value)
{
    if (field->kind == QN_KIND_MESSAGE) {
        const size_t mark = qn_proto_put_begin(out, field->number);
        qn_message_write(out, field->message, value);
        qn_proto_put_end(out, mark);
    } else if (field->kind == QN_KIND_STRING) {
        qn_proto_put_string(out, field->number, qn_field_load(field, value).text);
    } else if (field->kind == QN_KIND_BYTES) {
        qn_proto_put_bytes(out, field->number, qn_field_load(field, value).bytes);
    } else {
        qn_proto_put_tag(out, field->number, wires[field->kind].wire);
        put_number(out, field, value);
    }
}

static void write_packed(QnText *out, const QnField *field, const void *values, size_t count)
{
    const size_t mark = qn_proto_put_begin(out, field->number);
    for (size_t i = 0; i < count; i++)
        put_number(out, field, (const char *)values + i * qn_field_size(field));
    qn_proto_put_end(out, mark);
}

void qn_message_write(QnText *out, const QnMessage *type, const void *message)
{
    for (size_t f = 0; f < type->field_count; f++) {
        const QnField *field = &type->fields[f];
        const void *values;
        const size_t count = qn_field_values(field, message, &values);
        const bool may_be_left_out = field->shape == QN_SINGLE && !field->oneof &&
                                     !field->initial && field->kind != QN_KIND_MESSAGE;
        if (count == 0 || (may_be_left_out && qn_field_is_zero(field, values)))
            continue;
        if (field->shape == QN_REPEATED && qn_kind_is_number(field->kind)) {
            write_packed(out, field, values, count);
            continue;
        }
        for (size_t i = 0; i < count; i++)
            write_value(out, field, (const char *)values + i * qn_field_size(field));
    }
}
