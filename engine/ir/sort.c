/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Topological order, of all graphs of a module at once.
 *
 * A node waits for those that make what it reads, or what the graphs inside it read: a reading deep
 * inside makes the node around it wait, the one that stands in the graph of the value.  Going
 * through the nodes in their old order, and first to what each waits for, gives an order that is
 * the old one wherever that was right.
 */
#include <stdio.h>
#include <string.h>

#include "engine/ir/graph.h"

enum { CYCLE_NAMES = 8 };

typedef enum Progress { WAITING, ON_STACK, PLACED } Progress;

/* Arrays by node id, and the edges of node i: edges[first_edge[i], first_edge[i + 1]). */
typedef struct Sorter {
    QnArena scratch;
    QnNode **nodes;          /* [node_count] */
    int *first_edge;         /* [node_count + 1] */
    int *edges;              /* ids of the nodes waited for */
    int *next_edge;          /* [node_count]: the edge to go along next */
    unsigned char *progress; /* [node_count] */
    int *stack;              /* [node_count] */
    int *order;              /* [node_count]: ids, all graphs' nodes in their new order */
    int placed;              /* of order */
} Sorter;

/* The node that stands in `graph` and is, or is around, the reader; NULL where there is none. */
static const QnNode *ancestor_in(const QnGraph *graph, const QnNode *reader)
{
    while (reader && reader->graph != graph)
        reader = reader->graph->owner;
    return reader;
}

/* Calls back for each pair (maker, node in its graph that waits for it). */
typedef QnStatus (*EdgeVisitor)(Sorter *sorter, const QnNode *maker, const QnNode *waiting,
                                QnError *err);

static QnStatus visit_use(Sorter *sorter, const QnUse *use, const QnNode *reader, EdgeVisitor visit,
                          QnError *err)
{
    const QnNode *maker = use->value ? use->value->node : NULL;
    if (!maker)
        return QN_OK;
    const QnNode *waiting = ancestor_in(maker->graph, reader);
    char label[200];
    if (!waiting)
        return qn_fail(err, QN_BAD_MODEL, "%s reads '%s', which is not visible there",
                       qn_node_label(reader, label, sizeof label), use->value->name);
    return visit(sorter, maker, waiting, err);
}

static QnStatus visit_edges(Sorter *sorter, const QnModule *module, EdgeVisitor visit, QnError *err)
{
    for (const QnNode *node = NULL; (node = qn_module_walk(module, node));) {
        for (int i = 0; i < node->input_count; i++)
            QN_TRY(visit_use(sorter, &node->inputs[i], node, visit, err));
        const QnGraph *graph;
        /* What a sub-graph gives out is read inside it:
         * where the graph itself makes it, by nobody that waits. */
        for (int g = 0; (graph = qn_node_graph(node, g)); g++)
            for (int i = 0; i < graph->output_count; i++) {
                const QnUse *use = &graph->outputs[i];
                if (use->value && use->value->graph != graph)
                    QN_TRY(visit_use(sorter, use, node, visit, err));
            }
    }
    return QN_OK;
}

/* A node whose own graphs read what it makes waits for itself: an edge like any other, found as a
 * cycle of one. */
static QnStatus count_edge(Sorter *sorter, const QnNode *maker, const QnNode *waiting, QnError *err)
{
    (void)maker, (void)err;
    sorter->first_edge[waiting->id + 1]++;
    return QN_OK;
}

static QnStatus add_edge(Sorter *sorter, const QnNode *maker, const QnNode *waiting, QnError *err)
{
    (void)err;
    sorter->edges[sorter->next_edge[waiting->id]++] = maker->id;
    return QN_OK;
}

static QnStatus find_edges(Sorter *sorter, const QnModule *module, QnError *err)
{
    const int count = module->node_count;
    QN_TRY(visit_edges(sorter, module, count_edge, err));
    for (int i = 0; i < count; i++)
        sorter->first_edge[i + 1] += sorter->first_edge[i];
    QN_ALLOC(sorter->edges, &sorter->scratch, sorter->first_edge[count]);
    memcpy(sorter->next_edge, sorter->first_edge, (size_t)count * sizeof(int));
    QN_TRY(visit_edges(sorter, module, add_edge, err));
    memcpy(sorter->next_edge, sorter->first_edge, (size_t)count * sizeof(int));
    return QN_OK;
}

/* Appends the label of a node, cut where there is no more room. */
static void append_label(char *text, size_t size, const QnNode *node, const char *behind)
{
    char label[100];
    const size_t length = strlen(text);
    (void)snprintf(text + length, size - length, "%s%s", qn_node_label(node, label, sizeof label),
                   behind);
}

