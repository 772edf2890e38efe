/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state machine over a connection's bytes: heads are collected, bodies pass through.
 *
 *     body  = content_length bytes, or
 *             *( hex-size [ ";" extension ] CRLF data CRLF ) "0" CRLF *( trailer CRLF ) CRLF
 *
 * Each state is a function that consumes what it can and names the next one.  Work per byte is
 * constant and memory is bounded by the limits, however the bytes are cut into pieces.
 */
#include <stdlib.h>

#include "server/http/http.h"

enum State {
    HEAD,
    LENGTH_BODY,
    CHUNK_SIZE,      /* hexadecimal digits */
    CHUNK_EXTENSION, /* ignored up to the end of the line */
    CHUNK_SIZE_LF,
    CHUNK_DATA,
    CHUNK_DATA_CR,
    CHUNK_DATA_LF,
    TRAILER_START, /* at the first byte of a line */
    TRAILER,
    TRAILER_LF,
    LAST_LF,
    ENDED,
    REFUSED
};

/* The longest line with a chunk's size and its extensions. */
enum { CHUNK_LINE_LIMIT = 256 };

const QsHttpLimits qs_http_default_limits = {
    .head_bytes = 16384, .header_count = 100, .body_bytes = INT32_MAX, .chunk_count = 65536};

void qs_http_init(QsHttp *http, const QsHttpLimits *limits)
{
    *http = (QsHttp){.limits = limits ? *limits : qs_http_default_limits};
}

void qs_http_finish(QsHttp *http)
{
    free(http->text);
    free(http->headers);
    *http = (QsHttp){0};
}

void qs_http_next(QsHttp *http)
{
    http->state = HEAD;
    http->text_size = 0;
    http->head = (QsHttpHead){0};
    http->left = http->body_size = 0;
    http->chunk_count = 0;
    http->line_size = 0;
    http->room = NULL;
    http->room_size = 0;
    http->discards = false;
}

bool qs_http_is_idle(const QsHttp *http)
{
    return http->state == HEAD && http->text_size == 0;
}

void qs_http_give_room(QsHttp *http, void *data, size_t size)
{
    http->room = data;
    http->room_size = size;
}

void qs_http_discard(QsHttp *http)
{
    http->discards = true;
}

static QsHttpEvent refuse(QsHttp *http, int status, const char *reason)
{
    qs_http_refuse(http, status, reason);
    http->state = REFUSED;
    return QS_HTTP_BAD;
}

static bool grow_text(QsHttp *http)
{
    size_t capacity = http->text_capacity ? 2 * http->text_capacity : 1024;
    if (capacity > http->limits.head_bytes)
        capacity = http->limits.head_bytes;
    char *grown = realloc(http->text, capacity ? capacity : 1);
    if (!grown)
        return false;
    http->text = grown;
    http->text_capacity = capacity;
    return true;
}

/* What is wrong with the byte `c` after the text so far?
 * CR and LF only come in pairs; NULL: nothing. */
static const char *check_byte(const QsHttp *http, uint8_t c)
{
    const char last = http->text_size ? http->text[http->text_size - 1] : 0;
    if (c == '\n' && last != '\r')
        return "line ends in LF alone, expected CRLF";
    if (c != '\n' && last == '\r')
        return "CR without LF";
    return c == 0 ? "NUL in the head" : NULL;
}

static bool ends_head(const QsHttp *http)
{
    return http->text_size >= 4 && memcmp(http->text + http->text_size - 4, "\r\n\r\n", 4) == 0;
}

/* Where the head leads: to a body of known length, to chunks, or to the end. */
static QsHttpEvent begin_body(QsHttp *http)
{
    if (!qs_http_parse_head(http)) {
        http->state = REFUSED;
        return QS_HTTP_BAD;
    }
    http->left = http->head.content_length;
    http->state = http->head.is_chunked ? CHUNK_SIZE : LENGTH_BODY;
    return QS_HTTP_HEAD;
}

static QsHttpEvent feed_head(QsHttp *http, QnBytes *input)
{
    while (input->size) {
        const uint8_t c = *input->data;
        *input = qn_bytes(input->data + 1, input->size - 1);
        const char *fault = check_byte(http, c);
        if (fault)
            return refuse(http, 400, fault);
        if (http->text_size == http->limits.head_bytes)
            return refuse(http, 431, "the request's head is larger than this server accepts");
        if (http->text_size == http->text_capacity && !grow_text(http))
            return refuse(http, 500, "out of memory");
        http->text[http->text_size++] = (char)c;
        /* An empty line before the request line
         * is the old habit of some clients (RFC 9112, 2.2). */
        if (http->text_size == 2 && c == '\n')
            http->text_size = 0;
        else if (c == '\n' && ends_head(http))
            return begin_body(http);
    }
    return QS_HTTP_MORE;
}

/* Counts bytes of the body that found their place. */
static void advance(QsHttp *http, size_t size)
{
    http->left -= size;
    http->body_size += size;
    if (http->discards)
        return;
    http->room += size;
    http->room_size -= size;
}

/* Moves body bytes to their room until the input, the room or the body is at its end. */
static QsHttpEvent pass_body(QsHttp *http, QnBytes *input)
{
    if (!http->discards && http->room_size == 0)
        return QS_HTTP_ROOM;
    size_t size = input->size < http->left ? input->size : (size_t)http->left;
    if (!http->discards) {
        size = size < http->room_size ? size : http->room_size;
        memcpy(http->room, input->data, size);
    }
    advance(http, size);
    *input = qn_bytes(input->data + size, input->size - size);
    return QS_HTTP_MORE;
}

