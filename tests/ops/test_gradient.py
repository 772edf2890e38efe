# SPDX-License-Identifier: Apache-2.0
"""Gradient against central differences in float64: a row for every rule, with known and with open sizes."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

quern = pytest.importorskip("quern")

TRAINING = "ai.onnx.preview.training"
OPSETS = [helper.make_opsetid("", 28), helper.make_opsetid(TRAINING, 1)]
TYPES = {
    name: helper.np_dtype_to_tensor_dtype(np.dtype(name)) for name in ("float64", "float32", "float16", "int64", "bool")
}
CLOSED = {(1, "Conv"), (1, "ConvTranspose")}  # kernels of open sizes are no part of a plan
STEP = 1e-5

rng = np.random.default_rng(7)


def rand(*shape, low=-2.0, high=2.0):
    """Numbers at least 0.05 away from each other and from whole ones: no kink is near, and no tie."""
    count = int(np.prod(shape))
    values = np.linspace(low, high, 4 * count + 7)
    values = values[np.abs(values - np.round(values)) > 0.002]
    return rng.permutation(values)[:count].reshape(shape)


def ints(*values, shape=None):
    return np.array(values, np.int64).reshape(shape or (len(values), ))


class Row:
    """One node: its inputs (None: absent) and attributes; floating-point ones are differentiated unless held."""

    def __init__(self, op, *inputs, held=(), output=0, outputs=1, name="", **attributes):
        self.op, self.inputs, self.held, self.output, self.outputs = op, inputs, held, output, outputs
        self.attributes, self.name = attributes, name

    def __repr__(self):
        shapes = "x".join("_" if x is None else "".join(map(str, x.shape)) or "s" for x in self.inputs)
        return f"{self.op}-{shapes}-" + "-".join(f"{k}={v}" for k, v in self.attributes.items()) + self.name

    def xs(self):
        return [i for i, x in enumerate(self.inputs) if x is not None and x.dtype == np.float64 and i not in self.held]

    def node(self, opset=None):
        names = ["" if x is None else f"x{i}" for i, x in enumerate(self.inputs)]
        return helper.make_node(self.op, names, [f"o{i}" for i in range(self.outputs)], **self.attributes)


def unary(op, low=-2.0, high=2.0, **attributes):
    return Row(op, rand(2, 3, low=low, high=high), **attributes)


IMAGE = rand(2, 4, 5, 6)
ROWS = [
    *[
        unary(op) for op in
        "Abs Asinh Atan Ceil Cos Cosh Erf Exp Floor HardSwish Identity Mish Neg Relu Round Sigmoid Sign Sin Sinh "
        "Softplus Softsign Tanh Hardmax".split()
    ],
    *[unary(op, -0.9, 0.9) for op in "Acos Asin Atanh Tan".split()],
    *[unary(op, 1.1, 3.0) for op in "Acosh Log Reciprocal Sqrt".split()],
    unary("Celu", alpha=0.7),
    unary("Elu", alpha=0.7),
    unary("LeakyRelu", alpha=0.3),
    unary("Swish", alpha=1.5),
    unary("Selu"),
    unary("Selu", alpha=1.1, gamma=0.8),
    unary("HardSigmoid"),
    unary("HardSigmoid", alpha=0.4, beta=0.3),
    unary("ThresholdedRelu", alpha=0.5),
    unary("Shrink", lambd=0.6, bias=0.1),
    unary("Gelu"),
    unary("Gelu", approximate="tanh"),
    unary("HardSwish", -4.0, 4.0),
    unary("Cast", to=TensorProto.DOUBLE),
    Row("CastLike", rand(2, 3), rand(1), held=(1, )),
    Row("Dropout", rand(2, 3)),
    Row("Dropout", rand(2, 3), np.array(0.4), np.array(False), held=(1, )),
    # ---- several inputs, broadcast ----
    *[Row(op, rand(2, 3), rand(2, 3, low=0.6, high=2.4)) for op in "Add Sub Mul Div Mod".split() if op != "Mod"],
    *[Row(op, rand(2, 1, 3), rand(4, 1, low=0.6, high=2.4)) for op in "Add Sub Mul Div".split()],
    Row("Mul", rand(), rand(2, 2)),
    Row("Mul", rand(2, 2), rand(1)),
    Row("Add", rand(3), rand(2, 1, 3)),
    Row("Mod", rand(2, 3), rand(3, low=0.6, high=2.4), fmod=1),
    Row("Pow", rand(2, 3, low=0.5, high=2.5), rand(3)),
    Row("Pow", rand(2, 3), np.array(3.0), held=(1, )),
    Row("Pow", rand(2, 3), ints(2, 0, 3)),
    Row("PRelu", rand(2, 3, 2), rand(3, 1)),
    Row("SwiGLU", rand(2, 3), rand(2, 3)),
    Row("SwiGLU", rand(2, 3), rand(2, 3), alpha=1.7),
    Row("Max", rand(2, 3), rand(3), rand(2, 1)),
    Row("Min", rand(2, 3), rand(3), rand(2, 1)),
    Row("Sum", rand(2, 3), rand(3), rand(2, 1)),
    Row("Mean", rand(2, 3), rand(3), rand(2, 1)),
    Row("Sum", rand(3)),
    Row("Where", np.array([[True], [False]]), rand(2, 3), rand(3)),
    Row("Where", np.array([True, False, True]), rand(), rand(2, 3)),
    Row("Clip", rand(2, 3)),
    Row("Clip", rand(2, 5), np.array(-0.7), np.array(0.9)),
    Row("Clip", rand(2, 5), np.array(-0.7)),
    Row("Clip", rand(2, 5), None, np.array(0.3)),
    Row("Clip", rand(2, 5), np.array(0.6), np.array(-0.4)),
    # ---- reductions ----
    *[
        Row(op, rand(2, 3, 2, low=0.4, high=2.6), *axes, **attributes)
        for op in "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum "
        "ReduceSumSquare".split() for axes, attributes in [
            ((ints(1), ), {}),
            ((ints(0, -1), ), {"keepdims": 0}),
            ((), {}),
            ((), {"keepdims": 0}),
            ((), {"noop_with_empty_axes": 1}),
        ]
    ],
    Row("ReduceL1", rand(2, 3), ints(1)),
    Row("ReduceProd", np.array([[1.5, 0.0, 2.5], [0.0, 0.0, 1.0]]), ints(1)),
    # ---- moving ----
    Row("Transpose", rand(2, 3, 4)),
    Row("Transpose", rand(2, 3, 4), perm=[2, 0, 1]),
    Row("Reshape", rand(2, 3), ints(3, -1)),
    Row("Flatten", rand(2, 3, 2)),
    Row("Squeeze", rand(2, 1, 3), ints(1)),
    Row("Squeeze", rand(2, 1, 3)),
    Row("Unsqueeze", rand(2, 3), ints(0, 2)),
    Row("Concat", rand(2, 3), rand(2, 1), axis=-1),
    Row("Concat", rand(2, 3), rand(1, 3), rand(3, 3), axis=0),
    Row("Split", rand(2, 5), ints(2, 3), outputs=2, axis=1),
    Row("Split", rand(4, 2), outputs=2, output=1, num_outputs=2),
    Row("Slice", rand(4, 5), ints(1), ints(4), ints(1)),
    Row("Slice", rand(4, 5), ints(3, 4), ints(-9, 0), ints(0, 1), ints(-2, -1)),
    Row("Pad", rand(2, 3), ints(1, 0, 2, 1)),
    Row("Pad", rand(2, 3), ints(1, 0, 2, 1), np.array(0.5)),
    Row("Pad", rand(3, 4), ints(1, -1, 0, 2), np.array(0.5)),
    Row("Pad", rand(3, 4), ints(1, 2), None, ints(1)),
    *[Row("Pad", rand(3, 4), ints(1, 2, 2, 1), mode=mode) for mode in ("edge", "reflect", "wrap")],
    Row("Expand", rand(3, 1), ints(2, 1, 4)),
    Row("Resize", rand(1, 1, 2, 3), None, np.array([1, 1, 2, 1.5], np.float32)),
    Row("Resize", rand(1, 1, 3, 4), None, None, ints(2, 5), axes=[2, 3], nearest_mode="floor"),
    Row("Tile", rand(2, 3), ints(2, 2)),
    Row("Gather", rand(4, 2), ints(1, 3, 1, -1, shape=(2, 2))),
    Row("Gather", rand(2, 4), ints(1, 3, 1), axis=1),
    Row("Gather", rand(4, 2), np.array(2, np.int64)),
    Row("GatherElements", rand(3, 2), ints(0, 2, 2, -1, shape=(2, 2))),
    Row("GatherElements", rand(2, 3), ints(0, 2, 2, 1, shape=(2, 2)), axis=1),
    Row("GatherND", rand(3, 2), ints(1, 0, 1, 0, shape=(2, 2))),
    Row("GatherND", rand(2, 3, 2), ints(2, 0, shape=(2, 1)), batch_dims=1),
    Row("ScatterElements", rand(3, 2), ints(0, 2, 1, 1, shape=(2, 2)), rand(2, 2)),
    Row("ScatterElements", rand(2, 3), ints(0, 0, 1, 1, shape=(2, 2)), rand(2, 2), axis=1, reduction="add"),
    Row("ScatterND", rand(3, 2), ints(2, 0, shape=(2, 1)), rand(2, 2)),
    Row("ScatterND", rand(3, 2), ints(2, 2, shape=(2, 1)), rand(2, 2), reduction="add"),
    Row("Compress", rand(2, 3), np.array([True, False, True]), axis=1),
    Row("Compress", rand(2, 2), np.array([False, True, True])),
    Row("CumSum", rand(2, 3), np.array(1, np.int64)),
    Row("CumSum", rand(2, 3), np.array(0, np.int64), reverse=1),
    Row("CumSum", rand(2, 4), np.array(1, np.int64), exclusive=1),
    Row("CumSum", rand(2, 4), np.array(1, np.int64), exclusive=1, reverse=1),
    Row("DepthToSpace", rand(1, 8, 1, 2), blocksize=2),
    Row("DepthToSpace", rand(1, 8, 1, 2), blocksize=2, mode="CRD"),
    Row("SpaceToDepth", rand(1, 2, 2, 4), blocksize=2),
    Row("ReverseSequence", rand(3, 2), ints(2, 3), batch_axis=1, time_axis=0),
    Row("Trilu", rand(3, 4)),
    Row("Trilu", rand(2, 3, 3), np.array(1, np.int64), upper=0),
    Row("TopK", rand(2, 5), ints(3), outputs=2),
    Row("TopK", rand(5, 2), ints(2), outputs=2, axis=0, largest=0),
    Row("OneHot", ints(0, 2, -1), ints(3), rand(2)),
    Row("OneHot", ints(0, 2, 5), ints(3), rand(2), axis=0),
    # ---- products ----
    *[
        Row("MatMul", rand(*a), rand(*b))
        for a, b in [((2, 3), (3, 4)), ((3, ), (3, )), ((3, ), (3, 2)), ((2, 3), (3, )), ((2, 2, 3), (3, 2)),
                     ((2, 2, 3), (2, 3, 2)), ((2, 1, 2, 3), (3, 3, 2)), ((3, ), (2, 3, 2)), ((2, 2, 3), (3, )),
                     ((2, 3), (2, 3, 2))]
    ],
    *[
        Row("Gemm", rand(3, 2) if a else rand(2, 3), rand(4, 3) if b else rand(3, 4), rand(4), transA=a, transB=b,
            alpha=0.5, beta=0.7) for a in (0, 1) for b in (0, 1)
    ],
    *[
        Row("Einsum", *[rand(*shape) for shape in shapes], equation=equation)
        for equation, *shapes in [("ij,jk->ik", (2, 3), (3, 2)), ("bhid, bhjd -> bhij", (1, 2, 2, 3), (1, 2, 3, 3)),
                                  ("ij,j,k->k", (2, 3), (3, ), (2, )), ("ij->", (2, 3)),
                                  ("...i,...i", (2, 1, 2), (3, 2)), ("...ij,jk->...ik", (2, 2, 3), (3, 2)),
                                  ("ba", (2, 3))]
    ],
    Row("Gemm", rand(2, 3), rand(3, 4)),
    Row("Gemm", rand(2, 3), rand(3, 4), rand(2, 1)),
    Row("Gemm", rand(2, 3), rand(3, 4), rand()),
    # ---- windows ----
    Row("Conv", rand(1, 2, 6), rand(3, 2, 3), rand(3)),
    Row("Conv", rand(2, 2, 4, 5), rand(2, 2, 2, 3), pads=[1, 1, 1, 1]),
    Row("Conv", rand(1, 2, 7), rand(2, 2, 2), strides=[2], pads=[1, 0]),
    Row("Conv", rand(1, 2, 8), rand(1, 2, 2), strides=[3]),
    Row("Conv", rand(1, 2, 8), rand(1, 2, 3), strides=[2], dilations=[2], pads=[2, 1]),
    Row("Conv", rand(2, 4, 5), rand(6, 2, 3), rand(6), group=2, pads=[1, 1]),
    Row("Conv", rand(1, 3, 5), rand(3, 1, 2), group=3),
    Row("Conv", rand(1, 1, 5), rand(1, 1, 3), auto_pad="SAME_UPPER", strides=[2], name="static"),
    Row("Conv", rand(1, 1, 6), rand(1, 1, 3), auto_pad="SAME_LOWER", strides=[2], name="static"),
    Row("Conv", rand(1, 1, 5), rand(1, 1, 3), auto_pad="VALID"),
    Row("Conv", rand(1, 1, 9), rand(1, 1, 2), strides=[4], pads=[0, 2]),
    Row("ConvTranspose", rand(1, 2, 4), rand(2, 3, 3), rand(3)),
    Row("ConvTranspose", rand(2, 2, 3, 3), rand(2, 2, 2, 2), strides=[2, 2], pads=[1, 0, 0, 1]),
    Row("ConvTranspose", rand(1, 4, 3), rand(4, 2, 2), group=2, strides=[2]),
    Row("ConvTranspose", rand(1, 1, 3), rand(1, 1, 3), strides=[3], output_padding=[2]),
    Row("ConvTranspose", rand(1, 1, 3), rand(1, 1, 3), dilations=[2], pads=[1, 1]),
    Row("ConvTranspose", rand(1, 1, 3), rand(1, 1, 3), strides=[2], output_shape=[6], name="static"),
    Row("MaxPool", rand(1, 2, 4, 4), kernel_shape=[2, 2]),
    Row("MaxPool", rand(1, 2, 5), kernel_shape=[3], pads=[1, 1], strides=[2]),
    Row("MaxPool", rand(1, 1, 4, 3), kernel_shape=[2, 2], storage_order=1, outputs=2),
    Row("MaxPool", rand(2, 1, 6), kernel_shape=[3], ceil_mode=1, strides=[2], outputs=2),
    Row("MaxPool", rand(1, 1, 6), kernel_shape=[2], dilations=[2]),
    Row("AveragePool", rand(1, 2, 4, 4), kernel_shape=[2, 2]),
    Row("AveragePool", rand(2, 1, 5), kernel_shape=[3], pads=[1, 1], strides=[2]),
    Row("AveragePool", rand(1, 2, 5), kernel_shape=[3], pads=[1, 1], count_include_pad=1),
    Row("AveragePool", rand(1, 1, 6), kernel_shape=[3], strides=[2], ceil_mode=1),
    Row("AveragePool", rand(1, 1, 6), kernel_shape=[3], strides=[2], ceil_mode=1, pads=[1, 0], count_include_pad=1),
    Row("AveragePool", rand(1, 1, 7), kernel_shape=[2], dilations=[3]),
    Row("AveragePool", rand(1, 1, 5), kernel_shape=[2], strides=[2], auto_pad="SAME_UPPER", name="static"),
    Row("LpPool", rand(1, 2, 5), kernel_shape=[2]),
    Row("LpPool", rand(1, 2, 5), kernel_shape=[3], p=3, pads=[1, 1]),
    Row("GlobalAveragePool", rand(2, 2, 2, 3)),
    Row("GlobalMaxPool", rand(2, 2, 2, 3)),
    Row("GlobalLpPool", rand(2, 2, 4), p=2),
    Row("GlobalLpPool", rand(2, 2, 4), p=3),
    # ---- normalizations ----
    Row("BatchNormalization", rand(2, 3, 2), rand(3), rand(3), rand(3), rand(3, low=0.5, high=2.5)),
    Row("BatchNormalization", rand(4, 3), rand(3), rand(3), rand(3), rand(3, low=0.5, high=2.5), epsilon=0.1),
    Row("BatchNormalization", rand(3, 2, 2), rand(2), rand(2), np.zeros(2), np.ones(2), training_mode=1, outputs=3,
        held=(3, 4)),
    Row("LayerNormalization", rand(2, 3, 4), rand(4), rand(4)),
    Row("LayerNormalization", rand(2, 3, 4), rand(3, 4), axis=1),
    Row("LayerNormalization", rand(2, 3, 4), rand(4), rand(3, 1), axis=-2, epsilon=0.1),
    Row("RMSNormalization", rand(2, 3, 4), rand(4)),
    Row("RMSNormalization", rand(2, 3, 4), rand(3, 1), axis=1),
    Row("InstanceNormalization", rand(2, 3, 4), rand(3), rand(3)),
    Row("GroupNormalization", rand(2, 4, 3), rand(4), rand(4), num_groups=2),
    Row("LpNormalization", rand(2, 4)),
    Row("LpNormalization", rand(3, 4), axis=0, p=1),
    Row("MeanVarianceNormalization", rand(2, 2, 2, 3)),
    Row("MeanVarianceNormalization", rand(2, 2, 3), axes=[2]),
    Row("Softmax", rand(2, 4)),
    Row("Softmax", rand(3, 2, 2), axis=0),
    Row("LogSoftmax", rand(2, 4)),
    Row("LogSoftmax", rand(3, 2, 2), axis=1),
    # ---- losses ----
    *[
        Row(op, rand(*shape), labels, *weight, held=(2, ), **attributes)
        for op in ("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss")
        for shape, labels in [((3, 4), ints(0, 3, 1)), ((2, 3, 2), ints(0, 2, 1, 1, shape=(2, 2)))]
        for weight in [(), (rand(shape[1], low=0.5, high=1.5), )]
        for attributes in [{}, {"reduction": "sum"}, {"reduction": "none", "ignore_index": 1}, {"ignore_index": 0}]
    ],
    Row("SoftmaxCrossEntropyLoss", rand(3, 4), ints(0, -100, 1), ignore_index=-100),
    Row("SoftmaxCrossEntropyLoss", rand(3, 4), ints(0, 2, 1), outputs=2, output=1),
]


def value_info(name, array, is_open, dtype=None):
    dims = [f"{name}_{d}" for d in range(array.ndim)] if is_open else array.shape
    return helper.make_tensor_value_info(name, TYPES[dtype or array.dtype.name], dims)


def gradient(given, outputs, xs, y, zs=()):
    return helper.make_node("Gradient", given, outputs, domain=TRAINING, xs=xs, y=y, **({"zs": zs} if zs else {}))


def make_model(row, weight, is_open=False, is_replaced=False):
    """p = weight * output, and where there is a weight the gradients of its sum."""
    inputs = [
        value_info(f"x{i}", x, is_open and (i, row.op) not in CLOSED) for i, x in enumerate(row.inputs)
        if x is not None and x.dtype == np.float64
    ]
    held = [
        numpy_helper.from_array(x, f"x{i}") for i, x in enumerate(row.inputs) if x is not None and x.dtype != np.float64
    ]
    nodes = [row.node()]
    outputs = [helper.make_tensor_value_info("p", TensorProto.DOUBLE, None)]
    if weight is None:
        nodes.append(helper.make_node("Identity", [f"o{row.output}"], ["p"]))
    else:
        held.append(numpy_helper.from_array(weight, "weight"))
        nodes.append(helper.make_node("Mul", [f"o{row.output}", "weight"], ["p"]))
        names = [f"x{i}" for i in row.xs()]
        given = names
        if is_replaced:
            given = [f"{name}_given" for name in names]
            nodes += [helper.make_node("Mul", [name, "one"], [other]) for name, other in zip(names, given)]
            held.append(numpy_helper.from_array(np.array(1.0), "one"))
        nodes.append(gradient(given, [f"d{name}" for name in names], names, "p"))
        outputs += [helper.make_tensor_value_info(f"d{name}", TensorProto.DOUBLE, None) for name in names]
    graph = helper.make_graph(nodes, "g", inputs, outputs, held)
    return helper.make_model(graph, opset_imports=OPSETS, ir_version=11)


OPTIONS = quern.SessionOptions()
OPTIONS.intra_op_num_threads = 1


def session(model):
    return quern.InferenceSession(model.SerializeToString(), OPTIONS)


def feed(row):
    return {f"x{i}": x for i, x in enumerate(row.inputs) if x is not None and x.dtype == np.float64}


def differences(row, weight, at):
    """d sum(weight * output) / dx by central differences."""
    plain = session(make_model(row, None))
    result = {}
    for i in row.xs():
        x = at[f"x{i}"]
        slopes = np.zeros_like(x)
        for place in np.ndindex(*x.shape):
            sums = []
            for step in (STEP, -STEP):
                moved = x.copy()
                moved[place] += step
                sums.append((plain.run(None, {**at, f"x{i}": moved})[0] * weight).sum())
            slopes[place] = (sums[0] - sums[1]) / (2 * STEP)
        result[f"dx{i}"] = slopes
    return result


def check(row, weight, at, wanted, **how):
    made = session(make_model(row, weight, **how)).run(None, at)
    for (name, slopes), gradient in zip(wanted.items(), made[1:]):
        assert gradient.shape == slopes.shape, name
        np.testing.assert_allclose(gradient, slopes, rtol=1e-5, atol=1e-6, err_msg=f"{name} {how}")


def weight_for(row, at):
    made = session(make_model(row, None)).run(None, at)[0]
    return rand(*made.shape, low=0.5, high=2.0)


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_rule_gives_the_slope(row):
    at = feed(row)
    weight = weight_for(row, at)
    wanted = differences(row, weight, at)
    check(row, weight, at, wanted)
    check(row, weight, at, wanted, is_replaced=True)
    if row.name != "static":
        check(row, weight, at, wanted, is_open=True)


def second_order(row):
    """Gradients of the sum of the squares of a rule's own gradients, by all that these depend on."""
    at = feed(row)
    weight = weight_for(row, at)
    model = make_model(row, weight)
    names = [f"x{i}" for i in row.xs()]
    nodes = model.graph.node
    for name in names:
        nodes.append(helper.make_node("Mul", [f"d{name}", f"d{name}"], [f"q{name}"]))
        nodes.append(helper.make_node("ReduceSum", [f"q{name}"], [f"s{name}"], keepdims=0))
    nodes.append(helper.make_node("Sum", [f"s{name}" for name in names], ["s"]))
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    del plain.graph.output[:]
    plain.graph.output.append(helper.make_tensor_value_info("s", TensorProto.DOUBLE, []))
    nodes.append(gradient(names, [f"e{name}" for name in names], names, "s"))
    del model.graph.output[:]
    model.graph.output.extend(helper.make_tensor_value_info(f"e{name}", TensorProto.DOUBLE, None) for name in names)
    return at, names, session(plain), session(model)


