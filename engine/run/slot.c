/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that grows and is kept: for what only running tells the size of. */
#include "base/checked.h"
#include "engine/run/session.h"

void *qn_session_take(QnSession *session, size_t size)
{
    const uint64_t limit = session->options.limit_bytes;
    if (limit && !qn_is_range(session->held_bytes, size, limit))
        return NULL;
    void *data = qn_alloc(session->allocator, size);
    if (data)
        session->held_bytes += size;
    return data;
}

void qn_session_give_back(QnSession *session, void *data, size_t size)
{
    if (!data)
        return;
    qn_free(session->allocator, data, size);
    session->held_bytes -= size;
}

/* Growing by a half, as much as buckets of shapes are apart, keeps a size that creeps up from
 * allocating in every run. */
static size_t grown_capacity(size_t size)
{
    size_t capacity;
    if (!qn_add_size(&capacity, size, size / 2 + 4096))
        return size;
    return capacity & ~(size_t)63;
}

void *qn_slot_reserve(QnSession *session, QnSlot *slot, size_t size, size_t keep)
{
    if (size <= slot->capacity)
        return slot->data;
    size_t capacity = grown_capacity(size);
    void *data = qn_session_take(session, capacity);
    if (!data)
        data = qn_session_take(session, capacity = size);
    if (!data)
        return NULL;
    if (keep)
        memcpy(data, slot->data, keep);
    qn_session_give_back(session, slot->data, slot->capacity);
    *slot = (QnSlot){data, capacity};
    return data;
}

void *qn_session_allocate(void *user, int value, size_t size)
{
    QnSession *session = user;
    const QnPlanValue *at = &session->plan->values[value];
    if (at->storage == QN_STORE_LATE)
        return qn_slot_reserve(session, &session->slots[at->slot], size, 0);
    return qn_arena_alloc_raw(&session->run_arena, size, 64);
}

/* Copies the elements of dims [d, rank) one after the other; returns where the next one goes. */
static uint8_t *copy_dims(const QnTensor *from, int d, const uint8_t *at, uint8_t *to,
                          size_t element)
{
    if (d == from->rank) {
        memcpy(to, at, element);
        return to + element;
    }
    if (d == from->rank - 1 && from->strides[d] == (int64_t)element) {
        const size_t size = (size_t)from->dims[d] * element;
        memcpy(to, at, size);
        return to + size;
    }
    for (int64_t i = 0; i < from->dims[d]; i++)
        to = copy_dims(from, d + 1, at + i * from->strides[d], to, element);
    return to;
}

void qn_tensor_copy_contiguous(const QnTensor *from, void *to)
{
    if (qn_tensor_count(from) > 0)
        copy_dims(from, 0, from->data, to, qn_type_size(from->type));
}
