/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened to the requests of one model version: counts and times, added to by any thread.
 *
 * A request counts once, with its batch size as that many inferences; a batch counts as one
 * execution.
 */
#ifndef QS_METRICS_MODEL_STATS_H
#define QS_METRICS_MODEL_STATS_H

#include <stdatomic.h>
#include <stdint.h>

/* How often something took place, and how long it took in all. */
typedef struct QsDuration {
    atomic_uint_least64_t count, nanoseconds;
} QsDuration;

static inline void qs_duration_add(QsDuration *duration, int64_t nanoseconds)
{
    atomic_fetch_add_explicit(&duration->count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&duration->nanoseconds, nanoseconds > 0 ? (uint64_t)nanoseconds : 0,
                              memory_order_relaxed);
}

/* {0} is a valid beginning. */
typedef struct QsModelStats {
    QsDuration success, fail, queue;
    QsDuration compute_input, compute_infer, compute_output;
    QsDuration rejected, cancelled;   /* of the failed ones: those that never ran */
    atomic_uint_least64_t inferences; /* the batch sizes of successful requests */
    atomic_uint_least64_t executions; /* batches */
} QsModelStats;

#endif
