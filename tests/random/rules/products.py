# SPDX-License-Identifier: Apache-2.0
"""Products of matrices, and what is made of them: recurrent layers, attention."""
import numpy as np

from rules.common import weights

DEEPEST = 512  # terms of a sum: in longer ones the order of adding shows


def matmul(graph):
    a = graph.pick(lambda v: (v.is_float or v.dtype in (np.int32, np.int64)) and v.rank >= 1)
    if not a or not 0 < a.shape[-1] <= DEEPEST:
        return
    columns = graph.choose([1, 3, 8, 17])
    shape = (a.shape[-1], columns) if graph.chance(0.8) or a.rank < 3 else (*a.shape[:-2], a.shape[-1], columns)
    b = graph.pick(lambda v: v.dtype == a.dtype and v.shape == shape)
    graph.add("MatMul", [a, b or graph.constant(graph.random_array(shape, a.dtype))])


def gemm(graph):
    a = graph.pick(lambda v: v.is_float and v.rank == 2)
    if not a or max(a.shape) > DEEPEST:
        return
    columns, flips = graph.choose([1, 4, 9, 16]), (graph.integer(0, 1), graph.integer(0, 1))
    rows, depth = a.shape[::-1] if flips[0] else a.shape
    b = graph.random_array((columns, depth) if flips[1] else (depth, columns), a.dtype)
    c = graph.choose([None, weights(graph, (columns,), a.dtype), weights(graph, (rows, 1), a.dtype)])
    graph.add("Gemm", [a, graph.constant(b), c], transA=flips[0], transB=flips[1], alpha=graph.choose([1.0, 0.5]),
              beta=graph.choose([1.0, -2.0]))


def einsum(graph):
    a = graph.pick(lambda v: v.is_float and v.rank in (2, 3) and v.array.size)
    if not a:
        return
    if a.rank == 3:
        b = weights(graph, (a.shape[0], a.shape[2], 5), a.dtype)
        graph.add("Einsum", [a, b], equation=graph.choose(["bij,bjk->bik", "bij,bjk->kbi", "bij,bjk->i", "bij,bjk->bk"]))
    else:
        b = weights(graph, (a.shape[1], 3), a.dtype)
        graph.add("Einsum", [a, b], equation=graph.choose(["ij,jk->ik", "ij,jk->ki", "ij,jk", "...j,jk->...k"]))


def recurrent(graph):
    x = graph.pick(lambda v: v.is_float and v.rank == 3 and min(v.shape) > 0)
    if not x:
        return
    op, gates = graph.choose([("LSTM", 4), ("GRU", 3), ("RNN", 1)])
    hidden, ways = graph.integer(1, 9), graph.integer(1, 2)
    steps, batch, size = x.shape
    inputs = [x, weights(graph, (ways, gates * hidden, size), x.dtype, 0.5), weights(graph, (ways, gates * hidden, hidden), x.dtype, 0.5),
              weights(graph, (ways, 2 * gates * hidden), x.dtype)]
    if graph.chance(0.4):
        lengths = graph.rng.integers(1, steps + 1, batch).astype(np.int32)
        inputs += [graph.constant(lengths) if graph.chance(0.5) else None, weights(graph, (ways, batch, hidden), x.dtype)]
        if op == "LSTM":
            inputs += [weights(graph, (ways, batch, hidden), x.dtype), weights(graph, (ways, 3 * hidden), x.dtype, 0.3)]
    attributes = {"hidden_size": hidden, "direction": "bidirectional" if ways == 2 else graph.choose(["forward", "reverse"])}
    if op == "GRU":
        attributes["linear_before_reset"] = graph.integer(0, 1)
    if graph.chance(0.2):
        attributes["clip"] = 0.8
    if graph.chance(0.2):
        attributes["activations"] = {"LSTM": ["HardSigmoid", "Tanh", "Softsign"], "GRU": ["Sigmoid", "Relu"], "RNN": ["Softplus"]}[op] * ways
    graph.add(op, inputs, graph.choose([1, 2, [False, True]]), **attributes)


def attention(graph):
    """[batch, heads, rows, size] against keys and values of other rows."""
    q = graph.pick(lambda v: v.is_float and v.rank == 4 and min(v.shape) > 0 and v.shape[1] <= 8 and v.shape[3] % 2 == 0)
    if not q:
        return
    batch, heads, rows, size = q.shape
    if graph.chance(0.3):
        angles = weights(graph, (batch, rows, size // 2), q.dtype)
        graph.add("RotaryEmbedding", [q, angles, weights(graph, (batch, rows, size // 2), q.dtype)], interleaved=graph.integer(0, 1))
        return
    others = graph.integer(1, 7)
    k, v = (weights(graph, (batch, heads, others, width), q.dtype) for width in (size, graph.choose([size, 3])))
    mask = graph.choose([None, weights(graph, (rows, others), q.dtype)])
    graph.add("Attention", [q, k, v, mask], is_causal=graph.integer(0, 1) if mask is None else 0)


def determinant(graph):
    x = graph.pick(lambda v: v.is_float and v.exact and v.rank >= 2 and v.shape[-1] == v.shape[-2] and 0 < v.shape[-1] <= 4 and v.array.size)
    if x:  # one that is not near 0, where all digits cancel
        graph.add("Det", [x], accept=lambda made: np.abs(made[0]).max() > 0.2)
