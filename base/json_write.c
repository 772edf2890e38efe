/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, the writing side. */
#include <math.h>

#include "base/json.h"
#include "base/utf8.h"

/* Before a value: a comma where one is needed. */
static void begin_value(QnJsonWriter *to)
{
    if (to->needs_comma)
        qn_text_putc(to->out, ',');
    to->needs_comma = true;
}

void qn_json_put_begin(QnJsonWriter *to, char bracket)
{
    begin_value(to);
    qn_text_putc(to->out, bracket);
    to->needs_comma = false;
}

void qn_json_put_end(QnJsonWriter *to, char bracket)
{
    qn_text_putc(to->out, bracket);
    to->needs_comma = true;
}

/* Writes a byte that must not stand in a string as it is. */
static void put_escape(QnText *out, uint8_t c)
{
    static const char letters[] = "\"\\bfnrt", meanings[] = "\"\\\b\f\n\r\t";
    const char *meaning = c ? strchr(meanings, c) : NULL;
    if (meaning)
        qn_text_put(out, (const char[]){'\\', letters[meaning - meanings]}, 2);
    else
        qn_text_printf(out, "\\u%04x", c);
}

/* How many bytes from `at` on can be written as they are. */
static size_t plain_size(QnBytes text, size_t at)
{
    size_t end = at;
    while (end < text.size) {
        const uint8_t c = text.data[end];
        if (c < 0x20 || c == '"' || c == '\\')
            break;
        const int size = c < 0x80 ? 1 : qn_utf8_size(qn_bytes(text.data + end, text.size - end));
        if (size == 0)
            break;
        end += (size_t)size;
    }
    return end - at;
}

void qn_json_put_text(QnJsonWriter *to, QnBytes value)
{
    begin_value(to);
    qn_text_putc(to->out, '"');
    for (size_t at = 0; at < value.size;) {
        const size_t plain = plain_size(value, at);
        qn_text_put(to->out, value.data + at, plain);
        at += plain;
        if (at == value.size)
            break;
        if (value.data[at] < 0x80) {
            put_escape(to->out, value.data[at]);
        } else {
            qn_text_puts(to->out, "\xef\xbf\xbd");
            to->is_inexact = true;
        }
        at++;
    }
    qn_text_putc(to->out, '"');
}

void qn_json_put_string(QnJsonWriter *to, const char *value)
{
    qn_json_put_text(to, qn_bytes_of_text(value));
}

void qn_json_put_key(QnJsonWriter *to, const char *key)
{
    qn_json_put_string(to, key);
    qn_text_putc(to->out, ':');
    to->needs_comma = false;
}

void qn_json_put_raw(QnJsonWriter *to, QnBytes json)
{
    begin_value(to);
    qn_text_put(to->out, json.data, json.size);
}

void qn_json_put_bool(QnJsonWriter *to, bool value)
{
    qn_json_put_raw(to, qn_bytes_of_text(value ? "true" : "false"));
}

void qn_json_put_null(QnJsonWriter *to)
{
    qn_json_put_raw(to, qn_bytes_of_text("null"));
}

/* Room for any number; the terminator is not counted. */
enum { NUMBER_ROOM = 32 };

void qn_json_put_i64(QnJsonWriter *to, int64_t value)
{
    begin_value(to);
    char *room = qn_text_reserve(to->out, NUMBER_ROOM);
    if (room)
        to->out->size += (size_t)qn_print_i64(room, value);
}

void qn_json_put_u64(QnJsonWriter *to, uint64_t value)
{
    begin_value(to);
    char *room = qn_text_reserve(to->out, NUMBER_ROOM);
    if (room)
        to->out->size += (size_t)qn_print_u64(room, value);
}

/* NaN or an infinity, as the writer was told. */
static void put_special(QnJsonWriter *to, double value)
{
    const char *word = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    if (to->nan == QN_JSON_NAN_TEXT) {
        qn_json_put_string(to, word);
    } else if (to->nan == QN_JSON_NAN_BARE) {
        qn_json_put_raw(to, qn_bytes_of_text(word));
    } else {
        qn_json_put_null(to);
        to->is_inexact = true;
    }
}

void qn_json_put_f64(QnJsonWriter *to, double value)
{
    if (!isfinite(value)) {
        put_special(to, value);
        return;
    }
    begin_value(to);
    char *room = qn_text_reserve(to->out, NUMBER_ROOM);
    if (room)
        to->out->size += (size_t)qn_print_f64(room, value);
}

void qn_json_put_f32(QnJsonWriter *to, float value)
{
    if (!isfinite(value)) {
        put_special(to, (double)value);
        return;
    }
    begin_value(to);
    char *room = qn_text_reserve(to->out, NUMBER_ROOM);
    if (room)
        to->out->size += (size_t)qn_print_f32(room, value);
}
