/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A backend that gives back what it gets: input i of the configuration becomes output i. Configured
 * by parameters:
 *
 *     delay_ms        how long an execution takes
 *     fail            a text: every request fails with it
 *     responses       how many answers a request gets (1)
 */
#include "tests/server/identity_backend.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "server/config/model_config.h"

typedef struct Identity {
    const QsModelConfig *config;
    int64_t delay_ms, response_count;
    const char *failure;
} Identity;

static int64_t number(const QsModelConfig *config, const char *key, int64_t otherwise)
{
    const char *text = qs_config_parameter(config, key);
    int64_t value;
    return text && qn_parse_i64(&value, text, strlen(text)) ? value : otherwise;
}

static QnStatus load(void **out, const QsModelSource *source, QsModelConfig *config, QnArena *arena,
                     QnError *err)
{
    (void)source;
    Identity *identity = qn_arena_alloc(arena, sizeof *identity);
    if (!identity)
        return qn_no_memory(err);
    *identity = (Identity){.config = config,
                           .delay_ms = number(config, "delay_ms", 0),
                           .response_count = number(config, "responses", 1),
                           .failure = qs_config_parameter(config, "fail")};
    *out = identity;
    return QN_OK;
}

static void unload(void *model)
{
    (void)model;
}

static QnStatus open_instance(void **out, void *model, int index, QnError *err)
{
    (void)index;
    (void)err;
    *out = model;
    return QN_OK;
}

static void close_instance(void *instance)
{
    (void)instance;
}

/* Output i, in memory of the sender's. */
static QnStatus copy(const Identity *identity, QsRequest *request, size_t i, QsTensor *output,
                     QnError *err)
{
    const int input = qs_request_find_input(request, identity->config->input.items[i].name);
    if (input < 0)
        return qn_fail(err, QN_INTERNAL, "input %zu is missing", i);
    *output = request->inputs[input];
    output->name = identity->config->output.items[i].name;
    if (output->size_bytes == 0)
        return QN_OK;
    output->data = qs_sender_allocate(request->sender, output);
    if (!output->data)
        return qn_no_memory(err);
    memcpy(output->data, request->inputs[input].data, output->size_bytes);
    return QN_OK;
}

static QnStatus answer(const Identity *identity, QsRequest *request, QnError *err)
{
    QsTensor outputs[16];
    size_t count = 0;
    if (identity->failure)
        return qn_fail(err, QN_INTERNAL, "%s", identity->failure);
    for (size_t i = 0; i < identity->config->output.count && i < 16; i++)
        if (qs_request_wants(request, identity->config->output.items[i].name))
            QN_TRY(copy(identity, request, i, &outputs[count++], err));
    for (int64_t i = 1; i <= identity->response_count; i++)
        qs_sender_send(request->sender, &(QsResponse){.outputs = outputs, .output_count = count},
                       i == identity->response_count);
    return QN_OK;
}

static void execute(void *instance, QsRequest *const *requests, size_t count,
                    QsExecution *execution)
{
    const Identity *identity = instance;
    for (size_t i = 0; i < count; i++) {
        QnError err = {0};
        for (int64_t ms = 0; ms < identity->delay_ms && !qs_request_is_cancelled(requests[i]); ms++)
            usleep(1000);
        if (answer(identity, requests[i], &err) != QN_OK)
            qs_sender_fail(requests[i]->sender, &err);
        else
            execution->inputs_ready = execution->computed = execution->started;
        qs_request_release(requests[i]);
    }
}

const QsBackend qs_backend_identity = {.name = "identity",
                                       .load = load,
                                       .unload = unload,
                                       .open = open_instance,
                                       .close = close_instance,
                                       .execute = execute};
