# SPDX-License-Identifier: Apache-2.0
"""How nodes of random graphs are made: one rule per family of operators.

A rule reads the graph, adds a node or a few, and gives up where nothing fits.  What keeps a node well conditioned (a
divisor that is not small, the argument of a logarithm) is made by guard(), or checked by the graph.
"""
import numpy as np
from graphs import INTEGERS, onnx_type
from onnx import TensorProto, helper

# ---- one number at a time ----

SMOOTH = ["Sin", "Cos", "Tanh", "Sigmoid", "Erf", "Softplus", "Softsign", "Atan", "Elu", "Selu", "LeakyRelu",
          "HardSigmoid", "HardSwish", "Mish", "Gelu", "Celu", "Relu", "Abs", "Neg", "Asinh", "Identity", "PRelu", "Exp"]
JUMPING = ["Floor", "Ceil", "Round", "Sign", "Not", "ThresholdedRelu"]


def small(graph, value):
    """The value itself where it is at most 4, else its Tanh."""
    if value.array.size == 0 or np.abs(value.array).max() <= 4:
        return value
    made = graph.add("Tanh", [value])
    return made[0] if made else None


def guard(graph, value):
    """|value| + 0.5: what may be divided by."""
    positive = graph.add("Abs", [value])
    made = positive and graph.add("Add", [positive[0], graph.constant(np.float32(0.5))])
    return made[0] if made else None


def smooth(graph):
    value, op = graph.pick_float(), graph.choose(SMOOTH)
    if op == "Exp":
        value = small(graph, value)
    inputs = [value, graph.operand(value.shape, np.float32)] if op == "PRelu" else [value]
    if value:
        graph.add(op, inputs)


def jumping(graph):
    op = graph.choose(JUMPING)
    value = graph.pick(lambda v: v.dtype == np.bool_) if op == "Not" else graph.pick_float(exact=True)
    if value:
        graph.add(op, [value])


def guarded(graph):
    value = guard(graph, graph.pick_float())
    if value:
        graph.add(graph.choose(["Sqrt", "Log", "Reciprocal"]), [value])


# ---- two and more ----


def binary(graph):
    a = graph.pick_float()
    b = graph.operand(a.shape, np.float32)
    op = graph.choose(["Add", "Sub", "Mul", "Add", "Mul", "Max", "Min", "Sum", "Mean", "Div", "Pow"])
    if op == "Div":
        b = guard(graph, b)
    if op == "Pow":
        a, b = guard(graph, a), graph.constant(np.float32(graph.choose([2, 0.5, -1, 3, 0])))
    if a and b:
        graph.add(op, [b, a] if op in ("Add", "Sub", "Mul") and graph.chance(0.4) else [a, b])


