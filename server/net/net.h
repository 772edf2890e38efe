/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sockets and threads: listeners, connections, timers, and work that comes back from other threads.
 * A thin layer over libuv, and the only one that knows it.
 *
 * A net has a few loops, each a thread.  A connection belongs to the loop that accepted it for
 * life: everything about it happens on that thread, so what speaks on it needs no locks.  Other
 * threads reach a loop in one way only, by posting a task.
 */
#ifndef QS_NET_NET_H
#define QS_NET_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"

typedef struct QsNet QsNet;
typedef struct QsLoop QsLoop;
typedef struct QsConnection QsConnection;

/* Something to do on a loop's thread.
 * Lives in the object it is about; posted at most once at a time. */
typedef struct QsTask {
    void (*run)(struct QsTask *task);
    struct QsTask *next; /* of the queue */
} QsTask;

/* Something that would keep a loop from its other connections for too long. */
typedef struct QsWork {
    void (*run)(struct QsWork *work);  /* on another thread */
    void (*done)(struct QsWork *work); /* afterwards, on the loop's */
} QsWork;

/* Memory to write into. */
typedef struct QsSpan {
    uint8_t *data;
    size_t size;
} QsSpan;

/*
 * What speaks on a connection.  All functions run on the connection's loop.  `closed` is the last
 * call about a stream and comes exactly once for every `open` that gave one.
 */
typedef struct QsProtocol {
    /* A connection was accepted.  Gives a stream, or NULL:
     * there is no memory, and the connection is closed. */
    void *(*open)(void *user, QsConnection *connection);
    /* Where the next bytes should land.  Size 0: reading stops until `qs_connection_read`. */
    QsSpan (*room)(void *stream);
    /* `size` bytes (> 0) have come into that room. */
    void (*received)(void *stream, size_t size);
    /* The peer will send no more.  It may still be reading. */
    void (*ended)(void *stream);
    /* All that was given to `qs_connection_send` is with the system. */
    void (*sent)(void *stream);
    /* The deadline of `qs_connection_set_deadline` has passed. */
    void (*expired)(void *stream);
    /* The server is about to end: finish what has begun, then close. */
    void (*stopping)(void *stream);
    /* The connection is gone; the stream is the protocol's to free. */
    void (*closed)(void *stream);
} QsProtocol;

typedef struct QsNetOptions {
    int loop_count;       /* threads; at least 1 */
    int connection_limit; /* open at once, over all loops;
                             further ones wait in the system's backlog */
} QsNetOptions;

/* Makes the loops and starts their threads. */
QnStatus qs_net_create(QsNet **out, const QsNetOptions *options, QnError *err);

/*
 * Listens on address:port (0: any free one; `*bound_port` says which) and speaks `protocol` on what
 * comes. `protocol` and `user` must outlive the net.  QN_IO where the address is none or in use.
 */
QnStatus qs_net_listen(QsNet *net, const char *address, int port, const QsProtocol *protocol,
                       void *user, int *bound_port, QnError *err);

/* Stops accepting and tells every stream.  Returns at once; any thread but the loops'. */
void qs_net_stop(QsNet *net);

/* Waits until the last connection is gone, at most until `deadline_ms` of `qs_net_now`.
 * True: they are. */
bool qs_net_wait(QsNet *net, uint64_t deadline_ms);

/* Closes what is still open, ends the threads and frees everything.  NULL is fine. */
void qs_net_free(QsNet *net);

/* A clock that only goes forward, in milliseconds. */
uint64_t qs_net_now(void);

/* Runs the task on the loop's thread, soon.  Any thread; many posts cost one wake-up. */
void qs_loop_post(QsLoop *loop, QsTask *task);

/*
 * Runs the work on another thread and then its `done` on the loop's, where this is called too.  The
 * net is not empty before that.  False: there is no memory, and nothing will be run.
 */
bool qs_loop_work(QsLoop *loop, QsWork *work);

QsLoop *qs_connection_loop(const QsConnection *connection);

/* Begins to read, or goes on after `room` had none.  Streams start without reading. */
void qs_connection_read(QsConnection *connection);

/*
 * Sends the bytes of spans[count], in order.  They are borrowed until `sent` or `closed`; one send
 * at a time. Returns true where all of them went at once: then `sent` is not called.
 */
bool qs_connection_send(QsConnection *connection, const QnBytes *spans, size_t count);

/* Says that nothing more will be sent; the peer may still send.  Not during a send. */
void qs_connection_shutdown(QsConnection *connection);

/* Closes without waiting.  `closed` follows, not from within this call.  Twice is fine. */
void qs_connection_close(QsConnection *connection);

/*
 * Calls `expired` once, some time in the second after `delay_ms` from now.  0: never.  While bytes
 * that were given to `qs_connection_send` keep leaving, the deadline moves on: slow peers are fine,
 * standing ones are not.
 */
void qs_connection_set_deadline(QsConnection *connection, uint64_t delay_ms);

#endif
