# SPDX-License-Identifier: Apache-2.0
"""Elements picked by indices and by their content."""
import numpy as np
from onnx import TensorProto


def gather(graph):
    value = graph.pick_any(1)
    axis = value and graph.integer(0, value.rank - 1)
    if not value or value.shape[axis] == 0:
        return
    size = value.shape[axis]
    dtype = graph.choose([np.int64, np.int32])
    # Of strings that stand together ONNX Runtime's Gather copies the first only.
    if graph.chance(0.5) and not (value.is_text and np.prod(value.shape[axis + 1:]) != 1):
        index = graph.rng.integers(-size, size, graph.random_shape(graph.integer(0, 2))).astype(dtype)
        graph.add("Gather", [value, graph.constant(index)], axis=axis)
    else:
        shape = list(value.shape)
        shape[axis] = graph.integer(0, 5)
        graph.add("GatherElements", [value, graph.constant(graph.rng.integers(-size, size, shape).astype(dtype))], axis=axis)


def scatter(graph):
    value = graph.pick_any(1)
    axis = value and graph.integer(0, value.rank - 1)
    if not value or value.shape[axis] == 0:
        return
    updates = graph.constant(graph.random_array(value.shape, value.dtype))
    if graph.chance(0.4) and value.is_float:
        index = graph.rng.integers(-value.shape[axis], value.shape[axis], value.shape)
        graph.add("ScatterElements", [value, graph.constant(index), updates], axis=axis, exact=[False],
                  reduction=graph.choose(["add", "max", "min"]))
        return
    index = np.argsort(graph.rng.random(value.shape), axis).astype(np.int64)  # each place once
    graph.add("ScatterElements", [value, graph.constant(index), updates], axis=axis)


def gather_nd(graph):
    value = graph.pick(lambda v: v.rank >= 1 and v.array.size)
    if not value:
        return
    depth, count = graph.integer(1, value.rank), graph.integer(1, 4)
    index = np.stack([graph.rng.integers(0, size, count) for size in value.shape[:depth]], -1)
    if graph.chance(0.5):
        graph.add("GatherND", [value, graph.constant(index)])
        return
    once = np.unique(index, axis=0)
    rows = graph.constant(graph.random_array((len(once), *value.shape[depth:]), value.dtype))
    if value.is_float and graph.chance(0.3):
        graph.add("ScatterND", [value, graph.constant(once), rows], reduction=graph.choose(["add", "max", "mul"]), exact=[False])
    else:
        graph.add("ScatterND", [value, graph.constant(once), rows])


def one_hot(graph):
    value = graph.pick(lambda v: v.dtype in (np.int64, np.int32))
    if value:
        values = graph.choose([np.array([-1, 2], np.float32), np.array([0, 1], np.int64), np.array([0, 1], np.float64)])
        graph.add("OneHot", [value, graph.ints(5), graph.constant(values)], axis=graph.integer(-1, value.rank))


def data_dependent(graph):
    """Sizes that only the data tells; something computes on from there."""
    value = graph.pick(lambda v: v.exact and v.rank >= 1 and not v.is_text)
    if not value:
        return
    if graph.chance(0.5):
        made = graph.add("NonZero", [value])
    else:
        axis = graph.integer(0, value.rank - 1)
        chosen = graph.constant(graph.random_array((value.shape[axis],), np.bool_))
        whole = value.array.size >= value.shape[axis] and graph.chance(0.2)
        made = graph.add("Compress", [value, chosen], **({} if whole else {"axis": axis}))
    if made and made[0].dtype == np.int64:
        graph.add("Cast", made, to=TensorProto.FLOAT)


def unique(graph):
    value = graph.pick(lambda v: v.exact and v.rank >= 1 and v.array.size and v.dtype.kind in "iufO")
    if value:
        arguments = {"axis": graph.integer(0, value.rank - 1)} if graph.chance(0.4) else {}
        graph.add("Unique", [value], graph.integer(1, 4), sorted=graph.integer(0, 1), **arguments)


def boxes(graph):
    count = graph.integer(1, 6)
    corner = graph.rng.uniform(0, 1, (1, count, 2))
    box = graph.constant(np.concatenate([corner, corner + graph.rng.uniform(0.1, 1, corner.shape)], 2).astype(np.float32))
    scores = graph.pick(lambda v: v.dtype == np.float32 and v.exact and v.rank == 3 and v.shape[0] == 1 and v.shape[2] == count)
    scores = scores or graph.constant(graph.rng.random((1, 2, count)).astype(np.float32))
    graph.add("NonMaxSuppression", [box, scores, graph.ints(graph.integer(0, 3)), graph.constant(np.float32(0.4)),
                                    graph.constant(np.float32(0.2))])


def update(graph):
    """New rows in a cache, each batch's at its own place."""
    cache = graph.pick(lambda v: v.is_float and v.rank == 4 and v.array.size and v.shape[2] >= 2)
    if cache:
        batch, heads, rows, size = cache.shape
        new = graph.constant(graph.random_array((batch, heads, 1, size), cache.dtype))
        graph.add("TensorScatter", [cache, new, graph.constant(graph.rng.integers(0, rows, batch))], axis=2)