def integer_binary(graph):
    a = graph.pick(lambda v: v.dtype in INTEGERS)
    if not a:
        return
    op = graph.choose(["Add", "Sub", "Mul", "Max", "Min", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Mod", "Div"])
    b = graph.constant(a.dtype.type(graph.integer(1, 7))) if op in ("Mod", "Div") else graph.operand(a.shape, a.dtype)
    graph.add(op, [a, b])


def compare(graph):
    a = graph.pick(lambda v: v.exact and v.dtype in (np.float32, np.int64, np.int32))
    b = a and graph.operand(a.shape, a.dtype)
    if b and b.exact:
        graph.add(graph.choose(["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"]), [a, b])


def logic(graph):
    a = graph.pick(lambda v: v.dtype == np.bool_)
    if a:
        graph.add(graph.choose(["And", "Or", "Xor"]), [a, graph.operand(a.shape, np.bool_)])


def where(graph):
    a = graph.pick_any()
    graph.add("Where", [graph.operand(a.shape, np.bool_), a, graph.operand(a.shape, a.dtype)])


def cast(graph):
    value = graph.pick(lambda v: v.exact)
    to = graph.choose([np.float32, np.float32, np.int64, np.int32, np.bool_, np.uint8])
    # Numbers that the type cannot hold become whatever the machine makes of them.
    if value and (to is not np.uint8 or value.array.size == 0 or (value.array.min() >= 0 and value.array.max() < 256)):
        graph.add("Cast", [value], to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))


def clip(graph):
    value = graph.pick_float()
    low = graph.constant(np.float32(-1)) if graph.chance(0.8) else None
    graph.add("Clip", [value, low, graph.constant(np.float32(graph.rng.uniform(0, 2)))])


# ---- along axes ----


def some_axes(graph, rank):
    return sorted(int(axis) for axis in graph.rng.permutation(rank)[:graph.integer(1, rank)])


def reduce(graph):
    op = graph.choose(["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare",
                       "ReduceLogSumExp", "ReduceProd"])
    value = graph.pick_float(1)
    if value and op in ("ReduceLogSumExp", "ReduceProd"):
        value = small(graph, value)
    if not value or (value.array.size == 0 and op in ("ReduceMax", "ReduceMin", "ReduceMean", "ReduceLogSumExp")):
        return
    # A product of hundreds of numbers has the error of all of them.
    if op == "ReduceProd" and value.array.size > 64:
        return
    axes = [axis - value.rank * graph.integer(0, 1) for axis in some_axes(graph, value.rank)]
    graph.add(op, [value, graph.ints(*axes) if graph.chance(0.8) else None], keepdims=graph.integer(0, 1))


def arg(graph):
    value = graph.pick_float(1, exact=True)
    if value and value.array.size:
        graph.add(graph.choose(["ArgMax", "ArgMin"]), [value], axis=graph.integer(-value.rank, value.rank - 1),
                  keepdims=graph.integer(0, 1), select_last_index=graph.integer(0, 1))


def softmax(graph):
    value = graph.pick_float(1)
    if value:
        graph.add(graph.choose(["Softmax", "LogSoftmax"]), [value], axis=graph.integer(-value.rank, value.rank - 1))


def top_k(graph):
    value = graph.pick_float(1, exact=True)
    if not value:
        return
    axis = graph.integer(0, value.rank - 1)
    count = graph.integer(0, value.shape[axis])
    graph.add("TopK", [value, graph.ints(count)], 2, axis=axis, largest=graph.integer(0, 1))


def cumulate(graph):
    value = graph.pick_float(1)
    if value:
        graph.add("CumSum", [value, graph.constant(np.int64(graph.integer(-value.rank, value.rank - 1)))],
                  exclusive=graph.integer(0, 1), reverse=graph.integer(0, 1))


def normalize(graph):
    value = graph.pick_float(3, most_rank=4)
    op = graph.choose(["LayerNormalization", "InstanceNormalization", "BatchNormalization", "LRN", "GroupNormalization"])
    if not value or value.array.size == 0 or value.array.std() < 0.05:
        return
    channels = [value.shape[1]]
    weights = [graph.constant(graph.rng.uniform(0.5, 1.5, channels).astype(np.float32)),
               graph.constant(graph.random_array(channels))]
    if op == "LayerNormalization":
        axis = graph.integer(-value.rank, -1)
        weights = [graph.constant(graph.random_array(value.shape[axis:])) for _ in range(graph.integer(1, 2))]
        graph.add(op, [value, *weights], axis=axis, epsilon=0.1)
    elif op == "BatchNormalization":
        moments = [graph.constant(graph.random_array(channels)),
                   graph.constant(graph.rng.uniform(0.5, 2, channels).astype(np.float32))]
        graph.add(op, [value, *weights, *moments])
    elif op == "InstanceNormalization":
        graph.add(op, [value, *weights], epsilon=0.1)
    elif op == "LRN":
        graph.add(op, [value], size=graph.choose([1, 3, 5]), bias=1.0)


# ---- products and windows ----

DEEPEST = 512  # terms of a sum: in longer ones the order of adding shows


def matmul(graph):
    a = graph.pick_float(1)
    if not a or not 0 < a.shape[-1] <= DEEPEST:
        return
    columns = graph.choose([1, 3, 8, 17])
    shape = (a.shape[-1], columns) if graph.chance(0.8) or a.rank < 3 else (*a.shape[:-2], a.shape[-1], columns)
    b = graph.pick(lambda v: v.is_float and v.shape == shape)
    graph.add("MatMul", [a, b or graph.constant(graph.random_array(shape))])


def gemm(graph):
    a = graph.pick(lambda v: v.is_float and v.rank == 2)
    if not a or max(a.shape) > DEEPEST:
        return
    columns, flips = graph.choose([1, 4, 9, 16]), (graph.integer(0, 1), graph.integer(0, 1))
    rows, depth = a.shape[::-1] if flips[0] else a.shape
    b = graph.random_array((columns, depth) if flips[1] else (depth, columns))
    c = graph.choose([None, graph.constant(graph.random_array((columns,))),
                      graph.constant(graph.random_array((rows, 1)))])
    graph.add("Gemm", [a, graph.constant(b), c], transA=flips[0], transB=flips[1], alpha=graph.choose([1.0, 0.5]),
              beta=graph.choose([1.0, -2.0]))


def einsum(graph):
    a = graph.pick(lambda v: v.is_float and v.rank == 3 and v.array.size)
    if a:
        b = graph.constant(graph.random_array((a.shape[0], a.shape[2], 5)))
        graph.add("Einsum", [a, b], equation=graph.choose(["bij,bjk->bik", "bij,bjk->kbi", "bij,bjk->i"]))


def window_attributes(graph, rank):
    attributes = {"strides": [graph.integer(1, 2) for _ in range(rank)],
                  "dilations": [graph.choose([1, 1, 2]) for _ in range(rank)]}
    if graph.chance(0.7):
        attributes["pads"] = [graph.integer(0, 1) for _ in range(2 * rank)]
    elif graph.chance(0.5):
        attributes.update(auto_pad=graph.choose(["SAME_UPPER", "SAME_LOWER", "VALID"]), dilations=[1] * rank)
    return attributes


def pick_map(graph):
    """[batch, channels, spatial...] with room for windows."""
    return graph.pick(lambda v: v.is_float and 3 <= v.rank <= 4 and min(v.shape) > 0 and min(v.shape[2:]) >= 2)


def conv(graph):
    x = pick_map(graph)
    if not x:
        return
    channels = x.shape[1]
    groups = graph.choose([1, 1, channels] + [g for g in (2, 4) if channels % g == 0])
    makes = groups * graph.integer(1, 3)
    kernel = [graph.integer(1, min(3, size)) for size in x.shape[2:]]
    weight = graph.random_array((makes, channels // groups, *kernel)) / np.sqrt(channels / groups * np.prod(kernel))
    bias = graph.constant(graph.random_array((makes,))) if graph.chance(0.5) else None
    made = graph.add("Conv", [x, graph.constant(weight.astype(np.float32)), bias], group=groups,
                     **window_attributes(graph, x.rank - 2))
    if made and graph.chance(0.5):
        graph.add(graph.choose(["Relu", "Sigmoid", "HardSwish", "LeakyRelu"]), made)


def conv_transpose(graph):
    x = pick_map(graph)
    if not x:
        return
    kernel = [graph.integer(1, 3) for _ in x.shape[2:]]
    weight = graph.random_array((x.shape[1], graph.integer(1, 4), *kernel)) / 4
    graph.add("ConvTranspose", [x, graph.constant(weight.astype(np.float32))],
              strides=[graph.integer(1, 2) for _ in kernel], pads=[0] * (2 * len(kernel)))


def pool(graph):
    x = pick_map(graph)
    if not x:
        return
    op = graph.choose(["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool", "MaxPool"])
    if op.startswith("Global"):
        graph.add(op, [x])
        return
    attributes = window_attributes(graph, x.rank - 2)
    attributes["kernel_shape"] = [graph.integer(2, 3) for _ in x.shape[2:]]
    if op == "AveragePool":
        attributes["count_include_pad"] = graph.integer(0, 1)
    # A window that holds nothing but padding has no value; one larger than the map has no agreed count.
    extents = [(k - 1) * d + 1 for k, d in zip(attributes["kernel_shape"], attributes["dilations"])]
    if all(extent <= size for extent, size in zip(extents, x.shape[2:])):
        graph.add(op, [x], **attributes)


def resize(graph):
    x = pick_map(graph)
    if not x:
        return
    scales = [1, 1] + [graph.choose([0.5, 1, 2, 1.5]) for _ in x.shape[2:]]
    mode = graph.choose(["nearest", "linear"])
    # With a size that is no whole number, ONNX aligns corners by that size and ONNX Runtime by the size it rounds to.
    is_whole = all(scale * size == int(scale * size) for scale, size in zip(scales, x.shape))
    place = graph.choose(["half_pixel", "asymmetric"] + ["align_corners"] * is_whole)
    graph.add("Resize", [x, None, graph.constant(np.array(scales, np.float32))], mode=mode,
              coordinate_transformation_mode=place, **({"nearest_mode": "floor"} if mode == "nearest" else {}))


def recurrent(graph):
    x = graph.pick(lambda v: v.is_float and v.rank == 3 and min(v.shape) > 0)
    if not x:
        return
    op, gates = graph.choose([("LSTM", 4), ("GRU", 3), ("RNN", 1)])
    hidden, ways = graph.integer(1, 9), graph.integer(1, 2)
    weights = [graph.random_array((ways, gates * hidden, x.shape[2])) / 2,
               graph.random_array((ways, gates * hidden, hidden)) / 2, graph.random_array((ways, 2 * gates * hidden))]
    graph.add(op, [x, *(graph.constant(w.astype(np.float32)) for w in weights)], graph.integer(1, 2),
              hidden_size=hidden, direction="bidirectional" if ways == 2 else graph.choose(["forward", "reverse"]),
              **({"linear_before_reset": graph.integer(0, 1)} if op == "GRU" else {}))


# ---- moves ----


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
        graph.add("Squeeze", [value, graph.ints(graph.choose(ones))])
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


def gather(graph):
    value = graph.pick_any(1)
    axis = value and graph.integer(0, value.rank - 1)
    if not value or value.shape[axis] == 0:
        return
    size = value.shape[axis]
    if graph.chance(0.5):
        index = graph.rng.integers(-size, size, graph.random_shape(graph.integer(0, 2)))
        graph.add("Gather", [value, graph.constant(index)], axis=axis)
        return
    shape = list(value.shape)
    shape[axis] = graph.integer(0, 5)
    index = graph.constant(graph.rng.integers(-size, size, shape))
    if graph.chance(0.5):
        graph.add("GatherElements", [value, index], axis=axis)
        return
    index = graph.constant(np.argsort(graph.rng.random(value.shape), axis).astype(np.int64))  # each place once
    graph.add("ScatterElements", [value, index, graph.constant(graph.random_array(value.shape, value.dtype))], axis=axis)


def gather_nd(graph):
    value = graph.pick(lambda v: v.rank >= 1 and v.array.size)
    if not value:
        return
    depth, count = graph.integer(1, value.rank), graph.integer(1, 4)
    index = np.stack([graph.rng.integers(0, size, count) for size in value.shape[:depth]], -1)
    if graph.chance(0.5):
        graph.add("GatherND", [value, graph.constant(index)])
    else:
        rows = graph.constant(graph.random_array((len(np.unique(index, axis=0)), *value.shape[depth:]), value.dtype))
        graph.add("ScatterND", [value, graph.constant(np.unique(index, axis=0)), rows])


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
    value = graph.pick(lambda v: v.rank >= 1 and v.dtype in (np.float32, np.int64, np.int32))
    if not value:
        return
    mode = graph.choose(["constant", "constant", "edge", "reflect"])
    least = -1 if mode == "constant" else 0
    pads = [graph.integer(least, 2) for _ in range(2 * value.rank)]
    sizes = np.array(value.shape)
    if mode != "constant" and (np.maximum(pads[:value.rank], pads[value.rank:]) >= sizes).any():
        return
    if (sizes + pads[:value.rank] + np.array(pads[value.rank:]) < 0).any() or (sizes + np.minimum(pads[:value.rank], 0) +
                                                                              np.minimum(pads[value.rank:], 0) < 0).any():
        return
    filling = graph.constant(value.dtype.type(3)) if mode == "constant" and graph.chance(0.5) else None
    graph.add("Pad", [value, graph.ints(*pads), filling], mode=mode)


def depth_to_space(graph):
    value = graph.pick(lambda v: v.is_float and v.rank == 4)
    if value and graph.chance(0.5):
        graph.add("DepthToSpace", [value], blocksize=2, mode=graph.choose(["DCR", "CRD"]))
    elif value:
        graph.add("SpaceToDepth", [value], blocksize=2)


def triangle(graph):
    value = graph.pick_float(2)
    if value:
        graph.add("Trilu", [value, graph.constant(np.int64(graph.integer(-2, 2)))], upper=graph.integer(0, 1))


# ---- made of sizes and of data ----


def sizes(graph):
    value = graph.pick_any(1)
    shape = value and graph.add("Shape", [value], start=graph.integer(0, value.rank - 1))
    if not shape:
        return
    if graph.chance(0.5):
        filling = helper.make_tensor("f", TensorProto.FLOAT, [1], [1.5])
        graph.add("ConstantOfShape", shape, value=filling)
    else:
        total = graph.add("ReduceProd", shape, keepdims=0)
        if total:
            graph.add("Range", [graph.constant(np.int64(0)), total[0], graph.constant(np.int64(2))])


def one_hot(graph):
    value = graph.pick(lambda v: v.dtype == np.int64)
    if value:
        graph.add("OneHot", [value, graph.ints(5), graph.constant(np.array([-1, 2], np.float32))],
                  axis=graph.integer(-1, value.rank))


def data_dependent(graph):
    """Sizes that only the data tells; something computes on from there."""
    value = graph.pick(lambda v: v.exact and v.rank >= 1 and v.dtype in (np.float32, np.int64, np.bool_))
    if not value:
        return
    if graph.chance(0.5):
        made = graph.add("NonZero", [value])
    else:
        axis = graph.integer(0, value.rank - 1)
        chosen = graph.constant(graph.random_array((value.shape[axis],), np.bool_))
        made = graph.add("Compress", [value, chosen], axis=axis)
    if made and made[0].dtype == np.int64:
        graph.add("Cast", made, to=TensorProto.FLOAT)


def quantize(graph):
    value = graph.pick_float(exact=True)
    if not value:
        return
    scale, zero = graph.constant(np.float32(0.05)), graph.constant(graph.choose([np.uint8(128), np.int8(3)]))
    made = graph.add("QuantizeLinear", [value, scale, zero])
    if made:
        graph.add("DequantizeLinear", [made[0], scale, zero])


# ---- control flow ----


def branch(graph, name, value):
    """A sub-graph of one or two nodes on a value of the outer graph."""
    inner, out = graph.new_name("b"), graph.new_name("b")
    op = graph.choose(["Tanh", "Neg", "Abs", "Identity", "Sin", "Relu"])
    nodes = [helper.make_node(op, [value.name], [inner]), helper.make_node("Add", [inner, value.name], [out])]
    return helper.make_graph(nodes[:graph.integer(1, 2)], name, [],
                             [helper.make_tensor_value_info(out, TensorProto.FLOAT, None)])


def fix_output(graph):
    """The output of a branch is what its last node makes."""
    graph.output[0].name = graph.node[-1].output[0]
    return graph


def choice(graph):
    value = graph.pick_float()
    condition = graph.pick(lambda v: v.dtype == np.bool_ and v.shape == ()) or \
        (graph.add_input(np.array(graph.chance(0.5))) if len(graph.inputs) < 7 else None)
    if condition:
        graph.add("If", [condition], then_branch=fix_output(branch(graph, "then", value)),
                  else_branch=fix_output(branch(graph, "else", graph.pick_float())))


def loop(graph):
    """for i in range(trips): value = tanh(value + step) and collect its mean."""
    value = graph.pick_float()
    step = graph.operand(value.shape, np.float32)
    if step.shape != value.shape and not value.rank:
        return
    names = {key: graph.new_name("l") for key in ("i", "c", "v", "cc", "sum", "next", "seen")}
    nodes = [helper.make_node("Identity", [names["c"]], [names["cc"]]),
             helper.make_node("Add", [names["v"], step.name], [names["sum"]]),
             helper.make_node(graph.choose(["Tanh", "Sin", "Relu"]), [names["sum"]], [names["next"]]),
             helper.make_node("ReduceMax", [names["next"]], [names["seen"]], keepdims=0)]
    info = helper.make_tensor_value_info
    body = helper.make_graph(nodes, "body", [info(names["i"], TensorProto.INT64, []), info(names["c"], TensorProto.BOOL, []),
                                             info(names["v"], onnx_type(value.array), None)],
                             [info(names["cc"], TensorProto.BOOL, []), info(names["next"], TensorProto.FLOAT, None),
                              info(names["seen"], TensorProto.FLOAT, None)])
    if value.array.size:
        graph.add("Loop", [graph.constant(np.int64(graph.integer(0, 4))), None, value], 2, body=body)


RULES = [smooth, smooth, smooth, jumping, guarded, binary, binary, binary, integer_binary, compare, logic, where, cast,
         clip, reduce, reduce, arg, softmax, top_k, cumulate, normalize, matmul, matmul, gemm, einsum, conv, conv,
         conv_transpose, pool, resize, recurrent, transpose, transpose, reshape, reshape_by_shape, squeeze, flatten,
         concat, split, cut, cut, gather, gather_nd, enlarge, pad, depth_to_space, triangle, sizes, one_hot,
         data_dependent, quantize, choice, loop]
