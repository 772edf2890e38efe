/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: include/quern/session.h. */
#include "quern/session.h"

#include <stdlib.h>

#include "base/cpu_count.h"
#include "engine/api/deliver.h"
#include "engine/api/options.h"
#include "engine/run/session.h"

/* ---- thread pools ---- */

struct QnThreadPool {
    QnPool *pool;
};

QnStatus qn_thread_pool_create(QnThreadPool **out, int count, QnError *err)
{
    QnThreadPool *made = qn_alloc(NULL, sizeof *made);
    if (!made)
        return qn_no_memory(err);
    QnCpuCount allowed = {.count = count};
    QnStatus status = count > 0 ? QN_OK : qn_cpu_count(&allowed, NULL, getenv("QN_THREADS"), err);
    if (status == QN_OK)
        status = qn_pool_create(&made->pool, allowed.count, err);
    if (status != QN_OK) {
        qn_free(NULL, made, sizeof *made);
        return status;
    }
    *out = made;
    return QN_OK;
}

void qn_thread_pool_free(QnThreadPool *pool)
{
    if (!pool)
        return;
    qn_pool_free(pool->pool);
    qn_free(NULL, pool, sizeof *pool);
}

int qn_thread_pool_size(const QnThreadPool *pool)
{
    return qn_pool_size(pool->pool);
}

/* ---- making and freeing ---- */

static QnStatus create_memory(QnSession *session)
{
    const QnPlan *plan = session->plan;
    QnArena *arena = &session->arena;
    for (int i = 0; i < QN_MEMORY_PLANS; i++) {
        QN_ALLOC(session->memories[i].key, arena, plan->symbol_count);
        QN_ALLOC(session->memories[i].offsets, arena, plan->value_count);
        QN_ALLOC(session->memories[i].sizes, arena, plan->value_count);
    }
    for (int i = 0; i < QN_BINDINGS; i++) {
        QnBinding *binding = &session->bindings[i];
        QN_ALLOC(binding->key, arena, plan->symbol_count);
        QN_ALLOC(binding->rows, arena, plan->module->dims.count);
        QN_ALLOC(binding->values, arena, plan->value_count);
        QN_ALLOC(binding->poison, arena, plan->step_count);
        binding->params = qn_arena_alloc_raw(arena, plan->params_size, 64);
        binding->small = qn_arena_alloc_raw(arena, plan->small_size, 64);
        if (!binding->params || !binding->small)
            return QN_NO_MEMORY;
    }
    QN_ALLOC(session->slots, arena, plan->slot_count);
    QN_ALLOC(session->staging, arena, plan->input_count);
    QN_ALLOC(session->states, arena, plan->state_count);
    QN_ALLOC(session->state_values, arena, plan->state_count);
    QN_ALLOC(session->loops, arena, plan->loop_count);
    return QN_OK;
}

QnStatus qn_session_create(QnSession **out, const QnPlan *plan, const QnSessionOptions *options,
                           QnError *err)
{
    QnSessionOptions filled = {0};
    QN_TRY(qn_options_fill(&filled, sizeof filled, options, options ? options->size : 0,
                           "QnSessionOptions", err));
    QnSession *session = qn_alloc(filled.allocator, sizeof *session);
    if (!session)
        return qn_no_memory(err);
    if (filled.max_iterations <= 0)
        filled.max_iterations = INT64_C(1) << 31;
    if (filled.max_steps <= 0)
        filled.max_steps = INT64_C(1) << 40;
    *session =
        (QnSession){.plan = plan,
                    .allocator = filled.allocator,
                    .pool = filled.pool ? filled.pool->pool : NULL,
                    .options = filled,
                    .random = {0x9e3779b97f4a7c15u, 0xbf58476d1ce4e5b9u, 0x94d049bb133111ebu, 1}};
    qn_arena_init(&session->arena, filled.allocator);
    qn_arena_init(&session->run_arena, filled.allocator);
    session->run_arena.limit_bytes = (size_t)filled.limit_bytes;
    qn_arena_init(&session->temporary, filled.allocator);
    if (create_memory(session) != QN_OK) {
        qn_session_free(session);
        return qn_no_memory(err);
    }
    *out = session;
    return QN_OK;
}

static void free_slots(QnSession *session, QnSlot *slots, int count)
{
    for (int i = 0; slots && i < count; i++)
        qn_session_give_back(session, slots[i].data, slots[i].capacity);
}

