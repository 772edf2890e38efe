/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the upgrade table for quantized operators of ONNX Runtime: a node, and what the reader
 * makes of it. */
#include "tests/support/onnx_case.h"
#include "tests/support/test.h"

typedef struct Row {
    const char *before; /* the graph's lines, without the first and the last */
    const char *after;
} Row;

static void check_rows(Test *t, const Row *rows, size_t count)
{
    OnnxCase c = {0};
    char graph[4096], body[4096];
    for (size_t i = 0; i < count; i++) {
        snprintf(graph, sizeof graph, "graph main(%s }", rows[i].before);
        const char *text = onnx_case_text(&c, 10, 21, 1, graph);
        onnx_case_body(text, body, sizeof body);
        EXPECT(t, !strcmp(body, rows[i].after), "%s\ngave\n%s\nexpected\n%s", rows[i].before,
               body[0] ? body : text, rows[i].after);
    }
    onnx_case_finish(&c);
}

TEST(scales_of_16_bits_are_the_standard_ones)
{
    static const Row rows[] = {
        {"%x: float[2], %s: float[], %z: uint16[]) { %y = ms.QuantizeLinear(%x, %s, %z) return %y",
         "%y = QuantizeLinear(%x, %s, %z)\n"},
        {"%x: uint16[2,3], %s: float[2], %z: uint16[2]) { %y = ms.DequantizeLinear(%x, %s, %z) {axis = 0} return %y",
         "%y = DequantizeLinear(%x, %s, %z) {axis = 0}\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(operators_of_two_quantized_values_compute_on_real_ones)
{
    static const Row rows[] = {
        {"%a: uint8[2], %b: uint8[2], %s: float[], %z: uint8[]) { %y = ms.QLinearAdd(%a, %s, %z, %b, %s, %z, %s, %z) return %y",
         "%y.DequantizeLinear = DequantizeLinear(%a, %s, %z)\n"
         "%y.DequantizeLinear.1 = DequantizeLinear(%b, %s, %z)\n"
         "%y.Add = Add(%y.DequantizeLinear, %y.DequantizeLinear.1)\n"
         "%y = QuantizeLinear(%y.Add, %s, %z)\n"},
        {"%a: int8[2], %b: int8[2], %s: float[]) { %y = ms.QLinearMul(%a, %s, _, %b, %s, _, %s) return %y",
         "const %y.value: int64[] = {0}\n"
         "%y.CastLike = CastLike(%y.value, %a)\n"
         "%y.DequantizeLinear = DequantizeLinear(%a, %s)\n"
         "%y.DequantizeLinear.1 = DequantizeLinear(%b, %s)\n"
         "%y.Mul = Mul(%y.DequantizeLinear, %y.DequantizeLinear.1)\n"
         "%y = QuantizeLinear(%y.Mul, %s, %y.CastLike)\n"},
        {"%a: tensor[2], %b: tensor[2], %s: float[]) { %y = ms.QLinearMul(%a, %s, _, %b, %s, _, %s) return %y",
         "const %y.value: int64[] = {0}\n"
         "%y.CastLike = CastLike(%y.value, %a)\n"
         "%y.DequantizeLinear = DequantizeLinear(%a, %s)\n"
         "%y.DequantizeLinear.1 = DequantizeLinear(%b, %s)\n"
         "%y.Mul = Mul(%y.DequantizeLinear, %y.DequantizeLinear.1)\n"
         "%y = QuantizeLinear(%y.Mul, %s, %y.CastLike)\n"},
        {"%c: bool[2], %a: uint8[2], %s: float[], %z: uint8[]) { %y = ms.QLinearWhere(%c, %a, %s, %z, %a, %s, %z, %s, %z) return %y",
         "%y.DequantizeLinear = DequantizeLinear(%a, %s, %z)\n"
         "%y.DequantizeLinear.1 = DequantizeLinear(%a, %s, %z)\n"
         "%y.Where = Where(%c, %y.DequantizeLinear, %y.DequantizeLinear.1)\n"
         "%y = QuantizeLinear(%y.Where, %s, %z)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(operators_of_one_quantized_value_compute_on_a_real_one)
{
    static const Row rows[] = {
        {"%a: uint8[2], %s: float[], %z: uint8[]) { %y = ms.QLinearSigmoid(%a, %s, %z, %s, %z) return %y",
         "%y.DequantizeLinear = DequantizeLinear(%a, %s, %z)\n"
         "%y.Sigmoid = Sigmoid(%y.DequantizeLinear)\n"
         "%y = QuantizeLinear(%y.Sigmoid, %s, %z)\n"},
        {"%a: uint8[2], %s: float[], %z: uint8[]) { %y = ms.QLinearLeakyRelu(%a, %s, %z, %s, %z) {alpha = 0.5} return %y",
         "%y.DequantizeLinear = DequantizeLinear(%a, %s, %z)\n"
         "%y.LeakyRelu = LeakyRelu(%y.DequantizeLinear) {alpha = 0.5}\n"
         "%y = QuantizeLinear(%y.LeakyRelu, %s, %z)\n"},
        {"%a: uint8[2,3], %s: float[], %z: uint8[]) { %y = ms.QLinearSoftmax(%a, %s, %z, %s, %z) {axis = 0, opset = 13} return %y",
         "%y.DequantizeLinear = DequantizeLinear(%a, %s, %z)\n"
         "%y.Softmax = Softmax(%y.DequantizeLinear) {axis = 0}\n"
         "%y = QuantizeLinear(%y.Softmax, %s, %z)\n"},
        {"%a: uint8[2,3], %s: float[], %z: uint8[]) { %y = ms.QLinearSoftmax(%a, %s, %z, %s, %z) {axis = 0, opset = 12} return %y",
         "%y.DequantizeLinear = DequantizeLinear(%a, %s, %z)\n"
         "%y.Shape = Shape(%y.DequantizeLinear)\n"
         "%y.Flatten = Flatten(%y.DequantizeLinear) {axis = 0}\n"
         "%y.Softmax = Softmax(%y.Flatten) {axis = -1}\n"
         "%y.Reshape = Reshape(%y.Softmax, %y.Shape) {allowzero = 1}\n"
         "%y = QuantizeLinear(%y.Reshape, %s, %z)\n"},
        {"%a: uint8[1,2,4], %s: float[], %z: uint8[]) { %y = ms.QLinearAveragePool(%a, %s, %z, %s, %z) {kernel_shape = [2]} return %y",
         "%y.DequantizeLinear = DequantizeLinear(%a, %s, %z)\n"
         "%y.AveragePool = AveragePool(%y.DequantizeLinear) {kernel_shape = [2]}\n"
         "%y = QuantizeLinear(%y.AveragePool, %s, %z)\n"},
        {"%a: uint8[1,4,2], %s: float[], %z: uint8[]) { %y = ms.QLinearAveragePool(%a, %s, %z, %s, %z) {kernel_shape = [2], channels_last = 1} return %y",
         "%y.Transpose = Transpose(%a) {perm = [0, 2, 1]}\n"
         "%y.DequantizeLinear = DequantizeLinear(%y.Transpose, %s, %z)\n"
         "%y.AveragePool = AveragePool(%y.DequantizeLinear) {kernel_shape = [2]}\n"
         "%y.QuantizeLinear = QuantizeLinear(%y.AveragePool, %s, %z)\n"
         "%y = Transpose(%y.QuantizeLinear) {perm = [0, 2, 1]}\n"},
        {"%a: uint8[1,2,4], %s: float[], %z: uint8[]) { %y = ms.QLinearGlobalAveragePool(%a, %s, %z, %s, %z) return %y",
         "%y.DequantizeLinear = DequantizeLinear(%a, %s, %z)\n"
         "%y.GlobalAveragePool = GlobalAveragePool(%y.DequantizeLinear)\n"
         "%y = QuantizeLinear(%y.GlobalAveragePool, %s, %z)\n"},
        {"%a: uint8[1,4,2], %s: float[], %z: uint8[]) { %y = ms.QLinearGlobalAveragePool(%a, %s, %z, %s, %z) {channels_last = 1} return %y",
         "%y.Transpose = Transpose(%a) {perm = [0, 2, 1]}\n"
         "%y.DequantizeLinear = DequantizeLinear(%y.Transpose, %s, %z)\n"
         "%y.GlobalAveragePool = GlobalAveragePool(%y.DequantizeLinear)\n"
         "%y.QuantizeLinear = QuantizeLinear(%y.GlobalAveragePool, %s, %z)\n"
         "%y = Transpose(%y.QuantizeLinear) {perm = [0, 2, 1]}\n"},
        {"%a: uint8[1,2,4], %s: float[], %z: uint8[]) { %y = ms.QLinearReduceMean(%a, %s, %z, %s, %z) {axes = [1], keepdims = 0} return %y",
         "const %y.values: int64[1] = {1}\n"
         "%y.DequantizeLinear = DequantizeLinear(%a, %s, %z)\n"
         "%y.ReduceMean = ReduceMean(%y.DequantizeLinear, %y.values) {keepdims = 0}\n"
         "%y = QuantizeLinear(%y.ReduceMean, %s, %z)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(what_moves_quantized_values_is_the_standard_operator)
{
    static const Row rows[] = {
        {"%a: uint8[1,2], %b: uint8[1,3], %s: float[], %t: float[], %z: uint8[]) { %y = ms.QLinearConcat(%s, %z, %a, %s, %z, %b, %t, %z) {axis = 1} return %y",
         "%y.DequantizeLinear = DequantizeLinear(%b, %t, %z)\n"
         "%y.QuantizeLinear = QuantizeLinear(%y.DequantizeLinear, %s, %z)\n"
         "%y = Concat(%a, %y.QuantizeLinear) {axis = 1}\n"},
        {"%a: uint8[1,2], %s: float[], %z: uint8[]) { %y = ms.QLinearConcat(%s, %z, %a, %s) {axis = 1} return %y",
         "severe: onnx-input-count model: QLinearConcat node making 'y': its parts are not whole, expected values, scale and zero point of each\n"},
        {"%x: uint8[1,5,5,2]) { %y = ms.NhwcMaxPool(%x) {kernel_shape = [2, 2]} return %y",
         "%y.Transpose = Transpose(%x) {perm = [0, 3, 1, 2]}\n"
         "%y.MaxPool = MaxPool(%y.Transpose) {kernel_shape = [2, 2]}\n"
         "%y = Transpose(%y.MaxPool) {perm = [0, 2, 3, 1]}\n"},
        {"%x: uint8[1,2,3,3], %w: int8[4,2,2,2], %s: float[], %z: uint8[], %v: int8[]) { %y = ms.QLinearConv(%x, %s, %z, %w, %s, %v, %s, %z) return %y",
         "%y = QLinearConv(%x, %s, %z, %w, %s, %v, %s, %z)\n"},
        {"%x: uint8[1,3,3,2], %w: int8[4,2,2,2], %s: float[], %z: uint8[], %v: int8[]) { %y = ms.QLinearConv(%x, %s, %z, %w, %s, %v, %s, %z) {channels_last = 1} return %y",
         "%y.Transpose = Transpose(%x) {perm = [0, 3, 1, 2]}\n"
         "%y.QLinearConv = QLinearConv(%y.Transpose, %s, %z, %w, %s, %v, %s, %z)\n"
         "%y = Transpose(%y.QLinearConv) {perm = [0, 2, 3, 1]}\n"},
        {"%x: uint8[?], %w: int8[?], %s: float[], %z: uint8[], %v: int8[]) { %y = ms.QLinearConv(%x, %s, %z, %w, %s, %v, %s, %z) {channels_last = 1} return %y",
         "%y.Shape = Shape(%x) {end = 1}\n"
         "%y.Shape.1 = Shape(%x) {start = 1, end = -1}\n"
         "%y.Shape.2 = Shape(%x) {start = -1}\n"
         "%y.ReduceProd = ReduceProd(%y.Shape.1) {keepdims = 1}\n"
         "%y.Concat = Concat(%y.Shape, %y.ReduceProd, %y.Shape.2) {axis = 0}\n"
         "%y.Concat.1 = Concat(%y.Shape, %y.Shape.2, %y.Shape.1) {axis = 0}\n"
         "%y.Reshape = Reshape(%x, %y.Concat) {allowzero = 1}\n"
         "%y.Transpose = Transpose(%y.Reshape) {perm = [0, 2, 1]}\n"
         "%y.Reshape.1 = Reshape(%y.Transpose, %y.Concat.1) {allowzero = 1}\n"
         "%y.QLinearConv = QLinearConv(%y.Reshape.1, %s, %z, %w, %s, %v, %s, %z)\n"
         "%y.Shape.3 = Shape(%y.QLinearConv) {end = 1}\n"
         "%y.Shape.4 = Shape(%y.QLinearConv) {start = 1, end = 2}\n"
         "%y.Shape.5 = Shape(%y.QLinearConv) {start = 2}\n"
         "%y.ReduceProd.1 = ReduceProd(%y.Shape.5) {keepdims = 1}\n"
         "%y.Concat.2 = Concat(%y.Shape.3, %y.Shape.4, %y.ReduceProd.1) {axis = 0}\n"
         "%y.Concat.3 = Concat(%y.Shape.3, %y.Shape.5, %y.Shape.4) {axis = 0}\n"
         "%y.Reshape.2 = Reshape(%y.QLinearConv, %y.Concat.2) {allowzero = 1}\n"
         "%y.Transpose.1 = Transpose(%y.Reshape.2) {perm = [0, 2, 1]}\n"
         "%y = Reshape(%y.Transpose.1, %y.Concat.3) {allowzero = 1}\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(products_of_integers_are_scaled_behind)
{
    static const Row rows[] = {
        {"%a: uint8[2], %z: uint8[], %b: uint8[2]) { %y = ms.MulInteger(%a, %z, %b) return %y",
         "%y.Cast = Cast(%a) {to = 6}\n"
         "%y.Cast.1 = Cast(%b) {to = 6}\n"
         "%y.Cast.2 = Cast(%z) {to = 6}\n"
         "%y.Sub = Sub(%y.Cast, %y.Cast.2)\n"
         "%y = Mul(%y.Sub, %y.Cast.1)\n"},
        {"%a: uint8[2,3]) { %y = ms.ReduceSumInteger(%a) {axes = [1], keepdims = 0} return %y",
         "const %y.values: int64[1] = {1}\n"
         "%y.Cast = Cast(%a) {to = 6}\n"
         "%y = ReduceSum(%y.Cast, %y.values) {keepdims = 0}\n"},
        {"%a: int16[2,3], %b: int16[3,2]) { %y = ms.MatMulInteger16(%a, %b) return %y",
         "%y.Cast = Cast(%a) {to = 6}\n"
         "%y.Cast.1 = Cast(%b) {to = 6}\n"
         "%y = MatMul(%y.Cast, %y.Cast.1)\n"},
        {"%a: uint8[2,3], %b: int8[3,2], %s: float[], %t: float[2], %z: uint8[], %v: int8[]) { %y = ms.MatMulIntegerToFloat(%a, %b, %s, %t, %z, %v) return %y",
         "%y.MatMulInteger = MatMulInteger(%a, %b, %z, %v)\n"
         "%y.Cast = Cast(%y.MatMulInteger) {to = 1}\n"
         "%y.Mul = Mul(%s, %t)\n"
         "%y = Mul(%y.Cast, %y.Mul)\n"},
        {"%a: float[2,3], %b: int8[3,2], %t: float[2], %v: int8[], %c: float[2]) { %y = ms.DynamicQuantizeMatMul(%a, %b, %t, %v, %c) return %y",
         "%y.DynamicQuantizeLinear, %y.DynamicQuantizeLinear.a_scale, %y.DynamicQuantizeLinear.a_zero_point = DynamicQuantizeLinear(%a)\n"
         "%y.MatMulInteger = MatMulInteger(%y.DynamicQuantizeLinear, %b, %y.DynamicQuantizeLinear.a_zero_point, %v)\n"
         "%y.Cast = Cast(%y.MatMulInteger) {to = 1}\n"
         "%y.Mul = Mul(%y.DynamicQuantizeLinear.a_scale, %t)\n"
         "%y.Mul.1 = Mul(%y.Cast, %y.Mul)\n"
         "%y = Add(%y.Mul.1, %c)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(quantized_embeddings_are_looked_up_before_they_are_real)
{
    static const Row rows[] = {
        {"%i: int32[1,2], %t: uint8[9,4], %v: uint8[4], %s: float[], %z: uint8[], %m: int32[1,2]) { %y, %n = ms.QEmbedLayerNormalization(%i, %i, %t, %t, %t, %v, %v, %m, %s, %s, %s, %s, %s, %z, %z, %z, %z, %z) return %y, %n",
         "const %y.value: int64[] = {1}\n"
         "const %y.value.1: int64[] = {0}\n"
         "const %y.value.2: int64[] = {1}\n"
         "const %y.value.3: int64[] = {1}\n"
         "const %y.values: int64[1] = {1}\n"
         "%y.Shape = Shape(%i)\n"
         "%y.Gather = Gather(%y.Shape, %y.value)\n"
         "%y.Range = Range(%y.value.1, %y.Gather, %y.value.2)\n"
         "%y.Gather.1 = Gather(%t, %i)\n"
         "%y.DequantizeLinear = DequantizeLinear(%y.Gather.1, %s, %z)\n"
         "%y.Gather.2 = Gather(%t, %y.Range)\n"
         "%y.DequantizeLinear.1 = DequantizeLinear(%y.Gather.2, %s, %z)\n"
         "%y.Add = Add(%y.DequantizeLinear, %y.DequantizeLinear.1)\n"
         "%y.Gather.3 = Gather(%t, %i)\n"
         "%y.DequantizeLinear.2 = DequantizeLinear(%y.Gather.3, %s, %z)\n"
         "%y.Add.1 = Add(%y.Add, %y.DequantizeLinear.2)\n"
         "%y.DequantizeLinear.3 = DequantizeLinear(%v, %s, %z)\n"
         "%y.DequantizeLinear.4 = DequantizeLinear(%v, %s, %z)\n"
         "%y = LayerNormalization(%y.Add.1, %y.DequantizeLinear.3, %y.DequantizeLinear.4) {epsilon = 1e-12}\n"
         "%y.Cast = Cast(%m) {to = 7}\n"
         "%y.Equal = Equal(%y.Cast, %y.value.3)\n"
         "%y.Cast.1 = Cast(%y.Equal) {to = 6}\n"
         "%n = ReduceSum(%y.Cast.1, %y.values) {keepdims = 0}\n"},
        {"%i: int32[1,2], %t: uint8[9,4], %v: uint8[4], %s: float[], %z: uint8[]) { %y, %n = ms.QEmbedLayerNormalization(%i, _, %t, %t, _, %v, %v, _, %s, %s, _, %s, %s, %z, %z, _, %z, %z) {epsilon = 0.5} return %y, %n",
         "const %y.value: int64[] = {1}\n"
         "const %y.value.1: int64[] = {0}\n"
         "const %y.value.2: int64[] = {1}\n"
         "const %y.values: int64[1] = {1}\n"
         "%y.Shape = Shape(%i)\n"
         "%y.Gather = Gather(%y.Shape, %y.value)\n"
         "%y.Range = Range(%y.value.1, %y.Gather, %y.value.2)\n"
         "%y.Gather.1 = Gather(%t, %i)\n"
         "%y.DequantizeLinear = DequantizeLinear(%y.Gather.1, %s, %z)\n"
         "%y.Gather.2 = Gather(%t, %y.Range)\n"
         "%y.DequantizeLinear.1 = DequantizeLinear(%y.Gather.2, %s, %z)\n"
         "%y.Add = Add(%y.DequantizeLinear, %y.DequantizeLinear.1)\n"
         "%y.DequantizeLinear.2 = DequantizeLinear(%v, %s, %z)\n"
         "%y.DequantizeLinear.3 = DequantizeLinear(%v, %s, %z)\n"
         "%y = LayerNormalization(%y.Add, %y.DequantizeLinear.2, %y.DequantizeLinear.3) {epsilon = 0.5}\n"
         "%y.Less = Less(%i, %i)\n"
         "%y.Cast = Cast(%y.Less) {to = 6}\n"
         "%n = ReduceSum(%y.Cast, %y.values) {keepdims = 0}\n"},
        {"%i: int32[1,2], %t: uint8[9,4], %v: uint8[4], %s: float[], %z: uint8[]) { %y, %n = ms.QEmbedLayerNormalization(%i, %i, %t, %t, _, %v, %v, _, %s, %s, _, %s, %s, %z, %z, _, %z, %z) return %y, %n",
         "severe: onnx-not-supported model: QEmbedLayerNormalization node making 'y': segment_ids, expected a segment_embedding with them\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST_MAIN(CASE(scales_of_16_bits_are_the_standard_ones),
          CASE(operators_of_two_quantized_values_compute_on_real_ones),
          CASE(operators_of_one_quantized_value_compute_on_a_real_one),
          CASE(what_moves_quantized_values_is_the_standard_operator),
          CASE(products_of_integers_are_scaled_behind),
          CASE(quantized_embeddings_are_looked_up_before_they_are_real))
