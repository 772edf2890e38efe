/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps are needed, how long values live, and where each of them is stored. */
#include "engine/plan/planner.h"

/* ---- dead steps ---- */

/* Steps that decide what runs next, or what is known, are always needed. */
static bool is_anchor(const QnStep *step)
{
    switch (step->kind) {
    case QN_STEP_LATE_BIND:
    case QN_STEP_JUMP:
    case QN_STEP_JUMP_IF_NOT:
    case QN_STEP_LOOP_BEGIN:
    case QN_STEP_LOOP_TEST:
    case QN_STEP_LOOP_NEXT:
        return true;
    default:
        return false;
    }
}

static bool mark(bool *needed, int value)
{
    if (value < 0 || needed[value])
        return false;
    return needed[value] = true;
}

/* Marks what a needed step reads; true where that is news. */
static bool mark_inputs(const QnPlan *plan, const QnStep *step, bool *needed)
{
    bool changed = false;
    for (int i = 0; i < step->input_count; i++)
        changed |= mark(needed, step->inputs[i]);
    for (int i = 0; i < step->symbol_count; i++)
        changed |= mark(needed, step->symbols[i].value);
    for (int i = 0; i < step->output_count; i++)
        if (step->outputs[i] >= 0 && plan->values[step->outputs[i]].storage == QN_STORE_VIEW)
            changed |= mark(needed, plan->values[step->outputs[i]].base);
    return changed;
}

static bool is_needed(const QnStep *step, const bool *needed)
{
    if (is_anchor(step))
        return true;
    for (int i = 0; i < step->output_count; i++)
        if (step->outputs[i] >= 0 && needed[step->outputs[i]])
            return true;
    return false;
}

/* Removes the steps that are not needed; jumps go to what follows their target. */
static QnStatus compact(QnPlanner *p, const bool *needed)
{
    QnPlan *plan = p->plan;
    int *moved, kept = 0;
    QN_ALLOC(moved, &p->scratch, plan->step_count + 1);
    for (int s = 0; s < plan->step_count; s++) {
        moved[s] = kept;
        if (is_needed(&plan->steps[s], needed))
            plan->steps[kept++] = plan->steps[s];
    }
    moved[plan->step_count] = kept;
    plan->step_count = kept;
    for (int s = 0; s < kept; s++)
        if (plan->steps[s].target >= 0)
            plan->steps[s].target = moved[plan->steps[s].target];
    return QN_OK;
}

QnStatus qn_planner_drop_dead(QnPlanner *p)
{
    QnPlan *plan = p->plan;
    bool *needed;
    QN_ALLOC(needed, &p->scratch, plan->value_count);
    for (int i = 0; i < plan->output_count; i++)
        mark(needed, plan->outputs[i]);
    for (bool changed = true; changed;) {
        changed = false;
        for (int s = plan->step_count - 1; s >= 0; s--)
            if (is_needed(&plan->steps[s], needed))
                changed |= mark_inputs(plan, &plan->steps[s], needed);
    }
    return compact(p, needed);
}

/* ---- lifetimes ---- */

static int root_of(const QnPlan *plan, int value)
{
    while (plan->values[value].storage == QN_STORE_VIEW)
        value = plan->values[value].base;
    return value;
}

static void touch(QnPlan *plan, int value, int step)
{
    if (value < 0)
        return;
    QnPlanValue *at = &plan->values[value];
    if (at->first < 0 || step < at->first)
        at->first = step;
    if (step > at->last)
        at->last = step;
}

/* Lets `value` live at least as long as `other`; true where that is news. */
static bool outlive(QnPlan *plan, int value, int other)
{
    if (value < 0 || other < 0 || plan->values[value].last >= plan->values[other].last)
        return false;
    plan->values[value].last = plan->values[other].last;
    return true;
}

/* What is read inside a loop but made before it is read again in the next round. */
static bool extend_over_loops(QnPlan *plan)
{
    bool changed = false;
    for (int s = 0; s < plan->step_count; s++) {
        if (plan->steps[s].kind != QN_STEP_LOOP_NEXT)
            continue;
        const int head = plan->steps[s].target;
        for (int v = 0; v < plan->value_count; v++) {
            QnPlanValue *at = &plan->values[v];
            if (at->first >= 0 && at->first < head && at->last >= head && at->last < s) {
                at->last = s;
                changed = true;
            }
        }
    }
    return changed;
}

/* Values whose data others point into live as long as those. */
static bool extend_over_aliases(QnPlan *plan)
{
    bool changed = false;
    for (int s = plan->step_count - 1; s >= 0; s--) {
        const QnStep *step = &plan->steps[s];
        const bool is_alias = step->kind == QN_STEP_ASSIGN || step->kind == QN_STEP_SLICE ||
                              step->kind == QN_STEP_FINISH;
        if (is_alias)
            changed |= outlive(plan, step->inputs[0], step->outputs[0]);
    }
    for (int v = plan->value_count - 1; v >= 0; v--)
        if (plan->values[v].storage == QN_STORE_VIEW)
            changed |= outlive(plan, plan->values[v].base, v);
    return changed;
}

