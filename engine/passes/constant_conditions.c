/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes control flow away where it has nothing to decide: a branch whose condition is known, a loop
 * that runs never or once, and what a loop carries around without changing it.
 */
#include "engine/passes/rewrite.h"

/* A constant truth value; an absent one is `absent`.  -1: not known. */
static int truth_of(const QnIrValue *value, int absent)
{
    double number;
    if (!value)
        return absent;
    return qn_pass_scalar(value, &number) ? number != 0 : -1;
}

/* Lets the readers of the node's outputs read values[output_count] instead, and removes it. */
static void replace_outputs(QnPassCall *call, QnNode *node, QnIrValue *const *values)
{
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            qn_value_replace(node->outputs[i], values[i]);
    qn_pass_prune(node);
    call->changes++;
}

static bool is_graph(const QnNode *node, const char *name, QnGraph **out)
{
    const QnAttribute *attribute = qn_node_attribute(node, name);
    const bool is_there = attribute && attribute->kind == QN_ATTRIBUTE_GRAPH;
    if (is_there)
        *out = attribute->graph;
    return is_there;
}

/* ---- If ---- */

static QnStatus inline_branch(QnPassCall *call, QnNode *node, QnArena *scratch)
{
    QnGraph *branch = NULL;
    QnIrValue **values;
    const int truth = truth_of(qn_node_input(node, 0), -1);
    if (truth < 0 || !is_graph(node, truth ? "then_branch" : "else_branch", &branch) ||
        branch->input_count || branch->output_count < node->output_count)
        return QN_OK;
    QN_ALLOC(values, scratch, branch->output_count);
    QN_TRY(qn_graph_inline(branch, node->graph, node, NULL, values, call->err));
    replace_outputs(call, node, values);
    return QN_OK;
}

/* ---- Loop: inputs M, cond, states; body inputs iteration, cond, states; body outputs cond,
 * states, scans; outputs states, scans ---- */

typedef struct LoopParts {
    QnNode *node;
    QnGraph *body;
    int state_count;
} LoopParts;

static bool read_loop(QnNode *node, LoopParts *loop)
{
    *loop = (LoopParts){.node = node, .state_count = node->input_count - 2};
    return node->input_count >= 2 && is_graph(node, "body", &loop->body) &&
           loop->body->input_count == node->input_count &&
           loop->body->output_count == node->output_count + 1 &&
           node->output_count >= loop->state_count;
}

/* How often the body runs: 0, 1, or -1 for anything else. */
static int trips_of(const LoopParts *loop)
{
    double most = -1;
    const QnIrValue *limit = qn_node_input(loop->node, 0);
    const int enters = truth_of(qn_node_input(loop->node, 1), 1);
    const bool has_limit = limit && qn_pass_scalar(limit, &most);
    if (enters == 0 || (has_limit && most <= 0))
        return 0;
    const QnIrValue *again = loop->body->outputs[0].value;
    const bool is_once = (has_limit && most == 1) || truth_of(again, -1) == 0;
    return enters == 1 && is_once && (!limit || has_limit) ? 1 : -1;
}

/* A loop that is never entered gives its states as they came; it has no rows to collect then. */
static QnStatus skip_loop(QnPassCall *call, const LoopParts *loop, QnArena *scratch)
{
    QnNode *node = loop->node;
    QnIrValue **values;
    for (int i = loop->state_count; i < node->output_count; i++)
        if (node->outputs[i] && node->outputs[i]->uses)
            return QN_OK;
    QN_ALLOC(values, scratch, node->output_count);
    for (int i = 0; i < loop->state_count; i++)
        values[i] = node->inputs[2 + i].value;
    replace_outputs(call, node, values);
    return QN_OK;
}

/* The one row that a scan output has becomes a tensor with a leading dimension of 1. */
static QnStatus add_row_dimension(QnPassCall *call, QnNode *before, QnIrValue **value)
{
    QnIrValue *axis = qn_value_create_ints(before->graph, (int64_t[]){0}, 1, 1);
    if (!axis)
        return QN_NO_MEMORY;
    QnNode *made =
        qn_node_create(before->graph, before, "Unsqueeze", "", (QnIrValue *[]){*value, axis}, 2, 1);
    if (!made)
        return QN_NO_MEMORY;
    made->def = qn_op_find("", "Unsqueeze");
    (void)call;
    *value = made->outputs[0];
    return QN_OK;
}

