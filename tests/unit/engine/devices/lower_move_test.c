/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for transposes, slices and views, and what they compute. */
#include "tests/support/lowering.h"

TEST(views_cost_one_copy_where_the_reader_wants_it_plain)
{
    EXPECT_LOWERS_EXACTLY(t, "convert",
                          "graph main(%x: float[2,3,4,5]) {\n"
                          "  %y = Transpose(%x) {perm = [3, 0, 2, 1]}\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "convert",
                          "graph main(%x: int16[3,1]) {\n"
                          "  const %s: int64[3] = {2, 3, 4}\n"
                          "  %y = Expand(%x, %s)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "convert",
                          "graph main(%x: int8[5,6]) {\n"
                          "  const %s: int64[2] = {-1, 1}\n"
                          "  const %e: int64[2] = {-9223372036854775808, 6}\n"
                          "  const %a: int64[2] = {0, 1}\n"
                          "  const %p: int64[2] = {-2, 2}\n"
                          "  %y = Slice(%x, %s, %e, %a, %p)\n"
                          "  return %y\n}");
}

TEST(products_read_transposed_views_in_place)
{
    EXPECT_LOWERS(t, "gemm_f32",
                  "graph main(%a: float[2,3,4], %b: float[2,5,4]) {\n"
                  "  %c = Transpose(%b) {perm = [0, 2, 1]}\n"
                  "  %y = MatMul(%a, %c)\n"
                  "  return %y\n}");
}

TEST(whole_rows_are_plain_views)
{
    EXPECT_LOWERS_EXACTLY(t, "pointwise",
                          "graph main(%x: float[1,6,4]) {\n"
                          "  const %s: int64[1] = {2}\n"
                          "  const %e: int64[1] = {5}\n"
                          "  const %a: int64[1] = {1}\n"
                          "  %r = Slice(%x, %s, %e, %a)\n"
                          "  %y = Neg(%r)\n"
                          "  return %y\n}");
}

TEST(bounds_known_only_while_running_are_read_then)
{
    EXPECT_LOWERS_EXACTLY(t, "Slice",
                          "graph main(%x: float[6,4], %s: int64[1]) {\n"
                          "  const %e: int64[1] = {5}\n"
                          "  %y = Slice(%x, %s, %e)\n"
                          "  return %y\n}");
}

TEST(repeated_and_blocked_tensors_are_one_copy)
{
    EXPECT_LOWERS_EXACTLY(t, "Tile",
                          "graph main(%x: double[2,3]) {\n"
                          "  const %n: int64[2] = {3, 2}\n"
                          "  %y = Tile(%x, %n)\n"
                          "  return %y\n}");
}

TEST(blocks_go_into_channels_in_either_order)
{
    EXPECT_LOWERS_EXACTLY(t, "SpaceToDepth",
                          "graph main(%x: int32[1,2,4,6]) {\n"
                          "  %y = SpaceToDepth(%x) {blocksize = 2}\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "SpaceToDepth",
                          "graph main(%x: int32[1,2,4,6]) {\n"
                          "  %y = SpaceToDepth(%x) {blocksize = 2, mode = \"CRD\"}\n"
                          "  return %y\n}");
}

TEST(channels_of_unknown_number_make_no_layout_of_images)
{
    /* Which of the sizes are channels depends on how the input lies, also where both would do. */
    EXPECT_LOWERS(t, "convert reduce",
                  "graph main(%x: float[4,2,N]) {\n"
                  "  %t = Transpose(%x) {perm = [0, 2, 1]}\n"
                  "  %y = GlobalAveragePool(%t)\n"
                  "  return %y\n}");
}

TEST_MAIN(CASE(channels_of_unknown_number_make_no_layout_of_images),
          CASE(views_cost_one_copy_where_the_reader_wants_it_plain),
          CASE(products_read_transposed_views_in_place), CASE(whole_rows_are_plain_views),
          CASE(bounds_known_only_while_running_are_read_then),
          CASE(repeated_and_blocked_tensors_are_one_copy),
          CASE(blocks_go_into_channels_in_either_order))
