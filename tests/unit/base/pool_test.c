/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "base/compiler.h"
#include "tests/support/alloc_fault.h"
#include "tests/support/test.h"

enum { CHUNK_LIMIT = 400 };

/* A loop under test: who did each chunk, and what went wrong. */
typedef struct Loop {
    QnAtomicU32 done[CHUNK_LIMIT]; /* how often */
    QnAtomicU32 chunks_of[16];     /* by member */
    QnAtomicU32 running, most_running;
    unsigned delay; /* up to so many microseconds per chunk, at random */
    int wait_for;   /* each chunk waits until so many members have come, 20 s at most */
} Loop;

static unsigned scramble(unsigned x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    return x * 0x846ca68bu ^ x >> 16;
}

static void sleep_us(int64_t us)
{
    const struct timespec time = {.tv_nsec = us * 1000};
    nanosleep(&time, NULL);
}

static int members_seen(const Loop *loop)
{
    int seen = 0;
    for (size_t i = 0; i < QN_COUNT_OF(loop->chunks_of); i++)
        seen += qn_load_acquire_u32(&loop->chunks_of[i]) > 0;
    return seen;
}

static void do_chunk(void *user, int64_t chunk, int member)
{
    Loop *loop = user;
    const uint32_t running = qn_fetch_add_u32(&loop->running, 1) + 1;
    for (uint32_t most = qn_load_relaxed_u32(&loop->most_running); running > most;
         most = qn_load_relaxed_u32(&loop->most_running))
        if (qn_compare_exchange_u32(&loop->most_running, most, running))
            break;
    qn_fetch_add_u32(&loop->done[chunk], 1);
    qn_fetch_add_u32(&loop->chunks_of[member], 1);
    if (loop->delay)
        sleep_us(scramble((unsigned)chunk * 31u + (unsigned)member) % loop->delay);
    const int64_t patience_ns = qn_clock_now(NULL) + 20 * QN_NS_PER_S;
    while (members_seen(loop) < loop->wait_for && qn_clock_now(NULL) < patience_ns)
        sched_yield();
    qn_fetch_add_u32(&loop->running, (uint32_t)-1);
}

/* Every chunk of the loop was done exactly once. */
static void expect_once(Test *t, const Loop *loop, int64_t chunk_count)
{
    for (int64_t i = 0; i < CHUNK_LIMIT; i++)
        EXPECT(t, loop->done[i].value == (i < chunk_count), "chunk %lld of %lld was done %u times",
               (long long)i, (long long)chunk_count, loop->done[i].value);
}

static QnPool *pool_of(Test *t, int size)
{
    QnPool *pool = NULL;
    QnError err = {0};
    EXPECT(t, qn_pool_create(&pool, size, &err) == QN_OK, "%s", err.message);
    return pool;
}

TEST(every_chunk_is_done_once)
{
    static const int sizes[] = {1, 2, 3, 7};
    static const int64_t counts[] = {0, 1, 2, 3, 6, 7, 8, 100, CHUNK_LIMIT};
    for (size_t s = 0; s < QN_COUNT_OF(sizes); s++) {
        QnPool *pool = pool_of(t, sizes[s]);
        REQUIRE(t, pool, "no pool of %d", sizes[s]);
        for (unsigned delay = 0; delay < 60; delay += 50) {
            QnGang gang;
            qn_gang_begin(&gang, pool, sizes[s]);
            for (size_t c = 0; c < QN_COUNT_OF(counts); c++) {
                Loop loop = {.delay = delay};
                qn_gang_for(&gang, counts[c], QN_COST_UNKNOWN, do_chunk, &loop);
                expect_once(t, &loop, counts[c]);
            }
            qn_gang_end(&gang);
        }
        qn_pool_free(pool);
    }
}

