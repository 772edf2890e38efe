/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops: their threads, what is posted to them, the sockets they listen on, and how they end.
 *
 * Posted tasks are pushed on an atomic list.  Only the post that finds the list empty wakes the
 * loop up; the loop takes the whole list at once, so a thousand completions cost one wake-up.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/net/internal.h"

enum { SWEEP_MS = 200, BACKLOG = 1024 };

uint64_t qs_net_now(void)
{
    return uv_hrtime() / 1000000;
}

void qs_loop_post(QsLoop *loop, QsTask *task)
{
    QsTask *first = atomic_load_explicit(&loop->posted, memory_order_relaxed);
    do {
        task->next = first;
    } while (!atomic_compare_exchange_weak_explicit(&loop->posted, &first, task,
                                                    memory_order_release, memory_order_relaxed));
    if (!first)
        uv_async_send(&loop->wake_up);
}

/* Takes all posted tasks, oldest first. */
static QsTask *take_posted(QsLoop *loop)
{
    QsTask *task = atomic_exchange_explicit(&loop->posted, NULL, memory_order_acquire);
    QsTask *oldest = NULL;
    while (task) {
        QsTask *next = task->next;
        task->next = oldest;
        oldest = task;
        task = next;
    }
    return oldest;
}

static void on_wake_up(uv_async_t *async)
{
    QsTask *task = take_posted(async->data);
    while (task) {
        QsTask *next = task->next; /* running it may post it again, or free it */
        task->run(task);
        task = next;
    }
}

/* Accepts what had to wait: the loop was full, or there was no memory. */
static void accept_waiting(QsLoop *loop)
{
    const int limit = loop->net->options.connection_limit / loop->net->options.loop_count;
    for (QsListener *listener = loop->listeners; listener; listener = listener->next)
        if (listener->is_waiting && (loop->connection_count < limit || loop->connection_count == 0))
            listener->is_waiting = !qs_connection_accept(listener);
}

static void on_sweep(uv_timer_t *timer)
{
    QsLoop *loop = timer->data;
    for (QsConnection *connection = loop->connections; connection; connection = connection->next)
        qs_connection_sweep(connection,
                            uv_now(&loop->uv)); /* closes later, so the list stays whole */
    accept_waiting(loop);
}

void qs_loop_report_if_empty(QsLoop *loop)
{
    if (!loop->is_stopping || loop->connection_count || loop->work_count)
        return;
    pthread_mutex_lock(&loop->net->lock);
    loop->net->busy_count--;
    pthread_cond_signal(&loop->net->emptied);
    pthread_mutex_unlock(&loop->net->lock);
}

