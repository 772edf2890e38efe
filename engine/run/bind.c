/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From shapes to geometry.
 *
 * Binding evaluates the module's dims once, in order, then gives each value made before the first
 * late-bind its dims, strides and address, and each step its parameters.  Nothing is planned or
 * allocated unless the shapes fall into a bucket that was not seen yet.
 */
#include "base/checked.h"
#include "engine/plan/memory.h"
#include "engine/run/session.h"

/* ---- checking the inputs ---- */

static const char *kind_name(QnKind kind)
{
    static const char *const names[] = {"nothing", "a tensor", "a sequence", "an optional",
                                        "a map"};
    return (unsigned)kind < QN_COUNT_OF(names) ? names[kind] : "something else";
}

/* An input against its declared type; `given` may be QN_NONE where a default or a state stands in.
 */
static QnStatus check_input(const QnPlan *plan, int i, const QnValue *given, QnError *err)
{
    const QnPlanValue *value = &plan->values[plan->inputs[i]];
    const QnIrType *type = &value->type;
    if (type->kind != given->kind && type->kind != QN_NONE)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' is %s, expected %s", value->name,
                       kind_name(given->kind), kind_name(type->kind));
    if (given->kind != QN_TENSOR)
        return QN_OK;
    const QnTensor *tensor = &given->tensor;
    if (type->element && tensor->type != type->element)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has type %s, expected %s", value->name,
                       qn_type_name(tensor->type), qn_type_name(type->element));
    if (tensor->rank < 0 || tensor->rank > QN_MAX_RANK ||
        (type->shape.rank >= 0 && tensor->rank != type->shape.rank))
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has rank %d, expected %d", value->name,
                       tensor->rank, type->shape.rank);
    size_t bytes = qn_type_size(tensor->type);
    for (int d = 0; d < tensor->rank; d++) {
        const QnDim wanted = type->shape.rank >= 0 ? type->shape.dims[d] : -1;
        if (tensor->dims[d] < 0 || !qn_mul_size(&bytes, bytes, (size_t)tensor->dims[d]))
            return qn_fail(err, QN_BAD_TENSOR, "input '%s': dimension %d is %lld, expected a size",
                           value->name, d, (long long)tensor->dims[d]);
        if (wanted >= 0 && tensor->dims[d] != wanted)
            return qn_fail(err, QN_BAD_TENSOR, "input '%s': dimension %d is %lld, expected %lld",
                           value->name, d, (long long)tensor->dims[d], (long long)wanted);
    }
    return QN_OK;
}

/* Sets the rows of the inputs' symbols; equal symbols must have equal sizes. */
static QnStatus read_symbols(const QnPlan *plan, const QnValue *inputs, int64_t *rows, QnError *err)
{
    for (int s = 0; s < plan->symbol_count; s++)
        rows[plan->symbols[s].row] = QN_DIM_UNKNOWN;
    for (int s = 0; s < plan->symbol_count; s++) {
        const QnInputSymbol *symbol = &plan->symbols[s];
        const int64_t size = inputs[symbol->input].tensor.dims[symbol->axis];
        if (rows[symbol->row] >= 0 && rows[symbol->row] != size)
            return qn_fail(
                err, QN_BAD_TENSOR, "input '%s': dimension %d is %lld, but '%s' is %lld elsewhere",
                plan->values[plan->inputs[symbol->input]].name, symbol->axis, (long long)size,
                plan->module->dims.rows[symbol->row].name, (long long)rows[symbol->row]);
        rows[symbol->row] = size;
    }
    return QN_OK;
}

/* ---- memory plans ---- */

/* Sizes between which the memory plan does not change: 1, 2, 3, 4, 6, 8, 12, 16, … */
static int64_t bucket_of(int64_t size)
{
    int64_t power = 1;
    if (size > INT64_MAX / 4 || size <= 1)
        return size;
    while (power < size)
        power *= 2;
    return power > 2 && size <= power / 4 * 3 ? power / 4 * 3 : power;
}

