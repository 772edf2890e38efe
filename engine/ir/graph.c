/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules, graphs, values, nodes, and the uses that link them.
 *
 * Arrays of graphs have no field for their capacity: it is the power of two that holds their count.
 * Uses are linked in place, so an array of them that moves is linked anew.
 */
#include "engine/ir/graph.h"

#include <assert.h>
#include <string.h>

enum { SMALLEST_ARRAY = 4 };

/* --- modules and graphs --- */

QnStatus qn_module_create(QnModule **out, const QnAllocator *allocator, QnError *err)
{
    QnModule *module = qn_alloc(allocator, sizeof *module);
    if (!module)
        return qn_no_memory(err);
    *module = (QnModule){.path = ""};
    qn_arena_init(&module->arena, allocator);
    qn_dims_init(&module->dims, &module->arena);
    module->main = qn_graph_create(module, "main");
    if (!module->main) {
        qn_module_free(module);
        return qn_no_memory(err);
    }
    *out = module;
    return QN_OK;
}

void qn_module_free(QnModule *module)
{
    if (!module)
        return;
    const QnAllocator *allocator = module->arena.allocator;
    qn_arena_finish(&module->arena);
    qn_free(allocator, module, sizeof *module);
}

QnGraph *qn_graph_create(QnModule *module, const char *name)
{
    QnGraph *graph = qn_arena_alloc(&module->arena, sizeof *graph);
    if (!graph)
        return NULL;
    graph->module = module;
    graph->name = qn_arena_copy_text(&module->arena, name ? name : "", name ? strlen(name) : 0);
    return graph->name ? graph : NULL;
}

/* --- uses --- */

static void link_use(QnUse *use, QnIrValue *value)
{
    use->value = value;
    use->prev = NULL;
    use->next = value ? value->uses : NULL;
    if (!value)
        return;
    if (value->uses)
        value->uses->prev = use;
    value->uses = use;
}

static void unlink_use(QnUse *use)
{
    if (!use->value)
        return;
    if (use->prev)
        use->prev->next = use->next;
    else
        use->value->uses = use->next;
    if (use->next)
        use->next->prev = use->prev;
    use->value = NULL;
    use->prev = use->next = NULL;
}

/* Lets `to` stand where `from` stood in the list of its value. */
static void relocate_use(QnUse *to, const QnUse *from)
{
    *to = *from;
    if (!to->value)
        return;
    if (to->prev)
        to->prev->next = to;
    else
        to->value->uses = to;
    if (to->next)
        to->next->prev = to;
}

void qn_use_set(QnUse *use, QnIrValue *value)
{
    if (use->value == value)
        return;
    unlink_use(use);
    link_use(use, value);
}

void qn_value_replace(QnIrValue *from, QnIrValue *to)
{
    if (from == to)
        return;
    while (from->uses)
        qn_use_set(from->uses, to);
}

bool qn_value_is_output(const QnIrValue *value)
{
    for (const QnUse *use = value->uses; use; use = use->next)
        if (!use->node)
            return true;
    return false;
}

int qn_value_count_uses(const QnIrValue *value)
{
    int count = 0;
    for (const QnUse *use = value->uses; use; use = use->next)
        count++;
    return count;
}

/* --- arrays whose capacity is the power of two that holds their count --- */

static int capacity_of(int count)
{
    int capacity = SMALLEST_ARRAY;
    while (capacity < count)
        capacity *= 2;
    return count ? capacity : 0;
}

/* Room for one more element of `size` bytes: the array, or a larger copy of it;
 * NULL where there is no memory. */
static void *room_for_one(QnArena *arena, void *items, int count, size_t size)
{
    if (count < capacity_of(count))
        return items;
    void *larger = qn_arena_array(arena, (size_t)capacity_of(count + 1), size);
    if (larger && count > 0)
        memcpy(larger, items, (size_t)count * size);
    return larger;
}

static void relocate_uses(QnUse *to, const QnUse *from, int count)
{
    for (int i = 0; i < count; i++)
        relocate_use(&to[i], &from[i]);
}

QnStatus qn_graph_add_input(QnGraph *graph, QnIrValue *value)
{
    QnIrValue **inputs = room_for_one(&graph->module->arena, graph->inputs, graph->input_count,
                                      sizeof *graph->inputs);
    if (!inputs)
        return QN_NO_MEMORY;
    graph->inputs = inputs;
    graph->inputs[graph->input_count++] = value;
    return QN_OK;
}

QnStatus qn_graph_add_output(QnGraph *graph, QnIrValue *value, const char *name)
{
    QnArena *arena = &graph->module->arena;
    const int count = graph->output_count;
    const char *text = name ? name : value->name;
    const char *copy = qn_arena_copy_text(arena, text, strlen(text));
    QnUse *outputs = room_for_one(arena, graph->outputs, count, sizeof *outputs);
    const char **names = room_for_one(arena, graph->output_names, count, sizeof *names);
    if (!copy || !outputs || !names)
        return QN_NO_MEMORY;
    if (outputs != graph->outputs)
        relocate_uses(outputs, graph->outputs, count);
    graph->outputs = outputs;
    graph->output_names = names;
    outputs[count] = (QnUse){.graph = graph};
    link_use(&outputs[count], value);
    names[count] = copy;
    graph->output_count++;
    return QN_OK;
}

void qn_graph_remove_input(QnGraph *graph, int i)
{
    assert(i >= 0 && i < graph->input_count);
    graph->input_count--;
    for (; i < graph->input_count; i++)
        graph->inputs[i] = graph->inputs[i + 1];
}

void qn_graph_remove_output(QnGraph *graph, int i)
{
    assert(i >= 0 && i < graph->output_count);
    unlink_use(&graph->outputs[i]);
    graph->output_count--;
    for (; i < graph->output_count; i++) {
        relocate_use(&graph->outputs[i], &graph->outputs[i + 1]);
        graph->output_names[i] = graph->output_names[i + 1];
    }
}

