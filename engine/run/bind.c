/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From shapes to geometry.
 *
 * Binding evaluates the module's dims once, in order, then gives each value made before the first
 * late-bind its dims, strides and address, and each step its parameters.  Nothing is planned or
 * allocated unless the shapes fall into a bucket that was not seen yet.
 */
#include <stdio.h>

#include "base/checked.h"
#include "engine/run/session.h"

/* ---- values ---- */

/* Sets a content's integers from evaluated rows. */
static void write_content(const QnPlanValue *value, const int64_t *rows, uint8_t *to)
{
    const QnIrValue *from = value->value;
    for (int i = 0; i < from->content_count; i++) {
        const int64_t number = qn_dim_value(from->content[i], rows);
        if (value->type.element == QN_INT32)
            ((int32_t *)(void *)to)[i] = (int32_t)number;
        else
            ((int64_t *)(void *)to)[i] = number;
    }
}

/* Gives every value what is known before any step is bound. */
static void init_values(QnSession *session, QnBinding *binding)
{
    const QnPlan *plan = session->plan;
    for (int v = 0; v < plan->value_count; v++) {
        const QnPlanValue *value = &plan->values[v];
        QnValue *at = &binding->values[v];
        *at = (QnValue){.kind = QN_NONE};
        QnTensor tensor;
        if (value->storage != QN_STORE_CONSTANT && value->storage != QN_STORE_CONTENT &&
            value->storage != QN_STORE_REGISTER)
            continue;
        if (!qn_plan_value_shape(plan, value, binding->rows, &tensor))
            continue;
        if (value->storage == QN_STORE_CONSTANT) {
            tensor.data = (void *)(uintptr_t)value->data;
        } else {
            tensor.data = binding->small + value->content_offset;
            if (value->storage == QN_STORE_CONTENT)
                write_content(value, binding->rows, tensor.data);
        }
        *at = qn_value_tensor(tensor);
    }
}

/* The address of a step's output; NULL where it has none yet. */
static void *address_of(QnSession *session, const QnBinding *binding, int v, size_t size)
{
    const QnPlanValue *value = &session->plan->values[v];
    switch (value->storage) {
    case QN_STORE_SLAB:
        return session->slab + binding->memory->offsets[v];
    case QN_STORE_VIEW:
        return binding->values[value->base].tensor.data;
    case QN_STORE_LATE:
        return qn_slot_reserve(session, &session->slots[value->slot], size ? size : 1, 0);
    default:
        return NULL;
    }
}

/* Shapes and addresses for the outputs of a compute or call step; QN_BAD_TENSOR where a dim of one
 * is not known: the others have theirs all the same. */
static QnStatus bind_outputs(QnSession *session, QnBinding *binding, const QnStep *step)
{
    QnStatus status = QN_OK;
    for (int i = 0; i < step->output_count; i++) {
        const int v = step->outputs[i];
        QnTensor tensor;
        if (v < 0)
            continue;
        binding->values[v] = (QnValue){.kind = QN_NONE};
        if (!qn_plan_value_shape(session->plan, &session->plan->values[v], binding->rows,
                                 &tensor)) {
            status = QN_BAD_TENSOR;
            continue;
        }
        tensor.data = address_of(session, binding, v, tensor.size_bytes);
        if (!tensor.data)
            return QN_NO_MEMORY;
        binding->values[v] = qn_value_tensor(tensor);
    }
    return status;
}

/* The sentence for shapes that meet in a step and cannot. */
static QnStatus fail_shapes(const QnBinding *binding, const QnStep *step, QnError *err)
{
    char text[256] = "";
    size_t used = 0;
    for (int i = 0; err && i < step->input_count && used + 1 < sizeof text; i++) {
        const QnTensor *input = qn_step_input(step, binding->values, i);
        if (!input || binding->values[step->inputs[i]].kind != QN_TENSOR)
            continue;
        used += (size_t)snprintf(text + used, sizeof text - used, used ? ", [" : ": [");
        for (int d = 0; d < input->rank && used + 1 < sizeof text; d++)
            used += (size_t)snprintf(text + used, sizeof text - used, d ? ",%lld" : "%lld",
                                     (long long)input->dims[d]);
        if (used + 1 < sizeof text)
            used += (size_t)snprintf(text + used, sizeof text - used, "]");
    }
    return qn_fail(err, QN_BAD_TENSOR, "the shapes of the inputs do not fit%s", text);
}

