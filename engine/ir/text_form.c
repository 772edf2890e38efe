/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of the text form, and the parser's cursor. */
#include "engine/ir/text_form.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const QnElementForm qn_element_forms[QN_TYPE_COUNT] = {
    [QN_FLOAT] = {QN_FORM_FLOAT, 4, 1},       [QN_DOUBLE] = {QN_FORM_DOUBLE, 8, 1},
    [QN_COMPLEX64] = {QN_FORM_FLOAT, 4, 2},   [QN_COMPLEX128] = {QN_FORM_DOUBLE, 8, 2},
    [QN_INT8] = {QN_FORM_SIGNED, 1, 1},       [QN_UINT8] = {QN_FORM_UNSIGNED, 1, 1},
    [QN_INT16] = {QN_FORM_SIGNED, 2, 1},      [QN_UINT16] = {QN_FORM_UNSIGNED, 2, 1},
    [QN_INT32] = {QN_FORM_SIGNED, 4, 1},      [QN_UINT32] = {QN_FORM_UNSIGNED, 4, 1},
    [QN_INT64] = {QN_FORM_SIGNED, 8, 1},      [QN_UINT64] = {QN_FORM_UNSIGNED, 8, 1},
    [QN_INT4] = {QN_FORM_SIGNED, 1, 1},       [QN_UINT4] = {QN_FORM_UNSIGNED, 1, 1},
    [QN_INT2] = {QN_FORM_SIGNED, 1, 1},       [QN_UINT2] = {QN_FORM_UNSIGNED, 1, 1},
    [QN_BOOL] = {QN_FORM_UNSIGNED, 1, 1},     [QN_STRING] = {QN_FORM_STRING, sizeof(QnString), 1},
    [QN_FLOAT16] = {QN_FORM_BITS, 2, 1},      [QN_BFLOAT16] = {QN_FORM_BITS, 2, 1},
    [QN_FLOAT8E4M3FN] = {QN_FORM_BITS, 1, 1}, [QN_FLOAT8E4M3FNUZ] = {QN_FORM_BITS, 1, 1},
    [QN_FLOAT8E5M2] = {QN_FORM_BITS, 1, 1},   [QN_FLOAT8E5M2FNUZ] = {QN_FORM_BITS, 1, 1},
    [QN_FLOAT8E8M0] = {QN_FORM_BITS, 1, 1},   [QN_FLOAT4E2M1] = {QN_FORM_BITS, 1, 1},
    [QN_FLOAT6E2M3] = {QN_FORM_BITS, 1, 1},   [QN_FLOAT6E3M2] = {QN_FORM_BITS, 1, 1},
};

const char *const qn_list_words[QN_ATTRIBUTE_TYPE + 1] = {
    [QN_ATTRIBUTE_FLOATS] = "floats",   [QN_ATTRIBUTE_INTS] = "",
    [QN_ATTRIBUTE_STRINGS] = "strings", [QN_ATTRIBUTE_TENSORS] = "tensors",
    [QN_ATTRIBUTE_GRAPHS] = "graphs",
};

const struct QnDomainWord qn_domain_words[] = {
    {"ml", "ai.onnx.ml"}, {"ms", "com.microsoft"}, {NULL, NULL}};

int64_t qn_sign_extend(uint64_t bits, size_t size)
{
    const int shift = 64 - 8 * (int)size;
    return (int64_t)(bits << shift) >> shift;
}

bool qn_text_is_word_part(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_./-", c));
}

static bool is_all_parts(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!qn_text_is_word_part(text[i]))
            return false;
    return true;
}

bool qn_text_is_word(const char *text, size_t size)
{
    return size > 0 && (isalpha((unsigned char)text[0]) || text[0] == '_') &&
           is_all_parts(text, size);
}

bool qn_text_is_value_word(const char *text, size_t size)
{
    size_t digits = 0;
    while (digits < size && isdigit((unsigned char)text[digits]))
        digits++;
    return digits < size && is_all_parts(text, size);
}

/* --- the cursor --- */

static int line_of(const QnTextCursor *in)
{
    int line = 1;
    for (const char *c = in->start; c < in->at; c++)
        line += *c == '\n';
    return line;
}

QnStatus qn_text_fail_with(const QnTextCursor *in, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    qn_fail_v(in->err, QN_BAD_MODEL, format, args);
    va_end(args);
    qn_wrap(in->err, "line %d", line_of(in));
    return QN_BAD_MODEL;
}

