/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for normalizations, and what they compute. */
#include "tests/support/lowering.h"

TEST(layers_with_means_and_deviations)
{
    EXPECT_LOWERS(t, "normalize_f32",
                  "graph main(%x: float[2,3,40], %s: float[40], %b: float[1,40]) {\n"
                  "  %y, %m, %d = LayerNormalization(%x, %s, %b)\n"
                  "  return %y, %m, %d\n}");
    EXPECT_LOWERS_HALF(t, "normalize_f32",
                       "graph main(%x: float16[2,3,4], %s: float16[3,4]) {\n"
                       "  %y = RMSNormalization(%x, %s) {axis = 1}\n"
                       "  return %y\n}");
    EXPECT_LOWERS(t, "reference",
                  "graph main(%x: float[2,3,4], %s: float[3,1]) {\n"
                  "  %y = RMSNormalization(%x, %s) {axis = 1}\n"
                  "  return %y\n}");
}

TEST(channels_and_groups)
{
    EXPECT_LOWERS(t, "normalize_f32",
                  "graph main(%x: float[2,6,3,5], %s: float[6], %b: float[6]) {\n"
                  "  %y = GroupNormalization(%x, %s, %b) {num_groups = 2}\n"
                  "  return %y\n}");
    EXPECT_LOWERS(t, "normalize_f64",
                  "graph main(%x: double[2,6,7], %s: double[6], %b: double[6]) {\n"
                  "  %y = InstanceNormalization(%x, %s, %b)\n"
                  "  return %y\n}");
}

TEST(norms_along_any_axis)
{
    EXPECT_LOWERS(t, "normalize_f32",
                  "graph main(%x: float[2,6,5]) {\n"
                  "  %y = LpNormalization(%x) {axis = 1, p = 1}\n"
                  "  return %y\n}");
    /* Halves are converted or gathered, not both. */
    EXPECT_LOWERS(t, "normalize_f32",
                  "graph main(%x: float16[4,3,1]) {\n"
                  "  %y = LpNormalization(%x) {axis = 1}\n"
                  "  return %y\n}");
    EXPECT_LOWERS(t, "portable",
                  "graph main(%x: float16[4,3,2,1]) {\n"
                  "  %y = LpNormalization(%x) {axis = 0}\n"
                  "  return %y\n}");
}

TEST(batches_in_the_layout_of_their_input_with_relu)
{
    EXPECT_LOWERS(t, "convert conv_f32 pointwise_ pointwise_ convert",
                  "graph main(%x: float[2,8,3,4], %w: float[5,8,1,1], %s: float[5], %b: float[5],\n"
                  "           %m: float[5], %v: float[5]) {\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %p = Abs(%v)\n"
                  "  %n = BatchNormalization(%c, %s, %b, %m, %p)\n"
                  "  %y = Relu(%n)\n"
                  "  return %y\n}");
    EXPECT_LOWERS(t, "pointwise",
                  "graph main(%x: double[3,2]) {\n"
                  "  const %s: double[2] = {1, 2}\n"
                  "  const %v: double[2] = {3, 4}\n"
                  "  %y = BatchNormalization(%x, %s, %v, %s, %v) {epsilon = 0.5}\n"
                  "  return %y\n}");
}

TEST_MAIN(CASE(layers_with_means_and_deviations), CASE(channels_and_groups),
          CASE(norms_along_any_axis), CASE(batches_in_the_layout_of_their_input_with_relu))
