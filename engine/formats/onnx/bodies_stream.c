/* SPDX-License-Identifier: Apache-2.0 */
/* Gates and residual streams of newer language models, of com.microsoft:
 * computed in float, as they say. */
#include "engine/formats/onnx/upgrade.h"

#define MS "com.microsoft", 1, 1, NULL

/* from / sqrt(mean of its squares over the last dim + epsilon) */
#define UNIT(from, to)                                                             \
    "s = Mul(" from ", " from "); s = ReduceMean(s, [-1]); s = Add(s, @epsilon)\n" \
    "s = Sqrt(s); " to " = Div(" from ", s)\n"

/* streams [..., C * H] or [..., C, H] in float as x [..., C, H]; `lead`: the dims before these. */
#define GROUPED(streams)                                                \
    "x = Cast(" streams ") {to = 1}\n"                                  \
    "[@num_branches] lead = Shape(x) {end = -1}\n"                      \
    "[@num_branches] branches = Reshape(@num_branches, [1])\n"          \
    "[@num_branches] shape = Concat(lead, branches, [-1]) {axis = 0}\n" \
    "[@num_branches] x = Reshape(x, shape)\n"                           \
    "[!@num_branches] lead = Shape(x) {end = -2}\n"                     \
    "branches = Shape(x) {start = -2, end = -1}\n"

/* A gate of [..., C], [..., C, 1], [..., C, H] or [..., C * H] in float as [..., C, 1 or H]. */
#define GATE(gate)                                      \
    "g = Cast(" gate ") {to = 1}\n"                     \
    "shape = Concat(lead, branches, [-1]) {axis = 0}\n" \
    "g = Reshape(g, shape)\n"

