# SPDX-License-Identifier: Apache-2.0
"""Versions of operators that occur in none of ONNX's published cases, old and new.

ONNX Runtime has no kernels of opsets below 7, so those rows bring their own computation: what the version's text says.
"""
import ml_dtypes
import numpy as np
from onnx import TensorProto, helper

from cases.case import Case, bools, floats, ints, make_model, one
from cases.recurrence import recur

X = floats(2, 3)


def first_versions():
    """Opset 1 of operators of one input: consumed_inputs says which input's memory may be used up, and means nothing."""
    rows = [
        ("Abs", {}, np.abs),
        ("Ceil", {}, np.ceil),
        ("Elu", {"alpha": 0.5}, lambda x: np.where(x < 0, np.float32(0.5) * np.expm1(x), x)),
        ("Floor", {}, np.floor),
        ("HardSigmoid", {"alpha": 0.3}, lambda x: np.clip(np.float32(0.3) * x + np.float32(0.5), 0, 1)),
        ("LeakyRelu", {}, lambda x: np.where(x < 0, np.float32(0.01) * x, x)),
        ("Neg", {}, np.negative),
        ("Reciprocal", {}, np.reciprocal),
        ("Relu", {}, lambda x: np.maximum(x, 0)),
        ("Selu", {}, lambda x: np.float32(1.0507) * np.where(x < 0, np.float32(1.6732) * np.expm1(x), x)),
        ("Sigmoid", {}, lambda x: 1 / (1 + np.exp(-x))),
        ("Sqrt", {}, np.sqrt),
        ("Tanh", {}, np.tanh),
    ]
    for op, attributes, compute in rows:
        yield one(f"{op.lower()}_1", op, [floats(2, 3, low=-3)], opset=1, consumed_inputs=[0],
                  expect=lambda x, compute=compute: [compute(x).astype(np.float32)], **attributes)


def broadcasts():
    """Opsets 1 and 6: the second operand lies against the first's dimensions from `axis` on."""
    for op, compute in (("Div", np.divide), ("Mul", np.multiply), ("Sub", np.subtract)):
        for opset in (1, 6):
            extra = {"consumed_inputs": [0, 0]} if opset == 1 else {}
            yield one(f"{op.lower()}_{opset}_axis", op, [floats(2, 3, 4), floats(3, low=1)], opset=opset, broadcast=1, axis=1,
                      expect=lambda a, b, f=compute: [f(a, b[:, None])], **extra)
            yield one(f"{op.lower()}_{opset}_suffix", op, [floats(2, 3, 4), floats(3, 4, low=1)], opset=opset, broadcast=1,
                      expect=lambda a, b, f=compute: [f(a, b)], **extra)
    for op, compute in (("Max", np.maximum), ("Min", np.minimum), ("Sum", np.add)):
        yield one(f"{op.lower()}_1", op, [floats(2, 3), floats(2, 3, seed=1), floats(2, 3, seed=2)], opset=1,
                  consumed_inputs=[0, 0, 0], expect=lambda a, b, c, f=compute: [f(f(a, b), c)])
    yield one("mean_1", "Mean", [floats(2, 3), floats(2, 3, seed=1)], opset=1, consumed_inputs=[0, 0],
              expect=lambda a, b: [(a + b) / 2])
    yield one("prelu_1", "PRelu", [floats(2, 3, 2), floats(3, seed=1)], opset=1, consumed_inputs=[0, 0],
              expect=lambda x, s: [np.where(x < 0, x * s[:, None], x)])
    yield one("gemm_1", "Gemm", [floats(2, 3), floats(4, 3), floats(4)], opset=1, broadcast=1, transB=1, alpha=0.5, beta=2.0,
              expect=lambda a, b, c: [np.float32(0.5) * a @ b.T + 2 * c])


