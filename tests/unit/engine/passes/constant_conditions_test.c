/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/constant_conditions.c: known conditions and trip counts. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"a known branch takes its place",
         "graph main(%x: float[2,3]) {\n"
         "  const %c: bool[] = {1}\n"
         "  %y: float[2,3] = If(%c) {then_branch = graph then() {\n"
         "    %a: float[2,3] = Relu(%x)\n"
         "    return %a\n"
         "  }, else_branch = graph else() {\n"
         "    %b: float[2,3] = Neg(%x)\n"
         "    return %b\n"
         "  }}\n"
         "  %z: float[2,3] = Exp(%y)\n"
         "  return %z\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %6: float[2,3] = Relu(%x)\n"
         "  %z: float[2,3] = Exp(%6)\n"
         "  return %z\n"
         "}\n"},
    {"the other branch",
         "graph main(%x: float[2,3]) {\n"
         "  const %c: bool[] = {0}\n"
         "  %y: float[2,3] = If(%c) {then_branch = graph then() {\n"
         "    %a: float[2,3] = Relu(%x)\n"
         "    return %a\n"
         "  }, else_branch = graph else() {\n"
         "    %b: float[2,3] = Neg(%x)\n"
         "    return %b\n"
         "  }}\n"
         "  %z: float[2,3] = Exp(%y)\n"
         "  return %z\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %6: float[2,3] = Neg(%x)\n"
         "  %z: float[2,3] = Exp(%6)\n"
         "  return %z\n"
         "}\n"},
    {"an open condition stays",
         "graph main(%x: float[2,3], %c: bool[]) {\n"
         "  %y: float[2,3] = If(%c) {then_branch = graph then() {\n"
         "    %a: float[2,3] = Relu(%x)\n"
         "    return %a\n"
         "  }, else_branch = graph else() {\n"
         "    %b: float[2,3] = Neg(%x)\n"
         "    return %b\n"
         "  }}\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"a loop that never runs",
         "graph main(%x: float[2,3]) {\n"
         "  const %m: int64[] = {0}\n"
         "  %y: float[2,3] = Loop(%m, _, %x) {body = graph body(%i: int64[], %c: bool[], %s: float[2,3]) {\n"
         "    %n: float[2,3] = Relu(%s)\n"
         "    return %c, %n\n"
         "  }}\n"
         "  %z: float[2,3] = Exp(%y)\n"
         "  return %z\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %z: float[2,3] = Exp(%x)\n"
         "  return %z\n"
         "}\n"},
    {"a loop that runs once",
         "graph main(%x: float[2,3]) {\n"
         "  const %m: int64[] = {1}\n"
         "  %y: float[2,3], %rows: float[1,2,3] = Loop(%m, _, %x) {body = graph body(%i: int64[], %c: bool[], %s: float[2,3]) {\n"
         "    %n: float[2,3] = Relu(%s)\n"
         "    return %c, %n, %n\n"
         "  }}\n"
         "  return %y, %rows\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %11: int64[1] = {0}\n"
         "  %10: float[2,3] = Relu(%x)\n"
         "  %12: float[1,2,3] = Unsqueeze(%10, %11)\n"
         "  return y = %10, rows = %12\n"
         "}\n"},
    {"what a loop does not change",
         "graph main(%x: float[2,3], %w: float[3], %m: int64[]) {\n"
         "  %y: float[2,3], %z: float[3] = Loop(%m, _, %x, %w) {body = graph body(%i: int64[], %c: bool[], %s: float[2,3], %k: float[3]) {\n"
         "    %n: float[2,3] = Add(%s, %k)\n"
         "    return %c, %n, %k\n"
         "  }}\n"
         "  %r: float[2,3] = Add(%y, %z)\n"
         "  return %r\n"
         "}\n",
         "graph main(%x: float[2,3], %w: float[3], %m: int64[]) {\n"
         "  %y: float[2,3], %z: float[3] = Loop(%m, _, %x, %w) {body = graph body(%i: int64[], %c: bool[], %s: float[2,3], %k: float[3]) {\n"
         "    %n: float[2,3] = Add(%s, %w)\n"
         "    return %c, %n, k = %w\n"
         "  }}\n"
         "  %r: float[2,3] = Add(%y, %w)\n"
         "  return %r\n"
         "}\n"},
};
/* clang-format on */

TEST(graphs_become_what_they_should)
{
    EXPECT_PASS(t, &qn_pass_constant_conditions, rows);
}

TEST_MAIN(CASE(graphs_become_what_they_should))
