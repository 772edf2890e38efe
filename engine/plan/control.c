/* SPDX-License-Identifier: Apache-2.0 */
/*
 * If, Loop and Scan become steps of the same array: jumps, and values that are assigned more than
 * once.
 *
 *     If:    jump-if-not cond, else          Loop:  begin
 *            <then>; outputs := …                   carried := initial
 *            jump end                         head: test, else end; late-bind
 *      else: late-bind; <else>; outputs := …        <body>; append scan outputs
 *      end:  late-bind                              carried := body's outputs; next, to head
 *                                             end:  finish scan outputs
 *                                                   outputs := carried; late-bind
 *
 * Every place that is reached from two sides begins with a late-bind, so that what follows is bound
 * to the shapes that came this way.
 */
#include "engine/plan/planner.h"

/* Which late symbols are known, to be restored behind what may not run: sizes that were found in
 * there are not known after. */
static QnStatus save_defined(QnPlanner *p, bool **saved)
{
    const size_t count = (size_t)p->plan->module->dims.count;
    QN_ALLOC(*saved, &p->scratch, count);
    if (count)
        memcpy(*saved, p->is_defined, count * sizeof **saved);
    return QN_OK;
}

static void restore_defined(QnPlanner *p, const bool *saved)
{
    const size_t count = (size_t)p->plan->module->dims.count;
    if (count)
        memcpy(p->is_defined, saved, count * sizeof *saved);
}

/* The number of a value in plain layout. */
static QnStatus plain_value(QnPlanner *p, const QnIrValue *value, int *out)
{
    *out = -1;
    if (!value)
        return QN_OK;
    const int id = qn_planner_value(p, value);
    if (id < 0)
        return qn_planner_fail_value(p, value);
    return qn_planner_in_layout(p, id, QN_ACCEPT_PLAIN, out);
}

static QnStatus add_step(QnPlanner *p, QnStepKind kind, const QnNode *node, int input, int output,
                         QnStep **out)
{
    QnStep *step = qn_planner_add_step(p, kind, node, &input, 1, &output, 1);
    if (!step)
        return qn_no_memory(p->err);
    if (out)
        *out = step;
    return QN_OK;
}

/* New values for the wanted outputs [first, first + count) of a node. */
static QnStatus add_outputs(QnPlanner *p, const QnNode *node, int first, int count, int *outputs)
{
    for (int i = 0; i < count; i++) {
        const QnIrValue *value = qn_node_output(node, first + i);
        outputs[i] = -1;
        if (!value)
            continue;
        outputs[i] = qn_planner_add_value(p, value, &value->type, QN_STORE_ASSIGNED);
        if (outputs[i] < 0)
            return qn_no_memory(p->err);
        p->of_value[value->id] = outputs[i];
    }
    return QN_OK;
}

/* ---- If ---- */

static QnStatus lower_branch(QnPlanner *p, const QnNode *node, QnGraph *branch, const int *outputs)
{
    bool *defined;
    QN_TRY(save_defined(p, &defined));
    QN_TRY(qn_planner_lower_graph(p, branch));
    for (int i = 0; i < node->output_count; i++) {
        int value;
        if (outputs[i] < 0)
            continue;
        QN_TRY(plain_value(p, branch->outputs[i].value, &value));
        QN_TRY(add_step(p, QN_STEP_ASSIGN, node, value, outputs[i], NULL));
    }
    restore_defined(p, defined);
    return QN_OK;
}

static QnStatus lower_if(QnPlanner *p, const QnNode *node)
{
    int condition, *outputs;
    QN_ALLOC(outputs, &p->scratch, node->output_count);
    QN_TRY(plain_value(p, node->inputs[0].value, &condition));
    QN_TRY(add_outputs(p, node, 0, node->output_count, outputs));
    const QnAttribute *then_branch = qn_node_attribute(node, "then_branch");
    const QnAttribute *else_branch = qn_node_attribute(node, "else_branch");
    QN_TRY(add_step(p, QN_STEP_JUMP_IF_NOT, node, condition, -1, NULL));
    const int test = p->plan->step_count - 1;
    QN_TRY(lower_branch(p, node, then_branch->graph, outputs));
    if (!qn_planner_add_step(p, QN_STEP_JUMP, node, NULL, 0, NULL, 0))
        return qn_no_memory(p->err);
    const int jump = p->plan->step_count - 1;
    p->plan->steps[test].target = p->plan->step_count;
    QN_TRY(qn_planner_late_bind(p, NULL, 0));
    QN_TRY(lower_branch(p, node, else_branch->graph, outputs));
    p->plan->steps[jump].target = p->plan->step_count;
    return qn_planner_late_bind(p, outputs, node->output_count);
}

