/* SPDX-License-Identifier: Apache-2.0 */
/* How a status becomes an HTTP status, and an error a reply. */
#include <assert.h>

#include "base/json.h"
#include "server/endpoints/endpoint.h"

int qs_http_status(QnStatus status)
{
    static const int codes[] = {
        [QN_OK] = 200,        [QN_NO_MEMORY] = 503,   [QN_IO] = 500,        [QN_BAD_ARGUMENT] = 400,
        [QN_BAD_MODEL] = 400, [QN_BAD_TENSOR] = 400,  [QN_NOT_FOUND] = 404, [QN_UNSUPPORTED] = 501,
        [QN_CANCELLED] = 400, [QN_UNAVAILABLE] = 503, [QN_EXISTS] = 400,    [QN_INTERNAL] = 500,
    };
    return codes[status];
}

void qs_reply_status(QsReply *reply, int status)
{
    reply->status = status;
}

void qs_reply_header(QsReply *reply, const char *name, const char *value)
{
    assert(reply->header_count < QS_REPLY_HEADERS);
    reply->headers[reply->header_count++] = (QsReplyHeader){name, value};
}

void qs_reply_error(QsExchange *call)
{
    QsReply *reply = &call->reply;
    reply->text.size = 0;
    reply->tail_count = 0;
    if (!reply->status || reply->status == 200)
        reply->status = qs_http_status(call->err.status);
    QnJsonWriter to = qn_json_writer(&reply->text);
    qn_json_put_begin(&to, '{');
    qn_json_put_key(&to, "error");
    qn_json_put_string(&to, call->err.message);
    qn_json_put_end(&to, '}');
}