QnStatus qn_text_fail(const QnTextCursor *in, const char *expected)
{
    QnTextCursor next = *in;
    qn_text_skip(&next);
    int size = 0;
    while (next.at + size < next.end && size < 24 && next.at[size] != '\n')
        size++;
    if (next.at == next.end)
        return qn_text_fail_with(&next, "expected %s, found the end", expected);
    return qn_text_fail_with(&next, "expected %s, found '%.*s'", expected, size, next.at);
}

void qn_text_skip(QnTextCursor *in)
{
    while (in->at < in->end && (isspace((unsigned char)*in->at) || *in->at == '#')) {
        const bool is_comment = *in->at == '#';
        in->at++;
        while (is_comment && in->at < in->end && *in->at != '\n')
            in->at++;
    }
}

/* Looks without moving on: until something is taken,
 * messages speak of the line behind which it is missing. */
char qn_text_peek(const QnTextCursor *in)
{
    QnTextCursor next = *in;
    qn_text_skip(&next);
    return next.at < next.end ? *next.at : 0;
}

bool qn_text_accept(QnTextCursor *in, char c)
{
    QnTextCursor next = *in;
    qn_text_skip(&next);
    if (next.at == next.end || *next.at != c)
        return false;
    in->at = next.at + 1;
    return true;
}

QnStatus qn_text_expect(QnTextCursor *in, char c)
{
    const char expected[] = {'\'', c, '\'', 0};
    return qn_text_accept(in, c) ? QN_OK : qn_text_fail(in, expected);
}

/* The size of the word that stands here. */
static size_t word_size(const QnTextCursor *in)
{
    size_t size = 0;
    while (in->at + size < in->end && qn_text_is_word_part(in->at[size]))
        size++;
    return size;
}

bool qn_text_accept_word(QnTextCursor *in, const char *word)
{
    QnTextCursor next = *in;
    qn_text_skip(&next);
    const size_t size = word_size(&next);
    if (size != strlen(word) || memcmp(next.at, word, size) != 0)
        return false;
    in->at = next.at + size;
    return true;
}

QnStatus qn_text_word(QnTextCursor *in, const char **out, const char *what)
{
    if (qn_text_peek(in) == '"') {
        QnString text = {NULL, 0};
        QN_TRY(qn_text_quoted(in, &text));
        *out = text.data;
        return QN_OK;
    }
    qn_text_skip(in);
    const size_t size = word_size(in);
    if (!size)
        return qn_text_fail(in, what);
    *out = qn_arena_copy_text(in->scratch, in->at, size);
    in->at += size;
    return *out ? QN_OK : QN_NO_MEMORY;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* One character behind a backslash. */
static QnStatus read_escape(QnTextCursor *in, char *out)
{
    const char c = in->at < in->end ? *in->at++ : 0;
    *out = c == 'n' ? '\n' : c == 't' ? '\t' : c;
    if (c == '"' || c == '\\' || c == 'n' || c == 't')
        return QN_OK;
    const int high = c == 'x' && in->end - in->at >= 2 ? hex_digit(in->at[0]) : -1;
    const int low = high >= 0 ? hex_digit(in->at[1]) : -1;
    if (low < 0)
        return qn_text_fail_with(in, "a string has an unknown escape");
    in->at += 2;
    *out = (char)(16 * high + low);
    return QN_OK;
}

QnStatus qn_text_quoted(QnTextCursor *in, QnString *out)
{
    QN_TRY(qn_text_expect(in, '"'));
    size_t longest = 0, size = 0;
    while (in->at + longest < in->end && in->at[longest] != '"')
        longest += in->at[longest] == '\\' && in->at + longest + 1 < in->end ? 2 : 1;
    char *text = qn_arena_array(in->scratch, longest + 1, 1);
    if (!text)
        return QN_NO_MEMORY;
    while (in->at < in->end && *in->at != '"') {
        const char c = *in->at++;
        text[size] = c;
        if (c == '\\')
            QN_TRY(read_escape(in, &text[size]));
        size++;
    }
    if (in->at == in->end)
        return qn_text_fail_with(in, "a string does not end");
    in->at++;
    *out = (QnString){text, size};
    return QN_OK;
}