/* Fills the blocks of the slab's values from evaluated rows; false where a size is not known. */
static int list_blocks(const QnPlan *plan, const int64_t *rows, QnBlock *blocks)
{
    for (int v = 0; v < plan->value_count; v++) {
        const QnPlanValue *value = &plan->values[v];
        blocks[v] = (QnBlock){0};
        if (value->storage != QN_STORE_SLAB || value->first < 0)
            continue;
        const int64_t size = qn_plan_value_size(plan, value, rows);
        /* A size that cannot be: a branch that these shapes do not take. */
        blocks[v] = (QnBlock){.size = size < 0 ? 0 : (int64_t)qn_round_up((size_t)size, 64),
                              .first = value->first,
                              .last = value->last};
    }
    return plan->value_count;
}

static QnStatus plan_memory(QnSession *session, QnMemoryPlan *memory, const int64_t *rows,
                            QnError *err)
{
    const QnPlan *plan = session->plan;
    QnBlock *blocks =
        qn_arena_array(&session->temporary, (size_t)plan->value_count + 1, sizeof *blocks);
    QnStatus status = QN_NO_MEMORY;
    if (blocks) {
        list_blocks(plan, rows, blocks);
        status = qn_memory_plan(blocks, plan->value_count, &memory->total_bytes,
                                &memory->lower_bound_bytes, &session->temporary);
    }
    for (int v = 0; status == QN_OK && v < plan->value_count; v++) {
        memory->offsets[v] = blocks[v].offset;
        memory->sizes[v] = blocks[v].size;
    }
    qn_arena_reset(&session->temporary);
    return status == QN_NO_MEMORY ? qn_no_memory(err) : status;
}

/* Does the slab of this plan hold values of these exact sizes? */
static bool fits(const QnPlan *plan, const QnMemoryPlan *memory, const int64_t *rows)
{
    for (int v = 0; v < plan->value_count; v++)
        if (plan->values[v].storage == QN_STORE_SLAB && plan->values[v].first >= 0 &&
            qn_plan_value_size(plan, &plan->values[v], rows) > memory->sizes[v])
            return false;
    return true;
}

static void round_key(const QnSession *session, const int64_t *rows, int64_t *key, bool exact)
{
    for (int s = 0; s < session->plan->symbol_count; s++) {
        const int64_t size = rows[session->plan->symbols[s].row];
        key[s] = exact ? size : bucket_of(size);
    }
}

static QnMemoryPlan *oldest_memory(QnSession *session)
{
    QnMemoryPlan *oldest = &session->memories[0];
    for (int i = 0; i < QN_MEMORY_PLANS; i++) {
        if (!session->memories[i].is_valid)
            return &session->memories[i];
        if (session->memories[i].last_use < oldest->last_use)
            oldest = &session->memories[i];
    }
    return oldest;
}

