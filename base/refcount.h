/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The count of references to an object that threads share and drop in any order.  It lies in the
 * object, and the object's acquire and release functions are the only ones that touch it.
 */
#ifndef QN_BASE_REFCOUNT_H
#define QN_BASE_REFCOUNT_H

#include <assert.h>

#include "base/atomic.h"

typedef struct QnRefcount {
    QnAtomicI64 count;
} QnRefcount;

/* One reference, the creator's. */
static inline void qn_refcount_init(QnRefcount *refs)
{
    qn_store_relaxed_i64(&refs->count, 1);
}

/* For somebody who holds a reference already:
 * nothing has to be ordered, since the object is alive. */
static inline void qn_refcount_acquire(QnRefcount *refs)
{
    const int64_t before = qn_fetch_add_relaxed_i64(&refs->count, 1);
    assert(before > 0);
    (void)before;
}

/* For somebody who found the object in a place that holds no reference:
 * false where it is on its way out. */
QN_WARN_UNUSED static inline bool qn_refcount_try_acquire(QnRefcount *refs)
{
    int64_t count = qn_load_relaxed_i64(&refs->count);
    while (count > 0) {
        if (qn_compare_exchange_i64(&refs->count, count, count + 1))
            return true;
        count = qn_load_relaxed_i64(&refs->count);
    }
    return false;
}

/* True for the last one, who then frees the object and sees all that the others wrote. */
QN_WARN_UNUSED static inline bool qn_refcount_release(QnRefcount *refs)
{
    const int64_t before = qn_fetch_add_i64(&refs->count, -1);
    assert(before > 0);
    return before == 1;
}

#endif
