/* SPDX-License-Identifier: Apache-2.0 */
/* Values and steps while a plan is made: planner.h. */
#include "engine/plan/planner.h"

#include "base/checked.h"

bool qn_planner_is_late(const QnPlanner *p, const QnIrType *type)
{
    if (type->kind != QN_TENSOR || type->shape.rank < 0)
        return true;
    for (int d = 0; d < type->shape.rank; d++)
        if (qn_dim_is_late(&p->plan->module->dims, type->shape.dims[d]))
            return true;
    return false;
}

/* Is the row given by what is known so far?
 * Each row is looked at once per walk; unknown ones end it. */
static bool is_row_defined(QnPlanner *p, QnDim dim)
{
    const QnDims *dims = &p->plan->module->dims;
    if (qn_dim_is_known(dim))
        return true;
    const int row = (int)(-1 - dim);
    const QnDimRow *at = &dims->rows[row];
    if (!at->is_late || p->visited[row] == p->walk)
        return true;
    p->visited[row] = p->walk;
    if (at->op == QN_DIM_SYMBOL)
        return p->is_defined[row];
    for (int i = 0; i < at->term_count; i++)
        if (!is_row_defined(p, at->terms[i].row))
            return false;
    return at->op == QN_DIM_SUM || (is_row_defined(p, at->a) && is_row_defined(p, at->b));
}

bool qn_planner_is_defined(QnPlanner *p, const QnIrType *type)
{
    if (type->kind != QN_TENSOR || type->shape.rank < 0)
        return false;
    p->walk++;
    for (int d = 0; d < type->shape.rank; d++)
        if (!is_row_defined(p, type->shape.dims[d]))
            return false;
    return true;
}

int qn_planner_add_value(QnPlanner *p, const QnIrValue *value, const QnIrType *type,
                         QnStorage storage)
{
    QnPlan *plan = p->plan;
    if (plan->value_count == p->value_capacity) {
        const size_t room = p->value_capacity ? 2 * (size_t)p->value_capacity : 64;
        QnPlanValue *values = qn_arena_array(p->arena, room, sizeof *values);
        int *converted = qn_arena_array(&p->scratch, 2 * room, sizeof *converted);
        if (!values || !converted)
            return -1;
        if (plan->value_count) {
            memcpy(values, plan->values, (size_t)plan->value_count * sizeof *values);
            memcpy(converted, p->converted, 2 * (size_t)plan->value_count * sizeof *converted);
        }
        plan->values = values;
        p->converted = converted;
        p->value_capacity = (int)room;
    }
    const int id = plan->value_count++;
    plan->values[id] = (QnPlanValue){
        .name = value ? value->name : "",
        .value = value,
        .type = *type,
        .storage = storage,
        .base = -1,
        .slot = -1,
        .first = -1,
        .last = -1,
        .segment = p->segment,
        .is_late = qn_planner_is_late(p, type),
    };
    p->converted[2 * id] = p->converted[2 * id + 1] = -1;
    return id;
}

/* A constant's data, aligned: where the file does not align it, a copy. */
static const void *aligned_data(QnPlanner *p, const QnTensor *tensor)
{
    const size_t size = (size_t)qn_tensor_count(tensor) * qn_type_size(tensor->type);
    if (((uintptr_t)tensor->data & 63) == 0)
        return tensor->data;
    void *copy = qn_arena_alloc_raw(p->arena, size, 64);
    if (copy && size)
        memcpy(copy, tensor->data, size);
    p->plan->weight_bytes += size;
    return copy;
}

/* Are the elements of a value all given by the shapes of the inputs? */
static bool is_bind_content(const QnPlanner *p, const QnIrValue *value)
{
    if (!value->content || value->type.kind != QN_TENSOR)
        return false;
    if (value->type.element != QN_INT64 && value->type.element != QN_INT32)
        return false;
    for (int i = 0; i < value->content_count; i++)
        if (qn_dim_is_late(&p->plan->module->dims, value->content[i]))
            return false;
    return true;
}

static int add_content(QnPlanner *p, const QnIrValue *value)
{
    const int id = qn_planner_add_value(p, value, &value->type, QN_STORE_CONTENT);
    if (id < 0)
        return -1;
    QnPlanValue *made = &p->plan->values[id];
    made->segment = -1;
    made->content_offset = (int)p->plan->small_size;
    p->plan->small_size += qn_round_up((size_t)value->content_count * sizeof(int64_t), 64);
    return id;
}

int qn_planner_value(QnPlanner *p, const QnIrValue *value)
{
    int *known = &p->of_value[value->id];
    if (*known >= 0)
        return *known;
    if (value->constant && !value->is_default) {
        *known = qn_planner_add_value(p, value, &value->type, QN_STORE_CONSTANT);
        if (*known >= 0) {
            p->plan->values[*known].segment = -1;
            p->plan->values[*known].data = aligned_data(p, value->constant);
            if (!p->plan->values[*known].data)
                *known = -1;
        }
    } else if (is_bind_content(p, value)) {
        *known = add_content(p, value);
    }
    return *known;
}

