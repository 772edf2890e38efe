# SPDX-License-Identifier: Apache-2.0
"""Old versions of operators as whole models: what the reader's upgrade table makes of them computes what they meant.

Opsets from 7 on are computed by ONNX Runtime's kernels of that opset, earlier ones by NumPy.
"""
import numpy as np
from onnx import TensorProto, helper

from cases.case import Case, bools, floats, ints, make_model, one

SUMS = {"rtol": 1e-3, "atol": 1e-5}  # of results near 0 that come of larger parts
X4 = floats(2, 3, 4, 5)


def opened(case):
    """The same with inputs of unknown sizes, so that the upgrade cannot look at them."""
    for value in case.model.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            dim.Clear()
    case.name += "_open"
    return case


def ranked(case):
    """The same with inputs of unknown rank."""
    for value in case.model.graph.input:
        value.type.tensor_type.ClearField("shape")
    case.name += "_unranked"
    return case


def each_way(make):
    return [make(), opened(make()), ranked(make())]


# ---- broadcasting ----


def broadcasts():
    arithmetic = [("Add", np.add), ("Sub", np.subtract), ("Mul", np.multiply), ("Div", np.divide)]
    compares = [("Greater", np.greater), ("Less", np.less)]
    logic = [("And", np.logical_and), ("Or", np.logical_or), ("Xor", np.logical_xor)]
    for op, compute in arithmetic + compares:
        for axis, shape in ((1, (3, 4)), (0, (2,)), (2, (4, 5)), (-2, (4,)), (None, (4, 5)), (3, (1,))):
            if op in ("Sub", "Greater") or axis == 1:
                yield from each_way(lambda o=op, f=compute, a=axis, s=shape: broadcast(o, f, X4, floats(*s, low=0.5, seed=1), a))
    for op, compute in logic:
        yield broadcast(op, compute, bools(2, 3, 4), bools(3, seed=1), 1)
        yield broadcast(op, compute, bools(2, 3, 4), bools(2, 3, seed=1), 0)
    yield broadcast("Equal", np.equal, ints(3, 4, low=0, high=2), ints(3, low=0, high=2, seed=1), 0)
    yield broadcast("Pow", np.power, floats(2, 3, 2, low=0.5), floats(3), 1)
    yield broadcast("Add", np.add, X4, np.float32(3).reshape(()), None)
    for slope in (3, 1):
        yield from each_way(lambda n=slope: one(f"prelu_6_{n}", "PRelu", [floats(2, 3, 4), floats(n)], opset=6, expect=lambda x, s: [
            np.where(x < 0, x * s.reshape(1, -1, 1), x).astype(np.float32)]))
    for bias in ((4,), (2, 4), (1,)):
        yield one(f"gemm_6_{len(bias)}_{bias[0]}", "Gemm", [floats(3, 2), floats(3, 4), floats(*bias)], opset=6, transA=1, alpha=0.5,
                  beta=2.0, broadcast=int(bias != (2, 4)), expect=lambda a, b, c: [np.float32(0.5) * a.T @ b + 2 * c])


def broadcast(op, compute, a, b, axis):
    arguments = {} if axis is None else {"axis": axis}
    at = a.ndim - b.ndim if axis is None else axis % a.ndim

    def expect(x, y):
        made = compute(x, y.reshape(y.shape + (1,) * (x.ndim - at - y.ndim)))
        return [made.astype(x.dtype) if made.dtype.kind == "f" else made]

    name = f"{op.lower()}_6_{'x'.join(map(str, b.shape)) or 'scalar'}_at_{'end' if axis is None else axis}".replace("-", "m")
    return one(name, op, [a, b], opset=6, broadcast=1, expect=expect, **arguments)


# ---- the inner dimensions as one row ----


