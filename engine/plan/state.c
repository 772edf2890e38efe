/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which inputs and outputs are state, and which of these only grow.
 *
 * Pairs come from the caller, from the module's variables, or from names: past* and present* that
 * agree in the rest. A state grows where its output is a Concat of the input and something else
 * that nobody but that Concat reads: then appending writes the new rows only.
 */
#include "engine/plan/planner.h"

static int find_input(const QnGraph *main, const char *name)
{
    for (int i = 0; i < main->input_count; i++)
        if (!strcmp(main->inputs[i]->name, name))
            return i;
    return -1;
}

static int find_output(const QnGraph *main, const char *name)
{
    for (int i = 0; i < main->output_count; i++)
        if (!strcmp(main->output_names[i], name))
            return i;
    return -1;
}

/* The Concat that makes the output from the input and one other value; its axis, or -1. */
static int append_axis(const QnGraph *main, int input, int output)
{
    const QnIrValue *past = main->inputs[input], *present = main->outputs[output].value;
    const QnNode *concat = present ? present->node : NULL;
    if (!concat || strcmp(concat->op, "Concat") != 0 || concat->input_count != 2 ||
        concat->inputs[0].value != past || concat->inputs[1].value == past ||
        qn_value_count_uses(past) != 1 || past->type.kind != QN_TENSOR)
        return -1;
    const int rank = past->type.shape.rank;
    const int64_t axis = qn_node_int(concat, "axis", 0);
    if (rank < 1 || axis < -rank || axis >= rank || past->type.element == QN_STRING)
        return -1;
    return (int)(axis < 0 ? axis + rank : axis);
}

/* Only tensors of numbers are kept: strings and collections live until their run ends. */
static bool can_keep(const QnIrValue *value)
{
    return value && value->type.kind == QN_TENSOR && value->type.element != QN_STRING;
}

static QnStatus add_state(QnPlanner *p, const char *input_name, const char *output_name,
                          int *capacity)
{
    QnPlan *plan = p->plan;
    const QnGraph *main = plan->module->main;
    const int input = find_input(main, input_name), output = find_output(main, output_name);
    if (input < 0 || output < 0)
        return qn_fail(p->err, QN_BAD_ARGUMENT, "state %s, %s: there is no %s '%s'", input_name,
                       output_name, input < 0 ? "input" : "output",
                       input < 0 ? input_name : output_name);
    if (!can_keep(main->inputs[input]) || !can_keep(main->outputs[output].value))
        return qn_fail(p->err, QN_UNSUPPORTED, "state %s, %s: only tensors of numbers can be kept",
                       input_name, output_name);
    for (int s = 0; s < plan->state_count; s++)
        if (plan->states[s].input == input || plan->states[s].output == output)
            return qn_fail(p->err, QN_BAD_ARGUMENT, "state %s, %s: one of them is in another pair",
                           input_name, output_name);
    QN_GROW(plan->states, plan->state_count, *capacity, p->arena);
    plan->states[plan->state_count++] =
        (QnPlanState){input, output, append_axis(main, input, output)};
    return QN_OK;
}

/* past_key_values.0.key and present.0.key: what follows the first word, without a "_key_values". */
static const char *name_tail(const char *name, const char *word)
{
    const size_t size = strlen(word);
    if (strncmp(name, word, size) != 0)
        return NULL;
    name += size;
    return strncmp(name, "_key_values", 11) == 0 ? name + 11 : name;
}

static QnStatus match_names(QnPlanner *p, int *capacity)
{
    const QnGraph *main = p->plan->module->main;
    for (int i = 0; i < main->input_count; i++) {
        const char *past = name_tail(main->inputs[i]->name, "past");
        for (int o = 0; past && o < main->output_count; o++) {
            const char *present = name_tail(main->output_names[o], "present");
            if (present && !strcmp(past, present) && can_keep(main->inputs[i]) &&
                can_keep(main->outputs[o].value))
                QN_TRY(add_state(p, main->inputs[i]->name, main->output_names[o], capacity));
        }
    }
    return QN_OK;
}

QnStatus qn_planner_find_states(QnPlanner *p)
{
    const QnModule *module = p->plan->module;
    int capacity = 0;
    const char *const *names = p->request->states;
    for (; names && names[0] && names[1]; names += 2)
        QN_TRY(add_state(p, names[0], names[1], &capacity));
    if (p->request->states)
        return QN_OK;
    for (int v = 0; v < module->variable_count; v++)
        QN_TRY(add_state(p, module->main->inputs[module->variables[v].input]->name,
                         module->main->output_names[module->variables[v].output], &capacity));
    return module->variable_count ? QN_OK : match_names(p, &capacity);
}

int qn_planner_growing_state(const QnPlanner *p, const QnNode *node)
{
    const QnPlan *plan = p->plan;
    for (int s = 0; s < plan->state_count; s++)
        if (plan->states[s].append_axis >= 0 &&
            plan->module->main->outputs[plan->states[s].output].value->node == node)
            return s;
    return -1;
}

QnStatus qn_planner_lower_extend(QnPlanner *p, const QnNode *node, int state)
{
    const int past = qn_planner_value(p, node->inputs[0].value);
    int rows = qn_planner_value(p, node->inputs[1].value);
    if (past < 0 || rows < 0)
        return qn_planner_fail_value(p, node->inputs[past < 0 ? 0 : 1].value);
    QN_TRY(qn_planner_in_layout(p, rows, QN_ACCEPT_PLAIN, &rows));
    const int made =
        qn_planner_add_value(p, node->outputs[0], &node->outputs[0]->type, QN_STORE_ASSIGNED);
    if (made < 0)
        return qn_no_memory(p->err);
    p->plan->values[made].layout.kind = QN_LAYOUT_STRIDED;
    p->of_value[node->outputs[0]->id] = made;
    const int inputs[2] = {past, rows};
    QnStep *step = qn_planner_add_step(p, QN_STEP_EXTEND, node, inputs, 2, &made, 1);
    if (!step)
        return qn_no_memory(p->err);
    step->loop = state;
    step->kernel = "extend";
    return qn_planner_late_bind(p, &made, 1);
}
