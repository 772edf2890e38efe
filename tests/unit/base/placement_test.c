/* SPDX-License-Identifier: Apache-2.0 */
#include "base/placement.h"

#include "base/pool.h"
#include "tests/support/test.h"

/* A thread that sleeps until it is told to end. */
typedef struct Sleeper {
    QnThread thread;
    QnAtomicU32 done;
} Sleeper;

static void *sleep_until_done(void *user)
{
    Sleeper *sleeper = user;
    while (!qn_load_acquire_u32(&sleeper->done))
        qn_wait_on(&sleeper->done, 0);
    return NULL;
}

static void start(Test *t, Sleeper *sleeper)
{
    QnError err = {0};
    REQUIRE(t, qn_thread_start(&sleeper->thread, "sleeper", sleep_until_done, sleeper, &err) == 0,
            "%s", err.message);
}

static void end(Sleeper *sleeper)
{
    qn_store_release_u32(&sleeper->done, 1);
    qn_wake_one(&sleeper->done);
    qn_thread_join(&sleeper->thread);
}

static cpu_set_t mask_of(const QnThread *thread)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    pthread_getaffinity_np(thread->id, sizeof mask, &mask);
    return mask;
}

/* The first processor of a mask from `from` on; -1: none. */
static int next_processor(const cpu_set_t *mask, int from)
{
    for (int i = from; i < CPU_SETSIZE; i++)
        if (CPU_ISSET((size_t)i, mask))
            return i;
    return -1;
}

static cpu_set_t only(int processor)
{
    cpu_set_t mask;
    CPU_ZERO(&mask);
    CPU_SET((size_t)processor, &mask);
    return mask;
}

/* Two processors that this process may use; false where it has one. */
static bool find_two(int *first, int *second)
{
    const cpu_set_t mask = mask_of(&(QnThread){pthread_self()});
    *first = next_processor(&mask, 0);
    *second = next_processor(&mask, *first + 1);
    return *second >= 0;
}

TEST(a_thread_is_kept_off_one_processor_at_a_time)
{
    int first, second;
    if (!find_two(&first, &second))
        SKIP(t, "needs two processors");
    Sleeper sleeper = {0};
    QnPlacement placement = {.avoided = -1};
    start(t, &sleeper);
    const cpu_set_t before = mask_of(&sleeper.thread);
    const int avoided[] = {first, second, first};
    for (size_t i = 0; i < QN_COUNT_OF(avoided); i++) {
        qn_placement_avoid(&placement, &sleeper.thread, avoided[i]);
        cpu_set_t want = before;
        CPU_CLR((size_t)avoided[i], &want);
        const cpu_set_t mask = mask_of(&sleeper.thread);
        EXPECT(t, CPU_EQUAL(&mask, &want), "step %d: %d processors, without %d: %d", (int)i,
               CPU_COUNT(&mask), avoided[i], !CPU_ISSET((size_t)avoided[i], &mask));
    }
    qn_placement_avoid(&placement, &sleeper.thread, -1);
    const cpu_set_t after = mask_of(&sleeper.thread);
    EXPECT(t, CPU_EQUAL(&after, &before), "%d processors", CPU_COUNT(&after));
    end(&sleeper);
}

TEST(a_thread_with_nowhere_else_to_go_stays)
{
    Sleeper sleeper = {0};
    QnPlacement placement = {.avoided = -1};
    start(t, &sleeper);
    const cpu_set_t here = mask_of(&sleeper.thread);
    const int processor = next_processor(&here, 0);
    const cpu_set_t pinned = only(processor);
    pthread_setaffinity_np(sleeper.thread.id, sizeof pinned, &pinned);
    qn_placement_avoid(&placement, &sleeper.thread, processor);
    const cpu_set_t mask = mask_of(&sleeper.thread);
    EXPECT(t, CPU_EQUAL(&mask, &pinned), "%d processors", CPU_COUNT(&mask));
    end(&sleeper);
}

TEST(a_mask_that_somebody_else_sets_is_respected)
{
    int first, second;
    if (!find_two(&first, &second))
        SKIP(t, "needs two processors");
    Sleeper sleeper = {0};
    QnPlacement placement = {.avoided = -1};
    start(t, &sleeper);
    qn_placement_avoid(&placement, &sleeper.thread, first);
    const cpu_set_t pinned = only(first);
    pthread_setaffinity_np(sleeper.thread.id, sizeof pinned, &pinned);
    qn_placement_avoid(&placement, &sleeper.thread, second);
    const cpu_set_t mask = mask_of(&sleeper.thread);
    EXPECT(t, CPU_EQUAL(&mask, &pinned), "it left the one processor that it was given");
    end(&sleeper);
}

TEST(processors_that_do_not_exist_are_no_reason_to_move)
{
    Sleeper sleeper = {0};
    QnPlacement placement = {.avoided = -1};
    start(t, &sleeper);
    const cpu_set_t before = mask_of(&sleeper.thread);
    qn_placement_avoid(&placement, &sleeper.thread, CPU_SETSIZE);
    qn_placement_avoid(&placement, &sleeper.thread, CPU_SETSIZE - 1);
    const cpu_set_t after = mask_of(&sleeper.thread);
    EXPECT(t, CPU_EQUAL(&after, &before), "%d processors", CPU_COUNT(&after));
    end(&sleeper);
}

/* What a chunk sees of the thread that it runs on. */
typedef struct Seen {
    QnAtomicU32 worker_came;
    cpu_set_t worker_mask;
} Seen;

static void look(void *user, int64_t chunk, int member)
{
    Seen *seen = user;
    (void)chunk;
    if (member > 0) {
        seen->worker_mask = mask_of(&(QnThread){pthread_self()});
        qn_store_release_u32(&seen->worker_came, 1);
    }
    const int64_t patience_ns = qn_clock_now(NULL) + 20 * QN_NS_PER_S;
    while (!qn_load_acquire_u32(&seen->worker_came) && qn_clock_now(NULL) < patience_ns)
        sched_yield();
}

TEST(a_worker_follows_its_caller_by_going_out_of_its_way)
{
    int places[2];
    if (!find_two(&places[0], &places[1]))
        SKIP(t, "needs two processors");
    const cpu_set_t before = mask_of(&(QnThread){pthread_self()});
    QnPool *pool = NULL;
    QnError err = {0};
    REQUIRE(t, qn_pool_create(&pool, 2, &err) == QN_OK, "%s", err.message);
    for (int run = 0; run < 4; run++) {
        const int processor = places[run % 2];
        const cpu_set_t pinned = only(processor);
        pthread_setaffinity_np(pthread_self(), sizeof pinned, &pinned);
        Seen seen = {0};
        QnGang gang;
        qn_gang_begin(&gang, pool, 2);
        qn_gang_for(&gang, 2, QN_COST_UNKNOWN, look, &seen);
        qn_gang_end(&gang);
        EXPECT(t, qn_load_acquire_u32(&seen.worker_came), "no worker came in run %d", run);
        EXPECT(t, !CPU_ISSET((size_t)processor, &seen.worker_mask),
               "run %d: the worker may run on its caller's processor %d", run, processor);
    }
    qn_pool_free(pool);
    pthread_setaffinity_np(pthread_self(), sizeof before, &before);
}

TEST_MAIN(CASE(a_thread_is_kept_off_one_processor_at_a_time),
          CASE(a_thread_with_nowhere_else_to_go_stays),
          CASE(a_mask_that_somebody_else_sets_is_respected),
          CASE(processors_that_do_not_exist_are_no_reason_to_move),
          CASE(a_worker_follows_its_caller_by_going_out_of_its_way))
