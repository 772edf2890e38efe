/* SPDX-License-Identifier: Apache-2.0 */
#include "base/to_integer.h"

#include <math.h>

#include "base/compiler.h"
#include "tests/support/test.h"

/* Around the ends of each type, and what is no number. */
TEST(what_an_integer_cannot_hold_is_its_least_number)
{
    static const struct {
        double value;
        int32_t i32;
        int64_t i64;
        uint64_t u64;
    } rows[] = {
        {1.9, 1, 1, 1},
        {-1.9, -1, -1, UINT64_MAX},
        {-0.0, 0, 0, 0},
        {2147483647.9, INT32_MAX, INT32_MAX, INT32_MAX},
        {2147483648.0, INT32_MIN, INT64_C(2147483648), UINT64_C(2147483648)},
        {-2147483648.9, INT32_MIN, INT32_MIN, UINT64_C(0xffffffff80000000)},
        {-2147483649.0, INT32_MIN, INT64_C(-2147483649), UINT64_C(0xffffffff7fffffff)},
        {9223372036854774784.0, INT32_MIN, INT64_MAX - 1023, UINT64_C(9223372036854774784)},
        {9223372036854775808.0, INT32_MIN, INT64_MIN, UINT64_C(1) << 63},
        {18446744073709549568.0, INT32_MIN, INT64_MIN, UINT64_MAX - 2047},
        {18446744073709551616.0, INT32_MIN, INT64_MIN, 0},
        {-9223372036854775808.0, INT32_MIN, INT64_MIN, UINT64_C(1) << 63},
        {-1e30, INT32_MIN, INT64_MIN, UINT64_C(1) << 63},
        {INFINITY, INT32_MIN, INT64_MIN, 0},
        {-INFINITY, INT32_MIN, INT64_MIN, UINT64_C(1) << 63},
        {NAN, INT32_MIN, INT64_MIN, UINT64_C(1) << 63},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const double x = rows[i].value;
        EXPECT(t, qn_f64_to_i32(x) == rows[i].i32, "%a as int32: %d", x, qn_f64_to_i32(x));
        EXPECT(t, qn_f64_to_i64(x) == rows[i].i64, "%a as int64: %lld", x,
               (long long)qn_f64_to_i64(x));
        EXPECT(t, qn_f64_to_u64(x) == rows[i].u64, "%a as uint64: %llu", x,
               (unsigned long long)qn_f64_to_u64(x));
    }
}

/* A float has fewer numbers, and the same ends. */
TEST(floats_go_the_way_of_doubles)
{
    static const float rows[] = {0.0f,
                                 1.9f,
                                 -1.9f,
                                 2147483520.0f,
                                 2147483648.0f,
                                 -2147483648.0f,
                                 -2147483904.0f,
                                 1e30f,
                                 INFINITY,
                                 -INFINITY,
                                 NAN};
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        EXPECT(t, qn_f32_to_i32(rows[i]) == qn_f64_to_i32((double)rows[i]), "%a: %d",
               (double)rows[i], qn_f32_to_i32(rows[i]));
}

TEST_MAIN(CASE(what_an_integer_cannot_hold_is_its_least_number), CASE(floats_go_the_way_of_doubles))
