/* SPDX-License-Identifier: Apache-2.0 */
/* The head of an HTTP/1.1 answer as text. */
#include "server/http/reply.h"

const char *qs_http_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {200, "OK"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

void qs_http_put_status(QnText *text, int status)
{
    qn_text_printf(text, "HTTP/1.1 %d %s\r\n", status, qs_http_reason(status));
}

void qs_http_put_header(QnText *text, const char *name, QnBytes value)
{
    qn_text_puts(text, name);
    qn_text_puts(text, ": ");
    for (size_t i = 0; i < value.size; i++) {
        const uint8_t c = value.data[i];
        qn_text_putc(text, c < 0x20 || c == 0x7f ? '?' : (char)c);
    }
    qn_text_puts(text, "\r\n");
}

void qs_http_put_end(QnText *text, const QsHttpReplyHead *head)
{
    qn_text_printf(text, "Content-Length: %llu\r\n", (unsigned long long)head->content_length);
    if (!head->keep_alive)
        qn_text_puts(text, "Connection: close\r\n");
    else if (head->minor == 0)
        qn_text_puts(text, "Connection: keep-alive\r\n");
    qn_text_puts(text, "\r\n");
}
