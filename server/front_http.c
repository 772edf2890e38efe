/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of an HTTP connection: bytes to a call, the call to its endpoint, the reply to bytes.
 *
 * A stream belongs to its loop's thread.  A call is the stream's until it is taken away: to another
 * thread where its body is large, and by an endpoint that waits.  It comes back by a task on the
 * same loop, also when the connection has gone in the meantime: then the stream waits for it.
 */
#include "server/front_http.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "server/http/encoding.h"
#include "server/http/reply.h"

enum {
    INPUT_BYTES = 16384,        /* what is read ahead of the parser */
    LARGE_BODY_BYTES = 1 << 18, /* over that, decoding would keep other connections waiting */
    FIRST_CHUNKS_BYTES = 65536, /* the first room for a body of unknown length */
    SKIPPED_BODY_LIMIT =
        1 << 20,      /* the rest of a refused body that is read to keep the connection */
    LINGER_MS = 1000, /* for the peer to read a last reply before it is cut off */
    SPAN_LIMIT = 66   /* of one reply: head, text and the outputs of most models */
};

typedef struct Stream Stream;

/* Where a call stands between its endpoint's function and its completion on another thread. */
enum { ANSWERING, WAITING, FINISHED };

/* One request and its reply. */
typedef struct Call {
    QsExchange exchange; /* first: the endpoint's view of it */
    Stream *stream;
    const QsRoute *route;
    uint8_t *body;
    size_t body_capacity; /* taken from the budget */
    atomic_int phase;
    QsTask finished;
    QsWork asking;   /* of a large body: ask() on another thread */
    QnText head;     /* the reply's */
    QnText unpacked; /* the body, where it came compressed */
    bool keep_alive, is_refused;
    bool is_taken; /* the endpoint has answered, or will */
} Call;

struct Stream {
    const QsHttpFront *front;
    QsLoop *loop;
    QsConnection *connection; /* NULL once it is closed */
    QsHttp http;
    Call *call;
    bool is_away;    /* the call is with an endpoint */
    bool is_sending; /* the reply, or the permission to send the body, is not all gone */
    bool has_reply;  /* the call's reply is to be sent, as soon as nothing else is being sent */
    bool has_ended;  /* the peer sends no more */
    bool is_stopping;
    bool is_over;    /* the last reply is sent, or there will be none; what comes now is ignored */
    bool reads_body; /* the last room was the body's */
    size_t input_at, input_size;
    uint8_t input[INPUT_BYTES];
};

static Call *call_of(const QsExchange *exchange)
{
    return (Call *)(uintptr_t)exchange;
}

static QnBytes find_header(const QsExchange *exchange, const char *name)
{
    return qs_http_header(&call_of(exchange)->stream->http.head, name);
}

static void free_call(Call *call)
{
    qs_budget_give(call->stream->front->budget, call->body_capacity);
    free(call->body);
    qn_text_finish(&call->head);
    qn_text_finish(&call->unpacked);
    qn_text_finish(&call->exchange.reply.text);
    qn_arena_finish(&call->exchange.arena);
    free(call);
}

static void free_stream(Stream *stream)
{
    if (stream->call)
        free_call(stream->call);
    qs_http_finish(&stream->http);
    free(stream);
}

static void close_now(Stream *stream)
{
    stream->is_over = true;
    qs_connection_close(stream->connection);
}

/* ---- Replies ---- */

/* After the last byte of the last reply:
 * the peer gets time to read it, since closing over unread input resets. */
static void linger(Stream *stream)
{
    stream->is_over = true;
    if (stream->has_ended) {
        close_now(stream);
        return;
    }
    qs_connection_shutdown(stream->connection);
    qs_connection_set_deadline(stream->connection, LINGER_MS);
    qs_connection_read(stream->connection);
}

static void finish_reply(Stream *stream)
{
    const bool goes_on = stream->call->keep_alive && !stream->is_stopping;
    free_call(stream->call);
    stream->call = NULL;
    stream->has_reply = false;
    if (goes_on)
        qs_http_next(&stream->http);
    else
        linger(stream);
}