TEST(all_members_take_chunks)
{
    static const int sizes[] = {1, 2, 3, 7};
    for (size_t s = 0; s < QN_COUNT_OF(sizes); s++) {
        QnPool *pool = pool_of(t, sizes[s]);
        REQUIRE(t, pool, "no pool of %d", sizes[s]);
        QnGang gang;
        qn_gang_begin(&gang, pool, sizes[s]);
        for (int round = 0; round < 3; round++) {
            Loop loop = {.wait_for = sizes[s]};
            qn_gang_for(&gang, 2 * sizes[s], QN_COST_UNKNOWN, do_chunk, &loop);
            expect_once(t, &loop, 2 * sizes[s]);
            EXPECT(t, members_seen(&loop) == sizes[s], "%d of %d took chunks", members_seen(&loop),
                   sizes[s]);
        }
        EXPECT(t, qn_pool_count_worked(pool) == sizes[s] - 1, "%d workers of %d",
               qn_pool_count_worked(pool), sizes[s] - 1);
        qn_gang_end(&gang);
        qn_pool_free(pool);
    }
}

TEST(a_gang_has_no_more_members_than_it_asked_for)
{
    QnPool *pool = pool_of(t, 7);
    REQUIRE(t, pool, "no pool");
    QnGang gang;
    qn_gang_begin(&gang, pool, 3);
    Loop loop = {.wait_for = 3};
    qn_gang_for(&gang, 30, QN_COST_UNKNOWN, do_chunk, &loop);
    EXPECT(t, members_seen(&loop) == 3 && loop.most_running.value <= 3, "%d members",
           members_seen(&loop));
    EXPECT(t, qn_gang_limit(&gang) == 3, "the limit is %d", qn_gang_limit(&gang));
    qn_gang_end(&gang);
    qn_pool_free(pool);
}

TEST(small_loops_and_lone_callers_run_inline)
{
    QnPool *pool = pool_of(t, 4);
    REQUIRE(t, pool, "no pool");
    QnGang gang, alone, empty = {0};
    qn_gang_begin(&gang, pool, 4);
    qn_gang_begin(&alone, NULL, 4);
    QnGang *const gangs[] = {&gang, &alone, &empty};
    for (size_t i = 0; i < QN_COUNT_OF(gangs); i++) {
        Loop loop = {0};
        qn_gang_for(gangs[i], 50, 3 * QN_NS_PER_US, do_chunk, &loop);
        expect_once(t, &loop, 50);
        EXPECT(t, loop.chunks_of[0].value == 50, "the caller did %u", loop.chunks_of[0].value);
    }
    EXPECT(t, qn_gang_limit(&alone) == 1 && qn_gang_limit(&empty) == 1, "limits of lone callers");
    qn_gang_end(&alone);
    qn_gang_end(&gang);
    qn_pool_free(pool);
}

/* A member that never comes must not be waited for: here, the only processor is the caller's. */
TEST(a_late_worker_is_not_waited_for)
{
    QnPool *pool = pool_of(t, 3);
    REQUIRE(t, pool, "no pool");
    QnGang gang;
    qn_gang_begin(&gang, pool, 3);
    for (int i = 0; i < 2000;
         i++) { /* loops so short that workers often come too late, or in between */
        Loop *loop = calloc(1, sizeof *loop);
        REQUIRE(t, loop, "no memory");
        qn_gang_for(&gang, 3, QN_COST_UNKNOWN, do_chunk, loop);
        for (int c = 0; c < 3; c++)
            EXPECT(t, loop->done[c].value == 1, "round %d: chunk %d was done %u times", i, c,
                   loop->done[c].value);
        free(loop); /* who enters it now is caught by the sanitizers */
        if (i % 100 == 0)
            sleep_us(200); /* longer than workers spin */
    }
    qn_gang_end(&gang);
    qn_pool_free(pool);
}

typedef struct Runner {
    QnPool *pool;
    Test *t;
    int limit;
    unsigned seed;
    QnAtomicU32 *running, *most_running; /* of all runners' chunks */
} Runner;

static void nested_chunk(void *user, int64_t chunk, QN_UNUSED int member)
{
    Runner *runner = user;
    QnGang gang;
    Loop loop = {.delay = 5};
    qn_gang_begin(&gang, runner->pool, runner->limit);
    qn_gang_for(&gang, 5 + chunk, QN_COST_UNKNOWN, do_chunk, &loop);
    qn_gang_end(&gang);
    for (int64_t i = 0; i < 5 + chunk; i++)
        if (loop.done[i].value != 1)
            abort();
}

