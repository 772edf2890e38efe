# SPDX-License-Identifier: Apache-2.0
"""Operators that compute: element by element, along axes, products, windows, recurrences, losses, random numbers."""
import elements
import formulas
from recipe import (add, edge, edge_left, edge_right, fill, node, positive, rand, type_of, val)


def floats(variable="T"):
    return lambda types: elements.is_float(elements.element_of(types[variable]))


def integers(variable="T"):
    return lambda types: elements.is_integer(elements.element_of(types[variable]))


# ---- element by element ----

add(
    "Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Cos Cosh Erf Exp Floor HardSwish IsNaN Log Mish Neg Not Reciprocal "
    "Relu Round Sigmoid Sign Sin Sinh Softplus Softsign Sqrt Tan Tanh", node([edge()]))
add("Celu", node([edge()]), node([edge()], alpha=0.5))
add("Elu", node([edge()], alpha=0.5))
add("Gelu", node([edge()]), node([edge()], approximate="tanh"))
add("HardSigmoid", node([edge()], alpha=0.3, beta=0.4))
add("IsInf", node([edge()]), node([edge()], detect_negative=0))
add("LeakyRelu", node([edge()], alpha=0.25))
add("Selu", node([edge()]), node([edge()], alpha=2.0, gamma=3.0))
add("Shrink", node([rand(3, 5)], lambd=1.0, bias=0.5))
add("Swish", node([edge()]), node([edge()], alpha=0.5))
add("ThresholdedRelu", node([edge()], alpha=0.5))
add("SwiGLU", node([edge(), edge()]), node([rand(2, 3), rand(2, 3)], alpha=0.5))

add("Add And BitwiseAnd BitwiseOr BitwiseXor Equal Greater GreaterOrEqual Less LessOrEqual Mul Or Sub Xor",
    node([edge_left(), edge_right()]))
add("Max Min", node([edge_left(), edge_right()]), node([rand(3), rand(2, 3), rand(2, 1)]), node([rand(3)]))
add("Mean Sum", node([rand(3), rand(2, 3), rand(2, 1)]), node([rand(3)]))
add("Div", node([edge_left(), edge_right()], where=floats()), node([edge_left(), edge_right((0, -1))],
                                                                   where=integers()))
add("Mod", node([edge_left(), edge_right((0, -1))], where=integers()),
    node([edge_left(), edge_right((0, -1))], where=integers(), fmod=1),
    node([edge_left(), edge_right()], where=floats(), fmod=1),
    node([edge_left(), edge_right()], where=floats(), exact=True))
add("BitShift", node([edge_left(), val([0, 1, 3, 7])], direction="LEFT"),
    node([edge_left(), val([0, 1, 3, 7])], direction="RIGHT"),
    node([edge_left(), edge_right()], direction="RIGHT", exact=True),
    node([edge_left(), edge_right()], direction="LEFT", exact=True))
add("Pow", node([rand(5, 1), val([0, 1, 2, 3])]),
    node([positive(5, 1), rand(1, 4)], where=lambda t: floats()(t) and floats("T1")(t)))
add("PRelu", node([edge_left(), val([2])]), node([rand(2, 3), rand(3)]))
add("Clip", node([edge(), val(-1), val(2)], where=lambda t: not t["T"].startswith("tensor(uint")),
    node([edge(), val(1), val(4)]), node([edge(), None, val(1)]), node([edge(), val(2), val(1)]), node([edge()]))

# ---- along axes ----

add("ReduceL1 ReduceL2 ReduceMean ReduceProd ReduceSum ReduceSumSquare", node([rand(2, 3, 4), val([1])]),
    node([rand(2, 3, 4)], keepdims=0), node([rand(2, 3)], noop_with_empty_axes=1),
    node([rand(2, 3, 4), val([0, -1])], keepdims=0))
