/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protobuf's text format, the reading side:
 *
 *     message = { field [","|";"] }
 *     field   = name ":" scalar | name ":" "[" scalar {"," scalar} "]"
 *             | name [":"] body | name [":"] "[" body {"," body} "]"
 *     body    = "{" message "}" | "<" message ">"
 */
#include "base/prototext.h"

#include <stdio.h>

#include "base/prototext_scan.h"
#include "base/utf8.h"

typedef struct Parser {
    QnTextScan scan;
    const char *file;
    QnArena *arena;
    QnReport *report;
    QnStatus status; /* anything but QN_OK ends the reading */
    int depth;       /* of messages */
} Parser;

/* ---- findings ---- */

/* Adds a finding at a line; reading may go on. */
static void find(Parser *p, int line, const char *field, const char *found, const char *expected,
                 const char *remedy)
{
    char place[32];
    snprintf(place, sizeof place, "line %d", line);
    qn_report_add(p->report, &(QnFinding){.severity = QN_SEVERE,
                                          .rule = "text-format",
                                          .file = p->file,
                                          .node = place,
                                          .field = field,
                                          .found = found,
                                          .expected = expected,
                                          .remedy = remedy && *remedy ? remedy : NULL});
}

/* The token as a person would call it; long ones are cut. */
static void describe(const QnTextScan *scan, char text[48])
{
    const size_t size = scan->text.size < 32 ? scan->text.size : 32;
    char token[33];
    for (size_t i = 0; i < size; i++) /* a message goes into logs: no control characters */
        token[i] = scan->text.data[i] >= 0x20 && scan->text.data[i] < 0x7f
                       ? (char)scan->text.data[i]
                       : '?';
    token[size] = 0;
    if (scan->token == QN_TOKEN_END)
        snprintf(text, 48, "the end");
    else
        snprintf(text, 48, "'%s%s'", token, scan->text.size > 32 ? "..." : "");
}

/* The text is not well-formed: a finding, and the end. */
static void stop(Parser *p, const char *field, const char *expected)
{
    char found[48];
    describe(&p->scan, found);
    if (p->status == QN_OK)
        find(p, p->scan.line, field, found, expected, NULL);
    p->status = p->status == QN_OK ? QN_BAD_MODEL : p->status;
}

static void run_out(Parser *p)
{
    p->status = p->status == QN_OK ? QN_NO_MEMORY : p->status;
}

static bool accept(Parser *p, char sign)
{
    if (!qn_text_scan_is(&p->scan, sign))
        return false;
    qn_text_scan_next(&p->scan);
    return true;
}

/* ---- scalars; each consumes its tokens, and is false after a finding ---- */

/* The token's text without a suffix of C: "1.5f". */
static bool parse_float(const Parser *p, const QnField *field, bool is_negative, double *out)
{
    QnBytes text = p->scan.text;
    const char *digits = (const char *)text.data;
    if (text.size > 1 && p->scan.token == QN_TOKEN_NUMBER && (digits[text.size - 1] | 0x20) == 'f')
        text.size--;
    float narrow;
    if (field->kind == QN_KIND_FLOAT) { /* rounded once, not by way of a double */
        if (!qn_parse_f32(&narrow, digits, text.size))
            return false;
        *out = (double)narrow;
    } else if (!qn_parse_f64(out, digits, text.size)) {
        return false;
    }
    *out = is_negative ? -*out : *out;
    return true;
}

