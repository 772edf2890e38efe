/* SPDX-License-Identifier: Apache-2.0 */
/* The program's interpreter: one function per kind of step. */
#include "base/checked.h"
#include "base/clock.h"
#include "engine/run/session.h"

typedef struct Machine {
    QnSession *session;
    const QnPlan *plan;
    QnBinding *binding;
    QnRunCall call; /* for compute steps */
    int next;       /* the step to run next */
} Machine;

static QnStatus name_step(const QnStep *step, QnStatus status, QnError *err)
{
    char label[256];
    if (status != QN_OK && status != QN_NO_MEMORY && status != QN_CANCELLED && step->node)
        qn_wrap(err, "%s (%s)", qn_node_label(step->node, label, sizeof label), step->node->op);
    return status;
}

static QnValue *input_of(const Machine *m, const QnStep *step, int i)
{
    return i < step->input_count && step->inputs[i] >= 0 ? &m->binding->values[step->inputs[i]]
                                                         : NULL;
}

static QnValue *output_of(const Machine *m, const QnStep *step, int i)
{
    return i < step->output_count && step->outputs[i] >= 0 ? &m->binding->values[step->outputs[i]]
                                                           : NULL;
}

static QnSlot *slot_of(const Machine *m, int value)
{
    return &m->session->slots[m->plan->values[value].slot];
}

static bool is_cancelled(void *user)
{
    const QnRunOptions *options = ((QnSession *)user)->run_options;
    if (options->cancel && __atomic_load_n(&options->cancel->is_cancelled, __ATOMIC_RELAXED))
        return true;
    return options->deadline_ns && qn_clock_now(NULL) >= options->deadline_ns;
}

/* ---- compute ---- */

/* Are all results known to have no elements?  There may be any number of lines of none each, which
 * no kernel has to walk. */
static bool makes_nothing(const Machine *m, const QnStep *step)
{
    bool makes_tensors = false;
    for (int i = 0; i < step->output_count && !step->gives_shapes; i++) {
        const QnValue *output = output_of(m, step, i);
        if (output && (output->kind != QN_TENSOR || qn_tensor_count(&output->tensor) != 0))
            return false;
        makes_tensors = makes_tensors || output;
    }
    return makes_tensors;
}

static QnStatus run_compute(Machine *m, const QnStep *step)
{
    if (makes_nothing(m, step))
        return QN_OK;
    return name_step(step,
                     step->code->run(step, m->binding->params + step->params_offset, &m->call),
                     m->session->err);
}

typedef struct CallContext {
    Machine *machine;
    const QnStep *step;
} CallContext;

static void *allocate_output(void *user, int output, size_t size)
{
    const CallContext *context = user;
    return qn_session_allocate(context->machine->session, context->step->outputs[output], size);
}

static bool is_call_cancelled(void *user)
{
    return is_cancelled(((CallContext *)user)->machine->session);
}

/* The node's inputs and outputs as the arrays that operator tables want. */
static QnStatus gather_values(Machine *m, const QnStep *step, QnValue **inputs, QnValue **outputs)
{
    QN_ALLOC(*inputs, &m->session->temporary, step->input_count);
    QN_ALLOC(*outputs, &m->session->temporary, step->output_count);
    for (int i = 0; i < step->input_count; i++)
        if (input_of(m, step, i))
            (*inputs)[i] = *input_of(m, step, i);
    return QN_OK;
}

/*
 * What a reference made, or a branch gave, against the type that later steps were planned for.
 * Sizes that running tells are read from the value itself, so only the others can differ.
 */
static QnStatus check_type(const Machine *m, const QnStep *step, int v, const QnValue *value)
{
    const QnIrType *type = &m->plan->values[v].type;
    bool fits = type->kind == QN_NONE || type->kind == value->kind;
    if (fits && type->kind == QN_TENSOR) {
        fits = !type->element || type->element == value->tensor.type;
        fits = fits && (type->shape.rank < 0 || type->shape.rank == value->tensor.rank);
        for (int d = 0; fits && d < type->shape.rank; d++) {
            const QnDim dim = type->shape.dims[d];
            fits = qn_dim_is_late(&m->plan->module->dims, dim) ||
                   qn_dim_value(dim, m->binding->rows) == value->tensor.dims[d];
        }
    }
    return fits ? QN_OK
                : name_step(step,
                            qn_fail(m->session->err, QN_BAD_TENSOR,
                                    "the result has another type or shape than was inferred"),
                            m->session->err);
}

