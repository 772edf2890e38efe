# SPDX-License-Identifier: Apache-2.0
"""Random valid graphs: up to sixty nodes over most operators and types, symbols, sizes of 0, sub-graphs and sequences.

A graph grows node by node.  Each candidate node is run by ONNX Runtime at once, so that the generator always knows every
value's type, shape and content, and drops what is not valid or not well conditioned: a graph tells an engine's faults
from rounding only where rounding stays small.  Operators that jump (Floor, Less, ArgMax, casts to integers) read only
values that every engine gets exactly: inputs, and what moves or chooses among exact values.
"""
import numpy as np
from onnx import helper
from values import INTEGERS, IR_VERSIONS, Value, make_model, model_of_node, outer_names, run_model, type_proto

LARGEST = 1e4       # values beyond that are dropped
MOST_ELEMENTS = 6000
MOST_RANK = 6
HALF_STEPS = 5      # roundings to float16 that may follow one another

# Operators whose results are exact where their inputs are.
EXACT = {
    "Abs", "And", "ArgMax", "ArgMin", "ArrayFeatureExtractor", "BitCast", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr",
    "BitwiseXor", "Cast", "CastLike", "Ceil", "CenterCropPad", "Clip", "Compress", "Concat", "ConcatFromSequence", "Constant",
    "ConstantOfShape", "DepthToSpace", "Dropout", "Equal", "Expand", "EyeLike", "Flatten", "Floor", "Gather", "GatherElements",
    "GatherND", "GlobalMaxPool", "Greater", "GreaterOrEqual", "Hardmax", "Identity", "IsInf", "IsNaN", "Less", "LessOrEqual",
    "Max", "MaxPool", "MaxRoiPool", "MaxUnpool", "Min", "Mod", "Neg", "NonMaxSuppression", "NonZero", "Not", "OneHot",
    "Optional", "OptionalGetElement", "OptionalHasElement", "Or", "Pad", "Range", "ReduceMax", "ReduceMin", "Relu", "Reshape",
    "ReverseSequence", "Round", "ScatterElements", "ScatterND", "SequenceAt", "SequenceConstruct", "SequenceEmpty",
    "SequenceErase", "SequenceInsert", "SequenceLength", "Shape", "Sign", "Size", "Slice", "SpaceToDepth", "Split",
    "SplitToSequence", "Squeeze", "TensorScatter", "Tile", "TopK", "Transpose", "Trilu", "Unique", "Unsqueeze", "Where", "Xor",
}
WORDS = ["quern", "Mill", "a b", "", "stone", "GRAIN", "ä"]


