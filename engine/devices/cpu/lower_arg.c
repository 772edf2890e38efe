/* SPDX-License-Identifier: Apache-2.0 */
/* ArgMax and ArgMin of plain tensors: kernels/reduce.h. */
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/kernels/reduce.h"
#include "engine/devices/cpu/spread.h"

typedef struct ArgData {
    QnType type; /* computed in */
    int axis;
    bool is_min, takes_last;
} ArgData;

static QnStatus bind_arg(const QnStep *step, QnBindCall *call)
{
    const ArgData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, 0);
    QnArg *arg = call->params;
    *arg = (QnArg){.family = qn_family_of(data->type),
                   .outer = 1,
                   .length = 1,
                   .inner = 1,
                   .is_min = data->is_min,
                   .takes_last = data->takes_last};
    for (int d = 0; d < x->rank; d++)
        *(d < data->axis    ? &arg->outer
          : d == data->axis ? &arg->length
                            : &arg->inner) *= x->dims[d];
    if (arg->length == 0)
        return qn_fail(call->err, QN_BAD_TENSOR, "dimension %d has no elements to choose from",
                       data->axis);
    qn_cpu_border_reserve(&call->scratch_bytes, x, data->type);
    return QN_OK;
}

typedef struct Work {
    const QnArg *arg;
    const void *x;
    int64_t *y;
} Work;

static void run_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    qn_arg_run(work->arg, work->x, work->y, begin, end);
}

static QnStatus run_arg(const QnStep *step, const void *params, QnRunCall *call)
{
    const ArgData *data = step->data;
    const QnArg *arg = params;
    const QnTensor *y = qn_step_output(step, call->values, 0);
    uint8_t *room = call->scratch;
    const Work work = {
        arg, qn_cpu_border_read(call, &room, qn_step_input(step, call->values, 0), data->type),
        y->data};
    qn_cpu_spread(call, arg->outer, (double)arg->length * (double)arg->inner, run_units, &work);
    qn_cpu_fault(data->is_min ? "ArgMin" : "ArgMax", y);
    return QN_OK;
}

static const QnStepCode code = {
    .name = "arg", .params_size = sizeof(QnArg), .bind = bind_arg, .run = run_arg};

QnStatus qn_cpu_lower_arg(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const bool is_min = !strcmp(node->op, "ArgMin");
    if ((!is_min && strcmp(node->op, "ArgMax") != 0) || *node->domain)
        return QN_OK;
    const QnIrType *x = &node->inputs[0].value->type;
    const QnFamily family = qn_family_of(x->element);
    const int64_t axis = qn_op_int(node, "axis");
    if (family == QN_FAMILY_NONE)
        return QN_OK;
    ArgData *data;
    QN_ALLOC(data, call->arena, 1);
    *data = (ArgData){.type = qn_family_type(family),
                      .axis = (int)(axis < 0 ? axis + x->shape.rank : axis),
                      .is_min = is_min,
                      .takes_last = qn_op_int(node, "select_last_index") != 0};
    call->offer(call, &(QnOffer){
                          .code = &code,
                          .kernel = node->op,
                          .tier = QN_TIER_TUNED,
                          .nodes = {node},
                          .node_count = 1,
                          .inputs = {node->inputs[0].value},
                          .accepts = {QN_ACCEPT_PLAIN},
                          .input_count = 1,
                          .outputs = {node->outputs[0]},
                          .context = data,
                          .cost = 300 + qn_cpu_elements(call, node->inputs[0].value),
                      });
    return QN_OK;
}
