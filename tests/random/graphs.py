# SPDX-License-Identifier: Apache-2.0
"""Random valid graphs: up to sixty nodes over most operators and types, symbols, sizes of 0, If and Loop.

A graph grows node by node.  Each candidate node is run by ONNX Runtime at once, so that the generator always knows every
value's type, shape and content, and drops what is not valid or not well conditioned: a graph tells an engine's faults
from rounding only where rounding stays small.  Operators that jump (Floor, Less, ArgMax, casts to integers) read only
values that every engine gets exactly: inputs, and what moves or chooses among exact values.
"""
import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

onnxruntime.set_default_logger_severity(4)

OPSET = 20
LARGEST = 1e4  # values beyond that are dropped
MOST_ELEMENTS = 6000

FLOATS = (np.float32,)
INTEGERS = (np.int64, np.int32, np.uint8, np.int8)
# Operators whose results are exact where their inputs are.
EXACT = {
    "Abs", "And", "ArgMax", "ArgMin", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Cast", "Ceil", "Clip", "Compress",
    "Concat", "ConstantOfShape", "DepthToSpace", "Equal", "Expand", "EyeLike", "Flatten", "Floor", "Gather",
    "GatherElements", "GatherND", "GlobalMaxPool", "Greater", "GreaterOrEqual", "Identity", "If", "Less", "LessOrEqual",
    "Loop", "Max", "MaxPool", "Min", "Mod", "Neg", "NonZero", "Not", "OneHot", "Or", "Pad", "Range", "ReduceMax",
    "ReduceMin", "Relu", "Reshape", "ReverseSequence", "Round", "ScatterElements", "ScatterND", "Shape", "Sign", "Size",
    "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "TopK", "Transpose", "Trilu", "Unsqueeze", "Where", "Xor",
}


def onnx_type(array):
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def run_model(model, feed):
    """All outputs by ONNX Runtime, as it computes without optimizing."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, feed)


class Value:
    """A value of the graph, with what it holds for the inputs at hand."""

    def __init__(self, name, array, exact, dims=None):
        self.name, self.array, self.exact, self.dims = name, array, exact, dims

    shape = property(lambda self: self.array.shape)
    rank = property(lambda self: self.array.ndim)
    dtype = property(lambda self: self.array.dtype)
    is_float = property(lambda self: self.array.dtype.kind == "f")


def outer_names(node, inner=()):
    """The names that a node reads, those of sub-graphs that come from outside included."""
    names = [name for name in node.input if name and name not in inner]
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            graph, local = attribute.g, set(inner) | {value.name for value in attribute.g.input}
            local |= {tensor.name for tensor in graph.initializer}
            for child in graph.node:
                names += outer_names(child, local)
                local |= set(child.output)
    return list(dict.fromkeys(names))


class Graph:
    """A graph under construction: what has been added, and helpers that add."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.values = {}  # name: Value; what later nodes may read
        self.nodes, self.inputs, self.constants = [], [], []
        self.count = 0
        self.sizes = [1, 2, 3, 4, 5, 8, 16] + ([0] if self.rng.random() < 0.15 else [])

    # ---- choosing ----

    def chance(self, probability):
        return self.rng.random() < probability

    def choose(self, items):
        return items[int(self.rng.integers(len(items)))]

    def integer(self, low, high):
        """low <= i <= high."""
        return int(self.rng.integers(low, high + 1))

    def pick(self, accept):
        """A random value that is acceptable, those made lately more often; None where there is none."""
        fitting = [value for value in self.values.values() if accept(value)]
        if not fitting:
            return None
        return fitting[max(self.integer(0, len(fitting) - 1), self.integer(0, len(fitting) - 1))]

    def pick_float(self, least_rank=0, exact=False, most_rank=6):
        return self.pick(lambda v: v.is_float and least_rank <= v.rank <= most_rank and (v.exact or not exact))

    def pick_any(self, least_rank=0):
        return self.pick(lambda v: v.rank >= least_rank)

    # ---- adding ----

    def new_name(self, stem):
        self.count += 1
        return f"{stem}{self.count}"

    def random_array(self, shape, dtype=np.float32):
        dtype = np.dtype(dtype)
        if dtype.kind == "f":
            return self.rng.uniform(-2, 2, shape).astype(dtype)
        if dtype.kind == "b":
            return self.rng.random(shape) < 0.5
        return self.rng.integers(0 if dtype.kind == "u" else -9, 10, shape).astype(dtype)

    def random_shape(self, rank=None):
        rank = self.integer(0, 4) if rank is None else rank
        shape = [self.choose(self.sizes) for _ in range(rank)]
        while np.prod(shape) > MOST_ELEMENTS:
            shape[int(np.argmax(shape))] = 2
        return tuple(shape)

    def add_input(self, array):
        """Each dimension is declared as a number, as the symbol of its size, or left open."""
        dims = [self.choose([size, f"size{size}", f"size{size}", None]) for size in array.shape]
        value = Value(self.new_name("x"), array, True, dims)
        self.inputs.append(value)
        self.values[value.name] = value
        return value

    def constant(self, array):
        """An initializer; not for later nodes to read."""
        value = Value(self.new_name("c"), np.asarray(array), True)
        self.constants.append(value)
        return value

    def ints(self, *numbers):
        return self.constant(np.array(numbers, np.int64))

    def operand(self, shape, dtype):
        """A value that broadcasts against a shape: of the graph, or new."""
        shape = list(shape)
        found = self.pick(lambda v: v.dtype == dtype and broadcasts(v.shape, shape))
        if found and self.chance(0.6):
            return found
        for axis in range(len(shape)):
            if self.chance(0.25):
                shape[axis] = 1
        array = self.random_array(shape[self.integer(0, len(shape)):] if self.chance(0.4) else shape, dtype)
        return self.constant(array) if self.chance(0.6) or len(self.inputs) > 6 else self.add_input(array)

    def add(self, op, inputs, outputs=1, accept=None, **attributes):
        """Adds a node if it is valid and well behaved.  Gives its outputs, or None."""
        names = [value.name if value else "" for value in inputs]
        while names and not names[-1]:
            names.pop()
        node = helper.make_node(op, names, [self.new_name("v") for _ in range(outputs)], **attributes)
        known = {value.name: value for value in [*self.values.values(), *self.constants]}
        read = [known[name] for name in outer_names(node)]
        arrays = run_node(node, read)
        if arrays is None or not all(is_tame(array) for array in arrays) or (accept and not accept(arrays)):
            return None
        self.nodes.append(node)
        exact = op in EXACT and all(value.exact for value in read)
        is_moved = all(array.dtype.kind != "f" for array in arrays) and all(value.exact for value in read)
        made = [Value(name, array, exact or is_moved) for name, array in zip(node.output, arrays)]
        self.values.update((value.name, value) for value in made)
        return made

    # ---- the end ----

    def model(self):
        """The model: outputs are the values that nobody reads, and a few others."""
        read = {name for node in self.nodes for name in outer_names(node)}
        made = [name for node in self.nodes for name in node.output]
        wanted = [name for name in made if name not in read or self.chance(0.08)]
        return make_model(self.nodes, self.inputs, self.constants, [self.values[name] for name in wanted])

    def feed(self):
        return {value.name: value.array for value in self.inputs}


