/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/fold_affine.c: chains of factors and shifts. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"batch norm is a factor and a shift",
         "graph main(%x: float[N,2,3]) {\n"
         "  const %g: float[2] = {2, 6}\n"
         "  const %b: float[2] = {0.5, -1}\n"
         "  const %m: float[2] = {0.25, 1}\n"
         "  const %v: float[2] = {1, 4}\n"
         "  %y: float[N,2,3] = BatchNormalization(%x, %g, %b, %m, %v) {epsilon = 0.0}\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,2,3]) {\n"
         "  const %6: float[2,1] = {2, 3}\n"
         "  const %7: float[2,1] = {0, -4}\n"
         "  %8: float[N,2,3] = Mul(%x, %6)\n"
         "  %y: float[N,2,3] = Add(%8, %7)\n"
         "  return %y\n"
         "}\n"},
    {"two factors are one",
         "graph main(%x: float[2,3]) {\n"
         "  const %a: float[3] = {1, 2, 3}\n"
         "  const %b: float[] = {2}\n"
         "  %t: float[2,3] = Mul(%x, %a)\n"
         "  %y: float[2,3] = Mul(%b, %t)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %a: float[3] = {1, 2, 3}\n"
         "  const %b: float[] = {2}\n"
         "  %5: float[3] = Mul(%a, %b)\n"
         "  %y: float[2,3] = Mul(%x, %5)\n"
         "  return %y\n"
         "}\n"},
    {"factor shift factor",
         "graph main(%x: float[2,3]) {\n"
         "  const %a: float[3] = {1, 2, 3}\n"
         "  const %b: float[3] = {4, 5, 6}\n"
         "  const %c: float[3] = {2, 2, 2}\n"
         "  %t: float[2,3] = Mul(%x, %a)\n"
         "  %u: float[2,3] = Add(%t, %b)\n"
         "  %y: float[2,3] = Mul(%u, %c)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %b: float[3] = {4, 5, 6}\n"
         "  const %c: float[3] = {2, 2, 2}\n"
         "  const %a: float[3] = {1, 2, 3}\n"
         "  %7: float[3] = Mul(%b, %c)\n"
         "  %9: float[3] = Mul(%a, %c)\n"
         "  %8: float[2,3] = Mul(%x, %9)\n"
         "  %y: float[2,3] = Add(%8, %7)\n"
         "  return %y\n"
         "}\n"},
    {"what could overflow stays",
         "graph main(%x: float[2,3]) {\n"
         "  const %a: float[] = {1e+30}\n"
         "  %t: float[2,3] = Mul(%x, %a)\n"
         "  %y: float[2,3] = Mul(%t, %a)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"what would grow stays",
         "graph main(%x: float[2,3]) {\n"
         "  const %a: float[3] = {1, 2, 3}\n"
         "  const %b: float[2,1] = {2, 3}\n"
         "  %t: float[2,3] = Mul(%x, %a)\n"
         "  %y: float[2,3] = Mul(%t, %b)\n"
         "  return %y\n"
         "}\n",
     NULL},
};
/* clang-format on */

TEST(graphs_become_what_they_should)
{
    EXPECT_PASS(t, &qn_pass_fold_affine, rows);
}

TEST_MAIN(CASE(graphs_become_what_they_should))