static void *run_many(void *user)
{
    Runner *runner = user;
    for (unsigned run = 0; run < 30; run++) {
        QnGang gang;
        qn_gang_begin(&gang, runner->pool, runner->limit);
        for (unsigned i = 0; i < 5; i++) {
            const int64_t count = scramble(runner->seed + run * 5 + i) % 40;
            Loop loop = {.delay = 20};
            qn_gang_for(&gang, count, QN_COST_UNKNOWN, do_chunk, &loop);
            expect_once(runner->t, &loop, count);
            if (i == 3)
                qn_gang_for(&gang, 4, QN_COST_UNKNOWN, nested_chunk, runner);
        }
        qn_gang_end(&gang);
    }
    return NULL;
}

TEST(runs_at_once_and_nested_ones_share_the_pool)
{
    static const int sizes[] = {1, 2, 3, 7};
    for (size_t s = 0; s < QN_COUNT_OF(sizes); s++) {
        QnPool *pool = pool_of(t, sizes[s]);
        REQUIRE(t, pool, "no pool of %d", sizes[s]);
        Test tests[2] = {{.name = t->name}, {.name = t->name}};
        Runner runners[2] = {{.pool = pool, .t = &tests[0], .limit = 7, .seed = 1},
                             {.pool = pool, .t = &tests[1], .limit = 3, .seed = 2}};
        pthread_t other;
        REQUIRE(t, !pthread_create(&other, NULL, run_many, &runners[1]), "no thread");
        run_many(&runners[0]);
        pthread_join(other, NULL);
        t->failures += tests[0].failures + tests[1].failures;
        qn_pool_free(pool);
    }
}

/* The parts of two gangs, as they come and go. */
TEST(gangs_get_a_fair_share_and_grow_back)
{
    QnPool *pool = pool_of(t, 6);
    REQUIRE(t, pool, "no pool");
    QnGang first, second;
    Loop loop = {0};
    qn_gang_begin(&first, pool, 6);
    EXPECT(t, first.members == 6, "alone: %d", first.members);
    qn_gang_begin(&second, pool, 8);
    qn_gang_for(&first, 1, QN_COST_UNKNOWN, do_chunk, &loop); /* gangs settle between loops */
    qn_gang_for(&second, 1, QN_COST_UNKNOWN, do_chunk, &loop);
    EXPECT(t, first.members == 3 && second.members == 3, "two: %d and %d", first.members,
           second.members);
    qn_gang_end(&second);
    qn_gang_begin(&second, pool, 2);
    qn_gang_for(&first, 1, QN_COST_UNKNOWN, do_chunk, &loop);
    qn_gang_for(&second, 1, QN_COST_UNKNOWN, do_chunk, &loop);
    EXPECT(t, first.members == 4 && second.members == 2, "one is modest: %d and %d", first.members,
           second.members);
    qn_gang_end(&second);
    qn_gang_for(&first, 1, QN_COST_UNKNOWN, do_chunk, &loop);
    EXPECT(t, first.members == 6, "alone again: %d", first.members);
    qn_gang_end(&first);
    qn_pool_free(pool);
}

TEST(more_callers_than_threads_still_run)
{
    QnPool *pool = pool_of(t, 2);
    REQUIRE(t, pool, "no pool");
    QnGang gangs[4];
    for (int i = 0; i < 4; i++)
        qn_gang_begin(&gangs[i], pool, 2);
    for (int i = 0; i < 4; i++) {
        Loop loop = {0};
        qn_gang_for(&gangs[i], 10, QN_COST_UNKNOWN, do_chunk, &loop);
        expect_once(t, &loop, 10);
        EXPECT(t, gangs[i].members == 1, "gang %d has %d members", i, gangs[i].members);
    }
    for (int i = 0; i < 4; i++)
        qn_gang_end(&gangs[i]);
    qn_pool_free(pool);
}

