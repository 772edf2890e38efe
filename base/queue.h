/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passing the ownership of objects from threads to a thread.
 *
 * The link lies in the object, so pushing never allocates.  Who pushes successfully has given the
 * object away, with everything that was written to it; who pops it owns it.  Any number of threads
 * may push and pop.
 */
#ifndef QN_BASE_QUEUE_H
#define QN_BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* To be embedded in what is queued.  In one queue at a time. */
typedef struct QnQueueLink {
    struct QnQueueLink *next; /* guarded by the queue's lock while queued */
} QnQueueLink;

/* The object of `type` whose member `member` is that link; NULL of NULL. */
#define QN_QUEUE_OBJECT(link, type, member) \
    ((type *)qn_queue_object_((link), offsetof(type, member)))

static inline void *qn_queue_object_(QnQueueLink *link, size_t offset)
{
    return link ? (char *)link - offset : NULL;
}

typedef struct QnQueue {
    int64_t capacity; /* set at creation, never changed */

    pthread_mutex_t lock;
    pthread_cond_t arrived;    /* something was pushed, or the queue was closed */
    QnQueueLink *first, *last; /* guarded by lock */
    int64_t count;             /* guarded by lock */
    int waiting;               /* guarded by lock: threads in qn_queue_pop */
    bool is_closed;            /* guarded by lock */
} QnQueue;

typedef enum QnPush {
    QN_PUSHED,
    QN_PUSHED_FIRST, /* and the queue was empty before:
                        the one push after which a loop has to be woken */
    QN_QUEUE_FULL,   /* not pushed: the object is still the caller's */
    QN_QUEUE_CLOSED  /* not pushed either */
} QnPush;

/* A queue of at most `capacity` objects, 0: any number.
 * False where the system has no room for its lock. */
bool qn_queue_init(QnQueue *queue, int64_t capacity);

/* It must be empty, and nobody may use it any more. */
void qn_queue_finish(QnQueue *queue);

/* Puts an object at the end.  Never waits for room. */
QnPush qn_queue_push(QnQueue *queue, QnQueueLink *link);

/* Takes the first object.  Waits for one until the deadline of the system's clock, an absolute time
 * (base/clock.h); NULL once that is past, or when the queue is closed and empty. */
QnQueueLink *qn_queue_pop(QnQueue *queue, int64_t deadline_ns);

/* Takes the first object, or NULL if there is none now. */
QnQueueLink *qn_queue_try_pop(QnQueue *queue);

/* Takes all objects at once, oldest first, linked by `next`; NULL if there are none. */
QnQueueLink *qn_queue_take_all(QnQueue *queue);

/* Refuses all pushes from here on, and wakes all that wait.  What is in it can still be popped. */
void qn_queue_close(QnQueue *queue);

/* How many objects are in it: for metrics, since it may have changed already. */
int64_t qn_queue_count(QnQueue *queue);

#endif
