/* SPDX-License-Identifier: Apache-2.0 */
/* Derivatives of products, windows, normalizations and losses; derive.h has the language. */
#include "engine/passes/derive.h"

/* From h, the normalized input, and g, what flows into it, along the axes `ax`;
 * r is what it was multiplied by. */
#define NORMALIZED "a = r * (g - ReduceMean(g, ax) - h * ReduceMean(g * h, ax))\n"
#define CENTERED(x)                       \
    "c = " x " - ReduceMean(" x ", ax)\n" \
    "r = Reciprocal(Sqrt(ReduceMean(c * c, ax) + @epsilon)); h = c * r\n"
#define PER_CHANNEL(x, like) \
    "as(shaped(ReduceSum(" x ", but_channels(A)) {keepdims = 0}, " like "), " like ")"

/* Whose class is the target, with its weight; what flows into the loss of each. */
#define TARGETS                                                                 \
    "hot = OneHot(B, Gather(Shape(A), [1]), as([0, 1], A)) {axis = 1}\n"        \
    "[@ignore_index?] hot = Where(Unsqueeze(B, [1]) = @ignore_index, 0, hot)\n" \
    "[C] hot = hot * per_channel(C, A)\n"                                       \
    "g = G; [@reduction=mean] g = G / ReduceSum(hot) {keepdims = 0}\n"          \
    "[@reduction=none] g = Unsqueeze(G, [1])\n"

#define CONV(large, small)                                              \
    "dA = unconvolved(G, B, A); dB = kernel(" large ", " small ", B)\n" \
    "dC = ReduceSum(G, but_channels(G)) {keepdims = 0}"