/* ---- Loop and Scan, which differ in where trip count and sliced inputs come from ---- */

typedef struct Loop {
    const QnNode *node;
    QnGraph *body;
    int number;
    int carried_count, scan_count; /* values from iteration to iteration; stacked outputs */
    int first_carried,
        first_out; /* where carried values begin among the body's inputs and outputs */
    int *carried;  /* [carried_count] */
    int *stacked;  /* [scan_count] the growing tensors */
    int *bound;    /* [carried_count + slices] what the late-bind at the head reads */
    int bound_count;
    int head, test;
} Loop;

static QnStatus assign_initial(QnPlanner *p, Loop *loop, int first_input)
{
    for (int i = 0; i < loop->carried_count; i++) {
        const QnIrValue *formal = loop->body->inputs[loop->first_carried + i];
        int initial;
        QN_TRY(plain_value(p, qn_node_input(loop->node, first_input + i), &initial));
        const int carried = qn_planner_add_value(
            p, formal, &formal->type,
            formal->type.kind == QN_TENSOR ? QN_STORE_LATE : QN_STORE_ASSIGNED);
        if (carried < 0)
            return qn_no_memory(p->err);
        p->plan->values[carried].is_exclusive = true;
        p->of_value[formal->id] = carried;
        loop->carried[i] = loop->bound[loop->bound_count++] = carried;
        QN_TRY(add_step(p, QN_STEP_ASSIGN, loop->node, initial, carried, NULL));
    }
    return QN_OK;
}

static QnStatus add_register(QnPlanner *p, const QnIrValue *formal, QnType element, int *out)
{
    const QnIrType type = {.kind = QN_TENSOR, .element = element, .shape = {.rank = 0}};
    *out = qn_planner_add_value(p, formal,
                                formal && formal->type.kind == QN_TENSOR ? &formal->type : &type,
                                QN_STORE_REGISTER);
    if (*out < 0)
        return qn_no_memory(p->err);
    p->plan->values[*out].content_offset = (int)p->plan->small_size;
    p->plan->values[*out].segment = -1;
    p->plan->small_size += 64;
    if (formal)
        p->of_value[formal->id] = *out;
    return QN_OK;
}

/* The test at the loop's head; `numbers` are the registers of iteration number and condition,
 * -1 where unused. */
static QnStatus add_test(QnPlanner *p, Loop *loop, const int *numbers)
{
    loop->head = loop->test = p->plan->step_count;
    QnStep *step = qn_planner_add_step(p, QN_STEP_LOOP_TEST, loop->node, NULL, 0, numbers, 2);
    if (!step)
        return qn_no_memory(p->err);
    step->loop = loop->number;
    for (int i = 0; i < 2; i++)
        if (numbers[i] >= 0)
            p->plan->values[numbers[i]].segment = -1;
    return QN_OK;
}

/* Makes the growing tensors and appends this iteration's elements to them. */
static QnStatus append_outputs(QnPlanner *p, Loop *loop)
{
    for (int i = 0; i < loop->scan_count; i++) {
        int element;
        QN_TRY(plain_value(p, loop->body->outputs[loop->first_out + loop->carried_count + i].value,
                           &element));
        const QnIrType type = {.kind = QN_TENSOR,
                               .element = p->plan->values[element].type.element,
                               .shape = qn_shape_unknown()};
        loop->stacked[i] = qn_planner_add_value(p, NULL, &type, QN_STORE_LATE);
        if (loop->stacked[i] < 0)
            return qn_no_memory(p->err);
        p->plan->values[loop->stacked[i]].is_exclusive = true;
        QnStep *step;
        QN_TRY(add_step(p, QN_STEP_APPEND, loop->node, element, loop->stacked[i], &step));
        step->loop = loop->number;
    }
    return QN_OK;
}

/* Does the value lie, or may it lie, in the memory of what is carried?  What an If or a loop inside
 * gives may be anything that was there before. */
static bool is_carried(const QnPlanner *p, const Loop *loop, int value)
{
    while (value >= 0 && p->plan->values[value].storage == QN_STORE_VIEW)
        value = p->plan->values[value].base;
    if (value >= 0 && p->plan->values[value].storage == QN_STORE_ASSIGNED)
        return true;
    for (int i = 0; i < loop->carried_count; i++)
        if (loop->carried[i] == value)
            return true;
    return false;
}

