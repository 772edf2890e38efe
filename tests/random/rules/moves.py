# SPDX-License-Identifier: Apache-2.0
"""What moves elements and computes nothing."""
import numpy as np

from rules.common import some_axes


def transpose(graph):
    value = graph.pick_any(2)
    if value:
        graph.add("Transpose", [value], perm=[int(axis) for axis in graph.rng.permutation(value.rank)])


def reshape(graph):
    value = graph.pick_any()
    shape = list(value.shape)
    for _ in range(graph.integer(0, 3)):
        axis = graph.integer(0, len(shape))
        if axis < len(shape) - 1 and graph.chance(0.7):
            shape[axis:axis + 2] = [shape[axis] * shape[axis + 1]]
        else:
            shape.insert(axis, 1)
    if shape and value.array.size and graph.chance(0.6):
        shape[graph.integer(0, len(shape) - 1)] = -1
    graph.add("Reshape", [value, graph.ints(*shape)], allowzero=int(0 in shape))


def reshape_by_shape(graph):
    """Shape, Slice, Concat, Reshape: how exporters keep a dimension that is open."""
    value = graph.pick_any(2)
    if not value or value.array.size == 0:
        return
    kept = graph.integer(1, value.rank - 1)
    shape = graph.add("Shape", [value])
    head = shape and graph.add("Slice", [shape[0], graph.ints(0), graph.ints(kept)])
    target = head and graph.add("Concat", [head[0], graph.ints(-1)], axis=0)
    if target:
        graph.add("Reshape", [value, target[0]])


def squeeze(graph):
    value = graph.pick_any()
    ones = [axis for axis, size in enumerate(value.shape) if size == 1]
    if ones and graph.chance(0.5):
        graph.add("Squeeze", [value, graph.ints(graph.choose(ones)) if graph.chance(0.8) else None])
    elif value.rank < 5:
        graph.add("Unsqueeze", [value, graph.ints(graph.integer(-value.rank - 1, value.rank))])


def flatten(graph):
    value = graph.pick_any()
    graph.add("Flatten", [value], axis=graph.integer(-value.rank, value.rank))


def concat(graph):
    value = graph.pick_any(1)
    if not value:
        return
    axis = graph.integer(0, value.rank - 1)
    others = [v for v in graph.values.values() if v.dtype == value.dtype and v.rank == value.rank and
              v.shape[:axis] + v.shape[axis + 1:] == value.shape[:axis] + value.shape[axis + 1:]]
    parts = [graph.choose(others) for _ in range(graph.integer(1, 3))] + [value]
    graph.add("Concat", parts, axis=axis - value.rank * graph.integer(0, 1))


def split(graph):
    value = graph.pick_any(1)
    axis = value and graph.integer(0, value.rank - 1)
    if not value or value.shape[axis] < 2:
        return
    if graph.chance(0.4):
        graph.add("Split", [value], graph.integer(2, 3), axis=axis, **({"num_outputs": 2} if graph.chance(0.5) else {"num_outputs": 3}))
        return
    first = graph.integer(0, value.shape[axis])
    graph.add("Split", [value, graph.ints(first, value.shape[axis] - first)], 2, axis=axis)


def cut(graph):
    value = graph.pick_any(1)
    if not value:
        return
    axes = some_axes(graph, value.rank)
    starts = [graph.integer(-value.shape[axis] - 1, value.shape[axis]) for axis in axes]
    ends = [graph.choose([graph.integer(-value.shape[axis] - 1, value.shape[axis]), 2**40, -2**40]) for axis in axes]
    steps = [graph.choose([1, 1, 2, -1, -2, 3]) for _ in axes]
    graph.add("Slice", [value, graph.ints(*starts), graph.ints(*ends), graph.ints(*axes), graph.ints(*steps)])


def enlarge(graph):
    value = graph.pick_any(1)
    if not value:
        return
    if graph.chance(0.5):
        graph.add("Tile", [value, graph.ints(*(graph.integer(0 if graph.chance(0.1) else 1, 2) for _ in value.shape))])
    else:
        shape = [graph.choose([1, 3]) if size == 1 else size for size in value.shape]
        graph.add("Expand", [value, graph.ints(*([2] * graph.integer(0, 1) + shape))])


def pad(graph):
    value = graph.pick(lambda v: v.rank >= 1 and not v.is_text)
    if not value:
        return
    mode = graph.choose(["constant", "constant", "edge", "reflect", "wrap"])
    least = -1 if mode == "constant" else 0
    pads = [graph.integer(least, 2) for _ in range(2 * value.rank)]
    sizes = np.array(value.shape)
    if mode != "constant" and (np.maximum(pads[:value.rank], pads[value.rank:]) >= sizes).any():
        return
    if (sizes + pads[:value.rank] + np.array(pads[value.rank:]) < 0).any() or (sizes + np.minimum(pads[:value.rank], 0) +
                                                                              np.minimum(pads[value.rank:], 0) < 0).any():
        return
    filling = graph.scalar(1, value) if mode == "constant" and graph.chance(0.5) else None
    graph.add("Pad", [value, graph.ints(*pads), filling], mode=mode)


def depth_to_space(graph):
    value = graph.pick(lambda v: v.rank == 4 and not v.is_text)
    if value and graph.chance(0.5):
        graph.add("DepthToSpace", [value], blocksize=2, mode=graph.choose(["DCR", "CRD"]))
    elif value:
        graph.add("SpaceToDepth", [value], blocksize=2)


def triangle(graph):
    value = graph.pick(lambda v: v.rank >= 2 and not v.is_text)
    if value:
        graph.add("Trilu", [value, graph.constant(np.int64(graph.integer(-2, 2)))], upper=graph.integer(0, 1))


def reverse(graph):
    value = graph.pick_any(2)
    if value and value.shape[0] and value.shape[1]:
        flip = graph.integer(0, 1)
        lengths = graph.rng.integers(1, value.shape[flip] + 1, value.shape[1 - flip])
        graph.add("ReverseSequence", [value, graph.constant(lengths)], time_axis=flip, batch_axis=1 - flip)


def center(graph):
    value = graph.pick_any(1)
    if value and value.array.size:
        axes = some_axes(graph, value.rank)
        shape = [max(1, value.shape[axis] + graph.integer(-2, 2)) for axis in axes]
        graph.add("CenterCropPad", [value, graph.ints(*shape)], axes=axes)