static void put_head(Stream *stream, Call *call, uint64_t length)
{
    const QsReply *reply = &call->exchange.reply;
    const QsHttpHead *head = &stream->http.head;
    QnText *text = &call->head;
    qs_http_put_status(text, reply->status);
    for (int i = 0; i < reply->header_count; i++)
        qs_http_put_header(text, reply->headers[i].name, qn_bytes_of_text(reply->headers[i].value));
    qs_http_put_header(text, "Content-Type", qn_bytes_of_text(reply->content_type));
    call->keep_alive = call->keep_alive && !stream->is_stopping;
    qs_http_put_end(text, &(QsHttpReplyHead){.status = reply->status,
                                             .content_length = length,
                                             .keep_alive = call->keep_alive,
                                             .minor = head->method.size ? head->minor : 1});
}

/* Starts to send the reply.  Without memory for that the connection can only be closed. */
static void send_reply(Stream *stream)
{
    Call *call = stream->call;
    const QsReply *reply = &call->exchange.reply;
    QnBytes fixed[SPAN_LIMIT];
    const size_t count = 2 + reply->tail_count;
    QnBytes *spans = count <= SPAN_LIMIT ? fixed : calloc(count, sizeof *spans);
    uint64_t length = reply->text.size;
    for (size_t i = 0; i < reply->tail_count; i++)
        length += reply->tail[i].size;
    put_head(stream, call, length);
    bool is_sent = false;
    if (!spans || call->head.failed || reply->text.failed) {
        close_now(stream);
        goto done;
    }
    spans[0] = qn_bytes(call->head.data, call->head.size);
    spans[1] = qn_bytes(reply->text.data, reply->text.size);
    for (size_t i = 0; i < reply->tail_count; i++)
        spans[2 + i] = reply->tail[i];
    const bool is_head_only = qn_bytes_is(stream->http.head.method, "HEAD");
    qs_connection_set_deadline(stream->connection, stream->front->body_timeout_ms);
    is_sent = qs_connection_send(stream->connection, spans, is_head_only ? 1 : count);
    stream->is_sending = !is_sent;
done:
    if (spans != fixed)
        free(spans);
    if (is_sent)
        finish_reply(stream);
}

/* Compresses a reply that succeeded, if the peer likes that; without memory it goes as it is. */
static void encode_reply(Call *call)
{
    QsReply *reply = &call->exchange.reply;
    if (!call->route || !call->route->may_encode || reply->status != 200)
        return;
    const QsEncoding encoding = qs_encoding_choose(find_header(&call->exchange, "Accept-Encoding"));
    QnBytes *spans = encoding == QS_IDENTITY ? NULL
                                             : qn_arena_array(&call->exchange.arena,
                                                              reply->tail_count + 1, sizeof *spans);
    if (!spans)
        return;
    spans[0] = qn_bytes(reply->text.data, reply->text.size);
    for (size_t i = 0; i < reply->tail_count; i++)
        spans[i + 1] = reply->tail[i];
    QnText packed = qn_text(NULL);
    if (!qs_encode(&packed, encoding, spans, reply->tail_count + 1)) {
        qn_text_finish(&packed);
        return;
    }
    qn_text_finish(&reply->text);
    reply->text = packed;
    reply->tail_count = 0;
    qs_reply_header(reply, "Content-Encoding", qs_encoding_name(encoding));
}

/* The call's reply is complete. */
static void reply(Stream *stream)
{
    Call *call = stream->call;
    if (call->exchange.reply.text.failed) {
        qn_no_memory(&call->exchange.err);
        qn_text_finish(&call->exchange.reply.text);
        call->exchange.reply.text = qn_text(NULL);
        call->exchange.reply.status = 0;
        qs_reply_error(&call->exchange);
    }
    encode_reply(call);
    stream->has_reply = true;
    if (!stream->is_sending)
        send_reply(stream);
}

/* ---- Calls that wait ---- */

static void on_finished(QsTask *task);

/* Any thread.  A call that completes while its endpoint's function still runs needs no task. */
static void finish_call(QsExchange *exchange)
{
    Call *call = call_of(exchange);
    if (atomic_exchange(&call->phase, FINISHED) == WAITING)
        qs_loop_post(call->stream->loop, &call->finished);
}

static const QsExchangeOps exchange_ops = {.header = find_header, .finish = finish_call};

