/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <math.h>

#include "tests/support/test.h"

/* Fixed for ever: recorded runs depend on them. */
TEST(a_seed_gives_the_same_numbers_everywhere)
{
    QnRandom random = qn_random(0);
    static const uint64_t want[] = {UINT64_C(11091344671253066420), UINT64_C(13793997310169335082),
                                    UINT64_C(1900383378846508768), UINT64_C(7684712102626143532)};
    for (size_t i = 0; i < 4; i++) {
        const uint64_t got = qn_random_u64(&random);
        EXPECT(t, got == want[i], "number %zu is %llu", i, (unsigned long long)got);
    }
    QnRandom a = qn_random(7), b = qn_random(7), c = qn_random(8);
    EXPECT(t, qn_random_u64(&a) == qn_random_u64(&b), "one seed, two numbers");
    EXPECT(t, qn_random_u64(&a) != qn_random_u64(&c), "two seeds, one number");
    EXPECT(t, a.seed == 7, "the seed is %llu", (unsigned long long)a.seed);
}

TEST(seeds_are_read_from_text)
{
    EXPECT(t, qn_random_seed("42", 1) == 42, "42");
    EXPECT(t, qn_random_seed("4x", 1) == 1 && qn_random_seed(NULL, 2) == 2, "the fallback");
}

TEST(numbers_below_a_limit_are_equally_likely)
{
    QnRandom random = qn_random(1);
    int counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        const uint64_t value = qn_random_below(&random, 7);
        REQUIRE(t, value < 7, "%llu", (unsigned long long)value);
        counts[value]++;
    }
    for (int i = 0; i < 7;
         i++) /* 5 standard deviations of a binomial count: 5 * sqrt(70000 * 1/7 * 6/7) */
        EXPECT(t, abs(counts[i] - 10000) < 463, "%d came %d times", i, counts[i]);
    EXPECT(t, qn_random_below(&random, 1) == 0, "below 1");
    const uint64_t half = UINT64_C(1) << 63;
    EXPECT(t, qn_random_below(&random, half + 1) <= half, "below 2^63 + 1");
}

TEST(ranges_include_both_ends)
{
    QnRandom random = qn_random(2);
    bool seen[3] = {false};
    for (int i = 0; i < 100; i++) {
        const int64_t value = qn_random_between(&random, -1, 1);
        REQUIRE(t, value >= -1 && value <= 1, "%lld", (long long)value);
        seen[value + 1] = true;
    }
    EXPECT(t, seen[0] && seen[1] && seen[2], "an end was never seen");
    EXPECT(t, qn_random_between(&random, 5, 5) == 5, "one number");
    qn_random_between(&random, INT64_MIN, INT64_MAX);
}

TEST(floats_have_the_mean_and_deviation_they_should)
{
    enum { COUNT = 100000 };
    static float values[COUNT];
    QnRandom random = qn_random(3);
    qn_random_fill_uniform(&random, values, COUNT, -2, 4);
    double sum = 0;
    for (int i = 0; i < COUNT; i++) {
        EXPECT(t, values[i] >= -2 && values[i] < 4, "%g", (double)values[i]);
        sum += (double)values[i];
    }
    EXPECT(t, fabs(sum / COUNT - 1) < 5 * 6 / sqrt(12.0 * COUNT), "mean %g", sum / COUNT);
    qn_random_fill_normal(&random, values, COUNT, 3, 2);
    double squares = sum = 0;
    for (int i = 0; i < COUNT; i++) {
        sum += (double)values[i];
        squares += ((double)values[i] - 3) * ((double)values[i] - 3);
    }
    EXPECT(t, fabs(sum / COUNT - 3) < 5 * 2 / sqrt(COUNT), "mean %g", sum / COUNT);
    EXPECT(t, fabs(squares / COUNT - 4) < 5 * 4 * sqrt(2.0 / COUNT), "variance %g",
           squares / COUNT);
}

TEST(shuffling_keeps_the_items)
{
    QnRandom random = qn_random(4);
    int items[100], moved = 0;
    bool seen[100] = {false};
    for (int i = 0; i < 100; i++)
        items[i] = i;
    qn_random_shuffle(&random, items, 100, sizeof items[0]);
    for (int i = 0; i < 100; i++) {
        EXPECT(t, !seen[items[i]], "%d is there twice", items[i]);
        seen[items[i]] = true;
        moved += items[i] != i;
    }
    EXPECT(t, moved > 80, "only %d moved", moved);
    qn_random_shuffle(&random, items, 0, sizeof items[0]);
}

TEST_MAIN(CASE(a_seed_gives_the_same_numbers_everywhere), CASE(seeds_are_read_from_text),
          CASE(numbers_below_a_limit_are_equally_likely), CASE(ranges_include_both_ends),
          CASE(floats_have_the_mean_and_deviation_they_should), CASE(shuffling_keeps_the_items))
