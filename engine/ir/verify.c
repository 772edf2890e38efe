/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a well-formed module is, in one place.
 *
 * Two passes.  The first goes over all lists: are they linked both ways, does everything point back
 * at what holds it, is each use that a node or graph has in the list of its value.  It counts them,
 * so that a list with anything more in it is found by its length.  The second goes through the
 * graphs as a run does, with the names that are visible at each place.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/ir/scope.h"

typedef struct Verifier {
    QnArena scratch;
    const QnModule *module;
    const QnIrValue **values; /* [value_count] by id: those met so far */
    int *use_counts;          /* [value_count] by id: uses met so far */
    bool *is_visible;         /* [value_count] by id */
    QnIrValue **constants;    /* [constant_count], sorted by graph, then by id */
    int constant_count, constant_capacity;
    QnScope scope;
    QnError *err;
} Verifier;

#define BAD(v, ...) qn_fail((v)->err, QN_BAD_MODEL, __VA_ARGS__)

/* --- pass 1: lists and links --- */

static QnStatus check_id(Verifier *v, const QnIrValue *value)
{
    if (value->id < 0 || value->id >= v->module->value_count)
        return BAD(v, "value '%s' has id %d of %d", value->name, value->id, v->module->value_count);
    if (v->values[value->id] && v->values[value->id] != value)
        return BAD(v, "values '%s' and '%s' have the same id %d", v->values[value->id]->name,
                   value->name, value->id);
    return QN_OK;
}

static QnStatus check_type(Verifier *v, const QnIrValue *value, const QnIrType *type, int depth)
{
    const int rows = v->module->dims.count;
    if ((unsigned)type->kind > QN_MAP || (unsigned)type->element >= QN_TYPE_COUNT)
        return BAD(v, "value '%s' is of kind %d, type %d", value->name, (int)type->kind,
                   (int)type->element);
    if (type->kind == QN_TENSOR && (type->shape.rank < -1 || type->shape.rank > QN_MAX_RANK))
        return BAD(v, "value '%s' has rank %d", value->name, type->shape.rank);
    for (int i = 0; type->kind == QN_TENSOR && i < type->shape.rank; i++)
        if (type->shape.dims[i] < -rows)
            return BAD(v, "dim %d of value '%s' is row %lld of %d", i, value->name,
                       -1 - (long long)type->shape.dims[i], rows);
    if (!type->item)
        return QN_OK;
    if (depth == QN_GRAPH_DEPTH)
        return BAD(v, "the type of value '%s' is nested more than %d deep", value->name,
                   QN_GRAPH_DEPTH);
    return check_type(v, value, type->item, depth + 1);
}

/* A value on its own, once: its type, its constant. */
static QnStatus meet_value(Verifier *v, QnIrValue *value)
{
    QN_TRY(check_id(v, value));
    if (v->values[value->id])
        return QN_OK;
    v->values[value->id] = value;
    if (!value->graph || value->graph->module != v->module)
        return BAD(v, "value '%s' is of another module", value->name);
    QN_TRY(check_type(v, value, &value->type, 0));
    if (!value->constant)
        return QN_OK;
    if (value->node)
        return BAD(v, "value '%s' is a constant, but a node makes it", value->name);
    if (value->constant->type != value->type.element || !qn_tensor_is_contiguous(value->constant))
        return BAD(v, "the constant of '%s' is %s, not contiguous %s", value->name,
                   qn_type_name(value->constant->type), qn_type_name(value->type.element));
    if (value->is_default)
        return QN_OK;
    QN_GROW(v->constants, v->constant_count, v->constant_capacity, &v->scratch);
    v->constants[v->constant_count++] = value;
    return QN_OK;
}

/* A use that a node (graph NULL) or a graph (node NULL) has. */
static QnStatus check_use(Verifier *v, const QnUse *use, const QnNode *node, const QnGraph *graph)
{
    QnIrValue *value = use->value;
    if (use->node != node || use->graph != graph)
        return BAD(v, "a use of '%s' points at another reader", value ? value->name : "nothing");
    if (!value)
        return QN_OK;
    if ((use->prev ? use->prev->next : value->uses) != use || (use->next && use->next->prev != use))
        return BAD(v, "a use of '%s' is not linked to its neighbours", value->name);
    QN_TRY(meet_value(v, value));
    v->use_counts[value->id]++;
    return QN_OK;
}

