/* SPDX-License-Identifier: Apache-2.0 */
/* Normalizations of com.microsoft, and those that ONNX Runtime had in ONNX's domain before ONNX. */
#include "engine/formats/onnx/upgrade.h"

#define MS "com.microsoft", 1, 1, NULL

/* 1 / sqrt(mean of the squares of x + epsilon) over the last dim, in float. */
#define INVERSE_DEVIATION(to)                                           \
    "[" to "] f = Cast(x) {to = 1}; [" to "] f = Mul(f, f)\n"           \
    "[" to "] f = ReduceMean(f, [-1]); [" to "] f = Add(f, @epsilon)\n" \
    "[" to "] f = Sqrt(f); [" to "] " to " = Reciprocal(f)\n"

/* Normalizes y [N, C, ...] by groups, to Y of the layout that the attribute says. */
#define GROUP_NORM                                                                        \
    "check @activation in 0 | 1\n"                                                        \
    "gamma = CastLike(gamma, y); beta = CastLike(beta, y)\n"                              \
    "y = GroupNormalization(y, gamma, beta) {num_groups = @groups, epsilon = @epsilon}\n" \
    "[@activation] y = Swish(y)\n"                                                        \
    "[@channels_last] y = channels_last(y)\n"                                             \
    "Y = y"

/* clang-format off */
const OnnxUpgradeRow onnx_bodies_norm[] = {
    {"EmbedLayerNormalization", MS, "look-ups, Add, LayerNormalization",
        "x = Gather(word_embedding, input_ids)\n"
        "[!position_ids] shape = Shape(input_ids)\n"
        "[!position_ids] n = Gather(shape, 1)\n"
        "[!position_ids] position_ids = Range(0, n, 1)\n"
        "position = Gather(position_embedding, position_ids)\n"
        "x = Add(x, position)\n"
        "[segment_embedding] segment = Gather(segment_embedding, segment_ids)\n"
        "[segment_embedding] x = Add(x, segment)\n"
        "embedding_sum = x\n"
        "output = LayerNormalization(x, gamma, beta) {epsilon = @epsilon}\n"
        "[mask] ones = Equal(mask, 1.0)\n"
        "[mask] ones = Cast(ones) {to = 6}\n"
        "[mask] mask_index = ReduceSum(ones, [1]) {keepdims = 0}\n"
        "[!mask] batch = Shape(input_ids) {end = 1}\n"
        "[!mask] zero = Cast(0) {to = 6}\n"
        "[!mask] mask_index = Expand(zero, batch)"},
    {"GroupNorm", MS, "GroupNormalization, Swish, between transposes",
        "y = X\n"
        "[@channels_last] y = channels_first(y)\n"
        GROUP_NORM},
    {"SimplifiedLayerNormalization", "", 1, 1, NULL, "RMSNormalization",
        "Y = RMSNormalization(X, scale) {*}\n"
        "[inv_std_var, !@axis=-1] refuse \"the output inv_std_var with another axis\" \"the last one\"\n"
        "x = X\n"
        INVERSE_DEVIATION("inv_std_var")},
    {"SkipGroupNorm", MS, "Add, GroupNormalization, Swish, between transposes",
        /* The skip may lack the dims of the image, or have one element there. */
        "shape = Shape(X); n = Shape(X) {end = 1}\n"
        "[@channels_last] c = Shape(X) {start = -1}\n"
        "[@channels_last] flat = Concat(n, [-1], c) {axis = 0}\n"
        "[!@channels_last] c = Shape(X) {start = 1, end = 2}\n"
        "[!@channels_last] flat = Concat(n, c, [-1]) {axis = 0}\n"
        "x = Reshape(X, flat); s = Reshape(skip, flat); x = Add(x, s)\n"
        "[bias, !@channels_last] bias = Unsqueeze(bias, [1])\n"
        "[bias] x = Add(x, bias)\n"
        "S = Reshape(x, shape) {allowzero = 1}\n"
        "y = S\n"
        "[@channels_last] y = channels_first(y)\n"
        GROUP_NORM},
    {"SkipLayerNormalization", MS, "Add, LayerNormalization",
        "x = Add(input, skip)\n"
        "[bias] x = Add(x, bias)\n"
        "output, mean, inv_std_var = LayerNormalization(x, gamma, beta) {epsilon = @epsilon}\n"
        "input_skip_bias_sum = x"},
    {"SkipSimplifiedLayerNormalization", MS, "Add, RMSNormalization",
        "x = Add(input, skip)\n"
        "[bias] x = Add(x, bias)\n"
        "output = RMSNormalization(x, gamma) {epsilon = @epsilon}\n"
        INVERSE_DEVIATION("inv_std_var")
        "input_skip_bias_sum = x"},
    {0},
};
/* clang-format on */
