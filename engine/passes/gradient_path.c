/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the nodes between the named values of a Gradient and its y, and computing them again;
 * gradient_path.h. */
#include "engine/passes/gradient_path.h"

#include "engine/passes/derive.h"

enum { NODE_LIMIT = 1 << 18, READ_LIMIT = 1 << 23 };

QnStatus qn_gradient_fail(const QnGradient *g, const QnNode *node, const char *why)
{
    char label[256], inner[256];
    return qn_fail(g->call->err, QN_UNSUPPORTED, "%s: on the way from its xs to '%s': %s: %s %s",
                   qn_node_label(g->node, label, sizeof label), g->y->name,
                   qn_node_label(node, inner, sizeof inner), node->op, why);
}

QnStatus qn_gradient_check_limit(const QnGradient *g)
{
    if (g->call->module->node_count - g->first_node > NODE_LIMIT)
        return qn_fail(g->call->err, QN_BAD_MODEL, "its gradients take over %d nodes", NODE_LIMIT);
    if (g->read_count > READ_LIMIT)
        return qn_fail(g->call->err, QN_BAD_MODEL,
                       "on the way of its gradients nodes read over %d values", READ_LIMIT);
    return QN_OK;
}

/* ---- what is known of values and nodes ---- */

QnFlow *qn_gradient_flow(QnGradient *g, QnIrValue *value)
{
    QnFlow *flow = value->mark;
    if (!flow) {
        flow = qn_arena_alloc(g->scratch, sizeof *flow);
        if (!flow)
            return NULL;
        flow->next = g->flows;
        g->flows = flow;
        value->mark = flow;
    }
    if (flow->round != g->round)
        *flow = (QnFlow){.round = g->round, .next = flow->next, .value = value};
    return flow;
}

static QnVisit *visit_of(QnGradient *g, QnNode *node)
{
    QnVisit *visit = node->mark;
    if (!visit) {
        visit = qn_arena_alloc(g->scratch, sizeof *visit);
        if (!visit)
            return NULL;
        visit->next = g->visits;
        g->visits = visit;
        node->mark = visit;
    }
    return visit;
}

void qn_gradient_finish(QnGradient *g)
{
    for (QnFlow *flow = g->flows; flow; flow = flow->next)
        flow->value->mark = NULL;
    for (QnVisit *visit = g->visits; visit; visit = visit->next)
        visit->node->mark = NULL;
}

/* ---- the nodes between ---- */

/* Values from outside of a graph that are read in it: a list that grows where there is one. */
typedef struct Captured {
    const QnGraph *graph;
    QnIrValue **values; /* NULL: they are only counted */
    int count;
    int64_t looked_at; /* what is read, from wherever */
} Captured;

static void capture(Captured *captured, QnIrValue *value)
{
    captured->looked_at++;
    if (!value || qn_graph_is_within(value->graph, captured->graph))
        return;
    if (captured->values)
        captured->values[captured->count] = value;
    captured->count++;
}

static void capture_outputs(Captured *captured, const QnGraph *graph)
{
    for (int i = 0; i < graph->output_count; i++)
        capture(captured, graph->outputs[i].value);
}

/* All that the graphs of a node read from outside of them. */
static Captured find_captured(const QnNode *node, QnIrValue **values)
{
    Captured captured = {.values = values};
    const QnGraph *nested;
    for (int i = 0; (captured.graph = qn_node_graph(node, i)); i++) {
        capture_outputs(&captured, captured.graph);
        for (const QnNode *inner = qn_graph_walk(captured.graph, NULL); inner;
             inner = qn_graph_walk(captured.graph, inner)) {
            for (int k = 0; k < inner->input_count; k++)
                capture(&captured, inner->inputs[k].value);
            for (int k = 0; (nested = qn_node_graph(inner, k)); k++)
                capture_outputs(&captured, nested);
        }
    }
    return captured;
}

static QnStatus open_visit(QnGradient *g, QnVisit *visit, QnNode *node, QnVisit *parent)
{
    const Captured captured = find_captured(node, NULL);
    *visit = (QnVisit){.round = g->round,
                       .node = node,
                       .read_count = node->input_count + captured.count,
                       .parent = parent,
                       .next = visit->next};
    g->read_count += 1 + node->input_count + captured.looked_at;
    QN_TRY(qn_gradient_check_limit(g));
    QN_ALLOC(visit->reads, g->scratch, visit->read_count);
    for (int i = 0; i < node->input_count; i++)
        visit->reads[i] = node->inputs[i].value;
    find_captured(node, visit->reads + node->input_count);
    return QN_OK;
}