static QnStatus run_call(Machine *m, const QnStep *step)
{
    QnValue *inputs, *outputs;
    QnSession *session = m->session;
    if (gather_values(m, step, &inputs, &outputs) != QN_OK)
        return qn_no_memory(session->err);
    for (int i = 0; i < step->output_count; i++) {
        /* Prepared by binding only where the shape was known then. */
        const int v = step->outputs[i];
        if (v >= 0 && m->plan->values[v].storage == QN_STORE_SLAB)
            outputs[i] = m->binding->values[v];
    }
    CallContext context = {m, step};
    const QnCall call = {
        .node = step->node,
        .inputs = inputs,
        .input_count = step->input_count,
        .outputs = outputs,
        .output_count = step->output_count,
        .arena = &session->run_arena,
        .scratch = &session->temporary,
        .random = session->random,
        .prepared = step->data,
        .gang = m->call.gang,
        .allocate = allocate_output,
        .is_cancelled = is_call_cancelled,
        .user = &context,
        .err = session->err,
    };
    QnStatus status = qn_op_call(&call);
    for (int i = 0; status == QN_OK && i < step->output_count; i++) {
        if (step->outputs[i] < 0)
            continue;
        m->binding->values[step->outputs[i]] = outputs[i];
        status = check_type(m, step, step->outputs[i], &outputs[i]);
    }
    qn_arena_reset(&session->temporary);
    return status == QN_NO_MEMORY ? qn_no_memory(session->err) : status;
}

static QnStatus run_resolve(Machine *m, const QnStep *step)
{
    QnValue *inputs, *outputs;
    QnSession *session = m->session;
    QnDims dims;
    QnInferValue *known =
        qn_arena_array(&session->temporary, (size_t)step->output_count, sizeof *known);
    if (!known || gather_values(m, step, &inputs, &outputs) != QN_OK)
        return qn_no_memory(session->err);
    QnStatus status = qn_infer_values(step->node, inputs, step->input_count, &dims,
                                      &session->temporary, known, session->err);
    for (int i = 0; status == QN_OK && i < step->output_count; i++) {
        const QnShape *shape = &known[i].type.shape;
        if (step->outputs[i] < 0)
            continue;
        if (known[i].type.kind != QN_TENSOR || shape->rank < 0)
            status = name_step(
                step,
                qn_fail(session->err, QN_BAD_TENSOR, "the shape of output %d cannot be told", i),
                session->err);
        else
            m->binding->values[step->outputs[i]] =
                qn_value_tensor(qn_tensor(known[i].type.element, shape->rank, shape->dims, NULL));
        if (status == QN_OK)
            status = check_type(m, step, step->outputs[i], &m->binding->values[step->outputs[i]]);
    }
    qn_arena_reset(&session->temporary);
    return status;
}

/* ---- moving ---- */

static QnStatus run_assign(Machine *m, const QnStep *step)
{
    const QnValue *from = input_of(m, step, 0);
    *output_of(m, step, 0) = from ? *from : (QnValue){.kind = QN_NONE};
    return check_type(m, step, step->outputs[0], output_of(m, step, 0));
}

/* The data of a tensor goes to the output's slot, or to the run's arena where it has none.
 * Collections are never changed, so shared. */
static QnStatus run_copy(Machine *m, const QnStep *step)
{
    const QnValue from = *input_of(m, step, 0);
    if (from.kind != QN_TENSOR)
        return run_assign(m, step);
    QN_TRY(check_type(m, step, step->outputs[0], &from));
    const size_t size = (size_t)qn_tensor_count(&from.tensor) * qn_type_size(from.tensor.type);
    void *data = qn_session_allocate(m->session, step->outputs[0], size ? size : 1);
    if (!data)
        return qn_no_memory(m->session->err);
    if (size)
        memmove(data, from.tensor.data, size);
    *output_of(m, step, 0) =
        qn_value_tensor(qn_tensor(from.tensor.type, from.tensor.rank, from.tensor.dims, data));
    return QN_OK;
}

