/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers and scatters: what they pick and put, what is known of shapes, and what is refused. */
#include "tests/support/op.h"

TEST(gather_picks_slices_along_one_axis)
{
    static const OpRow rows[] = {
        {"Gather",
         {"float[3,2] = {1, 2, 3, 4, 5, 6}", "int64[2] = {2, -3}"},
         .want = "float[2,2] {5, 6, 1, 2}"},
        {"Gather",
         {"float[3,2] = {1, 2, 3, 4, 5, 6}", "int64[1,2] = {0, -1}"},
         "axis = 1",
         .want = "float[3,1,2] {1, 2, 3, 4, 5, 6}"},
        {"Gather",
         {"string[2] = {\"a\", \"b\"}", "int32[] = {1}"},
         .want = "string[] {\"b\"}"}, /* a scalar takes the axis away */
        {"Gather", {"float[N,3]", "int64[2,M]"}, "axis = -1", .want = "float[N,2,M]"},
        {"Gather", {"float[?]", "int64[2]"}, .want = "float[?]"},
    };
    OP_CHECK(t, rows);
}

TEST(gather_refuses_what_is_outside)
{
    static const OpRow rows[] = {
        {"Gather",
         {"float[3] = {1, 2, 3}", "int64[2] = {0, 3}"},
         .want = "error: index 3 at entry 1 is outside a dimension of 3"},
        {"Gather",
         {"float[3] = {1, 2, 3}", "int64[1] = {-4}"},
         .want = "error: index -4 at entry 0 is outside a dimension of 3"},
        {"Gather",
         {"float[3]", "int64[1]"},
         "axis = 1",
         .want = "error: axis is 1, expected -1 to 0"},
        {"Gather", {"float[]", "int64[1]"}, .want = "error: axis is 0, expected 0 to -1"},
        {"Gather",
         {"float[1,1,1,1,1,1,1,1,1]", "int64[1,1,1,1,1,1,1,1,1]"},
         .want = "error: the result would have 17 dimensions, expected 16 at most"},
    };
    OP_CHECK(t, rows);
}

TEST(gather_elements_and_nd_pick_elements_and_tuples)
{
    static const OpRow rows[] = {
        {"GatherElements",
         {"float[2,2] = {1, 2, 3, 4}", "int64[2,2] = {0, 0, 1, -2}"},
         "axis = 1",
         .want = "float[2,2] {1, 1, 4, 3}"},
        {"GatherElements",
         {"float[2,2] = {1, 2, 3, 4}", "int64[1,2] = {1, 0}"},
         .want = "float[1,2] {3, 2}"}, /* other axes may be shorter */
        {"GatherElements",
         {"float[2,2]", "int64[3,2]"},
         "axis = 1",
         .want = "error: dimension 0 of indices is 3, expected 2 at most"},
        {"GatherElements",
         {"float[2,2]", "int64[3]"},
         .want = "error: input 1 has rank 1, expected 2"},
        {"GatherND",
         {"float[2,2] = {1, 2, 3, 4}", "int64[2,2] = {0, 0, 1, -1}"},
         .want = "float[2] {1, 4}"},
        {"GatherND",
         {"float[2,2] = {1, 2, 3, 4}", "int64[1,1] = {1}"},
         .want = "float[1,2] {3, 4}"},
        {"GatherND",
         {"float[2,2] = {1, 2, 3, 4}", "int64[2,1] = {1, 0}"},
         "batch_dims = 1",
         .want = "float[2] {2, 3}"},
        {"GatherND", {"float[N,4,5]", "int64[N,K,1]"}, "batch_dims = 1", .want = "float[N,K,5]"},
        {"GatherND",
         {"float[4]", "int64[3,2]"},
         .want = "error: index tuples have 2 entries, expected 1 to 1"},
        {"GatherND",
         {"float[4]", "int64[1]"},
         "batch_dims = 1",
         .want = "error: batch_dims is 1, with inputs of rank 1 and 1"},
        {"GatherND",
         {"float[2,4]", "int64[3,1]"},
         "batch_dims = 1",
         .want = "error: batch dimension 0 is 2 in one input, 3 in the other"},
    };
    OP_CHECK(t, rows);
}

