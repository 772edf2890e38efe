/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a graph's names are used for: are values made before they are read, and which of them lead
 * to no output?
 *
 * A value is live where it is an output, or where a live node reads it, itself or in the graphs
 * that it holds.  Nodes that make nothing live are computed for nobody.
 */
#include <string.h>

#include "engine/formats/onnx/validate.h"

/* What is known of a name that the graph defines. */
typedef struct Place {
    OnnxNode *node; /* what makes it; NULL: an input or an initializer */
    int position;   /* of that node in the list; -1: there from the start */
    bool is_live;
} Place;

typedef struct Usage {
    OnnxChecker *c;
    OnnxGraph *graph;
    OnnxScope places; /* Place by name */
    Place **stack;    /* [stack_count] live ones whose makers were not looked at yet */
    int stack_count, stack_capacity;
} Usage;

static QnStatus add_place(Usage *u, const char *name, OnnxNode *node, int position)
{
    Place *place;
    if (!name[0] || onnx_scope_find_here(&u->places, name))
        return QN_OK;
    QN_ALLOC(place, u->c->in->scratch, 1);
    *place = (Place){.node = node, .position = position};
    return onnx_scope_put(&u->places, name, place);
}

static QnStatus add_places(Usage *u)
{
    const OnnxGraph *graph = u->graph;
    for (int i = 0; i < graph->inputs.count; i++)
        QN_TRY(add_place(u, graph->inputs.items[i].name, NULL, -1));
    for (int i = 0; i < graph->initializers.count; i++)
        QN_TRY(add_place(u, graph->initializers.items[i]->name, NULL, -1));
    for (int i = 0; i < graph->sparse_initializers.count; i++)
        QN_TRY(add_place(u, graph->sparse_initializers.items[i]->values.name, NULL, -1));
    for (int i = 0; i < graph->nodes.count; i++)
        for (int k = 0; k < graph->nodes.items[i]->outputs.count; k++)
            QN_TRY(add_place(u, graph->nodes.items[i]->outputs.items[k], graph->nodes.items[i], i));
    return QN_OK;
}

/* --- what a node reads, the graphs that it holds included --- */

typedef QnStatus Visit(Usage *u, OnnxNode *reader, int position, const char *name);

static QnStatus visit_graph(Usage *u, OnnxNode *reader, int position, const OnnxGraph *graph,
                            Visit *visit);

static QnStatus visit_node(Usage *u, OnnxNode *reader, int position, const OnnxNode *node,
                           Visit *visit)
{
    for (int i = 0; i < node->inputs.count; i++)
        QN_TRY(visit(u, reader, position, node->inputs.items[i]));
    for (int i = 0; i < node->attributes.count; i++) {
        const OnnxAttribute *attribute = &node->attributes.items[i];
        if (attribute->graph)
            QN_TRY(visit_graph(u, reader, position, attribute->graph, visit));
        for (int k = 0; k < attribute->graphs.count; k++)
            QN_TRY(visit_graph(u, reader, position, attribute->graphs.items[k], visit));
    }
    return QN_OK;
}

/* Names that the inner graph defines itself are breaches where the outer one has them, too; they
 * are taken for the outer ones here. */
static QnStatus visit_graph(Usage *u, OnnxNode *reader, int position, const OnnxGraph *graph,
                            Visit *visit)
{
    for (int i = 0; i < graph->nodes.count; i++)
        QN_TRY(visit_node(u, reader, position, graph->nodes.items[i], visit));
    for (int i = 0; i < graph->outputs.count; i++)
        QN_TRY(visit(u, reader, position, graph->outputs.items[i].name));
    return QN_OK;
}

/* --- the order --- */

static QnStatus check_read(Usage *u, OnnxNode *reader, int position, const char *name)
{
    const Place *place = onnx_scope_find_here(&u->places, name);
    if (place && place->position >= position)
        onnx_complain(
            u->c, reader,
            (QnFinding){.severity = QN_BREACH,
                        .rule = "onnx-node-order",
                        .found = onnx_say(u->c->in, "it reads '%s' before it is made", name),
                        .expected = "nodes in an order in which values are made first"});
    return QN_OK;
}

