/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use how many threads: the pool, its size, and its division among gangs. */
#include "base/pool.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/checked.h"
#include "base/pool_worker.h"

enum { SIZE_LIMIT = 4096 };
#define RECOUNT_NS (5 * QN_NS_PER_S)

static const QnPoolOptions defaults = {
    .spin_ns = 75 * QN_NS_PER_US, .join_spin_ns = 10 * QN_NS_PER_US, .inline_ns = 4 * QN_NS_PER_US};

/*
 * Divides the threads among the gangs: one for each caller, which runs anyway, and the others in
 * turn to those that want more.  With the lock held.
 */
static void divide(QnPool *pool)
{
    int spare = (int)qn_min_i64(pool->size, pool->started + 1) - pool->feedback.less;
    for (QnGang *gang = pool->gangs; gang; gang = gang->next, spare--)
        gang->share = 1;
    for (bool is_wanted = true; spare > 0 && is_wanted;) {
        is_wanted = false;
        for (QnGang *gang = pool->gangs; gang && spare > 0; gang = gang->next)
            if (gang->share < gang->limit) {
                gang->share++;
                spare--;
                is_wanted = true;
            }
    }
    for (QnGang *gang = pool->gangs; gang; gang = gang->next)
        qn_store_relaxed_u32(&gang->target, (uint32_t)gang->share);
    qn_store_relaxed_u32(&pool->less, (uint32_t)pool->feedback.less);
}

/* Gives back members until `members` are left.  With the lock held, between loops. */
static void shrink(QnGang *gang, int members)
{
    while (gang->members > members) {
        QnWorker *worker = gang->workers;
        gang->workers = worker->next;
        gang->members--;
        qn_worker_release(worker);
        worker->next = gang->pool->free;
        gang->pool->free = worker;
    }
}

/* Takes members as far as there are free ones.  With the lock held, between loops. */
static void grow(QnGang *gang, int members)
{
    while (gang->members < members && gang->pool->free) {
        QnWorker *worker = gang->pool->free;
        gang->pool->free = worker->next;
        worker->member = gang->members++;
        worker->next = gang->workers;
        gang->workers = worker;
    }
}

static void retry(QnPool *pool)
{
    const int64_t now = qn_clock_now(NULL);
    pthread_mutex_lock(&pool->lock);
    if (qn_feedback_retry(&pool->feedback, now))
        divide(pool);
    pthread_mutex_unlock(&pool->lock);
}

void qn_gang_settle(QnGang *gang)
{
    if (QN_UNLIKELY(qn_load_relaxed_u32(&gang->pool->less)))
        retry(gang->pool);
    if (QN_LIKELY(qn_load_relaxed_u32(&gang->target) == (uint32_t)gang->members))
        return;
    pthread_mutex_lock(&gang->pool->lock);
    shrink(gang, gang->share);
    grow(gang, gang->share);
    pthread_mutex_unlock(&gang->pool->lock);
}

/* The least processor time that a worker of the gang has had
 * since the last note, which this replaces. */
static int64_t note_cpu(QnGang *gang)
{
    int64_t least = INT64_MAX;
    for (QnWorker *worker = gang->workers; worker; worker = worker->next) {
        const int64_t now = qn_thread_cpu_ns(&worker->thread);
        least = qn_min_i64(least, now - worker->cpu_ns);
        worker->cpu_ns = now;
    }
    return least;
}

/* Tells the feedback about the gang's loops.
 * Several gangs share on purpose, and their windows would mix. */
static QnFeedbackAction add_times(QnPool *pool, const QnLoopTimes *times, QnLoopTimes *window)
{
    QnFeedbackAction action = QN_FEEDBACK_NOTHING;
    pthread_mutex_lock(&pool->lock);
    if (pool->gangs->next)
        qn_feedback_reset(&pool->feedback);
    else
        action = qn_feedback_add(&pool->feedback, times, window);
    pthread_mutex_unlock(&pool->lock);
    return action;
}

