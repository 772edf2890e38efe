/* SPDX-License-Identifier: Apache-2.0 */
/* Going through nested graphs without a stack:
 * every graph knows its owner, every node its graph. */
#include <stdio.h>

#include "engine/ir/graph.h"

int qn_graph_depth(const QnGraph *graph)
{
    int depth = 0;
    for (; graph->owner; graph = graph->owner->graph)
        depth++;
    return depth;
}

bool qn_graph_is_within(const QnGraph *graph, const QnGraph *outer)
{
    while (graph && graph != outer)
        graph = graph->owner ? graph->owner->graph : NULL;
    return graph != NULL;
}

/* The k-th graph of an attribute, NULL where there are not so many or it is another kind. */
static QnGraph *attribute_graph(const QnAttribute *attribute, int k)
{
    if (attribute->kind == QN_ATTRIBUTE_GRAPH)
        return k == 0 ? attribute->graph : NULL;
    return attribute->kind == QN_ATTRIBUTE_GRAPHS && k < attribute->count ? attribute->graphs[k]
                                                                          : NULL;
}

QnGraph *qn_node_graph(const QnNode *node, int i)
{
    for (int a = 0; a < node->attribute_count; a++) {
        QnGraph *graph;
        for (int k = 0; (graph = attribute_graph(&node->attributes[a], k)); k++)
            if (graph->owner == node && i-- == 0)
                return graph;
    }
    return NULL;
}

/* The first node of the node's sub-graphs from the i-th on. */
static QnNode *first_inside(const QnNode *node, int i)
{
    QnGraph *graph;
    for (; (graph = qn_node_graph(node, i)); i++)
        if (graph->first)
            return graph->first;
    return NULL;
}

static int index_of(const QnNode *owner, const QnGraph *graph)
{
    int i = 0;
    while (qn_node_graph(owner, i) != graph)
        i++;
    return i;
}

QnNode *qn_graph_walk(const QnGraph *graph, const QnNode *node)
{
    if (!node)
        return graph->first;
    QnNode *next = first_inside(node, 0);
    while (!next && !(next = node->next) && node->graph != graph) {
        /* This graph is done: on to the owner's next one, or to what stands behind the owner. */
        const QnGraph *done = node->graph;
        node = done->owner;
        next = first_inside(node, index_of(node, done) + 1);
    }
    return next;
}

const char *qn_node_label(const QnNode *node, char *text, size_t size)
{
    const char *output = NULL;
    for (int i = 0; i < node->output_count && !output; i++)
        output = node->outputs[i] ? node->outputs[i]->name : NULL;
    if (*node->origin.name)
        (void)snprintf(text, size, "node '%s'", node->origin.name);
    else if (output)
        (void)snprintf(text, size, "%s node making '%s'", node->op, output);
    else
        (void)snprintf(text, size, "%s node", node->op);
    return text;
}
