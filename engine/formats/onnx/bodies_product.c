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
    {0},
};
/* clang-format on */
