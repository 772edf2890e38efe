/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: the cursor over values and containers. */
#include "base/json.h"

#include <stdio.h>

#include "base/json_scan.h"

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

void qn_json_fail_at(QnJson *in, const uint8_t *at, QnStatus status, const char *reason)
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
    qn_json_fail_at(in, in->at, status, reason);
}

QnJsonKind qn_json_kind(QnJson *in)
{
    if (!in->has_value)
        return QN_JSON_NONE;
    qn_json_skip_space(in);
    switch (qn_json_peek(in)) {
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
    const uint8_t c = qn_json_peek(in);
    const bool is_nan = in->allow_nan && (c == 'N' || c == 'I');
    if (c == '-' || (unsigned)c - '0' <= 9 || is_nan)
        return QN_JSON_NUMBER;
    qn_json_reject(in, expected_value);
    return QN_JSON_NONE;
}

bool qn_json_take(QnJson *in, QnJsonKind kind)
{
    static const char *const reasons[] = {
        [QN_JSON_NONE] = expected_value,         [QN_JSON_NULL] = "expected null",
        [QN_JSON_BOOL] = "expected a boolean",   [QN_JSON_NUMBER] = "expected a number",
        [QN_JSON_STRING] = "expected a string",  [QN_JSON_ARRAY] = "expected an array",
        [QN_JSON_OBJECT] = "expected an object",
    };
    if (qn_json_kind(in) != kind)
        qn_json_reject(in, reasons[kind]);
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
        qn_json_reject(in, "values are nested more than 100 deep");
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
    if (qn_json_take(in, QN_JSON_OBJECT))
        enter(in, true);
}

void qn_json_begin_array(QnJson *in)
{
    if (qn_json_take(in, QN_JSON_ARRAY))
        enter(in, false);
}

/* Goes on in the innermost container, whose last value was read;
 * false at its end, which is left. */
static bool advance(QnJson *in)
{
    const bool is_object = is_in_object(in);
    qn_json_skip_space(in);
    if (in->status != QN_OK)
        return false;
    if (qn_json_peek(in) == (is_object ? '}' : ']')) {
        in->at++;
        in->depth--;
        in->is_first = false;
        return false;
    }
    if (!in->is_first) {
        if (qn_json_peek(in) != ',') {
            qn_json_reject(in, is_object ? "expected ',' or '}'" : "expected ',' or ']'");
            return false;
        }
        in->at++;
        qn_json_skip_space(in);
    }
    if (is_object) {
        in->key = qn_json_scan_string(in);
        qn_json_skip_space(in);
        if (qn_json_peek(in) != ':')
            qn_json_reject(in, "expected ':' after a key");
        in->at += in->status == QN_OK;
    }
    in->has_value = in->status == QN_OK;
    return in->has_value;
}

void qn_json_read_scalar(QnJson *in, QnJsonKind kind)
{
    bool is_integer;
    if (!qn_json_take(in, kind))
        return;
    if (kind == QN_JSON_STRING)
        qn_json_scan_string(in);
    else if (kind == QN_JSON_NUMBER)
        qn_json_scan_number(in, &is_integer);
    else if (!qn_json_scan_word(in, "true") && !qn_json_scan_word(in, "false") &&
             !qn_json_scan_word(in, "null"))
        qn_json_reject(in, expected_value);
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
        qn_json_read_scalar(in, kind);
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
    return in->status == QN_OK && qn_json_text_is(in->key, text);
}

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
    qn_json_skip_space(in);
    if (in->status == QN_OK && in->at < in->end)
        qn_json_reject(in, "expected nothing more after the value");
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
    qn_json_reject_at(in, at, "refused");
    return wrap_place(in, what, err);
}
