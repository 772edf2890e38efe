/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions, ArgMax and ArgMin: axes, empty sets, integers, and what is refused. */
#include "tests/support/op.h"

TEST(reductions_go_over_their_axes)
{
    static const OpRow rows[] = {
        {"ReduceSum", {"float[2,2] = {1, 2, 3, 4}"}, .want = "float[1,1] {10}"},
        {"ReduceSum",
         {"float[2,2] = {1, 2, 3, 4}", "int64[1] = {-1}"},
         "keepdims = 0",
         .want = "float[2] {3, 7}"},
        {"ReduceSumSquare",
         {"float[2] = {3, 4}"},
         "noop_with_empty_axes = 1",
         .want = "float[2] {9, 16}"},
        {"ReduceMean", {"float[2] = {1, 2}"}, .want = "float[1] {1.5}"},
        {"ReduceL2", {"float[2] = {3, 4}"}, "keepdims = 0", .want = "float[] {5}"},
        {"ReduceLogSumExp", {"float[2] = {1000, 1000}"}, .want = "float[1] {1000.69}"},
        {"ReduceProd", {"int64[2] = {3, -4}"}, .want = "int64[1] {-12}"},
        {"ReduceMax",
         {"uint64[2] = {1, 18446744073709551615}"},
         .want = "uint64[1] {18446744073709551615}"},
        {"ReduceMin", {"bool[2] = {0, 1}"}, .want = "bool[1] {0}"},
        {"ReduceSum", {"float[] = {5}"}, .want = "float[] {5}"},
    };
    OP_CHECK(t, rows);
}

TEST(nothing_reduces_to_the_neutral_element)
{
    static const OpRow rows[] = {
        {"ReduceSum", {"float[0] = {}"}, .want = "float[1] {0}"},
        {"ReduceProd", {"float[0] = {}"}, .want = "float[1] {1}"},
        {"ReduceMax", {"float[0] = {}"}, .want = "float[1] {-inf}"},
        {"ReduceMin", {"int8[0] = {}"}, .want = "int8[1] {127}"},
        {"ReduceLogSum", {"float[0] = {}"}, .want = "float[1] {-inf}"},
    };
    OP_CHECK(t, rows);
}

TEST(shapes_follow_the_axes)
{
    static const OpRow rows[] = {
        {"ReduceSum", {"float[N,C,4]", "int64[2] = {0, 2}"}, .want = "float[1,C,1]"},
        {"ReduceSum", {"float[N,C,4]", "int64[1] = {1}"}, "keepdims = 0", .want = "float[N,4]"},
        {"ArgMax", {"float[N,C,4]"}, "axis = -1, keepdims = 0", .want = "int64[N,C]"},
        {"ReduceSum",
         {"float[N,2]", "int64[1] = {2}"},
         .want = "error: axes is 2, expected -2 to 1"},
        {"ReduceSum",
         {"float[N,2]", "int64[2] = {0, -2}"},
         .want = "error: axes names dimension 0 twice"},
        {"ArgMin", {"float[0,2]"}, .want = "error: dimension 0 has no elements to choose from"},
    };
    OP_CHECK(t, rows);
}

TEST(the_first_of_equal_ones_wins_unless_the_last_is_wanted)
{
    static const OpRow rows[] = {
        {"ArgMax", {"float[3] = {1, 7, 7}"}, .want = "int64[1] {1}"},
        {"ArgMax", {"float[3] = {1, 7, 7}"}, "select_last_index = 1", .want = "int64[1] {2}"},
        {"ArgMin",
         {"int32[2,2] = {4, 3, 2, 1}"},
         "axis = 1, keepdims = 0",
         .want = "int64[2] {1, 1}"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(reductions_go_over_their_axes), CASE(nothing_reduces_to_the_neutral_element),
          CASE(shapes_follow_the_axes),
          CASE(the_first_of_equal_ones_wins_unless_the_last_is_wanted))
