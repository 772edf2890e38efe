/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 requests out of bytes, a strict subset of RFC 9112 without sockets, threads or clocks.
 *
 * The owner feeds what has arrived and is told, event by event, what it means.  A body is never
 * buffered here: when the head is known the owner says where the body's bytes should land, and may
 * even let the system put them there (`qs_http_room`).  Whatever two servers could understand
 * differently is refused, since that is how requests are smuggled: two lengths, a length beside
 * chunks, lines that end in a bare LF, folded headers, spaces around a header's name.
 *
 *     HEAD ──head──▶ [ROOM …] ──body──▶ END ──qs_http_next──▶ HEAD …
 *      └──anything wrong──▶ BAD, for good
 */
#ifndef QS_HTTP_HTTP_H
#define QS_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* What one connection may cost.  Each is an option of the server. */
typedef struct QsHttpLimits {
    size_t head_bytes;    /* request line and headers, and again the trailers; more is 431 */
    size_t header_count;  /* more is 431 */
    uint64_t body_bytes;  /* more, declared or received, is 413 */
    uint32_t chunk_count; /* chunks in one body; more is 400 */
} QsHttpLimits;

extern const QsHttpLimits qs_http_default_limits;

typedef struct QsHttpHeader {
    QnBytes name, value; /* as sent; the value without the spaces around it */
} QsHttpHeader;

/* The head of a request.  All bytes are borrowed from the parser, until `qs_http_next`. */
typedef struct QsHttpHead {
    QnBytes method; /* "GET" */
    QnBytes target; /* as sent */
    QnBytes path;   /* of the target: without scheme and host, query and fragment kept apart */
    QnBytes query;  /* after the '?', may be empty */
    int minor;      /* HTTP/1.<minor>, 0 or 1 */
    const QsHttpHeader *headers; /* [header_count], in order */
    size_t header_count;
    bool keep_alive;         /* the peer wants to go on with this connection */
    bool expects_continue;   /* it waits for "100 Continue" before it sends the body */
    bool is_chunked;         /* the body's length is unknown until its end */
    uint64_t content_length; /* of the body, where it is not chunked; 0 without one */
} QsHttpHead;

typedef enum QsHttpEvent {
    QS_HTTP_MORE, /* all input was consumed; feed more */
    QS_HTTP_HEAD, /* the head is complete; say where the body goes before feeding on */
    QS_HTTP_ROOM, /* the body goes on and its room is full:
                     `qs_http_give_room` or `qs_http_discard` */
    QS_HTTP_END,  /* the request is complete; `qs_http_next` begins the next one */
    QS_HTTP_BAD   /* refused: see `bad_status` and `bad_reason`; the connection cannot go on */
} QsHttpEvent;

/* One connection's parser.  {0} and `qs_http_init` make one; one thread at a time. */
typedef struct QsHttp {
    QsHttpLimits limits;
    int state; /* of parser.c */

    char *text; /* the head's bytes so far */
    size_t text_size, text_capacity;
    QsHttpHeader *headers; /* [header_capacity] */
    size_t header_capacity;
    QsHttpHead head;

    uint64_t left;      /* bytes until the end of the body or of the chunk */
    uint64_t body_size; /* bytes of body received; for chunks their sum */
    uint32_t chunk_count;
    size_t line_size; /* bytes in the chunk's size line, or in the trailers */
    uint8_t *room;    /* where the next byte of the body goes */
    size_t room_size;
    bool discards; /* the body's bytes go nowhere */

    int bad_status; /* the HTTP status that says why: 400, 413, 431, 501, 505, 500 without memory */
    const char *bad_reason; /* a sentence for the peer */
} QsHttp;

void qs_http_init(QsHttp *http, const QsHttpLimits *limits);
void qs_http_finish(QsHttp *http);

/* Consumes from the front of `input` up to the next event.  What is left belongs to what comes
 * after the event. */
QsHttpEvent qs_http_feed(QsHttp *http, QnBytes *input);

/* The next bytes of the body go to data[size].
 * Borrowed until they are full or the request ends. */
void qs_http_give_room(QsHttp *http, void *data, size_t size);

/* The rest of the body is of no interest. */
void qs_http_discard(QsHttp *http);

/*
 * Where the peer's next bytes may be put without passing through `qs_http_feed`, because they are
 * all body. Size 0: nowhere.  What was put there is then reported with `qs_http_filled`, which
 * returns MORE, ROOM or END.
 */
typedef struct QsHttpRoom {
    uint8_t *data;
    size_t size;
} QsHttpRoom;

QsHttpRoom qs_http_room(const QsHttp *http);
QsHttpEvent qs_http_filled(QsHttp *http, size_t size);

/* Forgets the request that ended, so that the next one can be fed. */
void qs_http_next(QsHttp *http);

/* Is nothing of a next request there yet?  Then closing the connection cuts nothing off. */
bool qs_http_is_idle(const QsHttp *http);

/* The value of the first header of that name, in any case; data NULL where there is none. */
QnBytes qs_http_header(const QsHttpHead *head, const char *name);

/* Fills `http->head` from the text of a head, its last empty line included.
 * False: bad_status says why. */
bool qs_http_parse_head(QsHttp *http);

/* Notes why the request is refused.  Returns false. */
bool qs_http_refuse(QsHttp *http, int status, const char *reason);

#endif
