/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests on one side, the instances of a model version on the other, and a queue between them.
 *
 * First come, first served, by the next free instance.  A model that has shown to be fast is called
 * directly by whoever submits, if an instance is idle and nothing waits: waking a thread would take
 * longer than the model. Otherwise workers, at most one per instance and made when first needed,
 * take requests from the queue.
 */
#ifndef QS_SCHEDULE_SCHEDULER_H
#define QS_SCHEDULE_SCHEDULER_H

#include "base/clock.h"
#include "server/backends/backend.h"
#include "server/metrics/model_stats.h"

typedef struct QsScheduler QsScheduler;

/* What a queue lets in, and for how long. */
typedef struct QsQueuePolicy {
    uint32_t size_limit;           /* requests that may wait; 0: any number */
    uint64_t timeout_us;           /* after which a waiting one is refused; 0: never */
    bool timeout_can_be_shortened; /* by the request's own timeout */
} QsQueuePolicy;

typedef struct QsSchedulerOptions {
    const char *model_name; /* for messages; like all pointers here it outlives the scheduler */
    const QsBackend *backend;
    void *model;             /* the backend's */
    int instance_count;      /* at least 1 */
    int64_t direct_limit_ns; /* a model whose usual execution is shorter may run on the submitting
                                thread */
    QsQueuePolicy queue;
    const QnClock *clock; /* NULL: the system's */
    QsModelStats *stats;
} QsSchedulerOptions;

/* Opens the instances. */
QnStatus qs_scheduler_create(QsScheduler **out, const QsSchedulerOptions *options, QnError *err);

/*
 * Takes the request, whatever becomes of it: what goes wrong is answered through its sender.  The
 * answer may come before this returns, on this thread.
 */
void qs_scheduler_submit(QsScheduler *scheduler, QsRequest *request);

/* Refuses requests that have waited too long, and forgets cancelled ones.
 * Cheap where none waits.  Any thread. */
void qs_scheduler_expire(QsScheduler *scheduler);

/* Requests that came in and are not yet answered and released by their instance. */
int qs_scheduler_busy_count(QsScheduler *scheduler);

/* Refuses everything from now on; what is waiting or running goes on. */
void qs_scheduler_stop(QsScheduler *scheduler);

/* Waits for what is running, refuses what is waiting, closes the instances.  NULL is fine. */
void qs_scheduler_free(QsScheduler *scheduler);

#endif