static void find_lifetimes(QnPlan *plan)
{
    for (int s = 0; s < plan->step_count; s++) {
        const QnStep *step = &plan->steps[s];
        for (int i = 0; i < step->input_count; i++)
            touch(plan, step->inputs[i], s);
        for (int i = 0; i < step->output_count; i++)
            touch(plan, step->outputs[i], s);
        for (int i = 0; i < step->symbol_count; i++)
            touch(plan, step->symbols[i].value, s);
    }
    for (int i = 0; i < plan->input_count; i++)
        touch(plan, plan->inputs[i], 0);
    for (int i = 0; i < plan->output_count; i++)
        touch(plan, plan->outputs[i], plan->step_count);
    while (extend_over_aliases(plan) || extend_over_loops(plan))
        ;
}

/* ---- in place ---- */

static bool is_same_shape(const QnPlanValue *a, const QnPlanValue *b)
{
    if (a->type.shape.rank != b->type.shape.rank || a->layout.kind != b->layout.kind ||
        qn_type_size(a->type.element) != qn_type_size(b->type.element))
        return false;
    for (int d = 0; d < a->type.shape.rank; d++)
        if (a->type.shape.dims[d] != b->type.shape.dims[d])
            return false;
    return true;
}

/* May output 0 of step s take over the memory of the input that the offer named? */
static bool can_take_over(const QnPlan *plan, const QnStep *step, int s)
{
    if (step->kind != QN_STEP_COMPUTE || step->in_place == 0 || step->outputs[0] < 0)
        return false;
    const int input = step->inputs[step->in_place - 1];
    if (input < 0)
        return false;
    const int root = root_of(plan, input);
    const QnPlanValue *from = &plan->values[root], *to = &plan->values[step->outputs[0]];
    if (from->storage != QN_STORE_SLAB || to->storage != QN_STORE_SLAB || from->is_late ||
        to->is_late)
        return false;
    if (from->last != s || !is_same_shape(&plan->values[input], to) || !is_same_shape(from, to))
        return false;
    for (int i = 0; i < step->input_count; i++)
        if (step->inputs[i] >= 0 && step->inputs[i] != input &&
            root_of(plan, step->inputs[i]) == root)
            return false;
    return true;
}

static void take_over(QnPlan *plan)
{
    for (int s = 0; s < plan->step_count; s++) {
        const QnStep *step = &plan->steps[s];
        if (!can_take_over(plan, step, s))
            continue;
        const int base = root_of(plan, step->inputs[step->in_place - 1]);
        QnPlanValue *to = &plan->values[step->outputs[0]];
        to->storage = QN_STORE_VIEW;
        to->base = base;
        plan->values[base].last = to->last;
    }
}

/* ---- slots for values whose size is known only while running ---- */

/* The start of the stretch of steps that are bound together with step s. */
static int bound_since(const QnPlan *plan, int s)
{
    while (s > 0 && plan->steps[s].kind != QN_STEP_LATE_BIND)
        s--;
    return s;
}

/* Gives each late value a slot that no other value alive with it has.
 * `until[slot]`: its last step so far. */
static QnStatus give_slots(QnPlanner *p)
{
    QnPlan *plan = p->plan;
    int *until;
    QN_ALLOC(until, &p->scratch, plan->value_count);
    for (int s = 0; s < plan->step_count; s++) {
        const QnStep *step = &plan->steps[s];
        for (int i = 0; i < step->output_count; i++) {
            const int v = step->outputs[i];
            if (v < 0 || plan->values[v].storage != QN_STORE_LATE || plan->values[v].slot >= 0)
                continue;
            const int since = bound_since(plan, s);
            int slot = plan->values[v].is_exclusive ? plan->slot_count : 0;
            while (slot < plan->slot_count && until[slot] >= since)
                slot++;
            if (slot == plan->slot_count)
                plan->slot_count++;
            until[slot] =
                plan->values[v].is_exclusive ? plan->step_count + 1 : plan->values[v].last;
            plan->values[v].slot = slot;
        }
    }
    return QN_OK;
}

static void find_segments(QnPlan *plan)
{
    int end = plan->step_count;
    for (int s = plan->step_count - 1; s >= 0; s--) {
        plan->steps[s].segment_end = end;
        if (plan->steps[s].kind == QN_STEP_LATE_BIND)
            end = s;
    }
}

static QnStatus find_input_views(QnPlanner *p)
{
    QnPlan *plan = p->plan;
    QN_ALLOC(plan->input_views, p->arena, plan->value_count);
    for (int s = 0; s < plan->step_count && plan->steps[s].kind != QN_STEP_LATE_BIND; s++) {
        if (plan->steps[s].kind != QN_STEP_VIEW)
            continue;
        const int view = plan->steps[s].outputs[0];
        if (plan->values[root_of(plan, view)].storage == QN_STORE_INPUT)
            plan->input_views[plan->input_view_count++] = s;
    }
    return QN_OK;
}

QnStatus qn_planner_place(QnPlanner *p)
{
    QnPlan *plan = p->plan;
    for (int v = 0; v < plan->value_count; v++)
        if (plan->values[v].storage == QN_STORE_SLAB && plan->values[v].is_late)
            plan->values[v].storage = QN_STORE_LATE;
    find_lifetimes(plan);
    take_over(plan);
    find_segments(plan);
    QN_TRY(give_slots(p));
    size_t offset = 0;
    for (int s = 0; s < plan->step_count; s++) {
        plan->steps[s].params_offset = offset;
        if (plan->steps[s].code)
            offset += (plan->steps[s].code->params_size + 63) & ~(size_t)63;
    }
    plan->params_size = offset;
    return find_input_views(p);
}