void qs_loop_adopt(QsLoop *loop, QsConnection *connection)
{
    connection->next = loop->connections;
    if (loop->connections)
        loop->connections->previous = connection;
    loop->connections = connection;
    if (loop->connection_count++ == 0)
        uv_timer_start(&loop->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

void qs_loop_forget(QsLoop *loop, QsConnection *connection)
{
    if (connection->previous)
        connection->previous->next = connection->next;
    else
        loop->connections = connection->next;
    if (connection->next)
        connection->next->previous = connection->previous;
    if (--loop->connection_count == 0)
        uv_timer_stop(&loop->sweep);
    accept_waiting(loop);
    qs_loop_report_if_empty(loop);
}

/* libuv holds what is not accepted here, and asks for no further one, until somebody does. */
static void on_connection(uv_stream_t *tcp, int status)
{
    QsListener *listener = tcp->data;
    if (status != 0)
        return;
    listener->is_waiting = true;
    accept_waiting(listener->loop);
    if (listener->is_waiting)
        uv_timer_start(&listener->loop->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

static void free_listener(uv_handle_t *handle)
{
    free(handle->data);
}

/* On the loop's thread: begins to accept. */
static void start_listener(QsTask *task)
{
    QsListener *listener = (QsListener *)(void *)((char *)task - offsetof(QsListener, start));
    QsLoop *loop = listener->loop;
    if (loop->is_stopping || uv_tcp_init(&loop->uv, &listener->tcp) != 0) {
        close(listener->fd);
        free(listener);
        return;
    }
    listener->tcp.data = listener;
    listener->next = loop->listeners;
    loop->listeners = listener;
    if (uv_tcp_open(&listener->tcp, listener->fd) != 0)
        close(listener->fd);
    else
        uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
}

static int port_of(const struct sockaddr_storage *address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    memcpy(&v4, address, sizeof v4);
    memcpy(&v6, address, sizeof v6);
    return ntohs(address->ss_family == AF_INET6 ? v6.sin6_port : v4.sin_port);
}

/* A socket that is bound and listens.  Every loop gets a copy of its descriptor. */
static QnStatus open_socket(int *out, const char *address, int port, int *bound_port, QnError *err)
{
    QnStatus status = QN_OK;
    struct sockaddr_storage bound = {0};
    socklen_t size = sizeof bound;
    char service[16];
    snprintf(service, sizeof service, "%d", port);
    const struct addrinfo hints = {.ai_family = AF_UNSPEC,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int fd = -1;
    if (port < 0 || port > 65535 || getaddrinfo(address, service, &hints, &found) != 0)
        return qn_fail(err, QN_IO,
                       "cannot listen on %s:%d: expected a numeric address and a port up to 65535",
                       address, port);
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&bound, &size) != 0) {
        status =
            errno == EADDRINUSE
                ? qn_fail(err, QN_IO, "Socket '%s:%d' already in use", address, port)
                : qn_fail(err, QN_IO, "cannot listen on %s:%d: %s", address, port, strerror(errno));
        goto done;
    }
    *bound_port = port_of(&bound);
    *out = fd;
    fd = -1;
done:
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    return status;
}

/* Hands one loop its copy of the socket. */
static QnStatus add_listener(QsLoop *loop, int fd, const QsProtocol *protocol, void *user,
                             QnError *err)
{
    QsListener *listener = calloc(1, sizeof *listener);
    if (!listener)
        return qn_no_memory(err);
    *listener =
        (QsListener){.loop = loop, .protocol = protocol, .user = user, .start.run = start_listener};
    listener->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (listener->fd < 0) {
        free(listener);
        return qn_fail(err, QN_IO, "cannot copy a socket's descriptor: %s", strerror(errno));
    }
    qs_loop_post(loop, &listener->start);
    return QN_OK;
}

QnStatus qs_net_listen(QsNet *net, const char *address, int port, const QsProtocol *protocol,
                       void *user, int *bound_port, QnError *err)
{
    int fd = -1;
    QN_TRY(open_socket(&fd, address, port, bound_port, err));
    QnStatus status = QN_OK;
    for (int i = 0; i < net->options.loop_count && status == QN_OK; i++)
        status = add_listener(&net->loops[i], fd, protocol, user, err);
    close(fd);
    return status;
}

static void *run_loop(void *user)
{
    QsLoop *loop = user;
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    return NULL;
}

/* Ends what `open_loop` made, where no thread runs it. */
static void close_loop(QsLoop *loop)
{
    uv_close((uv_handle_t *)&loop->wake_up, NULL);
    uv_close((uv_handle_t *)&loop->sweep, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    uv_loop_close(&loop->uv);
}

static void stop_loop(QsTask *task);
static void end_loop(QsTask *task);

/* Makes the loop's handles and starts its thread. */
static QnStatus open_loop(QsLoop *loop, QsNet *net, int index, QnError *err)
{
    *loop = (QsLoop){.net = net, .index = index, .stop.run = stop_loop, .end.run = end_loop};
    if (uv_loop_init(&loop->uv) != 0)
        return qn_no_memory(err);
    const int status = uv_async_init(&loop->uv, &loop->wake_up, on_wake_up);
    if (status != 0) {
        uv_loop_close(&loop->uv);
        return qn_fail(err, QN_IO, "cannot make an event loop: %s", uv_strerror(status));
    }
    uv_timer_init(&loop->uv, &loop->sweep);
    loop->wake_up.data = loop->sweep.data = loop;
    if (pthread_create(&loop->thread, NULL, run_loop, loop) != 0) {
        close_loop(loop);
        return qn_fail(err, QN_IO, "cannot start an event loop's thread");
    }
    return QN_OK;
}

/* A condition that waits by the clock that only goes forward. */
static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

QnStatus qs_net_create(QsNet **out, const QsNetOptions *options, QnError *err)
{
    QsNet *net = calloc(1, sizeof *net);
    if (!net)
        return qn_no_memory(err);
    net->options = *options;
    pthread_mutex_init(&net->lock, NULL);
    init_condition(&net->emptied);
    net->loops = calloc((size_t)options->loop_count, sizeof *net->loops);
    QnStatus status = net->loops ? QN_OK : qn_no_memory(err);
    for (int i = 0; i < options->loop_count && status == QN_OK; i++) {
        status = open_loop(&net->loops[i], net, i, err);
        net->started_count += status == QN_OK;
    }
    net->busy_count = net->started_count;
    if (status == QN_OK)
        *out = net;
    else
        qs_net_free(net);
    return status;
}

static void close_listeners(QsLoop *loop)
{
    for (QsListener *listener = loop->listeners, *next; listener; listener = next) {
        next = listener->next;
        uv_close((uv_handle_t *)&listener->tcp, free_listener);
    }
    loop->listeners = NULL;
}

static void stop_loop(QsTask *task)
{
    QsLoop *loop = (QsLoop *)(void *)((char *)task - offsetof(QsLoop, stop));
    loop->is_stopping = true;
    close_listeners(loop);
    for (QsConnection *connection = loop->connections; connection; connection = connection->next)
        if (!connection->is_closing)
            connection->protocol->stopping(connection->stream);
    qs_loop_report_if_empty(loop);
}

static void end_loop(QsTask *task)
{
    QsLoop *loop = (QsLoop *)(void *)((char *)task - offsetof(QsLoop, end));
    close_listeners(loop);
    for (QsConnection *connection = loop->connections; connection; connection = connection->next)
        qs_connection_close(connection);
    uv_close((uv_handle_t *)&loop->sweep, NULL);
    uv_close((uv_handle_t *)&loop->wake_up, NULL);
}

void qs_net_stop(QsNet *net)
{
    if (atomic_exchange(&net->is_stopping, true))
        return;
    for (int i = 0; i < net->started_count; i++)
        qs_loop_post(&net->loops[i], &net->loops[i].stop);
}

bool qs_net_wait(QsNet *net, uint64_t deadline_ms)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                                   .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    pthread_mutex_lock(&net->lock);
    int status = 0;
    while (net->busy_count && status == 0)
        status = pthread_cond_timedwait(&net->emptied, &net->lock, &until);
    const bool is_empty = net->busy_count == 0;
    pthread_mutex_unlock(&net->lock);
    return is_empty;
}

void qs_net_free(QsNet *net)
{
    if (!net)
        return;
    assert(net->loops || net->started_count == 0);
    for (int i = 0; i < net->started_count; i++)
        qs_loop_post(&net->loops[i], &net->loops[i].end);
    for (int i = 0; i < net->started_count; i++) {
        pthread_join(net->loops[i].thread, NULL);
        uv_loop_close(&net->loops[i].uv);
    }
    pthread_cond_destroy(&net->emptied);
    pthread_mutex_destroy(&net->lock);
    free(net->loops);
    free(net);
}
