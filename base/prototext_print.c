/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf's text format, the writing side. */
#include "base/prototext.h"
#include "base/utf8.h"

static void indent(QnText *out, int level)
{
    for (int i = 0; i < level; i++)
        qn_text_puts(out, "  ");
}

/* A string in quotes; what is no printable ASCII is escaped, but for UTF-8 in texts. */
static void put_quoted(QnText *out, QnBytes text, bool is_utf8)
{
    static const char letters[] = "nrt\\\"", meanings[] = "\n\r\t\\\"";
    qn_text_putc(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t c = text.data[i];
        const char *meaning = c ? strchr(meanings, c) : NULL;
        if (meaning)
            qn_text_printf(out, "\\%c", letters[meaning - meanings]);
        else if (c < 0x20 || c == 0x7f || (c >= 0x80 && !is_utf8))
            qn_text_printf(out, "\\%03o", c);
        else
            qn_text_putc(out, (char)c);
    }
    qn_text_putc(out, '"');
}

static void put_scalar(QnText *out, const QnField *field, const void *slot)
{
    const QnScalar value = qn_field_load(field, slot);
    const QnEnumValue *known =
        field->kind == QN_KIND_ENUM ? qn_enum_find_number(field->values, value.i) : NULL;
    char text[32];
    switch (field->kind) {
    case QN_KIND_STRING:
        put_quoted(out, qn_bytes_of_text(value.text), true);
        return;
    case QN_KIND_BYTES:
        put_quoted(out, value.bytes, false);
        return;
    case QN_KIND_BOOL:
        qn_text_puts(out, value.u ? "true" : "false");
        return;
    case QN_KIND_FLOAT:
        qn_print_f32(text, (float)value.f);
        break;
    case QN_KIND_DOUBLE:
        qn_print_f64(text, value.f);
        break;
    case QN_KIND_UINT32:
    case QN_KIND_UINT64:
        qn_print_u64(text, value.u);
        break;
    default:
        qn_print_i64(text, value.i);
    }
    qn_text_puts(out, known ? known->name : text);
}

static void print_message(QnText *out, const QnMessage *type, const void *message, int level);

static void print_bodies(QnText *out, const QnField *field, const void *values, size_t count,
                         int level)
{
    for (size_t i = 0; i < count; i++) {
        indent(out, level);
        qn_text_printf(out, "%s {\n", field->name);
        print_message(out, field->message, (const char *)values + i * qn_field_size(field),
                      level + 1);
        indent(out, level);
        qn_text_puts(out, "}\n");
    }
}

/* "dims: [ 3, 224, 224 ]", or one value. */
static void print_scalars(QnText *out, const QnField *field, const void *values, size_t count,
                          int level)
{
    const bool is_list = field->shape == QN_REPEATED;
    indent(out, level);
    qn_text_printf(out, "%s: %s", field->name, is_list ? "[ " : "");
    for (size_t i = 0; i < count; i++) {
        qn_text_puts(out, i ? ", " : "");
        put_scalar(out, field, (const char *)values + i * qn_field_size(field));
    }
    qn_text_puts(out, is_list ? " ]\n" : "\n");
}

static void print_message(QnText *out, const QnMessage *type, const void *message, int level)
{
    for (size_t f = 0; f < type->field_count; f++) {
        const QnField *field = &type->fields[f];
        const void *values;
        const size_t count = qn_field_values(field, message, &values);
        const bool may_be_left_out = field->shape == QN_SINGLE && !field->oneof && !field->initial;
        if (field->kind == QN_KIND_MESSAGE)
            print_bodies(out, field, values, count, level);
        else if (count > 0 && !(may_be_left_out && qn_field_is_zero(field, values)))
            print_scalars(out, field, values, count, level);
    }
}

void qn_prototext_print(QnText *out, const QnMessage *type, const void *message)
{
    print_message(out, type, message, 0);
}
