/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as bytes, and what the parser makes of them, whole and cut into single bytes. */
#include "server/http/http.h"
#include "tests/support/test.h"

/* What a stream of bytes means, as text: "GET /a body=xyz keep; 400 reason". */
typedef struct Story {
    char text[2048];
    size_t size;
} Story;

__attribute__((format(printf, 2, 3))) static void tell(Story *story, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int size =
        vsnprintf(story->text + story->size, sizeof story->text - story->size, format, args);
    va_end(args);
    story->size += (size_t)size;
}

static void tell_request(Story *story, const QsHttp *http, const char *body)
{
    const QsHttpHead *head = &http->head;
    tell(story, "%.*s %.*s", (int)head->method.size, (const char *)head->method.data,
         (int)head->path.size, (const char *)head->path.data);
    if (http->body_size)
        tell(story, " %.*s", (int)http->body_size, body);
    tell(story, "%s; ", head->keep_alive ? "" : " close");
}

/* Feeds `text` in pieces of `step` bytes and gives the body room in pieces of 4. */
static Story parse(const char *text, size_t size, size_t step, const QsHttpLimits *limits)
{
    Story story = {0};
    char body[256];
    QsHttp http;
    qs_http_init(&http, limits);
    for (size_t at = 0; at <= size; at += step) {
        QnBytes input = qn_bytes(text + at, size - at < step ? size - at : step);
        QsHttpEvent event;
        while ((event = qs_http_feed(&http, &input)) != QS_HTTP_MORE) {
            if (event == QS_HTTP_ROOM && http.body_size + 4 <= sizeof body)
                qs_http_give_room(&http, body + http.body_size, 4);
            else if (event == QS_HTTP_ROOM)
                qs_http_discard(&http);
            if (event == QS_HTTP_END) {
                tell_request(&story, &http, body);
                qs_http_next(&http);
            }
            if (event == QS_HTTP_BAD) {
                tell(&story, "%d %s; ", http.bad_status, http.bad_reason);
                qs_http_finish(&http);
                return story;
            }
        }
    }
    if (!qs_http_is_idle(&http))
        tell(&story, "unfinished; ");
    qs_http_finish(&http);
    return story;
}

#define LINE "POST /x HTTP/1.1\r\n"

TEST(requests_are_understood_or_refused_however_they_are_cut)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"GET /v2 HTTP/1.1\r\n\r\n", "GET /v2; "},
        {"\r\n\r\nGET /v2 HTTP/1.1\r\nHost: a\r\n\r\n", "GET /v2; "},
        {"GET /v2?a=b/c HTTP/1.1\r\n\r\n", "GET /v2; "},
        {"GET http://host:80/v2?x HTTP/1.1\r\n\r\n", "GET /v2; "},
        {"GET http://host HTTP/1.1\r\n\r\n", "GET /; "},
        {"GET /a HTTP/1.0\r\n\r\n", "GET /a close; "},
        {"GET /a HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET /a; "},
        {"GET /a HTTP/1.1\r\nConnection: upgrade, Close\r\n\r\n", "GET /a close; "},
        {LINE "Content-Length: 5\r\n\r\nhello", "POST /x hello; "},
        {LINE "content-LENGTH:5\r\n\r\nhelloGET /b HTTP/1.1\r\n\r\n", "POST /x hello; GET /b; "},
        {LINE "Content-Length: 5\r\n\r\nhell", "unfinished; "},
        {LINE "Content-Length: 0\r\n\r\n" LINE "\r\n", "POST /x; POST /x; "},
        /* chunks */
        {LINE "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=\"b\"\r\n world\r\n0\r\n\r\n",
         "POST /x hello world; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n0A \r\nhelloworld\r\n00\r\nT: x\r\nU: y\r\n\r\n",
         "POST /x helloworld; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n\r\n", "400 malformed chunk size; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "400 malformed chunk size; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n1\n", "400 malformed chunk size; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n1;\n", "400 malformed chunk extension; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n1\r\nab", "400 malformed chunk, expected CRLF; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n0\r\nT: x\n\r\n", "400 malformed trailer; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n",
         "413 the body is larger than this server accepts; "},
        /* what two servers could understand differently */
        {LINE "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
         "400 more than one Content-Length or Transfer-Encoding; "},
        {LINE "Content-Length: 5\r\nContent-Length: 5\r\n\r\n",
         "400 more than one Content-Length or Transfer-Encoding; "},
        {LINE "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n",
         "400 more than one Content-Length or Transfer-Encoding; "},
        {LINE "Transfer-Encoding: gzip, chunked\r\n\r\n",
         "501 unsupported Transfer-Encoding, expected chunked; "},
        {"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
         "400 Transfer-Encoding in HTTP/1.0; "},
        {LINE "Content-Length: 5, 5\r\n\r\n", "400 malformed Content-Length, expected digits; "},
        {LINE "Content-Length: +5\r\n\r\n", "400 malformed Content-Length, expected digits; "},
        {LINE "Content-Length:\r\n\r\n", "400 malformed Content-Length, expected digits; "},
        {LINE "Content-Length: 99999999999999999999\r\n\r\n",
         "413 the body is larger than this server accepts; "},
        {"GET /a HTTP/1.1\nHost: a\n\n", "400 line ends in LF alone, expected CRLF; "},
        {"GET /a HTTP/1.1\r\nA: b\rC: d\r\n\r\n", "400 CR without LF; "},
        {"GET /a HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "400 folded header field; "},
        {"GET /a HTTP/1.1\r\nA : b\r\n\r\n", "400 malformed header field; "},
        {"GET /a HTTP/1.1\r\nA\r\n\r\n", "400 malformed header field; "},
        {"GET /a HTTP/1.1\r\n: b\r\n\r\n", "400 malformed header field; "},
        {"GET /a HTTP/1.1\r\nA: b\x01\r\n\r\n", "400 control character in a header field; "},
        {"GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "400 more than one Host; "},
        /* request lines */
        {"GET  /a HTTP/1.1\r\n\r\n", "400 malformed request line; "},
        {"GET /a  HTTP/1.1\r\n\r\n", "400 malformed request line; "},
        {"GET /a\r\n\r\n", "400 malformed request line; "},
        {"GET /a HTTP/1.1 \r\n\r\n", "400 malformed request line; "},
        {"GET /a HTTP/2.0\r\n\r\n",
         "505 unsupported HTTP version, expected HTTP/1.0 or HTTP/1.1; "},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
         "505 unsupported HTTP version, expected HTTP/1.0 or HTTP/1.1; "},
        {"OPTIONS * HTTP/1.1\r\n\r\n", "400 malformed request target, expected a path; "},
        {"CONNECT a:80 HTTP/1.1\r\n\r\n", "400 malformed request target, expected a path; "},
        {"G(T /a HTTP/1.1\r\n\r\n", "400 malformed request line; "},
        {"\x16\x03\x01\r\n\r\n", "400 malformed request line; "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (size_t step = 1; step <= 64; step *= 4) {
            const Story story = parse(rows[i].text, strlen(rows[i].text), step, NULL);
            EXPECT(t, !strcmp(story.text, rows[i].want), "%s in pieces of %zu gave %s",
                   rows[i].text, step, story.text);
        }
}

TEST(a_nul_is_no_part_of_a_head)
{
    static const char text[] = "GET /a\0b HTTP/1.1\r\n\r\n";
    const Story story = parse(text, sizeof text - 1, 7, NULL);
    EXPECT(t, !strcmp(story.text, "400 NUL in the head; "), "gave %s", story.text);
}

TEST(each_limit_has_its_refusal)
{
    static const QsHttpLimits limits = {
        .head_bytes = 64, .header_count = 2, .body_bytes = 8, .chunk_count = 3};
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"GET /a HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n", "GET /a; "},
        {"GET /a HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", "431 too many header fields; "},
        {"GET /aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
         "431 the request's head is larger than this server accepts; "},
        {LINE "Content-Length: 8\r\n\r\n12345678", "POST /x 12345678; "},
        {LINE "Content-Length: 9\r\n\r\n", "413 the body is larger than this server accepts; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n",
         "POST /x 12345678; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n5\r\n5678",
         "413 the body is larger than this server accepts; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n1\r\nd\r\n",
         "400 the body has more chunks than this server accepts; "},
        {LINE "Transfer-Encoding: chunked\r\n\r\n0\r\n"
              "Trailer-Aaaaaaaaaaaaaaaa: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
         "431 the trailers are larger than this server accepts; "},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const Story story = parse(rows[i].text, strlen(rows[i].text), 5, &limits);
        EXPECT(t, !strcmp(story.text, rows[i].want), "%s gave %s", rows[i].text, story.text);
    }
}

