/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns each SequenceMap into the Loop that it stands for, since plans know loops only:
 *
 *     outs = Loop(SequenceLength(s0), , SequenceEmpty()…) (i, going, lists…) {
 *         … = <body>(SequenceAt(s, i)…, tensors…)
 *         return going, SequenceInsert(list, …)…
 *     }
 */
#include "engine/passes/pass.h"

/* One rewrite at work. */
typedef struct Map {
    QnNode *node;        /* the SequenceMap */
    const QnGraph *from; /* its body */
    QnGraph *to;         /* the loop's body */
    QnIrValue *number;   /* the loop's iteration */
    QnIrValue **formals; /* [node->input_count] what the body reads */
    QnIrValue **results; /* [from->output_count] what it makes */
    QnIrValue **initial; /* [2 + node->output_count] the loop's inputs */
} Map;

/* A node that stands for a part of the SequenceMap; its only output. */
static QnIrValue *add_node(const Map *map, QnGraph *graph, QnNode *before, const char *op,
                           QnIrValue *const *inputs, int input_count, QnNode **out)
{
    QnNode *made = qn_node_create(graph, before, op, "", inputs, input_count, 1);
    if (!made)
        return NULL;
    made->origin = map->node->origin;
    if (out)
        *out = made;
    return made->outputs[0];
}

static QnIrValue *add_input(QnGraph *graph, QnType element)
{
    const QnIrType type = {.kind = QN_TENSOR, .element = element};
    QnIrValue *value = qn_value_create(graph, NULL, &type);
    return value && qn_graph_add_input(graph, value) == QN_OK ? value : NULL;
}

/* The item of every sequence at the loop's iteration; tensors as they are. */
static QnStatus pick_items(Map *map)
{
    for (int i = 0; i < map->node->input_count; i++) {
        QnIrValue *value = map->node->inputs[i].value;
        map->formals[i] = value;
        if (!value || value->type.kind != QN_SEQUENCE)
            continue;
        map->formals[i] = add_node(map, map->to, NULL, "SequenceAt",
                                   (QnIrValue *[]){value, map->number}, 2, NULL);
        if (!map->formals[i])
            return QN_NO_MEMORY;
    }
    return QN_OK;
}

/* A list for each result: empty before the loop, one item longer after each iteration. */
static QnStatus collect(Map *map, int i)
{
    QnNode *empty;
    const QnIrType *item = map->node->outputs[i] ? map->node->outputs[i]->type.item : NULL;
    QnIrValue *list = qn_value_create(map->to, NULL, NULL);
    map->initial[2 + i] =
        add_node(map, map->node->graph, map->node, "SequenceEmpty", NULL, 0, &empty);
    if (!list || !map->initial[2 + i])
        return QN_NO_MEMORY;
    if (item && item->element)
        QN_TRY(qn_node_set_int(empty, "dtype", item->element));
    QN_TRY(qn_graph_add_input(map->to, list));
    QnIrValue *longer = add_node(map, map->to, NULL, "SequenceInsert",
                                 (QnIrValue *[]){list, map->results[i]}, 2, NULL);
    return longer ? qn_graph_add_output(map->to, longer, NULL) : QN_NO_MEMORY;
}

static QnStatus make_body(Map *map, QnError *err)
{
    map->to = qn_graph_create(map->node->graph->module, map->from->name);
    if (!map->to)
        return QN_NO_MEMORY;
    map->number = add_input(map->to, QN_INT64);
    QnIrValue *going = add_input(map->to, QN_BOOL);
    if (!map->number || !going)
        return QN_NO_MEMORY;
    QN_TRY(qn_graph_add_output(map->to, going, NULL));
    QN_TRY(pick_items(map));
    QN_TRY(qn_graph_inline(map->from, map->to, NULL, map->formals, map->results, err));
    for (int i = 0; i < map->node->output_count; i++)
        QN_TRY(collect(map, i));
    return QN_OK;
}

/* The loop in front of the node; its results are read instead of the node's. */
static QnStatus replace(Map *map, QnNode **out, QnError *err)
{
    QnNode *node = map->node;
    QnModule *module = node->graph->module;
    QN_ALLOC(map->formals, &module->arena, node->input_count);
    QN_ALLOC(map->results, &module->arena, map->from->output_count);
    QN_ALLOC(map->initial, &module->arena, 2 + node->output_count);
    map->initial[0] = add_node(map, node->graph, node, "SequenceLength",
                               (QnIrValue *[]){node->inputs[0].value}, 1, NULL);
    if (!map->initial[0])
        return QN_NO_MEMORY;
    QN_TRY(make_body(map, err));
    QnNode *loop = qn_node_create(node->graph, node, "Loop", "", map->initial,
                                  2 + node->output_count, node->output_count);
    if (!loop)
        return QN_NO_MEMORY;
    loop->origin = node->origin;
    QN_TRY(qn_node_set_graph(loop, "body", map->to));
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            qn_value_replace(node->outputs[i], loop->outputs[i]);
    qn_node_remove(node);
    *out = loop;
    return QN_OK;
}

/* Is it one whose body fits?  Those in branches that do not fit the shapes were not inferred; they
 * are left for the planner to refuse. */
static bool is_map(const QnNode *node)
{
    const QnAttribute *body = qn_node_attribute(node, "body");
    if (strcmp(node->op, "SequenceMap") != 0 || *node->domain || !body ||
        body->kind != QN_ATTRIBUTE_GRAPH || !qn_node_input(node, 0) ||
        body->graph->input_count != node->input_count ||
        body->graph->output_count < node->output_count)
        return false;
    for (int i = 0; i < node->output_count; i++)
        if (!body->graph->outputs[i].value)
            return false;
    return true;
}

static QnStatus run(QnPassCall *call)
{
    QnNode *node = NULL;
    while ((node = qn_module_walk(call->module, node))) {
        if (!is_map(node))
            continue;
        Map map = {.node = node, .from = qn_node_attribute(node, "body")->graph};
        QN_TRY(replace(&map, &node, call->err)); /* goes on inside the loop */
        call->changes++;
    }
    return QN_OK;
}

const QnPass qn_pass_sequence_map = {
    .name = "sequence-map",
    .what = "turns SequenceMap into Loop; results stay bit-equal",
    .keeps_onnx = true,
    .is_exact = true,
    .is_required = true,
    .run = run,
};
