/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for Softmax and LogSoftmax, and what they compute. */
#include "tests/support/lowering.h"

TEST(softmax_along_any_axis)
{
    EXPECT_LOWERS(t, "softmax_f32",
                  "graph main(%x: float[3,17]) {\n  %y = Softmax(%x)\n  return %y\n}");
    EXPECT_LOWERS(t, "softmax_f64",
                  "graph main(%x: double[3,7,2]) {\n"
                  "  %y = LogSoftmax(%x) {axis = 1}\n  return %y\n}");
    EXPECT_LOWERS_HALF(t, "softmax_f32",
                       "graph main(%x: float16[3,17]) {\n  %y = Softmax(%x)\n  return %y\n}");
}

TEST(softmax_over_channels_of_pixels)
{
    EXPECT_LOWERS(t, "convert conv_f32 softmax_f32 convert",
                  "graph main(%x: float[2,8,3,4], %w: float[5,8,1,1]) {\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %y = Softmax(%c) {axis = 1}\n"
                  "  return %y\n}");
}

TEST_MAIN(CASE(softmax_along_any_axis), CASE(softmax_over_channels_of_pixels))