/* Two runs of full gangs: their chunks together never run on more threads than the pool has. */
static void shared_chunk(void *user, int64_t chunk, int member)
{
    Runner *runner = user;
    const uint32_t running = qn_fetch_add_u32(runner->running, 1) + 1;
    if (running > qn_load_relaxed_u32(runner->most_running))
        qn_store_relaxed_u32(runner->most_running, running);
    sleep_us(scramble((unsigned)chunk + (unsigned)member) % 30);
    qn_fetch_add_u32(runner->running, (uint32_t)-1);
}

static void *run_shared(void *user)
{
    Runner *runner = user;
    QnGang *gang = (QnGang[1]){{0}};
    qn_gang_begin(gang, runner->pool, runner->limit);
    for (int i = 0; i < 50; i++)
        qn_gang_for(gang, 20, QN_COST_UNKNOWN, shared_chunk, runner);
    qn_gang_end(gang);
    return NULL;
}

TEST(two_runs_use_no_more_threads_than_the_pool_has)
{
    QnPool *pool = pool_of(t, 4);
    REQUIRE(t, pool, "no pool");
    QnAtomicU32 running = {0}, most = {0};
    Runner runners[2] = {{.pool = pool, .limit = 4, .running = &running, .most_running = &most},
                         {.pool = pool, .limit = 4, .running = &running, .most_running = &most}};
    QnGang gangs[2]; /* both are there before either runs, so that no handing over is in between */
    pthread_t other;
    for (int i = 0; i < 2; i++)
        qn_gang_begin(&gangs[i], pool, 1);
    qn_gang_end(&gangs[0]);
    qn_gang_end(&gangs[1]);
    REQUIRE(t, !pthread_create(&other, NULL, run_shared, &runners[1]), "no thread");
    run_shared(&runners[0]);
    pthread_join(other, NULL);
    /* One chunk of a member that is leaving may overlap with the newcomer's first. */
    EXPECT(t, most.value <= 5, "%u chunks at once", most.value);
    qn_pool_free(pool);
}

TEST(a_pool_can_be_resized_while_it_is_used)
{
    QnPool *pool = NULL;
    QnError err = {0};
    REQUIRE(t,
            qn_pool_create_with(&pool, &(QnPoolOptions){.size = 2, .capacity = 5}, &err) == QN_OK,
            "%s", err.message);
    static const int rows[][2] = {{5, 5}, {1, 1},  {9, 5},
                                  {3, 3}, {-4, 1}, {2, 2}}; /* asked, given */
    QnGang gang;
    qn_gang_begin(&gang, pool, 8);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const int given = qn_pool_resize(pool, rows[i][0]);
        Loop loop = {.wait_for = rows[i][1]};
        qn_gang_for(&gang, 20, QN_COST_UNKNOWN, do_chunk, &loop);
        EXPECT(t, given == rows[i][1] && qn_pool_size(pool) == given, "asked for %d, got %d",
               rows[i][0], given);
        EXPECT(t, members_seen(&loop) == given, "%d members of %d", members_seen(&loop), given);
    }
    qn_gang_end(&gang);
    qn_pool_free(pool);
}

static QnAtomicU32 warmed; /* the function takes no argument */

static void warm(void)
{
    qn_fetch_add_u32(&warmed, 1);
}

TEST(each_worker_warms_up_once_when_told)
{
    QnPool *pool = pool_of(t, 3);
    REQUIRE(t, pool, "no pool");
    QnGang gang;
    qn_gang_begin(&gang, pool, 3);
    for (int round = 0; round < 4; round++) {
        Loop loop = {.wait_for = 3};
        qn_gang_for(&gang, 6, QN_COST_UNKNOWN, do_chunk, &loop);
        const uint32_t want = round < 2 ? 0 : 2;
        EXPECT(t, qn_load_acquire_u32(&warmed) == want, "round %d: %u", round,
               qn_load_acquire_u32(&warmed));
        if (round == 1)
            qn_pool_set_warm(pool, warm);
    }
    qn_gang_end(&gang);
    qn_pool_free(pool);
}