@pytest.mark.parametrize("row", ROWS, ids=repr)
def test_rules_are_differentiated_too(row):
    at, names, plain, twice = second_order(row)
    for name, gradient in zip(names, twice.run(None, at)):
        x = at[name]
        for place in list(np.ndindex(*x.shape))[:4]:
            sums = []
            for step in (STEP, -STEP):
                moved = x.copy()
                moved[place] += step
                sums.append(plain.run(None, {**at, name: moved})[0])
            np.testing.assert_allclose(gradient[place], (sums[0] - sums[1]) / (2 * STEP), rtol=1e-4, atol=1e-5,
                                       err_msg=f"{name}{place}")


# ---- whole graphs ----


def run(nodes, at, outputs, held=(), functions=(), types="float64"):
    graph = helper.make_graph(nodes, "g", [value_info(name, x, False) for name, x in at.items()],
                              [helper.make_tensor_value_info(name, TYPES[types], None) for name in outputs],
                              [numpy_helper.from_array(x, name) for name, x in dict(held).items()])
    opsets = OPSETS + ([helper.make_opsetid("local", 1)] if functions else [])
    return session(helper.make_model(graph, opset_imports=opsets, ir_version=11, functions=functions)).run(None, at)


def test_in_a_function_its_own_values_are_named():
    body = [helper.make_node("Sin", ["x"], ["s"]), gradient(["x"], ["d"], ["x"], "s")]
    function = helper.make_function("local", "Slope", ["x"], ["d"], body, OPSETS)
    nodes = [helper.make_node("Slope", [x], [y], domain="local") for x, y in ("ab", "bc")]
    a = rand(3)
    np.testing.assert_allclose(run(nodes, {"a": a}, ["c"], functions=[function])[0], np.cos(np.cos(a)))