void qn_gang_report(QnGang *gang)
{
    QnPool *pool = gang->pool;
    QnLoopTimes *times = &gang->times, window = {0};
    const int64_t now = qn_clock_now(NULL);
    /* Off its processor, and not because it waited. */
    const int64_t cpu_ns = qn_thread_own_cpu_ns() - gang->start_cpu_ns;
    times->lost_ns = qn_max_i64(now - gang->start_ns - cpu_ns - times->wait_ns, 0);
    const QnFeedbackAction action = add_times(pool, times, &window);
    *times = (QnLoopTimes){0};
    if (action == QN_FEEDBACK_NOTHING)
        return;
    const int64_t least_ns = note_cpu(gang);
    if (action == QN_FEEDBACK_NOTE)
        return;
    pthread_mutex_lock(&pool->lock);
    if (qn_feedback_judge(&pool->feedback, least_ns, &window, now,
                          (int)qn_min_i64(pool->size, pool->started + 1)))
        divide(pool);
    pthread_mutex_unlock(&pool->lock);
}

/* Asks for the size that suits now, every few seconds, on one of the threads that begin a run. */
static void recount(QnPool *pool)
{
    if (!pool->options.recount)
        return;
    const int64_t due = qn_load_relaxed_i64(&pool->recount_ns), now = qn_clock_now(NULL);
    if (now >= due && qn_compare_exchange_i64(&pool->recount_ns, due, now + RECOUNT_NS))
        qn_pool_resize(pool, pool->options.recount(pool->options.user));
}

void qn_gang_begin(QnGang *gang, QnPool *pool, int limit)
{
    *gang = (QnGang){.pool = pool, .members = 1, .limit = pool && limit > 1 ? limit : 1};
    qn_store_relaxed_u32(&gang->target, 1);
    if (!pool)
        return;
    recount(pool);
    pthread_mutex_lock(&pool->lock);
    gang->next = pool->gangs;
    if (pool->gangs)
        pool->gangs->previous = gang;
    pool->gangs = gang;
    divide(pool);
    grow(gang, gang->share);
    pthread_mutex_unlock(&pool->lock);
}

void qn_gang_end(QnGang *gang)
{
    QnPool *pool = gang->pool;
    assert(!gang->run);
    if (!pool)
        return;
    if (gang->times.loop_count)
        qn_gang_report(gang);
    pthread_mutex_lock(&pool->lock);
    shrink(gang, 1);
    if (gang->previous)
        gang->previous->next = gang->next;
    else
        pool->gangs = gang->next;
    if (gang->next)
        gang->next->previous = gang->previous;
    divide(pool);
    pthread_mutex_unlock(&pool->lock);
    *gang = (QnGang){0};
}

/* Starts threads until there are `count`; they are free.  With `resizing` held. */
static QnStatus start_workers(QnPool *pool, int count, QnError *err)
{
    while (pool->started < count) { /* only we change it */
        char name[24];
        QnWorker *worker = &pool->workers[pool->started];
        *worker = (QnWorker){.pool = pool, .placement.avoided = -1};
        snprintf(name, sizeof name, "quern-%d", pool->started + 1);
        QN_TRY(qn_thread_start(&worker->thread, name, qn_worker_main, worker, err));
        pthread_mutex_lock(&pool->lock);
        pool->started++;
        worker->next = pool->free;
        pool->free = worker;
        pthread_mutex_unlock(&pool->lock);
    }
    return QN_OK;
}

int qn_pool_resize(QnPool *pool, int size)
{
    pthread_mutex_lock(&pool->resizing);
    size = (int)qn_min_i64(qn_max_i64(size, 1), pool->options.capacity);
    (void)start_workers(pool, size - 1, NULL); /* with fewer we do what we can */
    pthread_mutex_lock(&pool->lock);
    pool->size = (int)qn_min_i64(size, pool->started + 1);
    pool->feedback.less = (int)qn_min_i64(pool->feedback.less, pool->size - 1);
    divide(pool);
    size = pool->size;
    pthread_mutex_unlock(&pool->lock);
    pthread_mutex_unlock(&pool->resizing);
    return size;
}

