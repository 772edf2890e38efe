/* SPDX-License-Identifier: Apache-2.0 */
/* The queue, the idle instances, and the threads that bring them together. */
#include "server/schedule/scheduler.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* A list of requests, oldest first. */
typedef struct List {
    QsRequest *first, **last;
} List;

struct QsScheduler {
    QsSchedulerOptions options; /* set at creation */
    pthread_t *workers;         /* [instance_count] */

    pthread_mutex_t lock;
    pthread_cond_t
        work; /* a request and an instance may have come together, or it is time to end */
    pthread_cond_t quiet; /* the last execution is over */
    void **idle;          /* guarded by lock: [instance_count] instances, idle_count of them here */
    int idle_count;       /* guarded by lock, like all below */
    int open_count;       /* instances there are */
    int worker_count;     /* threads */
    int waiting_count;    /* of them, those with nothing to do */
    List queue;
    uint32_t queued_count;
    int64_t usual_ns; /* a running mean of the time of an execution; -1: none yet */
    bool is_stopped, is_ending;

    atomic_uint queue_size; /* a copy of queued_count that may be read without the lock */
};

static void list_init(List *list)
{
    list->first = NULL;
    list->last = &list->first;
}

static void list_add(List *list, QsRequest *request)
{
    request->next = NULL;
    *list->last = request;
    list->last = &request->next;
}

static QsRequest *list_take(List *list)
{
    QsRequest *request = list->first;
    list->first = request->next;
    if (!list->first)
        list->last = &list->first;
    return request;
}

static void note_queue_size(QsScheduler *scheduler)
{
    atomic_store_explicit(&scheduler->queue_size, scheduler->queued_count, memory_order_relaxed);
}

static int64_t now(const QsScheduler *scheduler)
{
    return qn_clock_now(scheduler->options.clock);
}

static void count_failure(QsScheduler *scheduler, const QsRequest *request, QsDuration *reason)
{
    const int64_t took = now(scheduler) - request->times.submitted;
    qs_duration_add(&scheduler->options.stats->fail, took);
    qs_duration_add(reason, took);
}

static void refuse(QsScheduler *scheduler, QsRequest *request, QnStatus status, const char *why)
{
    QsModelStats *stats = scheduler->options.stats;
    count_failure(scheduler, request,
                  status == QN_CANCELLED ? &stats->cancelled : &stats->rejected);
    qs_request_refuse(request, status, "[request id: %s] %s",
                      request->id[0] ? request->id : "<id_unknown>", why);
}

/* Is the request one that should not run any more?  Then it is answered. */
static bool refuse_if_late(QsScheduler *scheduler, QsRequest *request, int64_t time)
{
    if (qs_request_is_cancelled(request))
        refuse(scheduler, request, QN_CANCELLED, "the request was cancelled");
    else if (qn_deadline_is_past(request->deadline_ns, time))
        refuse(scheduler, request, QN_UNAVAILABLE, "Request timeout expired");
    else
        return false;
    return true;
}

/* Does what an instance is for, and accounts for it.  The request is gone afterwards. */
static int64_t execute(QsScheduler *scheduler, void *instance, QsRequest *request)
{
    QsModelStats *stats = scheduler->options.stats;
    const int64_t submitted = request->times.submitted;
    QsExecution execution = {.batch_size = request->batch_size, .started = now(scheduler)};
    request->times.started = execution.started;
    scheduler->options.backend->execute(instance, &request, 1, &execution);
    execution.done = now(scheduler);
    qs_duration_add(&stats->queue, execution.started - submitted);
    if (execution.inputs_ready)
        qs_duration_add(&stats->compute_input, execution.inputs_ready - execution.started);
    if (execution.computed) {
        qs_duration_add(&stats->compute_infer, execution.computed - execution.inputs_ready);
        qs_duration_add(&stats->compute_output, execution.done - execution.computed);
        atomic_fetch_add_explicit(&stats->inferences, (uint64_t)execution.batch_size,
                                  memory_order_relaxed);
        qs_duration_add(&stats->success, execution.done - submitted);
    } else {
        qs_duration_add(&stats->fail, execution.done - submitted);
    }
    atomic_fetch_add_explicit(&stats->executions, 1, memory_order_relaxed);
    return execution.done - execution.started;
}

