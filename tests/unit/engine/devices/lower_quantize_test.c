/* SPDX-License-Identifier: Apache-2.0 */
/* Quantizing and dequantizing: which steps are made, and what they compute. */
#include "tests/support/lowering.h"

TEST(scales_of_tensors_axes_and_blocks)
{
    EXPECT_LOWERS_EXACTLY(t, "pointwise_",
                          "graph main(%x: float[3,4]) {\n"
                          "  const %s: float[] = {0.3}\n"
                          "  const %z: int8[] = {-3}\n"
                          "  %y = QuantizeLinear(%x, %s, %z)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "pointwise_",
                          "graph main(%x: float[2,3,4,2], %z: uint8[3]) {\n"
                          "  const %s: float[3] = {0.01, 0.3, 1}\n"
                          "  %y = QuantizeLinear(%x, %s, %z)\n"
                          "  return %y\n}");
    EXPECT_LOWERS(t, "pointwise_",
                  "graph main(%x: int4[2,6]) {\n"
                  "  const %s: float[2,3] = {0.5, 0.3, 1, 2, 3, 4}\n"
                  "  %y = DequantizeLinear(%x, %s) {block_size = 2}\n"
                  "  return %y\n}");
}

TEST(quantized_tensors_keep_their_layout)
{
    EXPECT_LOWERS(t, "convert conv_f32 pointwise_ pointwise_ convert",
                  "graph main(%x: float[2,8,3,4], %w: float[5,8,1,1]) {\n"
                  "  const %s: float[5] = {0.01, 0.3, 1, 0.2, 0.7}\n"
                  "  const %z: uint8[5] = {128, 127, 100, 130, 90}\n"
                  "  %c = Conv(%x, %w)\n"
                  "  %q = QuantizeLinear(%c, %s, %z)\n"
                  "  %y = DequantizeLinear(%q, %s, %z)\n"
                  "  return %y\n}");
}

/* What is four times as large as the bytes that it is made from is never written. */
TEST(dequantized_operands_are_made_where_they_are_read)
{
    EXPECT_LOWERS_EXACTLY(t, "pointwise_",
                          "graph main(%a: uint8[2,3,5], %b: int8[2,3,5], %z: uint8[]) {\n"
                          "  const %sa: float[] = {0.5}\n"
                          "  const %sb: float[1] = {0.25}\n"
                          "  const %zb: int8[1] = {-3}\n"
                          "  const %sy: float[] = {0.75}\n"
                          "  %ra = DequantizeLinear(%a, %sa, %z)\n"
                          "  %rb = DequantizeLinear(%b, %sb, %zb)\n"
                          "  %sum = Add(%ra, %rb)\n"
                          "  %positive = Relu(%sum)\n"
                          "  %y = QuantizeLinear(%positive, %sy, %z)\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "pointwise_ pointwise_",
                          "graph main(%a: uint8[2,3], %b: uint8[2,3]) {\n"
                          "  const %s: float[] = {0.5}\n"
                          "  %ra = DequantizeLinear(%a, %s)\n"
                          "  %rb = DequantizeLinear(%b, %s)\n"
                          "  %sum = Add(%ra, %rb)\n"
                          "  %y = QuantizeLinear(%sum, %s)\n"
                          "  return %y, %rb\n}");
}

TEST(every_type_of_quantized_numbers_joins_a_chain)
{
    static const char *const types[] = {"uint8", "int8", "uint16", "int16"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char graph[512];
        snprintf(graph, sizeof graph,
                 "graph main(%%x: float[2,37], %%z: %s[]) {\n"
                 "  const %%s: float[] = {0.02}\n"
                 "  %%double = Add(%%x, %%x)\n"
                 "  %%q = QuantizeLinear(%%double, %%s, %%z)\n"
                 "  %%real = DequantizeLinear(%%q, %%s, %%z)\n"
                 "  %%y = Add(%%real, %%x)\n"
                 "  return %%y\n}",
                 types[i]);
        EXPECT_LOWERS(t, "pointwise_", graph);
    }
}

TEST(places_of_the_largest_and_smallest)
{
    EXPECT_LOWERS_EXACTLY(t, "ArgMax",
                          "graph main(%x: float16[3,9,2]) {\n"
                          "  %y = ArgMax(%x) {axis = 1, select_last_index = 1}\n"
                          "  return %y\n}");
    EXPECT_LOWERS_EXACTLY(t, "ArgMin",
                          "graph main(%x: int32[3,9]) {\n"
                          "  %y = ArgMin(%x) {axis = -1, keepdims = 0}\n"
                          "  return %y\n}");
}

TEST_MAIN(CASE(scales_of_tensors_axes_and_blocks), CASE(quantized_tensors_keep_their_layout),
          CASE(dequantized_operands_are_made_where_they_are_read),
          CASE(every_type_of_quantized_numbers_joins_a_chain),
          CASE(places_of_the_largest_and_smallest))
