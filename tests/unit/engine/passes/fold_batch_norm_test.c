/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/fold_batch_norm.c: factors and shifts that go into weights. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"behind a convolution",
         "graph main(%x: float[N,3,2,2]) {\n"
         "  const %w: float[2,3,1,1] = {1, 2, 3, 4, 5, 6}\n"
         "  const %g: float[2] = {2, 6}\n"
         "  const %b: float[2] = {0.5, -1}\n"
         "  const %m: float[2] = {0.25, 1}\n"
         "  const %v: float[2] = {1, 4}\n"
         "  %a: float[N,2,2,2] = Conv(%x, %w)\n"
         "  %y: float[N,2,2,2] = BatchNormalization(%a, %g, %b, %m, %v) {epsilon = 0.0}\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3,2,2]) {\n"
         "  const %8: float[2,3,1,1] = {2, 4, 6, 12, 15, 18}\n"
         "  const %9: float[2] = {0, -4}\n"
         "  %y: float[N,2,2,2] = Conv(%x, %8, %9)\n"
         "  return %y\n"
         "}\n"},
    {"with a bias",
         "graph main(%x: float[N,3,2,2]) {\n"
         "  const %w: float[2,3,1,1] = {1, 2, 3, 4, 5, 6}\n"
         "  const %k: float[2] = {10, 20}\n"
         "  const %g: float[2] = {2, 6}\n"
         "  const %b: float[2] = {0.5, -1}\n"
         "  const %m: float[2] = {0.25, 1}\n"
         "  const %v: float[2] = {1, 4}\n"
         "  %a: float[N,2,2,2] = Conv(%x, %w, %k)\n"
         "  %y: float[N,2,2,2] = BatchNormalization(%a, %g, %b, %m, %v) {epsilon = 0.0}\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3,2,2]) {\n"
         "  const %9: float[2,3,1,1] = {2, 4, 6, 12, 15, 18}\n"
         "  const %10: float[2] = {20, 56}\n"
         "  %y: float[N,2,2,2] = Conv(%x, %9, %10)\n"
         "  return %y\n"
         "}\n"},
    {"read by others too it stays",
         "graph main(%x: float[N,3,2,2]) {\n"
         "  const %w: float[2,3,1,1] = {1, 2, 3, 4, 5, 6}\n"
         "  const %g: float[2] = {2, 6}\n"
         "  const %b: float[2] = {0.5, -1}\n"
         "  const %m: float[2] = {0.25, 1}\n"
         "  const %v: float[2] = {1, 4}\n"
         "  %a: float[N,2,2,2] = Conv(%x, %w)\n"
         "  %y: float[N,2,2,2] = BatchNormalization(%a, %g, %b, %m, %v) {epsilon = 0.0}\n"
         "  return %y, %a\n"
         "}\n",
     NULL},
    {"groups of channels in front",
         "graph main(%x: float[N,2,2,2]) {\n"
         "  const %f: float[2,1,1] = {2, 10}\n"
         "  const %w: float[2,1,1,1] = {3, 4}\n"
         "  %a: float[N,2,2,2] = Mul(%x, %f)\n"
         "  %y: float[N,2,4,4] = Conv(%a, %w) {group = 2, pads = [1, 1, 1, 1]}\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,2,2,2]) {\n"
         "  const %5: float[2,1,1,1] = {6, 40}\n"
         "  %y: float[N,2,4,4] = Conv(%x, %5) {group = 2, pads = [1, 1, 1, 1]}\n"
         "  return %y\n"
         "}\n"},
    {"a shift in front stays",
         "graph main(%x: float[N,3,2,2]) {\n"
         "  const %f: float[3,1,1] = {2, 10, 1}\n"
         "  const %w: float[2,3,1,1] = {1, 2, 3, 4, 5, 6}\n"
         "  %a: float[N,3,2,2] = Add(%x, %f)\n"
         "  %y: float[N,2,2,2] = Conv(%a, %w)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"factor then shift",
         "graph main(%x: float[N,3,2,2]) {\n"
         "  const %w: float[2,3,1,1] = {1, 2, 3, 4, 5, 6}\n"
         "  const %f: float[2,1,1] = {2, 10}\n"
         "  const %s: float[1,2,1,1] = {5, 6}\n"
         "  %a: float[N,2,2,2] = Conv(%x, %w)\n"
         "  %b: float[N,2,2,2] = Mul(%f, %a)\n"
         "  %y: float[N,2,2,2] = Sub(%s, %b)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3,2,2]) {\n"
         "  const %8: float[2,3,1,1] = {-2, -4, -6, -40, -50, -60}\n"
         "  const %9: float[2] = {5, 6}\n"
         "  %y: float[N,2,2,2] = Conv(%x, %8, %9)\n"
         "  return %y\n"
         "}\n"},
    {"transposed convolutions of groups",
         "graph main(%x: float[N,2,5]) {\n"
         "  const %w: float[2,2,1] = {1, 2, 3, 4}\n"
         "  const %f: float[4,1] = {1, 10, 100, 1000}\n"
         "  %a: float[N,4,5] = ConvTranspose(%x, %w) {group = 2}\n"
         "  %y: float[N,4,5] = Mul(%a, %f)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,2,5]) {\n"
         "  const %5: float[2,2,1] = {1, 20, 300, 4000}\n"
         "  %y: float[N,4,5] = ConvTranspose(%x, %5) {group = 2}\n"
         "  return %y\n"
         "}\n"},
    {"products",
         "graph main(%x: float[N,2]) {\n"
         "  const %w: float[2,3] = {1, 2, 3, 4, 5, 6}\n"
         "  const %k: float[3] = {1, 1, 1}\n"
         "  const %f: float[3] = {2, 1, 0.5}\n"
         "  %a: float[N,3] = Gemm(%x, %w, %k) {beta = 0.5}\n"
         "  %b: float[N,3] = Mul(%a, %f)\n"
         "  %y: float[N,3] = Add(%b, %f)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,2]) {\n"
         "  const %7: float[2,3] = {2, 2, 1.5, 8, 5, 3}\n"
         "  const %9: float[3] = {3, 1.5, 0.75}\n"
         "  %y: float[N,3] = Gemm(%x, %7, %9) {beta = 1.0}\n"
         "  return %y\n"
         "}\n"},
    {"transposed products",
         "graph main(%x: float[N,2]) {\n"
         "  const %w: float[3,2] = {1, 4, 2, 5, 3, 6}\n"
         "  const %f: float[3] = {2, 1, 0.5}\n"
         "  %a: float[N,3] = Gemm(%x, %w) {transB = 1}\n"
         "  %y: float[N,3] = Mul(%a, %f)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,2]) {\n"
         "  const %5: float[3,2] = {2, 8, 2, 5, 1.5, 3}\n"
         "  %y: float[N,3] = Gemm(%x, %5) {transB = 1}\n"
         "  return %y\n"
         "}\n"},
    {"a product without bias takes factors only",
         "graph main(%x: float[N,4,2]) {\n"
         "  const %w: float[2,3] = {1, 2, 3, 4, 5, 6}\n"
         "  const %f: float[3] = {2, 1, 0.5}\n"
         "  %a: float[N,4,3] = MatMul(%x, %w)\n"
         "  %b: float[N,4,3] = Div(%a, %f)\n"
         "  %y: float[N,4,3] = Add(%b, %f)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,4,2]) {\n"
         "  const %6: float[2,3] = {0.5, 2, 6, 2, 5, 12}\n"
         "  const %f: float[3] = {2, 1, 0.5}\n"
         "  %b: float[N,4,3] = MatMul(%x, %6)\n"
         "  %y: float[N,4,3] = Add(%b, %f)\n"
         "  return %y\n"
         "}\n"},
    {"what is not per channel stays",
         "graph main(%x: float[N,3,2,2]) {\n"
         "  const %w: float[2,3,1,1] = {1, 2, 3, 4, 5, 6}\n"
         "  const %f: float[2,1] = {2, 10}\n"
         "  %a: float[N,2,2,2] = Conv(%x, %w)\n"
         "  %y: float[N,2,2,2] = Mul(%a, %f)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"half precision stays",
         "graph main(%x: float16[N,1,2,2]) {\n"
         "  const %w: float16[1,1,1,1] = {0x3c00}\n"
         "  const %f: float16[] = {0x3c00}\n"
         "  %a: float16[N,1,2,2] = Conv(%x, %w)\n"
         "  %y: float16[N,1,2,2] = Mul(%a, %f)\n"
         "  return %y\n"
         "}\n",
     NULL},
};
/* clang-format on */

TEST(graphs_become_what_they_should)
{
    EXPECT_PASS(t, &qn_pass_fold_batch_norm, rows);
}

TEST_MAIN(CASE(graphs_become_what_they_should))
