/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/fuse_quantized.c: operators on integers in the place of those on real numbers. */
#include "tests/support/pass.h"

/* clang-format off */

/* A product's x with its scale and zero point, and its weight with those of each column. */
#define PRODUCT_BEGIN \
    "graph main(%x: uint8[N,2]) {\n" \
    "  const %s: float[] = {0.5}\n" \
    "  const %z: uint8[] = {1}\n" \
    "  const %w: int8[2,2] = {1, 2, 3, 4}\n" \
    "  const %ws: float[2] = {1, 2}\n" \
    "  const %wz: int8[2] = {0, 0}\n"

static const PassRow rows[] = {
    {"a convolution with its bias, whose clip the quantization does",
         "graph main(%x: uint8[N,2,2,2]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %z: uint8[] = {1}\n"
         "  const %w: int8[3,2,1,1] = {1, 2, 3, 4, 5, 6}\n"
         "  const %ws: float[3] = {1, 2, 4}\n"
         "  const %wz: int8[3] = {0, 0, 1}\n"
         "  const %b: int32[3] = {10, 20, 30}\n"
         "  const %bs: float[3] = {0.5, 1, 2}\n"
         "  const %q: float[] = {8}\n"
         "  const %qz: uint8[] = {0}\n"
         "  %rx: float[N,2,2,2] = DequantizeLinear(%x, %s, %z)\n"
         "  %rw: float[3,2,1,1] = DequantizeLinear(%w, %ws, %wz) {axis = 0}\n"
         "  %rb: float[3] = DequantizeLinear(%b, %bs) {axis = 0}\n"
         "  %c: float[N,3,3,3] = Conv(%rx, %rw, %rb) {pads = [1, 1, 0, 0]}\n"
         "  %r: float[N,3,3,3] = Relu(%c)\n"
         "  %y: uint8[N,3,3,3] = QuantizeLinear(%r, %q, %qz)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: uint8[N,2,2,2]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %z: uint8[] = {1}\n"
         "  const %w: int8[3,2,1,1] = {1, 2, 3, 4, 5, 6}\n"
         "  const %ws: float[3] = {1, 2, 4}\n"
         "  const %wz: int8[3] = {0, 0, 1}\n"
         "  const %q: float[] = {8}\n"
         "  const %qz: uint8[] = {0}\n"
         "  const %16: int32[3] = {10, 20, 30}\n"
         "  %y: uint8[N,3,3,3] = QLinearConv(%x, %s, %z, %w, %ws, %wz, %q, %qz, %16) {pads = [1, 1, 0, 0]}\n"
         "  return %y\n"
         "}\n"},
    {"no zero points, no bias: those of zero are made",
         "graph main(%x: int8[N,2,4]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %w: int8[2,1,2] = {1, -2, 3, 4}\n"
         "  const %ws: float[] = {0.25}\n"
         "  const %q: float[] = {0.75}\n"
         "  const %qz: int8[] = {-3}\n"
         "  %rx: float[N,2,4] = DequantizeLinear(%x, %s)\n"
         "  %rw: float[2,1,2] = DequantizeLinear(%w, %ws)\n"
         "  %c: float[N,2,3] = Conv(%rx, %rw) {group = 2}\n"
         "  %y: int8[N,2,3] = QuantizeLinear(%c, %q, %qz)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: int8[N,2,4]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %10: int8[] = {0}\n"
         "  const %w: int8[2,1,2] = {1, -2, 3, 4}\n"
         "  const %ws: float[] = {0.25}\n"
         "  const %11: int8[] = {0}\n"
         "  const %q: float[] = {0.75}\n"
         "  const %qz: int8[] = {-3}\n"
         "  %y: int8[N,2,3] = QLinearConv(%x, %s, %10, %w, %ws, %11, %q, %qz) {group = 2}\n"
         "  return %y\n"
         "}\n"},
    {"a real result",
         "graph main(%x: uint8[N,2,2,2]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %z: uint8[] = {1}\n"
         "  const %w: int8[2,2,1,1] = {1, 2, 3, 4}\n"
         "  const %ws: float[2] = {1, 2}\n"
         "  const %b: float[2] = {10, 20}\n"
         "  %rx: float[N,2,2,2] = DequantizeLinear(%x, %s, %z)\n"
         "  %rw: float[2,2,1,1] = DequantizeLinear(%w, %ws) {axis = 0}\n"
         "  %y: float[N,2,2,2] = Conv(%rx, %rw, %b)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: uint8[N,2,2,2]) {\n"
         "  const %w: int8[2,2,1,1] = {1, 2, 3, 4}\n"
         "  const %z: uint8[] = {1}\n"
         "  const %11: float[2,1,1] = {0.5, 1}\n"
         "  const %13: float[2,1,1] = {10, 20}\n"
         "  %9: int32[N,2,2,2] = ConvInteger(%x, %w, %z, _)\n"
         "  %10: float[N,2,2,2] = Cast(%9) {to = 1}\n"
         "  %12: float[N,2,2,2] = Mul(%10, %11)\n"
         "  %y: float[N,2,2,2] = Add(%12, %13)\n"
         "  return %y\n"
         "}\n"},
    {"products, quantized and real",
         PRODUCT_BEGIN
         "  %rx: float[N,2] = DequantizeLinear(%x, %s, %z)\n"
         "  %rw: float[2,2] = DequantizeLinear(%w, %ws, %wz)\n"
         "  %m: float[N,2] = MatMul(%rx, %rw)\n"
         "  %n: uint8[N,2] = QuantizeLinear(%m, %s, %z)\n"
         "  %rn: float[N,2] = DequantizeLinear(%n, %s, %z)\n"
         "  %y: float[N,2] = MatMul(%rn, %rw)\n"
         "  return %y\n"
         "}\n",
         PRODUCT_BEGIN
         "  const %15: float[2] = {0.5, 1}\n"
         "  %n: uint8[N,2] = QLinearMatMul(%x, %s, %z, %w, %ws, %wz, %s, %z)\n"
         "  %13: int32[N,2] = MatMulInteger(%n, %w, %z, %wz)\n"
         "  %14: float[N,2] = Cast(%13) {to = 1}\n"
         "  %y: float[N,2] = Mul(%14, %15)\n"
         "  return %y\n"
         "}\n"},
    {"Gemm, quantized and real",
         PRODUCT_BEGIN
         "  const %b: float[2] = {1, -4}\n"
         "  %rx: float[N,2] = DequantizeLinear(%x, %s, %z)\n"
         "  %rw: float[2,2] = DequantizeLinear(%w, %ws, %wz) {axis = 0}\n"
         "  %m: float[N,2] = Gemm(%rx, %rw, %b) {transB = 1}\n"
         "  %n: uint8[N,2] = QuantizeLinear(%m, %s, %z)\n"
         "  %rn: float[N,2] = DequantizeLinear(%n, %s, %z)\n"
         "  %y: float[N,2] = Gemm(%rn, %rw) {transB = 1}\n"
         "  return %y\n"
         "}\n",
         PRODUCT_BEGIN
         "  const %13: int32[2] = {2, -4}\n"
         "  %n: uint8[N,2] = ms.QGemm(%x, %s, %z, %w, %ws, %wz, %13, %s, %z) {transB = 1}\n"
         "  %y: float[N,2] = ms.QGemm(%n, %s, %z, %w, %ws, %wz) {transB = 1}\n"
         "  return %y\n"
         "}\n"},
    {"bytes are moved as bytes",
         "graph main(%x: uint8[N,2,4,4]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %z: uint8[] = {1}\n"
         "  const %s1: float[1] = {0.5}\n"
         "  const %z1: uint8[1] = {1}\n"
         "  %rx: float[N,2,4,4] = DequantizeLinear(%x, %s, %z)\n"
         "  %p: float[N,2,2,2] = MaxPool(%rx) {kernel_shape = [2, 2], strides = [2, 2]}\n"
         "  %q: uint8[N,2,2,2] = QuantizeLinear(%p, %s1, %z1)\n"
         "  %rq: float[N,2,2,2] = DequantizeLinear(%q, %s, %z)\n"
         "  %f: float[N,8] = Flatten(%rq)\n"
         "  %y: uint8[N,8] = QuantizeLinear(%f, %s, %z)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: uint8[N,2,4,4]) {\n"
         "  %q: uint8[N,2,2,2] = MaxPool(%x) {kernel_shape = [2, 2], strides = [2, 2]}\n"
         "  %y: uint8[N,8] = Flatten(%q)\n"
         "  return %y\n"
         "}\n"},
    {"a scale of its own is a rounding",
         "graph main(%x: uint8[N,2]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %z: uint8[] = {1}\n"
         "  const %t: float[] = {0.25}\n"
         "  %rx: float[N,2] = DequantizeLinear(%x, %s, %z)\n"
         "  %t1: float[2,N] = Transpose(%rx)\n"
         "  %y: uint8[2,N] = QuantizeLinear(%t1, %t, %z)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"what cuts more than saturation stays",
         "graph main(%x: float[N,2]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %z: uint8[] = {1}\n"
         "  %r: float[N,2] = Relu(%x)\n"
         "  %y: uint8[N,2] = QuantizeLinear(%r, %s, %z)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"a Clip at the ends of the range",
         "graph main(%x: float[N,2]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %z: int8[] = {-128}\n"
         "  const %low: float[] = {0}\n"
         "  const %high: float[] = {127.5}\n"
         "  %r: float[N,2] = Clip(%x, %low, %high)\n"
         "  %y: int8[N,2] = QuantizeLinear(%r, %s, %z)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,2]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %z: int8[] = {-128}\n"
         "  %y: int8[N,2] = QuantizeLinear(%x, %s, %z)\n"
         "  return %y\n"
         "}\n"},
    {"a scale for each channel of the input is none of these",
         "graph main(%x: uint8[N,2,2]) {\n"
         "  const %s: float[2] = {0.5, 1}\n"
         "  const %w: int8[2,2,1] = {1, 2, 3, 4}\n"
         "  const %ws: float[] = {1}\n"
         "  %rx: float[N,2,2] = DequantizeLinear(%x, %s)\n"
         "  %rw: float[2,2,1] = DequantizeLinear(%w, %ws)\n"
         "  %y: float[N,2,2] = Conv(%rx, %rw)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"nor are a bias that is computed, and 16 bits",
         "graph main(%x: uint8[N,2,2], %v: int16[N,2], %b: float[2]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %w: int8[2,2,1] = {1, 2, 3, 4}\n"
         "  const %wide: int8[2,2] = {1, 2, 3, 4}\n"
         "  %rx: float[N,2,2] = DequantizeLinear(%x, %s)\n"
         "  %rw: float[2,2,1] = DequantizeLinear(%w, %s)\n"
         "  %y: float[N,2,2] = Conv(%rx, %rw, %b)\n"
         "  %rv: float[N,2] = DequantizeLinear(%v, %s)\n"
         "  %rwide: float[2,2] = DequantizeLinear(%wide, %s)\n"
         "  %m: float[N,2] = MatMul(%rv, %rwide)\n"
         "  return %y, %m\n"
         "}\n",
     NULL},
    {"parts are quantized before they are joined",
         "graph main(%x: uint8[N,2], %v: uint8[N,3], %r: float[N,1]) {\n"
         "  const %s: float[] = {0.5}\n"
         "  const %z: uint8[] = {1}\n"
         "  const %t: float[] = {0.25}\n"
         "  %rx: float[N,2] = DequantizeLinear(%x, %s, %z)\n"
         "  %rv: float[N,3] = DequantizeLinear(%v, %t, %z)\n"
         "  %c: float[N,6] = Concat(%rx, %rv, %r) {axis = 1}\n"
         "  %y: uint8[N,6] = QuantizeLinear(%c, %s, %z)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: uint8[N,2], %v: uint8[N,3], %r: float[N,1]) {\n"
         "  const %t: float[] = {0.25}\n"
         "  const %z: uint8[] = {1}\n"
         "  const %s: float[] = {0.5}\n"
         "  %rv: float[N,3] = DequantizeLinear(%v, %t, %z)\n"
         "  %10: uint8[N,3] = QuantizeLinear(%rv, %s, %z) {output_dtype = 2}\n"
         "  %11: uint8[N,1] = QuantizeLinear(%r, %s, %z) {output_dtype = 2}\n"
         "  %y: uint8[N,6] = Concat(%x, %10, %11) {axis = 1}\n"
         "  return %y\n"
         "}\n"},
};
/* clang-format on */

TEST(integers_take_the_place_of_real_numbers)
{
    EXPECT_PASS(t, &qn_pass_fuse_quantized, rows);
}

TEST_MAIN(CASE(integers_take_the_place_of_real_numbers))
