/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns of RE2 as patterns of PCRE2.
 *
 * Most of them mean the same.  Translated: \s (RE2's has no vertical tab), \v (a vertical tab, not
 * a class), $ (the very end) and places such as \b, which RE2 lets one repeat.  Refused, since RE2
 * has no such thing: groups that start with "(?" but for flags and names, verbs "(*", escapes of
 * letters and digits that it does not know, one repetition right behind another.
 */
#include <ctype.h>
#include <string.h>

#include "base/regex.h"

/* No translation of two bytes is longer than GROWTH each; groups nest so deep at most. */
enum { GROWTH = 12, DEPTH = 200 };

typedef struct Translator {
    QnBytes from;
    size_t at;
    char *to; /* room for GROWTH bytes per byte of the pattern */
    size_t made;
    bool is_class;           /* inside of [...] */
    bool is_repeat;          /* the last thing was a repetition */
    bool has_lines;          /* (?m): ^ and $ are at the ends of lines too */
    bool outer_lines[DEPTH]; /* the same outside of each open group */
    int depth;
    QnError *err;
} Translator;

static QnStatus refuse(const Translator *t, const char *what)
{
    return qn_fail(t->err, QN_BAD_ARGUMENT,
                   "the pattern has %s near its byte %zu, which RE2's syntax has not", what, t->at);
}

static bool begins(const Translator *t, const char *text)
{
    const size_t size = strlen(text);
    return size <= t->from.size - t->at && !memcmp(t->from.data + t->at, text, size);
}

static void put(Translator *t, const char *text)
{
    const size_t size = strlen(text);
    memcpy(t->to + t->made, text, size);
    t->made += size;
}

/* Takes `count` bytes over as they are. */
static void copy(Translator *t, size_t count)
{
    const size_t left = t->from.size - t->at, size = count < left ? count : left;
    memcpy(t->to + t->made, t->from.data + t->at, size);
    t->made += size;
    t->at += size;
}

/* ---- escapes ---- */

/* Text between \Q and \E, or the pattern's end, stands for itself. */
static void copy_quoted(Translator *t)
{
    copy(t, 2);
    while (t->at < t->from.size && !begins(t, "\\E"))
        copy(t, 1);
    copy(t, 2);
}

static const struct {
    char letter;
    const char *outside, *in_class;
} rewritten[] = {
    {'s', "[\\t\\n\\f\\r ]", "\\t\\n\\f\\r "},
    {'S', "[^\\t\\n\\f\\r ]", "\\S\\x0b"},
    {'v', "\\x0b", "\\x0b"},
    {'A', "(?:\\A)", NULL},
    {'b', "(?:\\b)", NULL},
    {'B', "(?:\\B)", NULL},
    {'z', "(?:\\z)", NULL},
};

static QnStatus translate_escape(Translator *t)
{
    static const char known[] = "pPdDwWafntrx";
    const char letter = t->at + 1 < t->from.size ? (char)t->from.data[t->at + 1] : '\0';
    for (size_t i = 0; i < QN_COUNT_OF(rewritten); i++)
        if (letter == rewritten[i].letter) {
            if (t->is_class && !rewritten[i].in_class)
                return refuse(t, "an escape");
            put(t, t->is_class ? rewritten[i].in_class : rewritten[i].outside);
            t->at += 2;
            return QN_OK;
        }
    if (letter == 'Q') {
        copy_quoted(t);
        return QN_OK;
    }
    const bool is_octal =
        letter == '0' || (letter >= '1' && letter <= '7' && t->at + 2 < t->from.size &&
                          t->from.data[t->at + 2] >= '0' && t->from.data[t->at + 2] <= '7');
    if (isalnum((unsigned char)letter) && !is_octal && !strchr(known, letter))
        return refuse(t, "an escape");
    copy(t, 2);
    return QN_OK;
}

/* ---- groups and repetitions ---- */

static QnStatus open_group(Translator *t)
{
    if (t->depth == DEPTH)
        return qn_fail(t->err, QN_BAD_ARGUMENT, "the pattern has groups nested deeper than %d",
                       DEPTH);
    t->outer_lines[t->depth++] = t->has_lines;
    return QN_OK;
}

/* The end of the name or the flags of a group that begins with "(?"; its kind. */
static size_t head_end(const Translator *t, bool *is_named)
{
    const QnBytes from = t->from;
    size_t end = t->at + 2;
    *is_named = begins(t, "(?P<") || begins(t, "(?<");
    if (*is_named)
        end += from.data[end] == 'P' ? 2 : 1;
    while (end < from.size && from.data[end] &&
           (*is_named ? isalnum(from.data[end]) || from.data[end] == '_'
                      : strchr("imsU-", from.data[end]) != NULL))
        end++;
    return end;
}

