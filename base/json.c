/* SPDX-License-Identifier: Apache-2.0 */
/* JSON, the reading side: scanning values, and the cursor over them. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>

#include "base/utf8.h"

static const char expected_value[] = "expected a value";

QnJson qn_json(QnBytes bytes)
{
    static const uint8_t nothing[1];
    const uint8_t *data = bytes.size ? bytes.data : nothing;
    return (QnJson){.malformed = QN_BAD_ARGUMENT,
                    .origin = data,
                    .at = data,
                    .end = data + bytes.size,
                    .has_value = true};
}

static void fail_at(QnJson *in, const uint8_t *at, QnStatus status, const char *reason)
{
    if (in->status != QN_OK)
        return;
    in->status = status;
    in->reason = reason;
    in->failed_at = at;
    in->at = in->end;
    in->has_value = false;
}

void qn_json_fail(QnJson *in, QnStatus status, const char *reason)
{
    fail_at(in, in->at, status, reason);
}

/* Wrong content at the cursor, or elsewhere. */
static void reject(QnJson *in, const char *reason)
{
    fail_at(in, in->at, in->malformed, reason);
}

static void reject_at(QnJson *in, const uint8_t *at, const char *reason)
{
    fail_at(in, at, in->malformed, reason);
}

static void skip_space(QnJson *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t'))
        in->at++;
}

/* The byte at the cursor; 0 at the end, which begins nothing. */
static uint8_t peek(const QnJson *in)
{
    return in->at < in->end ? *in->at : 0;
}

/* ---- strings ---- */

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number in "\u12ab", or -1 where that does not stand at `at`. */
static int32_t read_unit(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return -1;
    int32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        const int digit = hex_digit(at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/*
 * The character of the escape at `at`, and its size in `size`: one unit of UTF-16, or a pair of
 * surrogates.  -1 where it is none.
 */
static int32_t read_escape(const uint8_t *at, const uint8_t *end, int *size)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    *size = 2;
    if (end - at < 2)
        return -1;
    const char *letter = at[1] ? strchr(letters, at[1]) : NULL;
    if (letter)
        return meanings[letter - letters];
    const int32_t unit = read_unit(at, end);
    *size = 6;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    const int32_t low = unit < 0xdc00 ? read_unit(at + 6, end) : -1;
    *size = 12;
    return low >= 0xdc00 && low <= 0xdfff ? 0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00) : -1;
}

/* Steps over one character of a string that is not plain ASCII; false, and a failure, where it is
 * none. */
static bool skip_character(QnJson *in, QnJsonText *text)
{
    int size;
    if (*in->at == '\\') {
        text->has_escapes = true;
        if (read_escape(in->at, in->end, &size) < 0)
            reject(in, "an escape or a pair of surrogates is not valid");
    } else if (*in->at < 0x20) {
        reject(in, "a control character in a string must be escaped");
    } else {
        size = qn_utf8_size(qn_bytes(in->at, (size_t)(in->end - in->at)));
        if (size == 0)
            reject(in, "a string is not valid UTF-8");
    }
    if (in->status != QN_OK)
        return false;
    in->at += size;
    return true;
}

/* Reads a string with its quotes and checks all of it. */
static QnJsonText read_string(QnJson *in)
{
    QnJsonText text = {0};
    if (peek(in) != '"') {
        reject(in, "expected a string");
        return text;
    }
    const uint8_t *first = ++in->at;
    while (in->at < in->end && *in->at != '"') {
        if (*in->at >= 0x20 && *in->at < 0x80 && *in->at != '\\')
            in->at++;
        else if (!skip_character(in, &text))
            return (QnJsonText){0};
    }
    if (in->at == in->end) {
        reject(in, "expected the closing quote of a string");
        return (QnJsonText){0};
    }
    text.raw = qn_bytes(first, (size_t)(in->at - first));
    in->at++;
    return text;
}

/* Reads the next character of checked text at `at` as UTF-8; returns where it ends. */
static const uint8_t *decode(const uint8_t *at, const uint8_t *end, char to[4], int *size)
{
    if (*at != '\\') {
        to[0] = (char)*at;
        *size = 1;
        return at + 1;
    }
    int escape_size;
    const int32_t character = read_escape(at, end, &escape_size);
    *size = qn_utf8_put(to, (uint32_t)character);
    return at + escape_size;
}

static bool text_is(QnJsonText text, const char *want)
{
    if (!text.has_escapes)
        return qn_bytes_is(text.raw, want);
    const uint8_t *at = text.raw.data, *end = at + text.raw.size;
    while (at < end) {
        char character[4];
        int size;
        at = decode(at, end, character, &size);
        if (strncmp(want, character, (size_t)size) != 0 || memchr(character, 0, (size_t)size))
            return false;
        want += size;
    }
    return *want == 0;
}

