/* SPDX-License-Identifier: Apache-2.0 */
/* The tokens of protobuf's text format; a part of prototext.c. */
#ifndef QN_BASE_PROTOTEXT_SCAN_H
#define QN_BASE_PROTOTEXT_SCAN_H

#include "base/arena.h"
#include "base/bytes.h"

typedef enum QnTextToken {
    QN_TOKEN_END,
    QN_TOKEN_NAME,   /* max_batch_size, true */
    QN_TOKEN_NUMBER, /* 12, 0x1f, 1.5e-3f: a digit or point and what follows it */
    QN_TOKEN_STRING, /* "..." or '...', quotes included; closed */
    QN_TOKEN_SIGN,   /* one character: : { } < > [ ] , ; - */
    QN_TOKEN_WRONG   /* what begins no token, or a string without end */
} QnTextToken;

typedef struct QnTextScan {
    const char *at, *end;
    int line; /* of the token, from 1 */
    QnTextToken token;
    QnBytes text; /* of the token */
} QnTextScan;

/* Before the first token of a text, which is read. */
QnTextScan qn_text_scan(QnBytes text);

/* Reads the next token.  After the end comes the end. */
void qn_text_scan_next(QnTextScan *scan);

/* Is the token this sign? */
static inline bool qn_text_scan_is(const QnTextScan *scan, char sign)
{
    return scan->token == QN_TOKEN_SIGN && scan->text.data[0] == (uint8_t)sign;
}

/*
 * The bytes that a STRING token means, appended to to[room of the token's size]; returns how many,
 * or -1 where an escape is not valid.
 */
int64_t qn_text_scan_string(QnBytes token, char *to);

#endif