def test_values_between_may_be_given():
    nodes = [helper.make_node("Exp", ["x"], ["h"]), helper.make_node("Mul", ["h", "x"], ["y"]),
             gradient(["k", "x"], ["d"], ["h"], "y", ["x"]), gradient(["k"], ["e"], ["h"], "y")]
    x, k = rand(3), rand(3)
    for made in run(nodes, {"x": x, "k": k}, ["d", "e"]):
        np.testing.assert_allclose(made, x)


def test_a_branch_may_differentiate_what_is_around_it():
    inner = [gradient(["x"], ["d"], ["x"], "y")]
    other = [helper.make_node("Identity", ["x"], ["i"])]
    branches = [helper.make_graph(nodes, "b", [], [helper.make_tensor_value_info(name, TensorProto.DOUBLE, None)])
                for nodes, name in [(inner, "d"), (other, "i")]]
    nodes = [helper.make_node("Sin", ["x"], ["y"]),
             helper.make_node("If", ["c"], ["r"], then_branch=branches[0], else_branch=branches[1])]
    x = rand(3)
    np.testing.assert_allclose(run(nodes, {"x": x, "c": np.array(True)}, ["r"])[0], np.cos(x))
    np.testing.assert_allclose(run(nodes, {"x": x, "c": np.array(False)}, ["r"])[0], x)


