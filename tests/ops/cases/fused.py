# SPDX-License-Identifier: Apache-2.0
"""Products and activations of com.microsoft: what optimizers fuse."""
import math

import numpy as np

from cases.case import bools, floats, ints, one

F16, F64 = np.float16, np.float64


def ms(name, op, inputs, outputs=1, **options):
    return one(name, op, inputs, outputs, domain="com.microsoft", **options)


# ---- convolutions ----


def conv(name, *inputs, **options):
    return ms(f"fused_conv{name}", "FusedConv", [floats(2, 3, 7, 6), floats(4, 3, 3, 3, low=-0.5, high=0.5), *inputs],
              constant=(1, 2)[:1 + bool(inputs and not isinstance(inputs[0], str))], **options)


BIAS, RESIDUAL = floats(4), floats(2, 4, 5, 4)
CONVS = [
    conv(""),
    conv("_relu", BIAS, activation="Relu"),
    conv("_residual", BIAS, RESIDUAL),
    conv("_residual_relu", BIAS, RESIDUAL, activation="Relu"),
    conv("_residual_without_bias", "", RESIDUAL, activation="Sigmoid"),
    conv("_tanh", BIAS, activation="Tanh"),
    conv("_leaky_relu", BIAS, activation="LeakyRelu", activation_params=[0.25]),
    conv("_clip", BIAS, activation="Clip", activation_params=[-0.5, 1.5]),
    conv("_hard_sigmoid", BIAS, activation="HardSigmoid", activation_params=[0.3, 0.4]),
    conv("_padded", BIAS, activation="Relu", pads=[1, 2, 0, 1], strides=[2, 1], dilations=[1, 2], kernel_shape=[3, 3]),
    conv("_same", BIAS, activation="Relu", auto_pad="SAME_LOWER", strides=[2, 2]),
    ms("fused_conv_groups", "FusedConv", [floats(1, 4, 5, 5), floats(4, 1, 3, 3), floats(4)], constant=(1, 2), group=4,
       activation="Relu"),
    ms("fused_conv_1d", "FusedConv", [floats(1, 2, 9), floats(3, 2, 2)], activation="Relu"),
    ms("fused_conv_with_open_weights", "FusedConv", [floats(1, 3, 5, 5), floats(2, 3, 3, 3), floats(2)], activation="Relu"),
]


def silu(x, w, b):
    """y[0, m] = sum of the 1x1 convolution, for which this ONNX Runtime may be too old or too new."""
    y = np.einsum("nchw,mcij->nmhw", x.astype(F64), w) + b[:, None, None]
    return [(y / (1 + np.exp(-y))).astype(np.float32)]


CONVS.append(ms("fused_conv_silu", "FusedConv", [floats(1, 3, 4, 4), floats(5, 3, 1, 1), floats(5)], expect=silu,
                activation="Silu"))

# ---- products of matrices ----


def gemm(name, *inputs, **options):
    return ms(f"fused_gemm{name}", "FusedGemm", list(inputs), **options)


ACTIVATIONS = {
    "Relu": {}, "Sigmoid": {}, "Tanh": {}, "Softplus": {}, "Softsign": {}, "Elu": {"alpha": 0.7}, "LeakyRelu": {"alpha": 0.3},
    "ThresholdedRelu": {"alpha": 0.8}, "HardSigmoid": {"alpha": 0.3, "beta": 0.4}, "Selu": {"alpha": 1.5, "gamma": 1.1},
    "ScaledTanh": {"alpha": 0.7, "beta": 1.3}, "ParametricSoftplus": {"alpha": 0.7, "beta": 1.3},
}
GEMMS = [gemm(f"_{op.lower()}", floats(3, 4), floats(4, 5), floats(5), activation=op,
              **{f"activation_{name}": value for name, value in parameters.items()}) for op, parameters in ACTIVATIONS.items()]
GEMMS += [
    gemm("_transposed", floats(4, 3), floats(5, 4), floats(3, 1), constant=(1, 2), transA=1, transB=1, alpha=0.5, beta=2.0,
         activation="Relu"),
    gemm("_without_c", floats(3, 4), floats(4, 5), activation="Relu"),
    gemm("_of_a_scalar", floats(3, 4), floats(4, 5), floats(), activation="Tanh"),
]


def matmul(name, a, b, **options):
    return ms(f"fused_matmul{name}", "FusedMatMul", [a, b], **options)