/* clang-format off */
const QnDerivative qn_derivatives_network[] = {
    {"AveragePool",
        "ones = Expand(1, Shape(A))\n"
        "w = AveragePool(ones) {*} / LpPool(ones) {*, p = 1}\n"
        "dA = spread(G * w, A)"},
    {"BatchNormalization",
        "s = per_channel(as(B, A), A); e = as(E, A) + @epsilon; ax = but_channels(A)\n"
        "[!@training_mode] c = A - per_channel(as(D, A), A)\n"
        "[!@training_mode] r = per_channel(Reciprocal(Sqrt(e)), A); [!@training_mode] h = c * r\n"
        "[!@training_mode] dA = G * s * r\n"
        "[!@training_mode] dD = -" PER_CHANNEL("G * s * r", "D") "\n"
        "[!@training_mode] dE = " PER_CHANNEL("G * s * r * c", "E") " * -0.5 / (E + @epsilon)\n"
        "[@training_mode] g = G * s; [@training_mode] c = A - ReduceMean(A, ax)\n"
        "[@training_mode] r = Reciprocal(Sqrt(ReduceMean(c * c, ax) + @epsilon))\n"
        "[@training_mode] h = c * r\n"
        "[@training_mode] dA = r * (g - ReduceMean(g, ax) - h * ReduceMean(g * h, ax))\n"
        "[@training_mode] dD = 0; [@training_mode] dE = 0\n"
        "dB = " PER_CHANNEL("G * h", "B") "; dC = " PER_CHANNEL("G", "C")},
    {"Conv", CONV("A", "G")},
    {"ConvTranspose", CONV("G", "A")},
    {"Einsum", "dA = contracted(G, A)", .is_each = true},
    {"Gemm",
        "[!@transA, !@transB] dA = Gemm(G, B) {alpha = @alpha, transB = 1}\n"
        "[!@transA, @transB] dA = Gemm(G, B) {alpha = @alpha}\n"
        "[@transA, !@transB] dA = Gemm(B, G) {alpha = @alpha, transB = 1}\n"
        "[@transA, @transB] dA = Gemm(B, G) {alpha = @alpha, transA = 1, transB = 1}\n"
        "[!@transA, !@transB] dB = Gemm(A, G) {alpha = @alpha, transA = 1}\n"
        "[@transA, !@transB] dB = Gemm(A, G) {alpha = @alpha}\n"
        "[!@transA, @transB] dB = Gemm(G, A) {alpha = @alpha, transA = 1}\n"
        "[@transA, @transB] dB = Gemm(G, A) {alpha = @alpha, transA = 1, transB = 1}\n"
        "dC = sum_to(G * @beta, C)"},
    {"GlobalAveragePool", "dA = Expand(G / share(A, Y), Shape(A))"},
    {"GlobalLpPool", "dA = G * Sign(A) * Pow(Abs(A) / Where(Y = 0, 1, Y), @p - 1)"},
    {"GlobalMaxPool", "m = as(A = Y, A); dA = G / ReduceSum(m, plane(A)) * m"},
    {"GroupNormalization",
        "x = Reshape(A, [0, @num_groups, -1]); ax = [2]\n"
        "g = Reshape(G * per_channel(B, A), [0, @num_groups, -1])\n"
        CENTERED("x") NORMALIZED
        "dA = shaped(a, A); dC = " PER_CHANNEL("G", "C") "\n"
        "dB = " PER_CHANNEL("G * shaped(h, A)", "B")},
    {"InstanceNormalization",
        "ax = plane(A); g = G * per_channel(B, A)\n" CENTERED("A") NORMALIZED
        "dA = a; dB = " PER_CHANNEL("G * h", "B") "; dC = " PER_CHANNEL("G", "C")},
    {"LayerNormalization",
        "ax = tail(A); g = G * as(B, G)\n" CENTERED("A") NORMALIZED
        "dA = a; dB = as(sum_to(G * h, B), B); dC = as(sum_to(G, C), C)"},
    {"LogSoftmax", "dA = G - Exp(Y) * ReduceSum(G, [@axis])"},
    {"LpNormalization",
        "n = ReduceL2(A, [@axis]); d = Y; p = @p - 1\n"
        "m = ReduceL1(A, [@axis]); b = p = 0; n = Where(b, m, n); d = Where(b, Sign(A), d)\n"
        "dA = (G - d * ReduceSum(G * Y, [@axis])) / Where(n = 0, 1, n)"},
    {"LpPool",
        "y = Where(Y = 0, 1, Y)\n"
        "dA = Sign(A) * Pow(Abs(A), @p - 1) * spread(G / Pow(y, @p - 1), A)"},
    /* A vector is a row or a column; a matrix next to many is multiplied by all of their rows. */
    {"MatMul",
        "a = A; b = B; g = G\n"
        "[B:1] b = Unsqueeze(B, [1]); [B:1] g = Unsqueeze(g, [-1])\n"
        "[A:1] a = Unsqueeze(A, [0]); [A:1] g = Unsqueeze(g, [-2])\n"
        "dA = shaped(sum_to(MatMul(g, transposed(b)), a), A)\n"
        "[!B:2] dB = shaped(sum_to(MatMul(transposed(a), g), b), B)\n"
        "[B:2] dB = MatMul(transposed(Flatten(a) {axis = -1}), Flatten(g) {axis = -1})"},
    {"MaxPool",
        "[!@storage_order] i = Y1\n"
        "[@storage_order] _, i = MaxPool(A) {*, storage_order = 0}\n"
        "dA = scattered(i + 1, G, A)"},
    {"MeanVarianceNormalization",
        "ax = [0, 2, 3]; [@axes] ax = @axes\n"
        "c = A - ReduceMean(A, ax); s = Sqrt(ReduceMean(c * c, ax)); r = s + 0.000000001\n"
        "dA = (G - ReduceMean(G, ax)) / r - c / (s * r * r) * ReduceMean(G * c, ax)"},
    {"NegativeLogLikelihoodLoss", TARGETS "dA = -g * hot"},
    {"RMSNormalization",
        "ax = tail(A); g = G * as(B, G)\n"
        "r = Reciprocal(Sqrt(ReduceMean(A * A, ax) + @epsilon)); h = A * r\n"
        "dA = r * (g - h * ReduceMean(g * h, ax)); dB = as(sum_to(G * h, B), B)"},
    {"Softmax", "dA = (G - ReduceSum(G * Y, [@axis])) * Y"},
    {"SoftmaxCrossEntropyLoss", TARGETS
        "p = Softmax(A) {axis = 1}\n"
        "a = g * (p * ReduceSum(hot, [1]) - hot)\n"
        "[G1] a = a + G1 - p * ReduceSum(G1, [1])\n"
        "dA = a"},
    {0},
};
