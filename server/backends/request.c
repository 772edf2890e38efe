/* SPDX-License-Identifier: Apache-2.0 */
/* What all backends and schedulers do with requests and senders. */
#include <assert.h>

#include "server/backends/backend.h"

void qs_sender_send(QsSender *sender, const QsResponse *response, bool is_final)
{
    assert(!sender->is_final);
    assert(response || is_final);
    sender->is_final = is_final;
    sender->ops->send(sender, response, is_final);
}

void qs_sender_fail(QsSender *sender, const QnError *error)
{
    qs_sender_send(sender, &(QsResponse){.error = error}, true);
}

void qs_sender_release(QsSender *sender)
{
    if (atomic_fetch_sub_explicit(&sender->references, 1, memory_order_acq_rel) != 1)
        return;
    /* A client must not wait forever because a backend lost its request. */
    if (!sender->is_final) {
        QnError error;
        qn_fail(&error, QN_INTERNAL, "the model dropped the request without an answer");
        qs_sender_fail(sender, &error);
    }
    sender->ops->free(sender);
}

void qs_request_release(QsRequest *request)
{
    QsSender *sender = request->sender; /* the request may be part of what the sender frees */
    request->release(request);
    qs_sender_release(sender);
}

void qs_request_refuse(QsRequest *request, QnStatus status, const char *format, ...)
{
    QnError error;
    va_list args;
    va_start(args, format);
    qn_fail_v(&error, status, format, args);
    va_end(args);
    qs_sender_fail(request->sender, &error);
    qs_request_release(request);
}

int qs_request_find_input(const QsRequest *request, const char *name)
{
    for (size_t i = 0; i < request->input_count; i++)
        if (strcmp(request->inputs[i].name, name) == 0)
            return (int)i;
    return -1;
}

bool qs_request_wants(const QsRequest *request, const char *name)
{
    for (size_t i = 0; i < request->output_count; i++)
        if (strcmp(request->outputs[i], name) == 0)
            return true;
    return request->output_count == 0;
}