/* Decimal, 0x1f, 017. */
static bool parse_magnitude(QnBytes text, uint64_t *magnitude)
{
    const char *digits = (const char *)text.data;
    if (text.size < 2 || digits[0] != '0')
        return qn_parse_u64(magnitude, digits, text.size);
    const bool is_hex = (digits[1] | 0x20) == 'x';
    const unsigned base = is_hex ? 16 : 8;
    size_t i = is_hex ? 2 : 1;
    if (i == text.size)
        return false;
    for (*magnitude = 0; i < text.size; i++) {
        const char c = (char)(digits[i] | 0x20);
        const unsigned digit = digits[i] <= '9' ? (unsigned)(digits[i] - '0')
                               : c >= 'a'       ? (unsigned)(c - 'a' + 10)
                                                : 99;
        if (digit >= base || *magnitude > UINT64_MAX / base)
            return false;
        *magnitude = *magnitude * base + digit;
    }
    return true;
}

static bool parse_integer(Parser *p, const QnField *field, bool is_negative, QnScalar *value)
{
    uint64_t magnitude;
    if (p->scan.token != QN_TOKEN_NUMBER || !parse_magnitude(p->scan.text, &magnitude))
        return false;
    if (!qn_kind_fits(field->kind, is_negative, magnitude))
        return false;
    value->u = is_negative ? 0 - magnitude : magnitude;
    return true;
}

static bool parse_bool(const Parser *p, QnScalar *value)
{
    static const char *const words[] = {"false", "False", "f", "0", "true", "True", "t", "1"};
    for (size_t i = 0; i < QN_COUNT_OF(words); i++) {
        if (!qn_bytes_is(p->scan.text, words[i]))
            continue;
        value->u = i >= 4;
        return true;
    }
    return false;
}

static bool parse_enum(Parser *p, const QnField *field, bool is_negative, QnScalar *value)
{
    const QnEnumValue *known = NULL;
    if (p->scan.token == QN_TOKEN_NAME && !is_negative)
        known = qn_enum_find(field->values, p->scan.text, false);
    else if (parse_integer(p, field, is_negative, value))
        known = qn_enum_find_number(field->values, value->i);
    value->i = known ? known->number : 0;
    return known != NULL;
}

/* Adjacent strings are one.  Steps past them. */
static bool read_string(Parser *p, const QnField *field, QnScalar *value)
{
    const int line = p->scan.line;
    QnText text = qn_text(p->arena->allocator);
    bool is_right = true;
    if (p->scan.token != QN_TOKEN_STRING) {
        stop(p, field->name, "a string in quotes");
        return false;
    }
    for (; p->scan.token == QN_TOKEN_STRING; qn_text_scan_next(&p->scan)) {
        char *room = qn_text_reserve(&text, p->scan.text.size);
        const int64_t size = room ? qn_text_scan_string(p->scan.text, room) : 0;
        is_right &= size >= 0;
        text.size += size > 0 ? (size_t)size : 0;
    }
    const QnBytes bytes = qn_bytes(text.data, text.size);
    const char *copy = text.failed ? NULL : qn_arena_copy_text(p->arena, text.data, text.size);
    qn_text_finish(&text);
    if (!copy) {
        run_out(p);
        return false;
    }
    const QnBytes kept = qn_bytes(copy, bytes.size);
    if (!is_right) {
        find(p, line, field->name, "an escape that is not valid", NULL, NULL);
    } else if (field->kind == QN_KIND_STRING &&
               (!qn_utf8_is_valid(kept) || strlen(copy) != kept.size)) {
        find(p, line, field->name, "a text that is not UTF-8 or holds a zero character", NULL,
             NULL);
        is_right = false;
    }
    if (field->kind == QN_KIND_STRING)
        value->text = copy;
    else
        value->bytes = kept;
    return is_right;
}

/* What a value of this kind should be, for people. */
static void describe_kind(const QnField *field, char text[96])
{
    if (field->kind == QN_KIND_ENUM)
        snprintf(text, 96, "a value of %s", field->values->name);
    else if (field->kind == QN_KIND_BOOL)
        snprintf(text, 96, "true or false");
    else if (field->kind == QN_KIND_FLOAT || field->kind == QN_KIND_DOUBLE)
        snprintf(text, 96, "a number");
    else
        snprintf(text, 96, "an integer, %s", qn_kind_range(field->kind));
}

