/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Delivering outputs.
 *
 * A graph may hand through what it was given: a tensor, the items of a sequence, the bytes of a
 * string.  The caller is promised memory of his own or of the session's, so what may be foreign is
 * copied here, in one place, and no operator has to think of it.
 */
#include "engine/api/deliver.h"

#include <assert.h>

#include "base/checked.h"

/* ---- copies that share nothing ---- */

/* Gives the strings of a contiguous tensor bytes of the session's. */
static QnStatus own_strings(QnSession *session, const QnTensor *tensor)
{
    QnString *strings = tensor->data;
    const int64_t count = qn_tensor_count(tensor);
    size_t size = 0;
    if (tensor->type != QN_STRING)
        return QN_OK;
    for (int64_t i = 0; i < count; i++)
        if (!qn_add_size(&size, size, strings[i].size))
            return QN_NO_MEMORY;
    char *at = size ? qn_arena_alloc_raw(&session->run_arena, size, 1) : NULL;
    if (size && !at)
        return QN_NO_MEMORY;
    for (int64_t i = 0; i < count; i++) {
        if (!strings[i].size)
            continue;
        assert(at);
        memcpy(at, strings[i].data, strings[i].size);
        strings[i].data = at;
        at += strings[i].size;
    }
    return QN_OK;
}

static QnStatus copy_tensor(QnSession *session, QnTensor *out, const QnTensor *from)
{
    const size_t size = (size_t)qn_tensor_count(from) * qn_type_size(from->type);
    void *to = qn_arena_alloc_raw(&session->run_arena, size, 64);
    if (!to)
        return QN_NO_MEMORY;
    qn_tensor_copy_contiguous(from, to);
    *out = qn_tensor(from->type, from->rank, from->dims, to);
    return own_strings(session, out);
}

QnStatus qn_value_copy(QnSession *session, QnValue *out, const QnValue *from)
{
    QnValue made = *from;
    if (from->kind == QN_TENSOR)
        QN_TRY(copy_tensor(session, &made.tensor, &from->tensor));
    else if (from->kind != QN_NONE)
        made.items = qn_arena_array(&session->run_arena, (size_t)from->count, sizeof *made.items);
    if (from->kind != QN_TENSOR && from->count > 0) {
        if (!made.items)
            return QN_NO_MEMORY;
        for (int64_t i = 0; i < from->count; i++)
            QN_TRY(qn_value_copy(session, &made.items[i], &from->items[i]));
    }
    *out = made;
    return QN_OK;
}

/* ---- outputs ---- */

/* Is the output of a state that grows?  Then it is a view with room behind each row. */
static bool is_appended(const QnPlan *plan, int output)
{
    for (int s = 0; s < plan->state_count; s++)
        if (plan->states[s].append_axis >= 0 && plan->states[s].output == output)
            return true;
    return false;
}

/* May the value lie in memory that is not the session's: the caller's, or the plan's? */
static bool is_foreign(const QnPlan *plan, int value)
{
    while (plan->values[value].storage == QN_STORE_VIEW)
        value = plan->values[value].base;
    return plan->values[value].storage == QN_STORE_INPUT ||
           plan->values[value].storage == QN_STORE_CONSTANT ||
           plan->values[value].storage == QN_STORE_ASSIGNED;
}

static QnStatus deliver_collection(QnSession *session, int i, QnValue *output, const QnValue *made,
                                   QnError *err)
{
    if (output->kind == QN_TENSOR && output->tensor.data)
        return qn_fail(err, QN_BAD_TENSOR, "output '%s' is no tensor, but memory for one was given",
                       session->plan->module->main->output_names[i]);
    return qn_value_copy(session, output, made) == QN_OK ? QN_OK : qn_no_memory(err);
}

/* A tensor that is the session's memory already. */
static QnStatus deliver_own(QnSession *session, QnValue *output, const QnValue *made, QnError *err)
{
    if (own_strings(session, &made->tensor) != QN_OK)
        return qn_no_memory(err);
    *output = *made;
    return QN_OK;
}

QnStatus qn_output_deliver(QnSession *session, int i, QnValue *output, QnError *err)
{
    const QnPlan *plan = session->plan;
    const QnRunOptions *options = session->run_options;
    const QnValue *made = &session->current->values[plan->outputs[i]];
    const char *name = plan->module->main->output_names[i];
    if (made->kind != QN_TENSOR)
        return deliver_collection(session, i, output, made, err);
    const size_t size = (size_t)qn_tensor_count(&made->tensor) * qn_type_size(made->tensor.type);
    void *to = output->kind == QN_TENSOR ? output->tensor.data : NULL;
    const size_t room = to ? output->tensor.size_bytes : size;
    if (to && room < size)
        return qn_fail(err, QN_BAD_TENSOR, "output '%s' takes %zu bytes, but %zu were given", name,
                       size, room);
    if (!to && options->allocate && size)
        to = options->allocate(options->user, i, &made->tensor, size);
    else if (!to && !is_appended(plan, i) && is_foreign(plan, plan->outputs[i]))
        to = qn_arena_alloc_raw(&session->run_arena, size, 64);
    else if (!to)
        return deliver_own(session, output, made, err);
    if (!to && size)
        return qn_fail(err, QN_NO_MEMORY, "no memory for the %zu bytes of output '%s'", size, name);
    qn_tensor_copy_contiguous(&made->tensor, to);
    QnTensor tensor = qn_tensor(made->tensor.type, made->tensor.rank, made->tensor.dims, to);
    if (own_strings(session, &tensor) != QN_OK)
        return qn_no_memory(err);
    tensor.size_bytes = room;
    *output = qn_value_tensor(tensor);
    return QN_OK;
}