def first_forms():
    """Opset 1 of what said something otherwise."""
    n = floats(2, 3, 2)
    scale, bias, mean, variance = (floats(3, seed=i, low=0.5) for i in range(4))

    def normalize(x, s, b, m, v):
        s, b, m, v = (a[:, None] for a in (s, b, m, v))
        return [((x - m) / np.sqrt(v + np.float32(1e-5)) * s + b).astype(np.float32)]

    yield one("batch_normalization_1", "BatchNormalization", [n, scale, bias, mean, variance], opset=1, is_test=1,
              consumed_inputs=[0, 0, 0, 1, 1], expect=normalize)
    yield one("instance_normalization_1", "InstanceNormalization", [n, scale, bias], opset=1, consumed_inputs=[0, 0, 0],
              expect=lambda x, s, b: [np.concatenate([normalize(item, s, b, item.mean(1), item.var(1))[0][None]
                                                      for item in x])])
    yield one("cast_1", "Cast", [floats(4, low=-20, high=20)], opset=1, to="INT32", expect=lambda x: [x.astype(np.int32)])
    yield one("cast_1_bool", "Cast", [np.float32([0, -0.5, 3])], opset=1, to="BOOL", expect=lambda x: [x != 0])
    yield one("clip_1", "Clip", [X], opset=1, min=-0.5, max=1.0, consumed_inputs=[0],
              expect=lambda x: [np.clip(x, -0.5, 1).astype(np.float32)])
    yield one("clip_1_max", "Clip", [X], opset=1, max=0.25, expect=lambda x: [np.minimum(x, np.float32(0.25))])
    yield one("concat_1", "Concat", [X, floats(2, 2)], opset=1, expect=lambda a, b: [np.concatenate([a, b], 1)])
    yield one("concat_1_axis", "Concat", [X, floats(1, 3)], opset=1, axis=0, expect=lambda a, b: [np.concatenate([a, b], 0)])
    for opset in (1, 6):
        extra = {"consumed_inputs": [0]} if opset == 1 else {}
        yield one(f"dropout_{opset}", "Dropout", [X], 2, opset=opset, is_test=1, ratio=0.3, **extra,
                  expect=lambda x: [x, np.ones_like(x)])
    yield one("lp_normalization_1", "LpNormalization", [X], opset=1, p=1, axis=0)
    yield one("pad_1", "Pad", [X], opset=1, paddings=[0, 1, 1, 0], value=2.5,
              expect=lambda x: [np.pad(x, ((0, 1), (1, 0)), constant_values=2.5)])
    yield one("pad_1_edge", "Pad", [X], opset=1, paddings=[1, 2, 0, 0], mode="edge",
              expect=lambda x: [np.pad(x, ((1, 0), (2, 0)), "edge")])
    yield one("reshape_1", "Reshape", [floats(2, 3, 4)], opset=1, shape=[0, -1], consumed_inputs=[0],
              expect=lambda x: [x.reshape(2, 12)])
    yield one("split_1", "Split", [floats(2, 6)], 3, opset=1, axis=1, expect=lambda x: np.split(x, 3, 1))
    yield one("split_1_attribute", "Split", [floats(2, 6)], 2, opset=1, axis=1, split=[1, 5],
              expect=lambda x: np.split(x, [1], 1))
    yield one("tile_1", "Tile", [X, np.float32([2]), np.float32([1])], opset=1, expect=lambda x, n, a: [np.tile(x, (1, 2))])
    yield one("upsample_1", "Upsample", [floats(1, 2, 2, 3)], opset=1, height_scale=2.0, width_scale=3.0,
              expect=lambda x: [x.repeat(2, 2).repeat(3, 3)])
    yield one("upsample_1_bilinear", "Upsample", [np.float32([[[[1, 3], [5, 9]]]])], opset=1, height_scale=2.0, width_scale=2.0,
              mode="bilinear", expect=[np.float32([[[[1, 2, 3, 3], [3, 4.5, 6, 6], [5, 7, 9, 9], [5, 7, 9, 9]]]])])


