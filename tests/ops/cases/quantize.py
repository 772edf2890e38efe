# SPDX-License-Identifier: Apache-2.0
"""Quantized operators of com.microsoft: elementwise ones, poolings, and those that move data.

Scales are odd numbers where results are to be equal: halfway between two integers it is up to the order of roundings
which of them comes out, unless all scales are powers of two.
"""
import ml_dtypes
import numpy as np
from onnx import helper

from cases.case import bools, floats, ints
from cases.quantized import F32, I8, I32, U8, bytes_of, of_microsoft, scale, zero, zeros

# ---- two operands ----


def quantized(real, step, shift, dtype):
    """To the nearest, halves to even."""
    info = np.iinfo(dtype)
    return np.clip(np.rint(real.astype(F32) / step) + shift, info.min, info.max).astype(dtype)


def without_zeros(function):
    """An operator without zero points: ONNX Runtime says that they are optional, and refuses such nodes."""
    def expect(a, a_scale, _a, b, b_scale, _b, c_scale, _c):
        return [quantized(function(a * a_scale, b * b_scale), c_scale, 0, a.dtype)]
    return expect


def binary(name, op, a, b, points, scales=(0.02131, 0.03717, 0.04973), **options):
    inputs = [a, scale(scales[0]), points[0], b, scale(scales[1]), points[1], scale(scales[2]), points[2]]
    constant = [i for i in (1, 2, 4, 5, 6, 7) if not isinstance(inputs[i], str)]
    return of_microsoft(name, op, inputs, constant=constant, **options)


def binaries(name, op, function):
    small = (0.01, 0.02, 0.03)
    return [
        binary(name, op, bytes_of(3, 37), bytes_of(3, 37, seed=1), zeros(128, 3, 100)),
        binary(f"{name}_i8_broadcast", op, bytes_of(2, 3, 5, dtype=I8), bytes_of(3, 1, dtype=I8), zeros(-7, 4, 0, dtype=I8)),
        binary(f"{name}_saturates", op, bytes_of(33), bytes_of(), zeros(0, 0, 250), (1, 1, 0.1)),
        binary(f"{name}_halves_to_even", op, np.arange(16, dtype=U8), np.array([1, 2], U8).repeat(8), zeros(0, 0, 0),
               (0.5, 1, 1)),
        binary(f"{name}_without_zero_points", op, bytes_of(17), bytes_of(17, seed=1), ["", "", ""], small,
               expect=without_zeros(function)),
        binary(f"{name}_i8_without_zero_points", op, bytes_of(17, dtype=I8), bytes_of(1, dtype=I8), ["", "", ""], small,
               expect=without_zeros(function)),
    ]


# ---- one operand ----


def unary(name, op, x, x_scale, x_zero, y_scale, y_zero, constant=(1, 2, 3, 4), **options):
    return of_microsoft(name, f"QLinear{op}", [x, scale(x_scale), x_zero, scale(y_scale), y_zero], constant=constant,
                        **options)


def mean(x, x_scale, x_zero, y_scale, y_zero):
    """QLinearReduceMean over the last two dims, for which ONNX Runtime has no kernel."""
    return [quantized(((x.astype(I32) - x_zero) * x_scale).mean(axis=(1, 2)), y_scale, y_zero, x.dtype)]


def softmax(name, version, *inputs, **attributes):
    """`version`: of the Softmax that it stands for, an attribute that our `opset` hides."""
    case = unary(name, "Softmax", *inputs, **attributes)
    case.model.graph.node[0].attribute.append(helper.make_attribute("opset", version))
    return case


WINDOW = {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}
U8_STEPS = (0.0503, zero(100), 0.0397, zero(90))
PROBABILITIES = (1 / 256, zero(0))

