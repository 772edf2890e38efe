# SPDX-License-Identifier: Apache-2.0
"""Along axes: reductions, normalizations, sorting, running sums."""
import numpy as np

from rules.common import guard, positive, small, some_axes, weights

REDUCTIONS = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp",
              "ReduceProd", "ReduceLogSum"]


def reduce(graph):
    op, value = graph.choose(REDUCTIONS), graph.pick_float(1)
    if value and op in ("ReduceLogSumExp", "ReduceProd"):
        value = small(graph, value)
    if value and op == "ReduceLogSum":
        value = guard(graph, value)
    # An empty maximum is the lowest number or minus infinity; a product of hundreds has the error of all of them.
    if not value or (value.array.size == 0 and op not in ("ReduceSum", "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceProd")):
        return
    if op == "ReduceProd" and (value.array.size > 64 or value.array.size and np.abs(value.array).min() < 0.01):
        return
    axes = [axis - value.rank * graph.integer(0, 1) for axis in some_axes(graph, value.rank)]
    graph.add(op, [value, graph.ints(*axes) if graph.chance(0.8) else None], keepdims=graph.integer(0, 1))


def reduce_integers(graph):
    value = graph.pick(lambda v: v.dtype.kind in "iu" and v.rank >= 1 and v.array.size)
    if value:
        op = graph.choose(["ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL1"])
        # Where integers do not fit, ours wrap and ONNX Runtime's stop at the ends.
        if op == "ReduceProd" and np.log2(np.abs(value.array.astype(np.float64)) + 1).sum() > 30:
            return
        graph.add(op, [value, graph.ints(*some_axes(graph, value.rank))], keepdims=graph.integer(0, 1))


def arg(graph):
    value = graph.pick(lambda v: v.exact and v.rank >= 1 and v.array.size and v.dtype.kind in "iuf")
    if value:
        graph.add(graph.choose(["ArgMax", "ArgMin"]), [value], axis=graph.integer(-value.rank, value.rank - 1),
                  keepdims=graph.integer(0, 1), select_last_index=graph.integer(0, 1))


def softmax(graph):
    op = graph.choose(["Softmax", "LogSoftmax", "Softmax", "Hardmax"])
    value = graph.pick_float(1, exact=op == "Hardmax")
    if value:
        graph.add(op, [value], axis=graph.integer(-value.rank, value.rank - 1))


def top_k(graph):
    value = graph.pick(lambda v: v.exact and v.rank >= 1 and v.dtype.kind in "iuf")
    if not value:
        return
    axis = graph.integer(0, value.rank - 1)
    count = graph.integer(0, value.shape[axis])
    graph.add("TopK", [value, graph.ints(count)], 2, axis=axis, largest=graph.integer(0, 1))


def cumulate(graph):
    value = graph.pick(lambda v: (v.is_float or v.dtype in (np.int32, np.int64)) and v.rank >= 1)
    if not value:
        return
    axis = graph.integer(-value.rank, value.rank - 1)
    op = graph.choose(["CumSum", "CumSum", "CumProd"])
    if op == "CumProd":
        value = small(graph, value) if value.is_float and value.shape[axis] <= 8 else None
    if value:
        graph.add(op, [value, graph.constant(np.int64(axis))], exclusive=graph.integer(0, 1), reverse=graph.integer(0, 1))


def normalize(graph):
    """[batch, channels, spatial...] by the channel."""
    value = graph.pick_float(3, most_rank=4)
    op = graph.choose(["InstanceNormalization", "BatchNormalization", "LRN", "GroupNormalization", "MeanVarianceNormalization"])
    if not value or value.array.size == 0 or value.array.std() < 0.05:
        return
    channels = value.shape[1]
    scale, bias = positive(graph, [channels], value.dtype), weights(graph, [channels], value.dtype)
    if op == "BatchNormalization":
        graph.add(op, [value, scale, bias, weights(graph, [channels], value.dtype), positive(graph, [channels], value.dtype)])
    elif op == "InstanceNormalization":
        graph.add(op, [value, scale, bias], epsilon=0.1)
    elif op == "GroupNormalization":
        groups = graph.choose([g for g in range(1, channels + 1) if channels % g == 0])
        size = channels if graph.opset >= 21 else groups
        graph.add(op, [value, positive(graph, [size], value.dtype), weights(graph, [size], value.dtype)], num_groups=groups, epsilon=0.1)
    elif op == "MeanVarianceNormalization":
        axes = [0, *range(2, value.rank)]
        if value.array.std(axis=tuple(axes)).min() > 0.1:
            graph.add(op, [value], axes=axes)
    else:
        graph.add(op, [value], size=graph.choose([1, 3, 5]), bias=1.0)


def normalize_rows(graph):
    value = graph.pick_float(1)
    op = graph.choose(["LayerNormalization", "LayerNormalization", "RMSNormalization", "LpNormalization"])
    if not value or value.array.size == 0:
        return
    axis = graph.integer(-value.rank, -1)
    if op == "LpNormalization":
        value = guard(graph, value)
        if value:
            graph.add(op, [value], axis=axis, p=graph.integer(1, 2))
        return
    count = graph.integer(1, 2) if op == "LayerNormalization" else 1
    graph.add(op, [value, *(weights(graph, value.shape[axis:], value.dtype) for _ in range(count))], axis=axis, epsilon=0.1)


def loss(graph):
    """Rows of scores against classes."""
    value = graph.pick_float(2, most_rank=3)
    if not value or value.array.size == 0:
        return
    classes = value.shape[1]
    target = graph.constant(graph.rng.integers(0, classes, (value.shape[0], *value.shape[2:])))
    weight = positive(graph, [classes], value.dtype) if graph.chance(0.5) else None
    reduction = graph.choose(["mean", "sum", "none"])
    if graph.chance(0.5):
        graph.add("SoftmaxCrossEntropyLoss", [value, target, weight], graph.integer(1, 2), reduction=reduction)
        return
    made = graph.add("LogSoftmax", [value], axis=1)
    if made:
        graph.add("NegativeLogLikelihoodLoss", [made[0], target, weight], reduction=reduction)