def pools():
    image = floats(1, 2, 5, 4)

    def powers(p, axes, kernel=None, stride=None, x=None):
        if kernel is None:
            return (np.abs(x) ** p).sum(axes, keepdims=True) ** (1 / p)
        out = [(x.shape[2 + i] - kernel[i]) // stride[i] + 1 for i in range(2)]
        y = np.zeros((1, 2, *out), np.float32)
        for i in range(out[0]):
            for j in range(out[1]):
                cut = x[:, :, i * stride[0]:i * stride[0] + kernel[0], j * stride[1]:j * stride[1] + kernel[1]]
                y[:, :, i, j] = (np.abs(cut) ** p).sum((2, 3)) ** (1 / p)
        return y

    for opset, p in ((1, 3.0), (2, 3), (22, 1)):
        yield one(f"global_lp_pool_{opset}", "GlobalLpPool", [image], opset=opset, p=p,
                  expect=lambda x, p=p: [powers(p, (2, 3), x=x).astype(np.float32)])
    yield one("global_lp_pool_1_default", "GlobalLpPool", [image], opset=1,
              expect=lambda x: [powers(2, (2, 3), x=x).astype(np.float32)])
    for opset, p in ((1, 2.0), (2, 3), (11, 1)):
        yield one(f"lp_pool_{opset}", "LpPool", [image], opset=opset, p=p, kernel_shape=[2, 3], strides=[2, 1],
                  expect=lambda x, p=p: [powers(p, None, (2, 3), (2, 1), x)])
    yield one("max_pool_11", "MaxPool", [image], 2, opset=11, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1],
              ceil_mode=1)
    rois = np.float32([[0, 0, 0, 3, 4], [0, 1, 1, 2, 3], [0, 2, 0, 6, 2]])
    for opset in (1, 22):
        yield one(f"max_roi_pool_{opset}", "MaxRoiPool", [image, rois], opset=opset, pooled_shape=[2, 2], spatial_scale=0.5,
                  expect=None if opset == 1 else roi_pool)


def roi_pool(x, rois):
    """The standard names Fast R-CNN's pooling: corners are rounded, bins overlap where they do not divide."""
    made = np.zeros((len(rois), x.shape[1], 2, 2), np.float32)
    for n, (item, *box) in enumerate(rois):
        x1, y1, x2, y2 = (int(np.floor(v * 0.5 + 0.5)) for v in box)
        width, height = max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)
        for i in range(2):
            for j in range(2):
                top, bottom = (int(f(v * height / 2)) + y1 for f, v in ((np.floor, i), (np.ceil, i + 1)))
                left, right = (int(f(v * width / 2)) + x1 for f, v in ((np.floor, j), (np.ceil, j + 1)))
                cut = x[int(item), :, max(top, 0):max(bottom, 0), max(left, 0):max(right, 0)]
                if cut.size:
                    made[n, :, i, j] = cut.max((1, 2))
    return [made]


def recurrences():
    """Up to opset 6 output_sequence says whether Y is wanted."""
    w, r, b = floats(1, 9, 4, seed=1), floats(1, 9, 3, seed=2), floats(1, 18, seed=3)
    for opset in (1, 3):
        yield one(f"gru_{opset}", "GRU", [floats(4, 2, 4), w, r, b], 2, opset=opset, hidden_size=3, output_sequence=1,
                  expect=lambda *values: recur("GRU", *values))
    yield one("gru_3_linear", "GRU", [floats(4, 2, 4), w, r, b], [False, True], opset=3, hidden_size=3, linear_before_reset=1,
              expect=lambda *values: recur("GRU", *values, linear_before_reset=1)[1:])


def scatters():
    x, indices, updates = floats(3, 4), ints(2, 4, low=0, high=2, seed=9), floats(2, 4, seed=1)
    indices[1] = (indices[0] + 1) % 3  # no place twice
    yield one("scatter_elements_13", "ScatterElements", [x, indices, updates], opset=13, axis=0)
    yield one("scatter_nd_13", "ScatterND", [x, np.int64([[2], [0]]), updates], opset=13)
    # Version 11 says that the operator is gone; files that use it nevertheless mean what version 9 meant.
    model = one("", "Scatter", [x, indices, updates], opset=9).model
    model.opset_import[0].version = 11
    scattered = x.copy()
    np.put_along_axis(scattered, indices, updates, 0)
    yield Case("scatter_11", model, [x, indices, updates], [scattered])


