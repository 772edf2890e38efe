/* SPDX-License-Identifier: Apache-2.0 */
/* From a graph to a plan: lower, drop what is dead, place; plan.h. */
#include "engine/plan/plan.h"

#include <stdio.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "engine/plan/planner.h"

void qn_plan_destroy(QnPlan *plan)
{
    if (!plan)
        return;
    qn_module_free(plan->module);
    if (plan->device && plan->device->free)
        plan->device->free(plan->device);
    if (plan->release)
        plan->release(plan->source);
    if (plan->zeros_size)
        munmap(plan->zeros, plan->zeros_size);
    const QnAllocator *allocator = plan->arena.allocator;
    qn_arena_finish(&plan->arena);
    qn_free(allocator, plan, sizeof *plan);
}

/* ---- the planning sizes of open dimensions ---- */

static QnStatus init_sizes(QnPlanner *p)
{
    const QnDims *dims = &p->plan->module->dims;
    const int64_t open = qn_planner_free_dim(p);
    QN_ALLOC(p->sizes, &p->scratch, dims->count);
    QN_ALLOC(p->is_defined, &p->scratch, dims->count);
    QN_ALLOC(p->visited, &p->scratch, dims->count);
    for (int r = 0; r < dims->count; r++)
        if (dims->rows[r].op == QN_DIM_SYMBOL)
            p->sizes[r] = open;
    qn_dims_evaluate(dims, 0, p->sizes);
    return QN_OK;
}

/* ---- inputs, outputs, states ---- */

static QnStatus add_inputs(QnPlanner *p)
{
    QnPlan *plan = p->plan;
    const QnGraph *main = plan->module->main;
    plan->input_count = main->input_count;
    QN_ALLOC(plan->inputs, p->arena, main->input_count);
    int capacity = 0;
    for (int i = 0; i < main->input_count; i++) {
        const QnIrValue *value = main->inputs[i];
        const int id = qn_planner_add_value(p, value, &value->type, QN_STORE_INPUT);
        if (id < 0)
            return qn_no_memory(p->err);
        plan->inputs[i] = p->of_value[value->id] = id;
        if (value->is_default)
            plan->values[id].data = value->constant->data;
        for (int d = 0; value->type.kind == QN_TENSOR && d < value->type.shape.rank; d++) {
            const QnDim dim = value->type.shape.dims[d];
            if (qn_dim_is_known(dim))
                continue;
            QN_GROW(plan->symbols, plan->symbol_count, capacity, p->arena);
            plan->symbols[plan->symbol_count++] = (QnInputSymbol){(int)(-1 - dim), i, d};
        }
    }
    return QN_OK;
}

static QnStatus add_outputs(QnPlanner *p)
{
    QnPlan *plan = p->plan;
    const QnGraph *main = plan->module->main;
    plan->output_count = main->output_count;
    QN_ALLOC(plan->outputs, p->arena, main->output_count);
    for (int i = 0; i < main->output_count; i++) {
        const QnIrValue *value = main->outputs[i].value;
        const int id = value ? qn_planner_value(p, value) : -1;
        if (id < 0)
            return qn_fail(p->err, QN_BAD_MODEL, "output '%s' is never made",
                           main->output_names[i]);
        /* A state that grows is handed out as the view that it is. */
        const unsigned accepts = value->node && qn_planner_growing_state(p, value->node) >= 0
                                     ? QN_ACCEPT_ANY
                                     : QN_ACCEPT_PLAIN;
        QN_TRY(qn_planner_in_layout(p, id, accepts, &plan->outputs[i]));
    }
    return QN_OK;
}

static void find_first_late_row(QnPlan *plan)
{
    const QnDims *dims = &plan->module->dims;
    plan->first_late_row = dims->count;
    for (int r = dims->count - 1; r >= 0; r--)
        if (dims->rows[r].is_late)
            plan->first_late_row = r;
}

/* ---- reporting what the reference has to compute ---- */

static QnStatus check_tiers(const QnPlanner *p)
{
    const QnPlan *plan = p->plan;
    for (int s = 0; s < plan->step_count; s++) {
        const QnStep *step = &plan->steps[s];
        if (step->tier != QN_TIER_REFERENCE)
            continue;
        char label[256], cost[64];
        qn_node_label(step->node, label, sizeof label);
        if (p->request->no_reference)
            return qn_fail(p->err, QN_UNSUPPORTED, "%s (%s): only the reference computes it", label,
                           step->node->op);
        snprintf(cost, sizeof cost, "%s is computed by the reference, about %.0f us",
                 step->node->op, step->cost / 1e3);
        qn_report_add(p->request->report, &(QnFinding){.severity = QN_NOTE,
                                                       .rule = "reference-step",
                                                       .node = label,
                                                       .found = cost});
    }
    return QN_OK;
}