void qn_session_free(QnSession *session)
{
    if (!session)
        return;
    const QnAllocator *allocator = session->allocator;
    free_slots(session, session->slots, session->plan->slot_count);
    free_slots(session, session->staging, session->plan->input_count);
    for (int i = 0; session->states && i < session->plan->state_count; i++) {
        free_slots(session, &session->states[i].memory, 1);
        free_slots(session, &session->states[i].spare, 1);
    }
    qn_session_give_back(session, session->slab, session->slab_capacity);
    qn_session_give_back(session, session->scratch, session->scratch_capacity);
    qn_arena_finish(&session->run_arena);
    qn_arena_finish(&session->temporary);
    qn_arena_finish(&session->arena);
    qn_free(allocator, session, sizeof *session);
}

/* ---- running ---- */

/* Is the tensor what a state that grows is kept in: a view of its own buffer? */
static bool is_own_state(const QnSession *session, int input, const QnTensor *tensor)
{
    for (int s = 0; s < session->plan->state_count; s++)
        if (session->plan->states[s].append_axis >= 0 && session->plan->states[s].input == input)
            return tensor->data == session->states[s].memory.data;
    return false;
}

/* Are all tensors of a value as kernels want them: contiguous, with aligned elements? */
static bool is_as_wanted(const QnValue *value)
{
    const QnTensor *tensor = &value->tensor;
    if (value->kind == QN_TENSOR) {
        const size_t element = qn_type_size(tensor->type);
        return (element == 0 || (uintptr_t)tensor->data % (element > 8 ? 8 : element) == 0) &&
               qn_tensor_is_contiguous(tensor);
    }
    for (int64_t i = 0; value->kind != QN_NONE && i < value->count; i++)
        if (!is_as_wanted(&value->items[i]))
            return false;
    return true;
}

/* An input that is not as kernels want it is copied. */
static QnStatus stage_input(QnSession *session, int i, QnValue *input, QnError *err)
{
    QnTensor *tensor = &input->tensor;
    if (is_as_wanted(input) || (input->kind == QN_TENSOR && is_own_state(session, i, tensor)))
        return QN_OK;
    if (input->kind != QN_TENSOR)
        return qn_value_copy(session, input, input) == QN_OK ? QN_OK : qn_no_memory(err);
    const size_t size = (size_t)qn_tensor_count(tensor) * qn_type_size(tensor->type);
    void *copy = qn_slot_reserve(session, &session->staging[i], size ? size : 1, 0);
    if (!copy)
        return qn_no_memory(err);
    qn_tensor_copy_contiguous(tensor, copy);
    *tensor = qn_tensor(tensor->type, tensor->rank, tensor->dims, copy);
    return QN_OK;
}

/* An input that was left out: its state, or its default.  `inputs` are all that were given. */
static QnStatus find_input(QnSession *session, int i, const QnValue *inputs, QnValue *input,
                           QnError *err)
{
    const QnPlan *plan = session->plan;
    const QnPlanValue *value = &plan->values[plan->inputs[i]];
    for (int s = 0; s < plan->state_count; s++) {
        if (plan->states[s].input != i)
            continue;
        *input = session->state_values[s];
        return input->kind != QN_NONE ? QN_OK
                                      : qn_session_begin_state(session, s, inputs, input, err);
    }
    if (value->data && value->value->constant) {
        *input = qn_value_tensor(*value->value->constant);
        return QN_OK;
    }
    if (value->type.kind == QN_OPTIONAL) {
        *input = (QnValue){.kind = QN_OPTIONAL,
                           .type = value->type.item ? value->type.item->element : QN_UNDEFINED};
        return QN_OK;
    }
    return qn_fail(err, QN_BAD_TENSOR, "input '%s' is missing", value->name);
}

/* Points the inputs' values, and the views into them, at this run's data. */
static void set_input_data(QnSession *session, const QnValue *inputs)
{
    const QnPlan *plan = session->plan;
    QnBinding *binding = session->current;
    for (int i = 0; i < plan->input_count; i++)
        binding->values[plan->inputs[i]] = inputs[i];
    for (int i = 0; i < plan->input_view_count; i++) {
        const QnStep *step = &plan->steps[plan->input_views[i]];
        const int64_t *offset =
            (const int64_t *)(const void *)(binding->params + step->params_offset);
        uint8_t *base = binding->values[step->inputs[0]].tensor.data;
        binding->values[step->outputs[0]].tensor.data = base ? base + *offset : NULL;
    }
}