MATMULS = [
    matmul("", floats(2, 3), floats(3, 4)),
    matmul("_scaled", floats(2, 3), floats(3, 4), alpha=0.125),
    matmul("_b_transposed", floats(2, 3, 4), floats(2, 5, 4), transB=1, alpha=2.0),
    matmul("_a_transposed", floats(2, 4, 3), floats(2, 4, 5), transA=1),
    matmul("_both_transposed", floats(4, 3), floats(5, 4), transA=1, transB=1, constant=(1,)),
    matmul("_broadcast", floats(2, 1, 4, 3), floats(3, 5, 4), transA=1, transB=1),
    matmul("_f64", floats(2, 3, dtype=F64), floats(4, 3, dtype=F64), transB=1, alpha=0.5),
    matmul("_vectors", floats(4), floats(4), alpha=3.0),
    matmul("_vector_a", floats(4), floats(2, 4, 3)),
    matmul("_vector_b_transposed", floats(2, 3, 4), floats(4), transB=1),
    matmul("_batch_a", floats(3, 2, 5, 4), floats(2, 5, 4, 6), transBatchA=1),
    matmul("_batch_b", floats(2, 5, 3, 4), floats(4, 2, 5, 6), transBatchB=1),
    matmul("_batch_both", floats(3, 2, 4), floats(4, 2, 5), transBatchA=1, transBatchB=1, alpha=0.5),
    matmul("_batch_a_transposed", floats(4, 2, 3), floats(2, 4, 5), transBatchA=1, transA=1),
    matmul("_empty", floats(0, 3, 4), floats(0, 5, 4), transB=1),
    ms("transpose_matmul", "TransposeMatMul", [floats(2, 4, 3), floats(2, 5, 4)], transA=1, transB=1, alpha=0.25),
]


def of_unknown_rank(name, op, inputs, **attributes):
    """The same behind a Reshape to a shape that only running tells, so that no rank is known when the file is read."""
    from onnx import helper
    from cases.case import Case, make_model
    names = [f"x{i}" for i in range(len(inputs))]
    nodes = [helper.make_node("Reshape", [name_, f"{name_}_shape"], [f"{name_}_open"]) for name_ in names]
    nodes.append(helper.make_node(op, [f"{name_}_open" for name_ in names], ["y"], domain="com.microsoft", **attributes))
    given = dict(zip(names, inputs))
    given.update({f"{name_}_shape": np.array(value.shape) for name_, value in zip(names, inputs)})
    types = {name_: helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(value.dtype), (None,) * value.ndim)
             for name_, value in given.items()}
    return Case(name, make_model(nodes, types, ["y"], imports=[("com.microsoft", 1)]), list(given.values()))


MATMULS += [
    of_unknown_rank("fused_matmul_of_unknown_rank", "FusedMatMul", [floats(2, 3, 4, 5), floats(2, 3, 6, 5)], transB=1),
    of_unknown_rank("fused_matmul_of_unknown_matrices", "FusedMatMul", [floats(5, 4), floats(5, 6)], transA=1, alpha=0.5),
    of_unknown_rank("fused_matmul_of_unknown_batch", "FusedMatMul", [floats(3, 2, 5, 4), floats(2, 5, 4, 6)], transBatchA=1),
]

# ---- activations ----


def erf_gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf, otypes=[F64])(x / math.sqrt(2)))


def tanh_gelu(x):
    return x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def in_float64(function):
    """Computed in float64, given in the first input's type."""
    def expect(x, *rest):
        wide = [None if value is None else value.astype(F64) for value in (x, *rest)]
        return [np.asarray(function(*wide)).astype(x.dtype)]
    return expect


