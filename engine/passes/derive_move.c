/* SPDX-License-Identifier: Apache-2.0 */
/* Derivatives of operators that move elements; derive.h has the language. */
#include "engine/passes/derive.h"

/* Moved by the same operator, the places of the elements say where what flows goes back to. */
#define MOVED(call) "dA = scattered(" call " {*}, G, A)"

/* clang-format off */
const QnDerivative qn_derivatives_move[] = {
    {"Compress", MOVED("Compress(places(A), B)")},
    {"Concat",
        "[!start] start = [0]\n"
        "end = start + Gather(Shape(A), [@axis])\n"
        "dA = Slice(G, start, end, [@axis]); start = end", .is_each = true},
    {"CumSum",
        "[!@reverse] dA = CumSum(G, B) {reverse = 1, exclusive = @exclusive}\n"
        "[@reverse] dA = CumSum(G, B) {exclusive = @exclusive}"},
    {"DepthToSpace", MOVED("DepthToSpace(places(A))")},
    {"Expand", "dA = sum_to(G, A)"},
    {"Flatten", "dA = shaped(G, A)"},
    {"Gather",
        "[@axis] dA = scattered(Gather(places(A), B) {*}, G, A)\n"
        "[!@axis] dA = ScatterND(zeros(A), as(Unsqueeze(B, [-1]), Shape(A)), G) {reduction = add}"},
    {"GatherElements", "dA = ScatterElements(zeros(A), B, G) {axis = @axis, reduction = add}"},
    {"GatherND",
        "[@batch_dims] dA = scattered(GatherND(places(A), B) {*}, G, A)\n"
        "[!@batch_dims] dA = ScatterND(zeros(A), B, G) {reduction = add}"},
    {"OneHot", "i = OneHot(A, B, [0, 1]) {*}; g = G * as(i, G)\n"
        "on = ReduceSum(g) {keepdims = 0}; all = ReduceSum(G) {keepdims = 0}\n"
        "dC = Concat(Unsqueeze(all - on, [0]), Unsqueeze(on, [0])) {axis = 0}; dA = 0; dB = 0"},
    /* With the pads taken back what was cut off is filled with zeros. */
    {"Pad",
        "[@mode=constant] a = Pad(G, -B, _, D)\n"
        "[!@mode=constant] a = scattered(Pad(places(A), B, _, D) {*}, G, A)\n"
        "dA = a\n"
        "dC = shaped(ReduceSum(G) {keepdims = 0} - ReduceSum(a) {keepdims = 0}, C)"},
    {"Reshape", "dA = shaped(G, A)"},
    {"Resize", "[@mode=nearest] dA = scattered(Resize(places(A), B, C, D) {*}, G, A)"},
    {"ReverseSequence", MOVED("ReverseSequence(places(A), B)")},
    {"ScatterElements",
        "[@reduction=none] dA = ScatterElements(G, B, zeros(C)) {axis = @axis}\n"
        "[@reduction=add] dA = G\n"
        "[@reduction=none] dC = GatherElements(G, B) {axis = @axis}\n"
        "[@reduction=add] dC = GatherElements(G, B) {axis = @axis}"},
    {"ScatterND",
        "[@reduction=none] dA = ScatterND(G, B, zeros(C)); [@reduction=add] dA = G\n"
        "[@reduction=none] dC = GatherND(G, B); [@reduction=add] dC = GatherND(G, B)"},
    {"Slice", MOVED("Slice(places(A), B, C, D, E)")},
    {"SpaceToDepth", MOVED("SpaceToDepth(places(A))")},
    {"Split", "dA = Concat(gradients) {axis = @axis}"},
    {"Squeeze", "dA = shaped(G, A)"},
    {"Tile", MOVED("Tile(places(A), B)")},
    {"TopK", "dA = ScatterElements(zeros(A), Y1, G) {axis = @axis, reduction = add}"},
    {"Transpose", "dA = untransposed(G)"},
    {"Trilu", "dA = Trilu(G, B) {*}"},
    {"Unsqueeze", "dA = shaped(G, A)"},
    {0},
};