static QnStatus check_outputs(Verifier *v, const QnNode *node)
{
    for (int i = 0; i < node->output_count; i++) {
        QnIrValue *value = node->outputs[i];
        if (!value)
            continue;
        if (value->node != node || value->output != i || value->graph != node->graph)
            return BAD(v, "output %d of a node, '%s', does not point back at it", i, value->name);
        QN_TRY(meet_value(v, value));
    }
    return QN_OK;
}

static QnStatus check_graph(Verifier *v, const QnGraph *graph)
{
    const QnNode *last = NULL;
    if (graph->module != v->module)
        return BAD(v, "graph '%s' is of another module", graph->name);
    if (qn_graph_depth(graph) > QN_GRAPH_DEPTH)
        return BAD(v, "graph '%s' is nested more than %d deep", graph->name, QN_GRAPH_DEPTH);
    for (const QnNode *node = graph->first; node; last = node, node = node->next)
        if (node->prev != last || node->graph != graph)
            return BAD(v, "the list of nodes of graph '%s' is broken at %s", graph->name, node->op);
    if (graph->last != last)
        return BAD(v, "the list of nodes of graph '%s' does not end with its last one",
                   graph->name);
    for (int i = 0; i < graph->input_count; i++) {
        QnIrValue *input = graph->inputs[i];
        if (!input || input->graph != graph || input->node)
            return BAD(v, "input %d of graph '%s' is not a value of its own", i, graph->name);
        QN_TRY(meet_value(v, input));
    }
    for (int i = 0; i < graph->output_count; i++)
        QN_TRY(check_use(v, &graph->outputs[i], NULL, graph));
    return QN_OK;
}

static QnStatus check_attributes(Verifier *v, const QnNode *node)
{
    for (int i = 0; i < node->attribute_count; i++) {
        const QnAttribute *at = &node->attributes[i];
        char label[200];
        if (at->kind == QN_ATTRIBUTE_NONE || (unsigned)at->kind > QN_ATTRIBUTE_TYPE ||
            at->count < 0)
            return BAD(v, "%s: attribute '%s' is of kind %d",
                       qn_node_label(node, label, sizeof label), at->name, (int)at->kind);
        if (at->kind == QN_ATTRIBUTE_GRAPH && at->graph->owner != node)
            return BAD(v, "%s: attribute '%s' is a graph of another node",
                       qn_node_label(node, label, sizeof label), at->name);
        for (int k = 0; at->kind == QN_ATTRIBUTE_GRAPHS && k < at->count; k++)
            if (at->graphs[k]->owner != node)
                return BAD(v, "%s: attribute '%s' is a graph of another node",
                           qn_node_label(node, label, sizeof label), at->name);
    }
    return QN_OK;
}

static QnStatus check_node(Verifier *v, const QnNode *node)
{
    QN_TRY(check_attributes(v, node));
    const QnGraph *graph;
    for (int i = 0; i < node->input_count; i++)
        QN_TRY(check_use(v, &node->inputs[i], node, NULL));
    QN_TRY(check_outputs(v, node));
    /* Before the walk goes into them. */
    for (int i = 0; (graph = qn_node_graph(node, i)); i++)
        QN_TRY(check_graph(v, graph));
    return QN_OK;
}

/* Every use that somebody has is in its list; a list that is longer holds one that nobody has. */
static QnStatus check_use_lists(Verifier *v)
{
    for (int id = 0; id < v->module->value_count; id++) {
        int count = 0;
        if (!v->values[id])
            continue;
        for (const QnUse *use = v->values[id]->uses; use && count <= v->use_counts[id];
             use = use->next)
            count++;
        if (count > v->use_counts[id])
            return BAD(v, "the uses of '%s' hold one of no reader", v->values[id]->name);
    }
    return QN_OK;
}

static QnStatus check_lists(Verifier *v)
{
    QN_TRY(check_graph(v, v->module->main));
    for (const QnNode *node = NULL; (node = qn_module_walk(v->module, node));)
        QN_TRY(check_node(v, node));
    return check_use_lists(v);
}

/* --- pass 2: what is visible where --- */

