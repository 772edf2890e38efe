/* SPDX-License-Identifier: Apache-2.0 */
/* Activation units of com.microsoft, with the sums around them. */
#include "engine/formats/onnx/upgrade.h"

#define MS "com.microsoft", 1, 1, NULL

/* clang-format off */
const OnnxUpgradeRow onnx_bodies_unit[] = {
    {"BiasAdd", MS, "two Add",
        "x = Add(X, bias)\n"
        "Y = Add(x, skip)"},
    {"BiasDropout", MS, "Add around Dropout",
        "x = Add(data, bias)\n"
        "output, mask = Dropout(x, ratio, training_mode) {*}\n"
        "[residual] output = Add(output, residual)"},
    {"BiasGelu", MS, "Add and Gelu",
        "x = Add(A, B)\n"
        "C = Gelu(x)"},
    {"BiasSoftmax", MS, "Add and Softmax over the rest of the dims as one row",
        "x = Add(data, bias); shape = Shape(data)\n"
        "x = Flatten(x) {axis = @axis}\n"
        "x = Softmax(x) {axis = -1}\n"
        "output = Reshape(x, shape) {allowzero = 1}"},
    {"BiasSplitGelu", MS, "one half times Gelu of the other",
        "x = Add(X, bias)\n"
        "left, right = Split(x) {axis = -1, num_outputs = 2}\n"
        "right = Gelu(right)\n"
        "Y = Mul(left, right)"},
    {"BitmaskBiasDropout", MS, "inference only: Add, and a mask of ones",
        "[training_mode] refuse \"the input training_mode\" \"none: dropout is for inference only\"\n"
        "output = Add(data, bias)\n"
        "[residual] output = Add(output, residual)\n"
        "n = Size(data); n = Add(n, 31); n = Div(n, 32); n = Reshape(n, [1])\n"
        "ones = Cast(4294967295) {to = 12}\n"
        "mask = Expand(ones, n)"},
    {"BitmaskDropout", MS, "inference only: Identity, and a mask of ones",
        "[training_mode] refuse \"the input training_mode\" \"none: dropout is for inference only\"\n"
        "output = data\n"
        "n = Size(data); n = Add(n, 31); n = Div(n, 32); n = Reshape(n, [1])\n"
        "ones = Cast(4294967295) {to = 12}\n"
        "mask = Expand(ones, n)"},
    {"FastGelu", MS, "Gelu by tanh",
        "x = X\n"
        "[bias] x = Add(x, bias)\n"
        "Y = Gelu(x) {approximate = \"tanh\"}"},
    {"Gelu", MS, "Gelu",
        "Y = Gelu(X)"},
    {"QuickGelu", MS, "Swish",
        "Y = Swish(X) {alpha = @alpha}"},
    {0},
};
/* clang-format on */
