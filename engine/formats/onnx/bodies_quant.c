/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quantized operators of com.microsoft that are compositions: real operators between
 * DequantizeLinear and QuantizeLinear, and products of integers with their scales behind.
 */
#include "engine/formats/onnx/upgrade.h"

#define MS "com.microsoft", 1, 1, NULL

/* A quantized value becomes real numbers under its own name. */
#define REAL(x, scale, zero) x " = DequantizeLinear(" x ", " scale ", " zero ")\n"

/* The zero point of a result is 0 of its operand's type where it is absent; before that is real. */
#define ZERO(zero, like) "[!" zero "] " zero " = CastLike(0, " like ")\n"

#define QUANTIZED(y, scale, zero) y " = QuantizeLinear(" y ", " scale ", " zero ")\n"

#define BINARY(op)                       \
    ZERO("C_zero_point", "A")            \
    REAL("A", "A_scale", "A_zero_point") \
    REAL("B", "B_scale", "B_zero_point") \
    "C = " op "(A, B)\n" QUANTIZED("C", "C_scale", "C_zero_point")

#define UNIT(op)                         \
    ZERO("Y_zero_point", "X")            \
    REAL("X", "X_scale", "X_zero_point") \
    "Y = " op "(X) {*}\n" QUANTIZED("Y", "Y_scale", "Y_zero_point")

#define POOL(op)                                                              \
    "[@channels_last] X = channels_first(X)\n" ZERO("y_zero_point", "X")      \
        REAL("X", "x_scale", "x_zero_point") "Y = " op "(X) {*}\n" QUANTIZED( \
            "Y", "y_scale", "y_zero_point") "[@channels_last] Y = channels_last(Y)"

/* (a - a_zero) (B - b_zero) * (a_scale * b_scale) + bias, to Y. */
#define SCALED_PRODUCT                                      \
    "Y = MatMulInteger(A, B, a_zero_point, b_zero_point)\n" \
    "Y = Cast(Y) {to = 1}\n"                                \
    "scale = Mul(a_scale, b_scale)\n"                       \
    "Y = Mul(Y, scale)\n"                                   \
    "[bias] Y = Add(Y, bias)"

/* A table of an embedding, looked up before it is real. */
#define LOOK_UP(x, table, ids, scale, zero) x " = Gather(" table ", " ids ")\n" REAL(x, scale, zero)

/* clang-format off */
const OnnxUpgradeRow onnx_bodies_quant[] = {
    {"DequantizeLinear", MS, "the standard one",
        "y = DequantizeLinear(x, x_scale, x_zero_point) {*}"},
    {"DynamicQuantizeMatMul", MS, "DynamicQuantizeLinear, MatMulInteger, scaled",
        "A, a_scale, a_zero_point = DynamicQuantizeLinear(A)\n"
        SCALED_PRODUCT},
    {"MatMulInteger16", MS, "MatMul of int32",
        "A = Cast(A) {to = 6}; B = Cast(B) {to = 6}\n"
        "Y = MatMul(A, B)"},
    {"MatMulIntegerToFloat", MS, "MatMulInteger, scaled",
        SCALED_PRODUCT},
    {"MulInteger", MS, "Mul of int32",
        "A = Cast(A) {to = 6}; B = Cast(B) {to = 6}\n"
        "[A_zero_point] zero = Cast(A_zero_point) {to = 6}\n"
        "[A_zero_point] A = Sub(A, zero)\n"
        "[B_zero_point] zero = Cast(B_zero_point) {to = 6}\n"
        "[B_zero_point] B = Sub(B, zero)\n"
        "C = Mul(A, B)"},
    {"NhwcMaxPool", MS, "MaxPool between transposes",
        "x = channels_first(x)\n"
        "y = MaxPool(x) {*}\n"
        "y = channels_last(y)"},
    {"QEmbedLayerNormalization", MS, "look-ups, LayerNormalization",
        "shape = Shape(input_ids); n = Gather(shape, 1); position_ids = Range(0, n, 1)\n"
        LOOK_UP("x", "word_embedding_quant", "input_ids", "word_embedding_scale",
                "word_embedding_zero_point")
        LOOK_UP("position", "position_embedding_quant", "position_ids",
                "position_embedding_scale", "position_embedding_zero_point")
        "x = Add(x, position)\n"
        "[segment_ids, !segment_embedding] refuse \"segment_ids\" \"a segment_embedding with them\"\n"
        "[segment_ids] segment = Gather(segment_embedding, segment_ids)\n"
        "[segment_ids] " REAL("segment", "segment_embedding_scale", "segment_embedding_zero_point")
        "[segment_ids] x = Add(x, segment)\n"
        REAL("gamma_quant", "gamma_scale", "gamma_zero_point")
        REAL("beta_quant", "beta_scale", "beta_zero_point")
        "layernorm_out = LayerNormalization(x, gamma_quant, beta_quant) {epsilon = @epsilon}\n"
        "[mask] ones = Cast(mask) {to = 7}; [mask] ones = Equal(ones, 1)\n"
        "[!mask] ones = Less(input_ids, input_ids)\n"
        "ones = Cast(ones) {to = 6}\n"
        "mask_index_out = ReduceSum(ones, [1]) {keepdims = 0}"},
    {"QLinearAdd", MS, "Add of real numbers", BINARY("Add")},
    {"QLinearAveragePool", MS, "AveragePool of real numbers", POOL("AveragePool")},
    {"QLinearConv", MS, "the standard one, between transposes",
        "[@channels_last] x = channels_first(x)\n"
        "y = QLinearConv(x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, B) {*}\n"
        "[@channels_last] y = channels_last(y)"},
    {"QLinearGlobalAveragePool", MS, "GlobalAveragePool of real numbers", POOL("GlobalAveragePool")},
    {"QLinearLeakyRelu", MS, "LeakyRelu of real numbers", UNIT("LeakyRelu")},
    {"QLinearMul", MS, "Mul of real numbers", BINARY("Mul")},
    {"QLinearReduceMean", MS, "ReduceMean of real numbers",
        ZERO("reduced_zero_point", "data")
        REAL("data", "data_scale", "data_zero_point")
        "reduced = ReduceMean(data, @axes) {*}\n"
        QUANTIZED("reduced", "reduced_scale", "reduced_zero_point")},
    {"QLinearSigmoid", MS, "Sigmoid of real numbers", UNIT("Sigmoid")},
    {"QLinearSoftmax", MS, "Softmax of real numbers; before version 13 of the rest of the dims as one row",
        ZERO("y_zero_point", "X")
        REAL("X", "X_scale", "x_zero_point")
        "shape = Shape(X)\n"
        "[@opset<13] X = Flatten(X) {axis = @axis}\n"
        "[@opset<13] X = Softmax(X) {axis = -1}\n"
        "[@opset<13] Y = Reshape(X, shape) {allowzero = 1}\n"
        "[!@opset<13] Y = Softmax(X) {*}\n"
        QUANTIZED("Y", "y_scale", "y_zero_point")},
    {"QLinearWhere", MS, "Where of real numbers",
        REAL("X", "x_scale", "x_zero_point")
        REAL("Y", "y_scale", "y_zero_point")
        "Z = Where(condition, X, Y)\n"
        QUANTIZED("Z", "z_scale", "z_zero_point")},
    {"QuantizeLinear", MS, "the standard one",
        "y = QuantizeLinear(x, y_scale, y_zero_point) {*}"},
    {"ReduceSumInteger", MS, "ReduceSum of int32",
        "data = Cast(data) {to = 6}\n"
        "reduced = ReduceSum(data, @axes) {*}"},
    {0},
};
/* clang-format on */
