/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: reading values of a type. */
#include <math.h>

#include "base/json_scan.h"

/* A terminated copy, which must not end early. */
static const char *copy_string(QnJson *in, QnJsonText text, QnArena *arena)
{
    size_t size;
    const uint8_t *first = text.raw.data ? text.raw.data : in->at;
    const char *copy = in->status == QN_OK ? qn_json_text_copy(in, text, arena, &size) : "";
    if (in->status == QN_OK && strlen(copy) != size)
        qn_json_reject_at(in, first, "a zero character is not allowed in this string");
    return in->status == QN_OK ? copy : "";
}

const char *qn_json_key(QnJson *in, QnArena *arena)
{
    return copy_string(in, in->key, arena);
}

const char *qn_json_string(QnJson *in, QnArena *arena)
{
    const QnJsonText text =
        qn_json_take(in, QN_JSON_STRING) ? qn_json_scan_string(in) : (QnJsonText){0};
    return copy_string(in, text, arena);
}

QnBytes qn_json_text(QnJson *in, QnArena *arena)
{
    const QnJsonText text =
        qn_json_take(in, QN_JSON_STRING) ? qn_json_scan_string(in) : (QnJsonText){0};
    if (in->status != QN_OK || !text.has_escapes)
        return text.raw;
    size_t size;
    const char *copy = qn_json_text_copy(in, text, arena, &size);
    return qn_bytes(copy, size);
}

bool qn_json_null(QnJson *in)
{
    if (qn_json_kind(in) != QN_JSON_NULL)
        return false;
    qn_json_read_scalar(in, QN_JSON_NULL);
    return in->status == QN_OK;
}

bool qn_json_bool(QnJson *in)
{
    const bool value = qn_json_kind(in) == QN_JSON_BOOL && qn_json_peek(in) == 't';
    qn_json_read_scalar(in, QN_JSON_BOOL);
    return in->status == QN_OK && value;
}

QnBytes qn_json_number(QnJson *in)
{
    bool is_integer;
    return qn_json_take(in, QN_JSON_NUMBER) ? qn_json_scan_number(in, &is_integer) : (QnBytes){0};
}

/* The digits of an integer; zero bytes after a failure. */
static QnBytes read_integer(QnJson *in)
{
    bool is_integer = true;
    const QnBytes digits =
        qn_json_take(in, QN_JSON_NUMBER) ? qn_json_scan_number(in, &is_integer) : (QnBytes){0};
    if (!is_integer)
        qn_json_reject_at(in, digits.data, "expected an integer without fraction and exponent");
    return in->status == QN_OK ? digits : (QnBytes){0};
}

int64_t qn_json_i64(QnJson *in)
{
    int64_t value = 0;
    const QnBytes digits = read_integer(in);
    if (digits.size && !qn_parse_i64(&value, (const char *)digits.data, digits.size))
        qn_json_reject_at(in, digits.data,
                          "the integer is not in -9223372036854775808 to 9223372036854775807");
    return value;
}

uint64_t qn_json_u64(QnJson *in)
{
    uint64_t value = 0;
    const QnBytes digits = read_integer(in);
    if (digits.size && !qn_parse_u64(&value, (const char *)digits.data, digits.size))
        qn_json_reject_at(in, digits.data, "the integer is not in 0 to 18446744073709551615");
    return value;
}

/* A number, or one of the three words in quotes; zero bytes after a failure. */
static QnBytes read_float(QnJson *in)
{
    if (qn_json_kind(in) != QN_JSON_STRING)
        return qn_json_number(in);
    const uint8_t *first = in->at;
    qn_json_take(in, QN_JSON_STRING);
    const QnJsonText text = qn_json_scan_string(in);
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < QN_COUNT_OF(words); i++)
        if (qn_bytes_is(text.raw, words[i]))
            return text.raw;
    qn_json_reject_at(in, first, "expected a number");
    return (QnBytes){0};
}

/* Is an infinite result what the text says, and not a number too large? */
static bool says_infinity(QnBytes text)
{
    return text.data[text.size - 1] == 'y';
}

double qn_json_f64(QnJson *in)
{
    double value = 0;
    const QnBytes text = read_float(in);
    if (text.size && qn_parse_f64(&value, (const char *)text.data, text.size) && isinf(value) &&
        !says_infinity(text)) {
        qn_json_reject_at(in, text.data, "the number is too large for 64 bits");
        return 0;
    }
    return value;
}

float qn_json_f32(QnJson *in)
{
    float value = 0;
    const QnBytes text = read_float(in);
    if (text.size && qn_parse_f32(&value, (const char *)text.data, text.size) && isinf(value) &&
        !says_infinity(text)) {
        qn_json_reject_at(in, text.data, "the number is too large for 32 bits");
        return 0;
    }
    return value;
}

/* Enters the array that the numbers stand in; its depth. */
static int begin_numbers(QnJson *in)
{
    qn_json_begin_array(in);
    return in->depth;
}

/* Before one more number: is there room for it? */
static bool has_room(QnJson *in, size_t count, size_t capacity)
{
    if (count == capacity)
        qn_json_reject(in, "there are more numbers than the shape says");
    return in->status == QN_OK;
}

size_t qn_json_read_f32(QnJson *in, float *values, size_t capacity)
{
    size_t count = 0;
    for (const int depth = begin_numbers(in); qn_json_next_leaf(in, depth);)
        if (has_room(in, count, capacity))
            values[count++] = qn_json_f32(in);
    return count;
}

size_t qn_json_read_f64(QnJson *in, double *values, size_t capacity)
{
    size_t count = 0;
    for (const int depth = begin_numbers(in); qn_json_next_leaf(in, depth);)
        if (has_room(in, count, capacity))
            values[count++] = qn_json_f64(in);
    return count;
}

size_t qn_json_read_i64(QnJson *in, int64_t *values, size_t capacity)
{
    size_t count = 0;
    for (const int depth = begin_numbers(in); qn_json_next_leaf(in, depth);)
        if (has_room(in, count, capacity))
            values[count++] = qn_json_i64(in);
    return count;
}

size_t qn_json_read_u64(QnJson *in, uint64_t *values, size_t capacity)
{
    size_t count = 0;
    for (const int depth = begin_numbers(in); qn_json_next_leaf(in, depth);)
        if (has_room(in, count, capacity))
            values[count++] = qn_json_u64(in);
    return count;
}