static QnStatus run_swap(Machine *m, const QnStep *step)
{
    QnSlot *from = slot_of(m, step->inputs[0]), *to = slot_of(m, step->outputs[0]);
    const QnSlot kept = *to;
    *to = *from;
    *from = kept;
    *output_of(m, step, 0) = *input_of(m, step, 0);
    return QN_OK;
}

/* ---- jumps and loops ---- */

static bool read_bool(const QnValue *value)
{
    return value->kind == QN_TENSOR && qn_tensor_count(&value->tensor) > 0 &&
           *(const uint8_t *)value->tensor.data != 0;
}

static QnStatus run_jump(Machine *m, const QnStep *step)
{
    m->next = step->target;
    return QN_OK;
}

static QnStatus run_jump_if_not(Machine *m, const QnStep *step)
{
    if (!read_bool(input_of(m, step, 0)))
        m->next = step->target;
    return QN_OK;
}

static QnStatus run_loop_begin(Machine *m, const QnStep *step)
{
    QnLoopState *loop = &m->session->loops[step->loop];
    const QnValue *trips = input_of(m, step, 0), *condition = input_of(m, step, 1),
                  *scanned = input_of(m, step, 2);
    *loop = (QnLoopState){.limit = -1, .goes_on = condition ? read_bool(condition) : true};
    if (trips && trips->kind == QN_TENSOR && qn_tensor_count(&trips->tensor) > 0)
        loop->limit = qn_max_i64(0, qn_tensor_get_int(&trips->tensor, 0));
    if (scanned && scanned->kind == QN_TENSOR && step->axis < scanned->tensor.rank)
        loop->limit = scanned->tensor.dims[step->axis];
    return QN_OK;
}

static QnStatus run_loop_test(Machine *m, const QnStep *step)
{
    const QnLoopState *loop = &m->session->loops[step->loop];
    const int64_t most = m->session->options.max_iterations;
    if (!loop->goes_on || (loop->limit >= 0 && loop->iteration >= loop->limit)) {
        m->next = step->target;
        return QN_OK;
    }
    if (loop->iteration >= most)
        return name_step(step,
                         qn_fail(m->session->err, QN_BAD_TENSOR,
                                 "the loop runs more than %lld times", (long long)most),
                         m->session->err);
    QnValue *number = output_of(m, step, 0), *condition = output_of(m, step, 1);
    if (number && number->kind == QN_TENSOR)
        qn_tensor_set_int(&number->tensor, 0, loop->iteration);
    if (condition && condition->kind == QN_TENSOR)
        *(uint8_t *)condition->tensor.data = 1;
    return QN_OK;
}

static QnStatus run_loop_next(Machine *m, const QnStep *step)
{
    QnLoopState *loop = &m->session->loops[step->loop];
    const QnValue *condition = input_of(m, step, 0);
    loop->goes_on = condition ? read_bool(condition) : true;
    loop->iteration++;
    m->next = step->target;
    return QN_OK;
}

/* Gives a view as it is where it was planned so; else as a copy in plain layout. */
static QnStatus put_view(Machine *m, const QnStep *step, const QnTensor *view)
{
    const int v = step->outputs[0];
    QnTensor made = *view;
    if (m->plan->values[v].layout.kind == QN_LAYOUT_PLAIN && !qn_tensor_is_contiguous(view)) {
        const size_t size = (size_t)qn_tensor_count(view) * qn_type_size(view->type);
        void *data = qn_arena_alloc_raw(&m->session->run_arena, size, 64);
        if (!data)
            return qn_no_memory(m->session->err);
        qn_tensor_copy_contiguous(view, data);
        made = qn_tensor(view->type, view->rank, view->dims, data);
    }
    m->binding->values[v] = qn_value_tensor(made);
    return check_type(m, step, v, &m->binding->values[v]);
}

