/* SPDX-License-Identifier: Apache-2.0 */
/* Protocol-buffers wire format: appending fields to text. */
#include "base/proto.h"

enum { LONGEST_VARINT = 10 };

static size_t print_varint(char to[LONGEST_VARINT], uint64_t value)
{
    size_t size = 0;
    while (value >= 0x80) {
        to[size++] = (char)(value | 0x80);
        value >>= 7;
    }
    to[size++] = (char)value;
    return size;
}

void qn_proto_put_varint(QnText *out, uint64_t value)
{
    char bytes[LONGEST_VARINT];
    qn_text_put(out, bytes, print_varint(bytes, value));
}

void qn_proto_put_tag(QnText *out, uint32_t field, QnProtoWire wire)
{
    qn_proto_put_varint(out, (uint64_t)field << 3 | (uint64_t)wire);
}

void qn_proto_put_uint(QnText *out, uint32_t field, uint64_t value)
{
    qn_proto_put_tag(out, field, QN_PROTO_VARINT);
    qn_proto_put_varint(out, value);
}

void qn_proto_put_int(QnText *out, uint32_t field, int64_t value)
{
    qn_proto_put_uint(out, field, (uint64_t)value);
}

void qn_proto_put_bool(QnText *out, uint32_t field, bool value)
{
    qn_proto_put_uint(out, field, value);
}

void qn_proto_put_f32(QnText *out, uint32_t field, float value)
{
    qn_proto_put_tag(out, field, QN_PROTO_FIXED32);
    qn_text_put(out, &value, sizeof value);
}

void qn_proto_put_f64(QnText *out, uint32_t field, double value)
{
    qn_proto_put_tag(out, field, QN_PROTO_FIXED64);
    qn_text_put(out, &value, sizeof value);
}

void qn_proto_put_bytes(QnText *out, uint32_t field, QnBytes value)
{
    qn_proto_put_tag(out, field, QN_PROTO_BYTES);
    qn_proto_put_varint(out, value.size);
    qn_text_put(out, value.data, value.size);
}

void qn_proto_put_string(QnText *out, uint32_t field, const char *value)
{
    qn_proto_put_bytes(out, field, qn_bytes_of_text(value));
}

/* Leaves one byte for the length, which is enough for most messages. */
size_t qn_proto_put_begin(QnText *out, uint32_t field)
{
    qn_proto_put_tag(out, field, QN_PROTO_BYTES);
    qn_text_putc(out, 0);
    return out->size;
}

void qn_proto_put_end(QnText *out, size_t mark)
{
    if (out->failed)
        return;
    const size_t size = out->size - mark;
    char length[LONGEST_VARINT];
    const size_t length_size = print_varint(length, size);
    if (!qn_text_reserve(out, length_size - 1))
        return;
    if (length_size > 1)
        memmove(out->data + mark + length_size - 1, out->data + mark, size);
    memcpy(out->data + mark - 1, length, length_size);
    out->size += length_size - 1;
}

void qn_proto_put_packed_i64(QnText *out, uint32_t field, const int64_t *values, size_t count)
{
    if (count == 0)
        return;
    const size_t mark = qn_proto_put_begin(out, field);
    for (size_t i = 0; i < count; i++)
        qn_proto_put_varint(out, (uint64_t)values[i]);
    qn_proto_put_end(out, mark);
}

void qn_proto_put_packed_f32(QnText *out, uint32_t field, const float *values, size_t count)
{
    if (count > 0)
        qn_proto_put_bytes(out, field, qn_bytes(values, count * sizeof *values));
}

void qn_proto_put_packed_f64(QnText *out, uint32_t field, const double *values, size_t count)
{
    if (count > 0)
        qn_proto_put_bytes(out, field, qn_bytes(values, count * sizeof *values));
}