add("ReduceLogSum", node([positive(2, 3, 4), val([1])]), node([positive(2, 3)], keepdims=0))
add("ReduceLogSumExp", node([rand(2, 3, 4), val([1])]), node([rand(2, 3)], keepdims=0))
add("ReduceMax ReduceMin", node([rand(2, 3, 4), val([1])]), node([rand(2, 3)], keepdims=0),
    node([rand(2, 0, 3), val([1])]))
add("ArgMax ArgMin", node([rand(3, 5)], axis=1), node([rand(3, 5)], axis=0, keepdims=0, select_last_index=1))
add("CumProd CumSum", node([rand(2, 3), val(1)]), node([rand(2, 3), val(-2)], exclusive=1, reverse=1))
add("Hardmax LogSoftmax Softmax", node([rand(2, 3, 4)]), node([rand(2, 3, 4)], axis=1))
add("LpNormalization", node([rand(2, 3)]), node([rand(2, 3)], p=1, axis=0))
add("TopK", node([rand(3, 5), val([2])]), node([rand(3, 5), val([3])], axis=0, largest=0))
add("Det", node([rand(2, 3, 3)]))
add("Einsum", node([rand(2, 3), rand(3, 4)], equation="ij,jk->ik"), node([rand(2, 3)], equation="ij->j"),
    node([rand(2, 3, 3)], equation="...ii->...i"))

# ---- normalization ----

add("BatchNormalization",
    node([rand(2, 3, 4), rand(3), rand(3), rand(3), positive(3)], outputs=1, mixed=True),
    node([rand(2, 3, 4), rand(3), rand(3), rand(3), positive(3)], training_mode=1, mixed=True))
add("GroupNormalization", node([rand(2, 4, 3), rand(4), rand(4)], num_groups=2))
add("InstanceNormalization", node([rand(2, 3, 4), rand(3), rand(3)]))
add("LayerNormalization", node([rand(2, 3, 4), rand(4), rand(4)], stash_type=type_of("U"), mixed=True),
    node([rand(2, 3, 4), rand(3, 4)], outputs=1, axis=1, stash_type=type_of("U"), mixed=True))
add("RMSNormalization", node([rand(2, 3, 4), rand(4)], mixed=True))
add("LRN", node([rand(5, 5, 3, 2)], size=3))  # onnx.reference takes the batches for the channels
add("MeanVarianceNormalization", node([rand(2, 3, 4, 2)]))

# ---- products ----

add("Gemm", node([rand(2, 3), rand(3, 4), rand(4)]),
    node([rand(3, 2), rand(4, 3), rand(2, 4)], transA=1, transB=1, where=lambda t: True),
    node([rand(2, 3), rand(3, 4)], alpha=0.5, where=floats()))
add("MatMul", node([rand(2, 3), rand(3, 4)]), node([rand(2, 1, 2, 3), rand(2, 3, 2)]), node([rand(3), rand(3)]),
    node([rand(17, 40), rand(40, 33)]))
add("MatMulInteger", node([rand(2, 3), rand(3, 4), val(1), val(1)], product=True), node([rand(2, 3), rand(3, 4)]))
QUANTIZED = [
    rand(1, 2, 4, 4),
    val(0.5),
    val(1),
    rand(3, 2, 3, 3),
    val([0.5, 0.25, 0.125]),
    val([1, 1, 1]),
    val(0.71),
    val(2)
]
add(
    "QLinearConv",
    node([*QUANTIZED, rand(3)],
         product=True,
         where=lambda t: not (t["T1"] == "tensor(int8)" and t["T2"] == "tensor(uint8)")))
add(
    "QLinearMatMul",
    node([rand(2, 3), val(0.5), val(1), rand(3, 4),
          val(0.25), val(1), val(0.7), val(1)],
         product=True,
         where=lambda t: "float8" not in t["T1"] + t["T2"] + t["T3"]),
    node([rand(2, 3), val(0.5), val(0), rand(3, 4),
          val(0.25), val(0), val(0.7), val(0)],
         product=True,
         formula=formulas.quantized_product,
         where=lambda t: all("float8" in t[name] for name in ("T1", "T2", "T3"))))
