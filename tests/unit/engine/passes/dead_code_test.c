/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/dead_code.c: nodes that nobody reads. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"what nobody reads",
         "graph main(%x: float[2,3]) {\n"
         "  const %w: float[3] = {1, 2, 3}\n"
         "  %a: float[2,3] = Exp(%x)\n"
         "  %b: float[2,3] = Neg(%a)\n"
         "  %y: float[2,3] = Mul(%x, %w)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %w: float[3] = {1, 2, 3}\n"
         "  %y: float[2,3] = Mul(%x, %w)\n"
         "  return %y\n"
         "}\n"},
    {"an output beside a read one stays",
         "graph main(%x: float[1,1,4]) {\n"
         "  %a: float[1,1,3], %b: int64[1,1,3] = MaxPool(%x) {kernel_shape = [2]}\n"
         "  %y: float[1,1,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"inside of branches and what only they read",
         "graph main(%x: float[2,3], %c: bool[]) {\n"
         "  const %w: float[3] = {1, 2, 3}\n"
         "  %o: float[2,3] = Exp(%x)\n"
         "  %y: float[2,3] = If(%c) {then_branch = graph then() {\n"
         "    %u: float[2,3] = Neg(%o)\n"
         "    %a: float[2,3] = Mul(%x, %w)\n"
         "    return %a\n"
         "  }, else_branch = graph else() {\n"
         "    return %x\n"
         "  }}\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3], %c: bool[]) {\n"
         "  const %w: float[3] = {1, 2, 3}\n"
         "  %y: float[2,3] = If(%c) {then_branch = graph then() {\n"
         "    %a: float[2,3] = Mul(%x, %w)\n"
         "    return %a\n"
         "  }, else_branch = graph else() {\n"
         "    return %x\n"
         "  }}\n"
         "  return %y\n"
         "}\n"},
};
/* clang-format on */

TEST(graphs_become_what_they_should)
{
    EXPECT_PASS(t, &qn_pass_dead_code, rows);
}

TEST_MAIN(CASE(graphs_become_what_they_should))
