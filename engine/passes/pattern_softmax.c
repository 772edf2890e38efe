/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax from e / sum(e) with e = exp(x - max(x)), sum and maximum along one axis. */
#include "engine/passes/pattern.h"

QnStatus qn_fuse_softmax(QnPassCall *call, QnNode *node)
{
    QnReduction sum, most;
    const QnIrValue *e = qn_node_input(node, 0);
    const QnNode *exp = qn_pass_maker(e, "Exp");
    const QnNode *difference = exp ? qn_pass_maker(qn_node_input(exp, 0), "Sub") : NULL;
    if (!difference || !node->outputs[0] || qn_value_count_uses(e) != 2 ||
        !qn_reduction_read(&sum, qn_node_input(node, 1), "ReduceSum") || sum.x != e ||
        !qn_reduction_read(&most, qn_node_input(difference, 1), "ReduceMax") ||
        most.x != qn_node_input(difference, 0))
        return QN_OK;
    if (sum.count != 1 || most.count != 1 || sum.axes[0] != most.axes[0] ||
        !qn_pass_is_alike(most.x, node->outputs[0]))
        return QN_OK;
    const int64_t axis = sum.axes[0];
    QN_TRY(qn_pass_become(call, node, "Softmax", (QnIrValue *[]){most.x}, 1));
    return qn_node_set_int(node, "axis", axis);
}