static QnStatus run(QnSession *session, const QnValue *inputs, QnValue *outputs,
                    const QnRunOptions *options, QnError *err)
{
    const QnPlan *plan = session->plan;
    QnValue *given = qn_arena_array(&session->run_arena, (size_t)plan->input_count, sizeof *given);
    if (!given)
        return qn_no_memory(err);
    for (int i = 0; i < plan->input_count; i++) {
        given[i] = inputs[i];
        if (given[i].kind == QN_NONE)
            QN_TRY(find_input(session, i, inputs, &given[i], err));
    }
    QN_TRY(qn_session_bind(session, given, err));
    for (int i = 0; i < plan->input_count; i++)
        QN_TRY(stage_input(session, i, &given[i], err));
    set_input_data(session, given);
    QN_TRY(qn_session_execute(session, err));
    for (int i = 0; i < plan->output_count; i++)
        if (options->skip && options->skip[i])
            outputs[i] = (QnValue){.kind = QN_NONE};
        else
            QN_TRY(qn_output_deliver(session, i, &outputs[i], err));
    /* Last of all: a run that fails, if only for want of room for an output, changes no state. */
    return qn_session_keep_states(session, err);
}

/* Tells the caller why a run failed.  What inference says of a node once its values have data is no
 * fault of the model's any more. */
static QnStatus tell_failure(QnStatus status, const QnError *why, QnError *err)
{
    if (status == QN_NO_MEMORY && why->status != status)
        return qn_no_memory(err);
    if (status == QN_BAD_MODEL)
        status = QN_BAD_TENSOR;
    if (err) {
        *err = *why;
        err->status = status;
    }
    return status;
}

QnStatus qn_session_run(QnSession *session, const QnValue *inputs, QnValue *outputs,
                        const QnRunOptions *options, QnError *err)
{
    QnRunOptions filled = {0};
    QN_TRY(qn_options_fill(&filled, sizeof filled, options, options ? options->size : 0,
                           "QnRunOptions", err));
    if (filled.seed)
        for (int i = 0; i < 4; i++)
            session->random[i] = filled.seed * 0x9e3779b97f4a7c15u + (uint64_t)i + 1;
    qn_arena_reset(&session->run_arena);
    QnGang gang = {0};
    int wanted = session->pool ? qn_pool_size(session->pool) : 1;
    if (filled.threads > 0 && filled.threads < wanted)
        wanted = filled.threads;
    const bool is_gang = session->pool && wanted > 1;
    if (is_gang)
        qn_gang_begin(&gang, session->pool, wanted);
    session->gang = &gang;
    session->gang_size = wanted;
    session->run_options = &filled;
    QnError why = {0}; /* what steps try in vain is no error of a run that succeeds */
    const QnStatus status = run(session, inputs, outputs, &filled, &why);
    if (is_gang)
        qn_gang_end(&gang);
    session->run_options = NULL;
    session->gang = NULL;
    return status == QN_OK ? QN_OK : tell_failure(status, &why, err);
}

void qn_cancel(QnCancel *cancel)
{
    __atomic_store_n(&cancel->is_cancelled, 1, __ATOMIC_RELAXED);
}

void qn_session_reset(QnSession *session)
{
    for (int s = 0; s < session->plan->state_count; s++)
        session->state_values[s] = (QnValue){.kind = QN_NONE};
}

QnMemoryInfo qn_session_memory(const QnSession *session)
{
    QnMemoryInfo info = {.scratch_bytes = session->scratch_capacity,
                         .weight_bytes = session->plan->weight_bytes};
    if (session->current && session->current->memory) {
        info.activation_bytes = (uint64_t)session->current->memory->total_bytes;
        info.lower_bound_bytes = (uint64_t)session->current->memory->lower_bound_bytes;
    }
    for (int i = 0; i < session->plan->slot_count; i++)
        info.dynamic_bytes += session->slots[i].capacity;
    for (int i = 0; i < session->plan->input_count; i++)
        info.dynamic_bytes += session->staging[i].capacity;
    for (int i = 0; i < session->plan->state_count; i++)
        info.dynamic_bytes +=
            session->states[i].memory.capacity + session->states[i].spare.capacity;
    info.dynamic_bytes += session->run_arena.block_bytes;
    return info;
}
