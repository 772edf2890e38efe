/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for Concat, Split and Pad, and what they compute. */
#include "tests/support/lowering.h"

TEST(parts_of_any_layout_are_joined)
{
    EXPECT_LOWERS_EXACTLY(t, "concat",
                          "graph main(%a: int16[2,3], %b: int16[2,0], %c: int16[3,2]) {\n"
                          "  %d = Transpose(%c)\n"
                          "  %y = Concat(%a, %b, %d) {axis = -1}\n"
                          "  return %y\n}");
    EXPECT_LOWERS(t, "convert conv_f32 concat convert",
                  "graph main(%x: float[2,8,3,4], %w: float[5,8,1,1]) {\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %y = Concat(%c, %x, %c) {axis = 1}\n"
                  "  return %y\n}");
}

TEST(channels_are_cut_within_their_pixels)
{
    EXPECT_LOWERS(t, "convert conv_f32 split convert convert",
                  "graph main(%x: float[2,8,3,4], %w: float[5,8,1,1]) {\n"
                  "  const %n: int64[2] = {2, 3}\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %y, %z = Split(%c, %n) {axis = 1}\n"
                  "  return %y, %z\n}");
    EXPECT_LOWERS_EXACTLY(t, "split",
                          "graph main(%x: bool[7]) {\n"
                          "  _, %y, %z = Split(%x) {num_outputs = 3}\n"
                          "  return %y, %z\n}");
}

TEST(pads_in_every_mode)
{
    EXPECT_LOWERS_EXACTLY(t, "pad",
                          "graph main(%x: int8[3,4], %v: int8[]) {\n"
                          "  const %p: int64[4] = {1, -1, 2, 3}\n"
                          "  %y = Pad(%x, %p, %v)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "pad",
                          "graph main(%x: double[3,4]) {\n"
                          "  const %p: int64[2] = {7, 9}\n"
                          "  const %a: int64[1] = {-2}\n"
                          "  %y = Pad(%x, %p, _, %a) {mode = \"reflect\"}\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "pad",
                          "graph main(%x: uint16[4]) {\n"
                          "  const %p: int64[2] = {-1, 3}\n"
                          "  %y = Pad(%x, %p) {mode = \"wrap\"}\n"
                          "  return %y\n}");
    EXPECT_LOWERS(t, "convert conv_f32 pad convert",
                  "graph main(%x: float[2,8,3,4], %w: float[5,8,1,1]) {\n"
                  "  const %p: int64[8] = {0, 1, 2, 0, 0, 2, 0, 1}\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %y = Pad(%c, %p) {mode = \"edge\"}\n"
                  "  return %y\n}");
}

TEST_MAIN(CASE(parts_of_any_layout_are_joined), CASE(channels_are_cut_within_their_pixels),
          CASE(pads_in_every_mode))