class Graph:
    """A graph under construction, or a sub-graph of one: what has been added, and helpers that add."""

    def __init__(self, seed, opset):
        self.rng, self.opset = np.random.default_rng(seed), opset
        self.values = {}  # name: Value; what later nodes may read
        self.nodes, self.inputs, self.constants = [], [], []
        self.sequences = []  # Values whose content is a list
        self.numbers = iter(range(1, 1000000))
        self.sizes = [1, 2, 3, 4, 5, 8, 16] + ([0] if self.rng.random() < 0.15 else [])
        self.depth = 0
        self.may_round_half = True

    def child(self):
        """A sub-graph: it sees this graph's values, and shares its names and constants."""
        child = Graph.__new__(Graph)
        child.__dict__.update(self.__dict__)
        child.values, child.nodes, child.sequences = dict(self.values), [], []
        child.depth = self.depth + 1
        return child

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

    def pick_float(self, least_rank=0, exact=False, most_rank=MOST_RANK, dtype=None):
        return self.pick(lambda v: v.is_float and least_rank <= v.rank <= most_rank and (v.exact or not exact) and
                         (dtype is None or v.dtype == dtype))

    def pick_integer(self, least_rank=0):
        return self.pick(lambda v: v.dtype.kind in "iu" and v.rank >= least_rank)

    def pick_any(self, least_rank=0):
        return self.pick(lambda v: v.rank >= least_rank)

    # ---- adding ----

    def new_name(self, stem):
        return f"{stem}{next(self.numbers)}"

    def random_array(self, shape, dtype=np.float32):
        dtype = np.dtype(dtype)
        if dtype.kind == "f":
            return self.rng.uniform(-2, 2, shape).astype(dtype)
        if dtype.kind == "b":
            return self.rng.random(shape) < 0.5
        if dtype.kind == "O":
            return self.rng.choice(np.array(WORDS, object), shape)
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

    def scalar(self, number, like):
        """A constant of a value's type."""
        return self.constant(like.dtype.type(number))

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
        return self.constant(array) if self.depth or self.chance(0.6) or len(self.inputs) > 6 else self.add_input(array)

    def add(self, op, inputs, outputs=1, accept=None, exact=None, inner=(), **attributes):
        """Adds a node if it is valid and well behaved.  Gives its outputs, or None.

        outputs: how many, or flags, False for one that is not wanted.  accept: a judge of the outputs' arrays.  exact: of
        each output, where the operator does not tell.  inner: the types of floats that sub-graphs round to.
        """
        node = self.make_node(op, inputs, outputs, attributes)
        known = {value.name: value for value in [*self.values.values(), *self.constants, *self.sequences]}
        read = [known[name] for name in outer_names(node)]
        try:
            contents = run_model(model_of_node(node, {v.name: v.array for v in read}, self.opset), {v.name: v.array for v in read})
        except Exception:  # whatever ONNX Runtime's kernels raise: the node is not used
            return None
        if not all(is_tame(content) for content in contents) or (accept and not accept(contents)):
            return None
        if op not in EXACT and any(cancels(content, read) for content in contents):
            return None
        names = [name for name in node.output if name]
        made = [self.judge(op, name, content, read, exact and exact[i], inner)
                for i, (name, content) in enumerate(zip(names, contents))]
        if any(value.steps > HALF_STEPS and has_half(value) for value in made):
            return None
        if not self.may_round_half and any(has_half(value) and not value.exact for value in made):
            return None
        self.nodes.append(node)
        for value in made:
            if value.is_sequence:
                self.sequences.append(value)
            else:
                self.values[value.name] = value
        return made

    def make_node(self, op, inputs, outputs, attributes):
        names = [value.name if value else "" for value in inputs]
        while names and not names[-1]:
            names.pop()
        wanted = [True] * outputs if isinstance(outputs, int) else outputs
        return helper.make_node(op, names, [self.new_name("v") if want else "" for want in wanted], **attributes)

    def judge(self, op, name, content, read, exact, inner):
        """The Value of an output.  Numbers that are not floats are exact; floats where operator and inputs are.  inner: the
        types of floats in a sub-graph."""
        parts = content if isinstance(content, list) else [content]
        is_number = all(part.dtype.kind != "f" for part in parts)
        if exact is None:
            exact = is_number or (op in EXACT and all(value.exact for value in read))
        if exact and op in ("Cast", "CastLike") and not is_number:  # to a float that has fewer digits
            exact = np.array_equal(read[0].array.astype(np.float64), content.astype(np.float64), equal_nan=True)
        moves = op in EXACT and op not in ("Cast", "CastLike")
        steps = max((value.steps for value in read), default=0) + (0 if moves else 1)
        value = Value(name, content, exact, None, 0 if is_number else steps)
        if not exact:
            value.grain = coarsest([part.dtype for part in parts] + [v.grain for v in read if v.grain] + list(inner))
        return value

    # ---- the end ----

    def model(self):
        """The model: outputs are the values that nobody reads, and a few others."""
        read = {name for node in self.nodes for name in outer_names(node)}
        known = {**self.values, **{value.name: value for value in self.sequences}}
        made = [name for node in self.nodes for name in node.output if name]
        wanted = [name for name in made if name not in read or self.chance(0.08)]
        constants = [value for value in self.constants if value.name in read]
        outputs = [(name, type_proto(known[name].array)) for name in wanted]
        model = make_model(self.nodes, self.inputs, constants, outputs, self.opset)
        for value in known.values():
            if value.grain:
                model.metadata_props.add(key=value.name, value=value.grain.name)
        return model

    def feed(self):
        return {value.name: value.array for value in self.inputs}


def broadcasts(shape, to):
    if len(shape) > len(to):
        return False
    return all(a in (1, b) for a, b in zip(shape[::-1], to[::-1]))


def coarsest(dtypes):
    """The type with the fewest digits; None where there is none of floats."""
    return min((dtype for dtype in dtypes if dtype.kind == "f"), key=lambda dtype: dtype.itemsize, default=None)


def has_half(value):
    parts = value.array if value.is_sequence else [value.array]
    return any(part.dtype == np.float16 for part in parts)


def is_tame(content):
    if isinstance(content, list):
        return len(content) <= 40 and all(is_tame(part) for part in content)
    if content.size > MOST_ELEMENTS or content.ndim > MOST_RANK:
        return False
    return content.dtype.kind != "f" or content.size == 0 or bool(np.abs(content).max() <= LARGEST)


def cancels(content, read):
    """Is the largest number of an output so small beside the inputs that most digits may have cancelled?"""
    if isinstance(content, list) or content.dtype.kind != "f" or content.size == 0:
        return False
    inputs = [np.abs(value.array).max() for value in read if value.is_float and value.array.size]
    return float(np.abs(content).max()) < 0.03 * min(float(max(inputs, default=0)), 1)


def grow(graph, wanted, tries):
    """Adds nodes by random rules until there are as many as wanted."""
    from rules import RULES  # which reads this file
    for _ in range(tries):
        if len(graph.nodes) >= wanted:
            break
        graph.choose(RULES)(graph)


def generate(seed, most_nodes=60):
    """(model, inputs) of a seed."""
    rng = np.random.default_rng(seed)
    graph = Graph(seed, int(rng.choice([opset for opset in IR_VERSIONS if opset != 25])))
    main = np.dtype(rng.choice(["float32"] * 6 + ["float64"] * 2 + ["float16"]))
    for _ in range(graph.integer(2, 3)):
        graph.add_input(graph.random_array(graph.random_shape(graph.integer(2, 4)), main))
    graph.add_input(graph.random_array(graph.random_shape(), graph.choose(INTEGERS)))
    if graph.chance(0.4):
        other = graph.choose([np.float64, np.float16, np.bool_, np.object_, np.object_, np.float32])
        graph.add_input(graph.random_array(graph.random_shape(), other))
    grow(graph, graph.integer(3, most_nodes), 4 * most_nodes)
    return graph.model(), graph.feed()
