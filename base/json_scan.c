/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: the strings, numbers and words that values are made of. */
#include "base/json_scan.h"

#include "base/utf8.h"

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

/* Steps over one character of a string that is not plain ASCII;
 * false, and a failure, where it is none. */
static bool skip_character(QnJson *in, QnJsonText *text)
{
    int size = 0;
    if (*in->at == '\\') {
        text->has_escapes = true;
        if (read_escape(in->at, in->end, &size) < 0)
            qn_json_reject(in, "an escape or a pair of surrogates is not valid");
    } else if (*in->at < 0x20) {
        qn_json_reject(in, "a control character in a string must be escaped");
    } else {
        size = qn_utf8_size(qn_bytes(in->at, (size_t)(in->end - in->at)));
        if (size == 0)
            qn_json_reject(in, "a string is not valid UTF-8");
    }
    if (in->status != QN_OK)
        return false;
    in->at += size;
    return true;
}

QnJsonText qn_json_scan_string(QnJson *in)
{
    QnJsonText text = {0};
    if (qn_json_peek(in) != '"') {
        qn_json_reject(in, "expected a string");
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
        qn_json_reject(in, "expected the closing quote of a string");
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

bool qn_json_text_is(QnJsonText text, const char *want)
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

const char *qn_json_text_copy(QnJson *in, QnJsonText text, QnArena *arena, size_t *size)
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

static void skip_digits(QnJson *in)
{
    if ((unsigned)qn_json_peek(in) - '0' > 9)
        qn_json_reject(in, "expected a digit");
    while (in->at < in->end && (unsigned)*in->at - '0' <= 9)
        in->at++;
}

bool qn_json_scan_word(QnJson *in, const char *word)
{
    const size_t size = strlen(word);
    if ((size_t)(in->end - in->at) < size || memcmp(in->at, word, size) != 0)
        return false;
    in->at += size;
    return true;
}

QnBytes qn_json_scan_number(QnJson *in, bool *is_integer)
{
    const uint8_t *first = in->at;
    *is_integer = true;
    if (qn_json_peek(in) == '-')
        in->at++;
    if (in->allow_nan &&
        (qn_json_scan_word(in, "Infinity") || (in->at == first && qn_json_scan_word(in, "NaN")))) {
        *is_integer = false;
        return qn_bytes(first, (size_t)(in->at - first));
    }
    if (qn_json_peek(in) == '0')
        in->at++;
    else
        skip_digits(in);
    if (qn_json_peek(in) == '.') {
        *is_integer = false;
        in->at++;
        skip_digits(in);
    }
    if (qn_json_peek(in) == 'e' || qn_json_peek(in) == 'E') {
        *is_integer = false;
        in->at++;
        if (qn_json_peek(in) == '+' || qn_json_peek(in) == '-')
            in->at++;
        skip_digits(in);
    }
    return in->status == QN_OK ? qn_bytes(first, (size_t)(in->at - first)) : (QnBytes){0};
}
