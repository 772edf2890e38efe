/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for pools, and what they compute. */
#include "tests/support/lowering.h"

TEST(pools_stay_channels_last_behind_convolutions)
{
    EXPECT_LOWERS(
        t, "convert conv_f32 pool_nhwc pool_nhwc convert",
        "graph main(%x: float[2,8,9,9], %w: float[5,8,3,3]) {\n"
        "  %c = Conv(%x, %w)\n"
        "  %m = MaxPool(%c) {kernel_shape = [2, 3], strides = [2, 1], pads = [1, 1, 0, 1]}\n"
        "  %y = AveragePool(%m) {kernel_shape = [3, 3], pads = [1, 1, 1, 1], "
        "count_include_pad = 1}\n"
        "  return %y\n}");
}

TEST(plain_pools_of_every_type)
{
    EXPECT_LOWERS_EXACTLY(t, "pool",
                          "graph main(%x: uint8[1,2,7,6]) {\n"
                          "  %y, %i = MaxPool(%x) {kernel_shape = [3, 3], storage_order = 1}\n"
                          "  return %y, %i\n}");
    EXPECT_LOWERS_HALF(t, "pool",
                       "graph main(%x: float16[2,2,7]) {\n"
                       "  %y = AveragePool(%x) {kernel_shape = [3], ceil_mode = 1, strides = [2]}\n"
                       "  return %y\n}");
    EXPECT_LOWERS(t, "convert pool_nhwc convert",
                  "graph main(%x: double[1,2,5,5,5]) {\n"
                  "  %y = LpPool(%x) {kernel_shape = [2, 2, 2], p = 3}\n"
                  "  return %y\n}");
    EXPECT_LOWERS(t, "pool",
                  "graph main(%x: float[1,2,5,5]) {\n"
                  "  %y = GlobalLpPool(%x)\n"
                  "  return %y\n}");
}

TEST_MAIN(CASE(pools_stay_channels_last_behind_convolutions), CASE(plain_pools_of_every_type))
