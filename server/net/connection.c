/* SPDX-License-Identifier: Apache-2.0 */
/* One accepted socket: reading into the stream's room,
 * writing from its spans, deadlines, closing. */
#include <stdlib.h>

#include "server/net/internal.h"

QsLoop *qs_connection_loop(const QsConnection *connection)
{
    return connection->loop;
}

static void on_closed(uv_handle_t *handle)
{
    QsConnection *connection = handle->data;
    qs_loop_forget(connection->loop, connection);
    if (connection->stream)
        connection->protocol->closed(connection->stream);
    free(connection);
}

void qs_connection_close(QsConnection *connection)
{
    if (connection->is_closing)
        return;
    connection->is_closing = true;
    uv_close((uv_handle_t *)&connection->tcp, on_closed);
}

static void stop_reading(QsConnection *connection)
{
    connection->is_reading = false;
    uv_read_stop((uv_stream_t *)&connection->tcp);
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    QsConnection *connection = handle->data;
    const QsSpan room = connection->protocol->room(connection->stream);
    *buffer =
        uv_buf_init((char *)room.data, (unsigned)(room.size < INT32_MAX ? room.size : INT32_MAX));
}

static void on_read(uv_stream_t *tcp, ssize_t size, const uv_buf_t *buffer)
{
    (void)buffer;
    QsConnection *connection = tcp->data;
    if (size > 0) {
        connection->protocol->received(connection->stream, (size_t)size);
    } else if (size == UV_ENOBUFS) {
        stop_reading(connection); /* the stream has no room now and asks for more later */
    } else if (size == UV_EOF) {
        stop_reading(connection);
        connection->protocol->ended(connection->stream);
    } else if (size < 0) {
        qs_connection_close(connection);
    }
}

void qs_connection_read(QsConnection *connection)
{
    if (connection->is_reading || connection->is_closing)
        return;
    connection->is_reading = uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_read) == 0;
    if (!connection->is_reading)
        qs_connection_close(connection);
}

static void on_written(uv_write_t *write, int status)
{
    QsConnection *connection = write->data;
    if (status < 0)
        qs_connection_close(connection);
    else if (!connection->is_closing)
        connection->protocol->sent(connection->stream);
}

enum { SPAN_LIMIT = 64 };

/* The spans as libuv's, without the first `skip` bytes.  Returns how many are left. */
static unsigned rest_of(uv_buf_t *to, const QnBytes *spans, size_t count, size_t skip)
{
    unsigned kept = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t gone = skip < spans[i].size ? skip : spans[i].size;
        skip -= gone;
        if (spans[i].size > gone)
            to[kept++] = uv_buf_init((char *)(uintptr_t)(spans[i].data + gone),
                                     (unsigned)(spans[i].size - gone));
    }
    return kept;
}

bool qs_connection_send(QsConnection *connection, const QnBytes *spans, size_t count)
{
    uv_stream_t *tcp = (uv_stream_t *)&connection->tcp;
    uv_buf_t fixed[SPAN_LIMIT];
    uv_buf_t *buffers = count <= SPAN_LIMIT ? fixed : calloc(count, sizeof *buffers);
    bool is_done = false;
    if (connection->is_closing || !buffers) {
        qs_connection_close(connection);
        goto done;
    }
    unsigned left = rest_of(buffers, spans, count, 0);
    const int went =
        left ? uv_try_write(tcp, buffers, left) : 0; /* most answers fit the socket's buffer */
    left = rest_of(buffers, spans, count, went > 0 ? (size_t)went : 0);
    is_done = left == 0;
    connection->write.data = connection;
    if (!is_done && uv_write(&connection->write, tcp, buffers, left, on_written) != 0)
        qs_connection_close(connection);
done:
    if (buffers != fixed)
        free(buffers);
    return is_done;
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
    (void)shutdown;
    (void)status; /* a peer that is gone already shows itself to the reader */
}

void qs_connection_shutdown(QsConnection *connection)
{
    if (!connection->is_closing)
        uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, on_shutdown);
}

void qs_connection_set_deadline(QsConnection *connection, uint64_t delay_ms)
{
    connection->delay_ms = delay_ms;
    connection->deadline_ms = delay_ms ? uv_now(&connection->loop->uv) + delay_ms : 0;
}

void qs_connection_sweep(QsConnection *connection, uint64_t now_ms)
{
    if (connection->is_closing || connection->deadline_ms == 0)
        return;
    const size_t unsent = uv_stream_get_write_queue_size((uv_stream_t *)&connection->tcp);
    if (unsent < connection->unsent_bytes)
        connection->deadline_ms = now_ms + connection->delay_ms;
    connection->unsent_bytes = unsent;
    if (now_ms < connection->deadline_ms)
        return;
    connection->deadline_ms = 0;
    connection->protocol->expired(connection->stream);
}

bool qs_connection_accept(QsListener *listener)
{
    QsLoop *loop = listener->loop;
    QsConnection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return false;
    *connection = (QsConnection){.loop = loop, .protocol = listener->protocol};
    if (uv_tcp_init(&loop->uv, &connection->tcp) != 0) {
        free(connection);
        return false;
    }
    connection->tcp.data = connection;
    qs_loop_adopt(loop, connection);
    if (uv_accept((uv_stream_t *)&listener->tcp, (uv_stream_t *)&connection->tcp) == 0) {
        uv_tcp_nodelay(&connection->tcp, 1);
        connection->stream = listener->protocol->open(listener->user, connection);
    }
    if (connection->stream)
        qs_connection_read(connection);
    else
        qs_connection_close(connection);
    return true;
}
