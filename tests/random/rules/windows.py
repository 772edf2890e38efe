# SPDX-License-Identifier: Apache-2.0
"""Windows over maps [batch, channels, spatial...]: convolution, pooling, sampling."""
import numpy as np

from rules.common import pick_map, weights


def window_attributes(graph, rank):
    attributes = {"strides": [graph.integer(1, 2) for _ in range(rank)],
                  "dilations": [graph.choose([1, 1, 2]) for _ in range(rank)]}
    if graph.chance(0.7):
        attributes["pads"] = [graph.integer(0, 1) for _ in range(2 * rank)]
    elif graph.chance(0.5):
        attributes.update(auto_pad=graph.choose(["SAME_UPPER", "SAME_LOWER", "VALID"]), dilations=[1] * rank)
    return attributes


def conv(graph):
    x = pick_map(graph)
    if not x:
        return
    channels = x.shape[1]
    groups = graph.choose([1, 1, channels] + [g for g in (2, 4) if channels % g == 0])
    makes = groups * graph.integer(1, 3)
    kernel = [graph.integer(1, min(3, size)) for size in x.shape[2:]]
    weight = weights(graph, (makes, channels // groups, *kernel), x.dtype, 1 / np.sqrt(channels / groups * np.prod(kernel)))
    bias = weights(graph, (makes,), x.dtype) if graph.chance(0.5) else None
    made = graph.add("Conv", [x, weight, bias], group=groups, **window_attributes(graph, x.rank - 2))
    if made and graph.chance(0.5):
        graph.add(graph.choose(["Relu", "Sigmoid", "HardSwish", "LeakyRelu"]), made)


def conv_transpose(graph):
    x = pick_map(graph)
    if not x:
        return
    kernel = [graph.integer(1, 3) for _ in x.shape[2:]]
    group = graph.choose([1, 1, x.shape[1]])
    weight = weights(graph, (x.shape[1], graph.integer(1, 4), *kernel), x.dtype, 0.25)
    graph.add("ConvTranspose", [x, weight], group=group, strides=[graph.integer(1, 2) for _ in kernel],
              pads=[graph.integer(0, size - 1) // 2 for size in kernel] * 2)


def pool(graph):
    x = pick_map(graph)
    if not x:
        return
    op = graph.choose(["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool", "LpPool", "GlobalLpPool"])
    if op.startswith("Global"):
        graph.add(op, [x])
        return
    attributes = window_attributes(graph, x.rank - 2)
    attributes["kernel_shape"] = [graph.integer(2, 3) for _ in x.shape[2:]]
    if op == "AveragePool":
        attributes["count_include_pad"] = graph.integer(0, 1)
    if op == "LpPool":
        attributes["p"] = graph.integer(1, 3)
    # A window that holds nothing but padding has no value; one larger than the map has no agreed count.
    extents = [(k - 1) * d + 1 for k, d in zip(attributes["kernel_shape"], attributes["dilations"])]
    if all(extent <= size for extent, size in zip(extents, x.shape[2:])):
        graph.add(op, [x], 2 if op == "MaxPool" and x.exact and graph.chance(0.3) else 1, **attributes)


def unpool(graph):
    """A maximum's places, and back to them."""
    x = graph.pick(lambda v: v.dtype == np.float32 and v.exact and v.rank == 4 and min(v.shape) > 0 and min(v.shape[2:]) >= 2)
    made = x and graph.add("MaxPool", [x], 2, kernel_shape=[2, 2], strides=[2, 2])
    if made:
        graph.add("MaxUnpool", made, kernel_shape=[2, 2], strides=[2, 2])


def resize(graph):
    x = pick_map(graph)
    if not x:
        return
    mode = graph.choose(["nearest", "linear", "cubic"] if x.rank == 4 else ["nearest", "linear"])
    scales = [1, 1] + [graph.choose([0.5, 1, 2, 1.5]) for _ in x.shape[2:]]
    # With a size that is no whole number, ONNX aligns corners by that size and ONNX Runtime by the size it rounds to.
    is_whole = all(scale * size == int(scale * size) for scale, size in zip(scales, x.shape))
    attributes = {"mode": mode, "coordinate_transformation_mode": graph.choose(["half_pixel", "asymmetric", "pytorch_half_pixel"] +
                                                                               ["align_corners"] * is_whole)}
    if mode == "nearest":
        attributes["nearest_mode"] = graph.choose(["floor", "ceil"])
    if graph.chance(0.3):
        sizes = [*x.shape[:2], *(graph.integer(1, 2 * size) for size in x.shape[2:])]
        graph.add("Resize", [x, None, None, graph.ints(*sizes)], **attributes)
    else:
        graph.add("Resize", [x, None, graph.constant(np.array(scales, np.float32))], **attributes)


def sample(graph):
    """A grid of places, made or computed, and what lies there."""
    x = pick_map(graph)
    if not x or x.rank != 4:
        return
    batch, height, width = x.shape[0], graph.integer(1, 5), graph.integer(1, 5)
    if graph.chance(0.5):
        theta = weights(graph, (batch, 2, 3), x.dtype, 0.5)
        made = graph.add("AffineGrid", [theta, graph.ints(batch, 1, height, width)], align_corners=graph.integer(0, 1))
        grid = made and made[0]
    else:
        grid = graph.constant(graph.rng.uniform(-1.2, 1.2, (batch, height, width, 2)).astype(x.dtype))
    names = ("bilinear", "bicubic") if graph.opset < 20 else ("linear", "cubic")
    if grid:
        graph.add("GridSample", [x, grid], mode=graph.choose(names), padding_mode=graph.choose(["zeros", "border", "reflection"]),
                  align_corners=graph.integer(0, 1))


def regions(graph):
    x = pick_map(graph)
    if not x or x.rank != 4:
        return
    count = graph.integer(1, 3)
    size = min(x.shape[2:])
    corners = graph.rng.uniform(0, size / 2, (count, 2))
    boxes = np.concatenate([corners, corners + graph.rng.uniform(0.5, size / 2 + 0.5, (count, 2))], 1).astype(x.dtype)
    batch = graph.rng.integers(0, x.shape[0], count)
    if graph.chance(0.3):
        rois = np.concatenate([batch[:, None], np.round(boxes)], 1).astype(x.dtype)
        graph.add("MaxRoiPool", [x, graph.constant(rois)], pooled_shape=[2, 2])
    else:
        graph.add("RoiAlign", [x, graph.constant(boxes), graph.constant(batch)], output_height=graph.integer(1, 3),
                  output_width=graph.integer(1, 3), sampling_ratio=graph.integer(0, 2), mode="avg",
                  coordinate_transformation_mode=graph.choose(["half_pixel", "output_half_pixel"]))


def columns(graph):
    """Blocks that overlap are added up."""
    x = graph.pick(lambda v: v.is_float and v.rank == 3 and v.shape[1] % 4 == 0 and v.array.size)
    if x:
        length = x.shape[2]
        graph.add("Col2Im", [x, graph.ints(length + 1, 2), graph.ints(2, 2)])