/* A terminated copy without escapes; its size goes to `size`. */
static const char *copy_text(QnJson *in, QnJsonText text, QnArena *arena, size_t *size)
{
    *size = 0;
    char *copy = qn_arena_alloc_raw(arena, text.raw.size + 1,
                                    1); /* an escape is longer than what it means */
    if (!copy) {
        qn_json_fail(in, QN_NO_MEMORY, "out of memory");
        return "";
    }
    const uint8_t *at = text.raw.data, *end = at + text.raw.size;
    if (!text.has_escapes && text.raw.size) {
        memcpy(copy, at, text.raw.size);
        *size = text.raw.size;
        at = end;
    }
    while (at < end) {
        char character[4];
        int length;
        at = decode(at, end, character, &length);
        memcpy(copy + *size, character, (size_t)length);
        *size += (size_t)length;
    }
    copy[*size] = 0;
    return copy;
}

/* ---- numbers and words ---- */

static void skip_digits(QnJson *in)
{
    if ((unsigned)peek(in) - '0' > 9)
        reject(in, "expected a digit");
    while (in->at < in->end && (unsigned)*in->at - '0' <= 9)
        in->at++;
}

/* Reads `word` if it stands at the cursor. */
static bool skip_word(QnJson *in, const char *word)
{
    const size_t size = strlen(word);
    if ((size_t)(in->end - in->at) < size || memcmp(in->at, word, size) != 0)
        return false;
    in->at += size;
    return true;
}

/* Reads -?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)? and says whether it is only the first two
 * parts. */
static QnBytes read_number(QnJson *in, bool *is_integer)
{
    const uint8_t *first = in->at;
    *is_integer = true;
    if (peek(in) == '-')
        in->at++;
    if (in->allow_nan && (skip_word(in, "Infinity") || (in->at == first && skip_word(in, "NaN")))) {
        *is_integer = false;
        return qn_bytes(first, (size_t)(in->at - first));
    }
    if (peek(in) == '0')
        in->at++;
    else
        skip_digits(in);
    if (peek(in) == '.') {
        *is_integer = false;
        in->at++;
        skip_digits(in);
    }
    if (peek(in) == 'e' || peek(in) == 'E') {
        *is_integer = false;
        in->at++;
        if (peek(in) == '+' || peek(in) == '-')
            in->at++;
        skip_digits(in);
    }
    return in->status == QN_OK ? qn_bytes(first, (size_t)(in->at - first)) : (QnBytes){0};
}

/* ---- the cursor ---- */

QnJsonKind qn_json_kind(QnJson *in)
{
    if (!in->has_value)
        return QN_JSON_NONE;
    skip_space(in);
    switch (peek(in)) {
    case 'n':
        return QN_JSON_NULL;
    case 't':
    case 'f':
        return QN_JSON_BOOL;
    case '"':
        return QN_JSON_STRING;
    case '[':
        return QN_JSON_ARRAY;
    case '{':
        return QN_JSON_OBJECT;
    default:
        break;
    }
    const uint8_t c = peek(in);
    const bool is_nan = in->allow_nan && (c == 'N' || c == 'I');
    if (c == '-' || (unsigned)c - '0' <= 9 || is_nan)
        return QN_JSON_NUMBER;
    reject(in, expected_value);
    return QN_JSON_NONE;
}

/* Is the value at the cursor of this kind?  It counts as read then, and is a failure otherwise. */
static bool take(QnJson *in, QnJsonKind kind)
{
    static const char *const reasons[] = {
        [QN_JSON_NONE] = expected_value,         [QN_JSON_NULL] = "expected null",
        [QN_JSON_BOOL] = "expected a boolean",   [QN_JSON_NUMBER] = "expected a number",
        [QN_JSON_STRING] = "expected a string",  [QN_JSON_ARRAY] = "expected an array",
        [QN_JSON_OBJECT] = "expected an object",
    };
    if (qn_json_kind(in) != kind)
        reject(in, reasons[kind]);
    in->value_at = in->at;
    in->has_value = false;
    in->is_first = false;
    return in->status == QN_OK;
}

static bool is_in_object(const QnJson *in)
{
    return in->objects[in->depth / 64] >> (in->depth % 64) & 1;
}

