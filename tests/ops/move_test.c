/* SPDX-License-Identifier: Apache-2.0 */
/* Operators that move elements: pads, selections, blocks, diagonals, reversals, windows. */
#include "tests/support/op.h"

TEST(pad_continues_a_tensor_in_four_ways)
{
    static const OpRow rows[] = {
        {"Pad", {"float[2] = {1, 2}", "int64[2] = {1, 2}"}, .want = "float[5] {0, 1, 2, 0, 0}"},
        {"Pad",
         {"float[2] = {1, 2}", "int64[2] = {1, 0}", "float[] = {7}"},
         .want = "float[3] {7, 1, 2}"},
        {"Pad",
         {"string[1] = {\"a\"}", "int64[2] = {0, 1}", "string[] = {\"b\"}"},
         .want = "string[2] {\"a\", \"b\"}"},
        {"Pad",
         {"float[3] = {1, 2, 3}", "int64[2] = {2, 1}"},
         "mode = \"edge\"",
         .want = "float[6] {1, 1, 1, 2, 3, 3}"},
        {"Pad",
         {"float[3] = {1, 2, 3}", "int64[2] = {5, 3}"},
         "mode = \"reflect\"", /* bounces on past the first image */
         .want = "float[11] {2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2}"},
        {"Pad",
         {"float[3] = {1, 2, 3}", "int64[2] = {2, 4}"},
         "mode = \"wrap\"",
         .want = "float[9] {2, 3, 1, 2, 3, 1, 2, 3, 1}"},
        {"Pad",
         {"float[1] = {4}", "int64[2] = {1, 1}"},
         "mode = \"reflect\"",
         .want = "float[3] {4, 4, 4}"},
        {"Pad",
         {"float[2,2] = {1, 2, 3, 4}", "int64[2] = {1, 0}", "_", "int64[1] = {-1}"},
         .want = "float[2,3] {0, 1, 2, 0, 3, 4}"},
        {"Pad",
         {"float[4] = {1, 2, 3, 4}", "int64[2] = {-1, 2}"},
         "mode = \"reflect\"", /* cut first, then mirrored */
         .want = "float[5] {2, 3, 4, 3, 2}"},
        {"Pad", {"float[3] = {1, 2, 3}", "int64[2] = {-2, -1}"}, .want = "float[0] {}"},
        {"Pad", {"float[] = {3}", "int64[0] = {}"}, .want = "float[] {3}"},
        {"Pad", {"float[N,3]", "int64[4] = {0, 1, 2, 0}"}, .want = "float[N + 2,4]"},
        {"Pad", {"float[N,3]", "int64[4]"}, .want = "float[?0,?1]"},
    };
    OP_CHECK(t, rows);
}

TEST(pad_refuses_pads_that_cannot_be)
{
    static const OpRow rows[] = {
        {"Pad",
         {"float[N,3]", "int64[3] = {0, 1, 2}"},
         .want = "error: pads has 3 entries, expected 4"},
        {"Pad",
         {"float[3]", "int64[2] = {-2, -2}"},
         .want = "error: the pads leave -1 elements of dimension 0, expected 0 at least"},
        {"Pad",
         {"float[3]", "int64[2] = {-9223372036854775807, 9223372036854775807}"},
         .want = "error: a pad of dimension 0 is -9223372036854775807, expected -2^48 to 2^48"},
        {"Pad",
         {"float[3]", "int64[2] = {0, 0}"},
         "mode = \"mirror\"",
         .want = "error: mode is none of constant, edge, reflect and wrap"},
        {"Pad",
         {"float[0] = {}", "int64[2] = {1, 0}"},
         "mode = \"edge\"",
         .want = "error: a dimension without elements cannot be continued"},
        {"Pad",
         {"float[2] = {1, 2}", "int64[2] = {1, 0}", "int32[] = {7}"},
         .want = "error: the constant is no single element of the input's type"},
        {"Pad",
         {"float[2,2]", "int64[4] = {0, 0, 0, 0}", "_", "int64[2] = {1, -1}"},
         .want = "error: axes names dimension 1 twice"},
    };
    OP_CHECK(t, rows);
}