/* Unpacks a body that came compressed.  What it takes more is the budget's too. */
static QnStatus decode_body(Call *call)
{
    QsExchange *exchange = &call->exchange;
    const QnBytes name = find_header(exchange, "Content-Encoding");
    const QsEncoding encoding = call->route->may_encode ? qs_encoding_find(name) : QS_IDENTITY;
    if (encoding == QS_IDENTITY)
        return QN_OK;
    if (encoding == QS_UNKNOWN_ENCODING) {
        qs_reply_header(&exchange->reply, "Accept-Encoding", "gzip, deflate");
        return qn_fail(&exchange->err, QN_UNSUPPORTED, "Unsupported compression type");
    }
    QN_TRY(qs_decode(&call->unpacked, exchange->body, exchange->server->max_input_bytes,
                     &exchange->err));
    if (!qs_budget_take(call->stream->front->budget, call->unpacked.size))
        return qn_fail(&exchange->err, QN_UNAVAILABLE,
                       "the memory for requests is used up, try again later");
    call->body_capacity += call->unpacked.size;
    exchange->body = qn_bytes(call->unpacked.data, call->unpacked.size);
    return QN_OK;
}

/* Unpacks the body and calls the endpoint.  The loop's thread, or another one that has the call. */
static void ask(Call *call)
{
    call->is_taken = !call->is_refused && decode_body(call) == QN_OK &&
                     call->route->answer(&call->exchange) == QN_OK;
}

/* After ask(): does the endpoint let the call wait?  Then finish_call() brings it back. */
static bool stays_away(Call *call)
{
    return call->is_taken && call->exchange.is_waiting &&
           atomic_exchange(&call->phase, WAITING) == ANSWERING;
}

static void reply_or_wait(Stream *stream)
{
    Call *call = stream->call;
    stream->is_away = stays_away(call);
    if (stream->is_away) {
        qs_connection_set_deadline(stream->connection, 0);
        return;
    }
    if (!call->is_taken)
        qs_reply_error(&call->exchange);
    reply(stream);
}

static void ask_elsewhere(QsWork *work)
{
    ask((Call *)(void *)((char *)work - offsetof(Call, asking)));
}

static void on_asked(QsWork *work);

static void answer(Stream *stream)
{
    Call *call = stream->call;
    const size_t size = call->body ? (size_t)stream->http.body_size : 0;
    call->exchange.body = qn_bytes(call->body, size);
    call->asking = (QsWork){.run = ask_elsewhere, .done = on_asked};
    if (size > LARGE_BODY_BYTES && !call->is_refused && qs_loop_work(stream->loop, &call->asking)) {
        stream->is_away = true;
        qs_connection_set_deadline(stream->connection, 0);
        return;
    }
    ask(call);
    reply_or_wait(stream);
}

/* ---- Requests ---- */

static bool refuse(Call *call, int http_status, QnStatus status, const char *why)
{
    call->is_refused = true;
    call->exchange.reply.status = http_status;
    qn_fail(&call->exchange.err, status, "%s", why);
    return false;
}

/* Room for `size` bytes of body: first what they may cost, then the memory.
 * What was there is kept. */
static bool grow_body(Stream *stream, size_t size)
{
    Call *call = stream->call;
    if (!qs_budget_take(stream->front->budget, size - call->body_capacity))
        return refuse(call, 503, QN_UNAVAILABLE,
                      "the memory for requests is used up, try again later");
    uint8_t *grown = aligned_alloc(64, (size + 63) / 64 * 64);
    if (!grown) {
        qs_budget_give(stream->front->budget, size - call->body_capacity);
        return refuse(call, 503, QN_NO_MEMORY, "out of memory");
    }
    if (call->body)
        memcpy(grown, call->body, (size_t)stream->http.body_size);
    free(call->body);
    call->body = grown;
    call->body_capacity = size;
    return true;
}

static bool give_room(Stream *stream, size_t size)
{
    if (!grow_body(stream, size))
        return false;
    const size_t used = (size_t)stream->http.body_size;
    qs_http_give_room(&stream->http, stream->call->body + used, size - used);
    return true;
}

/* A body of unknown length has filled its room. */
static bool give_more_room(Stream *stream)
{
    const size_t capacity = stream->call->body_capacity;
    const uint64_t limit = stream->front->limits.body_bytes;
    size_t wanted = capacity ? 2 * capacity : FIRST_CHUNKS_BYTES;
    if (wanted > limit)
        wanted = (size_t)limit;
    return give_room(stream, wanted);
}