add("ConvInteger",
    node([rand(1, 2, 4, 4), rand(3, 2, 3, 3), val(1), val([1])], product=True),
    node([rand(1, 2, 4, 4), rand(3, 2, 3, 3)], pads=[1, 1, 1, 1]))
add("Conv", node([rand(1, 4, 5, 5), rand(6, 2, 3, 3), rand(6)], group=2, pads=[1, 0, 1, 0]),
    node([rand(2, 3, 6), rand(4, 3, 3)], strides=[2]), node([rand(1, 2, 3, 4, 3),
                                                             rand(2, 2, 2, 2, 2)]))
add("ConvTranspose", node([rand(1, 2, 3, 3), rand(2, 4, 2, 2), rand(4)], strides=[2, 2]))
add("DeformConv",
    node([rand(1, 2, 4, 4),
          rand(3, 2, 2, 2),
          rand(1, 8, 3, 3, low=-1, high=1),
          rand(3), positive(1, 4, 3, 3)]))
add("AffineGrid", node([rand(1, 2, 3), val([1, 1, 2, 3])]), node([rand(1, 2, 3), val([1, 1, 2, 3])], align_corners=1))

# ---- windows ----

add("AveragePool", node([rand(1, 2, 5, 5)], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
    node([rand(1, 2, 7)], kernel_shape=[3], count_include_pad=1, pads=[1, 1]))
add("LpPool", node([rand(1, 2, 5, 5)], kernel_shape=[3, 3], p=2), node([rand(1, 2, 5)], kernel_shape=[2], p=1))
add("MaxPool", node([rand(1, 2, 5, 5)], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
    node([rand(1, 2, 7)], outputs=1, kernel_shape=[3]))
add("GlobalAveragePool GlobalLpPool GlobalMaxPool", node([rand(2, 3, 4, 5)]))
add("MaxRoiPool", node([rand(1, 2, 6, 6), fill(lambda rng: [[0, 0, 0, 3, 3], [0, 1, 1, 5, 4]])], pooled_shape=[2, 2]))
add("MaxUnpool", node([rand(1, 1, 2, 2), fill(lambda rng: [[[[5, 7], [13, 15]]]])], kernel_shape=[2, 2], strides=[2,
                                                                                                                  2]))
add("RoiAlign",
    node([rand(1, 2, 6, 6), val([[0.5, 0.5, 4, 3.5]]), val([0])], output_height=2, output_width=3, sampling_ratio=2))
add("Col2Im", node([rand(1, 8, 4), val([3, 3]), val([2, 2])]))

# ---- recurrences ----

# onnx.reference passes over lengths: where it is asked, all steps count.
STEPS, FULL, SHORT = rand(3, 2, 4), val([3, 3]), val([3, 2])


def is_plain(types):
    return types["T"] == "tensor(float)"


add("RNN", node([STEPS, rand(1, 3, 4), rand(1, 3, 3),
                 rand(1, 6), FULL, rand(1, 2, 3)], hidden_size=3),
    node([STEPS, rand(1, 3, 4), rand(1, 3, 3), None, SHORT], hidden_size=3, where=is_plain))
add("GRU", node([STEPS, rand(1, 9, 4), rand(1, 9, 3),
                 rand(1, 18), FULL, rand(1, 2, 3)], hidden_size=3),
    node([STEPS, rand(1, 9, 4), rand(1, 9, 3), None, SHORT], hidden_size=3, where=is_plain),
    node([STEPS, rand(1, 9, 4), rand(1, 9, 3)], hidden_size=3, linear_before_reset=1))
add(
    "LSTM",
    node([STEPS, rand(1, 12, 4),
          rand(1, 12, 3),
          rand(1, 24), FULL,
          rand(1, 2, 3),
          rand(1, 2, 3),
          rand(1, 9)],
         hidden_size=3), node([STEPS, rand(1, 12, 4), rand(1, 12, 3), None, SHORT], hidden_size=3, where=is_plain),
    node([STEPS, rand(2, 12, 4), rand(2, 12, 3)], hidden_size=3, direction="bidirectional"))

# ---- attention ----

add("Attention", node([rand(1, 2, 3, 4), rand(1, 2, 5, 4),
                       rand(1, 2, 5, 4), rand(3, 5)], outputs=1),
    node([rand(1, 2, 3, 4), rand(1, 2, 3, 4), rand(1, 2, 3, 4)], outputs=1, is_causal=1))
add("FlexAttention", node([rand(1, 2, 3, 4), rand(1, 2, 5, 4), rand(1, 2, 5, 4)]))
add(
    "LinearAttention",
    node([rand(1, 3, 4), rand(1, 3, 4), rand(1, 3, 4), rand(1, 2, 2, 2)],
         q_num_heads=2,
         kv_num_heads=2,
         update_rule="linear"))
add("CausalConvWithState", node([rand(1, 2, 5), rand(2, 1, 3), rand(2), rand(1, 2, 2)]))
add("RotaryEmbedding", node([rand(1, 2, 3, 4), rand(5, 2), rand(5, 2), val([[0, 2, 4]])]))

# ---- losses ----

add("NegativeLogLikelihoodLoss", node([rand(3, 4), val([0, 3, 1]), positive(4)]),
    node([rand(3, 4), val([0, 3, 1])], reduction="none"))
add("SoftmaxCrossEntropyLoss", node([rand(3, 4), val([0, 3, 1]), positive(4)]),
    node([rand(3, 4), val([0, 3, 1])], reduction="sum"))

# ---- signals ----

for window in ("BlackmanWindow", "HammingWindow", "HannWindow"):
    add(window, node([val(7)], output_datatype=type_of("T2")), node([val(8)], output_datatype=type_of("T2"),
                                                                    periodic=0))
add("DFT", node([rand(1, 5, 1), None, val(1)]), node([rand(1, 4, 2), val(5), val(1)], inverse=1))
add("STFT", node([rand(1, 16, 1), val(4), positive(8)]))
add(
    "MelWeightMatrix",
    node([val(4), val(16), val(8000), val(0), val(4000)],
         output_datatype=type_of("T3"),
         where=lambda t: "int8" not in t["T1"]))
add("Range", node([val(1), val(9), val(2)]),
    node([val(9), val(1), val(-3)], where=lambda t: not t["T"].startswith("tensor(u")))

# ---- random numbers ----

add("Bernoulli", node([val([0, 1, 1, 0])], dtype=type_of("T2"), exact=True))
add("Multinomial", node([fill(lambda rng: [[-100, 0], [0, -100]])], sample_size=3, dtype=type_of("T2")))
add("RandomNormal RandomUniform", node([], shape=[2, 3], dtype=type_of("T"), only_shape=True))
add("RandomNormalLike RandomUniformLike", node([rand(2, 3)], dtype=type_of("T2"), only_shape=True))
add("Dropout", node([rand(2, 3)]), node([rand(2, 3), val(0.0), val(True)]))

# ---- training ----

STEP = [val(0.1), val(3)]
add("Adagrad",
    node([*STEP, rand(3), rand(3), positive(3)], outputs=2, norm_coefficient=0.01, decay_factor=0.1, epsilon=1e-5))
add("Adam", node([*STEP, rand(3), rand(3), rand(3), positive(3)],
                 outputs=3,
                 norm_coefficient=0.01,
                 alpha=0.9,
                 beta=0.99))
add("Momentum",
    node([*STEP, rand(3), rand(3), rand(3)], outputs=2, norm_coefficient=0.01, alpha=0.9, beta=0.8, mode="standard"),
    node([*STEP, rand(3), rand(3), rand(3)], outputs=2, norm_coefficient=0.01, alpha=0.9, beta=0.8, mode="nesterov"))
