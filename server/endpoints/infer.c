/* SPDX-License-Identifier: Apache-2.0 */
/* Inference: from a call to the model and back, and its HTTP route. */
#include "server/endpoints/infer.h"

/* ---- The doing ---- */

static QsInfer *infer_of(QsSender *sender)
{
    return (QsInfer *)(void *)sender;
}

static void *allocate(QsSender *sender, const QsTensor *output)
{
    return qn_arena_alloc_raw(&infer_of(sender)->call->arena, output->size_bytes, 64);
}

/* Keeps the first failure: it is what went wrong, the others follow from it. */
static void note_failure(QsExchange *call, const QnError *error)
{
    if (call->err.status == QN_OK)
        call->err = *error;
}

static void send(QsSender *sender, const QsResponse *response, bool is_final)
{
    QsInfer *infer = infer_of(sender);
    QsExchange *call = infer->call;
    (void)is_final;
    if (!response)
        return;
    infer->reply_count++;
    if (response->error)
        note_failure(call, response->error);
    else if (infer->reply_count == 1 && call->err.status == QN_OK)
        infer->reply(infer, response);
}

/* The model is done with the request, and so is everybody else:
 * the exchange goes back to its protocol. */
static void finish(QsSender *sender)
{
    QsInfer *infer = infer_of(sender);
    QsExchange *call = infer->call;
    if (call->err.status == QN_OK && infer->reply_count != 1)
        qn_fail(&call->err, QN_INTERNAL, "expected a single response, got %d", infer->reply_count);
    if (call->err.status != QN_OK)
        qs_reply_error(call);
    qs_model_release(infer->model);
    call->ops->finish(call);
}

static const QsSenderOps sender_ops = {.allocate = allocate, .send = send, .free = finish};

/* The request's memory is the exchange's and goes with it. */
static void release(QsRequest *request)
{
    (void)request;
}

QnStatus qs_infer_create(QsInfer **out, QsExchange *call, QsModelVersion *model)
{
    QsInfer *infer = qn_arena_alloc(&call->arena, sizeof *infer);
    if (!infer) {
        qs_model_release(model);
        return qn_no_memory(&call->err);
    }
    infer->call = call;
    infer->model = model;
    infer->request.id = "";
    qs_sender_init(&infer->sender, &sender_ops);
    *out = infer;
    return QN_OK;
}

void qs_infer_abandon(QsInfer *infer)
{
    qs_model_release(infer->model);
}

/* The names of the outputs asked for, as backends want them. */
static QnStatus list_outputs(QsInfer *infer)
{
    const char **names;
    QN_ALLOC(names, &infer->call->arena, infer->wanted_count);
    for (size_t i = 0; i < infer->wanted_count; i++)
        names[i] = infer->wanted[i].name;
    infer->request.outputs = names;
    infer->request.output_count = infer->wanted_count;
    return QN_OK;
}

QnStatus qs_infer_submit(QsInfer *infer)
{
    QsExchange *call = infer->call;
    QsRequest *request = &infer->request;
    QN_TRY(qs_infer_check(infer));
    if (list_outputs(infer) != QN_OK)
        return qn_no_memory(&call->err);
    request->inputs = infer->inputs;
    request->input_count = infer->input_count;
    request->parameters = infer->parameters;
    request->parameter_count = infer->parameter_count;
    request->sender = &infer->sender;
    request->cancel = &call->cancel;
    request->release = release;
    call->is_waiting = true;
    qs_scheduler_submit(infer->model->scheduler, request);
    return QN_OK;
}

QsWanted qs_infer_wanted(const QsInfer *infer, const char *output)
{
    for (size_t i = 0; i < infer->wanted_count; i++)
        if (strcmp(infer->wanted[i].name, output) == 0)
            return infer->wanted[i];
    return (QsWanted){.name = output, .is_binary = infer->binary_by_default};
}

/* ---- HTTP ---- */

/* How many bytes of the body are JSON: all of it, unless a header says otherwise. */
static QnStatus find_json_size(QsExchange *call, size_t *size)
{
    const QnBytes text = call->ops->header(call, "Inference-Header-Content-Length");
    int64_t value;
    *size = call->body.size;
    if (!text.data)
        return QN_OK;
    if (!qn_parse_i64(&value, (const char *)text.data, text.size) || value < 0 ||
        (uint64_t)value > call->body.size)
        return qn_fail(&call->err, QN_BAD_ARGUMENT,
                       "inference header size should be in range (0, %zu), got: %.*s",
                       call->body.size, (int)(text.size < 100 ? text.size : 100),
                       (const char *)text.data);
    *size = (size_t)value;
    return QN_OK;
}

/* JSON and raw bodies grow when they are decoded, so they have a limit of their own. */
static QnStatus check_size(QsExchange *call, size_t size)
{
    const size_t limit = call->server->max_input_bytes;
    if (size <= limit)
        return QN_OK;
    return qn_fail(
        &call->err, QN_BAD_ARGUMENT,
        "request JSON size of %zu bytes exceeds the maximum allowed input size of %zu bytes. Use "
        "--http-max-input-size to increase the limit.",
        size, limit);
}

/* The whole body is the data of the only input; which one that is, the check finds out. */
static QnStatus take_raw(QsInfer *infer)
{
    QsExchange *call = infer->call;
    QN_TRY(check_size(call, call->body.size));
    infer->inputs = qn_arena_array(&call->arena, 1, sizeof *infer->inputs);
    if (!infer->inputs)
        return qn_no_memory(&call->err);
    infer->inputs[0] = (QsTensor){.name = "raw_input",
                                  .data = (uint8_t *)(uintptr_t)call->body.data,
                                  .size_bytes = call->body.size};
    infer->input_count = 1;
    infer->is_raw = infer->binary_by_default = true;
    return QN_OK;
}

static QnStatus parse(QsInfer *infer, size_t json_size)
{
    QsExchange *call = infer->call;
    if (json_size == 0 && call->body.size)
        return take_raw(infer);
    QN_TRY(check_size(call, json_size));
    return qs_infer_parse_json(infer, qn_bytes(call->body.data, json_size),
                               qn_bytes(call->body.data + json_size, call->body.size - json_size));
}

static bool is_decoupled(const QsModelConfig *config)
{
    return config->model_transaction_policy && config->model_transaction_policy->decoupled;
}

static QnStatus http_infer(QsExchange *call)
{
    QsModelVersion *model;
    QsInfer *infer;
    size_t json_size;
    QN_TRY(
        qs_model_acquire(&model, call->server->repository, call->model, call->version, &call->err));
    const bool is_refused = is_decoupled(model->config);
    QN_TRY(qs_infer_create(&infer, call, model));
    QnStatus status = QN_OK;
    if (is_refused)
        status = qn_fail(&call->err, QN_UNSUPPORTED,
                         "HTTP end point doesn't support models with decoupled transaction policy");
    if (status == QN_OK)
        status = find_json_size(call, &json_size);
    if (status == QN_OK) {
        call->reply.content_type = "application/json";
        infer->reply = qs_infer_put_json;
        status = parse(infer, json_size);
    }
    if (status == QN_OK)
        status = qs_infer_submit(infer);
    if (status != QN_OK)
        qs_infer_abandon(infer);
    return status;
}

const QsRoute qs_routes_infer[] = {
    {QS_POST, "/v2/models/{model}/infer", http_infer, true, true},
    {QS_POST, "/v2/models/{model}/versions/{version}/infer", http_infer, true, true},
    {0},
};