static Call *make_call(Stream *stream)
{
    Call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->exchange.ops = &exchange_ops;
    call->exchange.server = stream->front->server;
    call->exchange.reply.content_type = "text/plain";
    call->exchange.model = call->exchange.version = "";
    call->finished.run = on_finished;
    call->stream = stream;
    stream->call = call;
    return call;
}

/* Decides about a request by its head.  False: it is refused. */
static bool route_call(Stream *stream, Call *call)
{
    const QsHttpHead *head = &stream->http.head;
    const QnStatus status = qs_route_find(&call->route, &call->exchange, head->method, head->path);
    if (call->route && !call->route->is_plain)
        call->exchange.reply.content_type = "application/json";
    if (status != QN_OK) {
        call->is_refused = true;
        call->exchange.reply.status = status == QN_UNSUPPORTED ? 405 : qs_http_status(status);
        return false;
    }
    return head->content_length == 0 || give_room(stream, (size_t)head->content_length);
}

/* The body does not find room, or nobody wants it:
 * say so at once, and end the connection after it. */
static void break_off(Stream *stream)
{
    stream->call->keep_alive = false;
    answer(stream);
}

/* The head is there: make a call of it, and room for its body. */
static void begin_call(Stream *stream)
{
    static const QnBytes permission = {(const uint8_t *)QS_HTTP_CONTINUE,
                                       sizeof QS_HTTP_CONTINUE - 1};
    const QsHttpHead *head = &stream->http.head;
    const bool has_body = head->is_chunked || head->content_length > 0;
    Call *call = make_call(stream);
    if (!call) {
        close_now(stream);
        return;
    }
    call->keep_alive = head->keep_alive;
    if (route_call(stream, call)) {
        if (head->expects_continue && has_body)
            stream->is_sending = !qs_connection_send(stream->connection, &permission, 1);
        return;
    }
    qs_http_discard(&stream->http);
    if (has_body &&
        (head->expects_continue || head->is_chunked || head->content_length > SKIPPED_BODY_LIMIT))
        break_off(stream);
}

/* What is no HTTP is answered once, with what is wrong with it. */
static void reject(Stream *stream)
{
    Call *call = stream->call ? stream->call : make_call(stream);
    if (!call) {
        close_now(stream);
        return;
    }
    refuse(call, stream->http.bad_status, QN_BAD_ARGUMENT, stream->http.bad_reason);
    call->exchange.reply.content_type = "application/json";
    break_off(stream);
}

/* Is the stream busy with a request that is complete, or with its end? */
static bool is_busy(const Stream *stream)
{
    return stream->is_away || stream->has_reply || stream->is_over;
}

static void handle(Stream *stream, QsHttpEvent event)
{
    if (event == QS_HTTP_HEAD)
        begin_call(stream);
    else if (event == QS_HTTP_ROOM && !give_more_room(stream))
        break_off(stream);
    else if (event == QS_HTTP_END)
        answer(stream);
    else if (event == QS_HTTP_BAD)
        reject(stream);
}

/* How long to wait for the peer's next bytes, given what there is. */
static void set_deadline(Stream *stream, bool has_progressed)
{
    const QsHttpFront *front = stream->front;
    if (stream->call)
        qs_connection_set_deadline(stream->connection, front->body_timeout_ms);
    else if (qs_http_is_idle(&stream->http))
        qs_connection_set_deadline(stream->connection, front->idle_timeout_ms);
    else if (!has_progressed)
        qs_connection_set_deadline(stream->connection, front->head_timeout_ms);
}

/* Nothing more can be made of the input: wait for more of it, or end. */
static void await_input(Stream *stream, bool was_in_head)
{
    const bool is_between = !stream->call && qs_http_is_idle(&stream->http);
    if (stream->has_ended || (stream->is_stopping && is_between))
        close_now(stream);
    else
        set_deadline(stream, was_in_head);
}

/* Makes of the input what can be made of it.
 * A loop, so that many small requests at once cost no stack. */
