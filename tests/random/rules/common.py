# SPDX-License-Identifier: Apache-2.0
"""What rules share: making arguments that keep a node well conditioned."""
import numpy as np


def small(graph, value, most=4.0):
    """The value itself where it is at most so large, else its Tanh."""
    if value is None or value.array.size == 0 or np.abs(value.array.astype(np.float64)).max() <= most:
        return value
    made = graph.add("Tanh", [value])
    return made[0] if made else None


def guard(graph, value):
    """|value| + 0.5: what may be divided by."""
    positive = value and graph.add("Abs", [value])
    made = positive and graph.add("Add", [positive[0], graph.scalar(0.5, value)])
    return made[0] if made else None


def inside(graph, value):
    """0.9 tanh(value): what an arc sine takes, away from its ends."""
    flat = value and graph.add("Tanh", [value])
    made = flat and graph.add("Mul", [flat[0], graph.scalar(0.9, value)])
    return made[0] if made else None


def some_axes(graph, rank):
    return sorted(int(axis) for axis in graph.rng.permutation(rank)[:graph.integer(1, rank)])


def positive(graph, shape, dtype=np.float32):
    return graph.constant(graph.rng.uniform(0.5, 1.5, shape).astype(dtype))


def weights(graph, shape, dtype=np.float32, scale=1.0):
    return graph.constant((graph.random_array(shape, np.float64) * scale).astype(dtype))


def pick_map(graph, dtype=None, least=2):
    """[batch, channels, spatial...] with room for windows."""
    return graph.pick(lambda v: v.is_float and 3 <= v.rank <= 4 and min(v.shape) > 0 and min(v.shape[2:]) >= least and
                      (dtype is None or v.dtype == dtype))