/* --- what is live --- */

static QnStatus mark_live(Usage *u, OnnxNode *reader, int position, const char *name)
{
    (void)reader;
    (void)position;
    Place *place = onnx_scope_find_here(&u->places, name);
    if (!place || place->is_live)
        return QN_OK;
    place->is_live = true;
    QN_GROW(u->stack, u->stack_count, u->stack_capacity, u->c->in->scratch);
    u->stack[u->stack_count++] = place;
    return QN_OK;
}

/* Each value is put on the stack once, and its maker looked at once. */
static QnStatus find_live(Usage *u, const char *const *outputs, int count)
{
    for (int i = 0; i < count; i++)
        QN_TRY(mark_live(u, NULL, 0, outputs[i]));
    while (u->stack_count > 0) {
        OnnxNode *node = u->stack[--u->stack_count]->node;
        if (!node || node->is_live)
            continue;
        node->is_live = true;
        QN_TRY(visit_node(u, node, 0, node, mark_live));
    }
    return QN_OK;
}

static bool is_live(const Usage *u, const char *name)
{
    const Place *place = onnx_scope_find_here(&u->places, name);
    return place && place->is_live;
}

/* --- what to say --- */

static void say(const Usage *u, QnSeverity severity, const char *rule, const char *node,
                const char *found, const char *remedy)
{
    onnx_add_finding(
        u->c->in,
        (QnFinding){
            .severity = severity, .rule = rule, .node = node, .found = found, .remedy = remedy});
}

static void check_initializers(const Usage *u)
{
    for (int i = 0; i < u->graph->initializers.count; i++) {
        const OnnxTensor *tensor = u->graph->initializers.items[i];
        if (tensor->name[0] && !is_live(u, tensor->name))
            say(u, QN_WARNING, "onnx-unused-initializer",
                onnx_say(u->c->in, "initializer '%s'", tensor->name), "it leads to no output",
                "take it out: it only makes the file larger");
    }
}

/* Inputs are part of how a graph is called: those of the main graph alone are worth a note. */
static void check_inputs(const Usage *u, bool is_main)
{
    for (int i = 0; is_main && i < u->graph->inputs.count; i++)
        if (!is_live(u, u->graph->inputs.items[i].name))
            say(u, QN_NOTE, "onnx-unused-input",
                onnx_say(u->c->in, "input '%s'", u->graph->inputs.items[i].name),
                "it leads to no output", NULL);
}

static void check_made(const Usage *u, OnnxNode *node)
{
    if (node->outputs.count > 0 && !node->is_live)
        onnx_complain(u->c, node,
                      (QnFinding){.severity = QN_WARNING,
                                  .rule = "onnx-unused-node",
                                  .found = "nothing that it makes leads to an output",
                                  .remedy = "take it out"});
    for (int k = 0; node->is_live && k < node->outputs.count; k++)
        if (node->outputs.items[k][0] && !is_live(u, node->outputs.items[k]))
            onnx_complain(u->c, node,
                          (QnFinding){.severity = QN_NOTE,
                                      .rule = "onnx-unused-output",
                                      .field = onnx_say(u->c->in, "output %d '%s'", k,
                                                        node->outputs.items[k]),
                                      .found = "nobody reads it",
                                      .remedy = "without a name it need not be made"});
}

QnStatus onnx_check_usage(OnnxChecker *c, OnnxGraph *graph, const char *const *outputs, int count)
{
    Usage u = {.c = c, .graph = graph, .places = onnx_scope(c->in->scratch, NULL)};
    QN_TRY(add_places(&u));
    for (int i = 0; i < graph->nodes.count; i++)
        QN_TRY(visit_node(&u, graph->nodes.items[i], i, graph->nodes.items[i], check_read));
    QN_TRY(find_live(&u, outputs, count));
    check_inputs(&u, graph == &c->model->graph);
    check_initializers(&u);
    for (int i = 0; i < graph->nodes.count; i++)
        check_made(&u, graph->nodes.items[i]);
    return QN_OK;
}
