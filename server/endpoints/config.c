/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration of a model, complete as it is used. */
#include "server/endpoints/endpoint.h"

static QnStatus http_config(QsExchange *call)
{
    QsModelVersion *model;
    QN_TRY(
        qs_model_acquire(&model, call->server->repository, call->model, call->version, &call->err));
    qs_config_print_json(&call->reply.text, model->config);
    qs_model_release(model);
    qs_reply_status(&call->reply, 200);
    return QN_OK;
}

const QsRoute qs_routes_config[] = {
    {QS_GET, "/v2/models/{model}/config", http_config, false},
    {QS_GET, "/v2/models/{model}/versions/{version}/config", http_config, false},
    {0},
};