/* --- nodes --- */

static void insert(QnNode *node, QnGraph *graph, QnNode *before)
{
    assert(!before || before->graph == graph);
    node->graph = graph;
    node->next = before;
    node->prev = before ? before->prev : graph->last;
    if (node->prev)
        node->prev->next = node;
    else
        graph->first = node;
    if (before)
        before->prev = node;
    else
        graph->last = node;
}

static void take_out(QnNode *node)
{
    QnGraph *graph = node->graph;
    if (node->prev)
        node->prev->next = node->next;
    else
        graph->first = node->next;
    if (node->next)
        node->next->prev = node->prev;
    else
        graph->last = node->prev;
    node->prev = node->next = NULL;
}

/* Makes values for outputs [first, count). */
static QnStatus add_fresh_outputs(QnNode *node, QnGraph *graph, QnIrValue **outputs, int first,
                                  int count)
{
    for (int i = first; i < count; i++) {
        QnIrValue *value = qn_value_create(graph, NULL, NULL);
        if (!value)
            return QN_NO_MEMORY;
        value->node = node;
        value->output = i;
        outputs[i] = value;
    }
    return QN_OK;
}

/* A node that stands nowhere yet and reads nothing.
 * Its arrays are of the exact size: few ever grow. */
static QnNode *make_node(QnGraph *graph, const char *op, const char *domain, int input_count,
                         int output_count)
{
    QnArena *arena = &graph->module->arena;
    QnNode *node = qn_arena_alloc(arena, sizeof *node);
    if (!node)
        return NULL;
    *node = (QnNode){.input_count = input_count,
                     .output_count = output_count,
                     .op = qn_arena_copy_text(arena, op, strlen(op)),
                     .domain =
                         domain && *domain ? qn_arena_copy_text(arena, domain, strlen(domain)) : "",
                     .inputs = qn_arena_array(arena, (size_t)input_count, sizeof *node->inputs),
                     .outputs = qn_arena_array(arena, (size_t)output_count, sizeof *node->outputs)};
    if (!node->op || !node->domain || !node->inputs || !node->outputs)
        return NULL;
    node->origin = (QnOrigin){.name = "", .op = node->op, .domain = node->domain};
    return add_fresh_outputs(node, graph, node->outputs, 0, output_count) == QN_OK ? node : NULL;
}

QnNode *qn_node_create(QnGraph *graph, QnNode *before, const char *op, const char *domain,
                       QnIrValue *const *inputs, int input_count, int output_count)
{
    QnNode *node = make_node(graph, op, domain, input_count, output_count);
    if (!node)
        return NULL;
    node->id = graph->module->node_count++;
    for (int i = 0; i < input_count; i++) {
        node->inputs[i] = (QnUse){.node = node};
        link_use(&node->inputs[i], inputs[i]);
    }
    insert(node, graph, before);
    return node;
}

void qn_node_move(QnNode *node, QnGraph *graph, QnNode *before)
{
    if (node == before)
        return;
    take_out(node);
    insert(node, graph, before);
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            node->outputs[i]->graph = graph;
}

QnStatus qn_node_resize_inputs(QnNode *node, int count)
{
    const int old = node->input_count;
    for (int i = count; i < old; i++)
        unlink_use(&node->inputs[i]);
    if (count > old) {
        QnUse *inputs;
        QN_ALLOC(inputs, &node->graph->module->arena, count);
        relocate_uses(inputs, node->inputs, old);
        for (int i = old; i < count; i++)
            inputs[i] = (QnUse){.node = node};
        node->inputs = inputs;
    }
    node->input_count = count;
    return QN_OK;
}

QnStatus qn_node_resize_outputs(QnNode *node, int count)
{
    const int old = node->output_count;
    for (int i = count; i < old; i++) {
        assert(!node->outputs[i] || !node->outputs[i]->uses);
        if (node->outputs[i])
            node->outputs[i]->node = NULL;
    }
    if (count <= old) {
        node->output_count = count;
        return QN_OK;
    }
    QnIrValue **outputs;
    QN_ALLOC(outputs, &node->graph->module->arena, count);
    memcpy(outputs, node->outputs, (size_t)old * sizeof(QnIrValue *));
    QN_TRY(add_fresh_outputs(node, node->graph, outputs, old, count));
    node->outputs = outputs;
    node->output_count = count;
    return QN_OK;
}

/* Lets a node and its outputs stand for nothing any more. */
static void forget(QnNode *node)
{
    for (int i = 0; i < node->input_count; i++)
        unlink_use(&node->inputs[i]);
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            node->outputs[i]->node = NULL;
}

static void unlink_outputs(QnGraph *graph)
{
    for (int i = 0; i < graph->output_count; i++)
        unlink_use(&graph->outputs[i]);
}

/* The lists and owners inside stay as they are: they are what the walk goes along. */
void qn_graph_release(QnGraph *graph)
{
    for (QnNode *node = qn_graph_walk(graph, NULL); node; node = qn_graph_walk(graph, node)) {
        QnGraph *inner;
        for (int i = 0; (inner = qn_node_graph(node, i)); i++)
            unlink_outputs(inner);
        forget(node);
    }
    unlink_outputs(graph);
    graph->owner = NULL;
}

void qn_node_remove(QnNode *node)
{
    QnGraph *graph;
    for (int i = 0; i < node->output_count; i++)
        assert(!node->outputs[i] || !node->outputs[i]->uses);
    while ((graph = qn_node_graph(node, 0))) /* released, it is the node's no more */
        qn_graph_release(graph);
    forget(node);
    take_out(node);
    node->graph = NULL;
}