static void divide_denormal(void *user, int64_t chunk, QN_UNUSED int member)
{
    volatile float tiny = 1e-38f;
    ((float *)user)[chunk] = tiny / 8; /* denormal */
    while (qn_clock_now(NULL) % 64)    /* give the other member a chance */
        sched_yield();
}

TEST(workers_run_with_the_callers_float_mode)
{
    QnPool *pool = pool_of(t, 3);
    REQUIRE(t, pool, "no pool");
    QnGang gang;
    qn_gang_begin(&gang, pool, 3);
    for (int flush = 0; flush < 4; flush++) {
        float results[60];
        const QnFloatMode before = qn_denormals_flush(flush % 2);
        qn_gang_for(&gang, 60, QN_COST_UNKNOWN, divide_denormal, results);
        qn_float_mode_set(before);
        for (int i = 0; i < 60; i++)
            EXPECT(t, (results[i] == 0) == (flush % 2), "chunk %d gave %g", i, (double)results[i]);
    }
    qn_gang_end(&gang);
    qn_pool_free(pool);
}

static int count_up(void *user)
{
    return ++*(int *)user;
}

TEST(the_size_is_asked_for_again_only_after_a_while)
{
    QnPool *pool = NULL;
    QnError err = {0};
    int asked = 0;
    const QnPoolOptions options = {.size = 2, .recount = count_up, .user = &asked};
    REQUIRE(t, qn_pool_create_with(&pool, &options, &err) == QN_OK, "%s", err.message);
    for (int run = 0; run < 100; run++) {
        QnGang gang;
        qn_gang_begin(&gang, pool, 2);
        qn_gang_end(&gang);
    }
    EXPECT(t, asked == 0 && qn_pool_size(pool) == 2, "asked %d times", asked);
    qn_pool_free(pool);
}

TEST(every_failed_allocation_is_survived)
{
    for (int64_t n = 0; n <= 2; n++) {
        AllocFault fault;
        QnPool *pool = NULL;
        QnError err = {0};
        alloc_fault_init(&fault, n);
        const QnPoolOptions options = {.size = 3, .allocator = &fault.allocator};
        const QnStatus status = qn_pool_create_with(&pool, &options, &err);
        EXPECT(t, status == (n ? QN_NO_MEMORY : QN_OK) && !pool == (n != 0), "allocation %d: %s",
               (int)n, err.message);
        qn_pool_free(pool);
        EXPECT(t, alloc_fault_live_bytes(&fault) == 0, "allocation %d leaks", (int)n);
    }
}

TEST(impossible_sizes_are_refused)
{
    static const struct {
        int size;
        const char *want;
    } rows[] = {
        {0, "a pool of 0 threads, expected 1 to 4096"},
        {-3, "a pool of -3 threads, expected 1 to 4096"},
        {5000, "a pool of 5000 threads, expected 1 to 4096"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnPool *pool = NULL;
        QnError err;
        EXPECT(t, qn_pool_create(&pool, rows[i].size, &err) == QN_BAD_ARGUMENT, "status");
        EXPECT(t, !strcmp(err.message, rows[i].want) && !pool, "%s", err.message);
    }
    qn_pool_free(NULL);
}

TEST_MAIN(CASE(every_chunk_is_done_once), CASE(all_members_take_chunks),
          CASE(a_gang_has_no_more_members_than_it_asked_for),
          CASE(small_loops_and_lone_callers_run_inline), CASE(a_late_worker_is_not_waited_for),
          CASE(runs_at_once_and_nested_ones_share_the_pool),
          CASE(gangs_get_a_fair_share_and_grow_back), CASE(more_callers_than_threads_still_run),
          CASE(two_runs_use_no_more_threads_than_the_pool_has),
          CASE(a_pool_can_be_resized_while_it_is_used), CASE(each_worker_warms_up_once_when_told),
          CASE(workers_run_with_the_callers_float_mode),
          CASE(the_size_is_asked_for_again_only_after_a_while),
          CASE(every_failed_allocation_is_survived), CASE(impossible_sizes_are_refused))
