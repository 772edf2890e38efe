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
#include "engine/ir/text.h"
#include "engine/passes/derive.h"
#include "engine/passes/gradient_path.h"

/* ---- flowing back ---- */

/* Adds to what flows into a value. */
static QnStatus add_flow(QnGradient *g, QnDerive *d, QnIrValue *value, QnIrValue *more)
{
    QnFlow *flow = qn_gradient_flow(g, value);
    if (!flow)
        return QN_NO_MEMORY;
    flow->into = flow->into ? QN_DERIVE(d, "Add", flow->into, more) : more;
    return d->build.status;
}

static QnStatus check_rule(QnGradient *g, const QnDerive *d)
{
    for (int i = 0; i < d->gradient_count; i++)
        if (d->gradients[i] && !d->is_read[i] && i > 0)
            return qn_gradient_fail(g, d->node, "has no derivative of all of its outputs");
    for (int i = 0; i < d->node->input_count; i++)
        if (d->wanted[i] && !d->is_said[i])
            return qn_gradient_fail(g, d->node, "has no derivative by all of its inputs");
    return qn_gradient_check_limit(g);
}

/* A wrong sign, for scripts/mutants. */
static void spoil(QnDerive *d)
{
    for (int i = 0; i < d->node->input_count; i++)
        if (d->results[i] && qn_fault("derivative", d->rule->op))
            d->results[i] = QN_DERIVE(d, "Neg", d->results[i]);
}

/* What is known of the flows around one node; false where nothing flows into it. */
static bool gather(QnGradient *g, const QnVisit *visit, QnDerive *d, bool *wanted)
{
    bool flows = false;
    for (int i = 0; i < d->gradient_count; i++) {
        const QnFlow *flow =
            visit->node->outputs[i] ? qn_gradient_flow(g, visit->node->outputs[i]) : NULL;
        d->gradients[i] = flow && !flow->is_named ? flow->into : NULL;
        flows = flows || d->gradients[i];
    }
    for (int i = 0; i < visit->node->input_count; i++) {
        const QnFlow *flow = visit->reads[i] ? qn_gradient_flow(g, visit->reads[i]) : NULL;
        wanted[i] = flow && flow->is_active;
    }
    return flows;
}

static QnStatus flow_through(QnGradient *g, const QnVisit *visit)
{
    bool *wanted;
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
    if (!gather(g, visit, &d, wanted))
        return QN_OK;
    if (!d.rule)
        return qn_gradient_fail(g, visit->node, "has no derivative");
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

static QnStatus write_outputs(QnGradient *g)
{
    QnDerive d = {.build = {.at = g->node, .err = g->call->err}, .node = g->node};
    for (int i = 0; i < g->node->output_count; i++) {
        const QnFlow *flow = qn_gradient_flow(g, g->node->inputs[g->count + i].value);
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

static QnStatus check_type(const QnGradient *g, const char *attribute, const QnIrValue *value)
{
    char label[256], type[256] = "absent";
    if (qn_derive_is_smooth(value))
        return QN_OK;
    if (value)
        qn_ir_type_print(&g->call->module->dims, &value->type, type, sizeof type);
    return qn_fail(g->call->err, QN_BAD_MODEL,
                   "%s: '%s' of its %s is %s, expected a tensor of floating-point numbers",
                   qn_node_label(g->node, label, sizeof label), value ? value->name : "", attribute,
                   type);
}

static QnStatus check_types(const QnGradient *g)
{
    for (int i = 0; i < g->x_count; i++)
        QN_TRY(check_type(g, "xs", g->node->inputs[g->count + i].value));
    return check_type(g, "y", g->y);
}

/* The named values are where the way back ends. */
static QnStatus name_ends(QnGradient *g)
{
    for (int i = 0; i < g->count; i++) {
        QnIrValue *named = g->node->inputs[g->count + i].value, *given = g->node->inputs[i].value;
        QnFlow *flow = named ? qn_gradient_flow(g, named) : NULL;
        if (!flow)
            return named ? QN_NO_MEMORY : QN_OK;
        flow->is_named = true;
        flow->is_active = flow->is_active || i < g->x_count;
        flow->is_replaced = given && given != named;
        flow->instead = flow->is_replaced ? given : NULL;
    }
    return QN_OK;
}

static QnStatus expand(QnGradient *g)
{
    QnDerive d = {.build = {.at = g->node, .err = g->call->err}, .node = g->node};
    QnNode *before = g->node->prev;
    QN_TRY(check_types(g));
    QN_TRY(name_ends(g));
    QN_TRY(qn_gradient_find_nodes(g));
    QN_TRY(qn_gradient_compute_again(g));
    QnIrValue *seed = filled(&d, qn_gradient_instead(g, g->y), 1);
    if (!seed)
        return d.build.status;
    QN_TRY(add_flow(g, &d, g->y, seed));
    for (const QnVisit *visit = g->last; visit; visit = visit->previous)
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
static bool begin(QnGradient *g, QnNode *node)
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

static QnStatus expand_all(QnGradient *g)
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
    QnGradient g = {.call = call, .scratch = &scratch, .first_node = call->module->node_count};
    const QnStatus status = expand_all(&g);
    qn_gradient_finish(&g);
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