QnStatus qn_planner_fail_value(const QnPlanner *p, const QnIrValue *value)
{
    if ((value->constant && !value->is_default) || is_bind_content(p, value))
        return qn_no_memory(p->err);
    return qn_fail(p->err, QN_BAD_MODEL, "value '%s' is read before it is made", value->name);
}

static const int *copy_list(QnArena *arena, const int *list, int count)
{
    int *copy = qn_arena_array(arena, (size_t)(count ? count : 1), sizeof *copy);
    if (copy && count)
        memcpy(copy, list, (size_t)count * sizeof *copy);
    return copy;
}

QnStep *qn_planner_add_step(QnPlanner *p, QnStepKind kind, const QnNode *node, const int *inputs,
                            int input_count, const int *outputs, int output_count)
{
    QnPlan *plan = p->plan;
    if (plan->step_count == p->step_capacity) {
        const size_t room = p->step_capacity ? 2 * (size_t)p->step_capacity : 64;
        QnStep *steps = qn_arena_array(p->arena, room, sizeof *steps);
        if (!steps)
            return NULL;
        if (plan->step_count)
            memcpy(steps, plan->steps, (size_t)plan->step_count * sizeof *steps);
        plan->steps = steps;
        p->step_capacity = (int)room;
    }
    const int *kept_inputs = copy_list(p->arena, inputs, input_count);
    const int *kept_outputs = copy_list(p->arena, outputs, output_count);
    if (!kept_inputs || !kept_outputs)
        return NULL;
    QnStep *step = &plan->steps[plan->step_count++];
    *step = (QnStep){
        .kind = kind,
        .node = node,
        .node_count = node ? 1 : 0,
        .inputs = kept_inputs,
        .input_count = input_count,
        .outputs = kept_outputs,
        .output_count = output_count,
        .target = -1,
        .loop = -1,
    };
    for (int i = 0; i < output_count; i++)
        if (outputs[i] >= 0)
            plan->values[outputs[i]].segment = p->segment;
    return step;
}

/* ---- late symbols ---- */

typedef struct SymbolList {
    QnLateSymbol *items;
    int count, capacity;
} SymbolList;

/* Adds the late symbols that stand alone as dims of a value;
 * the first value that has one gives it. */
static QnStatus collect_symbols(QnPlanner *p, int id, SymbolList *list)
{
    if (id < 0)
        return QN_OK;
    const QnIrType *type = &p->plan->values[id].type;
    if (type->kind != QN_TENSOR)
        return QN_OK;
    for (int d = 0; d < type->shape.rank; d++) {
        const QnDim dim = type->shape.dims[d];
        if (qn_dim_is_known(dim) || !qn_dim_is_late(&p->plan->module->dims, dim))
            continue;
        const int row = (int)(-1 - dim);
        if (p->plan->module->dims.rows[row].op != QN_DIM_SYMBOL)
            continue;
        QN_GROW(list->items, list->count, list->capacity, p->arena);
        list->items[list->count++] = (QnLateSymbol){row, id, d};
        p->is_defined[row] = true;
    }
    return QN_OK;
}

QnStatus qn_planner_late_bind(QnPlanner *p, const int *values, int count)
{
    SymbolList list = {0};
    for (int s = p->since_bind; s < p->plan->step_count; s++)
        for (int i = 0; i < p->plan->steps[s].output_count; i++)
            QN_TRY(collect_symbols(p, p->plan->steps[s].outputs[i], &list));
    for (int i = 0; i < count; i++)
        QN_TRY(collect_symbols(p, values[i], &list));
    QnStep *step = qn_planner_add_step(p, QN_STEP_LATE_BIND, NULL, NULL, 0, NULL, 0);
    if (!step)
        return qn_no_memory(p->err);
    step->symbols = list.items;
    step->symbol_count = list.count;
    p->segment = p->plan->step_count - 1;
    p->since_bind = p->plan->step_count;
    return QN_OK;
}

QnStatus qn_planner_keep_packed(QnPlanner *p, const QnTensor *constant, const char *kind,
                                size_t size, const void *data)
{
    QnPlan *plan = p->plan;
    const char *copy = qn_arena_copy_text(p->arena, kind, strlen(kind));
    QN_GROW(plan->packed, plan->packed_count, plan->packed_capacity, p->arena);
    if (!copy)
        return QN_NO_MEMORY;
    plan->packed[plan->packed_count++] = (QnPacked){constant, copy, size, data};
    return QN_OK;
}
