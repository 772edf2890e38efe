/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings: gzip and deflate, as zlib has them. */
#ifndef QS_HTTP_ENCODING_H
#define QS_HTTP_ENCODING_H

#include "base/error.h"
#include "base/text.h"

typedef enum QsEncoding { QS_IDENTITY, QS_GZIP, QS_DEFLATE, QS_UNKNOWN_ENCODING } QsEncoding;

/* "gzip"; never NULL. */
const char *qs_encoding_name(QsEncoding encoding);

/* The coding that a Content-Encoding names; nothing is identity. */
QsEncoding qs_encoding_find(QnBytes name);

/*
 * The coding that an Accept-Encoding likes best: the highest q, the first of equals.  What is
 * unknown or malformed in the list is passed over.
 */
QsEncoding qs_encoding_choose(QnBytes accepted);

/*
 * Unpacks a gzip or deflate body, whichever it is, and appends it to `out`: all of it, or a
 * failure.  Memory grows with what comes out, never past `limit` bytes.  QN_BAD_ARGUMENT: it is
 * empty, damaged, cut, followed by something else, or unpacks to more than `limit`.
 */
QnStatus qs_decode(QnText *out, QnBytes packed, size_t limit, QnError *err);

/* Appends the spans, one after the other, packed.
 * False: there is no memory, and `out` is of no use. */
bool qs_encode(QnText *out, QsEncoding encoding, const QnBytes *spans, size_t count);

#endif
