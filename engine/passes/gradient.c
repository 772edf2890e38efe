/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts the operators that compute the derivatives in the place of each Gradient: reverse-mode
 * differentiation.
 *
 * The nodes between the named values and y are found from y on backwards.  Then what flows into y,
 * a one for each element, goes back through them by the rules of derive.h, and is added up where a
 * value is read more than once.  Where a Gradient is given other values than those that it names,
 * the nodes that depend on these are computed again from what is given.
 */
#include "base/fault.h"
#include "engine/passes/derive.h"

/* Gradients of gradients multiply: a model of a few lines could ask for any number of nodes. */
enum { NODE_LIMIT = 1 << 20 };

/* What is known of a value while one Gradient is at work. */
typedef struct Flow {
    int round; /* the Gradient that it is of */
    bool is_named;
    bool is_active;     /* some of xs reaches it through floating-point numbers */
    bool is_replaced;   /* it depends on a value that another one is given for */
    QnIrValue *instead; /* that one, or what is computed again; NULL: the value itself */
    QnIrValue *into;    /* what flows into it; NULL: nothing */
    struct Flow *next;
    QnIrValue *value;
} Flow;

/* A node on the way back from y. */
typedef struct Visit {
    int round;
    QnNode *node, *instead; /* `instead`: the copy that is computed from what is given */
    QnIrValue **reads;      /* [read_count] inputs, and what graphs inside it read from outside */
    int read_count, at;
    bool is_active, is_replaced;
    struct Visit *parent;   /* while nodes are being found */
    struct Visit *previous; /* in the order in which they were done */
    struct Visit *next;     /* of all */
} Visit;

/* One Gradient at work. */
typedef struct Gradient {
    QnPassCall *call;
    QnNode *node;
    int round, x_count, count; /* of xs; of xs and zs */
    QnIrValue *y;
    QnArena *scratch;
    Flow *flows;    /* of all rounds */
    Visit *visits;  /* likewise */
    Visit *last;    /* the node that was done last */
    int first_node; /* the number of nodes before the pass */
} Gradient;

static QnStatus fail(const Gradient *g, const QnNode *node, const char *why)
{
    char label[256], inner[256];
    return qn_fail(g->call->err, QN_UNSUPPORTED, "%s: on the way from its xs to '%s': %s (%s) %s",
                   qn_node_label(g->node, label, sizeof label), g->y->name,
                   qn_node_label(node, inner, sizeof inner), node->op, why);
}

/* ---- what is known of values and nodes ---- */

/* What is known of a value in this round; NULL where there is no memory. */
static Flow *flow_of(Gradient *g, QnIrValue *value)
{
    Flow *flow = value->mark;
    if (!flow) {
        flow = qn_arena_alloc(g->scratch, sizeof *flow);
        if (!flow)
            return NULL;
        flow->next = g->flows;
        g->flows = flow;
        value->mark = flow;
    }
    if (flow->round != g->round)
        *flow = (Flow){.round = g->round, .next = flow->next, .value = value};
    return flow;
}

