/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that all requests together may hold.  Taken before memory is allocated, so that a flood
 * of large bodies ends in refusals and not in the kernel's choice of a victim.
 */
#ifndef QS_NET_BUDGET_H
#define QS_NET_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct QsBudget {
    size_t limit_bytes;       /* set at creation */
    atomic_size_t used_bytes; /* any thread */
} QsBudget;

/* False, with nothing taken, where it would pass the limit. */
static inline bool qs_budget_take(QsBudget *budget, size_t size)
{
    size_t used = atomic_load_explicit(&budget->used_bytes, memory_order_relaxed);
    do {
        if (size > budget->limit_bytes - used)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(&budget->used_bytes, &used, used + size,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

static inline void qs_budget_give(QsBudget *budget, size_t size)
{
    atomic_fetch_sub_explicit(&budget->used_bytes, size, memory_order_relaxed);
}

#endif
