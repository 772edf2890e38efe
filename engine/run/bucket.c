/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The slab: memory plans for shapes rounded up to buckets.
 *
 * A plan for a bucket serves all shapes in it, so shapes that change a little from run to run cost
 * no planning and no allocation.
 */
#include "base/checked.h"
#include "engine/plan/memory.h"
#include "engine/run/session.h"

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

/* Fills the blocks of the slab's values from evaluated rows; false where no memory holds them. */
static bool list_blocks(const QnPlan *plan, const int64_t *rows, QnBlock *blocks)
{
    const int64_t most = (INT64_MAX / 2) / (plan->value_count + 1);
    for (int v = 0; v < plan->value_count; v++) {
        const QnPlanValue *value = &plan->values[v];
        blocks[v] = (QnBlock){0};
        if (value->storage != QN_STORE_SLAB || value->first < 0)
            continue;
        const int64_t size = qn_plan_value_size(plan, value, rows);
        if (size > most)
            return false;
        /* A size that cannot be: a branch that these shapes do not take. */
        blocks[v] = (QnBlock){.size = size < 0 ? 0 : (int64_t)qn_round_up((size_t)size, 64),
                              .first = value->first,
                              .last = value->last};
    }
    return true;
}

static QnStatus plan_memory(QnSession *session, QnMemoryPlan *memory, const int64_t *rows,
                            QnError *err)
{
    const QnPlan *plan = session->plan;
    QnBlock *blocks =
        qn_arena_array(&session->temporary, (size_t)plan->value_count + 1, sizeof *blocks);
    QnStatus status = QN_NO_MEMORY;
    if (blocks && list_blocks(plan, rows, blocks))
        status = qn_memory_plan(blocks, plan->value_count, &memory->total_bytes,
                                &memory->lower_bound_bytes, &session->temporary);
    for (int v = 0; status == QN_OK && v < plan->value_count; v++) {
        memory->offsets[v] = blocks[v].offset;
        memory->sizes[v] = blocks[v].size;
    }
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

bool qn_session_is_key(const QnSession *session, const int64_t *a, const int64_t *b)
{
    const int count = session->plan->symbol_count;
    return count == 0 || memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

static bool reserve_slab(QnSession *session, size_t size)
{
    if (size <= session->slab_capacity)
        return true;
    uint8_t *slab = qn_session_take(session, size);
    if (!slab)
        return false;
    qn_session_give_back(session, session->slab, session->slab_capacity);
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

/* The memory plan for a binding's shapes that was made already:
 * one of the bucket, or an exact one. */
static QnMemoryPlan *find_known(QnSession *session, const QnBinding *binding, int64_t *key)
{
    for (int exact = 0; exact < 2; exact++) {
        round_key(session, binding->rows, key, exact != 0);
        for (int i = 0; i < QN_MEMORY_PLANS; i++) {
            QnMemoryPlan *memory = &session->memories[i];
            if (memory->is_valid && qn_session_is_key(session, memory->key, key) &&
                fits(session->plan, memory, binding->rows))
                return memory;
        }
    }
    return NULL;
}

/* A new one: of the bucket, or, where that is too large
 * or sizes do not grow with the shapes, an exact one. */
static QnStatus make_fitting(QnSession *session, const QnBinding *binding, int64_t *key,
                             QnMemoryPlan **out, QnError *err)
{
    const size_t count = (size_t)session->plan->module->dims.count;
    int64_t *rows = qn_arena_array(&session->temporary, count, sizeof *rows);
    QnStatus status = rows ? QN_OK : qn_no_memory(err);
    for (int exact = 0; rows && exact < 2; exact++) {
        QnMemoryPlan *made = NULL;
        round_key(session, binding->rows, key, exact != 0);
        memcpy(rows, binding->rows, count * sizeof *rows);
        status = make_memory(session, key, rows, &made, err);
        if (made && fits(session->plan, made, binding->rows)) {
            *out = made;
            return QN_OK;
        }
    }
    return status == QN_OK
               ? qn_fail(err, QN_NO_MEMORY, "no memory plan fits the shapes of the inputs")
               : status;
}

QnStatus qn_session_find_memory(QnSession *session, QnBinding *binding, bool *is_new, QnError *err)
{
    int64_t *key =
        qn_arena_array(&session->temporary, (size_t)session->plan->symbol_count, sizeof *key);
    if (!key)
        return qn_no_memory(err);
    QnMemoryPlan *found = find_known(session, binding, key);
    *is_new = !found;
    if (!found)
        QN_TRY(make_fitting(session, binding, key, &found, err));
    found->last_use = session->use_count;
    binding->memory = found;
    return QN_OK;
}
