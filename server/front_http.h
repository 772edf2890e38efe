/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP front: connections of server/net, parsed by server/http, answered by server/endpoints.
 *
 * One request at a time per connection; what a peer sends ahead waits in its connection's input,
 * which is small, and then in the system's buffers.
 */
#ifndef QS_FRONT_HTTP_H
#define QS_FRONT_HTTP_H

#include "server/endpoints/endpoint.h"
#include "server/http/http.h"
#include "server/net/budget.h"
#include "server/net/net.h"

typedef struct QsHttpFront {
    QsServer *server;
    QsHttpLimits limits;
    QsBudget *budget;         /* for the bodies of all requests */
    uint64_t idle_timeout_ms; /* between requests */
    uint64_t head_timeout_ms; /* for all of a request's head */
    uint64_t body_timeout_ms; /* between two pieces of a body, in either direction */
} QsHttpFront;

/* What qs_net_listen wants; its user is a QsHttpFront, constant while the net lives. */
extern const QsProtocol qs_http_protocol;

#endif