/* Is the value made by a compute or call step of this loop's body,
 * and read by nobody after: may it be swapped? */
static bool is_own(const QnPlanner *p, const Loop *loop, const QnIrValue *out, int value)
{
    const QnPlanValue *at = &p->plan->values[value];
    return at->storage == QN_STORE_SLAB && at->value == out && out->node &&
           out->graph == loop->body && qn_value_count_uses(out) == 1 &&
           at->layout.kind == QN_LAYOUT_PLAIN;
}

/* A copy of a value that taking over would change, before it does. */
static QnStatus keep_aside(QnPlanner *p, const Loop *loop, int value, int *aside)
{
    const QnIrType type = p->plan->values[value].type;
    *aside = qn_planner_add_value(p, NULL, &type,
                                  type.kind == QN_TENSOR ? QN_STORE_LATE : QN_STORE_ASSIGNED);
    if (*aside < 0)
        return qn_no_memory(p->err);
    p->plan->values[*aside].is_exclusive = true;
    return add_step(p, QN_STEP_COPY, loop->node, value, *aside, NULL);
}

/* Carried values that only move (c, d = d, c) are kept aside, so that all are taken over at once;
 * so is the condition, which is read after. */
static QnStatus set_aside(QnPlanner *p, Loop *loop, int *next, int *condition)
{
    for (int i = 0; i < loop->carried_count; i++)
        if (next[i] != loop->carried[i] && loop->carried_count > 1 && is_carried(p, loop, next[i]))
            QN_TRY(keep_aside(p, loop, next[i], &next[i]));
    return *condition >= 0 && is_carried(p, loop, *condition)
               ? keep_aside(p, loop, *condition, condition)
               : QN_OK;
}

static QnStatus take_over(QnPlanner *p, Loop *loop, int *condition)
{
    int *next;
    QN_ALLOC(next, &p->scratch, loop->carried_count);
    for (int i = 0; i < loop->carried_count; i++)
        QN_TRY(plain_value(p, loop->body->outputs[loop->first_out + i].value, &next[i]));
    QN_TRY(set_aside(p, loop, next, condition));
    for (int i = 0; i < loop->carried_count; i++) {
        const QnIrValue *out = loop->body->outputs[loop->first_out + i].value;
        QnStepKind kind = QN_STEP_COPY;
        if (next[i] == loop->carried[i])
            continue;
        if (p->plan->values[loop->carried[i]].storage == QN_STORE_LATE &&
            is_own(p, loop, out, next[i])) {
            p->plan->values[next[i]].storage = QN_STORE_LATE;
            p->plan->values[next[i]].is_exclusive = true;
            kind = QN_STEP_SWAP;
        }
        QN_TRY(add_step(p, kind, loop->node, next[i], loop->carried[i], NULL));
    }
    return QN_OK;
}

/* Values of any strides need a known rank, so that they can be brought into plain layout; others
 * are made plain where they are made. */
static bool has_rank(const QnPlanner *p, int value)
{
    const QnIrType *type = &p->plan->values[value].type;
    return type->kind == QN_TENSOR && type->shape.rank >= 0;
}

/* The node's outputs after the loop: the carried values, and the stacked ones along their axes. */
static QnStatus finish_outputs(QnPlanner *p, Loop *loop, const int *outputs, const int64_t *axes,
                               const int64_t *directions)
{
    for (int i = 0; i < loop->carried_count; i++)
        if (outputs[i] >= 0)
            QN_TRY(add_step(p, QN_STEP_ASSIGN, loop->node, loop->carried[i], outputs[i], NULL));
    for (int i = 0; i < loop->scan_count; i++) {
        const int output = outputs[loop->carried_count + i];
        QnStep *step;
        if (output < 0)
            continue;
        QN_TRY(add_step(p, QN_STEP_FINISH, loop->node, loop->stacked[i], output, &step));
        step->loop = loop->number;
        step->axis = axes ? (int)axes[i] : 0;
        step->is_reversed = directions && directions[i];
        if ((step->axis != 0 || step->is_reversed) && has_rank(p, output))
            p->plan->values[output].layout.kind = QN_LAYOUT_STRIDED;
    }
    return qn_planner_late_bind(p, outputs, loop->node->output_count);
}

/* From the late-bind at the head to the end; `condition_out`: the body's output that says whether
 * to go on. */
