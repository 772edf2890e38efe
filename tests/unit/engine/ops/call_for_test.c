/* SPDX-License-Identifier: Apache-2.0 */
/* Loops of references: every unit once, the lowest failure,
 * and an end where the run is cancelled. */
#include "engine/ops/op.h"
#include "tests/support/test.h"

enum { UNITS = 1000, THREADS = 3 };

typedef struct World {
    QnPool *pool;
    QnGang gang;
    QnArena scratch;
    QnError err;
    QnCall call;
} World;

static void begin(World *w, bool (*is_cancelled)(void *user))
{
    *w = (World){0};
    qn_arena_init(&w->scratch, NULL);
    (void)qn_pool_create(&w->pool, THREADS, &w->err);
    qn_gang_begin(&w->gang, w->pool, THREADS);
    w->call = (QnCall){
        .scratch = &w->scratch, .gang = &w->gang, .is_cancelled = is_cancelled, .err = &w->err};
}

static void end(World *w)
{
    qn_gang_end(&w->gang);
    qn_pool_free(w->pool);
    qn_arena_finish(&w->scratch);
}

/* Adds one to each unit's count, by way of the thread's room. */
static QnStatus count_units(const QnCall *call, const void *work, void *room, int64_t from,
                            int64_t to)
{
    uint32_t *counts = *(uint32_t *const *)work, *own = room;
    (void)call;
    for (int64_t i = from; i < to; i++) {
        own[7] = counts[i];
        counts[i] = own[7] + 1;
    }
    return QN_OK;
}

TEST(every_unit_is_run_once)
{
    static const double costs[] = {0, 1, 50e3, 1e12};
    World w;
    begin(&w, NULL);
    for (size_t c = 0; c < sizeof costs / sizeof costs[0]; c++) {
        uint32_t counts[UNITS] = {0}, *list = counts;
        int wrong = 0;
        EXPECT(t, qn_call_for(&w.call, UNITS, costs[c], 32, count_units, &list) == QN_OK, "%s",
               w.err.message);
        for (int i = 0; i < UNITS; i++)
            wrong += counts[i] != 1;
        EXPECT(t, wrong == 0, "%d units were not run once at %g ns", wrong, costs[c]);
    }
    EXPECT(t, qn_call_for(&w.call, 0, 1, 32, count_units, NULL) == QN_OK, "of none");
    end(&w);
}

/* Fails from a unit on, and where that lies in the middle also at some before its end. */
static QnStatus fail_from(const QnCall *call, const void *work, void *room, int64_t from,
                          int64_t to)
{
    const int64_t bad = *(const int64_t *)work;
    (void)room;
    for (int64_t i = from; i < to; i++)
        if (i >= bad)
            return qn_fail(call->err, QN_BAD_TENSOR, "unit %lld", (long long)i);
    return QN_OK;
}

TEST(the_failure_of_the_lowest_unit_is_told)
{
    World w;
    begin(&w, NULL);
    for (int64_t bad = 0; bad < UNITS; bad += 111) {
        char want[32];
        snprintf(want, sizeof want, "unit %lld", (long long)bad);
        const QnStatus status = qn_call_for(&w.call, UNITS, 20e3, 0, fail_from, &bad);
        EXPECT(t, status == QN_BAD_TENSOR && !strcmp(w.err.message, want), "'%s', expected '%s'",
               w.err.message, want);
    }
    end(&w);
}

static bool always(void *user)
{
    (void)user;
    return true;
}

TEST(a_cancelled_run_does_no_unit)
{
    uint32_t counts[UNITS] = {0}, *list = counts;
    World w;
    begin(&w, always);
    EXPECT(t, qn_call_for(&w.call, UNITS, 20e3, 32, count_units, &list) == QN_CANCELLED, "status");
    EXPECT(t, counts[0] == 0 && counts[UNITS - 1] == 0, "units were run");
    end(&w);
}

TEST_MAIN(CASE(every_unit_is_run_once), CASE(the_failure_of_the_lowest_unit_is_told),
          CASE(a_cancelled_run_does_no_unit))
