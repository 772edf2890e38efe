/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "tests/support/test.h"

static int64_t read_counter(void *user)
{
    return *(const int64_t *)user;
}

TEST(the_system_clock_never_goes_back)
{
    int64_t last = qn_clock_now(NULL);
    for (int i = 0; i < 1000; i++) {
        const int64_t now = qn_clock_now(NULL);
        EXPECT(t, now >= last, "%lld after %lld", (long long)now, (long long)last);
        last = now;
    }
}

TEST(a_test_can_hold_a_clock_still)
{
    int64_t now = 42;
    const QnClock clock = {&now, read_counter};
    EXPECT(t, qn_clock_now(&clock) == 42, "not 42");
    now += QN_NS_PER_S;
    EXPECT(t, qn_clock_now(&clock) == 1000000042, "not a second later");
}

TEST(deadlines_saturate)
{
    static const struct {
        int64_t now, delay, deadline;
    } rows[] = {
        {100, 50, 150},
        {100, 0, 100},
        {100, -50, 100},
        {100, INT64_MAX, QN_NEVER},
        {INT64_MIN, 10, INT64_MIN + 10},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t got = qn_deadline_after(rows[i].now, rows[i].delay);
        EXPECT(t, got == rows[i].deadline, "row %zu gave %lld", i, (long long)got);
    }
}

TEST(what_is_left_is_never_negative)
{
    static const struct {
        int64_t deadline, now, left;
        bool is_past;
    } rows[] = {
        {150, 100, 50, false},
        {100, 100, 0, true},
        {100, 150, 0, true},
        {QN_NEVER, INT64_MAX, QN_NEVER, false},
        {INT64_MIN, INT64_MAX, 0, true},
        {INT64_MAX - 1, INT64_MIN, QN_NEVER, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int64_t left = qn_deadline_left(rows[i].deadline, rows[i].now);
        EXPECT(t, left == rows[i].left, "row %zu leaves %lld", i, (long long)left);
        EXPECT(t, qn_deadline_is_past(rows[i].deadline, rows[i].now) == rows[i].is_past, "row %zu",
               i);
    }
}

TEST_MAIN(CASE(the_system_clock_never_goes_back), CASE(a_test_can_hold_a_clock_still),
          CASE(deadlines_saturate), CASE(what_is_left_is_never_negative))