static int compare_constants(const void *a, const void *b)
{
    const QnIrValue *x = *(const QnIrValue *const *)a, *y = *(const QnIrValue *const *)b;
    if (x->graph != y->graph)
        return (uintptr_t)x->graph < (uintptr_t)y->graph ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* The first constant of a graph, or one of a graph behind it. */
static int find_constants(const Verifier *v, const QnGraph *graph)
{
    int low = 0, high = v->constant_count;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if ((uintptr_t)v->constants[middle]->graph < (uintptr_t)graph)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static QnStatus enter(Verifier *v, QnIrValue *value)
{
    if (v->is_visible[value->id])
        return BAD(v, "value '%s' is made twice", value->name);
    const QnStatus status = qn_scope_enter(&v->scope, value);
    if (status == QN_BAD_MODEL)
        return BAD(v, "two values that are visible together are called '%s'", value->name);
    v->is_visible[value->id] = true;
    return status;
}

static void leave(Verifier *v, int visible_count)
{
    for (int i = visible_count; i < v->scope.visible_count; i++)
        v->is_visible[v->scope.visible[i]->id] = false;
    qn_scope_leave(&v->scope, visible_count);
}

static QnStatus enter_graph(Verifier *v, const QnGraph *graph)
{
    for (int i = 0; i < graph->input_count; i++)
        QN_TRY(enter(v, graph->inputs[i]));
    for (int i = find_constants(v, graph); i < v->constant_count && v->constants[i]->graph == graph;
         i++)
        if (!v->is_visible[v->constants[i]->id])
            QN_TRY(enter(v, v->constants[i]));
    return QN_OK;
}

/* Why is a value not visible that somebody reads? */
static QnStatus fail_invisible(Verifier *v, const QnIrValue *value, const char *reader,
                               const QnGraph *graph)
{
    if (!qn_graph_is_within(graph, value->graph))
        return BAD(v, "%s reads '%s' of graph '%s', which is not around it", reader, value->name,
                   value->graph->name);
    if (!value->node)
        return BAD(v, "%s reads '%s', which nothing makes", reader, value->name);
    return BAD(v, "%s reads '%s' before it is made", reader, value->name);
}

static QnStatus check_inputs(Verifier *v, const QnNode *node)
{
    for (int i = 0; i < node->input_count; i++) {
        const QnIrValue *value = node->inputs[i].value;
        char label[200];
        if (value && !v->is_visible[value->id])
            return fail_invisible(v, value, qn_node_label(node, label, sizeof label), node->graph);
    }
    return QN_OK;
}

/* Goes through a graph as a run does.
 * Recursion is as deep as graphs are nested, which is checked by now. */
static QnStatus check_scope(Verifier *v, const QnGraph *graph)
{
    const int outside = v->scope.visible_count;
    QN_TRY(enter_graph(v, graph));
    for (const QnNode *node = graph->first; node; node = node->next) {
        const QnGraph *inner;
        QN_TRY(check_inputs(v, node));
        for (int i = 0; (inner = qn_node_graph(node, i)); i++)
            QN_TRY(check_scope(v, inner));
        for (int i = 0; i < node->output_count; i++)
            if (node->outputs[i])
                QN_TRY(enter(v, node->outputs[i]));
    }
    for (int i = 0; i < graph->output_count; i++) {
        const QnIrValue *value = graph->outputs[i].value;
        if (value && !v->is_visible[value->id])
            return fail_invisible(v, value, "a graph's output", graph);
    }
    leave(v, outside);
    return QN_OK;
}

static QnStatus check_variables(Verifier *v)
{
    const QnModule *m = v->module;
    for (int i = 0; i < m->variable_count; i++) {
        const QnVariable *variable = &m->variables[i];
        if (variable->input < 0 || variable->input >= m->main->input_count ||
            variable->output < 0 || variable->output >= m->main->output_count)
            return BAD(v, "variable '%s' is input %d of %d and output %d of %d", variable->name,
                       variable->input, m->main->input_count, variable->output,
                       m->main->output_count);
    }
    return QN_OK;
}

static QnStatus verify(Verifier *v)
{
    const int count = v->module->value_count;
    QN_ALLOC(v->values, &v->scratch, count);
    QN_ALLOC(v->use_counts, &v->scratch, count);
    QN_ALLOC(v->is_visible, &v->scratch, count);
    v->scope.arena = &v->scratch;
    QN_TRY(check_lists(v));
    if (v->constant_count)
        qsort(v->constants, (size_t)v->constant_count, sizeof *v->constants, compare_constants);
    QN_TRY(check_scope(v, v->module->main));
    return check_variables(v);
}

QnStatus qn_module_verify(const QnModule *module, QnError *err)
{
    Verifier v = {.module = module, .err = err};
    qn_arena_init(&v.scratch, module->arena.allocator);
    const QnStatus status = verify(&v);
    qn_arena_finish(&v.scratch);
    return status == QN_NO_MEMORY ? qn_no_memory(err) : status;
}
