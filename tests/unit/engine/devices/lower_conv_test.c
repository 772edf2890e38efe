/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for Conv and ConvTranspose, and what they compute. */
#include "tests/support/lowering.h"

TEST(computed_weights_are_packed_at_run_time)
{
    EXPECT_LOWERS(t, "convert conv_f32 convert",
                  "graph main(%x: float[2,8,5,6], %w: float[4,8,3,3], %b: float[4]) {\n"
                  "  %y = Conv(%x, %w, %b) {pads = [1, 0, 1, 2], strides = [2, 1]}\n"
                  "  return %y\n}");
}

TEST(few_channels_are_read_as_planes)
{
    EXPECT_LOWERS(t, "conv_f32_planes convert",
                  "graph main(%x: float[1,3,9,9], %w: float[4,3,3,3]) {\n"
                  "  %y = Conv(%x, %w) {dilations = [2, 2]}\n"
                  "  return %y\n}");
}

TEST(one_channel_per_group_is_depthwise_with_what_follows)
{
    EXPECT_LOWERS(t, "convert convert depthwise_f32 convert",
                  "graph main(%x: float[2,20,7,6], %w: float[20,1,3,3], %b: float[20],\n"
                  "           %r: float[2,20,7,6]) {\n"
                  "  %c = Conv(%x, %w, %b) {group = 20, pads = [1, 1, 1, 1]}\n"
                  "  %s = Add(%r, %c)\n"
                  "  %y = Relu(%s)\n"
                  "  return %y\n}");
    EXPECT_LOWERS(t, "convert depthwise_f32 convert",
                  "graph main(%x: float[1,17,9], %w: float[17,1,5]) {\n"
                  "  %c = Conv(%x, %w) {group = 17, strides = [2]}\n"
                  "  %g = Sigmoid(%c)\n"
                  "  %y = Mul(%c, %g)\n"
                  "  return %y\n}");
}

TEST(transposed_convolutions_with_bias_and_activation)
{
    EXPECT_LOWERS(t, "convert conv_transposed_f32 convert",
                  "graph main(%x: float[2,6,5,4], %w: float[6,3,3,2], %b: float[6]) {\n"
                  "  %c = ConvTranspose(%x, %w, %b) {group = 2, strides = [2, 3], pads = [1, 0, 0, "
                  "1], output_padding = [1, 0]}\n"
                  "  %y = LeakyRelu(%c)\n"
                  "  return %y\n}");
    EXPECT_LOWERS(t, "convert conv_transposed_f32 convert",
                  "graph main(%x: float[1,2,5], %w: float[2,3,4]) {\n"
                  "  %y = ConvTranspose(%x, %w) {strides = [3], output_shape = [14]}\n"
                  "  return %y\n}");
}

TEST_MAIN(CASE(computed_weights_are_packed_at_run_time), CASE(few_channels_are_read_as_planes),
          CASE(one_channel_per_group_is_depthwise_with_what_follows),
          CASE(transposed_convolutions_with_bias_and_activation))