static QsHttpEvent end(QsHttp *http)
{
    http->state = ENDED;
    return QS_HTTP_END;
}

/* The next byte of the input, which is not empty. */
static uint8_t take(QnBytes *input)
{
    const uint8_t c = *input->data;
    *input = qn_bytes(input->data + 1, input->size - 1);
    return c;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const int letter = (c | 0x20) - 'a';
    return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

/* One byte of "1a3;name=value\r". */
static QsHttpEvent feed_chunk_size(QsHttp *http, uint8_t c)
{
    const int digit = hex_digit(c);
    if (++http->line_size > CHUNK_LINE_LIMIT)
        return refuse(http, 400, "the line with a chunk's size is too long");
    if (http->state == CHUNK_SIZE && digit >= 0) {
        http->left = http->left * 16 + (uint64_t)digit;
        if (http->left > http->limits.body_bytes)
            return refuse(http, 413, "the body is larger than this server accepts");
        return QS_HTTP_MORE;
    }
    if (http->line_size == 1 || (http->state == CHUNK_SIZE && c != '\r' && c != ';' && c != ' '))
        return refuse(http, 400, "malformed chunk size");
    if (c == '\n' || (c < 0x20 && c != '\r' && c != '\t'))
        return refuse(http, 400, "malformed chunk extension");
    http->state = c == '\r' ? CHUNK_SIZE_LF : CHUNK_EXTENSION;
    return QS_HTTP_MORE;
}

/* After the size line: data follow, or the trailers after a chunk of size 0. */
static QsHttpEvent begin_chunk(QsHttp *http)
{
    http->line_size = 0;
    http->state = http->left ? CHUNK_DATA : TRAILER_START;
    if (http->left > http->limits.body_bytes - http->body_size)
        return refuse(http, 413, "the body is larger than this server accepts");
    if (http->left && ++http->chunk_count > http->limits.chunk_count)
        return refuse(http, 400, "the body has more chunks than this server accepts");
    return QS_HTTP_MORE;
}

/* Trailers are of no interest here, but their lines must be lines and they must end. */
static QsHttpEvent feed_trailer(QsHttp *http, uint8_t c)
{
    if (++http->line_size > http->limits.head_bytes)
        return refuse(http, 431, "the trailers are larger than this server accepts");
    if (c == '\n' || c == 0)
        return refuse(http, 400, "malformed trailer");
    if (c == '\r')
        http->state = http->state == TRAILER_START ? LAST_LF : TRAILER_LF;
    else
        http->state = TRAILER;
    return QS_HTTP_MORE;
}

/* A state that waits for exactly one byte. */
static QsHttpEvent expect(QsHttp *http, uint8_t c, char wanted, int next)
{
    if (c != (uint8_t)wanted)
        return refuse(http, 400, "malformed chunk, expected CRLF");
    http->state = next;
    return QS_HTTP_MORE;
}

/* One byte of the framing around chunks. */
static QsHttpEvent feed_framing(QsHttp *http, uint8_t c)
{
    switch (http->state) {
    case CHUNK_SIZE:
    case CHUNK_EXTENSION:
        return feed_chunk_size(http, c);
    case CHUNK_SIZE_LF:
        return c == '\n' ? begin_chunk(http) : refuse(http, 400, "malformed chunk size");
    case CHUNK_DATA_CR:
        return expect(http, c, '\r', CHUNK_DATA_LF);
    case CHUNK_DATA_LF:
        return expect(http, c, '\n', CHUNK_SIZE);
    case TRAILER_LF:
        return expect(http, c, '\n', TRAILER_START);
    case LAST_LF:
        return c == '\n' ? end(http) : refuse(http, 400, "malformed trailer");
    default:
        return feed_trailer(http, c);
    }
}

static bool is_body(const QsHttp *http)
{
    return http->state == LENGTH_BODY || http->state == CHUNK_DATA;
}

/* The body or chunk is complete: what comes next? */
static QsHttpEvent leave_body(QsHttp *http)
{
    if (http->state == LENGTH_BODY)
        return end(http);
    http->state = CHUNK_DATA_CR;
    return QS_HTTP_MORE;
}

QsHttpEvent qs_http_feed(QsHttp *http, QnBytes *input)
{
    QsHttpEvent event = QS_HTTP_MORE;
    while (event == QS_HTTP_MORE) {
        if (http->state == REFUSED)
            return QS_HTTP_BAD;
        if (http->state == ENDED)
            return QS_HTTP_END;
        if (is_body(http) && http->left == 0)
            event = leave_body(http);
        else if (input->size == 0)
            return QS_HTTP_MORE;
        else if (http->state == HEAD)
            event = feed_head(http, input);
        else if (is_body(http))
            event = pass_body(http, input);
        else
            event = feed_framing(http, take(input));
    }
    return event;
}

QsHttpRoom qs_http_room(const QsHttp *http)
{
    if (!is_body(http) || http->discards || http->left == 0)
        return (QsHttpRoom){0};
    const size_t size = http->left < http->room_size ? (size_t)http->left : http->room_size;
    return (QsHttpRoom){http->room, size};
}

QsHttpEvent qs_http_filled(QsHttp *http, size_t size)
{
    advance(http, size);
    if (http->left == 0)
        return leave_body(http);
    return http->room_size == 0 ? QS_HTTP_ROOM : QS_HTTP_MORE;
}
