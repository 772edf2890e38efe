/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that grows: what printers write into.
 *
 * Sticky: after a failed allocation every further call does nothing, and `failed` says so at the
 * end.
 */
#ifndef QN_BASE_TEXT_H
#define QN_BASE_TEXT_H

#include "base/arena.h"

typedef struct QnText {
    const QnAllocator *allocator; /* borrowed; NULL: the C library's */
    char *data;                   /* [size] and a terminator; NULL while empty */
    size_t size, capacity;        /* bytes, without and with the terminator */
    bool failed;
} QnText;

static inline QnText qn_text(const QnAllocator *allocator)
{
    return (QnText){.allocator = allocator};
}

void qn_text_finish(QnText *text);

/*
 * Room for `size` more bytes at the end, which the caller fills and counts; NULL where there is no
 * memory.  A terminator stands behind the room; who fills less puts one behind what was filled.
 */
char *qn_text_reserve(QnText *text, size_t size);

void qn_text_put(QnText *text, const void *data, size_t size);
void qn_text_puts(QnText *text, const char *string);
void qn_text_putc(QnText *text, char c);
void qn_text_printf(QnText *text, const char *format, ...) QN_PRINTF(2, 3);

/* The terminated text, "" where it is empty. */
static inline const char *qn_text_string(const QnText *text)
{
    return text->data ? text->data : "";
}

/*
 * Numbers as text without locale, terminated.  Room of 32 bytes is enough.  Return the length.
 *
 * Floats get the shortest decimal form that reads back to the same value, as JSON and ONNX's Cast
 * to string want it: "3", "0.1", "1.5e-07", with an exponent below 1e-4 and from 1e16 on; "0",
 * "-0.0"; "nan", "inf", "-inf".
 */
int qn_print_f64(char *to, double value);
int qn_print_f32(char *to, float value);
int qn_print_i64(char *to, int64_t value);
int qn_print_u64(char *to, uint64_t value);

/*
 * Reads a decimal number from all of [text, text + size), rounded to nearest, ties to even; too
 * large is infinity. What JSON allows, and a leading '+' or zeros, ".5", "5.", and "inf",
 * "infinity", "nan" in any case.  False where that is not a number.
 */
bool qn_parse_f64(double *out, const char *text, size_t size);
bool qn_parse_f32(float *out, const char *text, size_t size);

/* Reads a decimal integer from all of [text, text + size).
 * False where it is none or does not fit. */
bool qn_parse_i64(int64_t *out, const char *text, size_t size);
bool qn_parse_u64(uint64_t *out, const char *text, size_t size);

/*
 * How many insertions, removals and replacements of a character turn a into b: for "did you mean".
 * limit + 1 for more than `limit`, and for a name longer than 127 characters.
 */
int qn_edit_distance(const char *a, const char *b, int limit);

/* The name nearest to `wanted` among names[count],
 * or NULL where none is near enough to be meant. */
const char *qn_did_you_mean(const char *wanted, const char *const *names, size_t count);

#endif
