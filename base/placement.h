/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping a worker off its caller's processor.
 *
 * Linux likes to wake a thread where its waker runs, if the processor that it ran on before does
 * not look idle at once; in a virtual machine, one that has slept for a while never does, since its
 * host has taken it away.  Caller and worker then share one processor until the load is balanced
 * some milliseconds later, which is longer than most runs.  (See available_idle_cpu() and
 * vcpu_is_preempted() in Linux's scheduler.)
 */
#ifndef QN_BASE_PLACEMENT_H
#define QN_BASE_PLACEMENT_H

#include <sched.h>

#include "base/thread.h"

/* Where one thread may run.  Guarded by whoever owns the thread; begins with .avoided = -1. */
typedef struct QnPlacement {
    int avoided;       /* the processor that it is kept off; -1: none */
    cpu_set_t allowed; /* where it may run otherwise */
    cpu_set_t given;   /* what it was told last */
} QnPlacement;

/* The number of the processor that the calling thread runs on now;
 * -1 where the system does not say.  Cheap. */
static inline int qn_current_processor(void)
{
    return sched_getcpu();
}

/*
 * From now on the thread runs anywhere it might before but on `processor` (-1: also there).  A
 * thread that has nowhere else to go stays as it is.  A mask that somebody else has given the
 * thread meanwhile is respected.  Two system calls; it fails silently, since it is only about
 * speed.
 */
void qn_placement_avoid(QnPlacement *placement, const QnThread *thread, int processor);

#endif