TEST(selections_keep_what_is_true)
{
    static const OpRow rows[] = {
        {"NonZero", {"float[2,2] = {0, 1, -2, 0}"}, .want = "int64[2,2] {0, 1, 1, 0}"},
        {"NonZero", {"bool[] = {1}"}, .want = "int64[0,1] {}"},
        {"NonZero", {"float[2] = {-0.0, nan}"}, .want = "int64[1,1] {1}"},
        {"NonZero", {"float[N,3]"}, .want = "int64[2,?0]"},
        {"Compress",
         {"float[2,2] = {1, 2, 3, 4}", "bool[2] = {0, 1}"},
         "axis = 1",
         .want = "float[2,1] {2, 4}"},
        {"Compress",
         {"float[2,2] = {1, 2, 3, 4}", "bool[3] = {1, 0, 1}"},
         .want = "float[2] {1, 3}"}, /* flat, and the condition may be shorter */
        {"Compress", {"float[N,4]", "bool[M]"}, "axis = 0", .want = "float[?0,4]"},
        {"Compress", {"float[N,4]", "bool[4] = {1, 0, 1, 1}"}, "axis = -1", .want = "float[N,3]"},
        {"Compress",
         {"float[2]", "bool[3] = {1, 0, 1}"},
         .want = "error: the condition has 3 elements, expected 2 at most"},
    };
    OP_CHECK(t, rows);
}

TEST(blocks_of_pixels_are_channels)
{
    static const OpRow rows[] = {
        {"DepthToSpace",
         {"float[1,4,1,1] = {1, 2, 3, 4}"},
         "blocksize = 2",
         .want = "float[1,1,2,2] {1, 2, 3, 4}"},
        {"DepthToSpace",
         {"float[1,8,1,1] = {1, 2, 3, 4, 5, 6, 7, 8}"},
         "blocksize = 2",
         .want = "float[1,2,2,2] {1, 3, 5, 7, 2, 4, 6, 8}"},
        {"DepthToSpace",
         {"float[1,8,1,1] = {1, 2, 3, 4, 5, 6, 7, 8}"},
         "blocksize = 2, mode = \"CRD\"",
         .want = "float[1,2,2,2] {1, 2, 3, 4, 5, 6, 7, 8}"},
        {"SpaceToDepth",
         {"float[1,2,2,2] = {1, 3, 5, 7, 2, 4, 6, 8}"},
         "blocksize = 2",
         .want = "float[1,8,1,1] {1, 2, 3, 4, 5, 6, 7, 8}"},
        {"SpaceToDepth",
         {"float[1,2,2,2] = {1, 2, 3, 4, 5, 6, 7, 8}"},
         "blocksize = 2, mode = \"CRD\"",
         .want = "float[1,8,1,1] {1, 2, 3, 4, 5, 6, 7, 8}"},
        {"DepthToSpace", {"float[N,16,H,W]"}, "blocksize = 4", .want = "float[N,1,4*H,4*W]"},
        {"SpaceToDepth", {"float[N,3,2*H,8]"}, "blocksize = 2", .want = "float[N,12,H,4]"},
        {"DepthToSpace",
         {"float[1,6,1,1]"},
         "blocksize = 2",
         .want = "error: dimension 1 is 6, expected a multiple of 4"},
        {"SpaceToDepth",
         {"float[1,6,4,3]"},
         "blocksize = 2",
         .want = "error: dimension 3 is 3, expected a multiple of 2"},
        {"SpaceToDepth",
         {"float[1,6,4,3]"},
         "blocksize = 0",
         .want = "error: blocksize is 0, expected 1 at least"},
    };
    OP_CHECK(t, rows);
}

TEST(diagonals_bound_triangles)
{
    static const OpRow rows[] = {
        {"Trilu", {"float[2,2] = {1, 2, 3, 4}"}, .want = "float[2,2] {1, 2, 0, 4}"},
        {"Trilu", {"float[2,2] = {1, 2, 3, 4}"}, "upper = 0", .want = "float[2,2] {1, 0, 3, 4}"},
        {"Trilu",
         {"int64[2,2] = {1, 2, 3, 4}", "int64[] = {1}"},
         .want = "int64[2,2] {0, 2, 0, 0}"},
        {"Trilu",
         {"float[2,2] = {1, 2, 3, 4}", "int64[] = {-9223372036854775807}"},
         .want = "float[2,2] {1, 2, 3, 4}"},
        {"Trilu",
         {"float[2,2] = {1, 2, 3, 4}", "int64[] = {9}"},
         .want = "float[2,2] {0, 0, 0, 0}"},
        {"Trilu", {"float[3]"}, .want = "error: input 0 has rank 1, expected 2 at least"},
        {"EyeLike",
         {"int32[2,3] = {5, 5, 5, 5, 5, 5}"},
         "k = 1",
         .want = "int32[2,3] {0, 1, 0, 0, 0, 1}"},
        {"EyeLike", {"int32[2,2] = {5, 5, 5, 5}"}, "dtype = 1", .want = "float[2,2] {1, 0, 0, 1}"},
        {"EyeLike", {"float[N,3]"}, "dtype = 7", .want = "int64[N,3]"},
        {"EyeLike", {"float[3]"}, .want = "error: input 0 has rank 1, expected 2"},
        {"EyeLike",
         {"float[3,3]"},
         "dtype = 99",
         .want = "error: dtype is 99, expected a numeric type"},
    };
    OP_CHECK(t, rows);
}

