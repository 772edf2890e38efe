/* SPDX-License-Identifier: Apache-2.0 */
/* Normalizations of com.microsoft, and those that ONNX Runtime had in ONNX's domain before ONNX. */
#include "engine/formats/onnx/upgrade.h"

#define MS "com.microsoft", 1, 1, NULL

/* 1 / sqrt(mean of the squares of x + epsilon) over the last dim, in float. */
#define INVERSE_DEVIATION(to)                                           \
    "[" to "] f = Cast(x) {to = 1}; [" to "] f = Mul(f, f)\n"           \
    "[" to "] f = ReduceMean(f, [-1]); [" to "] f = Add(f, @epsilon)\n" \
    "[" to "] f = Sqrt(f); [" to "] " to " = Reciprocal(f)\n"

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
    {"SimplifiedLayerNormalization", "", 1, 1, NULL, "RMSNormalization",
        "Y = RMSNormalization(X, scale) {*}\n"
        "[inv_std_var, !@axis=-1] refuse \"the output inv_std_var with another axis\" \"the last one\"\n"
        "x = X\n"
        INVERSE_DEVIATION("inv_std_var")},
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