/* The token was no value of this kind. */
static void find_wrong_value(Parser *p, const QnField *field, bool is_negative)
{
    char token[48], found[64], expected[96];
    describe(&p->scan, token);
    snprintf(found, sizeof found, "%s%s", is_negative ? "minus " : "", token);
    describe_kind(field, expected);
    const char *name = qn_arena_copy_text(p->arena, p->scan.text.data, p->scan.text.size);
    const bool is_name = field->kind == QN_KIND_ENUM && p->scan.token == QN_TOKEN_NAME && name;
    const char *hint = is_name ? qn_enum_hint(field->values, name, p->arena) : "";
    find(p, p->scan.line, field->name, found, expected, *hint ? hint + 2 : NULL);
}

static bool read_scalar(Parser *p, const QnField *field, QnScalar *value)
{
    *value = (QnScalar){.bytes = {0}};
    if (!qn_kind_is_number(field->kind))
        return read_string(p, field, value);
    const bool is_negative = accept(p, '-');
    if (p->scan.token != QN_TOKEN_NAME && p->scan.token != QN_TOKEN_NUMBER) {
        char expected[96];
        describe_kind(field, expected);
        stop(p, field->name, expected);
        return false;
    }
    bool is_right;
    if (field->kind == QN_KIND_BOOL)
        is_right = !is_negative && parse_bool(p, value);
    else if (field->kind == QN_KIND_ENUM)
        is_right = parse_enum(p, field, is_negative, value);
    else if (field->kind == QN_KIND_FLOAT || field->kind == QN_KIND_DOUBLE)
        is_right = parse_float(p, field, is_negative, &value->f);
    else
        is_right = parse_integer(p, field, is_negative, value);
    if (!is_right)
        find_wrong_value(p, field, is_negative);
    qn_text_scan_next(&p->scan);
    return is_right;
}

/* ---- fields ---- */

static void read_message(Parser *p, const QnMessage *type, void *message, char close);

/* A message in its brackets. */
static void read_body(Parser *p, const QnField *field, void *message)
{
    const char close = qn_text_scan_is(&p->scan, '<') ? '>' : '}';
    if (!accept(p, '{') && !accept(p, '<')) {
        stop(p, field->name, "'{'");
        return;
    }
    if (p->depth == QN_MESSAGE_DEPTH_LIMIT) {
        stop(p, field->name, "messages nested at most 100 deep");
        return;
    }
    void *child = qn_field_slot(field, message, p->arena);
    if (!child) {
        run_out(p);
        return;
    }
    p->depth++;
    read_message(p, field->message, child, close);
    p->depth--;
    if (field->shape == QN_MAPPED && p->status == QN_OK && !qn_field_settle_entry(field, message))
        stop(p, field->name, "at most 1024 entries");
}

static void read_value(Parser *p, const QnField *field, void *message)
{
    if (field->kind == QN_KIND_MESSAGE) {
        read_body(p, field, message);
        return;
    }
    QnScalar value;
    if (!read_scalar(p, field, &value))
        return;
    void *slot = qn_field_slot(field, message, p->arena);
    if (slot)
        qn_field_store(field, slot, value);
    else
        run_out(p);
}

/* Values between '[' and ']', which was not read yet. */
static void read_list(Parser *p, const QnField *field, void *message)
{
    qn_text_scan_next(&p->scan);
    if (accept(p, ']'))
        return;
    while (p->status == QN_OK) {
        read_value(p, field, message);
        if (p->status != QN_OK || accept(p, ']'))
            return;
        if (!accept(p, ','))
            stop(p, field->name, "',' or ']'");
    }
}

