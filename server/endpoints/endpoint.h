/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an endpoint sees of the world: one exchange, that is a call and its reply.
 *
 * The protocol fills the call, an endpoint's function fills the reply, and the protocol sends it.
 * The same doing has an HTTP route and a gRPC method beside it; neither knows the other's bytes.  A
 * function that returns a failure has replied nothing: the protocol turns `err` into its own kind
 * of error (status.c).
 */
#ifndef QS_ENDPOINTS_ENDPOINT_H
#define QS_ENDPOINTS_ENDPOINT_H

#include "base/text.h"
#include "quern/session.h"
#include "server/repository/repository.h"

/* What all endpoints share.  Set before the ports open, but for the atomics. */
typedef struct QsServer {
    const char *id; /* the server's name in its metadata */
    const char *version;
    QsRepository *repository;
    size_t max_input_bytes; /* of JSON, raw and unpacked bodies */
    bool strict_readiness;  /* ready means that every model is */
    atomic_bool is_exiting;
} QsServer;

enum { QS_REPLY_HEADERS = 4 };

typedef struct QsReplyHeader {
    const char *name, *value; /* the value lives as long as the exchange */
} QsReplyHeader;

/* The answer: HTTP's status and headers, a text, and bytes after it that are not copied. */
typedef struct QsReply {
    int status;
    const char *content_type;
    QsReplyHeader headers[QS_REPLY_HEADERS];
    int header_count;
    QnText text;
    const QnBytes *tail; /* [tail_count] borrowed until the exchange ends */
    size_t tail_count;
} QsReply;

typedef struct QsExchange QsExchange;

/* The protocol's part in an exchange. */
typedef struct QsExchangeOps {
    /* The value of a header (HTTP) or metadata key (gRPC); data NULL: there is none. */
    QnBytes (*header)(const QsExchange *call, const char *name);
    /* A function that set `is_waiting` calls this once when the reply is complete.  Any thread. */
    void (*finish)(QsExchange *call);
} QsExchangeOps;

struct QsExchange {
    const QsExchangeOps *ops;
    QsServer *server;
    QnArena arena;       /* lives until the reply is sent; one thread at a time */
    const char *model;   /* from the path, or the message; "" where there is none */
    const char *version; /* decimal, "" to choose */
    QnBytes body;
    QsReply reply;
    QnError err;
    bool is_waiting; /* the reply comes later, through `finish` */
    QnCancel cancel; /* set when the client has gone */
};

typedef QnStatus QsAnswer(QsExchange *call);

typedef enum QsMethod { QS_GET = 1, QS_POST } QsMethod;

/* An HTTP route.  {model} matches what has no '/', {version} decimal digits. */
typedef struct QsRoute {
    QsMethod method;
    const char *path;
    QsAnswer *answer;
    bool is_plain;   /* the answer is no JSON unless its function says otherwise */
    bool may_encode; /* bodies may be compressed, in both directions */
} QsRoute;

/* The families, each ended by an empty row. */
extern const QsRoute qs_routes_config[];
extern const QsRoute qs_routes_health[];
extern const QsRoute qs_routes_infer[];
extern const QsRoute qs_routes_metadata[];

/*
 * The route for a method and a path.  Where there is one, its parameters are put into the call, in
 * the arena. QN_NOT_FOUND: no route has that path; QN_UNSUPPORTED: it has another method; both with
 * the text to say.
 */
QnStatus qs_route_find(const QsRoute **out, QsExchange *call, QnBytes method, QnBytes path);

/* The status of HTTP that stands for `status`. */
int qs_http_status(QnStatus status);

/* Makes the reply an error: {"error":"<the message of call->err>"} with the status for it. */
void qs_reply_error(QsExchange *call);

/* An answer without a body. */
void qs_reply_status(QsReply *reply, int status);

/* Adds a header; at most QS_REPLY_HEADERS. */
void qs_reply_header(QsReply *reply, const char *name, const char *value);

#endif