/* All that the node reads is known: so is what it makes. */
static QnStatus close_visit(QnGradient *g, QnVisit *visit)
{
    for (int i = 0; i < visit->read_count; i++) {
        const QnFlow *flow = visit->reads[i] ? qn_gradient_flow(g, visit->reads[i]) : NULL;
        if (visit->reads[i] && !flow)
            return QN_NO_MEMORY;
        visit->is_active = visit->is_active || (flow && flow->is_active);
        visit->is_replaced = visit->is_replaced || (flow && flow->is_replaced);
    }
    for (int i = 0; i < visit->node->output_count; i++) {
        QnIrValue *made = visit->node->outputs[i];
        QnFlow *flow = made ? qn_gradient_flow(g, made) : NULL;
        if (made && !flow)
            return QN_NO_MEMORY;
        if (!flow || flow->is_named)
            continue;
        flow->is_active = visit->is_active && qn_derive_is_smooth(made);
        flow->is_replaced = visit->is_replaced;
    }
    visit->previous = g->last;
    g->last = visit;
    return QN_OK;
}

/* The next node that makes something that the visit reads, and that was not visited yet. */
static QnStatus next_maker(QnGradient *g, QnVisit *visit, QnNode **out)
{
    *out = NULL;
    while (!*out && visit->at < visit->read_count) {
        QnIrValue *value = visit->reads[visit->at++];
        const QnFlow *flow = value ? qn_gradient_flow(g, value) : NULL;
        if (value && !flow)
            return QN_NO_MEMORY;
        if (!value || flow->is_named || !value->node)
            continue;
        const QnVisit *made = value->node->mark;
        if (!made || made->round != g->round)
            *out = value->node;
    }
    return QN_OK;
}

static QnStatus begin_visit(QnGradient *g, QnNode *node, QnVisit **at)
{
    QnVisit *visit = visit_of(g, node);
    if (!visit)
        return QN_NO_MEMORY;
    QN_TRY(open_visit(g, visit, node, *at));
    *at = visit;
    return QN_OK;
}

/* Depth first, without recursion: models may be deep. */
QnStatus qn_gradient_find_nodes(QnGradient *g)
{
    QnVisit *at = NULL;
    QnFlow *y = qn_gradient_flow(g, g->y);
    if (!y)
        return QN_NO_MEMORY;
    if (!y->is_named && g->y->node)
        QN_TRY(begin_visit(g, g->y->node, &at));
    while (at) {
        QnNode *maker;
        QN_TRY(next_maker(g, at, &maker));
        if (maker) {
            QN_TRY(begin_visit(g, maker, &at));
            continue;
        }
        QN_TRY(close_visit(g, at));
        at = at->parent;
    }
    return QN_OK;
}

/* ---- computing again ---- */

QnIrValue *qn_gradient_instead(QnGradient *g, QnIrValue *value)
{
    QnFlow *flow = value ? qn_gradient_flow(g, value) : NULL;
    return flow && flow->instead ? flow->instead : value;
}

static QnStatus copy_attributes(const QnGradient *g, const QnNode *from, QnNode *to)
{
    for (int i = 0; i < from->attribute_count; i++) {
        const QnAttributeKind kind = from->attributes[i].kind;
        if (kind == QN_ATTRIBUTE_GRAPH || kind == QN_ATTRIBUTE_GRAPHS)
            return qn_gradient_fail(g, from,
                                    "holds a graph, and is to be computed again for other values");
        QN_TRY(qn_node_set(to, &from->attributes[i]));
    }
    return QN_OK;
}

static QnStatus compute_again(QnGradient *g, QnVisit *visit)
{
    const QnNode *node = visit->node;
    QnIrValue **inputs;
    QN_ALLOC(inputs, g->scratch, node->input_count);
    for (int i = 0; i < node->input_count; i++)
        inputs[i] = qn_gradient_instead(g, node->inputs[i].value);
    QnNode *copy = qn_node_create(g->node->graph, g->node, node->op, node->domain, inputs,
                                  node->input_count, node->output_count);
    if (!copy)
        return QN_NO_MEMORY;
    copy->origin = node->origin;
    copy->def = node->def;
    QN_TRY(copy_attributes(g, node, copy));
    for (int i = 0; i < node->output_count; i++) {
        if (node->outputs[i])
            qn_gradient_flow(g, node->outputs[i])->instead = copy->outputs[i];
        else
            copy->outputs[i] = NULL;
    }
    visit->instead = copy;
    QN_TRY(qn_gradient_check_limit(g));
    return qn_infer_node(copy, g->call->err);
}

/* From the first node to the last: the list goes the other way. */
QnStatus qn_gradient_compute_again(QnGradient *g)
{
    QnVisit *order = NULL;
    for (QnVisit *visit = g->last; visit; visit = visit->previous) {
        visit->parent = order;
        order = visit;
    }
    for (; order; order = order->parent)
        if (order->is_replaced)
            QN_TRY(compute_again(g, order));
    return QN_OK;
}