static QnStatus lower_body(QnPlanner *p, Loop *loop, const QnIrValue *condition_out)
{
    int condition;
    bool *defined;
    QN_TRY(save_defined(p, &defined));
    QN_TRY(qn_planner_late_bind(p, loop->bound, loop->bound_count));
    QN_TRY(qn_planner_lower_graph(p, loop->body));
    QN_TRY(append_outputs(p, loop));
    QN_TRY(plain_value(p, condition_out, &condition));
    const int test = loop->test;
    QN_TRY(take_over(p, loop, &condition));
    QnStep *next = qn_planner_add_step(p, QN_STEP_LOOP_NEXT, loop->node, &condition, 1, NULL, 0);
    if (!next)
        return qn_no_memory(p->err);
    next->loop = loop->number;
    next->target = loop->head;
    p->plan->steps[test].target = p->plan->step_count;
    restore_defined(p, defined);
    return QN_OK;
}

static QnStatus init_loop(QnPlanner *p, const QnNode *node, Loop *loop, int slices)
{
    loop->node = node;
    loop->body = qn_node_attribute(node, "body")->graph;
    loop->number = p->plan->loop_count++;
    QN_ALLOC(loop->carried, &p->scratch, loop->carried_count);
    QN_ALLOC(loop->stacked, &p->scratch, loop->scan_count);
    QN_ALLOC(loop->bound, &p->scratch, loop->carried_count + slices);
    return QN_OK;
}

/* The outputs that are stacked; trailing ones may be left out. */
static int count_stacked(const QnNode *node, const Loop *loop)
{
    const int count = node->output_count - loop->carried_count;
    return count > 0 ? count : 0;
}

static QnStatus lower_loop(QnPlanner *p, const QnNode *node)
{
    Loop loop = {.carried_count = node->input_count > 2 ? node->input_count - 2 : 0,
                 .first_carried = 2,
                 .first_out = 1};
    loop.scan_count = count_stacked(node, &loop);
    int begin[2], numbers[2], *outputs;
    QN_TRY(init_loop(p, node, &loop, 0));
    QN_ALLOC(outputs, &p->scratch, loop.carried_count + loop.scan_count);
    QN_TRY(plain_value(p, qn_node_input(node, 0), &begin[0]));
    QN_TRY(plain_value(p, qn_node_input(node, 1), &begin[1]));
    QnStep *step = qn_planner_add_step(p, QN_STEP_LOOP_BEGIN, node, begin, 2, NULL, 0);
    if (!step)
        return qn_no_memory(p->err);
    step->loop = loop.number;
    QN_TRY(assign_initial(p, &loop, 2));
    QN_TRY(add_register(p, loop.body->inputs[0], QN_INT64, &numbers[0]));
    QN_TRY(add_register(p, loop.body->inputs[1], QN_BOOL, &numbers[1]));
    QN_TRY(add_test(p, &loop, numbers));
    QN_TRY(lower_body(p, &loop, loop.body->outputs[0].value));
    QN_TRY(add_outputs(p, node, 0, loop.carried_count + loop.scan_count, outputs));
    return finish_outputs(p, &loop, outputs, NULL, NULL);
}

/* An INTS attribute's entry, 0 where it is absent; negative axes count from `rank`.  What is no
 * axis of any tensor is QN_MAX_RANK, which running refuses. */
static int scan_entry(const QnNode *node, const char *name, int i, int rank)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    const int64_t given = list && i < list->count ? list->ints[i] : 0;
    const int64_t value = given < 0 ? given + rank : given;
    return value < 0 || value > QN_MAX_RANK ? QN_MAX_RANK : (int)value;
}

static QnStatus add_slices(QnPlanner *p, Loop *loop, const int *scanned, int count)
{
    for (int i = 0; i < count; i++) {
        const QnIrValue *formal = loop->body->inputs[loop->carried_count + i];
        const int slice = qn_planner_add_value(p, formal, &formal->type, QN_STORE_ASSIGNED);
        if (slice < 0)
            return qn_no_memory(p->err);
        QnStep *step;
        QN_TRY(add_step(p, QN_STEP_SLICE, loop->node, scanned[i], slice, &step));
        step->loop = loop->number;
        step->axis = scan_entry(loop->node, "scan_input_axes", i,
                                p->plan->values[scanned[i]].type.shape.rank);
        step->is_reversed = scan_entry(loop->node, "scan_input_directions", i, 0) != 0;
        if (step->axis != 0 && has_rank(p, slice))
            p->plan->values[slice].layout.kind = QN_LAYOUT_STRIDED;
        p->of_value[formal->id] = slice;
        loop->bound[loop->bound_count++] = slice;
    }
    return QN_OK;
}