UNARIES = [
    unary("qlinear_sigmoid", "Sigmoid", np.arange(256, dtype=U8), 0.05, zero(120), *PROBABILITIES),
    unary("qlinear_sigmoid_i8", "Sigmoid", bytes_of(2, 3, 41, dtype=I8), 0.05, zero(-3, I8), 1 / 256, zero(-128, I8)),
    unary("qlinear_sigmoid_computed_scales", "Sigmoid", bytes_of(77), 0.05, zero(120), *PROBABILITIES, ()),
    unary("qlinear_leaky_relu", "LeakyRelu", np.arange(256, dtype=U8), *U8_STEPS, alpha=0.1),
    unary("qlinear_leaky_relu_i8", "LeakyRelu", bytes_of(5, 19, dtype=I8), 0.0503, zero(12, I8), 0.0297, zero(1, I8)),
    softmax("qlinear_softmax", 13, bytes_of(3, 4, 10), 0.03, zero(5), *PROBABILITIES),
    softmax("qlinear_softmax_i8_axis", 13, bytes_of(3, 4, 10, dtype=I8), 0.03, zero(5, I8), 1 / 256, zero(-128, I8), axis=1),
    softmax("qlinear_softmax_flattens_before_13", 12, bytes_of(3, 4, 5), 0.03, zero(5), *PROBABILITIES, axis=1),
    unary("qlinear_average_pool", "AveragePool", bytes_of(2, 3, 9, 8), *U8_STEPS, **WINDOW),
    unary("qlinear_average_pool_counts_pads", "AveragePool", bytes_of(1, 2, 7, 7, dtype=I8), 0.0503, zero(10, I8), 0.0397,
          zero(-9, I8), kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1, ceil_mode=1, strides=[2, 2]),
    unary("qlinear_average_pool_channels_last", "AveragePool", bytes_of(2, 9, 8, 3), *U8_STEPS, channels_last=1, **WINDOW),
    unary("qlinear_global_average_pool", "GlobalAveragePool", bytes_of(2, 5, 7, 6), *U8_STEPS),
    unary("qlinear_global_average_pool_channels_last", "GlobalAveragePool", bytes_of(2, 7, 6, 5), *U8_STEPS,
          channels_last=1),
    unary("qlinear_reduce_mean", "ReduceMean", bytes_of(3, 7, 5), *U8_STEPS, axes=[1, 2], keepdims=0, expect=mean),
]

# ---- moving, choosing ----

MOVES = [
    of_microsoft("qlinear_where", "QLinearWhere",
                 [bools(3, 1), bytes_of(3, 21), scale(0.0503), zero(100), bytes_of(21), scale(0.0297), zero(9), scale(0.0601),
                  zero(77)], constant=(2, 3, 5, 6, 7, 8)),
    of_microsoft("qlinear_where_i8", "QLinearWhere",
                 [bools(2, 3, 5), bytes_of(1, dtype=I8), scale(0.0503), zero(-100, I8), bytes_of(3, 5, dtype=I8),
                  scale(0.0297), zero(9, I8), scale(0.0401), zero(7, I8)], constant=(2, 3, 5, 6, 7, 8)),
    of_microsoft("qlinear_concat", "QLinearConcat",
                 [scale(0.05), zero(100), bytes_of(2, 3), scale(0.05), zero(100), bytes_of(2, 4), scale(0.0203), zero(9),
                  bytes_of(2, 1), scale(0.2), zero(200)], constant=(0, 1, 3, 4, 6, 7, 9, 10), axis=1),
    of_microsoft("qlinear_concat_i8_first_axis", "QLinearConcat",
                 [scale(0.05), zero(-10, I8), bytes_of(2, 3, dtype=I8), scale(0.0403), zero(10, I8),
                  bytes_of(1, 3, dtype=I8), scale(0.0203), zero(9, I8)], constant=(0, 1, 3, 4, 6, 7), axis=0),
    of_microsoft("nhwc_max_pool", "NhwcMaxPool", [bytes_of(2, 9, 8, 3)], **WINDOW),
    of_microsoft("nhwc_max_pool_i8_dilated", "NhwcMaxPool", [bytes_of(1, 11, 10, 17, dtype=I8)], kernel_shape=[2, 3],
                 dilations=[2, 3], ceil_mode=1, strides=[2, 2]),
]

# ---- integers: ONNX Runtime has no kernels for these ----

INTEGERS = [
    of_microsoft("mul_integer", "MulInteger", [bytes_of(3, 7), zero(100), bytes_of(7), zero(3)], constant=(1, 3),
                 expect=lambda a, a_zero, b, b_zero: [(a.astype(I32) - a_zero) * (b.astype(I32) - b_zero)]),
    of_microsoft("mul_integer_without_zero_points", "MulInteger", [bytes_of(3, 7, dtype=I8), "", bytes_of(7, dtype=I8)],
                 expect=lambda a, _, b: [a.astype(I32) * b.astype(I32)]),
    of_microsoft("reduce_sum_integer", "ReduceSumInteger", [bytes_of(3, 7, 5)], axes=[0, 2], keepdims=1,
                 expect=lambda x: [x.sum(axis=(0, 2), keepdims=True, dtype=I32)]),
    of_microsoft("reduce_sum_integer_drops_dims", "ReduceSumInteger", [bytes_of(3, 7, dtype=I8)], axes=[-1], keepdims=0,
                 expect=lambda x: [x.sum(axis=-1, dtype=I32)]),
]