def matrices():
    for op in ("Softmax", "LogSoftmax", "Hardmax"):
        for opset in (7, 11):
            for axis in (0, 1, 2, 3, None) + ((-1, -3) if opset == 11 else ()):
                arguments = {} if axis is None else {"axis": axis}
                name = f"{op.lower()}_{opset}_{'default' if axis is None else axis}".replace("-", "m")
                yield one(name, op, [floats(2, 3, 2, 4)], opset=opset, **arguments)
        yield opened(one(f"{op.lower()}_9", op, [floats(2, 3, 2, 4)], opset=9, axis=2))
        yield ranked(one(f"{op.lower()}_9", op, [floats(2, 3, 2, 4)], opset=9, axis=2))
        yield one(f"{op.lower()}_11_vector", op, [floats(5)], opset=11, axis=0)
    for opset in (1, 9, 11):
        yield one(f"flatten_{opset}", "Flatten", [X4], opset=opset, axis=2, expect=lambda x: [x.reshape(6, 20)])


# ---- normalizations ----


def normalizations():
    n = floats(3, 2, 4)
    vectors = [floats(2, low=0.5, seed=i) for i in range(4)]
    whole = [floats(2, 4, low=0.5, seed=i) for i in range(4)]
    for opset in (6, 7, 8):
        yield one(f"batch_normalization_{opset}_whole", "BatchNormalization", [n, *whole], opset=opset, spatial=0, epsilon=0.01,
                  expect=whole_normalization, **({"is_test": 1} if opset == 6 else {}))
    for opset in (6, 7, 9, 14, 15):
        yield one(f"batch_normalization_{opset}", "BatchNormalization", [n, *vectors], opset=opset, epsilon=0.01,
                  expect=lambda x, *v: [np.stack([whole_normalization(item[:, None].transpose(2, 0, 1)[..., 0], *v, 0.01)[0].T
                                                  for item in x])], **({"is_test": 1} if opset == 6 else {}))
    yield one("mean_variance_normalization_9", "MeanVarianceNormalization", [floats(2, 3, 4, 2)], opset=9)
    yield one("mean_variance_normalization_9_axes", "MeanVarianceNormalization", [floats(2, 3, 4, 2)], opset=9, axes=[1, 3])
    for across in (0, 1):
        for scaled in (0, 1):
            yield one(f"mean_variance_normalization_1_{across}{scaled}", "MeanVarianceNormalization", [floats(2, 3, 4, 2)], opset=7,
                      across_channels=across, normalize_variance=scaled)
    scale, bias = floats(3, low=0.5), floats(3, seed=1)
    yield from each_way(lambda: one("group_normalization_18", "GroupNormalization", [floats(2, 6, 4), scale, bias], opset=18,
                                    num_groups=3, epsilon=0.01, expect=group_normalization))
    for opset in (7, 12, 13, 22):
        ones = {"expect": lambda x: [x, np.ones_like(x)]} if opset < 10 else {"expect": lambda x: [x, np.ones(x.shape, bool)]}
        yield one(f"dropout_{opset}_mask", "Dropout", [n], 2, opset=opset, **ones)
    yield one("dropout_10_mask", "Dropout", [n], 2, opset=10, ratio=0.7, expect=lambda x: [x, np.ones(x.shape, bool)])
    for opset in (7, 9):
        yield one(f"dropout_{opset}_double", "Dropout", [floats(3, dtype=np.float64)], 2, opset=opset,
                  expect=lambda x: [x, np.ones_like(x)])


def whole_normalization(x, scale, bias, mean, variance, epsilon=0.01):
    return [((x - mean) / np.sqrt(variance + np.float32(epsilon)) * scale + bias).astype(np.float32)]


def group_normalization(x, scale, bias):
    grouped = x.reshape(2, 3, -1).astype(np.float64)
    grouped = (grouped - grouped.mean(2, keepdims=True)) / np.sqrt(grouped.var(2, keepdims=True) + 0.01)
    return [(grouped * scale[:, None] + bias[:, None]).reshape(x.shape).astype(np.float32)]


# ---- images ----


