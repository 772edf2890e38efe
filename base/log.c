/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

static const char gap[] = "...";

const char *qn_log_level_name(QnLogLevel level)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    return (unsigned)level < QN_COUNT_OF(names) ? names[level] : "unknown";
}

/* The number of a valid UTF-8 character. */
static uint32_t code_point(const uint8_t *data, int size)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = data[0] & masks[size];
    for (int i = 1; i < size; i++)
        code = code << 6 | (data[i] & 0x3f);
    return code;
}

/* Characters that end lines, move the cursor or turn the direction of what follows. */
static bool is_harmful(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x200e, 0x200f},
                  {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff}};
    for (size_t i = 0; i < QN_COUNT_OF(ranges); i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Writes one character's safe form, at most 16 bytes; *used is what was taken of `bytes`. */
static int escape_one(char to[20], QnBytes bytes, int *used)
{
    static const char shorts[] = "\nn\tt\rr\"\"\\\\";
    const int size = qn_utf8_size(bytes);
    *used = size ? size : 1;
    for (const char *at = shorts; *at; at += 2)
        if (bytes.data[0] == (uint8_t)*at)
            return snprintf(to, 20, "\\%c", at[1]);
    if (size && !is_harmful(code_point(bytes.data, size))) {
        memcpy(to, bytes.data, (size_t)size);
        return size;
    }
    int length = 0;
    for (int i = 0; i < *used; i++)
        length += snprintf(to + length, 20 - (size_t)length, "\\x%02x", bytes.data[i]);
    return length;
}

size_t qn_escape(char *text, size_t size, QnBytes bytes)
{
    size_t length = 0, safe = 0; /* up to `safe` there is room for the gap too */
    while (bytes.size) {
        char one[20];
        int used;
        const size_t added = (size_t)escape_one(one, bytes, &used);
        if (added >= size - length) {
            memcpy(text + safe, gap, sizeof gap);
            return safe + sizeof gap - 1;
        }
        memcpy(text + length, one, added);
        length += added;
        if (length + sizeof gap <= size)
            safe = length;
        bytes = qn_bytes(bytes.data + used, bytes.size - (size_t)used);
    }
    text[length] = 0;
    return length;
}

/* Control characters out of a message of ours that may hold others' names;
 * quotes stay as they are. */
static void clean(char *text)
{
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < 0x20 || *at == 0x7f)
            *at = ' ';
}

void qn_log(const QnLog *log, QnLogLevel level, const char *area, const char *format, ...)
{
    char text[QN_LOG_LINE_BYTES];
    if (!qn_log_wants(log, level))
        return;
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0)
        return;
    if ((size_t)length >= sizeof text)
        memcpy(text + sizeof text - sizeof gap, gap, sizeof gap);
    clean(text);
    log->write(log->user, level, area, text);
}

/* Appends all of a pair, or nothing and a gap for this and all that follows. */
static void put(QnLogLine *line, const char *key, const char *quote, const char *value)
{
    if (line->is_full)
        return;
    const size_t room = sizeof line->text - sizeof gap - line->length;
    const int length = snprintf(line->text + line->length, room, "%s%s=%s%s%s",
                                line->length ? " " : "", key, quote, value, quote);
    if (length >= 0 && (size_t)length < room) {
        line->length += (size_t)length;
        return;
    }
    line->is_full = true;
    memcpy(line->text + line->length, gap, sizeof gap);
    line->length += sizeof gap - 1;
}

static bool is_plain_word(QnBytes value)
{
    for (size_t i = 0; i < value.size; i++) {
        const uint8_t c = value.data[i];
        const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_letter && !is_digit && (!c || !strchr("._:/+-@%,", c)))
            return false;
    }
    return value.size > 0;
}

void qn_log_put_bytes(QnLogLine *line, const char *key, QnBytes value)
{
    char text[QN_LOG_LINE_BYTES];
    qn_escape(text, sizeof text, value);
    put(line, key, is_plain_word(value) ? "" : "\"", text);
}

void qn_log_put_text(QnLogLine *line, const char *key, const char *value)
{
    qn_log_put_bytes(line, key, qn_bytes_of_text(value));
}

void qn_log_put_int(QnLogLine *line, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    put(line, key, "", text);
}

void qn_log_line(const QnLog *log, QnLogLevel level, const char *area, const QnLogLine *line)
{
    if (qn_log_wants(log, level))
        log->write(log->user, level, area, line->text);
}