# ---- QuantizeLinear and DequantizeLinear ----

STEPS = np.array([0.01, 0.02, 0.03, 0.04], F32)
HALVES = np.array([-3.5, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 3.5, 1000, -1000], F32)

SCALED = [
    of_microsoft("quantize_linear_u16", "QuantizeLinear",
                 [floats(3, 11, low=-900, high=900), scale(0.03), zero(30000, np.uint16)], constant=(1, 2)),
    of_microsoft("quantize_linear_i16_per_axis", "QuantizeLinear",
                 [floats(3, 4, 5, low=-500, high=500), STEPS, np.array([0, 5, -5, 700], np.int16)], constant=(1, 2), axis=1),
    of_microsoft("quantize_linear_without_zero_point", "QuantizeLinear", [floats(31, low=-40, high=200), scale(0.5)]),
    of_microsoft("quantize_linear_halves_to_even", "QuantizeLinear", [HALVES, scale(1), zero(1, I8)]),
    of_microsoft("quantize_linear_i4", "QuantizeLinear",
                 [floats(3, 5, low=-9, high=9), scale(0.9), np.array(1, ml_dtypes.int4)], constant=(2,),
                 expect=lambda x, step, shift: [np.clip(np.rint(x / step) + 1, -8, 7).astype(ml_dtypes.int4)]),
    of_microsoft("dequantize_linear_u16", "DequantizeLinear",
                 [bytes_of(3, 11, dtype=np.uint16), scale(0.03), zero(30000, np.uint16)], constant=(1, 2)),
    of_microsoft("dequantize_linear_i16_per_axis", "DequantizeLinear",
                 [bytes_of(3, 4, 5, dtype=np.int16), STEPS[:3], np.array([0, 5, -5], np.int16)], constant=(1, 2), axis=0),
    of_microsoft("dequantize_linear_i32", "DequantizeLinear", [bytes_of(19, dtype=I32), scale(0.03)], constant=(1,)),
    of_microsoft("dequantize_linear_u4", "DequantizeLinear",
                 [ints(3, 5, low=0, high=15, dtype=ml_dtypes.uint4), scale(0.5), np.array(7, ml_dtypes.uint4)],
                 constant=(0, 2)),
    of_microsoft("dequantize_linear_i4_per_axis", "DequantizeLinear",
                 [ints(5, 3, low=-8, high=7, dtype=ml_dtypes.int4), STEPS[:3], np.array([1, 0, -1], ml_dtypes.int4)],
                 constant=(0, 2), axis=1),
]

# ---- QEmbedLayerNormalization ----

TABLES = [bytes_of(30, 8), bytes_of(12, 8), bytes_of(2, 8), bytes_of(8), bytes_of(8, seed=1)]
TABLE_SCALES = [scale(value) for value in (0.01, 0.02, 0.03, 0.008, 0.01)]
TABLE_ZEROS = zeros(100, 120, 140, 0, 128)
MASK = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], I32)


def embedding(name, segments, mask, **attributes):
    lists = [[value if k != 2 or not isinstance(segments, str) else "" for k, value in enumerate(values)]
             for values in (TABLES, TABLE_SCALES, TABLE_ZEROS)]
    inputs = [ints(2, 5, low=0, high=29, dtype=I32), segments, *lists[0], mask, *lists[1], *lists[2]]
    constant = [i for i in range(2, 18) if i != 7 and not isinstance(inputs[i], str)]
    return of_microsoft(name, "QEmbedLayerNormalization", inputs, 2, constant=constant, **attributes)


EMBEDDINGS = [
    embedding("qembed_layer_norm", ints(2, 5, low=0, high=1, dtype=I32), MASK, epsilon=1e-5),
    embedding("qembed_layer_norm_without_segments", "", ""),
]

CASES = (binaries("qlinear_add", "QLinearAdd", np.add) + binaries("qlinear_mul", "QLinearMul", np.multiply) + UNARIES + MOVES +
         INTEGERS + SCALED + EMBEDDINGS)
