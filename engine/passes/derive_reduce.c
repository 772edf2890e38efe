/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derivatives of reductions; derive.h has the language.
 *
 * KEPT gives what flows, and the result, their axes of size 1 back; where all axes are reduced the
 * scalar is broadcast as it is.  Equal extrema share what flows.
 */
#include "engine/passes/derive.h"

#define KEPT "[B, !@keepdims] G = Unsqueeze(G, B); [B, !@keepdims] Y = Unsqueeze(Y, B)\n"
#define REDUCED(a) \
    "ReduceSum(" a ", B) {keepdims = 1, noop_with_empty_axes = @noop_with_empty_axes}"
#define EXTREMUM                                        \
    KEPT "m = as(A = Y, A); count = " REDUCED("m") "\n" \
                                                   "dA = G / count * m"

/* clang-format off */
const QnDerivative qn_derivatives_reduce[] = {
    {"ReduceL1", KEPT "dA = G * Sign(A)"},
    {"ReduceL2", KEPT "dA = G * A / Where(Y = 0, 1, Y)"},
    {"ReduceLogSum", KEPT "dA = Expand(G / Exp(Y), Shape(A))"},
    {"ReduceLogSumExp", KEPT "dA = G * Exp(A - Y)"},
    {"ReduceMax", EXTREMUM},
    {"ReduceMean", "n = share(A, Y)\n" KEPT "dA = Expand(G / n, Shape(A))"},
    {"ReduceMin", EXTREMUM},
    /* With one zero only that one's share is the product of the others, with more none has any. */
    {"ReduceProd", KEPT
        "z = as(A = 0, A); count = " REDUCED("z") "; b = Where(A = 0, 1, A)\n"
        "p = ReduceProd(b, B) {keepdims = 1, noop_with_empty_axes = @noop_with_empty_axes}\n"
        "dA = G * Where(count = 0, p / b, Where(count = 1, p * z, 0))"},
    {"ReduceSum", KEPT "dA = Expand(G, Shape(A))"},
    {"ReduceSumSquare", KEPT "dA = G * A * 2"},
    {0},
};