def subgraphs():
    """Versions of If and Loop that only widened what types may flow."""
    info = helper.make_tensor_value_info

    def branch(name, op):
        return helper.make_graph([helper.make_node(op, ["x"], [name])], name, [], [info(name, TensorProto.FLOAT, None)])

    for opset in (1, 21, 23, 24, 25):
        node = helper.make_node("If", ["c"], ["y"], then_branch=branch("a", "Neg"), else_branch=branch("b", "Abs"))
        for condition in (True, False):
            inputs = {"c": np.array(condition), "x": X}
            yield Case(f"if_{opset}_{condition}".lower(), make_model([node], inputs, ["y"], opset=opset), list(inputs.values()),
                       lambda c, x: [-x if c else np.abs(x)])
    for opset in (1, 19, 21, 23, 24):
        body = helper.make_graph(
            [helper.make_node("Add", ["v", "x"], ["next"]),
             helper.make_node("Identity", ["next"], ["seen"]),
             helper.make_node("Identity", ["c"], ["again"])] if opset > 1 else
            [helper.make_node("Sum", ["v", "x"], ["next"]),
             helper.make_node("Neg", ["next"], ["seen"]),
             helper.make_node("And", ["c", "c"], ["again"])],
            "body", [info("i", TensorProto.INT64, []), info("c", TensorProto.BOOL, []), info("v", TensorProto.FLOAT, [2, 3])],
            [info("again", TensorProto.BOOL, []), info("next", TensorProto.FLOAT, [2, 3]), info("seen", TensorProto.FLOAT, [2, 3])])
        node = helper.make_node("Loop", ["n", "t", "v0"], ["y", "all"], body=body)
        inputs = {"n": np.int64(3), "t": np.array(True), "v0": X, "x": floats(2, 3, seed=5)}

        def expect(n, t, v, x, sign=1 if opset > 1 else -1):
            states = [v + np.float32(k) * x for k in range(1, n + 1)]
            return [states[-1], sign * np.stack(states)]

        yield Case(f"loop_{opset}", make_model([node], inputs, ["y", "all"], opset=opset), list(inputs.values()), expect)


def scans():
    """Scan walks one sequence backwards and another along its second axis, and stacks behind and in front."""
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "a"], ["t"]), helper.make_node("Mul", ["t", "b"], ["o"]),
         helper.make_node("Sub", ["t", "b"], ["p"])], "body",
        [info(name, TensorProto.FLOAT, [2]) for name in "sab"], [info(name, TensorProto.FLOAT, [2]) for name in "top"])
    node = helper.make_node("Scan", ["s0", "xs", "ys"], ["last", "os", "ps"], body=body, num_scan_inputs=2,
                            scan_input_directions=[1, 0], scan_input_axes=[0, 1], scan_output_directions=[0, 1],
                            scan_output_axes=[1, 0])
    inputs = {"s0": floats(2), "xs": floats(4, 2), "ys": floats(2, 4)}

    def expect(s, xs, ys):
        os, ps = [], []
        for t in range(4):
            s = s + xs[3 - t]
            os.append(s * ys[:, t])
            ps.insert(0, s - ys[:, t])
        return [s, np.stack(os, 1), np.stack(ps, 0)]

    for opset in (11, 16, 19, 21, 23, 24):
        yield Case(f"scan_{opset}", make_model([node], inputs, ["last", "os", "ps"], opset=opset), list(inputs.values()), expect)


