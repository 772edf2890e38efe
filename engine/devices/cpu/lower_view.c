/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators that only change how elements are addressed: Reshape and its kin keep the order of the
 * elements. They take no time: their output is their input's memory.
 */
#include "engine/devices/cpu/cpu.h"

/* The output is contiguous like the input; both have as many elements. */
static QnStatus bind_reshape(const QnStep *step, QnBindCall *call)
{
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0);
    if (qn_tensor_count(x) != qn_tensor_count(y))
        return qn_fail(call->err, QN_BAD_TENSOR, "the input has %lld elements, the output %lld",
                       (long long)qn_tensor_count(x), (long long)qn_tensor_count(y));
    *(int64_t *)call->params = 0;
    return QN_OK;
}

static const QnStepCode reshape = {.name = "view", .params_size = 8, .bind = bind_reshape};

QnStatus qn_cpu_lower_view(QnOfferCall *call)
{
    const QnNode *node = call->node;
    if (!(node->def->traits & QN_OP_VIEW) || !node->outputs[0])
        return QN_OK;
    call->offer(call, &(QnOffer){
                          .code = &reshape,
                          .kernel = "view",
                          .tier = QN_TIER_TUNED,
                          .nodes = {node},
                          .node_count = 1,
                          .inputs = {node->inputs[0].value},
                          .accepts = {QN_ACCEPT_PLAIN},
                          .input_count = 1,
                          .outputs = {node->outputs[0]},
                          .layouts = {QN_LAYOUT_PLAIN},
                          .is_view = true,
                      });
    return QN_OK;
}