static QnStatus lower_scan(QnPlanner *p, const QnNode *node)
{
    const int slice_count = (int)qn_node_int(node, "num_scan_inputs", 1);
    Loop loop = {.carried_count = node->input_count - slice_count};
    loop.scan_count = count_stacked(node, &loop);
    int begin[3] = {-1, -1, -1}, *outputs, *scanned;
    const int numbers[2] = {-1, -1};
    int64_t *axes, *directions;
    QN_TRY(init_loop(p, node, &loop, slice_count));
    QN_ALLOC(outputs, &p->scratch, loop.carried_count + loop.scan_count);
    QN_ALLOC(scanned, &p->scratch, slice_count);
    QN_ALLOC(axes, &p->scratch, loop.scan_count);
    QN_ALLOC(directions, &p->scratch, loop.scan_count);
    for (int i = 0; i < slice_count; i++)
        QN_TRY(plain_value(p, node->inputs[loop.carried_count + i].value, &scanned[i]));
    begin[2] = scanned[0];
    QnStep *step = qn_planner_add_step(p, QN_STEP_LOOP_BEGIN, node, begin, 3, NULL, 0);
    if (!step)
        return qn_no_memory(p->err);
    step->loop = loop.number;
    step->axis =
        scan_entry(node, "scan_input_axes", 0, p->plan->values[scanned[0]].type.shape.rank);
    QN_TRY(assign_initial(p, &loop, 0));
    QN_TRY(add_test(p, &loop, numbers));
    QN_TRY(add_slices(p, &loop, scanned, slice_count));
    QN_TRY(lower_body(p, &loop, NULL));
    QN_TRY(add_outputs(p, node, 0, loop.carried_count + loop.scan_count, outputs));
    for (int i = 0; i < loop.scan_count; i++) {
        const QnIrValue *value = node->outputs[loop.carried_count + i];
        axes[i] = scan_entry(node, "scan_output_axes", i, value ? value->type.shape.rank : 1);
        directions[i] = scan_entry(node, "scan_output_directions", i, 0);
    }
    return finish_outputs(p, &loop, outputs, axes, directions);
}

/* ---- the table ---- */

static bool has_graph(const QnNode *node, const char *name, int inputs, int outputs)
{
    const QnAttribute *graph = qn_node_attribute(node, name);
    if (!graph || graph->kind != QN_ATTRIBUTE_GRAPH || graph->graph->input_count != inputs ||
        graph->graph->output_count < outputs)
        return false;
    for (int i = 0; i < graph->graph->output_count; i++)
        if (!graph->graph->outputs[i].value)
            return false;
    return true;
}

static bool check_if(const QnNode *node)
{
    return qn_node_input(node, 0) && has_graph(node, "then_branch", 0, node->output_count) &&
           has_graph(node, "else_branch", 0, node->output_count);
}

static bool check_loop(const QnNode *node)
{
    const int carried = node->input_count > 2 ? node->input_count - 2 : 0;
    return has_graph(node, "body", 2 + carried,
                     1 + (carried > node->output_count ? carried : node->output_count));
}

static bool check_scan(const QnNode *node)
{
    const int64_t slices = qn_node_int(node, "num_scan_inputs", 1);
    const int carried = node->input_count - (int)slices;
    return slices > 0 && slices <= node->input_count && qn_node_input(node, carried) &&
           has_graph(node, "body", node->input_count,
                     carried > node->output_count ? carried : node->output_count);
}

/* `check`: what inference says in a sentence holds.
 * Branches that do not fit the shapes were not inferred. */
static const struct {
    const char *op;
    bool (*check)(const QnNode *node);
    QnStatus (*lower)(QnPlanner *p, const QnNode *node);
} rows[] = {
    {"If", check_if, lower_if},
    {"Loop", check_loop, lower_loop},
    {"Scan", check_scan, lower_scan},
};

QnStatus qn_planner_lower_control(QnPlanner *p, const QnNode *node)
{
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        if (!strcmp(rows[i].op, node->op))
            return rows[i].check(node)
                       ? rows[i].lower(p, node)
                       : qn_fail(p->err, QN_BAD_MODEL, "%s has graphs that do not fit its inputs",
                                 node->op);
    return qn_fail(p->err, QN_UNSUPPORTED, "no way to run %s", node->op);
}
