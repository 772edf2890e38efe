/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for reductions, and what they compute. */
#include "tests/support/lowering.h"

TEST(reductions_of_every_type_and_any_axes)
{
    EXPECT_LOWERS(t, "reduce",
                  "graph main(%x: float[3,4,5]) {\n"
                  "  const %a: int64[2] = {0, -1}\n"
                  "  %y = ReduceLogSumExp(%x, %a) {keepdims = 0}\n"
                  "  return %y\n}");
    EXPECT_LOWERS_HALF(t, "reduce",
                       "graph main(%x: bfloat16[3,4]) {\n"
                       "  const %a: int64[1] = {1}\n"
                       "  %y = ReduceMean(%x, %a)\n"
                       "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "reduce",
                          "graph main(%x: int64[3,4]) {\n"
                          "  %y = ReduceProd(%x)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "reduce",
                          "graph main(%x: int32[3,4]) {\n"
                          "  %y = ReduceMean(%x)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "reduce",
                          "graph main(%x: bool[2,0]) {\n"
                          "  const %a: int64[1] = {1}\n"
                          "  %y = ReduceMin(%x, %a)\n"
                          "  return %y\n}");
}

TEST(axes_known_only_while_running)
{
    EXPECT_LOWERS(t, "reduce",
                  "graph main(%x: float[3,4,2,5], %a: int64[1]) {\n"
                  "  %y = ReduceSum(%x, %a)\n"
                  "  return %y\n}");
}

TEST(spatial_axes_are_reduced_channels_last)
{
    EXPECT_LOWERS(t, "convert conv_f32 reduce_nhwc convert",
                  "graph main(%x: float[2,8,3,4], %w: float[5,8,1,1]) {\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %y = GlobalAveragePool(%c)\n"
                  "  return %y\n}");
    EXPECT_LOWERS(t, "convert conv_f32 reduce_nhwc",
                  "graph main(%x: float[2,8,3,4], %w: float[5,8,1,1]) {\n"
                  "  const %a: int64[2] = {3, 2}\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %y = ReduceMax(%c, %a) {keepdims = 0}\n"
                  "  return %y\n}");
}

TEST_MAIN(CASE(reductions_of_every_type_and_any_axes), CASE(axes_known_only_while_running),
          CASE(spatial_axes_are_reduced_channels_last))
