/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for Resize, and what they compute. */
#include "tests/support/lowering.h"

TEST(nearest_neighbours_of_any_type)
{
    EXPECT_LOWERS_EXACTLY(t, "resize_nearest",
                          "graph main(%x: int16[1,2,3,4]) {\n"
                          "  const %s: float[4] = {1, 1, 2, 1.5}\n"
                          "  %y = Resize(%x, _, %s) {mode = \"nearest\"}\n"
                          "  return %y\n}");
    EXPECT_LOWERS(t, "convert conv_f32 resize_nearest convert",
                  "graph main(%x: float[2,8,3,4], %w: float[5,8,1,1]) {\n"
                  "  const %n: int64[2] = {7, 2}\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %y = Resize(%c, _, _, %n) {axes = [3, 2], nearest_mode = \"floor\",\n"
                  "    coordinate_transformation_mode = \"asymmetric\"}\n"
                  "  return %y\n}");
}

TEST(filters_of_any_type)
{
    EXPECT_LOWERS(t, "convert conv_f32 resize_f32 convert",
                  "graph main(%x: float[2,8,5,4], %w: float[5,8,1,1]) {\n"
                  "  const %s: float[4] = {1, 1, 2.5, 0.6}\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %y = Resize(%c, _, %s) {mode = \"linear\", antialias = 1}\n"
                  "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "resize_f32",
                          "graph main(%x: uint8[1,2,5,4]) {\n"
                          "  const %n: int64[4] = {1, 2, 3, 7}\n"
                          "  %y = Resize(%x, _, _, %n) {mode = \"cubic\"}\n"
                          "  return %y\n}");
    EXPECT_LOWERS_HALF(t, "resize_f32",
                       "graph main(%x: float16[5,4]) {\n"
                       "  const %n: int64[2] = {3, 7}\n"
                       "  const %r: float[4] = {0, -0.5, 0.8, 1.5}\n"
                       "  %y = Resize(%x, %r, _, %n) {mode = \"linear\",\n"
                       "    coordinate_transformation_mode = \"tf_crop_and_resize\",\n"
                       "    extrapolation_value = 9.0}\n"
                       "  return %y\n}");
}

TEST_MAIN(CASE(nearest_neighbours_of_any_type), CASE(filters_of_any_type))
