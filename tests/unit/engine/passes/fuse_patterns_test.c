/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/fuse_patterns.c: operators found in their pieces. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"gelu halved last",
         "graph main(%x: float[2,3]) {\n"
         "  const %root: float[] = {1.4142135}\n"
         "  const %one: float[] = {1}\n"
         "  const %half: float[] = {0.5}\n"
         "  %a: float[2,3] = Div(%x, %root)\n"
         "  %e: float[2,3] = Erf(%a)\n"
         "  %s: float[2,3] = Add(%e, %one)\n"
         "  %m: float[2,3] = Mul(%x, %s)\n"
         "  %y: float[2,3] = Mul(%m, %half)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Gelu(%x) {approximate = \"none\"}\n"
         "  return %y\n"
         "}\n"},
    {"gelu halved first",
         "graph main(%x: float[2,3]) {\n"
         "  const %half: float[] = {0.5}\n"
         "  const %root: float[] = {1.4142135}\n"
         "  const %one: float[] = {1}\n"
         "  %h: float[2,3] = Mul(%half, %x)\n"
         "  %a: float[2,3] = Div(%x, %root)\n"
         "  %e: float[2,3] = Erf(%a)\n"
         "  %s: float[2,3] = Add(%one, %e)\n"
         "  %y: float[2,3] = Mul(%h, %s)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Gelu(%x) {approximate = \"none\"}\n"
         "  return %y\n"
         "}\n"},
    {"gelu of tanh",
         "graph main(%x: float[2,3]) {\n"
         "  const %three: float[] = {3}\n"
         "  const %k: float[] = {0.044715}\n"
         "  const %r: float[] = {0.7978846}\n"
         "  const %one: float[] = {1}\n"
         "  const %half: float[] = {0.5}\n"
         "  %p: float[2,3] = Pow(%x, %three)\n"
         "  %q: float[2,3] = Mul(%k, %p)\n"
         "  %a: float[2,3] = Add(%x, %q)\n"
         "  %t: float[2,3] = Mul(%a, %r)\n"
         "  %e: float[2,3] = Tanh(%t)\n"
         "  %s: float[2,3] = Add(%e, %one)\n"
         "  %h: float[2,3] = Mul(%x, %half)\n"
         "  %y: float[2,3] = Mul(%h, %s)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Gelu(%x) {approximate = \"tanh\"}\n"
         "  return %y\n"
         "}\n"},
    {"gelu of tanh by squares",
         "graph main(%x: float[2,3]) {\n"
         "  const %k: float[] = {0.044715}\n"
         "  const %one: float[] = {1}\n"
         "  const %r: float[] = {0.7978846}\n"
         "  const %half: float[] = {0.5}\n"
         "  %p: float[2,3] = Mul(%k, %x)\n"
         "  %q: float[2,3] = Mul(%p, %x)\n"
         "  %a: float[2,3] = Add(%one, %q)\n"
         "  %u: float[2,3] = Mul(%r, %x)\n"
         "  %t: float[2,3] = Mul(%u, %a)\n"
         "  %e: float[2,3] = Tanh(%t)\n"
         "  %s: float[2,3] = Add(%one, %e)\n"
         "  %h: float[2,3] = Mul(%half, %x)\n"
         "  %y: float[2,3] = Mul(%h, %s)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Gelu(%x) {approximate = \"tanh\"}\n"
         "  return %y\n"
         "}\n"},
    {"something else with erf",
         "graph main(%x: float[2,3]) {\n"
         "  const %root: float[] = {1.4142135}\n"
         "  const %one: float[] = {1}\n"
         "  const %half: float[] = {0.5}\n"
         "  %a: float[2,3] = Mul(%x, %root)\n"
         "  %e: float[2,3] = Erf(%a)\n"
         "  %s: float[2,3] = Add(%e, %one)\n"
         "  %m: float[2,3] = Mul(%x, %s)\n"
         "  %y: float[2,3] = Mul(%m, %half)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"hard swish",
         "graph main(%x: float[2,3]) {\n"
         "  const %three: float[] = {3}\n"
         "  const %zero: float[] = {0}\n"
         "  const %six: float[] = {6}\n"
         "  %a: float[2,3] = Add(%x, %three)\n"
         "  %c: float[2,3] = Clip(%a, %zero, %six)\n"
         "  %m: float[2,3] = Mul(%x, %c)\n"
         "  %y: float[2,3] = Div(%m, %six)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = HardSwish(%x)\n"
         "  return %y\n"
         "}\n"},
    {"hard swish by hard sigmoid",
         "graph main(%x: float[2,3]) {\n"
         "  const %three: float[] = {3}\n"
         "  const %zero: float[] = {0}\n"
         "  const %six: float[] = {6}\n"
         "  %a: float[2,3] = Add(%x, %three)\n"
         "  %c: float[2,3] = Clip(%a, %zero, %six)\n"
         "  %m: float[2,3] = Div(%c, %six)\n"
         "  %y: float[2,3] = Mul(%m, %x)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = HardSwish(%x)\n"
         "  return %y\n"
         "}\n"},
    {"mish",
         "graph main(%x: float[2,3]) {\n"
         "  %a: float[2,3] = Softplus(%x)\n"
         "  %t: float[2,3] = Tanh(%a)\n"
         "  %y: float[2,3] = Mul(%x, %t)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  %y: float[2,3] = Mish(%x)\n"
         "  return %y\n"
         "}\n"},
    {"layer norm",
         "graph main(%x: float[N,3]) {\n"
         "  const %axes: int64[1] = {-1}\n"
         "  const %two: float[] = {2}\n"
         "  const %eps: float[] = {1e-05}\n"
         "  const %g: float[3] = {1, 2, 3}\n"
         "  const %b: float[3] = {4, 5, 6}\n"
         "  %mean: float[N,1] = ReduceMean(%x, %axes)\n"
         "  %d: float[N,3] = Sub(%x, %mean)\n"
         "  %sq: float[N,3] = Pow(%d, %two)\n"
         "  %var: float[N,1] = ReduceMean(%sq, %axes)\n"
         "  %ve: float[N,1] = Add(%var, %eps)\n"
         "  %sd: float[N,1] = Sqrt(%ve)\n"
         "  %n: float[N,3] = Div(%d, %sd)\n"
         "  %s: float[N,3] = Mul(%n, %g)\n"
         "  %y: float[N,3] = Add(%s, %b)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3]) {\n"
         "  const %g: float[3] = {1, 2, 3}\n"
         "  const %b: float[3] = {4, 5, 6}\n"
         "  %y: float[N,3] = LayerNormalization(%x, %g, %b) {axis = -1, epsilon = 1e-05}\n"
         "  return %y\n"
         "}\n"},
    {"layer norm by reciprocal",
         "graph main(%x: float[N,3]) {\n"
         "  const %axes: int64[1] = {-1}\n"
         "  const %eps: float[] = {1e-05}\n"
         "  const %g: float[3] = {1, 2, 3}\n"
         "  const %b: float[3] = {4, 5, 6}\n"
         "  %mean: float[N,1] = ReduceMean(%x, %axes)\n"
         "  %d: float[N,3] = Sub(%x, %mean)\n"
         "  %sq: float[N,3] = Mul(%d, %d)\n"
         "  %var: float[N,1] = ReduceMean(%sq, %axes)\n"
         "  %ve: float[N,1] = Add(%eps, %var)\n"
         "  %sd: float[N,1] = Sqrt(%ve)\n"
         "  %r: float[N,1] = Reciprocal(%sd)\n"
         "  %n: float[N,3] = Mul(%d, %r)\n"
         "  %s: float[N,3] = Mul(%g, %n)\n"
         "  %y: float[N,3] = Add(%b, %s)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3]) {\n"
         "  const %g: float[3] = {1, 2, 3}\n"
         "  const %b: float[3] = {4, 5, 6}\n"
         "  %y: float[N,3] = LayerNormalization(%x, %g, %b) {axis = -1, epsilon = 1e-05}\n"
         "  return %y\n"
         "}\n"},
    {"layer norm of other dimensions stays",
         "graph main(%x: float[2,3]) {\n"
         "  const %axes: int64[1] = {0}\n"
         "  const %two: float[] = {2}\n"
         "  const %eps: float[] = {1e-05}\n"
         "  const %g: float[3] = {1, 2, 3}\n"
         "  %mean: float[1,3] = ReduceMean(%x, %axes)\n"
         "  %d: float[2,3] = Sub(%x, %mean)\n"
         "  %sq: float[2,3] = Pow(%d, %two)\n"
         "  %var: float[1,3] = ReduceMean(%sq, %axes)\n"
         "  %ve: float[1,3] = Add(%var, %eps)\n"
         "  %sd: float[1,3] = Sqrt(%ve)\n"
         "  %n: float[2,3] = Div(%d, %sd)\n"
         "  %y: float[2,3] = Mul(%n, %g)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"rms norm",
         "graph main(%x: float[N,3]) {\n"
         "  const %two: float[] = {2}\n"
         "  const %axes: int64[1] = {-1}\n"
         "  const %eps: float[] = {1e-05}\n"
         "  const %one: float[] = {1}\n"
         "  const %g: float[3] = {1, 2, 3}\n"
         "  %sq: float[N,3] = Pow(%x, %two)\n"
         "  %var: float[N,1] = ReduceMean(%sq, %axes)\n"
         "  %ve: float[N,1] = Add(%var, %eps)\n"
         "  %sd: float[N,1] = Sqrt(%ve)\n"
         "  %r: float[N,1] = Div(%one, %sd)\n"
         "  %n: float[N,3] = Mul(%x, %r)\n"
         "  %y: float[N,3] = Mul(%g, %n)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3]) {\n"
         "  const %g: float[3] = {1, 2, 3}\n"
         "  %y: float[N,3] = RMSNormalization(%x, %g) {axis = -1, epsilon = 1e-05}\n"
         "  return %y\n"
         "}\n"},
    {"softmax",
         "graph main(%x: float[N,3]) {\n"
         "  const %axes: int64[1] = {-1}\n"
         "  %m: float[N,1] = ReduceMax(%x, %axes)\n"
         "  %d: float[N,3] = Sub(%x, %m)\n"
         "  %e: float[N,3] = Exp(%d)\n"
         "  %s: float[N,1] = ReduceSum(%e, %axes)\n"
         "  %y: float[N,3] = Div(%e, %s)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[N,3]) {\n"
         "  %y: float[N,3] = Softmax(%x) {axis = 1}\n"
         "  return %y\n"
         "}\n"},
};
/* clang-format on */

TEST(graphs_become_what_they_should)
{
    EXPECT_PASS(t, &qn_pass_fuse_patterns, rows);
}

TEST_MAIN(CASE(graphs_become_what_they_should))