/* The instance is free again.  The lock is held. */
static void put_back(QsScheduler *scheduler, void *instance, int64_t took_ns)
{
    scheduler->idle[scheduler->idle_count++] = instance;
    scheduler->usual_ns =
        scheduler->usual_ns < 0 ? took_ns : (7 * scheduler->usual_ns + took_ns) / 8;
    if (scheduler->queued_count && scheduler->waiting_count)
        pthread_cond_signal(&scheduler->work);
    if (scheduler->idle_count == scheduler->options.instance_count)
        pthread_cond_broadcast(&scheduler->quiet);
}

/* Runs on a worker or on the submitting thread.  The lock is held before and after, not during. */
static void run(QsScheduler *scheduler, QsRequest *request)
{
    void *instance = scheduler->idle[--scheduler->idle_count];
    pthread_mutex_unlock(&scheduler->lock);
    const int64_t took_ns = refuse_if_late(scheduler, request, now(scheduler))
                                ? scheduler->usual_ns
                                : execute(scheduler, instance, request);
    pthread_mutex_lock(&scheduler->lock);
    put_back(scheduler, instance, took_ns);
}

static void *work(void *user);

/* Sees to it that somebody takes from the queue.  The lock is held.  False: there is no thread and
 * can be none. */
static bool wake_worker(QsScheduler *scheduler)
{
    if (scheduler->waiting_count) {
        pthread_cond_signal(&scheduler->work);
        return true;
    }
    const int count = scheduler->worker_count;
    if (count < scheduler->options.instance_count &&
        pthread_create(&scheduler->workers[count], NULL, work, scheduler) == 0)
        scheduler->worker_count++;
    return scheduler->worker_count > 0;
}

