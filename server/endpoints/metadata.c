/* SPDX-License-Identifier: Apache-2.0 */
/* What the server is, and what a model's inputs and outputs are. */
#include <stdio.h>

#include "base/json.h"
#include "server/endpoints/endpoint.h"

static const char *const extensions[] = {
    "model_configuration",
    "binary_tensor_data",
    "parameters",
};

static void put_member(QnJsonWriter *to, const char *key, const char *value)
{
    qn_json_put_key(to, key);
    qn_json_put_string(to, value);
}

static QnStatus http_server(QsExchange *call)
{
    QnJsonWriter to = qn_json_writer(&call->reply.text);
    qn_json_put_begin(&to, '{');
    put_member(&to, "name", call->server->id);
    put_member(&to, "version", call->server->version);
    qn_json_put_key(&to, "extensions");
    qn_json_put_begin(&to, '[');
    for (size_t i = 0; i < QN_COUNT_OF(extensions); i++)
        qn_json_put_string(&to, extensions[i]);
    qn_json_put_end(&to, ']');
    qn_json_put_end(&to, '}');
    qs_reply_status(&call->reply, 200);
    return QN_OK;
}

static void put_tensor(QnJsonWriter *to, const QsModelConfig *config, const char *name,
                       int32_t type, const QsInt64List *declared)
{
    int64_t dims[QN_MAX_RANK];
    const int rank = qs_config_shape(dims, config, declared);
    qn_json_put_begin(to, '{');
    put_member(to, "name", name);
    put_member(to, "datatype", qs_data_type_name((QsDataType)type));
    qn_json_put_key(to, "shape");
    qn_json_put_begin(to, '[');
    for (int i = 0; i < rank; i++)
        qn_json_put_i64(to, dims[i]);
    qn_json_put_end(to, ']');
    qn_json_put_end(to, '}');
}

static void put_tensors(QnJsonWriter *to, const QsModelConfig *config)
{
    qn_json_put_key(to, "inputs");
    qn_json_put_begin(to, '[');
    for (size_t i = 0; i < config->input.count; i++) {
        const QsModelInput *input = &config->input.items[i];
        put_tensor(to, config, input->name, input->data_type, &input->dims);
    }
    qn_json_put_end(to, ']');
    qn_json_put_key(to, "outputs");
    qn_json_put_begin(to, '[');
    for (size_t i = 0; i < config->output.count; i++) {
        const QsModelOutput *output = &config->output.items[i];
        put_tensor(to, config, output->name, output->data_type, &output->dims);
    }
    qn_json_put_end(to, ']');
}

/* All versions that are ready, or the one that was asked for. */
static QnStatus put_versions(QnJsonWriter *to, QsExchange *call, const QsModelVersion *model)
{
    const int64_t *versions = &model->version;
    size_t count = 1;
    char text[24];
    if (!*call->version)
        QN_TRY(qs_model_versions(&versions, &count, call->server->repository, call->model,
                                 &call->arena, &call->err));
    qn_json_put_key(to, "versions");
    qn_json_put_begin(to, '[');
    for (size_t i = 0; i < count; i++) {
        snprintf(text, sizeof text, "%lld", (long long)versions[i]);
        qn_json_put_string(to, text);
    }
    qn_json_put_end(to, ']');
    return QN_OK;
}

static QnStatus put_model(QsExchange *call, const QsModelVersion *model)
{
    const QsModelConfig *config = model->config;
    QnJsonWriter to = qn_json_writer(&call->reply.text);
    qn_json_put_begin(&to, '{');
    put_member(&to, "name", model->name);
    QN_TRY(put_versions(&to, call, model));
    put_member(&to, "platform", *config->platform ? config->platform : config->backend);
    put_tensors(&to, config);
    qn_json_put_end(&to, '}');
    return QN_OK;
}

static QnStatus http_model(QsExchange *call)
{
    QsModelVersion *model;
    QN_TRY(
        qs_model_acquire(&model, call->server->repository, call->model, call->version, &call->err));
    const QnStatus status = put_model(call, model);
    qs_model_release(model);
    if (status == QN_OK)
        qs_reply_status(&call->reply, 200);
    return status;
}

const QsRoute qs_routes_metadata[] = {
    {QS_GET, "/v2", http_server, false},
    {QS_GET, "/v2/models/{model}", http_model, false},
    {QS_GET, "/v2/models/{model}/versions/{version}", http_model, false},
    {0},
};
