/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes of a node: a short array, searched by name. */
#include <string.h>

#include "engine/ir/graph.h"

enum { SMALLEST_ARRAY = 2 };

static QnAttribute *find(const QnNode *node, const char *name)
{
    for (int i = 0; i < node->attribute_count; i++)
        if (!strcmp(node->attributes[i].name, name))
            return &node->attributes[i];
    return NULL;
}

const QnAttribute *qn_node_attribute(const QnNode *node, const char *name)
{
    return find(node, name);
}

/* The graphs of an attribute; *count is 0 for other kinds. */
static QnGraph *const *graphs_of(const QnAttribute *attribute, int *count)
{
    *count = 0;
    if (attribute->kind == QN_ATTRIBUTE_GRAPH)
        *count = 1;
    else if (attribute->kind == QN_ATTRIBUTE_GRAPHS)
        *count = attribute->count;
    return attribute->kind == QN_ATTRIBUTE_GRAPH ? &attribute->graph : attribute->graphs;
}

static bool holds(const QnAttribute *attribute, const QnGraph *graph)
{
    int count;
    QnGraph *const *graphs = graphs_of(attribute, &count);
    for (int i = 0; i < count; i++)
        if (graphs[i] == graph)
            return true;
    return false;
}

/* Releases the graphs of an attribute that its node still owns and that `next` (may be NULL) does
 * not hold again. */
static void drop_graphs(const QnNode *node, const QnAttribute *attribute, const QnAttribute *next)
{
    int count;
    QnGraph *const *graphs = graphs_of(attribute, &count);
    for (int i = 0; i < count; i++)
        if (graphs[i]->owner == node && !(next && holds(next, graphs[i])))
            qn_graph_release(graphs[i]);
}

static void take_graphs(QnNode *node, const QnAttribute *attribute)
{
    int count;
    QnGraph *const *graphs = graphs_of(attribute, &count);
    for (int i = 0; i < count; i++)
        graphs[i]->owner = node;
}

/* One more element behind the others.  The capacity is the power of two that holds the count. */
static QnAttribute *append(QnNode *node, const char *name)
{
    QnArena *arena = &node->graph->module->arena;
    const int count = node->attribute_count;
    const bool is_full = count == 0 || (count >= SMALLEST_ARRAY && (count & (count - 1)) == 0);
    const char *copy = qn_arena_copy_text(arena, name, strlen(name));
    if (copy && is_full) {
        const int capacity = count ? 2 * count : SMALLEST_ARRAY;
        QnAttribute *larger = qn_arena_array(arena, (size_t)capacity, sizeof *larger);
        if (!larger)
            return NULL;
        if (count)
            memcpy(larger, node->attributes, (size_t)count * sizeof *larger);
        node->attributes = larger;
    }
    if (!copy)
        return NULL;
    QnAttribute *added = &node->attributes[node->attribute_count++];
    *added = (QnAttribute){.name = copy};
    return added;
}

QnStatus qn_node_set(QnNode *node, const QnAttribute *attribute)
{
    QnAttribute *at = find(node, attribute->name);
    if (at)
        drop_graphs(node, at, attribute);
    else
        at = append(node, attribute->name);
    if (!at)
        return QN_NO_MEMORY;
    const char *name = at->name;
    *at = *attribute;
    at->name = name;
    take_graphs(node, at);
    return QN_OK;
}

QnStatus qn_node_set_int(QnNode *node, const char *name, int64_t value)
{
    return qn_node_set(
        node, &(QnAttribute){.name = name, .kind = QN_ATTRIBUTE_INT, .count = 1, .i = value});
}

QnStatus qn_node_set_float(QnNode *node, const char *name, double value)
{
    return qn_node_set(
        node, &(QnAttribute){.name = name, .kind = QN_ATTRIBUTE_FLOAT, .count = 1, .f = value});
}

QnStatus qn_node_set_text(QnNode *node, const char *name, const char *value)
{
    const size_t size = strlen(value);
    const char *copy = qn_arena_copy_text(&node->graph->module->arena, value, size);
    if (!copy)
        return QN_NO_MEMORY;
    return qn_node_set(
        node,
        &(QnAttribute){.name = name, .kind = QN_ATTRIBUTE_STRING, .count = 1, .s = {copy, size}});
}

QnStatus qn_node_set_ints(QnNode *node, const char *name, const int64_t *values, int count)
{
    int64_t *copy;
    QN_ALLOC(copy, &node->graph->module->arena, count);
    if (count)
        memcpy(copy, values, (size_t)count * sizeof *copy);
    return qn_node_set(
        node,
        &(QnAttribute){.name = name, .kind = QN_ATTRIBUTE_INTS, .count = count, .ints = copy});
}

QnStatus qn_node_set_graph(QnNode *node, const char *name, QnGraph *graph)
{
    return qn_node_set(
        node, &(QnAttribute){.name = name, .kind = QN_ATTRIBUTE_GRAPH, .count = 1, .graph = graph});
}

void qn_node_unset(QnNode *node, const char *name)
{
    QnAttribute *at = find(node, name);
    if (!at)
        return;
    drop_graphs(node, at, NULL);
    const QnAttribute *end = node->attributes + node->attribute_count--;
    memmove(at, at + 1, (size_t)(end - at - 1) * sizeof *at);
}

int64_t qn_node_int(const QnNode *node, const char *name, int64_t otherwise)
{
    const QnAttribute *at = find(node, name);
    return at && at->kind == QN_ATTRIBUTE_INT ? at->i : otherwise;
}

double qn_node_float(const QnNode *node, const char *name, double otherwise)
{
    const QnAttribute *at = find(node, name);
    return at && at->kind == QN_ATTRIBUTE_FLOAT ? at->f : otherwise;
}

QnString qn_node_string(const QnNode *node, const char *name, const char *otherwise)
{
    const QnAttribute *at = find(node, name);
    return at && at->kind == QN_ATTRIBUTE_STRING ? at->s : (QnString){otherwise, strlen(otherwise)};
}

bool qn_node_string_is(const QnNode *node, const char *name, const char *otherwise,
                       const char *wanted)
{
    const QnString text = qn_node_string(node, name, otherwise);
    return qn_bytes_is(qn_bytes(text.data, text.size), wanted);
}
