/* SPDX-License-Identifier: Apache-2.0 */
/* What loops and connections know of each other.  Only for server/net. */
#ifndef QS_NET_INTERNAL_H
#define QS_NET_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "server/net/net.h"

typedef struct QsListener QsListener;

struct QsLoop {
    QsNet *net; /* set at creation, like the index */
    int index;
    pthread_t thread;
    uv_loop_t uv;     /* this loop's thread, like all below */
    uv_timer_t sweep; /* looks for passed deadlines while there are connections */
    QsConnection *connections;
    int connection_count;
    int work_count; /* begun by qs_loop_work and not done */
    QsListener *listeners;
    bool is_stopping;

    QsTask stop, end;         /* posted once each, by the net's owner */
    uv_async_t wake_up;       /* any thread */
    _Atomic(QsTask *) posted; /* any thread: newest first; NULL: the loop knows of no task */
};

/* One loop's share of a listening socket.  All loops accept from the same one. */
struct QsListener {
    uv_tcp_t tcp;
    QsLoop *loop;
    const QsProtocol *protocol;
    void *user;
    QsTask start; /* opens it on its loop's thread */
    int fd;
    bool is_waiting;  /* a connection is there that could not be accepted yet */
    QsListener *next; /* of the loop */
};

struct QsConnection {
    uv_tcp_t tcp;
    QsLoop *loop;
    const QsProtocol *protocol;
    void *stream;
    QsConnection *next, *previous; /* of the loop */
    uv_write_t write;
    uv_shutdown_t shutdown;
    uint64_t deadline_ms; /* 0: none */
    uint64_t delay_ms;    /* what the deadline was made from */
    size_t unsent_bytes;  /* at the last sweep */
    bool is_reading, is_closing;
};

struct QsNet {
    QsNetOptions options;
    QsLoop *loops; /* [options.loop_count] */
    int started_count;
    atomic_bool is_stopping;

    pthread_mutex_t lock;
    pthread_cond_t emptied; /* a loop that is stopping lost its last connection */
    int busy_count;         /* guarded by lock: loops that have not */
};

/* Accepts one connection from the listener and gives it a stream.
 * False: there is no memory to do so now. */
bool qs_connection_accept(QsListener *listener);

/* Calls `expired` where the deadline has passed. */
void qs_connection_sweep(QsConnection *connection, uint64_t now_ms);

/* A connection left the loop; what follows from it. */
void qs_loop_forget(QsLoop *loop, QsConnection *connection);
void qs_loop_adopt(QsLoop *loop, QsConnection *connection);

/* Tells the net where this loop is stopping and has just lost the last of what it waits for. */
void qs_loop_report_if_empty(QsLoop *loop);

#endif