static QnStatus run_slice(Machine *m, const QnStep *step)
{
    const QnLoopState *loop = &m->session->loops[step->loop];
    const QnTensor *from = &input_of(m, step, 0)->tensor;
    if (step->axis >= from->rank || from->dims[step->axis] != loop->limit)
        return name_step(step,
                         qn_fail(m->session->err, QN_BAD_TENSOR,
                                 "a scanned input has not the %lld elements of the first",
                                 (long long)loop->limit),
                         m->session->err);
    const int64_t i = step->is_reversed ? loop->limit - 1 - loop->iteration : loop->iteration;
    QnTensor slice = *from;
    slice.rank--;
    for (int d = step->axis; d < slice.rank; d++) {
        slice.dims[d] = from->dims[d + 1];
        slice.strides[d] = from->strides[d + 1];
    }
    slice.data = (uint8_t *)from->data + i * from->strides[step->axis];
    return put_view(m, step, &slice);
}

static bool is_same_shape(const QnTensor *element, const QnTensor *stacked)
{
    if (stacked->rank != element->rank + 1 || stacked->type != element->type)
        return false;
    for (int d = 0; d < element->rank; d++)
        if (stacked->dims[d + 1] != element->dims[d])
            return false;
    return true;
}

/* How much room to make for a stack that needs more: for all iterations at once where their count
 * is known and that is not much, else twice as much. */
static size_t stack_size(const QnLoopState *loop, size_t element, size_t needed)
{
    size_t total;
    if (loop->limit > 0 && qn_mul_size(&total, element, (size_t)loop->limit) && total <= 64 << 20 &&
        total > needed)
        return total;
    return qn_add_size(&total, needed, needed) ? total : needed;
}

static QnStatus run_append(Machine *m, const QnStep *step)
{
    QnSession *session = m->session;
    const QnLoopState *loop = &session->loops[step->loop];
    const QnTensor element = input_of(m, step, 0)->tensor;
    QnValue *stacked = output_of(m, step, 0);
    const size_t size = (size_t)qn_tensor_count(&element) * qn_type_size(element.type);
    size_t kept, needed;
    if (input_of(m, step, 0)->kind != QN_TENSOR || element.rank == QN_MAX_RANK ||
        (loop->iteration > 0 && !is_same_shape(&element, &stacked->tensor)))
        return name_step(step,
                         qn_fail(session->err, QN_BAD_TENSOR,
                                 "iteration %lld gives a scan output of another shape",
                                 (long long)loop->iteration),
                         session->err);
    if (!qn_mul_size(&kept, size, (size_t)loop->iteration) || !qn_add_size(&needed, kept, size))
        return qn_no_memory(session->err);
    QnSlot *slot = slot_of(m, step->outputs[0]);
    const size_t wanted = needed > slot->capacity ? stack_size(loop, size, needed) : needed;
    uint8_t *data = qn_slot_reserve(session, slot, wanted ? wanted : 1, kept);
    if (!data)
        return qn_no_memory(session->err);
    if (size)
        memcpy(data + kept, element.data, size);
    int64_t dims[QN_MAX_RANK] = {loop->iteration + 1};
    memcpy(dims + 1, element.dims, (size_t)element.rank * sizeof *dims);
    *stacked = qn_value_tensor(qn_tensor(element.type, element.rank + 1, dims, data));
    return QN_OK;
}

/* The shape of a stacked output that got no element: what its type says, 0 where that is open. */
static QnTensor empty_stack(Machine *m, const QnStep *step)
{
    const QnPlanValue *value = &m->plan->values[step->outputs[0]];
    int64_t dims[QN_MAX_RANK] = {0};
    const int rank = value->type.shape.rank < 1 ? 1 : value->type.shape.rank;
    for (int d = 0; d < value->type.shape.rank; d++) {
        const int64_t size = qn_dim_value(value->type.shape.dims[d], m->binding->rows);
        dims[d] = size < 0 || d == step->axis ? 0 : size;
    }
    return qn_tensor(value->type.element, rank, dims,
                     m->session->slab ? m->session->slab : (void *)dims);
}