static QnStatus lower(QnPlanner *p)
{
    QN_TRY(init_sizes(p));
    QN_TRY(add_inputs(p));
    QN_TRY(qn_planner_find_states(p));
    for (int s = 0; s < p->plan->state_count; s++)
        if (p->plan->states[s].append_axis >= 0)
            p->plan->values[p->plan->inputs[p->plan->states[s].input]].layout.kind =
                QN_LAYOUT_STRIDED;
    QN_TRY(qn_planner_lower_graph(p, p->plan->module->main));
    QN_TRY(add_outputs(p));
    find_first_late_row(p->plan);
    QN_TRY(qn_planner_drop_dead(p));
    QN_TRY(qn_planner_place(p));
    return check_tiers(p);
}

static QnStatus init_planner(QnPlanner *p)
{
    const QnModule *module = p->plan->module;
    QN_ALLOC(p->of_value, &p->scratch, module->value_count);
    QN_ALLOC(p->chosen, &p->scratch, module->node_count);
    QN_ALLOC(p->plan->decisions, p->arena, module->node_count);
    for (int i = 0; i < module->value_count; i++)
        p->of_value[i] = -1;
    for (int i = 0; i < module->node_count; i++)
        p->plan->decisions[i] = -1;
    return QN_OK;
}

QnStatus qn_plan_create(QnPlan **out, const QnPlanRequest *request, QnError *err)
{
    QnPlan *plan = qn_alloc(request->allocator, sizeof *plan);
    if (!plan) {
        qn_module_free(request->module);
        if (request->device->free)
            request->device->free(request->device);
        return qn_no_memory(err);
    }
    *plan = (QnPlan){
        .module = request->module, .device = request->device, .is_strict = request->is_strict};
    qn_arena_init(&plan->arena, request->allocator);
    QnPlanner planner = {
        .plan = plan, .request = request, .arena = &plan->arena, .segment = -1, .err = err};
    qn_arena_init(&planner.scratch, request->allocator);
    QnStatus status = init_planner(&planner);
    if (status == QN_OK)
        status = lower(&planner);
    qn_arena_finish(&planner.scratch);
    if (status != QN_OK) {
        if (status == QN_NO_MEMORY)
            qn_no_memory(err);
        qn_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return QN_OK;
}

/* ---- shapes ---- */

/* Strides of the NHWC layout: channels innermost, each pixel at a multiple of the pitch. */
static void set_nhwc_strides(QnTensor *tensor, int pitch_bytes)
{
    const size_t element = qn_type_size(tensor->type);
    int64_t stride =
        (int64_t)qn_ceil_div(tensor->dims[1] * (int64_t)element, pitch_bytes) * pitch_bytes;
    tensor->strides[1] = (int64_t)element;
    for (int d = tensor->rank - 1; d >= 2; d--) {
        tensor->strides[d] = stride;
        stride *= tensor->dims[d];
    }
    tensor->strides[0] = stride;
    tensor->size_bytes = (size_t)(stride * tensor->dims[0]);
}

bool qn_plan_value_shape(const QnPlan *plan, const QnPlanValue *value, const int64_t *rows,
                         QnTensor *tensor)
{
    (void)plan;
    const QnShape *shape = &value->type.shape;
    int64_t dims[QN_MAX_RANK];
    size_t bytes = qn_type_size(value->type.element);
    if (value->type.kind != QN_TENSOR || shape->rank < 0)
        return false;
    for (int d = 0; d < shape->rank; d++) {
        dims[d] = qn_dim_value(shape->dims[d], rows);
        if (dims[d] < 0 || !qn_mul_size(&bytes, bytes, (size_t)dims[d]) ||
            bytes > (size_t)INT64_MAX / 64)
            return false;
    }
    *tensor = qn_tensor(value->type.element, shape->rank, dims, NULL);
    if (value->layout.kind == QN_LAYOUT_NHWC)
        set_nhwc_strides(tensor, value->layout.pitch_bytes);
    return true;
}

int64_t qn_plan_value_size(const QnPlan *plan, const QnPlanValue *value, const int64_t *rows)
{
    QnTensor tensor;
    return qn_plan_value_shape(plan, value, rows, &tensor) ? (int64_t)tensor.size_bytes : -1;
}