/* clang-format off */
const OnnxUpgradeRow onnx_bodies_stream[] = {
    {"BranchwiseRMSNorm", MS, "arithmetic per branch",
        GROUPED("X")
        UNIT("x", "y")
        "[scale] h = Shape(x) {start = -1}; [scale] shape = Concat([-1], h) {axis = 0}\n"
        "[scale] scale = Cast(scale) {to = 1}; [scale] scale = Reshape(scale, shape)\n"
        "[scale] y = Mul(y, scale)\n"
        "shape = Shape(X); y = Reshape(y, shape) {allowzero = 1}\n"
        "Y = CastLike(y, X)"},
    {"EngramGate", MS, "a gate of two normalized values",
        "[gated_value_normed, !conv_norm_scale] refuse \"gated_value_normed without conv_norm_scale\" \"both\"\n"
        "k = Cast(key) {to = 1}; q = Cast(query) {to = 1}; v = Cast(value) {to = 1}\n"
        UNIT("k", "k")
        UNIT("q", "q")
        "w = Cast(key_norm_scale) {to = 1}; k = Mul(k, w)\n"
        "w = Cast(query_norm_scale) {to = 1}; q = Mul(q, w)\n"
        "dot = Mul(k, q); dot = ReduceSum(dot, [-1])\n"
        "h = Shape(key) {start = -1}; h = CastLike(h, dot); h = Sqrt(h); dot = Div(dot, h)\n"
        "sign = Sign(dot); root = Abs(dot); root = Max(root, 1e-6); root = Sqrt(root)\n"
        "gate = Mul(sign, root); gate = Sigmoid(gate)\n"
        "v = Unsqueeze(v, [-2]); y = Mul(gate, v); output = CastLike(y, key)\n"
        "[gated_value_normed] w = Cast(conv_norm_scale) {to = 1}\n"
        UNIT("y", "n")
        "[gated_value_normed] n = Mul(n, w); [gated_value_normed] gated_value_normed = CastLike(n, key)"},
    {"GatedAdd", MS, "Mul and Add",
        "[gate_weight] gate = MatMul(gate, gate_weight); [gate_weight] gate = Sigmoid(gate)\n"
        "y = Mul(Y, gate)\n"
        "output = Add(X, y)"},
    {"GatedRMSNorm", MS, "RMS normalization times a gate",
        "check @activation in silu | swish | sigmoid\n"
        "shape = Shape(X); lead = Shape(X) {end = -1}; c = Shape(scale)\n"
        "rows = Concat(lead, [-1], c) {axis = 0}\n"
        "x = Cast(X) {to = 1}; x = Reshape(x, rows)\n"
        "w = Cast(scale) {to = 1}; y = RMSNormalization(x, w) {epsilon = @epsilon}\n"
        "y = Reshape(y, shape) {allowzero = 1}\n"
        "z = Cast(gate) {to = 1}\n"
        "[@activation=sigmoid] z = Sigmoid(z)\n"
        "[!@activation=sigmoid] z = Swish(z)\n"
        "y = Mul(y, z); Y = CastLike(y, X)"},
    {"HyperConnectionLowRankMix", MS, "arithmetic per branch",
        "streams_out = streams\n"
        GROUPED("streams")
        "[prev_post_gate] g = Cast(prev_post_gate) {to = 1}; [prev_post_gate] g = Unsqueeze(g, [-1])\n"
        "[prev_block_output] o = Cast(prev_block_output) {to = 1}; [prev_block_output] o = Unsqueeze(o, [-2])\n"
        "[prev_block_output] o = Mul(g, o); [prev_block_output] x = Add(x, o)\n"
        "whole = Shape(streams); flat = Reshape(x, whole) {allowzero = 1}\n"
        "[prev_block_output] streams_out = CastLike(flat, streams)\n"
        UNIT("x", "n")
        "n = Reshape(n, whole) {allowzero = 1}\n"
        "w = Cast(norm_scale) {to = 1}; n = Mul(n, w); hn = CastLike(n, streams)\n"
        "d = MatMul(hn, down_weight); z = Mul(d, @silu_alpha); s = Sigmoid(z); d = Mul(z, s)\n"
        "g = MatMul(d, up_weight); g = Sigmoid(g)\n"
        "y = Mul(hn, g); y = Cast(y) {to = 1}\n"
        "shape = Concat(lead, branches, [-1]) {axis = 0}; y = Reshape(y, shape)\n"
        "y = ReduceSum(y, [-2]) {keepdims = 0}; y = Mul(y, @reduction_scale)\n"
        "pre_output = CastLike(y, streams)\n"
        "p = MatMul(hn, inject_weight); p = Div(p, @gate_div); p = Sigmoid(p)\n"
        "post_gate = Mul(p, @gate_mul)"},
    {"HyperConnectionPostMix", MS, "a product of streams, and a gated sum",
        GROUPED("streams")
        "[stream_mix] m = Cast(stream_mix) {to = 1}; [stream_mix] m = transposed(m)\n"
        "[stream_mix] x = MatMul(m, x)\n"
        GATE("post_mix")
        "o = Cast(block_output) {to = 1}; o = Unsqueeze(o, [-2]); o = Mul(g, o)\n"
        "y = Add(x, o); shape = Shape(streams); y = Reshape(y, shape) {allowzero = 1}\n"
        "output = CastLike(y, streams)"},
    {"HyperConnectionPreMix", MS, "a gated sum of streams",
        GROUPED("streams")
        GATE("pre_mix")
        "y = Mul(x, g); y = ReduceSum(y, [-2]) {keepdims = 0}; y = Mul(y, @reduction_scale)\n"
        "output = CastLike(y, streams)"},
    {"RouterGateUpProj", MS, "MatMul, Split, SwiGLU",
        "check @activation in swiglu\n"
        "y = MatMul(X, W); n = Shape(y) {start = -1}\n"
        "r = Reshape(@router_size, [1]); rest = Sub(n, r); half = Div(rest, 2)\n"
        "sizes = Concat(r, half, half) {axis = 0}\n"
        "router, gate, up = Split(y, sizes) {axis = -1}\n"
        "g = Cast(gate) {to = 1}; l = Cast(up) {to = 1}\n"
        "[@limit>0] g = Min(g, @limit); [@limit>0] l = Min(l, @limit)\n"
        "[@limit>0] low = Neg(@limit); [@limit>0] l = Max(l, low)\n"
        "s = Swish(g) {alpha = @activation_alpha}; l = Add(l, @activation_beta)\n"
        "a = Mul(s, l); activated = CastLike(a, X)"},
    {"ScaledSiLU", MS, "Mul, Sigmoid, Mul",
        "z = Cast(X) {to = 1}\n"
        "[scale] scale = Cast(scale) {to = 1}; [scale] z = Mul(z, scale)\n"
        "[!scale] z = Mul(z, @alpha)\n"
        "z = CastLike(z, X); s = Sigmoid(z); Y = Mul(z, s)"},
    {"SwiGLU", MS, "a gated product of halves, clamped",
        "[!up] gate, up = Split(gate) {axis = -1, num_outputs = 2}\n"
        "g = Cast(gate) {to = 1}; l = Cast(up) {to = 1}\n"
        "[@limit>0] g = Min(g, @limit); [@limit>0] l = Min(l, @limit)\n"
        "[@limit>0] low = Neg(@limit); [@limit>0] l = Max(l, low)\n"
        "s = Swish(g) {alpha = @activation_alpha}\n"
        "[@round_activation] s = CastLike(s, gate); [@round_activation] s = Cast(s) {to = 1}\n"
        "l = Add(l, @activation_beta); y = Mul(s, l)\n"
        "output = CastLike(y, gate)"},
    {0},
};
/* clang-format on */