static bool has_inputs(const QnBinding *binding, const QnStep *step)
{
    for (int i = 0; i < step->input_count; i++)
        if (step->inputs[i] >= 0 && binding->values[step->inputs[i]].kind != QN_TENSOR)
            return false;
    return true;
}

static QnStatus bind_code(QnSession *session, QnBinding *binding, const QnStep *step, QnError *err)
{
    if (!step->code->bind)
        return QN_OK;
    QnBindCall call = {
        .values = binding->values, .params = binding->params + step->params_offset, .err = err};
    QN_TRY(step->code->bind(step, &call));
    if (call.scratch_bytes > session->scratch_needed)
        session->scratch_needed = call.scratch_bytes;
    if (call.member_scratch_bytes > session->member_scratch_needed)
        session->member_scratch_needed = call.member_scratch_bytes;
    return QN_OK;
}

static QnStatus bind_view(QnSession *session, QnBinding *binding, const QnStep *step, QnError *err)
{
    const int v = step->outputs[0];
    const QnTensor *base = &binding->values[step->inputs[0]].tensor;
    QnTensor tensor;
    if (!qn_plan_value_shape(session->plan, &session->plan->values[v], binding->rows, &tensor))
        return fail_shapes(binding, step, err);
    binding->values[v] = qn_value_tensor(tensor);
    int64_t *offset = (int64_t *)(void *)(binding->params + step->params_offset);
    *offset = 0;
    QN_TRY(bind_code(session, binding, step, err));
    binding->values[v].tensor.data = base->data ? (uint8_t *)base->data + *offset : NULL;
    return QN_OK;
}

static QnStatus bind_step(QnSession *session, QnBinding *binding, const QnStep *step, QnError *err)
{
    QnStatus status;
    switch (step->kind) {
    case QN_STEP_COMPUTE:
        status = has_inputs(binding, step) ? bind_outputs(session, binding, step) : QN_BAD_TENSOR;
        if (status == QN_NO_MEMORY)
            return qn_no_memory(err);
        if (status != QN_OK && !(step->gives_shapes && has_inputs(binding, step)))
            return fail_shapes(binding, step, err);
        return bind_code(session, binding, step, err);
    case QN_STEP_VIEW:
        if (!has_inputs(binding, step))
            return fail_shapes(binding, step, err);
        return bind_view(session, binding, step, err);
    case QN_STEP_CALL:
        bind_outputs(session, binding, step); /* what is not known yet, the call makes */
        return QN_OK;
    default:
        return QN_OK;
    }
}

static QnStatus name_step(const QnStep *step, QnStatus status, QnError *err)
{
    char label[256];
    if (status != QN_OK && status != QN_NO_MEMORY && step->node)
        qn_wrap(err, "%s (%s)", qn_node_label(step->node, label, sizeof label), step->node->op);
    return status;
}

QnStatus qn_bind_error(QnSession *session, QnBinding *binding, int step, QnError *err)
{
    if (binding->poison[step] == QN_NO_MEMORY) {
        binding->is_valid = false; /* there may be memory at the next run */
        return qn_no_memory(err);
    }
    const QnStep *at = &session->plan->steps[step];
    const QnStatus status = name_step(at, bind_step(session, binding, at, err), err);
    return status == QN_OK ? fail_shapes(binding, at, err) : status;
}

void qn_bind_steps(QnSession *session, QnBinding *binding, int first, int end)
{
    for (int s = first; s < end; s++)
        binding->poison[s] = (uint8_t)bind_step(session, binding, &session->plan->steps[s], NULL);
}

void qn_bind_late(QnSession *session, QnBinding *binding, int step)
{
    const QnPlan *plan = session->plan;
    const QnStep *at = &plan->steps[step];
    bool changed = false;
    for (int i = 0; i < at->symbol_count; i++) {
        const QnLateSymbol *symbol = &at->symbols[i];
        const QnValue *value = &binding->values[symbol->value];
        if (value->kind != QN_TENSOR || symbol->axis >= value->tensor.rank)
            continue;
        changed |= binding->rows[symbol->row] != value->tensor.dims[symbol->axis];
        binding->rows[symbol->row] = value->tensor.dims[symbol->axis];
    }
    if (changed)
        qn_dims_evaluate(&plan->module->dims, plan->first_late_row, binding->rows);
    qn_bind_steps(session, binding, step + 1, at->segment_end);
}

/* ---- bindings ---- */