TEST(scatters_put_updates_into_a_copy)
{
    static const OpRow rows[] = {
        {"ScatterElements",
         {"float[1,3] = {1, 2, 3}", "int64[1,2] = {0, -1}", "float[1,2] = {9, 8}"},
         "axis = 1",
         .want = "float[1,3] {9, 2, 8}"},
        {"ScatterElements",
         {"int32[2] = {1, 2}", "int64[2] = {0, 0}", "int32[2] = {3, 4}"},
         "reduction = \"add\"",
         .want = "int32[2] {8, 2}"},
        {"ScatterElements",
         {"uint64[2] = {18446744073709551615, 2}", "int64[2] = {0, 1}", "uint64[2] = {3, 4}"},
         "reduction = \"max\"",
         .want = "uint64[2] {18446744073709551615, 4}"},
        {"ScatterElements",
         {"float[1] = {1}", "int64[1] = {0}", "float[1] = {nan}"},
         "reduction = \"min\"",
         .want = "float[1] {nan}"},
        {"ScatterND",
         {"float[3,2] = {1, 1, 2, 2, 3, 3}", "int64[2,1] = {2, 0}", "float[2,2] = {4, 5, 6, 7}"},
         .want = "float[3,2] {6, 7, 2, 2, 4, 5}"},
        {"ScatterND",
         {"float[2] = {2, 3}", "int64[2,1] = {1, 1}", "float[2] = {2, 5}"},
         "reduction = \"mul\"",
         .want = "float[2] {2, 30}"},
        {"ScatterND", {"float[N,4]", "int64[K,1]", "float[K,4]"}, .want = "float[N,4]"},
        {"TensorScatter",
         {"float[1,3,1] = {1, 2, 3}", "float[1,2,1] = {8, 9}", "int64[1] = {1}"},
         .want = "float[1,3,1] {1, 8, 9}"},
        {"TensorScatter",
         {"float[1,3,1] = {1, 2, 3}", "float[1,2,1] = {8, 9}", "int64[1] = {5}"},
         "mode = \"circular\"",
         .want = "float[1,3,1] {9, 2, 8}"},
    };
    OP_CHECK(t, rows);
}

TEST(scatters_refuse_what_does_not_fit)
{
    static const OpRow rows[] = {
        {"ScatterElements",
         {"float[2] = {1, 2}", "int64[1] = {2}", "float[1] = {1}"},
         .want = "error: index 2 at entry 0 is outside a dimension of 2"},
        {"ScatterElements",
         {"float[3]", "int64[2]", "float[3]"},
         .want = "error: dimension 0 of updates is 3, expected 2"},
        {"ScatterElements",
         {"float[3]", "int64[2]", "float[2]"},
         "reduction = \"mean\"",
         .want = "error: reduction is none of none, add, mul, max and min"},
        {"ScatterElements",
         {"string[3]", "int64[2]", "string[2]"},
         "reduction = \"add\"",
         .want = "error: elements of type string cannot be reduced"},
        {"ScatterND",
         {"float[3]", "int64[2,2]", "float[2]"},
         .want = "error: index tuples have 2 entries, expected 1 at most"},
        {"ScatterND",
         {"float[3,4]", "int64[2,1]", "float[2,5]"},
         .want = "error: dimension 1 of updates is 5, expected 4"},
        {"TensorScatter",
         {"float[1,3,1] = {1, 2, 3}", "float[1,2,1] = {8, 9}", "int64[1] = {2}"},
         .want = "error: 2 rows at 2 do not fit a cache of 3"},
        {"TensorScatter",
         {"float[1,3,1] = {1, 2, 3}", "float[1,2,1] = {8, 9}", "int64[1] = {-1}"},
         .want = "error: 2 rows at -1 do not fit a cache of 3"},
        {"TensorScatter",
         {"float[2,3]", "float[2,1]"},
         .want = "error: axis is 0, which is the batch"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(gather_picks_slices_along_one_axis), CASE(gather_refuses_what_is_outside),
          CASE(gather_elements_and_nd_pick_elements_and_tuples),
          CASE(scatters_put_updates_into_a_copy), CASE(scatters_refuse_what_does_not_fit))