int qn_pool_size(QnPool *pool)
{
    pthread_mutex_lock(&pool->lock);
    const int size = pool->size;
    pthread_mutex_unlock(&pool->lock);
    return size;
}

int qn_pool_count_worked(QnPool *pool)
{
    int count = 0;
    pthread_mutex_lock(&pool->lock);
    for (int i = 0; i < pool->started; i++)
        count += (int)qn_load_relaxed_u32(&pool->workers[i].has_worked);
    pthread_mutex_unlock(&pool->lock);
    return count;
}

void qn_pool_set_warm(QnPool *pool, void (*warm)(void))
{
    pthread_mutex_lock(&pool->lock);
    if (!pool->warm) {
        pool->warm = warm;
        qn_store_release_u32(&pool->must_warm, 1);
    }
    pthread_mutex_unlock(&pool->lock);
}

static int64_t or_default(int64_t value, int64_t usual)
{
    return value == 0 ? usual : value < 0 ? 0 : value;
}

static QnStatus complete_options(QnPoolOptions *out, const QnPoolOptions *options, QnError *err)
{
    if (options->size < 1 || options->size > SIZE_LIMIT || options->capacity > SIZE_LIMIT)
        return qn_fail(err, QN_BAD_ARGUMENT, "a pool of %d threads, expected 1 to %d",
                       options->size, SIZE_LIMIT);
    *out = *options;
    out->capacity = (int)qn_max_i64(options->capacity, options->size);
    out->spin_ns = or_default(options->spin_ns, defaults.spin_ns);
    out->join_spin_ns = or_default(options->join_spin_ns, defaults.join_spin_ns);
    out->spin_after_run_ns = or_default(options->spin_after_run_ns, defaults.spin_after_run_ns);
    out->inline_ns = or_default(options->inline_ns, defaults.inline_ns);
    return QN_OK;
}

static void free_memory(const QnPoolOptions *options, QnPool *pool, QnWorker *workers)
{
    qn_free(options->allocator, workers, (size_t)options->capacity * sizeof *workers);
    qn_free(options->allocator, pool, sizeof *pool);
}

QnStatus qn_pool_create_with(QnPool **out, const QnPoolOptions *options, QnError *err)
{
    QnPoolOptions complete;
    QN_TRY(complete_options(&complete, options, err));
    QnPool *pool = qn_alloc(complete.allocator, sizeof *pool);
    QnWorker *workers = qn_alloc(complete.allocator, (size_t)complete.capacity * sizeof *workers);
    if (!pool || !workers) {
        free_memory(&complete, pool, workers);
        return qn_no_memory(err);
    }
    *pool = (QnPool){.options = complete, .workers = workers, .size = complete.size};
    pthread_mutex_init(&pool->lock, NULL);
    pthread_mutex_init(&pool->resizing, NULL);
    qn_store_relaxed_i64(&pool->recount_ns, qn_clock_now(NULL) + RECOUNT_NS);
    const QnStatus status = start_workers(pool, complete.size - 1, err);
    if (status != QN_OK) {
        qn_pool_free(pool);
        return status;
    }
    *out = pool;
    return QN_OK;
}

QnStatus qn_pool_create(QnPool **out, int size, QnError *err)
{
    return qn_pool_create_with(out, &(QnPoolOptions){.size = size}, err);
}

void qn_pool_free(QnPool *pool)
{
    if (!pool)
        return;
    assert(!pool->gangs);
    for (int i = 0; i < pool->started; i++)
        qn_worker_quit(&pool->workers[i]);
    for (int i = 0; i < pool->started; i++)
        qn_thread_join(&pool->workers[i].thread);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->resizing);
    const QnPoolOptions options = pool->options;
    free_memory(&options, pool, pool->workers);
}