static QnBinding *find_binding(QnSession *session, const int64_t *key, bool *is_new)
{
    QnBinding *oldest = &session->bindings[0];
    for (int i = 0; i < QN_BINDINGS; i++) {
        QnBinding *binding = &session->bindings[i];
        if (binding->is_valid && qn_session_is_key(session, binding->key, key)) {
            *is_new = false;
            return binding;
        }
        if (!binding->is_valid ? oldest->is_valid
                               : oldest->is_valid && binding->last_use < oldest->last_use)
            oldest = binding;
    }
    *is_new = true;
    return oldest;
}

static int first_late_bind(const QnPlan *plan)
{
    int s = 0;
    while (s < plan->step_count && plan->steps[s].kind != QN_STEP_LATE_BIND)
        s++;
    return s;
}

/* The inputs' tensors, with the sizes that the binding's rows say. */
static void set_input_shapes(const QnPlan *plan, QnBinding *binding, const QnValue *inputs)
{
    for (int i = 0; i < plan->input_count; i++)
        binding->values[plan->inputs[i]] = inputs[i];
    for (int s = 0; s < plan->symbol_count; s++) {
        const QnInputSymbol *symbol = &plan->symbols[s];
        binding->values[plan->inputs[symbol->input]].tensor.dims[symbol->axis] =
            binding->rows[symbol->row];
    }
    for (int i = 0; i < plan->input_count; i++) {
        QnTensor *at = &binding->values[plan->inputs[i]].tensor;
        if (inputs[i].kind == QN_TENSOR) /* kernels see a contiguous tensor: others are staged */
            *at = qn_tensor(at->type, at->rank, at->dims, at->data);
    }
}

/* Gives the input symbols their sizes, and binds all steps before the first late-bind. */
static void bind_early(QnSession *session, QnBinding *binding, const int64_t *key,
                       const QnValue *inputs)
{
    const QnPlan *plan = session->plan;
    for (int s = 0; s < plan->symbol_count; s++)
        binding->rows[plan->symbols[s].row] = key[s];
    qn_dims_evaluate(&plan->module->dims, 0, binding->rows);
    init_values(session, binding);
    set_input_shapes(plan, binding, inputs);
    memset(binding->poison, 0, (size_t)plan->step_count);
    qn_bind_steps(session, binding, 0, first_late_bind(plan));
}

/* A binding for shapes that were not seen lately. */
static QnStatus make_binding(QnSession *session, QnBinding *binding, const QnValue *inputs,
                             QnError *err)
{
    const QnPlan *plan = session->plan;
    bool is_new;
    for (int r = 0; r < plan->module->dims.count; r++)
        binding->rows[r] = QN_DIM_UNKNOWN;
    QN_TRY(qn_inputs_read_symbols(plan, inputs, binding->rows, err));
    for (int s = 0; s < plan->symbol_count; s++)
        binding->key[s] = binding->rows[plan->symbols[s].row];
    qn_dims_evaluate(&plan->module->dims, 0, binding->rows);
    QN_TRY(qn_inputs_check_expressions(plan, inputs, binding->rows, err));
    QN_TRY(qn_session_find_memory(session, binding, &is_new, err));
    /* The largest shapes of a new bucket first: they tell how much scratch its runs may need. */
    if (is_new)
        bind_early(session, binding, binding->memory->key, inputs);
    bind_early(session, binding, binding->key, inputs);
    binding->is_valid = true;
    return QN_OK;
}

QnStatus qn_session_bind(QnSession *session, const QnValue *inputs, QnError *err)
{
    const QnPlan *plan = session->plan;
    session->use_count++;
    qn_arena_reset(&session->temporary);
    QN_TRY(qn_inputs_check(plan, inputs, err));
    int64_t *rows =
        qn_arena_array(&session->temporary, (size_t)plan->module->dims.count, sizeof *rows);
    int64_t *key = qn_arena_array(&session->temporary, (size_t)plan->symbol_count, sizeof *key);
    if (!rows || !key)
        return qn_no_memory(err);
    QN_TRY(qn_inputs_read_symbols(plan, inputs, rows, err));
    for (int s = 0; s < plan->symbol_count; s++)
        key[s] = rows[plan->symbols[s].row];
    bool is_new;
    QnBinding *binding = find_binding(session, key, &is_new);
    binding->last_use = session->use_count;
    session->current = binding;
    if (!is_new)
        return QN_OK;
    binding->is_valid = false;
    binding->memory = NULL;
    const QnStatus status = make_binding(session, binding, inputs, err);
    qn_arena_reset(&session->temporary);
    return status;
}
