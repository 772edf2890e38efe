/* SPDX-License-Identifier: Apache-2.0 */
/* Removes nodes whose outputs nobody reads, and makes outputs that nobody reads unwanted. */
#include "engine/passes/pass.h"

/*
 * Whether a node's outputs are all unread; unread optional ones beside read ones stay, since which
 * are there may have a meaning.  Where all values of the model are to be seen, those it names count
 * as read.
 */
static bool is_dead(const QnNode *node, bool keep_all)
{
    for (int i = 0; i < node->output_count; i++) {
        const QnIrValue *value = node->outputs[i];
        if (value && (value->uses || (keep_all && !qn_value_is_made_up(value))))
            return false;
    }
    return true;
}

/* Backwards, so that what only dead nodes read is dead when it is reached. */
static int sweep(QnGraph *graph, bool keep_all)
{
    int removed = 0;
    for (QnNode *node = graph->last, *before; node; node = before) {
        before = node->prev;
        if (is_dead(node, keep_all)) {
            qn_node_remove(node);
            removed++;
            continue;
        }
        QnGraph *inner;
        for (int i = 0; (inner = qn_node_graph(node, i)); i++)
            removed += sweep(inner, keep_all);
    }
    return removed;
}

static QnStatus run(QnPassCall *call)
{
    int removed;
    /* Again: a dead inner node may have been the last reader of an outer one. */
    while ((removed = sweep(call->module->main, call->options->keep_all)) > 0)
        call->changes += removed;
    return QN_OK;
}

const QnPass qn_pass_dead_code = {
    .name = "dead-code",
    .what = "removes nodes whose results nobody reads; results stay bit-equal",
    .keeps_onnx = true,
    .is_exact = true,
    .keeps_values = true,
    .run = run,
};