/* A constant scalar in the graph around the loop: the iteration's number, the condition. */
static QnStatus make_scalar(QnPassCall *call, QnGraph *graph, QnType type, int64_t number,
                            QnIrValue **out)
{
    QnTensor tensor;
    QN_TRY(qn_pass_new_tensor(call, &tensor, type, 0, NULL));
    qn_tensor_set_int(&tensor, 0, number);
    *out = qn_value_create_constant(graph, NULL, &tensor);
    return *out ? QN_OK : QN_NO_MEMORY;
}

static QnStatus inline_loop(QnPassCall *call, const LoopParts *loop, QnArena *scratch)
{
    QnNode *node = loop->node;
    QnIrValue **inputs, **values;
    QN_ALLOC(inputs, scratch, node->input_count);
    QN_ALLOC(values, scratch, loop->body->output_count);
    QN_TRY(make_scalar(call, node->graph, QN_INT64, 0, &inputs[0]));
    QN_TRY(make_scalar(call, node->graph, QN_BOOL, 1, &inputs[1]));
    for (int i = 2; i < node->input_count; i++)
        inputs[i] = node->inputs[i].value;
    QN_TRY(qn_graph_inline(loop->body, node->graph, node, inputs, values, call->err));
    for (int i = loop->state_count; i < node->output_count; i++)
        if (node->outputs[i] && node->outputs[i]->uses)
            QN_TRY(add_row_dimension(call, node, &values[1 + i]));
    replace_outputs(call, node, values + 1);
    return QN_OK;
}

/* A state that the body gives back as it came is a value from outside, inside and after. */
static void free_states(QnPassCall *call, const LoopParts *loop)
{
    for (int i = 0; i < loop->state_count; i++) {
        QnIrValue *first = loop->node->inputs[2 + i].value, *inside = loop->body->inputs[2 + i];
        QnUse *last = &loop->body->outputs[1 + i];
        if (!first || (last->value != inside && last->value != first))
            continue;
        if (inside->uses && (inside->uses != last || last->next)) {
            qn_value_replace(inside, first);
            call->changes++;
        }
        if (loop->node->outputs[i] && loop->node->outputs[i]->uses) {
            qn_value_replace(loop->node->outputs[i], first);
            call->changes++;
        }
    }
}

static QnStatus simplify_loop(QnPassCall *call, QnNode *node, QnArena *scratch)
{
    LoopParts loop;
    if (!read_loop(node, &loop))
        return QN_OK;
    const int trips = trips_of(&loop);
    if (trips == 0)
        return skip_loop(call, &loop, scratch);
    if (trips == 1)
        return inline_loop(call, &loop, scratch);
    free_states(call, &loop);
    return QN_OK;
}

/* Inner graphs first: what is inlined is simple already. */
static QnStatus simplify_graph(QnPassCall *call, QnGraph *graph, QnArena *scratch)
{
    for (QnNode *node = graph->first, *next; node; node = next) {
        QnGraph *inner;
        next = node->next;
        for (int i = 0; (inner = qn_node_graph(node, i)); i++)
            QN_TRY(simplify_graph(call, inner, scratch));
        if (qn_pass_is(node, "If"))
            QN_TRY(inline_branch(call, node, scratch));
        else if (qn_pass_is(node, "Loop"))
            QN_TRY(simplify_loop(call, node, scratch));
    }
    return QN_OK;
}

static QnStatus run(QnPassCall *call)
{
    QnArena scratch;
    qn_arena_init(&scratch, call->module->arena.allocator);
    const QnStatus status = simplify_graph(call, call->module->main, &scratch);
    qn_arena_finish(&scratch);
    return status;
}

const QnPass qn_pass_constant_conditions = {
    .name = "constant-conditions",
    .what = "puts branches and loop bodies that surely run once in their node's place, and removes "
            "those that never run; results stay bit-equal",
    .keeps_onnx = true,
    .is_exact = true,
    .run = run,
};