def newest():
    """Opset 28: more types, mostly."""
    half = ml_dtypes.bfloat16
    shifts = np.int32([[1, 0, 31, 2], [3, 32, -1, 4]])
    numbers = np.int32([[-8, 7, -(1 << 31), 1 << 30], [-1, -5, 9, 100]])

    def shift(x, n, left):
        wide = x.astype(np.int64)
        if left:
            good = (n >= 0) & (n < 32)
            return np.where(good, (wide << np.where(good, n, 0)).astype(np.int32), 0).astype(np.int32)
        return (wide >> np.where((n < 0) | (n >= 32), 31, n)).astype(np.int32)

    yield one("bit_shift_28_right", "BitShift", [numbers, shifts], direction="RIGHT", expect=lambda x, n: [shift(x, n, False)])
    yield one("bit_shift_28_left", "BitShift", [numbers, np.int32([[1, 0, 3, 1], [2, 31, 4, 5]])], direction="LEFT",
              expect=lambda x, n: [shift(x, n, True)])
    yield one("mod_28_floored", "Mod", [np.float32([5.3, -5.3, 5.3, -5.3, 4, -4, 0, 7]),
                                        np.float32([2, 2, -2, -2, 2, 2, 3, np.inf])], expect=lambda a, b: [np.mod(a, b)])
    yield one("space_to_depth_28_crd", "SpaceToDepth", [floats(1, 2, 4, 6)], blocksize=2, mode="CRD",
              expect=lambda x: [x.reshape(1, 2, 2, 2, 3, 2).transpose(0, 1, 3, 5, 2, 4).reshape(1, 8, 2, 3)])
    yield one("space_to_depth_28", "SpaceToDepth", [floats(1, 2, 4, 6)], blocksize=2,
              expect=lambda x: [x.reshape(1, 2, 2, 2, 3, 2).transpose(0, 3, 5, 1, 2, 4).reshape(1, 8, 2, 3)])
    for mode in ("DCR", "CRD"):
        yield one(f"depth_to_space_28_{mode.lower()}", "DepthToSpace", [floats(1, 8, 2, 3)], blocksize=2, mode=mode,
                  expect=lambda x, order=(0, 3, 4, 1, 5, 2) if mode == "DCR" else (0, 1, 4, 2, 5, 3): [
                      x.reshape(1, 2, 2, 2, 2, 3).transpose(order).reshape(1, 2, 4, 6)])
    bfloats = floats(3, 4).astype(half)
    yield one("compress_28", "Compress", [bfloats, np.array([True, False, True])], axis=0, expect=lambda x, c: [x[c]])
    yield one("one_hot_28", "OneHot", [np.int64([0, 2, -1, 5]), np.int64(3), np.array([-1, 2], half)],
              expect=lambda i, n, v: [np.where(np.arange(3) == (np.where(i < 0, i + 3, i))[:, None], v[1], v[0])])
    yield one("reverse_sequence_28", "ReverseSequence", [bfloats, np.int64([2, 3, 1, 2])],
              expect=lambda x, n: [np.stack([np.r_[c[:k][::-1], c[k:]] for c, k in zip(x.T, n)], 1)])
    yield one("unique_28", "Unique", [np.array([2, -1, 2, 0.5, -1], half)], 4,
              expect=lambda x: [np.array([-1, 0.5, 2], half), np.int64([1, 3, 0]), np.int64([2, 0, 2, 1, 0]), np.int64([2, 1, 2])])
    yield one("einsum_28", "Einsum", [bfloats, floats(4, 2, seed=1).astype(half)], equation="ij,jk->ki",
              expect=lambda a, b: [(a.astype(np.float64) @ b.astype(np.float64)).T.astype(half)], bounds={"rtol": 1e-2, "atol": 1e-2})
    yield one("cast_28", "Cast", [X], to=TensorProto.INT32, expect=lambda x: [x.astype(np.int32)])
    quantized = np.uint8([[3, 128, 255], [0, 130, 77]])
    yield one("quantize_linear_28", "QuantizeLinear", [X, np.float32(0.02), np.uint8(128)],
              expect=lambda x, s, z: [np.clip(np.rint(x / s) + 128, 0, 255).astype(np.uint8)])
    yield one("dequantize_linear_28", "DequantizeLinear", [quantized, np.float32([0.5, 0.1, 2]), np.uint8([3, 128, 0])], axis=1,
              expect=lambda x, s, z: [((x.astype(np.int32) - z) * s).astype(np.float32)])
    for op, compute in (("ReduceLogSum", lambda x: np.log(x.sum(1, keepdims=True))),
                        ("ReduceLogSumExp", lambda x: np.log(np.exp(x).sum(1, keepdims=True)))):
        yield one(f"{op.lower()}_28", op, [floats(2, 3, low=0.1), np.int64([1])], constant=[1],
                  expect=lambda x, axes, f=compute: [f(x)])


def rest():
    yield one("relu_13", "Relu", [X], opset=13)
    yield one("reduce_min_12", "ReduceMin", [ints(3, 4, dtype=np.int8)], opset=12, axes=[1], keepdims=0)
    scales = np.float32([1, 1, 2, 2])
    model = one("", "Upsample", [floats(1, 1, 2, 3), scales], constant=[1], opset=9).model
    model.opset_import[0].version = 10  # where the operator is gone; it means what it meant before
    yield Case("upsample_10", model, [floats(1, 1, 2, 3)], lambda x: [x.repeat(2, 2).repeat(2, 3)])


def optionals():
    """Opset 28: optionals of any type; here of bool."""
    nodes = [helper.make_node("Optional", ["x"], ["o"]),
             helper.make_node("OptionalHasElement", ["o"], ["has"]),
             helper.make_node("OptionalGetElement", ["o"], ["y"])]
    x = bools(2, 3)
    yield Case("optional_28", make_model(nodes, {"x": x}, ["has", "y"]), [x], lambda x: [np.array(True), x])


CASES = [case for family in (first_versions, broadcasts, first_forms, pools, recurrences, scatters, subgraphs, scans, newest,
                             rest, optionals) for case in family()]