/* A single field may be given once, and one member of a oneof. */
static void check_single(Parser *p, const QnField *field, const void *message, bool is_seen)
{
    const uint32_t chosen = qn_field_case(field, message);
    char found[96];
    if (is_seen) {
        find(p, p->scan.line, field->name, "the field stands here again", "it once", NULL);
    } else if (chosen && chosen != field->number) {
        snprintf(found, sizeof found, "another member of '%.60s' is set already", field->oneof);
        find(p, p->scan.line, field->name, found, NULL, NULL);
    }
}

/* Skips the value of an unknown field: one scalar, or all between brackets, whatever it is. */
static void skip_value(Parser *p)
{
    int open = 0;
    accept(p, ':');
    do {
        const QnTextScan *scan = &p->scan;
        if (scan->token == QN_TOKEN_END || scan->token == QN_TOKEN_WRONG) {
            stop(p, NULL, "a value");
            return;
        }
        const bool is_sign = qn_text_scan_is(scan, '-');
        open +=
            qn_text_scan_is(scan, '{') || qn_text_scan_is(scan, '<') || qn_text_scan_is(scan, '[');
        open -=
            qn_text_scan_is(scan, '}') || qn_text_scan_is(scan, '>') || qn_text_scan_is(scan, ']');
        qn_text_scan_next(&p->scan);
        if (is_sign && open == 0)
            qn_text_scan_next(&p->scan);
    } while (open > 0);
    while (p->scan.token == QN_TOKEN_STRING)
        qn_text_scan_next(&p->scan);
}

static void find_unknown(Parser *p, const QnMessage *type, QnBytes name, int line)
{
    const char *copy = qn_arena_copy_text(p->arena, name.data, name.size);
    const char *found =
        copy ? qn_arena_printf(p->arena, "%s has no field '%.80s'", type->name, copy) : NULL;
    if (!found) {
        run_out(p);
        return;
    }
    const char *hint = qn_message_hint(type, copy, p->arena);
    find(p, line, NULL, found, NULL, *hint ? hint + 2 : NULL);
}

/* One field.  `seen` has a bit for each field of the table that was there. */
static void read_field(Parser *p, const QnMessage *type, void *message, uint64_t *seen)
{
    const QnBytes name = p->scan.text;
    const int line = p->scan.line;
    const QnField *field = qn_message_find(type, name);
    if (field && field->shape == QN_SINGLE)
        check_single(p, field, message, *seen >> (field - type->fields) & 1);
    qn_text_scan_next(&p->scan);
    if (!field) {
        find_unknown(p, type, name, line);
        skip_value(p);
        return;
    }
    *seen |= UINT64_C(1) << (field - type->fields);
    const bool has_colon = accept(p, ':');
    if (!has_colon && field->kind != QN_KIND_MESSAGE)
        stop(p, field->name, "':'");
    else if (field->shape != QN_SINGLE && qn_text_scan_is(&p->scan, '['))
        read_list(p, field, message);
    else
        read_value(p, field, message);
}

static void read_message(Parser *p, const QnMessage *type, void *message, char close)
{
    uint64_t seen = 0;
    while (p->status == QN_OK) {
        if (close ? accept(p, close) : p->scan.token == QN_TOKEN_END)
            return;
        if (p->scan.token != QN_TOKEN_NAME) {
            stop(p, NULL, !close ? "a field" : close == '}' ? "a field or '}'" : "a field or '>'");
            return;
        }
        read_field(p, type, message, &seen);
        if (p->status == QN_OK && !accept(p, ','))
            accept(p, ';');
    }
}

QnStatus qn_prototext_parse(void *out, const QnMessage *type, QnBytes text, const char *file,
                            QnArena *arena, QnReport *report, QnError *err)
{
    QnReport own = qn_report(arena);
    Parser parser = {
        .scan = qn_text_scan(text), .file = file, .arena = arena, .report = report ? report : &own};
    read_message(&parser, type, out, 0);
    if (parser.status == QN_NO_MEMORY)
        return qn_no_memory(err);
    return qn_report_fail(parser.report, QN_BAD_MODEL, err);
}