HALF = {"bounds": {"rtol": 4e-3, "atol": 2e-3}}
WIDE = np.array([-60, -20, -8, -3, -1, -1e-3, 0, 1e-3, 1, 3, 8, 20, 60], np.float32)
UNITS = [
    ms("bias_gelu", "BiasGelu", [floats(2, 3, 8), floats(8)]),
    ms("bias_gelu_constant", "BiasGelu", [floats(3, 8), floats(8)], constant=(1,)),
    ms("bias_gelu_f16", "BiasGelu", [floats(3, 8, dtype=F16), floats(8, dtype=F16)],
       expect=in_float64(lambda a, b: erf_gelu(a + b)), **HALF),
    ms("gelu", "Gelu", [floats(2, 3, 4)]),
    ms("gelu_wide", "Gelu", [WIDE]),
    ms("gelu_f64", "Gelu", [floats(3, 4, dtype=F64)], expect=in_float64(erf_gelu)),
    ms("gelu_f16", "Gelu", [floats(3, 4, dtype=F16)], expect=in_float64(erf_gelu), **HALF),
    ms("fast_gelu", "FastGelu", [floats(2, 3, 4)]),
    ms("fast_gelu_bias", "FastGelu", [floats(2, 3, 4), floats(4)]),
    ms("fast_gelu_wide", "FastGelu", [WIDE], expect=in_float64(tanh_gelu), agreed=True),
    ms("fast_gelu_f16", "FastGelu", [floats(3, 4, dtype=F16), floats(4, dtype=F16)],
       expect=in_float64(lambda x, bias: tanh_gelu(x + bias)), **HALF),
    ms("quick_gelu", "QuickGelu", [floats(2, 3, 4)]),
    ms("quick_gelu_alpha", "QuickGelu", [floats(2, 3, 4)], alpha=1.0),
    ms("quick_gelu_negative", "QuickGelu", [WIDE], alpha=-0.5),
    ms("quick_gelu_f16", "QuickGelu", [floats(3, 4, dtype=F16)], expect=in_float64(lambda x: x / (1 + np.exp(-1.702 * x))),
       **HALF),
    ms("gemm_fast_gelu", "GemmFastGelu", [floats(2, 3, 4), floats(4, 5), floats(5)],
       expect=in_float64(lambda x, w, bias: tanh_gelu(x @ w + bias))),
    ms("gemm_fast_gelu_without_bias", "GemmFastGelu", [floats(3, 4), floats(4, 5)],
       expect=in_float64(lambda x, w: tanh_gelu(x @ w))),
    ms("bias_split_gelu", "BiasSplitGelu", [floats(2, 3, 8), floats(8)],
       expect=in_float64(lambda x, bias: (x + bias)[..., :4] * erf_gelu((x + bias)[..., 4:]))),
    ms("bias_add", "BiasAdd", [floats(2, 3, 4), floats(4), floats(2, 3, 4, seed=1)],
       expect=in_float64(lambda x, bias, skip: x + bias + skip)),
]


def softmax(x, axis):
    """Over the dims from `axis` on as one row."""
    rows = x.reshape(int(np.prod(x.shape[:axis])), -1)
    rows = np.exp(rows - rows.max(1, keepdims=True))
    return (rows / rows.sum(1, keepdims=True)).reshape(x.shape)


def biased(axis):
    return in_float64(lambda x, bias: softmax(x + bias, axis))


UNITS += [
    ms("bias_softmax_inner", "BiasSoftmax", [floats(2, 3, 4, 5), floats(2, 1, 1, 5)], expect=biased(3), axis=3,
       is_inner_broadcast=1),
    ms("bias_softmax_outer", "BiasSoftmax", [floats(2, 3, 4, 5), floats(1, 1, 4, 5)], expect=biased(2), axis=2,
       is_inner_broadcast=0),
    ms("bias_softmax_default_axis", "BiasSoftmax", [floats(3, 4, dtype=F64), floats(3, 4, dtype=F64, seed=1)],
       expect=biased(1), is_inner_broadcast=0),
]


def kept(add):
    """Dropout in inference."""
    def expect(data, *rest):
        y = np.asarray(add(data, *rest))
        return [y, np.full(y.shape, True)]
    return expect


def packed(add):
    def expect(data, *rest):
        y = np.asarray(add(data, *rest))
        return [y, np.full(-(-y.size // 32), 0xffffffff, np.uint32)]
    return expect


RATIO, OFF = np.array(0.5, np.float32), np.array(False)
DROPOUTS = [
    ms("bias_dropout", "BiasDropout", [floats(2, 5), floats(5), floats(2, 5, seed=1), RATIO, OFF], 2,
       expect=kept(lambda x, b, r, *_: x + b + r)),
    ms("bias_dropout_plain", "BiasDropout", [floats(2, 5), floats(5)], 1, expect=lambda x, b: [x + b]),
    ms("bitmask_dropout", "BitmaskDropout", [floats(5, 7), RATIO], 2, expect=packed(lambda x, _: x)),
    ms("bitmask_bias_dropout", "BitmaskBiasDropout", [floats(4, 8), floats(8), floats(4, 8, seed=1)], 2,
       expect=packed(lambda x, b, r: x + b + r)),
]

CASES = CONVS + GEMMS + MATMULS + UNITS + DROPOUTS
