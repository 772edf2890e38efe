/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows, integers as text, and nearest names. */
#include "base/text.h"

#include <limits.h>
#include <stdio.h>

#include "base/checked.h"

enum { FIRST_CAPACITY = 256 };

void qn_text_finish(QnText *text)
{
    qn_free(text->allocator, text->data, text->capacity);
    *text = (QnText){.allocator = text->allocator};
}

/* Makes the buffer at least `needed` bytes large;
 * at least doubles it, so that appending stays linear. */
static bool grow(QnText *text, size_t needed)
{
    size_t capacity;
    if (!qn_mul_size(&capacity, text->capacity, 2))
        capacity = needed;
    if (capacity < FIRST_CAPACITY)
        capacity = FIRST_CAPACITY;
    if (capacity < needed)
        capacity = needed;
    char *data = qn_alloc(text->allocator, capacity);
    if (!data)
        return false;
    if (text->size)
        memcpy(data, text->data, text->size);
    qn_free(text->allocator, text->data, text->capacity);
    text->data = data;
    text->capacity = capacity;
    return true;
}

char *qn_text_reserve(QnText *text, size_t size)
{
    size_t needed;
    if (text->failed || !qn_add_size(&needed, text->size, size) || needed == SIZE_MAX ||
        (needed + 1 > text->capacity && !grow(text, needed + 1))) {
        text->failed = true;
        return NULL;
    }
    text->data[needed] = 0;
    return text->data + text->size;
}

void qn_text_put(QnText *text, const void *data, size_t size)
{
    char *to = qn_text_reserve(text, size);
    if (!to || !size)
        return;
    memcpy(to, data, size);
    text->size += size;
}

void qn_text_puts(QnText *text, const char *string)
{
    qn_text_put(text, string, strlen(string));
}

void qn_text_putc(QnText *text, char c)
{
    qn_text_put(text, &c, 1);
}

void qn_text_printf(QnText *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *to = length < 0 ? NULL : qn_text_reserve(text, (size_t)length);
    if (!to) {
        text->failed = true;
        return;
    }
    va_start(args, format);
    vsnprintf(to, (size_t)length + 1, format, args);
    va_end(args);
    text->size += (size_t)length;
}

bool qn_parse_u64(uint64_t *out, const char *text, size_t size)
{
    size_t i = size > 0 && text[0] == '+';
    if (i == size)
        return false;
    uint64_t value = 0;
    for (; i < size; i++) {
        const unsigned digit = (unsigned char)text[i] - (unsigned)'0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    *out = value;
    return true;
}

bool qn_parse_i64(int64_t *out, const char *text, size_t size)
{
    const bool is_negative = size > 0 && text[0] == '-';
    if (is_negative && size > 1 && text[1] == '+')
        return false;
    uint64_t magnitude;
    if (!qn_parse_u64(&magnitude, text + is_negative, size - is_negative) ||
        magnitude > (uint64_t)INT64_MAX + is_negative)
        return false;
    *out = is_negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* Longer names are not compared: no name of ours is that long, and the time is quadratic. */
enum { LONGEST_NAME = 127 };

int qn_edit_distance(const char *a, const char *b, int limit)
{
    const size_t a_size = strnlen(a, LONGEST_NAME + 1), b_size = strnlen(b, LONGEST_NAME + 1);
    if (a_size > LONGEST_NAME || b_size > LONGEST_NAME)
        return limit + 1;
    int row[LONGEST_NAME + 1]; /* the distances of a's first i characters to each prefix of b */
    for (size_t j = 0; j <= b_size; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= a_size; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= b_size; j++) {
            const int above = row[j];
            int best = diagonal + (a[i - 1] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[b_size] <= limit ? row[b_size] : limit + 1;
}

const char *qn_did_you_mean(const char *wanted, const char *const *names, size_t count)
{
    /* A third of the letters may be wrong, but never all of a short name. */
    const size_t length = strnlen(wanted, LONGEST_NAME + 1);
    const int limit = length < 3 ? (int)length - 1 : (int)(length + 2) / 3;
    int nearest = limit + 1;
    const char *found = NULL;
    for (size_t i = 0; i < count && nearest > 0; i++) {
        const int distance = qn_edit_distance(wanted, names[i], nearest - 1);
        if (distance < nearest) {
            nearest = distance;
            found = names[i];
        }
    }
    return found;
}
