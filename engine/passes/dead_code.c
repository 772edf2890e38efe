/* SPDX-License-Identifier: Apache-2.0 */
/* Removes nodes whose outputs nobody reads, and makes outputs that nobody reads unwanted. */
#include "engine/passes/pass.h"

/* Whether a node's outputs are all unread; unread optional ones beside read ones stay, since which
 * are there may have a meaning. */
static bool is_dead(const QnNode *node)
{
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i] && node->outputs[i]->uses)
            return false;
    return true;
}

/* Backwards, so that what only dead nodes read is dead when it is reached. */
static int sweep(QnGraph *graph)
{
    int removed = 0;
    for (QnNode *node = graph->last, *before; node; node = before) {
        before = node->prev;
        if (is_dead(node)) {
            qn_node_remove(node);
            removed++;
            continue;
        }
        QnGraph *inner;
        for (int i = 0; (inner = qn_node_graph(node, i)); i++)
            removed += sweep(inner);
    }
    return removed;
}

static QnStatus run(QnPassCall *call)
{
    int removed;
    while ((removed = sweep(call->module->main)) >
           0) /* again: a dead inner node may have been the last reader of an outer one */
        call->changes += removed;
    return QN_OK;
}

const QnPass qn_pass_dead_code = {
    .name = "dead-code",
    .what = "removes nodes whose results nobody reads; results stay bit-equal",
    .keeps_onnx = true,
    .is_exact = true,
    .run = run,
};
