/* SPDX-License-Identifier: Apache-2.0 */
/* Derivatives of functions of one input, element by element; derive.h has the language. */
#include "engine/passes/derive.h"

/* clang-format off */
const QnDerivative qn_derivatives_unary[] = {
    {"Bernoulli", "dA = 0"},
    {"Abs", "dA = G * Sign(A)"},
    {"Acos", "dA = -G / Sqrt(1 - A * A)"},
    {"Acosh", "dA = G / Sqrt(A * A - 1)"},
    {"Asin", "dA = G / Sqrt(1 - A * A)"},
    {"Asinh", "dA = G / Sqrt(A * A + 1)"},
    {"Atan", "dA = G / (A * A + 1)"},
    {"Atanh", "dA = G / (1 - A * A)"},
    {"Cast", "dA = as(G, A)"},
    {"CastLike", "dA = as(G, A); dB = 0"},
    {"Ceil", "dA = 0"},
    {"Celu", "dA = Where(A > 0, G, G * Exp(A / @alpha))"},
    {"Cos", "dA = -G * Sin(A)"},
    {"Cosh", "dA = G * Sinh(A)"},
    {"Dropout",
        "dA = G\n"
        "scale = 2\n"
        "[B] scale = Reciprocal(1 - as(B, G))\n"
        "[C] dA = Where(Y1, G * Where(C, scale, 1), 0)\n"
        "dB = 0"},
    {"Elu", "dA = Where(A > 0, G, G * Exp(A) * @alpha)"},
    {"Erf", "dA = G * Exp(-A * A) * 1.1283791670955126"},
    {"Exp", "dA = G * Y"},
    {"EyeLike", "dA = 0"},
    {"Floor", "dA = 0"},
    {"Gelu",
        "[!@approximate=tanh] p = (Erf(A * 0.7071067811865476) + 1) * 0.5\n"
        "[!@approximate=tanh] dA = G * (p + A * Exp(A * A * -0.5) * 0.3989422804014327)\n"
        "[@approximate=tanh] a = A * A * 0.044715 * A + A\n"
        "[@approximate=tanh] t = Tanh(a * 0.7978845608028654)\n"
        "[@approximate=tanh] s = (A * A * 0.134145 + 1) * 0.7978845608028654\n"
        "[@approximate=tanh] dA = G * 0.5 * (t + 1 + A * (1 - t * t) * s)"},
    {"HardSigmoid", "dA = Where(Y > 0, Where(Y < 1, G * @alpha, 0), 0)"},
    {"HardSwish", "dA = Where(A > 3, G, Where(A < -3, 0, G * (A / 3 + 0.5)))"},
    {"Hardmax", "dA = 0"},
    {"Identity", "dA = G"},
    {"LeakyRelu", "dA = Where(A > 0, G, G * @alpha)"},
    {"Log", "dA = G / A"},
    {"Mish", "t = Tanh(Softplus(A)); dA = G * (t + A * (1 - t * t) * Sigmoid(A))"},
    {"Neg", "dA = -G"},
    {"RandomNormalLike", "dA = 0"},
    {"RandomUniformLike", "dA = 0"},
    {"Reciprocal", "dA = -G * Y * Y"},
    {"Relu", "dA = Where(A > 0, G, 0)"},
    {"Round", "dA = 0"},
    {"Selu", "dA = Where(A > 0, G, G * Exp(A) * @alpha) * @gamma"},
    {"Shrink", "dA = Where(Abs(A) > @lambd, G, 0)"},
    {"Sigmoid", "dA = G * Y * (1 - Y)"},
    {"Sign", "dA = 0"},
    {"Sin", "dA = G * Cos(A)"},
    {"Sinh", "dA = G * Cosh(A)"},
    {"Softplus", "dA = G * Sigmoid(A)"},
    {"Softsign", "a = Abs(A) + 1; dA = G / (a * a)"},
    {"Sqrt", "dA = G * 0.5 / Y"},
    {"Swish", "s = Sigmoid(A * @alpha); dA = G * (s + A * @alpha * s * (1 - s))"},
    {"Tan", "dA = G * (Y * Y + 1)"},
    {"Tanh", "dA = G * (1 - Y * Y)"},
    {"ThresholdedRelu", "dA = Where(A > @alpha, G, 0)"},
    {0},
};