static QnStatus run_finish(Machine *m, const QnStep *step)
{
    const QnLoopState *loop = &m->session->loops[step->loop];
    if (loop->iteration == 0) {
        QnTensor empty = empty_stack(m, step);
        empty.data = qn_arena_alloc_raw(&m->session->run_arena, 64, 64);
        if (!empty.data)
            return qn_no_memory(m->session->err);
        *output_of(m, step, 0) = qn_value_tensor(empty);
        return QN_OK;
    }
    QnTensor stacked = input_of(m, step, 0)->tensor;
    if (step->axis >= stacked.rank)
        return name_step(step,
                         qn_fail(m->session->err, QN_BAD_TENSOR,
                                 "results of rank %d cannot be stacked along axis %d",
                                 stacked.rank - 1, step->axis),
                         m->session->err);
    const int64_t count = stacked.dims[0];
    int64_t stride = stacked.strides[0];
    if (step->is_reversed) {
        stacked.data = (uint8_t *)stacked.data + (count - 1) * stride;
        stride = -stride;
    }
    for (int d = 0; d < step->axis; d++) {
        stacked.dims[d] = stacked.dims[d + 1];
        stacked.strides[d] = stacked.strides[d + 1];
    }
    stacked.dims[step->axis] = count;
    stacked.strides[step->axis] = stride;
    return put_view(m, step, &stacked);
}

static QnStatus run_extend(Machine *m, const QnStep *step)
{
    QnTensor extended;
    QN_TRY(name_step(step,
                     qn_session_extend(m->session, step->loop, &input_of(m, step, 0)->tensor,
                                       &input_of(m, step, 1)->tensor, &extended, m->session->err),
                     m->session->err));
    *output_of(m, step, 0) = qn_value_tensor(extended);
    return QN_OK;
}

static QnStatus run_nothing(Machine *m, const QnStep *step)
{
    (void)m;
    (void)step;
    return QN_OK;
}

static QnStatus reserve_scratch(QnSession *session, QnRunCall *call);

static QnStatus run_late_bind(Machine *m, const QnStep *step)
{
    qn_bind_late(m->session, m->binding, (int)(step - m->plan->steps));
    return reserve_scratch(m->session, &m->call);
}

static QnStatus (*const handlers[])(Machine *m, const QnStep *step) = {
    [QN_STEP_COMPUTE] = run_compute,
    [QN_STEP_VIEW] = run_nothing,
    [QN_STEP_CALL] = run_call,
    [QN_STEP_RESOLVE] = run_resolve,
    [QN_STEP_LATE_BIND] = run_late_bind,
    [QN_STEP_ASSIGN] = run_assign,
    [QN_STEP_COPY] = run_copy,
    [QN_STEP_JUMP] = run_jump,
    [QN_STEP_JUMP_IF_NOT] = run_jump_if_not,
    [QN_STEP_SWAP] = run_swap,
    [QN_STEP_LOOP_BEGIN] = run_loop_begin,
    [QN_STEP_LOOP_TEST] = run_loop_test,
    [QN_STEP_LOOP_NEXT] = run_loop_next,
    [QN_STEP_SLICE] = run_slice,
    [QN_STEP_APPEND] = run_append,
    [QN_STEP_FINISH] = run_finish,
    [QN_STEP_EXTEND] = run_extend,
};

/* ---- the loop ---- */

/* Rounded up by an eighth at most, so that sizes that are a little larger later find room. */
static size_t with_headroom(size_t size)
{
    size_t unit = 64;
    while (unit < size / 16)
        unit *= 2;
    return size > SIZE_MAX - unit ? size : qn_round_up(size, unit);
}