def images():
    image = floats(1, 2, 4, 5)
    for opset in (7, 9):
        for mode in ("nearest", "linear"):
            for name, scales in (("twice", [1, 1, 2, 2]), ("mixed", [1, 1, 1.5, 3]), ("half", [1, 1, 1, 2.4])):
                scales = np.float32(scales)
                case = one(f"upsample_{opset}_{mode}_{name}", "Upsample", [image], opset=opset, mode=mode, scales=scales.tolist()) \
                    if opset == 7 else one(f"upsample_{opset}_{mode}_{name}", "Upsample", [image, scales], constant=[1], opset=9, mode=mode)
                yield case
    yield one("upsample_9_given", "Upsample", [image, np.float32([1, 1, 2, 1.5])], opset=9)
    for mode in ("nearest", "linear"):
        for name, scales in (("up", [1, 1, 2, 1.6]), ("down", [1, 1, 0.5, 0.6]), ("mixed", [1, 1, 2, 0.6])):
            yield one(f"resize_10_{mode}_{name}", "Resize", [image, np.float32(scales)], constant=[1], opset=10, mode=mode)
            yield one(f"resize_10_{mode}_{name}_given", "Resize", [image, np.float32(scales)], opset=10, mode=mode)
    yield from resizes(image)
    boxes, batch = np.float32([[0, 0, 3, 3], [1, 0.5, 4, 2.5]]), np.int64([0, 0])
    for opset in (10, 16):
        for mode in ("avg", "max"):
            yield one(f"roi_align_{opset}_{mode}", "RoiAlign", [image, boxes, batch], opset=opset, mode=mode, output_height=2, output_width=3,
                      sampling_ratio=2, spatial_scale=0.9)
    grid = floats(1, 3, 2, 2, low=-1.2, high=1.2)
    for opset, modes in ((16, ("bilinear", "nearest", "bicubic")), (20, ("linear", "nearest", "cubic"))):
        for mode in modes:
            for padding in ("zeros", "border", "reflection"):
                yield one(f"grid_sample_{opset}_{mode}_{padding}", "GridSample", [image, grid], opset=opset, mode=mode, padding_mode=padding,
                          bounds=SUMS)


def resizes(image):
    """Opset 11: all coordinates; by scales, and by sizes.  Aligned corners only of whole lengths: of others ONNX's reference
    takes the fraction, and ONNX Runtime does not."""
    scales, none = np.float32([1, 1, 1.7, 0.8]), np.float32([])
    whole = np.float32([1, 1, 1.5, 0.8])
    for mode in ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn"):
        for interpolation in ("nearest", "linear", "cubic") if mode != "tf_half_pixel_for_nn" else ("nearest",):
            for opset in (11, 13) if mode != "tf_half_pixel_for_nn" else (11,):
                empty = none if opset == 11 else ""
                yield one(f"resize_{opset}_{interpolation}_{mode}", "Resize",
                          [image, empty, whole if mode == "align_corners" else scales], opset=opset,
                          constant=[1, 2] if opset == 11 else [2], mode=interpolation, coordinate_transformation_mode=mode)
    for nearest in ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"):
        yield one(f"resize_11_sizes_{nearest}", "Resize", [image, none, none, np.int64([1, 2, 7, 3])], opset=11, constant=[1, 2, 3],
                  nearest_mode=nearest)
    yield one("resize_11_crop", "Resize", [image, np.float32([0, 0, 0.2, 0.1, 1, 1, 0.9, 1.2]), none, np.int64([1, 2, 3, 4])],
              constant=[1, 2, 3], opset=11, mode="linear", coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=-3.0)
    yield one("resize_11_outside", "Resize", [image, none, scales], constant=[1, 2], opset=11, mode="cubic", exclude_outside=1,
              cubic_coeff_a=-0.5)


# ---- attributes that became inputs ----


def reductions():
    operators = ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd",
                 "ReduceSum", "ReduceSumSquare"]
    for op in operators:
        for opset in (7, 11, 13):
            axes = [0, -1] if opset > 7 else [0, 2]
            if op == "ReduceSum" and opset == 13:
                continue
            low = op.lower()
            yield one(f"{low}_{opset}", op, [floats(2, 3, 4, low=0.1)], opset=opset, axes=axes)
            yield one(f"{low}_{opset}_all", op, [floats(2, 3, low=0.1)], opset=opset, keepdims=0)
        yield ranked(one(f"{op.lower()}_11_drop", op, [floats(2, 3, 4, low=0.1)], opset=11, axes=[1], keepdims=0))


