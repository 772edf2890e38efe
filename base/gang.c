/* SPDX-License-Identifier: Apache-2.0 */
/* Running one loop on a gang. */
#include <assert.h>

#include "base/checked.h"
#include "base/pool_worker.h"

bool qn_gang_take_chunks(QnGang *gang, int64_t first_chunk, int member)
{
    bool took = first_chunk >= 0;
    if (took)
        gang->run(gang->user, first_chunk, member);
    /* A member too many leaves between two chunks: somebody else needs the processor. */
    while ((uint32_t)member < qn_load_relaxed_u32(&gang->target)) {
        /* A look before the leap: a counter that has run out stays in everybody's cache. */
        if (qn_load_relaxed_i64(&gang->next_chunk) >= gang->chunk_count)
            break;
        const int64_t chunk = qn_fetch_add_relaxed_i64(&gang->next_chunk, 1);
        if (chunk >= gang->chunk_count)
            break;
        gang->run(gang->user, chunk, member);
        took = true;
    }
    return took;
}

/* A large gang has many processors to go to, and moving all of it costs more than it saves. */
enum { PLACED_MEMBERS = 16 };

/* Keeps the members off the processor that their caller is on: see placement.h. */
static void place_workers(QnGang *gang)
{
    if (gang->members > PLACED_MEMBERS)
        return;
    const int processor = qn_current_processor();
    for (QnWorker *worker = gang->workers; worker; worker = worker->next)
        if (QN_UNLIKELY(worker->placement.avoided != processor))
            qn_placement_avoid(&worker->placement, &worker->thread, processor);
}

/*
 * Calls as many workers as there are chunks for them.  Those that are awake get a chunk assigned,
 * always the same one where the loops are alike, so that it is in their cache; one that has to wake
 * up first takes what is left.
 */
static void call_workers(QnGang *gang)
{
    const int64_t useful = qn_min_i64(gang->members, gang->chunk_count) - 1;
    int64_t assigned = 1; /* chunk 0 is the caller's */
    int64_t called = 0;
    for (QnWorker *worker = gang->workers; worker && called < useful;
         worker = worker->next, called++)
        worker->first_chunk = qn_worker_is_awake(worker) ? assigned++ : -1;
    qn_store_relaxed_i64(&gang->next_chunk, assigned);
    called = 0;
    for (QnWorker *worker = gang->workers; worker && called < useful;
         worker = worker->next, called++)
        qn_worker_call(worker, gang, worker->first_chunk);
}

/* Does what nobody has begun, then waits for what somebody has. */
static void join(QnGang *gang)
{
    for (QnWorker *worker = gang->workers; worker; worker = worker->next)
        if (qn_worker_take_back(worker) && worker->first_chunk >= 0)
            gang->run(gang->user, worker->first_chunk, 0);
    const int64_t joining_ns = qn_clock_now(NULL);
    for (QnWorker *worker = gang->workers; worker; worker = worker->next)
        qn_worker_await(worker);
    const int64_t end_ns = qn_clock_now(NULL);
    gang->times.wait_ns += end_ns - joining_ns;
    gang->times.loop_ns += end_ns;
}

static void fork_and_join(QnGang *gang, int64_t chunk_count, QnChunkFn *run, void *user)
{
    gang->run = run;
    gang->user = user;
    gang->chunk_count = chunk_count;
    gang->float_mode = qn_float_mode();
    const int64_t start_ns = qn_clock_now(NULL);
    if (gang->times.loop_count++ == 0) {
        gang->start_ns = start_ns;
        gang->start_cpu_ns = qn_thread_own_cpu_ns();
    }
    gang->times.loop_ns -= start_ns;
    place_workers(gang);
    call_workers(gang);
    qn_gang_take_chunks(gang, 0, 0);
    join(gang);
    gang->run = NULL;
    if (gang->times.loop_count >= QN_FEEDBACK_LOOPS)
        qn_gang_report(gang);
}

void qn_gang_for(QnGang *gang, int64_t chunk_count, int64_t cost_ns, QnChunkFn *run, void *user)
{
    assert(!gang->run); /* a chunk must not use its own gang */
    if (gang->pool)
        qn_gang_settle(gang);
    const bool is_small = gang->pool && cost_ns >= 0 && cost_ns < gang->pool->options.inline_ns;
    if (gang->members > 1 && chunk_count > 1 && !is_small) {
        fork_and_join(gang, chunk_count, run, user);
        return;
    }
    for (int64_t chunk = 0; chunk < chunk_count; chunk++)
        run(user, chunk, 0);
}