/* Sets or takes away what the flags up to `end` say of lines. */
static void read_flags(Translator *t, size_t end)
{
    bool is_set = true;
    for (size_t at = t->at + 2; at < end; at++) {
        is_set = is_set && t->from.data[at] != '-';
        if (t->from.data[at] == 'm')
            t->has_lines = is_set;
    }
}

static QnStatus translate_group(Translator *t)
{
    bool is_named;
    if (begins(t, "(*"))
        return refuse(t, "a repetition of nothing");
    if (!begins(t, "(?")) {
        copy(t, 1);
        return open_group(t);
    }
    const size_t end = head_end(t, &is_named);
    const char closer = end < t->from.size ? (char)t->from.data[end] : '\0';
    if (is_named ? closer != '>' : closer != ':' && closer != ')')
        return refuse(t, "a group");
    if (is_named || closer == ':')
        QN_TRY(open_group(t));
    if (!is_named)
        read_flags(t, end);
    copy(t, end + 1 - t->at);
    return QN_OK;
}

/* The bytes of a repetition {n}, {n,} or {n,m}; 0: it is text. */
static size_t braces_size(const Translator *t)
{
    size_t at = t->at + 1;
    const size_t first = at;
    while (at < t->from.size && isdigit(t->from.data[at]))
        at++;
    if (at == first)
        return 0;
    if (at < t->from.size && t->from.data[at] == ',')
        for (at++; at < t->from.size && isdigit(t->from.data[at]);)
            at++;
    return at < t->from.size && t->from.data[at] == '}' ? at + 1 - t->at : 0;
}

/* The repetition that comes next, with a ? for the shortest; false: there is none. */
static QnStatus translate_repetition(Translator *t, bool *is_one)
{
    const uint8_t next = t->from.data[t->at];
    size_t size = next == '*' || next == '+' || next == '?' ? 1 : next == '{' ? braces_size(t) : 0;
    *is_one = size > 0;
    if (size == 0)
        return QN_OK;
    if (t->is_repeat)
        return refuse(t, "a repetition of a repetition");
    if (t->at + size < t->from.size && t->from.data[t->at + size] == '?')
        size++;
    copy(t, size);
    return QN_OK;
}

/* ---- classes ---- */

/* A ] right behind the beginning is a member; so is all up to :] of a named class. */
static void open_class(Translator *t)
{
    copy(t, begins(t, "[^") ? 2 : 1);
    if (begins(t, "]")) {
        put(t, "\\");
        copy(t, 1);
    }
    t->is_class = true;
}

static QnStatus translate_member(Translator *t)
{
    if (t->from.data[t->at] == '\\')
        return translate_escape(t);
    if (begins(t, "[:")) {
        const uint8_t *end = memchr(t->from.data + t->at, ']', t->from.size - t->at);
        copy(t, end ? (size_t)(end - t->from.data) + 1 - t->at : 1);
        return QN_OK;
    }
    t->is_class = t->from.data[t->at] != ']';
    if (t->from.data[t->at] == '[')
        put(t, "\\"); /* PCRE2 would look for [. and [= */
    copy(t, 1);
    return QN_OK;
}

static QnStatus translate_next(Translator *t)
{
    bool is_repetition;
    if (t->is_class)
        return translate_member(t);
    QN_TRY(translate_repetition(t, &is_repetition));
    t->is_repeat = is_repetition;
    if (is_repetition)
        return QN_OK;
    switch (t->from.data[t->at]) {
    case '\\':
        return translate_escape(t);
    case '(':
        return translate_group(t);
    case '[':
        open_class(t);
        return QN_OK;
    case ')':
        if (t->depth > 0)
            t->has_lines = t->outer_lines[--t->depth];
        copy(t, 1);
        return QN_OK;
    case '^': /* in a group, so that it may be repeated */
        put(t, "(?:^)");
        t->at++;
        return QN_OK;
    case '$': /* the end of the text, not before a new line that ends it */
        put(t, t->has_lines ? "(?:$)" : "(?:\\z)");
        t->at++;
        return QN_OK;
    default:
        copy(t, 1);
        return QN_OK;
    }
}

QnStatus qn_regex_translate(QnBytes *out, QnBytes pattern, QnArena *arena, QnError *err)
{
    Translator t = {.from = pattern, .err = err};
    if (pattern.size > 1 << 20)
        return qn_fail(err, QN_BAD_ARGUMENT, "the pattern has %zu bytes, expected 1 MiB at most",
                       pattern.size);
    t.to = qn_arena_alloc_raw(arena, GROWTH * pattern.size + GROWTH, 1);
    if (!t.to)
        return qn_no_memory(err);
    while (t.at < pattern.size)
        QN_TRY(translate_next(&t));
    *out = qn_bytes(t.to, t.made);
    return QN_OK;
}