def shapes():
    x = floats(2, 1, 3, 1)
    for opset in (7, 11):
        yield one(f"squeeze_{opset}", "Squeeze", [x], opset=opset, axes=[1, 3] if opset == 7 else [-3, 3])
        yield one(f"squeeze_{opset}_all", "Squeeze", [x], opset=opset)
        yield one(f"unsqueeze_{opset}", "Unsqueeze", [floats(2, 3)], opset=opset, axes=[0, 3] if opset == 7 else [-1, 1])
    for opset in (7, 9):
        y = floats(4, 5, 3)
        yield one(f"slice_{opset}", "Slice", [y], opset=opset, axes=[0, 2], starts=[1, -2], ends=[3, 1000])
        yield one(f"slice_{opset}_leading", "Slice", [y], opset=opset, starts=[1, -2], ends=[-1, 4])
        yield one(f"slice_{opset}_nothing", "Slice", [y], opset=opset, axes=[1], starts=[3], ends=[2])
    for opset in (7, 11):
        yield one(f"split_{opset}_sizes", "Split", [floats(3, 6)], 3, opset=opset, axis=1, split=[1, 2, 3])
        yield one(f"split_{opset}_equal", "Split", [floats(6, 2)], 3, opset=opset)
    yield one("split_11_negative", "Split", [floats(3, 6)], 2, opset=11, axis=-1)
    yield one("split_13_equal", "Split", [floats(6, 2)], 2, opset=13)
    yield one("split_13_sizes", "Split", [floats(6, 2), np.int64([5, 1])], 2, opset=13, constant=[1])
    yield one("tile_7", "Tile", [floats(2, 3), np.int64([2, 2])], opset=7)
    yield from each_way(lambda: one("tile_1_rows", "Tile", [floats(2, 3), np.float32([3]), np.float32([0])], opset=1,
                                    expect=lambda a, *_: [np.tile(a, (3, 1))]))
    for opset in (8, 9):
        yield one(f"top_k_{opset}", "TopK", [floats(3, 5)], 2, opset=opset, k=2, axis=0)
    yield one("top_k_10", "TopK", [floats(3, 5), np.int64([4])], 2, opset=10)
    yield one("top_k_11", "TopK", [floats(3, 5), np.int64([4])], 2, opset=11, largest=0)
    for opset in (9, 10):
        yield one(f"scatter_{opset}", "Scatter", [floats(3, 4), np.int64([[2, 0]]), np.float32([[7, 8]])], opset=opset, axis=1)
    for mode in ("constant", "reflect", "edge"):
        for opset in (7, 10):
            yield one(f"pad_{opset}_{mode}", "Pad", [floats(3, 4)], opset=opset, mode=mode, pads=[1, 2, 0, 1], value=-1.5)
    yield one("pad_9_cut", "Pad", [floats(3, 4)], opset=9, pads=[-1, 2, 0, -1])
    yield one("pad_9_double", "Pad", [floats(3, 4, dtype=np.float64)], opset=9, pads=[0, 1, 0, 1], value=2.5)
    for dtype in (np.float32, np.float64):
        yield one(f"clip_9_{np.dtype(dtype).name}", "Clip", [floats(3, 4, dtype=dtype)], opset=9, min=-0.25, max=1.5,
                  expect=lambda x: [np.clip(x, x.dtype.type(-0.25), x.dtype.type(1.5))])
    yield ranked(one("clip_9_half", "Clip", [floats(3, 4, dtype=np.float16)], opset=9, min=-0.25,
                     expect=lambda x: [np.maximum(x, np.float16(-0.25))]))
    yield one("reshape_4", "Reshape", [X4], opset=4, shape=[0, -1, 5], expect=lambda x: [x.reshape(2, 12, 5)])
    yield one("concat_3", "Concat", [floats(2, 3), floats(2, 1)], opset=3, expect=lambda a, b: [np.concatenate([a, b], 1)])
    for to, dtype in (("FLOAT16", np.float16), ("DOUBLE", np.float64), ("INT8", np.int8), ("INT64", np.int64), ("BOOL", bool)):
        yield one(f"cast_5_{to.lower()}", "Cast", [floats(3, 4, low=-50, high=50)], opset=5, to=to,
                  expect=lambda x, d=dtype: [x.astype(d)])
    for axis in (1, 2):
        for onesided in (0, 1):
            yield one(f"dft_17_{axis}_{onesided}", "DFT", [floats(1, 8, 6, 1)], opset=17, axis=axis, onesided=onesided,
                      bounds=SUMS)
    yield one("dft_17_inverse", "DFT", [floats(1, 8, 2)], opset=17, inverse=1, bounds=SUMS)
    yield one("dft_17_length", "DFT", [floats(1, 8, 1), np.int64(5)], opset=17, constant=[1], bounds=SUMS)


