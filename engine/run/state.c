/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a session keeps from run to run.
 *
 * An ordinary state is copied out of the output at the end of a run.  One that grows (a cache: its
 * output is its input with rows appended) lives in one buffer with room for more rows than it has:
 * appending writes only the new rows, and both input and output are views of the buffer.
 */
#include "base/checked.h"
#include "engine/run/session.h"

/* The rows before and behind an axis, as bytes: a tensor is [outer][axis][inner bytes]. */
typedef struct Rows {
    int64_t outer;
    size_t inner_bytes;
} Rows;

static Rows rows_of(const QnTensor *tensor, int axis)
{
    Rows rows = {1, qn_type_size(tensor->type)};
    for (int d = 0; d < tensor->rank; d++) {
        if (d < axis)
            rows.outer *= tensor->dims[d];
        else if (d > axis)
            rows.inner_bytes *= (size_t)tensor->dims[d];
    }
    return rows;
}

/* A view of `length` rows in a buffer with room for `capacity`. */
static QnTensor view_of(const QnTensor *like, int axis, int64_t length, int64_t capacity,
                        void *data)
{
    int64_t dims[QN_MAX_RANK];
    memcpy(dims, like->dims, sizeof dims);
    dims[axis] = capacity;
    QnTensor view = qn_tensor(like->type, like->rank, dims, data);
    view.dims[axis] = length;
    return view;
}

/* Writes rows of `from` (any strides) into a view, from its row `first` on. */
static void write_rows(const QnTensor *view, int axis, int64_t first, const QnTensor *from)
{
    const Rows rows = rows_of(from, axis);
    const size_t size = (size_t)from->dims[axis] * rows.inner_bytes;
    const int64_t pitch = axis > 0 ? view->strides[axis - 1] : 0;
    const uint8_t *source = from->data;
    const int64_t step = axis > 0 ? from->strides[axis - 1] : 0;
    uint8_t *to = (uint8_t *)view->data + first * view->strides[axis];
    for (int64_t o = 0; size && o < rows.outer; o++)
        memmove(to + o * pitch, source + o * step, size);
}

/* Does the buffer have room for so many rows that are like those of `like`? */
static bool has_room(const QnStateBuffer *buffer, const QnTensor *like, int axis, int64_t rows)
{
    const Rows sizes = rows_of(like, axis);
    size_t size;
    return qn_mul_size(&size, (size_t)rows, (size_t)sizes.outer * sizes.inner_bytes) &&
           size <= buffer->memory.capacity;
}

/*
 * Moves `past` into memory with room for `needed` rows, 64 at least, and those that the slot, which
 * grows by a half, has room for beyond them.  Memory that `past` does not lie in is used again;
 * that in which it does becomes the spare one: if this run fails, the next begins with what is
 * there.
 */
static QnStatus grow(QnSession *session, QnStateBuffer *buffer, const QnTensor *past, int axis,
                     int64_t needed, QnError *err)
{
    const Rows rows = rows_of(past, axis);
    const bool is_inside = past->data == buffer->memory.data;
    QnSlot *to = is_inside ? &buffer->spare : &buffer->memory;
    const size_t row_bytes = (size_t)rows.outer * rows.inner_bytes;
    int64_t capacity = qn_max_i64(needed, 64);
    size_t size;
    if (!qn_mul_size(&size, (size_t)capacity, row_bytes) ||
        !qn_slot_reserve(session, to, size ? size : 1, 0))
        return qn_fail(err, QN_NO_MEMORY, "no memory for a state of %lld rows",
                       (long long)capacity);
    if (row_bytes)
        capacity = (int64_t)(to->capacity / row_bytes);
    const QnTensor view = view_of(past, axis, past->dims[axis], capacity, to->data);
    write_rows(&view, axis, 0, past);
    if (is_inside) {
        const QnSlot former = buffer->memory;
        buffer->memory = buffer->spare;
        buffer->spare = former;
    }
    buffer->capacity = capacity;
    return QN_OK;
}

/* Other rows than the kept ones are extended, in their memory: if this run fails, the state begins
 * anew rather than with rows of both. */
static void forget_overwritten(QnSession *session, int state, const QnTensor *past, int axis)
{
    QnValue *kept = &session->state_values[state];
    const void *memory = session->states[state].memory.data;
    if (kept->kind == QN_TENSOR && kept->tensor.data == memory &&
        (past->data != memory || past->dims[axis] < kept->tensor.dims[axis]))
        *kept = (QnValue){.kind = QN_NONE};
}

/* Rows of `past` and those appended must agree in all but the axis. */
static QnStatus check_rows(const QnTensor *past, const QnTensor *rows, int axis, QnError *err)
{
    if (past->type != rows->type || past->rank != rows->rank)
        return qn_fail(err, QN_BAD_TENSOR,
                       "the state has type %s and rank %d, what is appended %s and %d",
                       qn_type_name(past->type), past->rank, qn_type_name(rows->type), rows->rank);
    for (int d = 0; d < past->rank; d++)
        if (d != axis && past->dims[d] != rows->dims[d])
            return qn_fail(err, QN_BAD_TENSOR,
                           "the state has %lld elements along axis %d, what is appended %lld",
                           (long long)past->dims[d], d, (long long)rows->dims[d]);
    return QN_OK;
}