/* Scratch as what is bound now needs it: one part for the step, one for each member of the gang. */
static QnStatus reserve_scratch(QnSession *session, QnRunCall *call)
{
    const size_t shared = qn_round_up(session->scratch_needed, 64);
    const size_t each = qn_round_up(session->member_scratch_needed, 64);
    size_t members, total;
    if (!qn_mul_size(&members, each, (size_t)session->gang_size) ||
        !qn_add_size(&total, members, shared))
        return qn_no_memory(session->err);
    if (total > session->scratch_capacity) {
        total = with_headroom(total);
        qn_session_give_back(session, session->scratch, session->scratch_capacity);
        session->scratch = qn_session_take(session, total);
        session->scratch_capacity = session->scratch ? total : 0;
        if (!session->scratch)
            return qn_fail(session->err, QN_NO_MEMORY, "no memory for %zu bytes of scratch", total);
    }
    call->scratch = session->scratch;
    call->member_scratch = session->scratch ? session->scratch + shared : NULL;
    call->member_stride = each;
    return QN_OK;
}

/* Tells the observer about a step that made something. */
static QnStatus observe(const Machine *m, const QnStep *step, int64_t nanoseconds)
{
    QnArena *arena = &m->session->temporary;
    const int count = step->output_count;
    const char **names = qn_arena_array(arena, (size_t)count, sizeof *names);
    QnValue *values = qn_arena_array(arena, (size_t)count, sizeof *values);
    if (!names || !values)
        return qn_no_memory(m->session->err);
    for (int i = 0; i < count; i++) {
        names[i] = step->outputs[i] >= 0 ? m->plan->values[step->outputs[i]].name : "";
        values[i] = step->outputs[i] >= 0 ? m->binding->values[step->outputs[i]]
                                          : (QnValue){.kind = QN_NONE};
    }
    const QnStepEvent event = {
        .step = (int)(step - m->plan->steps),
        .name = step->node ? step->node->origin.name
                : count    ? names[0]
                           : "",
        .op = step->node ? (step->node->origin.op ? step->node->origin.op : step->node->op) : "",
        .kernel = step->kernel ? step->kernel : "",
        .tier = (int)step->tier,
        .nanoseconds = nanoseconds,
        .operations = step->code && step->code->operations
                          ? step->code->operations(step, m->binding->params + step->params_offset)
                          : 0,
        .output_names = names,
        .outputs = values,
        .output_count = count,
    };
    m->session->run_options->observe(m->session->run_options->user, &event);
    qn_arena_reset(arena);
    return QN_OK;
}

static QnStatus run_step(Machine *m, const QnStep *step)
{
    const bool is_observed = m->session->run_options->observe != NULL;
    const int64_t begin = is_observed ? qn_clock_now(NULL) : 0;
    QN_TRY(handlers[step->kind](m, step));
    if (is_observed && (step->output_count > 0 || step->kind == QN_STEP_LATE_BIND))
        return observe(m, step, qn_clock_now(NULL) - begin);
    return QN_OK;
}

/* What is looked at between steps: cancellation, and the fuel of the run. */
static QnStatus check_limits(QnSession *session)
{
    if (--session->steps_left < 0)
        return qn_fail(session->err, QN_BAD_TENSOR, "the run takes more than %lld steps",
                       (long long)session->options.max_steps);
    return is_cancelled(session)
               ? qn_fail(session->err, QN_CANCELLED, "cancelled or past its deadline")
               : QN_OK;
}

QnStatus qn_session_execute(QnSession *session, QnError *err)
{
    Machine m = {.session = session, .plan = session->plan, .binding = session->current};
    session->err = err;
    session->steps_left = session->options.max_steps;
    m.call = (QnRunCall){
        .values = m.binding->values,
        .gang = session->gang,
        .allocate = qn_session_allocate,
        .is_cancelled = is_cancelled,
        .session = session,
        .err = err,
    };
    QN_TRY(reserve_scratch(session, &m.call));
    for (int s = 0; s < m.plan->step_count; s = m.next) {
        m.next = s + 1;
        QN_TRY(check_limits(session));
        if (m.binding->poison[s])
            return qn_bind_error(session, m.binding, s, err);
        QN_TRY(run_step(&m, &m.plan->steps[s]));
    }
    return QN_OK;
}