static Visit *visit_of(Gradient *g, QnNode *node)
{
    Visit *visit = node->mark;
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

static void clear_marks(Gradient *g)
{
    for (Flow *flow = g->flows; flow; flow = flow->next)
        flow->value->mark = NULL;
    for (Visit *visit = g->visits; visit; visit = visit->next)
        visit->node->mark = NULL;
}

/* ---- the nodes between ---- */

static int count_captured(const QnNode *node, QnIrValue **reads)
{
    int count = 0;
    QnGraph *graph;
    for (int i = 0; (graph = qn_node_graph(node, i)); i++)
        for (const QnNode *inner = qn_graph_walk(graph, NULL); inner;
             inner = qn_graph_walk(graph, inner))
            for (int k = 0; k < inner->input_count; k++) {
                QnIrValue *value = inner->inputs[k].value;
                if (!value || qn_graph_is_within(value->graph, graph))
                    continue;
                if (reads)
                    reads[count] = value;
                count++;
            }
    return count;
}

static QnStatus open_visit(Gradient *g, Visit *visit, QnNode *node, Visit *parent)
{
    const int captured = count_captured(node, NULL);
    *visit = (Visit){.round = g->round,
                     .node = node,
                     .read_count = node->input_count + captured,
                     .parent = parent,
                     .next = visit->next};
    QN_ALLOC(visit->reads, g->scratch, visit->read_count);
    for (int i = 0; i < node->input_count; i++)
        visit->reads[i] = node->inputs[i].value;
    count_captured(node, visit->reads + node->input_count);
    return QN_OK;
}

/* All that the node reads is known: so is what it makes. */
static QnStatus close_visit(Gradient *g, Visit *visit)
{
    for (int i = 0; i < visit->read_count; i++) {
        const Flow *flow = visit->reads[i] ? flow_of(g, visit->reads[i]) : NULL;
        if (visit->reads[i] && !flow)
            return QN_NO_MEMORY;
        visit->is_active = visit->is_active || (flow && flow->is_active);
        visit->is_replaced = visit->is_replaced || (flow && flow->is_replaced);
    }
    for (int i = 0; i < visit->node->output_count; i++) {
        QnIrValue *made = visit->node->outputs[i];
        Flow *flow = made ? flow_of(g, made) : NULL;
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
static QnStatus next_maker(Gradient *g, Visit *visit, QnNode **out)
{
    *out = NULL;
    while (!*out && visit->at < visit->read_count) {
        QnIrValue *value = visit->reads[visit->at++];
        const Flow *flow = value ? flow_of(g, value) : NULL;
        if (value && !flow)
            return QN_NO_MEMORY;
        if (!value || flow->is_named || !value->node)
            continue;
        const Visit *made = value->node->mark;
        if (!made || made->round != g->round)
            *out = value->node;
    }
    return QN_OK;
}

static QnStatus begin_visit(Gradient *g, QnNode *node, Visit **at)
{
    Visit *visit = visit_of(g, node);
    if (!visit)
        return QN_NO_MEMORY;
    QN_TRY(open_visit(g, visit, node, *at));
    *at = visit;
    return QN_OK;
}

/* Depth first, without recursion: models may be deep. */
static QnStatus find_nodes(Gradient *g)
{
    Visit *at = NULL;
    Flow *y = flow_of(g, g->y);
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

static QnIrValue *instead_of(Gradient *g, QnIrValue *value)
{
    Flow *flow = value ? flow_of(g, value) : NULL;
    return flow && flow->instead ? flow->instead : value;
}

static QnStatus copy_attributes(const Gradient *g, const QnNode *from, QnNode *to)
{
    for (int i = 0; i < from->attribute_count; i++) {
        const QnAttributeKind kind = from->attributes[i].kind;
        if (kind == QN_ATTRIBUTE_GRAPH || kind == QN_ATTRIBUTE_GRAPHS)
            return fail(g, from, "holds a graph, and is to be computed again for other values");
        QN_TRY(qn_node_set(to, &from->attributes[i]));
    }
    return QN_OK;
}

static QnStatus compute_again(Gradient *g, Visit *visit)
{
    const QnNode *node = visit->node;
    QnIrValue **inputs;
    QN_ALLOC(inputs, g->scratch, node->input_count);
    for (int i = 0; i < node->input_count; i++)
        inputs[i] = instead_of(g, node->inputs[i].value);
    QnNode *copy = qn_node_create(g->node->graph, g->node, node->op, node->domain, inputs,
                                  node->input_count, node->output_count);
    if (!copy)
        return QN_NO_MEMORY;
    copy->origin = node->origin;
    copy->def = node->def;
    QN_TRY(copy_attributes(g, node, copy));
    for (int i = 0; i < node->output_count; i++) {
        if (node->outputs[i])
            flow_of(g, node->outputs[i])->instead = copy->outputs[i];
        else
            copy->outputs[i] = NULL;
    }
    visit->instead = copy;
    return qn_infer_node(copy, g->call->err);
}

/* From the first node to the last: the list goes the other way. */
static QnStatus compute_replaced(Gradient *g)
{
    Visit *order = NULL;
    for (Visit *visit = g->last; visit; visit = visit->previous) {
        visit->parent = order;
        order = visit;
    }
    for (; order; order = order->parent)
        if (order->is_replaced)
            QN_TRY(compute_again(g, order));
    return QN_OK;
}

/* ---- flowing back ---- */

/* Adds to what flows into a value. */
static QnStatus add_flow(Gradient *g, QnDerive *d, QnIrValue *value, QnIrValue *more)
{
    Flow *flow = flow_of(g, value);
    if (!flow)
        return QN_NO_MEMORY;
    flow->into = flow->into ? QN_DERIVE(d, "Add", flow->into, more) : more;
    return d->build.status;
}

static QnStatus check_rule(Gradient *g, const QnDerive *d)
{
    for (int i = 0; i < d->gradient_count; i++)
        if (d->gradients[i] && !d->is_read[i] && i > 0)
            return fail(g, d->node, "has no derivative of all of its outputs");
    for (int i = 0; i < d->node->input_count; i++)
        if (d->wanted[i] && !d->is_said[i])
            return fail(g, d->node, "has no derivative by all of its inputs");
    if (g->call->module->node_count - g->first_node > NODE_LIMIT)
        return qn_fail(g->call->err, QN_BAD_MODEL, "its gradients take over %d nodes", NODE_LIMIT);
    return QN_OK;
}

/* A wrong sign, for scripts/mutants. */
static void spoil(QnDerive *d)
{
    for (int i = 0; i < d->node->input_count; i++)
        if (d->results[i] && qn_fault("derivative", d->rule->op))
            d->results[i] = QN_DERIVE(d, "Neg", d->results[i]);
}

/* What is known of the flows around one node; false where nothing flows into it. */
static QnStatus gather(Gradient *g, const Visit *visit, QnDerive *d, bool *wanted, bool *flows)
{
    *flows = false;
    for (int i = 0; i < d->gradient_count; i++) {
        const Flow *flow = visit->node->outputs[i] ? flow_of(g, visit->node->outputs[i]) : NULL;
        d->gradients[i] = flow && !flow->is_named ? flow->into : NULL;
        *flows = *flows || d->gradients[i];
    }
    for (int i = 0; i < visit->node->input_count; i++) {
        const Flow *flow = visit->reads[i] ? flow_of(g, visit->reads[i]) : NULL;
        wanted[i] = flow && flow->is_active;
    }
    return QN_OK;
}

static QnStatus flow_through(Gradient *g, const Visit *visit)
{
    bool flows, *wanted;
    QnDerive d = {.build = {.at = g->node, .err = g->call->err},
                  .node = visit->instead ? visit->instead : visit->node,
                  .rule = qn_derivative_find(visit->node),
                  .gradient_count = visit->node->output_count};
    QN_ALLOC(d.gradients, g->scratch, d.gradient_count);
    QN_ALLOC(d.is_read, g->scratch, d.gradient_count);
    QN_ALLOC(wanted, g->scratch, visit->node->input_count);
    QN_ALLOC(d.results, g->scratch, visit->node->input_count);
    QN_ALLOC(d.is_said, g->scratch, visit->node->input_count);
    d.wanted = wanted;
    QN_TRY(gather(g, visit, &d, wanted, &flows));
    if (!flows)
        return QN_OK;
    if (!d.rule)
        return fail(g, visit->node, "has no derivative");
    QN_TRY(qn_derive(&d));
    QN_TRY(check_rule(g, &d));
    spoil(&d);
    for (int i = 0; i < visit->node->input_count; i++)
        if (wanted[i] && d.results[i])
            QN_TRY(add_flow(g, &d, visit->reads[i], d.results[i]));
    return d.build.status;
}

/* ---- the ends ---- */

static QnIrValue *filled(QnDerive *d, QnIrValue *like, double number)
{
    QnIrValue *scalar = qn_build_scalar(&d->build, like->type.element, number);
    return like->type.shape.rank == 0 ? scalar
                                      : QN_DERIVE(d, "Expand", scalar, QN_DERIVE(d, "Shape", like));
}

/* The Gradient's output becomes `value`, which takes its name where it has none of its own. */
static QnStatus name_output(QnDerive *d, int i, QnIrValue *value)
{
    QnIrValue *old = d->node->outputs[i];
    if (!value || !old)
        return d->build.status;
    if (!value->node || !qn_value_is_made_up(value))
        value = QN_DERIVE(d, "Identity", value);
    if (!value)
        return d->build.status;
    const char *name = old->name;
    const bool is_made_up = qn_value_is_made_up(old);
    qn_value_replace(old, value);
    QN_TRY(qn_value_set_name(old, NULL));
    return is_made_up ? QN_OK : qn_value_set_name(value, name);
}

/* Nodes that nobody reads: rules say more than is wanted. */
static void prune(QnNode *first, QnNode *end)
{
    QnNode *previous;
    for (QnNode *node = end->prev; node != first; node = previous) {
        bool is_read = false;
        previous = node->prev;
        for (int i = 0; i < node->output_count; i++)
            is_read = is_read || (node->outputs[i] && node->outputs[i]->uses);
        if (!is_read)
            qn_node_remove(node);
    }
}

static QnStatus write_outputs(Gradient *g)
{
    QnDerive d = {.build = {.at = g->node, .err = g->call->err}, .node = g->node};
    for (int i = 0; i < g->node->output_count; i++) {
        const Flow *flow = flow_of(g, g->node->inputs[g->count + i].value);
        if (!flow)
            return QN_NO_MEMORY;
        if (!g->node->outputs[i] || !g->node->outputs[i]->uses)
            continue;
        QN_TRY(
            name_output(&d, i, flow->into ? flow->into : filled(&d, g->node->inputs[i].value, 0)));
    }
    return d.build.status;
}

/* ---- one Gradient ---- */

static QnStatus check_types(const Gradient *g)
{
    char label[256];
    for (int i = 0; i < g->x_count; i++) {
        const QnIrValue *x = g->node->inputs[g->count + i].value;
        if (!x || !qn_derive_is_smooth(x))
            return qn_fail(g->call->err, QN_BAD_MODEL,
                           "%s: xs[%d] '%s' is no tensor of floating-point numbers",
                           qn_node_label(g->node, label, sizeof label), i, x ? x->name : "");
    }
    if (!g->y || !qn_derive_is_smooth(g->y))
        return qn_fail(g->call->err, QN_BAD_MODEL,
                       "%s: y '%s' is no tensor of floating-point numbers",
                       qn_node_label(g->node, label, sizeof label), g->y ? g->y->name : "");
    return QN_OK;
}

/* The named values are where the way back ends. */
static QnStatus name_ends(Gradient *g)
{
    for (int i = 0; i < g->count; i++) {
        QnIrValue *named = g->node->inputs[g->count + i].value, *given = g->node->inputs[i].value;
        Flow *flow = named ? flow_of(g, named) : NULL;
        if (!flow)
            return named ? QN_NO_MEMORY : QN_OK;
        flow->is_named = true;
        flow->is_active = flow->is_active || i < g->x_count;
        flow->is_replaced = given && given != named;
        flow->instead = flow->is_replaced ? given : NULL;
    }
    return QN_OK;
}

static QnStatus expand(Gradient *g)
{
    QnDerive d = {.build = {.at = g->node, .err = g->call->err}, .node = g->node};
    QnNode *before = g->node->prev;
    QN_TRY(check_types(g));
    QN_TRY(name_ends(g));
    QN_TRY(find_nodes(g));
    QN_TRY(compute_replaced(g));
    QnIrValue *seed = filled(&d, instead_of(g, g->y), 1);
    if (!seed)
        return d.build.status;
    QN_TRY(add_flow(g, &d, g->y, seed));
    for (const Visit *visit = g->last; visit; visit = visit->previous)
        if (visit->is_active)
            QN_TRY(flow_through(g, visit));
    QN_TRY(write_outputs(g));
    prune(before, g->node);
    return QN_OK;
}

static int count_names(const QnNode *node, const char *name)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    return list && list->kind == QN_ATTRIBUTE_STRINGS ? list->count : 0;
}

/* Inference has checked that the counts fit, unless it was not asked. */
static bool begin(Gradient *g, QnNode *node)
{
    g->node = node;
    g->x_count = count_names(node, "xs");
    g->count = g->x_count + count_names(node, "zs");
    g->last = NULL;
    g->round++;
    if (node->input_count != 2 * g->count + 1 || node->output_count > g->x_count)
        return false;
    g->y = node->inputs[2 * g->count].value;
    return true;
}

static bool is_gradient(const QnNode *node)
{
    return !strcmp(node->op, "Gradient") && !strcmp(node->domain, "ai.onnx.preview.training");
}

static QnStatus expand_all(Gradient *g)
{
    QnNode *next = qn_module_walk(g->call->module, NULL);
    while (next) {
        QnNode *node = next;
        next = qn_module_walk(g->call->module, node);
        if (!is_gradient(node) || !begin(g, node))
            continue;
        QN_TRY(expand(g));
        qn_node_remove(node);
        g->call->changes++;
    }
    return QN_OK;
}

static QnStatus run(QnPassCall *call)
{
    QnArena scratch;
    qn_arena_init(&scratch, call->module->arena.allocator);
    Gradient g = {.call = call, .scratch = &scratch, .first_node = call->module->node_count};
    const QnStatus status = expand_all(&g);
    clear_marks(&g);
    qn_arena_finish(&scratch);
    return status;
}

const QnPass qn_pass_gradient = {
    .name = "gradient",
    .what = "puts the operators in the place of Gradient that compute it; results stay bit-equal",
    .keeps_onnx = true,
    .is_exact = true,
    .is_required = true,
    .keeps_values = true,
    .run = run,
};
