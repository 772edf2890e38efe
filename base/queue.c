/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/clock.h"

/* A condition whose deadlines are times of the monotonic clock. */
static bool init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes))
        return false;
    const bool is_done = !pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) &&
                         !pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return is_done;
}

bool qn_queue_init(QnQueue *queue, int64_t capacity)
{
    *queue = (QnQueue){.capacity = capacity};
    if (pthread_mutex_init(&queue->lock, NULL))
        return false;
    if (init_condition(&queue->arrived))
        return true;
    pthread_mutex_destroy(&queue->lock);
    return false;
}

void qn_queue_finish(QnQueue *queue)
{
    assert(!queue->first && !queue->waiting);
    pthread_cond_destroy(&queue->arrived);
    pthread_mutex_destroy(&queue->lock);
}

/* With the lock held. */
static QnPush append(QnQueue *queue, QnQueueLink *link)
{
    if (queue->is_closed)
        return QN_QUEUE_CLOSED;
    if (queue->capacity && queue->count >= queue->capacity)
        return QN_QUEUE_FULL;
    const bool was_empty = !queue->first;
    link->next = NULL;
    if (was_empty)
        queue->first = link;
    else
        queue->last->next = link;
    queue->last = link;
    queue->count++;
    return was_empty ? QN_PUSHED_FIRST : QN_PUSHED;
}

QnPush qn_queue_push(QnQueue *queue, QnQueueLink *link)
{
    pthread_mutex_lock(&queue->lock);
    const QnPush result = append(queue, link);
    /* With the lock still held, so that the queue is there as long as this thread touches it. */
    if (result <= QN_PUSHED_FIRST && queue->waiting)
        pthread_cond_signal(&queue->arrived);
    pthread_mutex_unlock(&queue->lock);
    return result;
}

/* With the lock held. */
static QnQueueLink *remove_first(QnQueue *queue)
{
    QnQueueLink *link = queue->first;
    if (!link)
        return NULL;
    queue->first = link->next;
    queue->count--;
    link->next = NULL;
    return link;
}

QnQueueLink *qn_queue_try_pop(QnQueue *queue)
{
    pthread_mutex_lock(&queue->lock);
    QnQueueLink *link = remove_first(queue);
    pthread_mutex_unlock(&queue->lock);
    return link;
}

/* Waits for a signal; false once the deadline is past.  With the lock held. */
static bool wait_until(QnQueue *queue, int64_t deadline_ns)
{
    if (deadline_ns == QN_NEVER)
        return pthread_cond_wait(&queue->arrived, &queue->lock) == 0;
    if (deadline_ns < 0)
        return false;
    const struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / QN_NS_PER_S),
                                      .tv_nsec = (long)(deadline_ns % QN_NS_PER_S)};
    return pthread_cond_timedwait(&queue->arrived, &queue->lock, &deadline) != ETIMEDOUT;
}

QnQueueLink *qn_queue_pop(QnQueue *queue, int64_t deadline_ns)
{
    pthread_mutex_lock(&queue->lock);
    queue->waiting++;
    while (!queue->first && !queue->is_closed && wait_until(queue, deadline_ns))
        ;
    queue->waiting--;
    QnQueueLink *link = remove_first(queue);
    pthread_mutex_unlock(&queue->lock);
    return link;
}

QnQueueLink *qn_queue_take_all(QnQueue *queue)
{
    pthread_mutex_lock(&queue->lock);
    QnQueueLink *first = queue->first;
    queue->first = queue->last = NULL;
    queue->count = 0;
    pthread_mutex_unlock(&queue->lock);
    return first;
}

void qn_queue_close(QnQueue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->is_closed = true;
    pthread_cond_broadcast(&queue->arrived);
    pthread_mutex_unlock(&queue->lock);
}

int64_t qn_queue_count(QnQueue *queue)
{
    pthread_mutex_lock(&queue->lock);
    const int64_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}