TEST(bodies_can_land_without_being_fed)
{
    QsHttp http;
    qs_http_init(&http, NULL);
    QnBytes input = qn_bytes_of_text(LINE "Content-Length: 6\r\n\r\nab");
    REQUIRE(t, qs_http_feed(&http, &input) == QS_HTTP_HEAD, "state %d", http.state);
    char body[6];
    qs_http_give_room(&http, body, sizeof body);
    EXPECT(t, qs_http_feed(&http, &input) == QS_HTTP_MORE, "%zu left", input.size);
    const QsHttpRoom room = qs_http_room(&http);
    EXPECT(t, room.size == 4 && room.data == (uint8_t *)body + 2, "room for %zu", room.size);
    memcpy(room.data, "cdef", 4);
    EXPECT(t, qs_http_filled(&http, 3) == QS_HTTP_MORE, "left %d", (int)http.left);
    EXPECT(t, qs_http_filled(&http, 1) == QS_HTTP_END, "left %d", (int)http.left);
    EXPECT(t, !memcmp(body, "abcdef", 6), "body %.6s", body);
    qs_http_finish(&http);
}

TEST(discarded_bodies_need_no_room)
{
    QsHttp http;
    qs_http_init(&http, NULL);
    QnBytes input =
        qn_bytes_of_text(LINE "Content-Length: 6\r\nExpect: 100-continue\r\n\r\nabcdefGET");
    REQUIRE(t, qs_http_feed(&http, &input) == QS_HTTP_HEAD, "state %d", http.state);
    EXPECT(t, http.head.expects_continue, "headers %zu", http.head.header_count);
    EXPECT(t, qn_bytes_is(qs_http_header(&http.head, "expect"), "100-continue"), "another value");
    EXPECT(t, !qs_http_header(&http.head, "Host").data, "a header that was not sent");
    qs_http_discard(&http);
    EXPECT(t, qs_http_feed(&http, &input) == QS_HTTP_END, "state %d", http.state);
    EXPECT(t, qn_bytes_is(input, "GET"), "%zu bytes left", input.size);
    qs_http_finish(&http);
}

TEST_MAIN(CASE(requests_are_understood_or_refused_however_they_are_cut),
          CASE(a_nul_is_no_part_of_a_head), CASE(each_limit_has_its_refusal),
          CASE(bodies_can_land_without_being_fed), CASE(discarded_bodies_need_no_room))