static void *work(void *user)
{
    QsScheduler *scheduler = user;
    pthread_mutex_lock(&scheduler->lock);
    while (!scheduler->is_ending) {
        if (scheduler->queued_count && scheduler->idle_count) {
            QsRequest *request = list_take(&scheduler->queue);
            scheduler->queued_count--;
            note_queue_size(scheduler);
            if (scheduler->queued_count && scheduler->idle_count > 1)
                wake_worker(scheduler); /* two requests that came at once woke one of us only */
            run(scheduler, request);
            continue;
        }
        scheduler->waiting_count++;
        pthread_cond_wait(&scheduler->work, &scheduler->lock);
        scheduler->waiting_count--;
    }
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

/* Until when the request may wait. */
static int64_t queue_deadline(const QsQueuePolicy *policy, const QsRequest *request)
{
    uint64_t timeout = policy->timeout_us;
    if (timeout == 0)
        return QN_NEVER;
    if (policy->timeout_can_be_shortened && request->timeout_us && request->timeout_us < timeout)
        timeout = request->timeout_us;
    if (timeout > (uint64_t)(INT64_MAX / QN_NS_PER_US))
        return QN_NEVER;
    return qn_deadline_after(request->times.submitted, (int64_t)timeout * QN_NS_PER_US);
}

static bool can_run_here(const QsScheduler *scheduler)
{
    return scheduler->idle_count && !scheduler->queued_count && scheduler->usual_ns >= 0 &&
           scheduler->usual_ns < scheduler->options.direct_limit_ns;
}

/* Why the queue does not take the request; NULL: it did.  The lock is held. */
static const char *enqueue(QsScheduler *scheduler, QsRequest *request)
{
    const uint32_t limit = scheduler->options.queue.size_limit;
    if (limit && scheduler->queued_count >= limit)
        return "Exceeds maximum queue size";
    if (!wake_worker(scheduler))
        return "no thread can be made for the model";
    list_add(&scheduler->queue, request);
    scheduler->queued_count++;
    note_queue_size(scheduler);
    return NULL;
}

void qs_scheduler_submit(QsScheduler *scheduler, QsRequest *request)
{
    const char *why_not = NULL;
    request->times.submitted = now(scheduler);
    request->deadline_ns = queue_deadline(&scheduler->options.queue, request);
    pthread_mutex_lock(&scheduler->lock);
    if (scheduler->is_stopped)
        why_not =
            "Server is stopping, scheduler for model has stopped accepting new inference requests";
    else if (can_run_here(scheduler))
        run(scheduler, request);
    else
        why_not = enqueue(scheduler, request);
    pthread_mutex_unlock(&scheduler->lock);
    if (why_not)
        refuse(scheduler, request, QN_UNAVAILABLE, why_not);
}

/* Takes those out of the queue that should not run any more.  The lock is held. */
static List take_late(QsScheduler *scheduler, int64_t time, bool all)
{
    List late, kept;
    list_init(&late);
    list_init(&kept);
    while (scheduler->queue.first) {
        QsRequest *request = list_take(&scheduler->queue);
        const bool is_late = all || qs_request_is_cancelled(request) ||
                             qn_deadline_is_past(request->deadline_ns, time);
        scheduler->queued_count -= is_late;
        list_add(is_late ? &late : &kept, request);
    }
    scheduler->queue = kept;
    if (!kept.first)
        list_init(&scheduler->queue);
    note_queue_size(scheduler);
    return late;
}

void qs_scheduler_expire(QsScheduler *scheduler)
{
    if (atomic_load_explicit(&scheduler->queue_size, memory_order_relaxed) == 0)
        return;
    const int64_t time = now(scheduler);
    pthread_mutex_lock(&scheduler->lock);
    List late = take_late(scheduler, time, false);
    pthread_mutex_unlock(&scheduler->lock);
    while (late.first)
        refuse_if_late(scheduler, list_take(&late), time);
}

int qs_scheduler_busy_count(QsScheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    const int count =
        scheduler->options.instance_count - scheduler->idle_count + (int)scheduler->queued_count;
    pthread_mutex_unlock(&scheduler->lock);
    return count;
}

void qs_scheduler_stop(QsScheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->is_stopped = true;
    pthread_mutex_unlock(&scheduler->lock);
}

static QnStatus open_instances(QsScheduler *scheduler, QnError *err)
{
    const QsSchedulerOptions *options = &scheduler->options;
    for (int i = 0; i < options->instance_count; i++) {
        QN_TRY(options->backend->open(&scheduler->idle[i], options->model, i, err));
        scheduler->idle_count = ++scheduler->open_count;
    }
    return QN_OK;
}

QnStatus qs_scheduler_create(QsScheduler **out, const QsSchedulerOptions *options, QnError *err)
{
    const size_t count = (size_t)options->instance_count;
    QsScheduler *scheduler = calloc(1, sizeof *scheduler);
    if (!scheduler)
        return qn_no_memory(err);
    scheduler->options = *options;
    scheduler->usual_ns = -1;
    list_init(&scheduler->queue);
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_cond_init(&scheduler->work, NULL);
    pthread_cond_init(&scheduler->quiet, NULL);
    scheduler->workers = calloc(count, sizeof *scheduler->workers);
    scheduler->idle = calloc(count, sizeof *scheduler->idle);
    const QnStatus status =
        scheduler->workers && scheduler->idle ? open_instances(scheduler, err) : qn_no_memory(err);
    if (status == QN_OK)
        *out = scheduler;
    else
        qs_scheduler_free(scheduler);
    return status;
}

/* Lets the workers end after what they are doing, and refuses what nobody took. */
static void end_work(QsScheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->is_stopped = scheduler->is_ending = true;
    List left = take_late(scheduler, 0, true);
    pthread_cond_broadcast(&scheduler->work);
    while (scheduler->idle_count < scheduler->open_count)
        pthread_cond_wait(&scheduler->quiet, &scheduler->lock);
    pthread_mutex_unlock(&scheduler->lock);
    while (left.first)
        refuse(scheduler, list_take(&left), QN_UNAVAILABLE, "the model was unloaded");
    for (int i = 0; i < scheduler->worker_count; i++)
        pthread_join(scheduler->workers[i], NULL);
}

void qs_scheduler_free(QsScheduler *scheduler)
{
    if (!scheduler)
        return;
    end_work(scheduler);
    for (int i = 0; i < scheduler->idle_count; i++)
        scheduler->options.backend->close(scheduler->idle[i]);
    pthread_cond_destroy(&scheduler->quiet);
    pthread_cond_destroy(&scheduler->work);
    pthread_mutex_destroy(&scheduler->lock);
    free(scheduler->idle);
    free(scheduler->workers);
    free(scheduler);
}