TEST(sequences_are_reversed_up_to_their_lengths)
{
    static const OpRow rows[] = {
        {"ReverseSequence",
         {"float[3,2] = {1, 2, 3, 4, 5, 6}", "int64[2] = {3, 2}"},
         .want = "float[3,2] {5, 4, 3, 2, 1, 6}"},
        {"ReverseSequence",
         {"float[2,3] = {1, 2, 3, 4, 5, 6}", "int64[2] = {3, 0}"},
         "time_axis = 1, batch_axis = 0",
         .want = "float[2,3] {3, 2, 1, 4, 5, 6}"},
        {"ReverseSequence",
         {"float[1,1] = {1}", "int64[1] = {2}"},
         .want = "error: sequence_lens[0] is 2, expected 0 to 1"},
        {"ReverseSequence",
         {"float[1,2]", "int64[2]"},
         "time_axis = 1",
         .want = "error: time_axis is 1 and batch_axis 1, expected 0 and 1"},
        {"ReverseSequence",
         {"float[T,2]", "int64[3]"},
         .want = "error: sequence_lens has 3 entries, expected 2"},
    };
    OP_CHECK(t, rows);
}

TEST(one_hot_puts_the_on_value_where_the_index_says)
{
    static const OpRow rows[] = {
        {"OneHot",
         {"int64[3] = {0, -1, 7}", "int64[] = {2}", "float[2] = {-1, 1}"},
         .want = "float[3,2] {1, -1, -1, 1, -1, -1}"},
        {"OneHot",
         {"float[2] = {0.9, nan}", "float[1] = {2}", "int32[2] = {0, 5}"},
         "axis = 0",
         .want = "int32[2,2] {5, 0, 0, 0}"},
        {"OneHot", {"int64[N,3]", "int64[] = {4}", "float[2]"}, "axis = 1", .want = "float[N,4,3]"},
        {"OneHot", {"int64[N]", "int64[]", "float[2]"}, .want = "float[N,?0]"},
        {"OneHot",
         {"int64[N]", "int64[] = {-1}", "float[2]"},
         .want = "error: depth is -1, expected 0 at least"},
        {"OneHot",
         {"int64[N]", "int64[]", "float[3]"},
         .want = "error: values has another shape than 2: the off and the on value"},
    };
    OP_CHECK(t, rows);
}

TEST(windows_are_put_together)
{
    static const OpRow rows[] = {
        {"Col2Im",
         {"float[1,4,2] = {1, 2, 3, 4, 5, 6, 7, 8}", "int64[2] = {2, 3}", "int64[2] = {2, 2}"},
         .want = "float[1,1,2,3] {1, 5, 4, 5, 13, 8}"}, /* the middle column is in both blocks */
        {"Col2Im",
         {"float[N,12,6]", "int64[1] = {6}", "int64[1] = {3}"},
         "pads = [1, 1]",
         .want = "float[N,4,6]"},
        {"Col2Im",
         {"float[N,12,5]", "int64[1] = {6}", "int64[1] = {3}"},
         .want = "error: input 0 has 5 columns, expected 4, one for each block"},
        {"Col2Im",
         {"float[N,10,4]", "int64[1] = {6}", "int64[1] = {3}"},
         .want = "error: input 0 has 10 rows, expected a multiple of 3"},
        {"Col2Im",
         {"float[N,12,4]", "int64[1] = {2}", "int64[1] = {3}"},
         .want = "error: image_shape, block_shape and the window do not fit together"},
        {"Col2Im",
         {"string[N,12,4]", "int64[1] = {6}", "int64[1] = {3}"},
         .want = "error: elements of type string cannot be added"},
        {"CenterCropPad",
         {"float[4] = {1, 2, 3, 4}", "int64[1] = {1}"},
         .want = "float[1] {2}"}, /* shifted to the left */
        {"CenterCropPad",
         {"float[2] = {1, 2}", "int64[1] = {5}"},
         .want = "float[5] {0, 1, 2, 0, 0}"},
        {"CenterCropPad",
         {"float[N,4,4]", "int64[1] = {3}"},
         "axes = [-1]",
         .want = "float[N,4,3]"},
        {"CenterCropPad",
         {"float[4,4]", "int64[1] = {3}"},
         .want = "error: shape has 1 entries, expected 2"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(pad_continues_a_tensor_in_four_ways), CASE(pad_refuses_pads_that_cannot_be),
          CASE(selections_keep_what_is_true), CASE(blocks_of_pixels_are_channels),
          CASE(diagonals_bound_triangles), CASE(sequences_are_reversed_up_to_their_lengths),
          CASE(one_hot_puts_the_on_value_where_the_index_says), CASE(windows_are_put_together))
