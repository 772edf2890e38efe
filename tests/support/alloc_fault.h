/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An allocator that fails on purpose and counts what was not given back.
 *
 * A torture test runs its subject again and again, each time with one allocation failing, until a
 * run needs fewer:
 *
 *     for (int64_t n = 1;; n++) {
 *         AllocFault fault;
 *         alloc_fault_init(&fault, n);
 *         const QnStatus status = subject(&fault.allocator);
 *         EXPECT(t, alloc_fault_live_bytes(&fault) == 0, "allocation %d leaks", n);
 *         if (!alloc_fault_has_failed(&fault))
 *             break;
 *         EXPECT(t, status == QN_NO_MEMORY, "allocation %d was ignored", n);
 *     }
 */
#ifndef QN_TESTS_ALLOC_FAULT_H
#define QN_TESTS_ALLOC_FAULT_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "quern/allocator.h"

/* It may not be moved once its allocator is in use.  Any thread may allocate. */
typedef struct AllocFault {
    QnAllocator allocator;
    int64_t failing;        /* the number, from 1, of the allocation that fails; 0: none */
    bool fails_all_after;   /* and all later ones */
    QnAtomicI64 count;      /* allocations asked for */
    QnAtomicI64 live_count; /* given and not taken back */
    QnAtomicI64 live_bytes;
    QnAtomicI64 most_bytes; /* the peak of live_bytes */
} AllocFault;

static inline void *alloc_fault_alloc(void *user, size_t size, size_t alignment)
{
    AllocFault *fault = user;
    const int64_t number = qn_fetch_add_i64(&fault->count, 1) + 1;
    assert(size > 0 && alignment && (alignment & (alignment - 1)) == 0);
    if (fault->failing &&
        (number == fault->failing || (fault->fails_all_after && number > fault->failing)))
        return NULL;
    if (size > SIZE_MAX - alignment)
        return NULL;
    void *data = aligned_alloc(alignment, (size + alignment - 1) & ~(alignment - 1));
    if (!data)
        return NULL;
    memset(data, 0xa5, size); /* nobody may count on zeros */
    qn_fetch_add_i64(&fault->live_count, 1);
    const int64_t live = qn_fetch_add_i64(&fault->live_bytes, (int64_t)size) + (int64_t)size;
    for (int64_t most = qn_load_relaxed_i64(&fault->most_bytes); live > most;
         most = qn_load_relaxed_i64(&fault->most_bytes))
        if (qn_compare_exchange_i64(&fault->most_bytes, most, live))
            break;
    return data;
}

static inline void alloc_fault_free(void *user, void *data, size_t size)
{
    AllocFault *fault = user;
    assert(data);
    memset(data, 0x5a, size);
    qn_fetch_add_i64(&fault->live_count, -1);
    qn_fetch_add_i64(&fault->live_bytes,
                     -(int64_t)size); /* a wrong size shows as live bytes at the end */
    free(data);
}

/* Fails the n-th allocation from now on; 0 fails none.  Starts to count at 1 again. */
static inline void alloc_fault_init(AllocFault *fault, int64_t n)
{
    *fault = (AllocFault){.allocator = {fault, alloc_fault_alloc, alloc_fault_free}, .failing = n};
}

static inline bool alloc_fault_has_failed(const AllocFault *fault)
{
    return fault->failing && qn_load_relaxed_i64(&fault->count) >= fault->failing;
}

static inline int64_t alloc_fault_live_bytes(const AllocFault *fault)
{
    return qn_load_relaxed_i64(&fault->live_bytes);
}

#endif
