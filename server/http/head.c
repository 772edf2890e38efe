/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a request: its line, its headers, and what they say about the body and the
 * connection.
 *
 *     method SP target SP "HTTP/1." minor CRLF *( name ":" OWS value OWS CRLF ) CRLF
 *
 * The text is complete when it comes here, so this is a cursor over an array; nothing is copied.
 */
#include <stdlib.h>
#include <strings.h>

#include "server/http/http.h"

/* The rest of the head's text. */
typedef struct Cursor {
    const uint8_t *at, *end;
} Cursor;

bool qs_http_refuse(QsHttp *http, int status, const char *reason)
{
    http->bad_status = status;
    http->bad_reason = reason;
    return false;
}

/* The characters of a method or a header's name (RFC 9110, 5.6.2). */
static bool is_token(uint8_t c)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr(others, c));
}

static bool is_token_text(QnBytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!is_token(text.data[i]))
            return false;
    return text.size > 0;
}

/* A header's value and a target hold no control characters; a tab is allowed in values. */
static bool is_printable(QnBytes text, bool may_have_tabs)
{
    for (size_t i = 0; i < text.size; i++)
        if ((text.data[i] < 0x20 && !(may_have_tabs && text.data[i] == '\t')) ||
            text.data[i] == 0x7f)
            return false;
    return true;
}

static bool equals_ignoring_case(QnBytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

static QnBytes trim(QnBytes text)
{
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = qn_bytes(text.data + 1, text.size - 1);
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* The next line without its end.  Every line ends in CRLF and holds no other CR or LF: the parser
 * saw to that. */
static QnBytes next_line(Cursor *in)
{
    const uint8_t *end = memchr(in->at, '\r', (size_t)(in->end - in->at));
    const QnBytes line = qn_bytes(in->at, (size_t)(end - in->at));
    in->at = end + 2;
    return line;
}

/* Cuts `text` at the first `mark`: returns what is before it, and leaves what comes after. */
static QnBytes cut(QnBytes *text, char mark)
{
    const uint8_t *at = text->size ? memchr(text->data, mark, text->size) : NULL;
    const size_t size = at ? (size_t)(at - text->data) : text->size;
    const QnBytes before = qn_bytes(text->data, size);
    *text = at ? qn_bytes(at + 1, text->size - size - 1) : qn_bytes(text->data + size, 0);
    return before;
}

/* The path of "/a?b" or of "http://host/a?b"; a proxy may send the latter. */
static void split_target(QsHttpHead *head)
{
    QnBytes rest = head->target;
    if (rest.size >= 7 && strncasecmp((const char *)rest.data, "http://", 7) == 0) {
        rest = qn_bytes(rest.data + 7, rest.size - 7);
        const uint8_t *slash = memchr(rest.data, '/', rest.size);
        rest = slash ? qn_bytes(slash, rest.size - (size_t)(slash - rest.data)) : qn_bytes("/", 1);
    }
    head->path = cut(&rest, '?');
    head->query = rest;
}

static bool parse_request_line(QsHttp *http, QnBytes line)
{
    QsHttpHead *head = &http->head;
    head->method = cut(&line, ' ');
    head->target = cut(&line, ' ');
    if (!is_token_text(head->method) || head->target.size == 0 ||
        !is_printable(head->target, false))
        return qs_http_refuse(http, 400, "malformed request line");
    if (line.size != 8 || memcmp(line.data, "HTTP/", 5) != 0 || line.data[6] != '.')
        return qs_http_refuse(http, 400, "malformed request line");
    if (line.data[5] != '1' || line.data[7] < '0' || line.data[7] > '9')
        return qs_http_refuse(http, 505, "unsupported HTTP version, expected HTTP/1.0 or HTTP/1.1");
    head->minor = line.data[7] > '0';
    if (head->target.data[0] != '/' &&
        !equals_ignoring_case(qn_bytes(head->target.data, head->target.size < 7 ? 0 : 7),
                              "http://"))
        return qs_http_refuse(http, 400, "malformed request target, expected a path");
    split_target(head);
    return true;
}

static bool add_header(QsHttp *http, QsHttpHeader header)
{
    if (http->head.header_count == http->limits.header_count)
        return qs_http_refuse(http, 431, "too many header fields");
    if (http->head.header_count == http->header_capacity) {
        const size_t capacity = http->header_capacity ? 2 * http->header_capacity : 16;
        QsHttpHeader *grown = realloc(http->headers, capacity * sizeof *grown);
        if (!grown)
            return qs_http_refuse(http, 500, "out of memory");
        http->headers = grown;
        http->header_capacity = capacity;
    }
    http->headers[http->head.header_count++] = header;
    return true;
}

static bool parse_header(QsHttp *http, QnBytes line)
{
    if (line.data[0] == ' ' || line.data[0] == '\t')
        return qs_http_refuse(http, 400, "folded header field");
    QnBytes value = line;
    const QnBytes name = cut(&value, ':');
    if (name.size == line.size || !is_token_text(name))
        return qs_http_refuse(http, 400, "malformed header field");
    value = trim(value);
    if (!is_printable(value, true))
        return qs_http_refuse(http, 400, "control character in a header field");
    return add_header(http, (QsHttpHeader){name, value});
}

/* How often a header of that name was sent; `value` is the last one's. */
static int count_headers(const QsHttpHead *head, const char *name, QnBytes *value)
{
    int count = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        if (!equals_ignoring_case(head->headers[i].name, name))
            continue;
        *value = head->headers[i].value;
        count++;
    }
    return count;
}

static bool parse_content_length(QsHttp *http, QnBytes text)
{
    uint64_t length = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return qs_http_refuse(http, 400, "malformed Content-Length, expected digits");
        if (length > (UINT64_MAX - 9) / 10)
            return qs_http_refuse(http, 413, "the body is larger than this server accepts");
        length = length * 10 + (uint64_t)(text.data[i] - '0');
    }
    if (text.size == 0)
        return qs_http_refuse(http, 400, "malformed Content-Length, expected digits");
    if (length > http->limits.body_bytes)
        return qs_http_refuse(http, 413, "the body is larger than this server accepts");
    http->head.content_length = length;
    return true;
}

