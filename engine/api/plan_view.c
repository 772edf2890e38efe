/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at plans: include/quern/unstable/plan_view.h. */
#include "quern/unstable/plan_view.h"

#include "engine/ir/text.h"
#include "engine/plan/plan.h"

struct QnPlanView {
    QnArena arena;
    const QnPlan *plan;
    const char **type_texts; /* [plan->value_count] */
};

/* The numbers of tiers are in the public headers. */
_Static_assert(QN_TIER_NONE == 0 && QN_TIER_REFERENCE == 1 && QN_TIER_PORTABLE == 2 &&
                   QN_TIER_TUNED == 3,
               "tiers have other numbers than the headers say");

static const char *const step_kinds[] = {
    [QN_STEP_COMPUTE] = "compute",
    [QN_STEP_VIEW] = "view",
    [QN_STEP_CALL] = "call",
    [QN_STEP_RESOLVE] = "resolve",
    [QN_STEP_LATE_BIND] = "late-bind",
    [QN_STEP_ASSIGN] = "assign",
    [QN_STEP_COPY] = "copy",
    [QN_STEP_JUMP] = "jump",
    [QN_STEP_JUMP_IF_NOT] = "jump-if-not",
    [QN_STEP_SWAP] = "swap",
    [QN_STEP_LOOP_BEGIN] = "loop-begin",
    [QN_STEP_LOOP_TEST] = "loop-test",
    [QN_STEP_LOOP_NEXT] = "loop-next",
    [QN_STEP_SLICE] = "slice",
    [QN_STEP_APPEND] = "append",
    [QN_STEP_FINISH] = "finish",
    [QN_STEP_EXTEND] = "extend",
};

static const char *const storages[] = {
    [QN_STORE_CONSTANT] = "constant", [QN_STORE_INPUT] = "input",
    [QN_STORE_SLAB] = "slab",         [QN_STORE_VIEW] = "view",
    [QN_STORE_LATE] = "late",         [QN_STORE_CONTENT] = "content",
    [QN_STORE_REGISTER] = "register", [QN_STORE_ASSIGNED] = "assigned",
};

static const char *const layouts[] = {
    [QN_LAYOUT_PLAIN] = "plain",
    [QN_LAYOUT_NHWC] = "nhwc",
    [QN_LAYOUT_STRIDED] = "strided",
};

static QnStatus print_types(QnPlanView *view)
{
    const QnPlan *plan = view->plan;
    QN_ALLOC(view->type_texts, &view->arena, plan->value_count);
    for (int i = 0; i < plan->value_count; i++) {
        char text[512];
        qn_ir_type_print(&plan->module->dims, &plan->values[i].type, text, sizeof text);
        view->type_texts[i] = qn_arena_copy_text(&view->arena, text, strlen(text));
        if (!view->type_texts[i])
            return QN_NO_MEMORY;
    }
    return QN_OK;
}

QnStatus qn_plan_view_create(QnPlanView **out, const QnPlan *plan, QnError *err)
{
    QnPlanView *view = qn_alloc(NULL, sizeof *view);
    if (!view)
        return qn_no_memory(err);
    *view = (QnPlanView){.plan = plan};
    if (print_types(view) != QN_OK) {
        qn_plan_view_free(view);
        return qn_no_memory(err);
    }
    *out = view;
    return QN_OK;
}

void qn_plan_view_free(QnPlanView *view)
{
    if (!view)
        return;
    qn_arena_finish(&view->arena);
    qn_free(NULL, view, sizeof *view);
}

int qn_plan_view_step_count(const QnPlanView *view)
{
    return view->plan->step_count;
}

int qn_plan_view_value_count(const QnPlanView *view)
{
    return view->plan->value_count;
}

static bool is_jump(QnStepKind kind)
{
    return kind == QN_STEP_JUMP || kind == QN_STEP_JUMP_IF_NOT || kind == QN_STEP_LOOP_TEST ||
           kind == QN_STEP_LOOP_NEXT;
}

QnPlanStepInfo qn_plan_view_step(const QnPlanView *view, int i)
{
    const QnStep *step = &view->plan->steps[i];
    const char *name = step->node ? step->node->origin.name : NULL;
    return (QnPlanStepInfo){
        .kind = step_kinds[step->kind],
        .name = name ? name : "",
        .op = step->node ? step->node->op : "",
        .kernel = step->kernel ? step->kernel
                  : step->code ? step->code->name
                               : "",
        .tier = (int)step->tier,
        .node_count = step->node_count,
        .cost_ns = step->cost,
        .inputs = step->inputs,
        .outputs = step->outputs,
        .input_count = step->input_count,
        .output_count = step->output_count,
        .target = is_jump(step->kind) ? step->target : -1,
    };
}

QnPlanValueInfo qn_plan_view_value(const QnPlanView *view, int i)
{
    const QnPlanValue *value = &view->plan->values[i];
    return (QnPlanValueInfo){
        .name = value->name ? value->name : "",
        .type_text = view->type_texts[i],
        .layout = layouts[value->layout.kind],
        .storage = storages[value->storage],
        .base = value->storage == QN_STORE_VIEW ? value->base : -1,
        .first = value->first,
        .last = value->last,
    };
}

uint64_t qn_plan_view_weight_bytes(const QnPlanView *view)
{
    return view->plan->weight_bytes;
}
