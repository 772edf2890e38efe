/* SPDX-License-Identifier: Apache-2.0 */
/* Is the server up, is it ready, is this model ready? */
#include "server/endpoints/endpoint.h"

/* A server that is about to end is neither. */
static QnStatus check_exiting(QsExchange *call)
{
    if (!atomic_load(&call->server->is_exiting))
        return QN_OK;
    return qn_fail(&call->err, QN_UNAVAILABLE, "Server exiting");
}

static bool find_ready(QsExchange *call)
{
    QsModelVersion *model;
    if (qs_model_acquire(&model, call->server->repository, call->model, call->version,
                         &call->err) != QN_OK)
        return false;
    const bool is_ready = qs_model_is_ready(model);
    qs_model_release(model);
    return is_ready;
}

/* GET: the status line is the whole answer. */
static QnStatus http_live(QsExchange *call)
{
    QN_TRY(check_exiting(call));
    qs_reply_status(&call->reply, 200);
    return QN_OK;
}

static QnStatus http_ready(QsExchange *call)
{
    const QsServer *server = call->server;
    QN_TRY(check_exiting(call));
    qs_reply_status(&call->reply,
                    qs_repository_is_ready(server->repository, !server->strict_readiness) ? 200
                                                                                          : 400);
    return QN_OK;
}

static QnStatus http_model_ready(QsExchange *call)
{
    QN_TRY(check_exiting(call));
    if (!find_ready(call))
        return qn_fail(&call->err, QN_BAD_ARGUMENT, "Model version not ready");
    qs_reply_status(&call->reply, 200);
    return QN_OK;
}

const QsRoute qs_routes_health[] = {
    {QS_GET, "/v2/health/live", http_live, true},
    {QS_GET, "/v2/health/ready", http_ready, true},
    {QS_GET, "/v2/models/{model}/ready", http_model_ready, true},
    {QS_GET, "/v2/models/{model}/versions/{version}/ready", http_model_ready, true},
    {0},
};