/* "node 'a' <- node 'b' <- node 'a'", from the stack: each waits for the one behind it. */
static QnStatus fail_cycle(const Sorter *sorter, int depth, int again, QnError *err)
{
    char text[1000] = "";
    int first = depth - 1;
    while (sorter->stack[first] != again)
        first--;
    const bool is_long = depth - first > CYCLE_NAMES;
    const int last = is_long ? first + CYCLE_NAMES : depth;
    for (int i = first; i < last; i++)
        append_label(text, sizeof text, sorter->nodes[sorter->stack[i]],
                     is_long && i == last - 1 ? " <- ..." : " <- ");
    if (!is_long)
        append_label(text, sizeof text, sorter->nodes[again], "");
    return qn_fail(err, QN_BAD_MODEL, "the graph has a cycle: %s", text);
}

/* Places a node behind all that it waits for. */
static QnStatus place(Sorter *sorter, int id, QnError *err)
{
    int depth = 0;
    sorter->stack[depth++] = id;
    sorter->progress[id] = ON_STACK;
    while (depth > 0) {
        const int top = sorter->stack[depth - 1];
        if (sorter->next_edge[top] == sorter->first_edge[top + 1]) {
            sorter->progress[top] = PLACED;
            sorter->order[sorter->placed++] = top;
            depth--;
            continue;
        }
        const int maker = sorter->edges[sorter->next_edge[top]++];
        if (sorter->progress[maker] == ON_STACK)
            return fail_cycle(sorter, depth, maker, err);
        if (sorter->progress[maker] == WAITING) {
            sorter->progress[maker] = ON_STACK;
            sorter->stack[depth++] = maker;
        }
    }
    return QN_OK;
}

/* Takes the nodes of all graphs to the ends of their lists, one after the other. */
static void relink(const Sorter *sorter)
{
    for (int i = 0; i < sorter->placed; i++) {
        QnNode *node = sorter->nodes[sorter->order[i]];
        qn_node_move(node, node->graph, NULL);
    }
}

/* What the module gives out must be its main graph's own. */
static QnStatus check_outputs(const QnModule *module, QnError *err)
{
    for (int i = 0; i < module->main->output_count; i++) {
        const QnIrValue *value = module->main->outputs[i].value;
        if (value && value->graph != module->main)
            return qn_fail(err, QN_BAD_MODEL,
                           "output '%s' is '%s' of graph '%s', not visible there",
                           module->main->output_names[i], value->name, value->graph->name);
    }
    return QN_OK;
}

static QnStatus check_depth(const QnModule *module, QnError *err)
{
    const QnGraph *last = NULL;
    for (const QnNode *node = NULL; (node = qn_module_walk(module, node)); last = node->graph)
        if (node->graph != last && qn_graph_depth(node->graph) > QN_GRAPH_DEPTH)
            return qn_fail(err, QN_BAD_MODEL, "graph '%s' is nested more than %d deep",
                           node->graph->name, QN_GRAPH_DEPTH);
    return QN_OK;
}

static QnStatus allocate(Sorter *sorter, int count)
{
    QnArena *scratch = &sorter->scratch;
    QN_ALLOC(sorter->nodes, scratch, count);
    QN_ALLOC(sorter->first_edge, scratch, count + 1);
    QN_ALLOC(sorter->next_edge, scratch, count);
    QN_ALLOC(sorter->progress, scratch, count);
    QN_ALLOC(sorter->stack, scratch, count);
    QN_ALLOC(sorter->order, scratch, count);
    return QN_OK;
}

static QnStatus sort(Sorter *sorter, QnModule *module, QnError *err)
{
    QN_TRY(check_depth(module, err));
    QN_TRY(check_outputs(module, err));
    QN_TRY(allocate(sorter, module->node_count));
    for (QnNode *node = NULL; (node = qn_module_walk(module, node));)
        sorter->nodes[node->id] = node;
    QN_TRY(find_edges(sorter, module, err));
    for (const QnNode *node = NULL; (node = qn_module_walk(module, node));)
        if (sorter->progress[node->id] == WAITING)
            QN_TRY(place(sorter, node->id, err));
    relink(sorter);
    return QN_OK;
}

QnStatus qn_module_sort(QnModule *module, QnError *err)
{
    Sorter sorter = {0};
    qn_arena_init(&sorter.scratch, module->arena.allocator);
    const QnStatus status = sort(&sorter, module, err);
    qn_arena_finish(&sorter.scratch);
    return status == QN_NO_MEMORY ? qn_no_memory(err) : status;
}
