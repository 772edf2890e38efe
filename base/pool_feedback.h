/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the pool's threads really run.
 *
 * With a busy neighbour on one of the processors, a worker holds its chunk while it is preempted,
 * and the caller waits for it: two threads are then slower than one.  The sign is that callers wait
 * for long at the ends of loops while a worker had little processor time.  Then the pool does with
 * one thread less for a while, and tries again.
 *
 * Plain arithmetic on times that it is told, guarded by its owner.
 */
#ifndef QN_BASE_POOL_FEEDBACK_H
#define QN_BASE_POOL_FEEDBACK_H

#include <stdbool.h>
#include <stdint.h>

enum {
    QN_FEEDBACK_LOOPS = 20,        /* a window has so many loops at least, */
    QN_FEEDBACK_WINDOW_MS = 10,    /* and several of the scheduler's time slices */
    QN_FEEDBACK_WAIT_PERCENT = 30, /* of a window's time: from there on it is suspicious */
    QN_FEEDBACK_CPU_PERCENT =
        75, /* of a window's time: a worker that had less did not run freely */
    QN_FEEDBACK_RETRY_MS = 100
};

/* Some loops: how long they took, how long of that the caller waited at the end, or was off its
 * processor itself. */
typedef struct QnLoopTimes {
    int loop_count;
    int64_t loop_ns, wait_ns, lost_ns;
} QnLoopTimes;

typedef struct QnFeedback {
    int less;         /* threads to do without */
    int64_t retry_ns; /* when to try one more; valid while less > 0 */
    bool is_watching; /* the window before was suspicious, and processor times were noted at its end
                       */
    QnLoopTimes window; /* in progress */
} QnFeedback;

typedef enum QnFeedbackAction {
    QN_FEEDBACK_NOTHING,
    QN_FEEDBACK_NOTE, /* note the processor times of the workers */
    QN_FEEDBACK_JUDGE /* call qn_feedback_judge with the least that a worker has had since the note
                       */
} QnFeedbackAction;

/* Adds loops; where they complete a window, *window is all of it. */
QnFeedbackAction qn_feedback_add(QnFeedback *feedback, const QnLoopTimes *times,
                                 QnLoopTimes *window);

/*
 * The answer to QN_FEEDBACK_JUDGE: a worker had only cpu_ns in that window.  `size` is the number
 * of threads, at least one of which stays.  True where `less` has changed.
 */
bool qn_feedback_judge(QnFeedback *feedback, int64_t cpu_ns, const QnLoopTimes *window,
                       int64_t now_ns, int size);

/* Forgets what has been seen, but not `less`. */
void qn_feedback_reset(QnFeedback *feedback);

/* Is it time to try one more?  True where `less` has changed. */
bool qn_feedback_retry(QnFeedback *feedback, int64_t now_ns);

#endif
