/* SPDX-License-Identifier: Apache-2.0 */
/* The strings, numbers and words of JSON, and failing; shared by the files of base/json.h. */
#ifndef QN_BASE_JSON_SCAN_H
#define QN_BASE_JSON_SCAN_H

#include "base/json.h"

/* Makes the cursor fail at a place in its bytes; only the first failure counts. */
void qn_json_fail_at(QnJson *in, const uint8_t *at, QnStatus status, const char *reason);

static inline void qn_json_reject_at(QnJson *in, const uint8_t *at, const char *reason)
{
    qn_json_fail_at(in, at, in->malformed, reason);
}

/* Wrong content at the cursor. */
static inline void qn_json_reject(QnJson *in, const char *reason)
{
    qn_json_reject_at(in, in->at, reason);
}

static inline void qn_json_skip_space(QnJson *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t'))
        in->at++;
}

/* The byte at the cursor; 0 at the end, which begins nothing. */
static inline uint8_t qn_json_peek(const QnJson *in)
{
    return in->at < in->end ? *in->at : 0;
}

/* Reads a string with its quotes and checks all of it. */
QnJsonText qn_json_scan_string(QnJson *in);

/* Reads -?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?
 * and says whether it is only the first two parts. */
QnBytes qn_json_scan_number(QnJson *in, bool *is_integer);

/* Reads `word` if it stands at the cursor. */
bool qn_json_scan_word(QnJson *in, const char *word);

/* Is a checked string this text, its escapes heeded? */
bool qn_json_text_is(QnJsonText text, const char *want);

/* A terminated copy of a checked string without escapes; its size goes to `size`. */
const char *qn_json_text_copy(QnJson *in, QnJsonText text, QnArena *arena, size_t *size);

/* Is the value at the cursor of this kind?  It counts as read then, and is a failure otherwise. */
bool qn_json_take(QnJson *in, QnJsonKind kind);

/* Reads a value that is no container. */
void qn_json_read_scalar(QnJson *in, QnJsonKind kind);

#endif
