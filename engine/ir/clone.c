/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies of modules and graphs, and graphs copied into others.
 *
 * A map takes values of the source to their copies.  A value that is not in it is one from outside
 * of what is copied, and is read as it is; a constant is copied when it is first met, if it is
 * defined inside.
 */
#include <string.h>

#include "engine/ir/dim_row.h"
#include "engine/ir/graph.h"

typedef struct Pair {
    const QnIrValue *from; /* NULL: free */
    QnIrValue *to;
} Pair;

/* Old values to new ones: an open hash table by address, at most half full. */
typedef struct Cloner {
    QnArena scratch;
    const QnGraph *root; /* what is copied */
    QnGraph *into;       /* what the root becomes, or is copied into */
    Pair *pairs;
    int count, slot_count;
    bool is_whole; /* a whole module: ids and names stay as they are */
    QnError *err;
} Cloner;

/* --- the map --- */

static Pair *find_pair(const Cloner *c, const QnIrValue *from)
{
    const uint64_t mask = (uint64_t)c->slot_count - 1;
    uint64_t at = ((uint64_t)from->id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
    while (c->pairs[at].from && c->pairs[at].from != from)
        at = (at + 1) & mask;
    return &c->pairs[at];
}

static QnStatus map(Cloner *c, const QnIrValue *from, QnIrValue *to)
{
    if (2 * (c->count + 1) > c->slot_count) {
        Cloner larger = *c;
        larger.slot_count = c->slot_count ? 2 * c->slot_count : 64;
        QN_ALLOC(larger.pairs, &c->scratch, larger.slot_count);
        for (int i = 0; i < c->slot_count; i++)
            if (c->pairs[i].from)
                *find_pair(&larger, c->pairs[i].from) = c->pairs[i];
        c->pairs = larger.pairs;
        c->slot_count = larger.slot_count;
    }
    Pair *pair = find_pair(c, from);
    c->count += pair->from == NULL;
    *pair = (Pair){from, to};
    return QN_OK;
}

/* --- values --- */

/* Types of collections point at their items' types, which are copied too.
 * Their nesting is that of a type. */
static QnStatus clone_type(QnArena *arena, QnIrType *out, const QnIrType *from)
{
    QnIrType *at = out;
    *at = *from;
    while (at->item) {
        QnIrType *item;
        QN_ALLOC(item, arena, 1);
        *item = *at->item;
        at->item = item;
        at = item;
    }
    return QN_OK;
}

/* All but the links of a value. */
static QnStatus fill_value(QnIrValue *to, const QnIrValue *from)
{
    QN_TRY(clone_type(&to->graph->module->arena, &to->type, &from->type));
    if (from->constant) {
        QnTensor *copy;
        QN_ALLOC(copy, &to->graph->module->arena, 1);
        *copy = *from->constant;
        to->constant = copy;
    }
    to->is_default = from->is_default;
    return from->content ? qn_value_set_content(to, from->content, from->content_count) : QN_OK;
}

/* The copy of a value, made in `graph` where there is none yet: readers may come before makers. */
static QnStatus copy_value(Cloner *c, QnIrValue **out, const QnIrValue *from, QnGraph *graph)
{
    const Pair *pair = c->slot_count ? find_pair(c, from) : NULL;
    if (pair && pair->from) {
        *out = pair->to;
        return QN_OK;
    }
    QnIrValue *to = qn_value_create(graph, c->is_whole ? from->name : NULL, NULL);
    if (!to)
        return QN_NO_MEMORY;
    if (c->is_whole)
        to->id = from->id;
    QN_TRY(fill_value(to, from));
    *out = to;
    return map(c, from, to);
}

/* The graph that stands for `graph`, which is around `inner` or is it, in the copy where `copy`
 * stands for inner. */
static QnGraph *counterpart(const Cloner *c, const QnGraph *graph, const QnGraph *inner,
                            QnGraph *copy)
{
    while (inner != graph) {
        if (inner == c->root)
            return NULL;
        inner = inner->owner->graph;
        copy = inner == c->root ? c->into : copy->owner->graph;
    }
    return copy;
}

/* What a reader in `copy`, which stands for `inner`, reads in place of `from`. */
static QnStatus find_value(Cloner *c, QnIrValue **out, QnIrValue *from, const QnGraph *inner,
                           QnGraph *copy)
{
    *out = from;
    if (!from)
        return QN_OK;
    QnGraph *home = counterpart(c, from->graph, inner, copy);
    if (home)
        return copy_value(c, out, from, home);
    if (c->is_whole)
        return qn_fail(c->err, QN_BAD_MODEL, "value '%s' is read where it is not visible",
                       from->name);
    return QN_OK;
}

/* --- graphs --- */

static QnStatus clone_nodes(Cloner *c, const QnGraph *from, QnGraph *to, QnNode *before);

static QnStatus clone_outputs(Cloner *c, const QnGraph *from, QnGraph *to)
{
    for (int i = 0; i < from->output_count; i++) {
        QnIrValue *value;
        QN_TRY(find_value(c, &value, from->outputs[i].value, from, to));
        QN_TRY(qn_graph_add_output(to, value, from->output_names[i]));
    }
    return QN_OK;
}

static QnStatus clone_into(Cloner *c, const QnGraph *from, QnGraph *to)
{
    for (int i = 0; i < from->input_count; i++) {
        QnIrValue *value;
        QN_TRY(copy_value(c, &value, from->inputs[i], to));
        QN_TRY(qn_graph_add_input(to, value));
    }
    QN_TRY(clone_nodes(c, from, to, NULL));
    return clone_outputs(c, from, to);
}

/* A sub-graph belongs to its node before its nodes are copied:
 * what is around it is found through it. */
static QnStatus clone_graph(Cloner *c, QnGraph **out, const QnGraph *from, QnNode *owner)
{
    QnGraph *graph = qn_graph_create(owner->graph->module, from->name);
    if (!graph)
        return QN_NO_MEMORY;
    graph->owner = owner;
    *out = graph;
    const QnStatus status = clone_into(c, from, graph);
    if (status != QN_OK)
        qn_graph_release(graph);
    return status;
}

static QnStatus clone_graphs(Cloner *c, QnAttribute *to, QnNode *owner)
{
    if (to->kind == QN_ATTRIBUTE_GRAPH)
        return clone_graph(c, &to->graph, to->graph, owner);
    if (to->kind != QN_ATTRIBUTE_GRAPHS)
        return QN_OK;
    QnGraph **graphs;
    QN_ALLOC(graphs, &owner->graph->module->arena, to->count);
    for (int i = 0; i < to->count; i++)
        QN_TRY(clone_graph(c, &graphs[i], to->graphs[i], owner));
    to->graphs = graphs;
    return QN_OK;
}

static QnStatus clone_attributes(Cloner *c, const QnNode *from, QnNode *to)
{
    for (int i = 0; i < from->attribute_count; i++) {
        QnAttribute attribute = from->attributes[i];
        QN_TRY(clone_graphs(c, &attribute, to));
        QN_TRY(qn_node_set(to, &attribute));
    }
    return QN_OK;
}

static QnStatus clone_node(Cloner *c, const QnNode *from, QnGraph *to, QnNode *before)
{
    QnIrValue **inputs;
    QN_ALLOC(inputs, &c->scratch, from->input_count);
    for (int i = 0; i < from->input_count; i++)
        QN_TRY(find_value(c, &inputs[i], from->inputs[i].value, from->graph, to));
    QnNode *node = qn_node_create(to, before, from->op, from->domain, inputs, from->input_count, 0);
    QnIrValue **outputs =
        qn_arena_array(&to->module->arena, (size_t)from->output_count, sizeof *outputs);
    if (!node || !outputs)
        return QN_NO_MEMORY;
    node->outputs = outputs;
    for (int i = 0; i < from->output_count; i++) {
        node->output_count = i + 1;
        if (!from->outputs[i])
            continue;
        QN_TRY(copy_value(c, &outputs[i], from->outputs[i], to));
        outputs[i]->node = node;
        outputs[i]->output = i;
    }
    if (c->is_whole)
        node->id = from->id;
    node->def = from->def;
    node->origin = from->origin;
    return clone_attributes(c, from, node);
}

static QnStatus clone_nodes(Cloner *c, const QnGraph *from, QnGraph *to, QnNode *before)
{
    if (qn_graph_depth(from) > QN_GRAPH_DEPTH)
        return qn_fail(c->err, QN_BAD_MODEL, "graph '%s' is nested more than %d deep", from->name,
                       QN_GRAPH_DEPTH);
    for (const QnNode *node = from->first; node; node = node->next)
        QN_TRY(clone_node(c, node, to, before));
    return QN_OK;
}

/* --- the three uses --- */

static Cloner cloner(const QnGraph *root, QnGraph *into, QnError *err)
{
    Cloner c = {.root = root, .into = into, .err = err};
    qn_arena_init(&c.scratch, root->module->arena.allocator);
    return c;
}

static QnStatus finish(Cloner *c, QnStatus status)
{
    qn_arena_finish(&c->scratch);
    return status == QN_NO_MEMORY ? qn_no_memory(c->err) : status;
}

static QnStatus inline_body(Cloner *c, QnNode *before, QnIrValue *const *inputs,
                            QnIrValue **outputs_out)
{
    const QnGraph *body = c->root;
    for (int i = 0; i < body->input_count; i++)
        QN_TRY(map(c, body->inputs[i], inputs[i]));
    QN_TRY(clone_nodes(c, body, c->into, before));
    for (int i = 0; i < body->output_count; i++)
        QN_TRY(find_value(c, &outputs_out[i], body->outputs[i].value, body, c->into));
    return QN_OK;
}

QnStatus qn_graph_inline(const QnGraph *body, QnGraph *into, QnNode *before,
                         QnIrValue *const *inputs, QnIrValue **outputs_out, QnError *err)
{
    Cloner c = cloner(body, into, err);
    return finish(&c, inline_body(&c, before, inputs, outputs_out));
}

QnStatus qn_graph_clone(QnGraph **out, const QnGraph *graph, QnError *err)
{
    QnGraph *copy = qn_graph_create(graph->module, graph->name);
    if (!copy)
        return qn_no_memory(err);
    Cloner c = cloner(graph, copy, err);
    const QnStatus status = finish(&c, clone_into(&c, graph, copy));
    if (status == QN_OK)
        *out = copy;
    else
        qn_graph_release(copy);
    return status;
}

/* The table of dims row by row: each finds the same number again. */
static QnStatus clone_dims(QnDims *to, const QnDims *from)
{
    for (int i = 0; i < from->count; i++)
        qn_dim_intern(to, &from->rows[i]);
    to->fresh_count = from->fresh_count;
    return to->failed ? QN_NO_MEMORY : QN_OK;
}

static QnStatus clone_lists(QnModule *to, const QnModule *from)
{
    QN_ALLOC(to->variables, &to->arena, from->variable_count);
    QN_ALLOC(to->properties, &to->arena, from->property_count);
    if (from->variable_count)
        memcpy(to->variables, from->variables,
               (size_t)from->variable_count * sizeof *to->variables);
    if (from->property_count)
        memcpy(to->properties, from->properties,
               (size_t)from->property_count * sizeof *to->properties);
    to->variable_count = from->variable_count;
    to->property_count = from->property_count;
    to->opset = from->opset;
    to->path = from->path;
    return QN_OK;
}

static QnStatus clone_module(Cloner *c, QnModule *to, const QnModule *from)
{
    c->is_whole = true;
    QN_TRY(clone_dims(&to->dims, &from->dims));
    QN_TRY(clone_lists(to, from));
    QN_TRY(clone_into(c, from->main, to->main));
    to->value_count = from->value_count;
    to->node_count = from->node_count;
    to->names.next = from->names.next;
    to->main->name = from->main->name;
    return QN_OK;
}

QnStatus qn_module_clone(QnModule **out, const QnModule *from, QnError *err)
{
    QnModule *module;
    QN_TRY(qn_module_create(&module, from->arena.allocator, err));
    Cloner c = cloner(from->main, module->main, err);
    const QnStatus status = finish(&c, clone_module(&c, module, from));
    if (status == QN_OK)
        *out = module;
    else
        qn_module_free(module);
    return status;
}
