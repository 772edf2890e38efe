/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prototext_scan.h"

#include "base/utf8.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Skips spaces and comments, and counts lines. */
static void skip_space(QnTextScan *scan)
{
    bool in_comment = false;
    for (; scan->at < scan->end; scan->at++) {
        const char c = *scan->at;
        if (c == '\n') {
            scan->line++;
            in_comment = false;
        } else if (c == '#') {
            in_comment = true;
        } else if (!in_comment && c != ' ' && c != '\t' && c != '\r' && c != '\f' && c != '\v') {
            return;
        }
    }
}

/* A string goes up to the same quote, on one line;
 * a character behind a backslash does not end it. */
static QnTextToken scan_string(QnTextScan *scan)
{
    const char quote = *scan->at++;
    for (; scan->at < scan->end && *scan->at != '\n'; scan->at++) {
        if (*scan->at == quote) {
            scan->at++;
            return QN_TOKEN_STRING;
        }
        if (*scan->at == '\\' && scan->at + 1 < scan->end && scan->at[1] != '\n')
            scan->at++;
    }
    return QN_TOKEN_WRONG;
}

/* Takes all that can be in a number; whether it is one shows when it is read. */
static QnTextToken scan_number(QnTextScan *scan)
{
    const char *first = scan->at;
    const bool is_hex = scan->end - first > 1 && first[0] == '0' && (first[1] | 0x20) == 'x';
    for (; scan->at < scan->end; scan->at++) {
        const char c = *scan->at;
        const bool is_exponent = scan->at > first && (scan->at[-1] | 0x20) == 'e' && !is_hex;
        if (!is_digit(c) && !is_letter(c) && c != '.' && !((c == '-' || c == '+') && is_exponent))
            break;
    }
    return QN_TOKEN_NUMBER;
}

static QnTextToken scan_token(QnTextScan *scan)
{
    if (scan->at == scan->end)
        return QN_TOKEN_END;
    const char c = *scan->at;
    if (is_letter(c)) {
        while (scan->at < scan->end && (is_letter(*scan->at) || is_digit(*scan->at)))
            scan->at++;
        return QN_TOKEN_NAME;
    }
    if (is_digit(c) || (c == '.' && scan->end - scan->at > 1 && is_digit(scan->at[1])))
        return scan_number(scan);
    if (c == '"' || c == '\'')
        return scan_string(scan);
    scan->at++;
    return c && strchr(":{}<>[],;-", c) ? QN_TOKEN_SIGN : QN_TOKEN_WRONG;
}

void qn_text_scan_next(QnTextScan *scan)
{
    skip_space(scan);
    const char *first = scan->at;
    scan->token = scan_token(scan);
    scan->text = qn_bytes(first, (size_t)(scan->at - first));
}

QnTextScan qn_text_scan(QnBytes text)
{
    const char *data = text.size ? (const char *)text.data : "";
    QnTextScan scan = {.at = data, .end = data + text.size, .line = 1};
    qn_text_scan_next(&scan);
    return scan;
}

/* Up to `limit` digits of a base at `at`; how many there are, with their number in `value`. */
static int read_digits(const char *at, const char *end, unsigned base, int limit, uint32_t *value)
{
    int count = 0;
    *value = 0;
    for (; count < limit && at + count < end; count++) {
        const char c = at[count];
        const unsigned digit = is_digit(c) ? (unsigned)(c - '0')
                               : (c | 0x20) >= 'a' && (c | 0x20) <= 'f'
                                   ? (unsigned)((c | 0x20) - 'a' + 10)
                                   : 99;
        if (digit >= base)
            break;
        *value = *value * base + digit;
    }
    return count;
}

/* Puts the meaning of the escape at `at` (behind the backslash); its size in the text, or 0 where
 * it is not valid. */
static int put_escape(const char *at, const char *end, char *to, int64_t *size)
{
    static const char letters[] = "nrtabfv\\\"'?", meanings[] = "\n\r\t\a\b\f\v\\\"'?";
    const char *letter = *at ? strchr(letters, *at) : NULL;
    if (letter) {
        to[(*size)++] = meanings[letter - letters];
        return 1;
    }
    uint32_t value;
    const bool is_long = *at == 'U';
    if (*at == 'u' || is_long) {
        const int count = is_long ? 8 : 4;
        const bool is_character = read_digits(at + 1, end, 16, count, &value) == count &&
                                  value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
        if (!is_character)
            return 0;
        *size += qn_utf8_put(to + *size, value);
        return 1 + count;
    }
    const bool is_hex = (*at | 0x20) == 'x';
    const int count = read_digits(at + is_hex, end, is_hex ? 16 : 8, is_hex ? 2 : 3, &value);
    if (count == 0 || value > 255)
        return 0;
    to[(*size)++] = (char)value;
    return count + is_hex;
}

int64_t qn_text_scan_string(QnBytes token, char *to)
{
    const char *at = (const char *)token.data + 1, *end = at + token.size - 2;
    int64_t size = 0;
    while (at < end) {
        if (*at != '\\') {
            to[size++] = *at++;
            continue;
        }
        at++;
        const int length = at < end ? put_escape(at, end, to, &size) : 0;
        if (length == 0)
            return -1;
        at += length;
    }
    return size;
}
