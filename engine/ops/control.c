/* SPDX-License-Identifier: Apache-2.0 */
/*
 * If: what its result can be, from what its branches give.
 *
 * The planner flattens it into steps (engine/plan/control.c), so it has no reference.  What two
 * branches give differently is open: differing sizes become new symbols, differing ranks an unknown
 * rank.  Sizes that are found while a branch runs have no meaning outside of it, so results get
 * symbols of their own for them.
 */
#include "engine/ops/control_types.h"

/* Makes all types in a graph from a node on unknown, so that nobody trusts what was not checked. */
static void forget_types(QnNode *from)
{
    for (QnNode *node = from; node; node = node->next) {
        QnGraph *inner;
        for (int i = 0; i < node->output_count; i++) {
            if (!node->outputs[i])
                continue;
            node->outputs[i]->type = (QnIrType){.kind = QN_NONE};
            node->outputs[i]->content = NULL;
            node->outputs[i]->content_count = 0;
        }
        for (int i = 0; (inner = qn_node_graph(node, i)); i++)
            forget_types(inner->first);
    }
}

/* A node of a branch that does not fit is no failure. */
static QnStatus infer_inner(QnNode *node, bool *fits, QnError *err)
{
    if (node->graph->module->report)
        return qn_infer_reported(node, QN_WARNING, fits);
    const QnStatus status = qn_infer_node(node, err);
    *fits = status != QN_BAD_MODEL;
    return *fits ? status : QN_OK;
}

/*
 * Infers a branch.  One that does not fit the shapes is no failure by itself: models ask for a
 * shape before they do what only that shape allows.  It fails when it is run.
 */
static QnStatus infer_branch(QnInfer *in, const char *name, QnGraph *branch, bool *fits)
{
    if (branch->input_count != 0 || branch->output_count < in->node->output_count)
        return qn_infer_fail(in, "%s has %d inputs and %d outputs, expected 0 and %d", name,
                             branch->input_count, branch->output_count, in->node->output_count);
    QN_TRY(qn_control_check_outputs(in, branch));
    *fits = true;
    for (QnNode *node = branch->first; node && *fits; node = node->next) {
        QN_TRY(infer_inner(node, fits, in->err));
        if (!*fits)
            forget_types(node);
    }
    return QN_OK;
}

/* The type that two branches' results have in common. */
static QnStatus join_types(QnInfer *in, int i, const QnIrType *a, const QnIrType *b, QnIrType *out)
{
    QN_TRY(qn_control_check(in, "output", i, a, b));
    if (a->kind == QN_NONE || b->kind == QN_NONE)
        return qn_control_open(in, a->kind == QN_NONE ? b : a, out);
    *out = a->kind == b->kind ? *a : (QnIrType){.kind = QN_NONE};
    if (out->kind == QN_NONE)
        return QN_OK;
    if (a->kind != QN_TENSOR)
        return qn_control_open(in, a->item ? a : b, out);
    if (a->shape.rank != b->shape.rank)
        out->shape = qn_shape_unknown();
    for (int d = 0; d < out->shape.rank; d++)
        if (a->shape.dims[d] != b->shape.dims[d] || qn_dim_is_late(in->dims, a->shape.dims[d]))
            out->shape.dims[d] = qn_infer_fresh(in);
    return QN_OK;
}

static QnStatus infer_if(QnInfer *in)
{
    static const char *const names[2] = {"else_branch", "then_branch"};
    QnGraph *branches[2] = {qn_control_graph(in, names[0]), qn_control_graph(in, names[1])};
    const QnTensor *condition = in->inputs[0].constant;
    bool fits[2] = {false, false};
    if (!branches[0] || !branches[1])
        return qn_infer_fail(in, "has no graph %s", names[!branches[1]]);
    for (int b = 1; b >= 0; b--)
        QN_TRY(infer_branch(in, names[b], branches[b], &fits[b]));
    if (!fits[0] && !fits[1])
        return in->node->graph->module->report ? qn_infer_fail(in, "neither of its branches fits")
                                               : QN_BAD_MODEL;
    int only = !fits[0] ? 1 : !fits[1] ? 0 : -1;
    if (condition && qn_tensor_count(condition) == 1)
        only = qn_tensor_get_int(condition, 0) != 0;
    if (only >= 0 && !fits[only]) /* for its sentence */
        return qn_infer_graph(branches[only], in->err);
    for (int i = 0; i < in->output_count; i++) {
        QnIrType type = {.kind = QN_NONE};
        if (only >= 0) {
            type = branches[only]->outputs[i].value->type;
            qn_control_renew(in, &type);
        } else {
            QN_TRY(join_types(in, i, &branches[1]->outputs[i].value->type,
                              &branches[0]->outputs[i].value->type, &type));
        }
        QN_TRY(qn_infer_output(in, i, &type));
    }
    return QN_OK;
}

static const QnOpAttribute if_attributes[] = {
    {"else_branch", QN_ATTRIBUTE_GRAPH, .is_required = true},
    {"then_branch", QN_ATTRIBUTE_GRAPH, .is_required = true},
    {0}};

const QnOp qn_ops_control[] = {
    {.name = "If",
     .since = 25,
     .inputs = "cond: bool",
     .outputs = "outputs*: any",
     .attributes = if_attributes,
     .traits = QN_OP_CONTROL,
     .infer = infer_if},
    {0},
};