def test_halves_and_singles_flow_in_their_type():
    for dtype in (np.float16, np.float32):
        x = rand(2, 3).astype(dtype)
        nodes = [helper.make_node("Tanh", ["x"], ["y"]), gradient(["x"], ["d"], ["x"], "y")]
        made = run(nodes, {"x": x}, ["d"], types=np.dtype(dtype).name)[0]
        assert made.dtype == dtype
        np.testing.assert_allclose(made, 1 - np.tanh(x.astype(np.float64))**2, atol=2e-3)


def learner():
    """One step of Adam for a network of two layers; the loss and the new state are its outputs."""
    parts = {"w1": (8, 2), "b1": (8, ), "w2": (2, 8), "b2": (2, )}
    names = list(parts)
    state = [f"{kind}_{name}" for kind in "vh" for name in names]
    nodes = [
        helper.make_node("Gemm", ["x", "w1", "b1"], ["a"], transB=1), helper.make_node("Tanh", ["a"], ["t"]),
        helper.make_node("Gemm", ["t", "w2", "b2"], ["z"], transB=1),
        helper.make_node("SoftmaxCrossEntropyLoss", ["z", "k"], ["loss"]),
        gradient(names, [f"d_{name}" for name in names], names, "loss"),
        helper.make_node("Adam", ["r", "n", *names, *[f"d_{name}" for name in names], *state],
                         [f"{name}_new" for name in names + state], domain=TRAINING)
    ]
    shapes = {name: parts[name.split("_")[-1]] for name in names + state}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
              for name, shape in [("x", ["N", 2]), ("r", []), *shapes.items()]]
    inputs += [helper.make_tensor_value_info("k", TensorProto.INT64, ["N"]),
               helper.make_tensor_value_info("n", TensorProto.INT64, [])]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
               for name in ["loss", *[f"{name}_new" for name in names + state]]]
    graph = helper.make_graph(nodes, "learner", inputs, outputs)
    values = {name: rand(*shape, low=-0.5, high=0.5).astype(np.float32) for name, shape in parts.items()}
    values.update({name: np.zeros(shapes[name], np.float32) for name in state})
    return session(helper.make_model(graph, opset_imports=OPSETS, ir_version=11)), values


def test_a_network_learns():
    """Whether a point's coordinates have the same sign: no line says that."""
    plan, values = learner()
    x = rng.uniform(-1, 1, (64, 2)).astype(np.float32)
    k = (x[:, 0] * x[:, 1] > 0).astype(np.int64)
    losses = []
    for step in range(200):
        at = {"x": x, "k": k, "r": np.float32(0.05), "n": np.int64(step + 1), **values}
        loss, *made = plan.run(None, at)
        losses.append(float(loss))
        values = dict(zip(values, made))
    assert losses[0] > 0.6 and losses[-1] < 0.1, losses[::20]