# ---- operators of early files ----


def experimental():
    image = floats(1, 3, 6, 6)
    yield one("affine", "Affine", [X4], opset=7, alpha=2.0, beta=-0.5)
    yield one("scale", "Scale", [X4], opset=7, scale=-1.5)
    yield one("scaled_tanh", "ScaledTanh", [X4], opset=7, alpha=0.5, beta=2.0)
    yield one("parametric_softplus", "ParametricSoftplus", [X4], opset=7, alpha=0.5, beta=2.0)
    yield one("thresholded_relu_1", "ThresholdedRelu", [X4], opset=7, alpha=0.5)
    yield one("image_scaler", "ImageScaler", [image], opset=7, scale=0.5, bias=[0.1, 0.2, 0.3])
    yield one("crop", "Crop", [image], opset=7, border=[1, 2, 0, 1])
    yield one("crop_scale", "Crop", [image], opset=7, border=[1, 2, 0, 0], scale=[3, 2])
    yield one("dynamic_slice", "DynamicSlice", [floats(4, 5), np.int64([1, 0]), np.int64([3, -1]), np.int64([1, 0])], opset=7)
    yield one("constant_fill", "ConstantFill", [np.int64([2, 3])], opset=7, input_as_shape=1, value=1.5, extra_shape=[2],
              expect=lambda s: [np.full((2, 3, 2), 1.5, np.float32)])
    yield one("constant_fill_like", "ConstantFill", [floats(2, 3)], opset=7, value=3.0, dtype=6,
              expect=lambda x: [np.full((2, 3), 3, np.int32)])


# ---- recurrence and scans ----


def scan_8():
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [helper.make_node("Add", ["s", "x"], ["t"]), helper.make_node("Mul", ["t", "t"], ["o"])], "body",
        [info(name, TensorProto.FLOAT, [2]) for name in "sx"], [info(name, TensorProto.FLOAT, [2]) for name in "to"])

    def expect(lengths, s, x, direction):
        out = np.zeros_like(x)
        for b in range(len(x)):
            steps = range(int(lengths[b]))
            for k, t in enumerate(reversed(steps) if direction else steps):
                s[b] = s[b] + x[b, t]
                out[b, k] = s[b] * s[b]
        return [s, out]

    for direction in (0, 1):
        for name in ("all", "lengths"):
            inputs = {"s": floats(3, 2, low=0), "x": floats(3, 4, 2, low=0)}
            lengths = np.int64([4, 2, 3]) if name == "lengths" else np.int64([4, 4, 4])
            if name == "lengths":
                inputs = {"n": lengths, **inputs}
            node = helper.make_node("Scan", ["n" if name == "lengths" else "", "s", "x"], ["last", "all"], body=body, num_scan_inputs=1,
                                    directions=[direction])
            yield Case(f"scan_8_{name}_{direction}", make_model([node], inputs, ["last", "all"], opset=8), list(inputs.values()),
                       lambda *given, n=lengths, d=direction: expect(n, given[-2].copy(), given[-1], d))


def pools():
    image = floats(1, 2, 6, 5)
    for opset in (7, 10, 11, 19):
        yield one(f"average_pool_{opset}", "AveragePool", [image], opset=opset, kernel_shape=[3, 2], pads=[1, 0, 1, 1], strides=[2, 1],
                  **({"ceil_mode": 1} if opset >= 10 else {}), **({"count_include_pad": 1} if opset >= 7 else {}))
    for opset in (7, 8, 10, 12):
        yield one(f"max_pool_{opset}", "MaxPool", [image], opset=opset, kernel_shape=[3, 2], auto_pad="SAME_UPPER", strides=[2, 1])
    for opset in (7, 11, 18):
        yield one(f"lp_pool_{opset}_square", "LpPool", [image], opset=opset, kernel_shape=[2, 2], p=2)


CASES = [case for family in (broadcasts, matrices, normalizations, images, reductions, shapes, experimental, scan_8, pools)
         for case in family()]
