/* SPDX-License-Identifier: Apache-2.0 */
/* Products of com.microsoft: convolutions and matrices, with what was fused behind them. */
#include "engine/formats/onnx/upgrade.h"

#define MS "com.microsoft", 1, 1, NULL

/* The activation behind a convolution, from y to y. */
#define CONV_ACTIVATION                                                                           \
    "check @activation in none | Relu | Silu | Sigmoid | Tanh | LeakyRelu | Clip | HardSigmoid\n" \
    "[@activation=Relu] y = Relu(y)\n"                                                            \
    "[@activation=Silu] y = Swish(y)\n"                                                           \
    "[@activation=Sigmoid] y = Sigmoid(y)\n"                                                      \
    "[@activation=Tanh] y = Tanh(y)\n"                                                            \
    "[@activation=LeakyRelu] y = LeakyRelu(y) {alpha = @activation_params[0]}\n"                  \
    "[@activation=Clip] y = Clip(y, @activation_params[0], @activation_params[1])\n"              \
    "[@activation=HardSigmoid] y = HardSigmoid(y) {alpha = @activation_params[0], "               \
    "beta = @activation_params[1]}\n"

/* The activation behind a product of matrices, which has its parameters as attributes. */
#define GEMM_ACTIVATION                                                                       \
    "check @activation in none | Elu | HardSigmoid | LeakyRelu | ParametricSoftplus | Relu |" \
    " ScaledTanh | Selu | Sigmoid | Softplus | Softsign | Tanh | ThresholdedRelu\n"           \
    "[@activation=Elu] y = Elu(y) {alpha = @activation_alpha}\n"                              \
    "[@activation=HardSigmoid] y = HardSigmoid(y) {alpha = @activation_alpha, "               \
    "beta = @activation_beta}\n"                                                              \
    "[@activation=LeakyRelu] y = LeakyRelu(y) {alpha = @activation_alpha}\n"                  \
    "[@activation=ParametricSoftplus] y = Mul(y, @activation_beta)\n"                         \
    "[@activation=ParametricSoftplus] y = Softplus(y)\n"                                      \
    "[@activation=ParametricSoftplus] y = Mul(y, @activation_alpha)\n"                        \
    "[@activation=Relu] y = Relu(y)\n"                                                        \
    "[@activation=ScaledTanh] y = Mul(y, @activation_beta)\n"                                 \
    "[@activation=ScaledTanh] y = Tanh(y)\n"                                                  \
    "[@activation=ScaledTanh] y = Mul(y, @activation_alpha)\n"                                \
    "[@activation=Selu] y = Selu(y) {alpha = @activation_alpha, gamma = @activation_gamma}\n" \
    "[@activation=Sigmoid] y = Sigmoid(y)\n"                                                  \
    "[@activation=Softplus] y = Softplus(y)\n"                                                \
    "[@activation=Softsign] y = Softsign(y)\n"                                                \
    "[@activation=Tanh] y = Tanh(y)\n"                                                        \
    "[@activation=ThresholdedRelu] y = ThresholdedRelu(y) {alpha = @activation_alpha}\n"

/* alpha * A * B with dims exchanged before it, to y. */
#define MATMUL                            \
    "[@transBatchA] A = batch_first(A)\n" \
    "[@transA] A = transposed(A)\n"       \
    "[@transBatchB] B = batch_first(B)\n" \
    "[@transB] B = transposed(B)\n"       \
    "y = MatMul(A, B)\n"                  \
    "[!@alpha=1] y = Mul(y, @alpha)\n"

/* a * b' + bias, for rows a and a weight b [N, K] in float. */
#define WIDE_PRODUCT                                               \
    "b = transposed(b); y = MatMul(a, b)\n"                        \
    "[bias] bias = Cast(bias) {to = 1}; [bias] y = Add(y, bias)\n" \
    "Y = CastLike(y, A)"

/* A with what is skipped, normalized, to x. */
#define NORMALIZED                                              \
    "x = A; [skip] x = Add(A, skip); input_skip_bias_sum = x\n" \
    "[norm_scale] x = RMSNormalization(x, norm_scale) {epsilon = @epsilon}\n"

/* Their weights lie in blocks of 8 or 16 channels, which no file says. */
#define BLOCKED(op)                                                                           \
    {                                                                                         \
        op, "com.microsoft.nchwc", 1, 1, NULL, "refused",                                     \
            "refuse \"channels in blocks, as the processor that saved the file wants them\" " \
            "\"the model that it was made from, or one saved at the level 'extended'\""       \
    }