static void process(Stream *stream)
{
    const bool was_in_head = !stream->call && !qs_http_is_idle(&stream->http);
    QsHttpEvent event = QS_HTTP_END;
    while (!is_busy(stream) && event != QS_HTTP_MORE) {
        QnBytes input =
            qn_bytes(stream->input + stream->input_at, stream->input_size - stream->input_at);
        event = qs_http_feed(&stream->http, &input);
        stream->input_at = stream->input_size - input.size;
        if (event == QS_HTTP_MORE)
            await_input(stream, was_in_head);
        else
            handle(stream, event);
    }
    if (!stream->has_ended)
        qs_connection_read(stream->connection);
}

/* On the loop's thread: the call is back. */
static void on_finished(QsTask *task)
{
    Call *call = (Call *)(void *)((char *)task - offsetof(Call, finished));
    Stream *stream = call->stream;
    stream->is_away = false;
    if (!stream->connection) {
        free_stream(stream);
        return;
    }
    reply(stream);
    process(stream);
}

/* On the loop's thread: a large body is decoded. */
static void on_asked(QsWork *work)
{
    Stream *stream = ((Call *)(void *)((char *)work - offsetof(Call, asking)))->stream;
    if (stream->connection) {
        reply_or_wait(stream);
        process(stream);
    } else if (!stays_away(stream->call)) {
        free_stream(stream);
    }
}

/* ---- What the net calls ---- */

static void *open_stream(void *user, QsConnection *connection)
{
    Stream *stream = malloc(sizeof *stream);
    if (!stream)
        return NULL;
    memset(stream, 0, offsetof(Stream, input));
    stream->front = user;
    stream->connection = connection;
    stream->loop = qs_connection_loop(connection);
    qs_http_init(&stream->http, &stream->front->limits);
    qs_connection_set_deadline(connection, stream->front->head_timeout_ms);
    return stream;
}

static QsSpan room(void *user)
{
    Stream *stream = user;
    if (stream->is_over)
        return (QsSpan){stream->input, INPUT_BYTES};
    if (stream->input_at == stream->input_size)
        stream->input_at = stream->input_size = 0;
    const QsHttpRoom body = qs_http_room(&stream->http);
    stream->reads_body = stream->input_size == 0 && body.size > 0 && !is_busy(stream);
    if (stream->reads_body)
        return (QsSpan){body.data, body.size};
    return (QsSpan){stream->input + stream->input_size, INPUT_BYTES - stream->input_size};
}

static void received(void *user, size_t size)
{
    Stream *stream = user;
    if (stream->is_over)
        return;
    if (!stream->reads_body) {
        stream->input_size += size;
        process(stream);
        return;
    }
    const QsHttpEvent event = qs_http_filled(&stream->http, size);
    qs_connection_set_deadline(stream->connection, stream->front->body_timeout_ms);
    if (event == QS_HTTP_MORE)
        return;
    handle(stream, event);
    process(stream);
}

/* The peer has gone, or at least will not ask for more: what runs for it need not go on. */
static void ended(void *user)
{
    Stream *stream = user;
    stream->has_ended = true;
    if (stream->is_away)
        qn_cancel(&stream->call->exchange.cancel);
    else if (!stream->has_reply)
        close_now(stream);
}

static void sent(void *user)
{
    Stream *stream = user;
    stream->is_sending = false;
    if (!stream->has_reply)
        return;
    if (stream->call->head.size)
        finish_reply(stream);
    else
        send_reply(stream); /* it was the permission to send the body that went */
    process(stream);
}

static void expired(void *user)
{
    close_now(user);
}

static void stopping(void *user)
{
    Stream *stream = user;
    stream->is_stopping = true;
    if (!stream->call && qs_http_is_idle(&stream->http) && stream->input_at == stream->input_size)
        close_now(stream);
}

static void closed(void *user)
{
    Stream *stream = user;
    if (stream->is_away) {
        qn_cancel(&stream->call->exchange.cancel);
        stream->connection = NULL; /* the call frees the stream when it comes back */
        return;
    }
    free_stream(stream);
}

const QsProtocol qs_http_protocol = {.open = open_stream,
                                     .room = room,
                                     .received = received,
                                     .ended = ended,
                                     .sent = sent,
                                     .expired = expired,
                                     .stopping = stopping,
                                     .closed = closed};
