/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool_worker.h"

enum { PAUSES_PER_CLOCK = 64 };

/*
 * Spinning that ends: true as long as it should go on.  Looks at the clock only once in a while;
 * {0} starts it.
 */
typedef struct Spin {
    unsigned pauses;
    int64_t until_ns;
} Spin;

static bool spin(Spin *state, int64_t limit_ns)
{
    if (limit_ns <= 0)
        return false;
    qn_pause();
    if (++state->pauses % PAUSES_PER_CLOCK)
        return true;
    const int64_t now = qn_clock_now(NULL);
    if (state->pauses == PAUSES_PER_CLOCK)
        state->until_ns = qn_deadline_after(now, limit_ns);
    return now < state->until_ns;
}

/* Sleeps, if the word still says what it said, until somebody changes it. */
static void sleep_at(QnWorker *worker, uint32_t mail)
{
    if (!qn_compare_exchange_u32(&worker->mail, mail, QN_MAIL_SLEEPING))
        return;
    while (qn_load_acquire_u32(&worker->mail) == QN_MAIL_SLEEPING)
        qn_wait_on(&worker->mail, QN_MAIL_SLEEPING);
}

/* Waits for a call and claims it; false where the worker is to end. */
static bool await_call(QnWorker *worker)
{
    const QnPoolOptions *options = &worker->pool->options;
    Spin state = {0};
    for (;;) {
        const uint32_t mail = qn_load_acquire_u32(&worker->mail);
        if (mail == QN_MAIL_QUIT)
            return false;
        if (mail == QN_MAIL_CALLED) {
            if (qn_compare_exchange_u32(&worker->mail, QN_MAIL_CALLED, QN_MAIL_RUNNING))
                return true;
            continue;
        }
        if (!spin(&state, mail == QN_MAIL_REST ? options->spin_after_run_ns : options->spin_ns)) {
            sleep_at(worker, mail);
            state = (Spin){0};
        }
    }
}

static void warm_up(QnWorker *worker)
{
    if (worker->is_warm || !qn_load_acquire_u32(&worker->pool->must_warm))
        return;
    worker->is_warm = true;
    worker->pool->warm();
}

void *qn_worker_main(void *user)
{
    QnWorker *worker = user;
    while (await_call(worker)) {
        warm_up(worker);
        qn_float_mode_adopt(worker->gang->float_mode);
        if (qn_gang_take_chunks(worker->gang, worker->first_chunk, worker->member))
            qn_store_relaxed_u32(&worker->has_worked, 1);
        /* From here on the gang's memory may be gone. */
        if (qn_exchange_u32(&worker->mail, QN_MAIL_IDLE) == QN_MAIL_WATCHED)
            qn_wake_one(&worker->mail);
    }
    return NULL;
}

void qn_worker_quit(QnWorker *worker)
{
    if (qn_exchange_u32(&worker->mail, QN_MAIL_QUIT) == QN_MAIL_SLEEPING)
        qn_wake_one(&worker->mail);
}

void qn_worker_call(QnWorker *worker, QnGang *gang, int64_t first_chunk)
{
    worker->gang = gang;
    worker->first_chunk = first_chunk;
    if (qn_exchange_u32(&worker->mail, QN_MAIL_CALLED) == QN_MAIL_SLEEPING)
        qn_wake_one(&worker->mail);
}

bool qn_worker_take_back(QnWorker *worker)
{
    return qn_load_relaxed_u32(&worker->mail) == QN_MAIL_CALLED &&
           qn_compare_exchange_u32(&worker->mail, QN_MAIL_CALLED, QN_MAIL_IDLE);
}

void qn_worker_await(QnWorker *worker)
{
    Spin state = {0};
    while (qn_load_acquire_u32(&worker->mail) == QN_MAIL_RUNNING) {
        if (spin(&state, worker->pool->options.join_spin_ns))
            continue;
        if (qn_compare_exchange_u32(&worker->mail, QN_MAIL_RUNNING, QN_MAIL_WATCHED))
            while (qn_load_acquire_u32(&worker->mail) == QN_MAIL_WATCHED)
                qn_wait_on(&worker->mail, QN_MAIL_WATCHED);
    }
}

void qn_worker_release(QnWorker *worker)
{
    /* One that is asleep already stays so. */
    qn_compare_exchange_u32(&worker->mail, QN_MAIL_IDLE, QN_MAIL_REST);
}