def broadcasts(shape, to):
    if len(shape) > len(to):
        return False
    return all(a in (1, b) for a, b in zip(shape[::-1], to[::-1]))


def is_tame(array):
    if array.size > MOST_ELEMENTS or array.ndim > 6:
        return False
    return array.dtype.kind != "f" or array.size == 0 or bool(np.abs(array).max() <= LARGEST)


def run_node(node, read):
    """What ONNX Runtime makes of one node; None where it refuses."""
    outputs = [Value(name, None, False) for name in node.output]
    model = make_model([node], [Value(v.name, v.array, True, [None] * v.rank) for v in read], [], outputs)
    try:
        return [np.asarray(array) for array in run_model(model, {v.name: v.array for v in read})]
    except Exception:  # whatever its kernels raise: the node is not used
        return None


def make_model(nodes, inputs, constants, outputs):
    """Types of outputs are left to shape inference where they are not known."""
    graph = helper.make_graph(
        nodes, "random",
        [helper.make_tensor_value_info(v.name, onnx_type(v.array), v.dims) for v in inputs],
        [onnx.ValueInfoProto(name=v.name) if v.array is None else
         helper.make_tensor_value_info(v.name, onnx_type(v.array), None) for v in outputs],
        [numpy_helper.from_array(v.array, v.name) for v in constants])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)


def generate(seed, most_nodes=60):
    """(model, inputs) of a seed."""
    from rules import RULES  # which reads this file
    graph = Graph(seed)
    for _ in range(graph.integer(2, 3)):
        graph.add_input(graph.random_array(graph.random_shape(graph.integer(2, 4))))
    graph.add_input(graph.random_array(graph.random_shape(), graph.choose(INTEGERS)))
    wanted = graph.integer(3, most_nodes)
    for _ in range(4 * most_nodes):
        if len(graph.nodes) >= wanted:
            break
        graph.choose(RULES)(graph)
    return graph.model(), graph.feed()
