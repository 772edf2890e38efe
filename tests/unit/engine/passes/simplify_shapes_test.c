/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/simplify_shapes.c: shapes said simply. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"a computed shape is a constant",
         "graph main(%x: float[N,3,4]) {\n"
         "  const %zero: int64[] = {0}\n"
         "  const %axes: int64[1] = {0}\n"
         "  const %rest: int64[1] = {-1}\n"
         "  %s: int64[3] = Shape(%x)\n"
         "  %n: int64[] = Gather(%s, %zero)\n"
         "  %u: int64[1] = Unsqueeze(%n, %axes)\n"
         "  %t: int64[2] = Concat(%u, %rest) {axis = 0}\n"
         "  %y: float[N,12] = Reshape(%x, %t)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3,4]) {\n"
         "  const %9: int64[2] = {0, 12}\n"
         "  %y: float[N,12] = Reshape(%x, %9)\n"
         "  return %y\n"
         "}\n"},
    {"heads are split",
         "graph main(%x: float[N,S,32]) {\n"
         "  const %zero: int64[1] = {0}\n"
         "  const %one: int64[1] = {1}\n"
         "  const %rest: int64[2] = {4, 8}\n"
         "  %s: int64[3] = Shape(%x)\n"
         "  %n: int64[1] = Gather(%s, %zero)\n"
         "  %m: int64[1] = Gather(%s, %one)\n"
         "  %t: int64[4] = Concat(%n, %m, %rest) {axis = 0}\n"
         "  %y: float[N,S,4,8] = Reshape(%x, %t)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,S,32]) {\n"
         "  const %9: int64[4] = {0, 0, 4, 8}\n"
         "  %y: float[N,S,4,8] = Reshape(%x, %9)\n"
         "  return %y\n"
         "}\n"},
    {"two reshapes are one",
         "graph main(%x: float[2,3,4]) {\n"
         "  const %s: int64[2] = {6, 4}\n"
         "  const %t: int64[2] = {3, 8}\n"
         "  %a: float[6,4] = Reshape(%x, %s)\n"
         "  %y: float[3,8] = Reshape(%a, %t)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3,4]) {\n"
         "  const %5: int64[2] = {3, 8}\n"
         "  %y: float[3,8] = Reshape(%x, %5)\n"
         "  return %y\n"
         "}\n"},
    {"unsqueeze and squeeze",
         "graph main(%x: float[N,3]) {\n"
         "  const %one: int64[1] = {1}\n"
         "  %a: float[N,1,3] = Unsqueeze(%x, %one)\n"
         "  %b: float[N,3] = Squeeze(%a, %one)\n"
         "  %y: float[N,3] = Relu(%b)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3]) {\n"
         "  %y: float[N,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"flatten of a reshape",
         "graph main(%x: float[N,3,4]) {\n"
         "  const %s: int64[4] = {0, 3, 2, 2}\n"
         "  %a: float[N,3,2,2] = Reshape(%x, %s)\n"
         "  %y: float[N,12] = Flatten(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3,4]) {\n"
         "  const %4: int64[2] = {0, 12}\n"
         "  %y: float[N,12] = Reshape(%x, %4)\n"
         "  return %y\n"
         "}\n"},
    {"two open sizes stay",
         "graph main(%x: float[N,M], %z: float[P,Q]) {\n"
         "  %s: int64[2] = Shape(%z)\n"
         "  %y: float[P,Q] = Reshape(%x, %s)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"a transpose of ones",
         "graph main(%x: float[N,1,3,4]) {\n"
         "  %y: float[N,3,4,1] = Transpose(%x) {perm = [0, 2, 3, 1]}\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,1,3,4]) {\n"
         "  const %2: int64[4] = {0, 3, 4, 1}\n"
         "  %y: float[N,3,4,1] = Reshape(%x, %2)\n"
         "  return %y\n"
         "}\n"},
    {"a transpose that moves stays",
         "graph main(%x: float[N,3,4]) {\n"
         "  %y: float[N,4,3] = Transpose(%x) {perm = [0, 2, 1]}\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"a size of another tensor stays where the count may tell nothing",
         "graph main(%x: float[N,M], %z: float[K]) {\n"
         "  const %same: int64[1] = {0}\n"
         "  %k: int64[1] = Shape(%z)\n"
         "  %t: int64[2] = Concat(%k, %same) {axis = 0}\n"
         "  %y: float[K,M] = Reshape(%x, %t)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"also of two reshapes",
         "graph main(%x: float[N,M], %z: float[K]) {\n"
         "  const %all: int64[1] = {-1}\n"
         "  %k: int64[1] = Shape(%z)\n"
         "  %m: int64[1] = Shape(%x) {start = 1}\n"
         "  %t: int64[2] = Concat(%k, %m) {axis = 0}\n"
         "  %a: float[N*M] = Reshape(%x, %all)\n"
         "  %y: float[K,M] = Reshape(%a, %t)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"beside numbers it is what is left",
         "graph main(%x: float[N,3], %z: float[K]) {\n"
         "  const %three: int64[1] = {3}\n"
         "  %k: int64[1] = Shape(%z)\n"
         "  %t: int64[2] = Concat(%k, %three) {axis = 0}\n"
         "  %y: float[K,3] = Reshape(%x, %t)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3], %z: float[K]) {\n"
         "  const %6: int64[2] = {-1, 3}\n"
         "  %y: float[N,3] = Reshape(%x, %6)\n"
         "  return %y\n"
         "}\n"},
    {"sizes of zero",
         "graph main(%x: float[0,6]) {\n"
         "  const %s: int64[2] = {0, 6}\n"
         "  const %t: int64[3] = {2, 0, 3}\n"
         "  %a: float[0,6] = Reshape(%x, %s) {allowzero = 1}\n"
         "  %y: float[2,0,3] = Reshape(%a, %t) {allowzero = 1}\n"
         "  return %y\n"
         "}\n",
     NULL},
};
/* clang-format on */

TEST(graphs_become_what_they_should)
{
    EXPECT_PASS(t, &qn_pass_simplify_shapes, rows);
}

TEST_MAIN(CASE(graphs_become_what_they_should))
