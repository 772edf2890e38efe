/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/identities.c: nodes that give what they get. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"identity and dropout give what they get",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Identity(%x)\n"
         "  %b: float[2,3], _ = Dropout(%a)\n"
         "  %y: float[2,3] = Relu(%b)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"casts to the same type",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Cast(%x) {to = 1}\n"
         "  %y: float[2,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"casts to others stay",
         "graph main(%x: float[2,3]) {\n"
         "  %a: double[2,3] = Cast(%x) {to = 11}\n"
         "  %y: double[2,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"reshapes to the same shape",
         "graph main(%x: float[N,3]) {\n"
         "  const %s: int64[2] = {-1, 3}\n"
         "  %a: float[N,3] = Reshape(%x, %s)\n"
         "  %y: float[N,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3]) {\n"
         "  %y: float[N,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"a reshape to another tensor's size stays",
         "graph main(%x: float[N,M], %z: float[K]) {\n"
         "  const %same: int64[1] = {0}\n"
         "  %k: int64[1] = Shape(%z)\n"
         "  %t: int64[2] = Concat(%k, %same) {axis = 0}\n"
         "  %y: float[K,M] = Reshape(%x, %t)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"an output may be an input",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Identity(%x)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  return y = %x\n"
         "}\n"},
    {"transposes that undo each other",
         "graph main(%x: float[2,3,4]) {\n"
         "  %a: float[4,2,3] = Transpose(%x) {perm = [2, 0, 1]}\n"
         "  %b: float[2,3,4] = Transpose(%a) {perm = [1, 2, 0]}\n"
         "  %y: float[2,3,4] = Relu(%b)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3,4]) {\n"
         "  %y: float[2,3,4] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"two transposes are one",
         "graph main(%x: float[2,3,4]) {\n"
         "  %a: float[4,2,3] = Transpose(%x) {perm = [2, 0, 1]}\n"
         "  %b: float[3,4,2] = Transpose(%a) {perm = [2, 0, 1]}\n"
         "  %y: float[3,4,2] = Relu(%b)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3,4]) {\n"
         "  %b: float[3,4,2] = Transpose(%x) {perm = [1, 2, 0]}\n"
         "  %y: float[3,4,2] = Relu(%b)\n"
         "  return %y\n"
         "}\n"},
    {"a transpose read twice stays",
         "graph main(%x: float[2,3,4]) {\n"
         "  %a: float[4,2,3] = Transpose(%x) {perm = [2, 0, 1]}\n"
         "  %b: float[3,4,2] = Transpose(%a) {perm = [2, 0, 1]}\n"
         "  %y: float[4,2,3] = Relu(%a)\n"
         "  return %y, %b\n"
         "}\n",
     NULL},
    {"slices of everything",
         "graph main(%x: float[2,3]) {\n"
         "  const %f: int64[1] = {0}\n"
         "  const %l: int64[1] = {1000}\n"
         "  %a: float[2,3] = Slice(%x, %f, %l, %f)\n"
         "  %y: float[2,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"a slice backwards stays",
         "graph main(%x: float[2,3]) {\n"
         "  const %f: int64[1] = {-1}\n"
         "  const %l: int64[1] = {-1000}\n"
         "  const %axes: int64[1] = {0}\n"
         "  const %steps: int64[1] = {-1}\n"
         "  %a: float[2,3] = Slice(%x, %f, %l, %axes, %steps)\n"
         "  %y: float[2,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"pads of nothing",
         "graph main(%x: float[2,3]) {\n"
         "  const %p: int64[4] = {0, 0, 0, 0}\n"
         "  %a: float[2,3] = Pad(%x, %p)\n"
         "  %y: float[2,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"a pad that shifts stays",
         "graph main(%x: float[2,3]) {\n"
         "  const %p: int64[4] = {0, -1, 0, 1}\n"
         "  %a: float[2,3] = Pad(%x, %p)\n"
         "  %y: float[2,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"concat of one",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Concat(%x) {axis = 0}\n"
         "  %y: float[2,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"times one over one minus zero",
         "graph main(%x: float[2,3]) {\n"
         "  const %one: float[] = {1}\n"
         "  const %zero: float[1] = {0}\n"
         "  %a: float[2,3] = Mul(%one, %x)\n"
         "  %b: float[2,3] = Div(%a, %one)\n"
         "  %c: float[2,3] = Sub(%b, %zero)\n"
         "  %d: float[2,3] = Pow(%c, %one)\n"
         "  %y: float[2,3] = Relu(%d)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"plus zero changes minus zero",
         "graph main(%x: float[2,3]) {\n"
         "  const %zero: float[] = {0}\n"
         "  %y: float[2,3] = Add(%x, %zero)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"plus minus zero does not",
         "graph main(%x: float[2,3]) {\n"
         "  const %zero: float[] = {-0.0}\n"
         "  %a: float[2,3] = Add(%x, %zero)\n"
         "  %y: float[2,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"integers plus zero",
         "graph main(%x: int64[4]) {\n"
         "  const %zero: int64[] = {0}\n"
         "  %a: int64[4] = Add(%zero, %x)\n"
         "  %y: int64[4] = Neg(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: int64[4]) {\n"
         "  %y: int64[4] = Neg(%x)\n"
         "  return %y\n"
         "}\n"},
    {"times one that widens stays",
         "graph main(%x: float[2,3]) {\n"
         "  const %one: float[2,1,1] = {1, 1}\n"
         "  %y: float[2,2,3] = Mul(%x, %one)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"twice the same or its inverse",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Neg(%x)\n"
         "  %b: float[2,3] = Neg(%a)\n"
         "  %c: float[2,3] = Relu(%b)\n"
         "  %d: float[2,3] = Relu(%c)\n"
         "  %y: float[2,3] = Abs(%d)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %c: float[2,3] = Relu(%x)\n"
         "  %y: float[2,3] = Abs(%c)\n"
         "  return %y\n"
         "}\n"},
    {"maxima of one element each",
         "graph main(%x: float[2,1]) {\n"
         "  const %axes: int64[1] = {1}\n"
         "  %a: float[2,1] = ReduceMax(%x, %axes)\n"
         "  %y: float[2,1] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,1]) {\n"
         "  %y: float[2,1] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"where the condition is known",
         "graph main(%x: float[2,3], %z: float[2,3]) {\n"
         "  const %c: bool[3] = {1, 1, 1}\n"
         "  %a: float[2,3] = Where(%c, %x, %z)\n"
         "  %y: float[2,3] = Relu(%a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3], %z: float[2,3]) {\n"
         "  %y: float[2,3] = Relu(%x)\n"
         "  return %y\n"
         "}\n"},
    {"what is no identity stays beside",
         "graph main(%x: float[2,3]) {\n"
         "  const %w: float[3] = {1, 2, 3}\n"
         "  %a: float[2,3] = Identity(%x)\n"
         "  %y: float[2,3] = Mul(%a, %w)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %w: float[3] = {1, 2, 3}\n"
         "  %y: float[2,3] = Mul(%x, %w)\n"
         "  return %y\n"
         "}\n"},
};
/* clang-format on */

TEST(graphs_become_what_they_should)
{
    EXPECT_PASS(t, &qn_pass_identities, rows);
}

TEST_MAIN(CASE(graphs_become_what_they_should))
