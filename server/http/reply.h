/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP/1.1 answer as text. */
#ifndef QS_HTTP_REPLY_H
#define QS_HTTP_REPLY_H

#include "base/text.h"

/* Ten headers cover every answer of the server; the peer's text never becomes a header's name. */
typedef struct QsHttpReplyHead {
    int status;
    uint64_t content_length;
    bool keep_alive; /* false: "Connection: close" is said */
    int minor;       /* of the request: HTTP/1.0 must be told about keep-alive */
} QsHttpReplyHead;

/* The reason phrase of a status; "Unknown" for one that the server does not use.  Never NULL. */
const char *qs_http_reason(int status);

/* The status line. */
void qs_http_put_status(QnText *text, int status);

/* One header.  CR, LF and other control characters in the value become '?':
 * nothing can be injected. */
void qs_http_put_header(QnText *text, const char *name, QnBytes value);

/* What every answer says last, and the empty line. */
void qs_http_put_end(QnText *text, const QsHttpReplyHead *head);

/* The whole answer that lets the peer go on with its body. */
#define QS_HTTP_CONTINUE "HTTP/1.1 100 Continue\r\n\r\n"

#endif
