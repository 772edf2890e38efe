/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of bytes: which steps are made, and that they give the references' bits. */
#include "tests/support/lowering.h"

TEST(quantized_convolutions_are_one_step)
{
    EXPECT_LOWERS_EXACTLY(
        t, "convert conv_i8 convert",
        "graph main(%x: uint8[2,4,5,5], %w: int8[3,4,3,3], %b: int32[3], %z: uint8[]) {\n"
        "  const %s: float[] = {0.5}\n"
        "  const %ws: float[3] = {0.1, 0.2, 0.4}\n"
        "  const %wz: int8[3] = {0, 1, 0}\n"
        "  %y = QLinearConv(%x, %s, %z, %w, %ws, %wz, %s, %z, %b) {pads = [1, 1, 1, 1]}\n"
        "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(
        t, "convert depthwise_i8 convert",
        "graph main(%x: int8[1,70,7,7], %w: int8[70,1,3,3], %z: int8[]) {\n"
        "  const %s: float[] = {0.5}\n"
        "  %y = QLinearConv(%x, %s, %z, %w, %s, %z, %s, %z) {group = 70, strides = [2, 2]}\n"
        "  return %y\n}");
}

/* Those of many channels are read where they lie, signed ones from a copy. */
TEST(channels_of_either_sign_are_exact)
{
    static const char *const types[] = {"uint8", "int8"};
    for (int i = 0; i < 2; i++) {
        char graph[512];
        snprintf(graph, sizeof graph,
                 "graph main(%%x: %s[2,32,6,7], %%w: int8[20,16,3,2], %%z: %s[]) {\n"
                 "  %%y = ConvInteger(%%x, %%w, %%z) {group = 2, pads = [1, 1, 0, 1], "
                 "strides = [2, 1], dilations = [1, 2]}\n"
                 "  return %%y\n}",
                 types[i], types[i]);
        EXPECT_LOWERS_EXACTLY(t, "convert conv_i8 convert", graph);
    }
}

TEST(sums_are_made_real_in_the_same_step)
{
    EXPECT_LOWERS_EXACTLY(t, "convert conv_i8 convert",
                          "graph main(%x: uint8[1,3,5,5], %w: uint8[4,3,2,2], %s: float[4,1,1],\n"
                          "           %b: float[1,4,1,1]) {\n"
                          "  %sums = ConvInteger(%x, %w)\n"
                          "  %real = Cast(%sums) {to = 1}\n"
                          "  %scaled = Mul(%real, %s)\n"
                          "  %y = Add(%scaled, %b)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "convert conv_i8 pointwise_ convert",
                          "graph main(%x: uint8[1,3,5,5], %w: uint8[4,3,2,2], %s: float[4,4]) {\n"
                          "  %sums = ConvInteger(%x, %w)\n"
                          "  %real = Cast(%sums) {to = 1}\n"
                          "  %y = Mul(%real, %s)\n"
                          "  return %y\n}");
}

TEST(computed_sizes_and_lines_are_exact)
{
    EXPECT_LOWERS_EXACTLY(t, "convert conv_i8 convert",
                          "graph main(%x: uint8[N,2,L], %w: int8[3,2,4], %z: uint8[]) {\n"
                          "  %y = ConvInteger(%x, %w, %z) {pads = [2, 3]}\n"
                          "  return %y\n}");
}

TEST_MAIN(CASE(quantized_convolutions_are_one_step), CASE(channels_of_either_sign_are_exact),
          CASE(sums_are_made_real_in_the_same_step), CASE(computed_sizes_and_lines_are_exact))