/* How the body is framed (RFC 9112, 6.3), as strictly as can be. */
static bool find_framing(QsHttp *http)
{
    QnBytes length, coding;
    const int lengths = count_headers(&http->head, "Content-Length", &length);
    const int codings = count_headers(&http->head, "Transfer-Encoding", &coding);
    if (lengths + codings > 1)
        return qs_http_refuse(http, 400, "more than one Content-Length or Transfer-Encoding");
    if (codings && !equals_ignoring_case(coding, "chunked"))
        return qs_http_refuse(http, 501, "unsupported Transfer-Encoding, expected chunked");
    if (codings && http->head.minor == 0)
        return qs_http_refuse(http, 400, "Transfer-Encoding in HTTP/1.0");
    http->head.is_chunked = codings > 0;
    return lengths == 0 || parse_content_length(http, length);
}

/* Is `word` in one of the comma-separated lists that the headers of that name hold? */
static bool has_word(const QsHttpHead *head, const char *name, const char *word)
{
    for (size_t i = 0; i < head->header_count; i++) {
        if (!equals_ignoring_case(head->headers[i].name, name))
            continue;
        QnBytes rest = head->headers[i].value;
        while (rest.size)
            if (equals_ignoring_case(trim(cut(&rest, ',')), word))
                return true;
    }
    return false;
}

bool qs_http_parse_head(QsHttp *http)
{
    QsHttpHead *head = &http->head;
    const uint8_t *text = (const uint8_t *)http->text;
    Cursor in = {text, text + http->text_size};
    *head = (QsHttpHead){0};
    if (!parse_request_line(http, next_line(&in)))
        return false;
    for (QnBytes line = next_line(&in); line.size; line = next_line(&in))
        if (!parse_header(http, line))
            return false;
    head->headers = http->headers;
    QnBytes host;
    if (count_headers(head, "Host", &host) > 1)
        return qs_http_refuse(http, 400, "more than one Host");
    if (!find_framing(http))
        return false;
    head->keep_alive = head->minor ? !has_word(head, "Connection", "close")
                                   : has_word(head, "Connection", "keep-alive");
    head->expects_continue = head->minor && has_word(head, "Expect", "100-continue");
    return true;
}

QnBytes qs_http_header(const QsHttpHead *head, const char *name)
{
    for (size_t i = 0; i < head->header_count; i++)
        if (equals_ignoring_case(head->headers[i].name, name))
            return head->headers[i].value;
    return (QnBytes){0};
}
