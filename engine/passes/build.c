/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes in the place of another; build.h. */
#include "engine/passes/build.h"

static bool keeps_going(QnBuild *build, bool is_made)
{
    if (build->status == QN_OK && !is_made)
        build->status = QN_NO_MEMORY;
    return build->status == QN_OK;
}

QnNode *qn_build_node(QnBuild *build, const char *op, QnIrValue *const *inputs, int input_count,
                      int output_count)
{
    if (build->status != QN_OK)
        return NULL;
    QnNode *at = build->at;
    QnNode *made = qn_node_create(at->graph, at, op, "", inputs, input_count, output_count);
    if (!keeps_going(build, made != NULL))
        return NULL;
    made->origin = at->origin;
    return made;
}

QnIrValue *qn_build(QnBuild *build, const char *op, QnIrValue *const *inputs, int input_count)
{
    QnNode *made = qn_build_node(build, op, inputs, input_count, 1);
    return made ? made->outputs[0] : NULL;
}

QnIrValue *qn_build_int(QnBuild *build, QnIrValue *made, const char *name, int64_t value)
{
    if (build->status == QN_OK)
        build->status = qn_node_set_int(made->node, name, value);
    return made;
}

QnIrValue *qn_build_list(QnBuild *build, QnIrValue *made, const char *name, const int64_t *values,
                         int count)
{
    if (build->status == QN_OK)
        build->status = qn_node_set_ints(made->node, name, values, count);
    return made;
}

QnIrValue *qn_build_ints(QnBuild *build, const int64_t *values, int count, int rank)
{
    if (build->status != QN_OK)
        return NULL;
    QnIrValue *made = qn_value_create_ints(build->at->graph, values, count, rank);
    return keeps_going(build, made != NULL) ? made : NULL;
}

QnIrValue *qn_build_scalar(QnBuild *build, QnType type, double value)
{
    if (build->status != QN_OK)
        return NULL;
    QnArena *arena = &build->at->graph->module->arena;
    QnTensor tensor = qn_tensor(type, 0, NULL, qn_arena_alloc_raw(arena, sizeof value, 64));
    if (!keeps_going(build, tensor.data != NULL))
        return NULL;
    qn_tensor_set(&tensor, 0, value);
    QnIrValue *made = qn_value_create_constant(build->at->graph, NULL, &tensor);
    return keeps_going(build, made != NULL) ? made : NULL;
}

QnIrValue *qn_build_sizes(QnBuild *build, QnIrValue *value, int first, int last)
{
    QnIrValue *made = QN_BUILD(build, "Shape", value);
    qn_build_int(build, made, "start", first);
    return qn_build_int(build, made, "end", last);
}

QnIrValue *qn_build_cast(QnBuild *build, QnIrValue *value, QnType from, QnType to)
{
    return from == to ? value : qn_build_int(build, QN_BUILD(build, "Cast", value), "to", to);
}

QnIrValue *qn_build_transpose(QnBuild *build, QnIrValue *value, const int64_t *order, int rank)
{
    return qn_build_list(build, QN_BUILD(build, "Transpose", value), "perm", order, rank);
}

QnIrValue *qn_build_graph(QnBuild *build, const QnGraph *body, QnIrValue *input)
{
    QnIrValue *made = NULL;
    if (build->status == QN_OK)
        build->status =
            qn_graph_inline(body, build->at->graph, build->at, &input, &made, build->err);
    return build->status == QN_OK ? made : NULL;
}

void qn_build_output(QnBuild *build, int i, QnIrValue *value)
{
    QnIrValue *old = qn_node_output(build->at, i);
    if (build->status == QN_OK && old)
        qn_value_replace(old, value);
}