static void enter(QnJson *in, bool is_object)
{
    if (in->depth == QN_JSON_DEPTH_LIMIT) {
        reject(in, "values are nested more than 100 deep");
        return;
    }
    in->at++;
    in->depth++;
    const uint64_t bit = UINT64_C(1) << (in->depth % 64);
    uint64_t *word = &in->objects[in->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    in->is_first = true;
}

void qn_json_begin_object(QnJson *in)
{
    if (take(in, QN_JSON_OBJECT))
        enter(in, true);
}

void qn_json_begin_array(QnJson *in)
{
    if (take(in, QN_JSON_ARRAY))
        enter(in, false);
}

/* Goes on in the innermost container, whose last value was read; false at its end, which is left.
 */
static bool advance(QnJson *in)
{
    const bool is_object = is_in_object(in);
    skip_space(in);
    if (in->status != QN_OK)
        return false;
    if (peek(in) == (is_object ? '}' : ']')) {
        in->at++;
        in->depth--;
        in->is_first = false;
        return false;
    }
    if (!in->is_first) {
        if (peek(in) != ',') {
            reject(in, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
            return false;
        }
        in->at++;
        skip_space(in);
    }
    if (is_object) {
        in->key = read_string(in);
        skip_space(in);
        if (peek(in) != ':')
            reject(in, "expected ':' after a key");
        in->at += in->status == QN_OK;
    }
    in->has_value = in->status == QN_OK;
    return in->has_value;
}

static void read_scalar(QnJson *in, QnJsonKind kind)
{
    bool is_integer;
    if (!take(in, kind))
        return;
    if (kind == QN_JSON_STRING)
        read_string(in);
    else if (kind == QN_JSON_NUMBER)
        read_number(in, &is_integer);
    else if (!skip_word(in, "true") && !skip_word(in, "false") && !skip_word(in, "null"))
        reject(in, expected_value);
}

/* Enters a container or reads a scalar. */
static void read_any(QnJson *in)
{
    const QnJsonKind kind = qn_json_kind(in);
    if (kind == QN_JSON_OBJECT)
        qn_json_begin_object(in);
    else if (kind == QN_JSON_ARRAY)
        qn_json_begin_array(in);
    else
        read_scalar(in, kind);
}

QnBytes qn_json_skip(QnJson *in)
{
    const int depth = in->depth;
    qn_json_kind(in);
    const uint8_t *first = in->at;
    read_any(in);
    while (in->status == QN_OK && in->depth > depth)
        if (advance(in))
            read_any(in);
    return in->status == QN_OK ? qn_bytes(first, (size_t)(in->at - first)) : (QnBytes){0};
}

/* Goes on in a container of the kind that the caller says it is in. */
static bool next(QnJson *in, bool is_object)
{
    if (in->has_value)
        qn_json_skip(in);
    if (in->status != QN_OK || in->depth == 0 || is_in_object(in) != is_object)
        return false;
    return advance(in);
}

bool qn_json_next_member(QnJson *in)
{
    return next(in, true);
}

bool qn_json_next_element(QnJson *in)
{
    return next(in, false);
}

bool qn_json_next_leaf(QnJson *in, int depth)
{
    if (in->has_value)
        qn_json_skip(in);
    while (in->status == QN_OK && in->depth >= depth) {
        if (!advance(in))
            continue;
        if (qn_json_kind(in) != QN_JSON_ARRAY)
            return in->status == QN_OK;
        qn_json_begin_array(in);
    }
    return false;
}

bool qn_json_key_is(const QnJson *in, const char *text)
{
    return in->status == QN_OK && text_is(in->key, text);
}

/* A terminated copy, which must not end early. */
static const char *copy_string(QnJson *in, QnJsonText text, QnArena *arena)
{
    size_t size;
    const uint8_t *first = text.raw.data ? text.raw.data : in->at;
    const char *copy = in->status == QN_OK ? copy_text(in, text, arena, &size) : "";
    if (in->status == QN_OK && strlen(copy) != size)
        reject_at(in, first, "a zero character is not allowed in this string");
    return in->status == QN_OK ? copy : "";
}

const char *qn_json_key(QnJson *in, QnArena *arena)
{
    return copy_string(in, in->key, arena);
}

const char *qn_json_string(QnJson *in, QnArena *arena)
{
    const QnJsonText text = take(in, QN_JSON_STRING) ? read_string(in) : (QnJsonText){0};
    return copy_string(in, text, arena);
}

QnBytes qn_json_text(QnJson *in, QnArena *arena)
{
    const QnJsonText text = take(in, QN_JSON_STRING) ? read_string(in) : (QnJsonText){0};
    if (in->status != QN_OK || !text.has_escapes)
        return text.raw;
    size_t size;
    const char *copy = copy_text(in, text, arena, &size);
    return qn_bytes(copy, size);
}

bool qn_json_null(QnJson *in)
{
    if (qn_json_kind(in) != QN_JSON_NULL)
        return false;
    read_scalar(in, QN_JSON_NULL);
    return in->status == QN_OK;
}

bool qn_json_bool(QnJson *in)
{
    const bool value = qn_json_kind(in) == QN_JSON_BOOL && peek(in) == 't';
    read_scalar(in, QN_JSON_BOOL);
    return in->status == QN_OK && value;
}

QnBytes qn_json_number(QnJson *in)
{
    bool is_integer;
    return take(in, QN_JSON_NUMBER) ? read_number(in, &is_integer) : (QnBytes){0};
}

/* The digits of an integer; zero bytes after a failure. */
static QnBytes read_integer(QnJson *in)
{
    bool is_integer = true;
    const QnBytes digits = take(in, QN_JSON_NUMBER) ? read_number(in, &is_integer) : (QnBytes){0};
    if (!is_integer)
        reject_at(in, digits.data, "expected an integer without fraction and exponent");
    return in->status == QN_OK ? digits : (QnBytes){0};
}

int64_t qn_json_i64(QnJson *in)
{
    int64_t value = 0;
    const QnBytes digits = read_integer(in);
    if (digits.size && !qn_parse_i64(&value, (const char *)digits.data, digits.size))
        reject_at(in, digits.data,
                  "the integer is not in -9223372036854775808 to 9223372036854775807");
    return value;
}

uint64_t qn_json_u64(QnJson *in)
{
    uint64_t value = 0;
    const QnBytes digits = read_integer(in);
    if (digits.size && !qn_parse_u64(&value, (const char *)digits.data, digits.size))
        reject_at(in, digits.data, "the integer is not in 0 to 18446744073709551615");
    return value;
}

/* A number, or one of the three words in quotes; zero bytes after a failure. */
static QnBytes read_float(QnJson *in)
{
    if (qn_json_kind(in) != QN_JSON_STRING)
        return qn_json_number(in);
    const uint8_t *first = in->at;
    take(in, QN_JSON_STRING);
    const QnJsonText text = read_string(in);
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < QN_COUNT_OF(words); i++)
        if (qn_bytes_is(text.raw, words[i]))
            return text.raw;
    reject_at(in, first, "expected a number");
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
        reject_at(in, text.data, "the number is too large for 64 bits");
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
        reject_at(in, text.data, "the number is too large for 32 bits");
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
        reject(in, "there are more numbers than the shape says");
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

/* ---- the end ---- */

/* The byte at which the cursor failed, as a person would call it. */
static void describe(const QnJson *in, char text[32])
{
    if (in->failed_at == in->end)
        snprintf(text, 32, "the end");
    else if (*in->failed_at > 0x20 && *in->failed_at < 0x7f)
        snprintf(text, 32, "'%c'", *in->failed_at);
    else
        snprintf(text, 32, "the byte 0x%02x", *in->failed_at);
}

/* "<what>: line L, column C: " in front of the message of `err`. */
static QnStatus wrap_place(const QnJson *in, const char *what, QnError *err)
{
    size_t line = 1, column = 1;
    for (const uint8_t *p = in->origin; p < in->failed_at; p++) {
        line += *p == '\n';
        column = *p == '\n' ? 1 : column + 1;
    }
    qn_wrap(err, "%s: line %zu, column %zu", what, line, column);
    return in->status;
}

QnStatus qn_json_finish(QnJson *in, const char *what, QnError *err)
{
    if (in->has_value)
        qn_json_skip(in);
    while (in->status == QN_OK && in->depth > 0)
        if (advance(in))
            qn_json_skip(in);
    skip_space(in);
    if (in->status == QN_OK && in->at < in->end)
        reject(in, "expected nothing more after the value");
    if (in->status == QN_OK)
        return QN_OK;
    char found[32];
    describe(in, found);
    const bool is_expected = strncmp(in->reason, "expected", 8) == 0;
    qn_fail(err, in->status, "%s%s%s", in->reason, is_expected ? ", found " : "",
            is_expected ? found : "");
    return wrap_place(in, what, err);
}

QnStatus qn_json_refuse(QnJson *in, const uint8_t *at, const char *what, QnError *err,
                        const char *format, ...)
{
    va_list args;
    va_start(args, format);
    qn_fail_v(err, in->malformed, format, args);
    va_end(args);
    reject_at(in, at, "refused");
    return wrap_place(in, what, err);
}