static bool is_key(const QnSession *session, const int64_t *a, const int64_t *b)
{
    const int count = session->plan->symbol_count;
    return count == 0 || memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static bool reserve_slab(QnSession *session, size_t size)
{
    if (size <= session->slab_capacity)
        return true;
    if (session->options.limit_bytes && size > session->options.limit_bytes)
        return false;
    uint8_t *slab = qn_alloc(session->allocator, size);
    if (!slab)
        return false;
    qn_free(session->allocator, session->slab, session->slab_capacity);
    session->slab = slab;
    session->slab_capacity = size;
    for (int i = 0; i < QN_BINDINGS; i++) /* their addresses are gone */
        session->bindings[i].is_valid = false;
    return true;
}

/* Makes a memory plan for the rows, rounded up to the bucket or exact.  `key` and `rows` are
 * scratch of the caller. */
static QnStatus make_memory(QnSession *session, const int64_t *key, int64_t *rows,
                            QnMemoryPlan **out, QnError *err)
{
    QnMemoryPlan *memory = oldest_memory(session);
    for (int i = 0; i < QN_BINDINGS; i++)
        if (session->bindings[i].memory == memory)
            session->bindings[i].is_valid = false;
    memory->is_valid = false;
    for (int s = 0; s < session->plan->symbol_count; s++)
        rows[session->plan->symbols[s].row] = memory->key[s] = key[s];
    qn_dims_evaluate(&session->plan->module->dims, 0, rows);
    QN_TRY(plan_memory(session, memory, rows, err));
    /* Values without elements have an address too. */
    if (!reserve_slab(session, memory->total_bytes > 0 ? (size_t)memory->total_bytes : 64))
        return qn_fail(err, QN_NO_MEMORY, "no memory for %lld bytes of activations",
                       (long long)memory->total_bytes);
    memory->is_valid = true;
    *out = memory;
    return QN_OK;
}

/* The memory plan for a binding's shapes: one of the bucket, or, where sizes do not grow with the
 * shapes, an exact one. */
static QnStatus find_memory(QnSession *session, QnBinding *binding, QnError *err)
{
    int64_t *key =
        qn_arena_array(&session->temporary, (size_t)session->plan->symbol_count, sizeof *key);
    int64_t *rows = qn_arena_array(&session->temporary, (size_t)session->plan->module->dims.count,
                                   sizeof *rows);
    if (!key || !rows)
        return qn_no_memory(err);
    QnMemoryPlan *found = NULL;
    for (int exact = 0; exact < 2 && !found; exact++) {
        round_key(session, binding->rows, key, exact != 0);
        for (int i = 0; i < QN_MEMORY_PLANS && !found; i++)
            if (session->memories[i].is_valid && is_key(session, session->memories[i].key, key) &&
                fits(session->plan, &session->memories[i], binding->rows))
                found = &session->memories[i];
    }
    for (int exact = 0; exact < 2 && !found; exact++) {
        round_key(session, binding->rows, key, exact != 0);
        memcpy(rows, binding->rows, (size_t)session->plan->module->dims.count * sizeof *rows);
        QN_TRY(make_memory(session, key, rows, &found, err));
        if (!fits(session->plan, found, binding->rows))
            found = NULL;
    }
    if (!found)
        return qn_fail(err, QN_NO_MEMORY, "no memory plan fits the shapes of the inputs");
    found->last_use = session->use_count;
    binding->memory = found;
    return QN_OK;
}

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

/* Shapes and addresses for the outputs of a compute or call step; false where a dim is not known or
 * there is no memory. */
static bool bind_outputs(QnSession *session, QnBinding *binding, const QnStep *step)
{
    for (int i = 0; i < step->output_count; i++) {
        const int v = step->outputs[i];
        QnTensor tensor;
        if (v < 0)
            continue;
        binding->values[v] = (QnValue){.kind = QN_NONE};
        if (!qn_plan_value_shape(session->plan, &session->plan->values[v], binding->rows, &tensor))
            return false;
        tensor.data = address_of(session, binding, v, tensor.size_bytes);
        if (!tensor.data)
            return false;
        binding->values[v] = qn_value_tensor(tensor);
    }
    return true;
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
        return qn_fail(err, QN_BAD_TENSOR, "the shapes of the inputs do not fit");
    binding->values[v] = qn_value_tensor(tensor);
    int64_t *offset = (int64_t *)(void *)(binding->params + step->params_offset);
    *offset = 0;
    QN_TRY(bind_code(session, binding, step, err));
    binding->values[v].tensor.data = base->data ? (uint8_t *)base->data + *offset : NULL;
    return QN_OK;
}

static QnStatus bind_step(QnSession *session, QnBinding *binding, const QnStep *step, QnError *err)
{
    switch (step->kind) {
    case QN_STEP_COMPUTE:
        if (!has_inputs(binding, step) || !bind_outputs(session, binding, step))
            return qn_fail(err, QN_BAD_TENSOR,
                           "the shapes of the inputs do not fit, or there is no memory");
        return bind_code(session, binding, step, err);
    case QN_STEP_VIEW:
        if (!has_inputs(binding, step))
            return qn_fail(err, QN_BAD_TENSOR, "the shapes of the inputs do not fit");
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
    const QnStep *at = &session->plan->steps[step];
    const QnStatus status = name_step(at, bind_step(session, binding, at, err), err);
    return status == QN_OK ? qn_fail(err, QN_BAD_TENSOR, "the shapes of the inputs do not fit")
                           : status;
}

QnStatus qn_bind_steps(QnSession *session, QnBinding *binding, int first, int end)
{
    for (int s = first; s < end; s++)
        binding->is_poisoned[s] =
            bind_step(session, binding, &session->plan->steps[s], NULL) != QN_OK;
    return QN_OK;
}

QnStatus qn_bind_late(QnSession *session, QnBinding *binding, int step)
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
    return qn_bind_steps(session, binding, step + 1, at->segment_end);
}

/* ---- bindings ---- */

static QnBinding *find_binding(QnSession *session, const int64_t *key, bool *is_new)
{
    QnBinding *oldest = &session->bindings[0];
    for (int i = 0; i < QN_BINDINGS; i++) {
        QnBinding *binding = &session->bindings[i];
        if (binding->is_valid && is_key(session, binding->key, key)) {
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

/* Room for the inputs' tensors, whose shapes the steps are bound to. */
static void set_input_shapes(const QnPlan *plan, QnBinding *binding, const QnValue *inputs)
{
    for (int i = 0; i < plan->input_count; i++) {
        QnValue *at = &binding->values[plan->inputs[i]];
        *at = inputs[i];
        if (inputs[i].kind ==
            QN_TENSOR) /* kernels see a contiguous tensor: session.c stages others */
            at->tensor = qn_tensor(inputs[i].tensor.type, inputs[i].tensor.rank,
                                   inputs[i].tensor.dims, inputs[i].tensor.data);
    }
}

QnStatus qn_session_bind(QnSession *session, const QnValue *inputs, QnError *err)
{
    const QnPlan *plan = session->plan;
    session->use_count++;
    qn_arena_reset(&session->temporary);
    for (int i = 0; i < plan->input_count; i++)
        QN_TRY(check_input(plan, i, &inputs[i], err));
    int64_t *rows =
        qn_arena_array(&session->temporary, (size_t)plan->module->dims.count, sizeof *rows);
    int64_t *key = qn_arena_array(&session->temporary, (size_t)plan->symbol_count, sizeof *key);
    if (!rows || !key)
        return qn_no_memory(err);
    QN_TRY(read_symbols(plan, inputs, rows, err));
    for (int s = 0; s < plan->symbol_count; s++)
        key[s] = rows[plan->symbols[s].row];
    bool is_new;
    QnBinding *binding = find_binding(session, key, &is_new);
    binding->last_use = session->use_count;
    session->current = binding;
    if (!is_new)
        return QN_OK;
    binding->is_valid = false;
    for (int r = 0; r < plan->module->dims.count; r++)
        binding->rows[r] = QN_DIM_UNKNOWN;
    QN_TRY(read_symbols(plan, inputs, binding->rows, err));
    for (int s = 0; s < plan->symbol_count; s++)
        binding->key[s] = binding->rows[plan->symbols[s].row];
    qn_dims_evaluate(&plan->module->dims, 0, binding->rows);
    QN_TRY(find_memory(session, binding, err));
    qn_arena_reset(&session->temporary);
    init_values(session, binding);
    set_input_shapes(plan, binding, inputs);
    memset(binding->is_poisoned, 0, (size_t)plan->step_count);
    QN_TRY(qn_bind_steps(session, binding, 0, first_late_bind(plan)));
    binding->is_valid = true;
    return QN_OK;
}