/* clang-format off */
const OnnxUpgradeRow onnx_bodies_product[] = {
    {"FusedConv", MS, "Conv, Add, an activation",
        "y = Conv(X, W, B) {*}\n"
        "[Z] y = Add(y, Z)\n"
        CONV_ACTIVATION
        "Y = y"},
    {"FusedGemm", MS, "Gemm, an activation",
        "y = Gemm(A, B, C) {*}\n"
        GEMM_ACTIVATION
        "Y = y"},
    {"FusedMatMul", MS, "Transpose, MatMul, Mul",
        MATMUL
        "Y = y"},
    {"FusedMatMulActivation", MS, "Transpose, MatMul, Mul, an activation",
        MATMUL
        GEMM_ACTIVATION
        "Y = y"},
    {"GemmFastGelu", MS, "MatMul, Add, Gelu by tanh",
        "y = MatMul(X, W)\n"
        "[bias] y = Add(y, bias)\n"
        "Y = Gelu(y) {approximate = \"tanh\"}"},
    {"MatMulBlockQuantizedFp4Weight", MS, "MatMul with the table's values times both scales",
        "codes = Cast(B) {to = 7}; low = Mod(codes, 16); high = Div(codes, 16)\n"
        "low = Unsqueeze(low, [2]); high = Unsqueeze(high, [2])\n"
        "codes = Concat(low, high) {axis = 2}; n = Shape(B) {end = 1}\n"
        "size = Reshape(@block_size, [1]); shape = Concat(n, [-1], size) {axis = 0}\n"
        "codes = Reshape(codes, shape)\n"
        "b = Gather([0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12], codes)\n"
        "b = Cast(b) {to = 1}; b = Mul(b, 0.5); s = Cast(weight_scale) {to = 1}\n"
        "s = Mul(s, weight_scale_2); s = Unsqueeze(s, [2]); b = Mul(b, s)\n"
        "shape = Concat(n, [-1]) {axis = 0}; b = Reshape(b, shape); a = Cast(A) {to = 1}\n"
        WIDE_PRODUCT},
    {"MatMulBlockQuantizedFp8Weight", MS, "MatMul with DequantizeLinear of the weight",
        "b = DequantizeLinear(B, b_scale) {axis = 1, block_size = @block_size}\n"
        "a = Cast(A) {to = 1}; [a_scale] a = QuantizeLinear(a, a_scale) {output_dtype = 17}\n"
        "[a_scale] a = DequantizeLinear(a, a_scale)\n"
        WIDE_PRODUCT},
    {"MatMulNBitsMlp", MS, "RMSNormalization, two MatMulNBits, SwiGLU",
        "check @activation in silu\n"
        NORMALIZED
        "g = MatMulNBits(x, gate_B, gate_scales, _, _, gate_bias) {*}\n"
        "l = MatMulNBits(x, up_B, up_scales, _, _, up_bias) {*}\n"
        "g = Swish(g); Y = Mul(g, l)"},
    {"MatMulNBitsQkv", MS, "RMSNormalization, three MatMulNBits",
        NORMALIZED
        "Q = MatMulNBits(x, q_B, q_scales, _, _, q_bias) {*, N = @Nq}\n"
        "K = MatMulNBits(x, k_B, k_scales, _, _, k_bias) {*, N = @Nkv}\n"
        "V = MatMulNBits(x, v_B, v_scales, _, _, v_bias) {*, N = @Nkv}"},
    {"NhwcConv", MS, "Conv between transposes",
        "X = channels_first(X); W = channels_first(W)\n"
        "y = Conv(X, W, B) {*}\n"
        "Y = channels_last(y)"},
    {"NhwcFusedConv", MS, "Conv, Add, an activation, between transposes",
        "X = channels_first(X)\n"
        "y = Conv(X, W, B) {*}\n"
        "[Z] Z = channels_first(Z); [Z] y = Add(y, Z)\n"
        CONV_ACTIVATION
        "Y = channels_last(y)"},
    {"SparseToDenseMatMul", MS, "Transpose, MatMul, Mul",
        MATMUL
        "Y = y"},
    {"TransposeMatMul", MS, "Transpose, MatMul, Mul",
        MATMUL
        "Y = y"},
    BLOCKED("AveragePool"),
    BLOCKED("Conv"),
    BLOCKED("GlobalAveragePool"),
    BLOCKED("GlobalMaxPool"),
    BLOCKED("MaxPool"),
    BLOCKED("ReorderInput"),
    BLOCKED("ReorderOutput"),
    BLOCKED("Upsample"),
    {0},
};
/* clang-format on */