QnStatus qn_session_extend(QnSession *session, int state, const QnTensor *past,
                           const QnTensor *rows, QnTensor *out, QnError *err)
{
    const int axis = session->plan->states[state].append_axis;
    QnStateBuffer *buffer = &session->states[state];
    int64_t length;
    QN_TRY(check_rows(past, rows, axis, err));
    if (!qn_add_i64(&length, past->dims[axis], rows->dims[axis]))
        return qn_no_memory(err);
    forget_overwritten(session, state, past, axis);
    if (past->data != buffer->memory.data || length > buffer->capacity ||
        !has_room(buffer, past, axis, buffer->capacity))
        QN_TRY(grow(session, buffer, past, axis, length, err));
    *out = view_of(past, axis, length, buffer->capacity, buffer->memory.data);
    write_rows(out, axis, past->dims[axis], rows);
    return QN_OK;
}

/* The size that another given input says for a symbol; -1: none does. */
static int64_t symbol_size(const QnPlan *plan, const QnValue *inputs, QnDim dim)
{
    for (int s = 0; s < plan->symbol_count; s++) {
        const QnInputSymbol *symbol = &plan->symbols[s];
        if (symbol->row == -1 - dim && inputs[symbol->input].kind == QN_TENSOR &&
            symbol->axis < inputs[symbol->input].tensor.rank)
            return inputs[symbol->input].tensor.dims[symbol->axis];
    }
    return -1;
}

/*
 * A state before the first run: zeros.  Open dims are as large as the same symbol is in another
 * input; else the axis that grows has no elements yet, and the others have one.
 */
QnStatus qn_session_begin_state(QnSession *session, int s, const QnValue *inputs, QnValue *out,
                                QnError *err)
{
    const QnPlan *plan = session->plan;
    const QnPlanState *state = &plan->states[s];
    const QnIrType *type = &plan->values[plan->inputs[state->input]].type;
    int64_t dims[QN_MAX_RANK];
    size_t size = qn_type_size(type->element);
    if (type->kind != QN_TENSOR || type->shape.rank < 0)
        return qn_fail(err, QN_BAD_TENSOR,
                       "input '%s' is missing: a state of its type has no beginning",
                       plan->values[plan->inputs[state->input]].name);
    for (int d = 0; d < type->shape.rank; d++) {
        const QnDim dim = type->shape.dims[d];
        const int64_t other = qn_dim_is_known(dim) ? dim : symbol_size(plan, inputs, dim);
        dims[d] = other >= 0 ? other : d == state->append_axis ? 0 : 1;
        if (!qn_mul_size(&size, size, (size_t)dims[d]))
            return qn_no_memory(err);
    }
    void *data = qn_arena_alloc_raw(&session->run_arena, size, 64);
    if (!data)
        return qn_no_memory(err);
    memset(data, 0, size);
    *out = qn_value_tensor(qn_tensor(type->element, type->shape.rank, dims, data));
    return QN_OK;
}

/* What the run made of state s; NULL where that is no tensor. */
static const QnTensor *made_of(const QnSession *session, int s)
{
    const int output = session->plan->outputs[session->plan->states[s].output];
    const QnValue *made = &session->current->values[output];
    return made->kind == QN_TENSOR ? &made->tensor : NULL;
}

/* Copies what becomes of an ordinary state to its spare memory: the run's outputs may still lie in
 * the old one, of this state or of another. */
static QnStatus copy_state(QnSession *session, int s, const QnTensor *made, QnError *err)
{
    const size_t size = (size_t)qn_tensor_count(made) * qn_type_size(made->type);
    void *to = qn_slot_reserve(session, &session->states[s].spare, size ? size : 1, 0);
    if (!to)
        return qn_no_memory(err);
    qn_tensor_copy_contiguous(made, to);
    return QN_OK;
}

static void change_state(QnSession *session, int s, const QnTensor *made)
{
    QnStateBuffer *buffer = &session->states[s];
    const QnSlot former = buffer->memory;
    buffer->memory = buffer->spare;
    buffer->spare = former;
    session->state_values[s] =
        qn_value_tensor(qn_tensor(made->type, made->rank, made->dims, buffer->memory.data));
    /* The second run's memory is made in the first; where there is none, that run says so. */
    const size_t size = session->state_values[s].tensor.size_bytes;
    if (!former.data)
        qn_slot_reserve(session, &buffer->spare, size ? size : 1, 0);
}

/* Keeps a state that grew where it lies, and gives back the memory that it has outgrown. */
static void keep_grown(QnSession *session, int s, const QnTensor *made)
{
    QnSlot *spare = &session->states[s].spare;
    qn_session_give_back(session, spare->data, spare->capacity);
    *spare = (QnSlot){0};
    session->state_values[s] = qn_value_tensor(*made);
}

QnStatus qn_session_keep_states(QnSession *session, QnError *err)
{
    const QnPlan *plan = session->plan;
    for (int s = 0; s < plan->state_count; s++)
        if (plan->states[s].append_axis < 0 && made_of(session, s))
            QN_TRY(copy_state(session, s, made_of(session, s), err));
    for (int s = 0; s < plan->state_count; s++) {
        const QnTensor *made = made_of(session, s);
        if (made && plan->states[s].append_axis < 0)
            change_state(session, s, made);
        else if (made)
            keep_grown(session, s, made);
    }
    return QN_OK;
}
