/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/cse.c: common subexpressions. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"the same twice is computed once",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Relu(%x)\n"
         "  %b: float[2,3] = Relu(%x)\n"
         "  %y: float[2,3] = Sub(%a, %b)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Relu(%x)\n"
         "  %y: float[2,3] = Sub(%a, %a)\n"
         "  return %y\n"
         "}\n"},
    {"chains of it",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Relu(%x)\n"
         "  %b: float[2,3] = Relu(%x)\n"
         "  %c: float[2,3] = Exp(%a)\n"
         "  %d: float[2,3] = Exp(%b)\n"
         "  %y: float[2,3] = Sub(%c, %d)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Relu(%x)\n"
         "  %c: float[2,3] = Exp(%a)\n"
         "  %y: float[2,3] = Sub(%c, %c)\n"
         "  return %y\n"
         "}\n"},
    {"sums in either order",
         "graph main(%x: float[2,3], %z: float[2,3]) {\n"
         "  %a: float[2,3] = Add(%x, %z)\n"
         "  %b: float[2,3] = Add(%z, %x)\n"
         "  %y: float[2,3] = Mul(%a, %b)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3], %z: float[2,3]) {\n"
         "  %a: float[2,3] = Add(%x, %z)\n"
         "  %y: float[2,3] = Mul(%a, %a)\n"
         "  return %y\n"
         "}\n"},
    {"differences are not",
         "graph main(%x: float[2,3], %z: float[2,3]) {\n"
         "  %a: float[2,3] = Sub(%x, %z)\n"
         "  %b: float[2,3] = Sub(%z, %x)\n"
         "  %y: float[2,3] = Mul(%a, %b)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"attributes tell apart",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = LeakyRelu(%x) {alpha = 0.5}\n"
         "  %b: float[2,3] = LeakyRelu(%x) {alpha = 0.25}\n"
         "  %c: float[2,3] = LeakyRelu(%x) {alpha = 0.5}\n"
         "  %y: float[2,3] = Sum(%a, %b, %c)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = LeakyRelu(%x) {alpha = 0.5}\n"
         "  %b: float[2,3] = LeakyRelu(%x) {alpha = 0.25}\n"
         "  %y: float[2,3] = Sum(%a, %b, %a)\n"
         "  return %y\n"
         "}\n"},
    {"constants of equal data are one",
         "graph main(%x: float[2,3]) {\n"
         "  const %one: float[] = {1.5}\n"
         "  const %other: float[] = {1.5}\n"
         "  const %vector: float[1] = {1.5}\n"
         "  %a: float[2,3] = Mul(%x, %one)\n"
         "  %b: float[2,3] = Mul(%x, %other)\n"
         "  %c: float[2,3] = Mul(%x, %vector)\n"
         "  %y: float[2,3] = Sum(%a, %b, %c)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %one: float[] = {1.5}\n"
         "  const %vector: float[1] = {1.5}\n"
         "  %a: float[2,3] = Mul(%x, %one)\n"
         "  %c: float[2,3] = Mul(%x, %vector)\n"
         "  %y: float[2,3] = Sum(%a, %a, %c)\n"
         "  return %y\n"
         "}\n"},
    {"two outputs may be one value",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Relu(%x)\n"
         "  %b: float[2,3] = Relu(%x)\n"
         "  return %a, %b\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Relu(%x)\n"
         "  return %a, b = %a\n"
         "}\n"},
    {"random numbers are never shared",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = RandomNormalLike(%x)\n"
         "  %b: float[2,3] = RandomNormalLike(%x)\n"
         "  %s: int64[2] = Shape(%a)\n"
         "  %r: int64[2] = Shape(%b)\n"
         "  %c: float[2] = Cast(%s) {to = 1}\n"
         "  %d: float[2] = Cast(%r) {to = 1}\n"
         "  %y: float[2] = Add(%c, %d)\n"
         "  return %y\n"
         "}\n",
     NULL},
};
/* clang-format on */

TEST(graphs_become_what_they_should)
{
    EXPECT_PASS(t, &qn_pass_cse, rows);
}

TEST_MAIN(CASE(graphs_become_what_they_should))
