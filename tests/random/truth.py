# SPDX-License-Identifier: Apache-2.0
"""What a graph's outputs are in float64, node by node; sub-graphs are walked, not run.

Each node is computed by ONNX Runtime's kernel of double, else by the reference of the onnx package, else, where that has
a fault too, by ONNX Runtime's kernel of float: then the truth has the rounding of that one node.  Some kernels of double
compute in float: for those the reference comes first, or a formula here.
"""
import math

import numpy as np
import onnx
from cases.recurrence import recur
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from values import convert, model_of_node, opset_of, outer_names, run_model

FLOAT_TYPES = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


def run_double(model, feed):
    """The outputs, in order; floats are float64."""
    values = {name: convert(content, np.float64) for name, content in feed.items()}
    return run_graph(model.graph, values, opset_of(model))


def run_graph(graph, outer, opset):
    values = dict(outer)
    values.update((tensor.name, convert(numpy_helper.to_array(tensor), np.float64)) for tensor in graph.initializer)
    for node in graph.node:
        made = WALKS[node.op_type](node, values, opset) if node.op_type in WALKS else run_node(node, values, opset)
        values.update((name, content) for name, content in zip([name for name in node.output if name], made))
    return [values[output.name] for output in graph.output]


# ---- control flow ----


def graph_of(node, name):
    return next(attribute.g for attribute in node.attribute if attribute.name == name)


def walk_if(node, values, opset):
    return run_graph(graph_of(node, "then_branch" if values[node.input[0]] else "else_branch"), values, opset)


def walk_loop(node, values, opset):
    body = graph_of(node, "body")
    trips = values[node.input[0]] if node.input[0] else None
    going = values[node.input[1]] if len(node.input) > 1 and node.input[1] else np.array(True)
    carried = [values[name] for name in node.input[2:]]
    seen = [[] for _ in body.output[1 + len(carried):]]
    i = 0
    while going and (trips is None or i < trips):
        names = [value.name for value in body.input]
        made = run_graph(body, {**values, **dict(zip(names, [np.int64(i), going, *carried]))}, opset)
        going, carried = made[0], made[1:1 + len(carried)]
        for items, item in zip(seen, made[1 + len(carried):]):
            items.append(item)
        i += 1
    return carried + [np.stack(items) if items else None for items in seen]


def walk_scan(node, values, opset):
    body = graph_of(node, "body")
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    count = attributes["num_scan_inputs"]
    given = [values[name] for name in node.input]
    states, inputs = given[:-count], given[-count:]
    axes = attributes.get("scan_input_axes", [0] * count)
    backwards = attributes.get("scan_input_directions", [0] * count)
    inputs = [np.moveaxis(x, axis, 0)[::-1 if back else 1] for x, axis, back in zip(inputs, axes, backwards)]
    seen = [[] for _ in body.output[len(states):]]
    for t in range(inputs[0].shape[0]):
        names = [value.name for value in body.input]
        made = run_graph(body, {**values, **dict(zip(names, [*states, *(x[t] for x in inputs)]))}, opset)
        states = made[:len(states)]
        for items, item in zip(seen, made[len(states):]):
            items.append(item)
    out_axes = attributes.get("scan_output_axes", [0] * len(seen))
    prepended = attributes.get("scan_output_directions", [0] * len(seen))
    return states + [np.stack(items[::-1 if back else 1], axis) if items else None
                     for items, axis, back in zip(seen, out_axes, prepended)]


WALKS = {"If": walk_if, "Loop": walk_loop, "Scan": walk_scan}


# ---- single nodes ----


def run_node(node, values, opset):
    read = {name: values[name] for name in outer_names(node)}
    if node.op_type in FORMULAS:
        made = FORMULAS[node.op_type](attributes_of(node), *(read.get(name) for name in node.input))
        return [content for content, name in zip(made, node.output) if name]
    wide = retype(node, TensorProto.DOUBLE)
    if node.op_type == "GridSample":  # the kernel of double is that of today
        wide, opset = modern_grid_sample(wide), max(opset, 22)
    model = model_of_node(wide, read, opset)
    try:
        if node.op_type not in REFERENCE_FIRST:
            return run_model(model, read)
    except Exception:  # a kernel that is not there
        pass
    narrow = {name: convert(content, np.float32) for name, content in read.items()}
    rounded = [convert(content, np.float64)
               for content in run_model(model_of_node(retype(node, TensorProto.FLOAT), narrow, opset), narrow)]
    try:
        exact = ReferenceEvaluator(model).run(None, read)
    except Exception:  # a fault of the reference
        return rounded
    return [a if is_sane(a, b) else b for a, b in zip(exact, rounded)]


def is_sane(exact, rounded):
    if isinstance(rounded, list):
        return isinstance(exact, list) and len(exact) == len(rounded) and all(map(is_sane, exact, rounded))
    exact = np.asarray(exact)
    return (exact.shape == rounded.shape and exact.dtype == rounded.dtype and exact.dtype.kind == "f" and
            np.allclose(exact, rounded, 1e-3, 1e-3))


def retype(node, to, which=FLOAT_TYPES):
    """A copy of the node whose attributes speak of one type of float in place of others."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    for attribute in copy.attribute:
        if attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type in which:
            dtype = onnx.helper.tensor_dtype_to_np_dtype(to)
            attribute.t.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(attribute.t).astype(dtype), attribute.t.name))
        elif attribute.name in ("to", "dtype", "stash_type", "output_datatype") and attribute.i in which:
            attribute.i = to
    if node.op_type in TYPED and not any(attribute.name == TYPED[node.op_type] for attribute in copy.attribute):
        copy.attribute.append(onnx.helper.make_attribute(TYPED[node.op_type], to))
    return copy


# ---- where ONNX Runtime's double is none ----

REFERENCE_FIRST = {"Attention", "Shrink"}

# Operators that make float unless an attribute says otherwise.
TYPED = {"MelWeightMatrix": "output_datatype"}


def attributes_of(node):
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def modern_grid_sample(node):
    for attribute in node.attribute:
        if attribute.name == "mode":
            attribute.s = {b"bilinear": b"linear", b"bicubic": b"cubic"}.get(attribute.s, attribute.s)
    return node


def erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def gelu(attributes, x):
    if attributes.get("approximate") == b"tanh":
        return [x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))]
    return [x / 2 * (1 + erf(x / np.sqrt(2)))]


def group_normalization(attributes, x, scale, bias):
    groups = attributes["num_groups"]
    grouped = x.reshape(x.shape[0], groups, -1)
    deviation = np.sqrt(grouped.var(2, keepdims=True) + attributes["epsilon"])
    normal = ((grouped - grouped.mean(2, keepdims=True)) / deviation).reshape(x.shape)
    each = x.shape[1] // len(scale)  # up to opset 20 there is one number for each group
    column = (-1,) + (1,) * (x.ndim - 2)
    return [normal * scale.repeat(each).reshape(column) + bias.repeat(each).reshape(column)]


def window(first, second, third):
    """Of cosines with these amplitudes."""
    def compute(attributes, size):
        turn = 2 * np.pi * np.arange(size) / (size if attributes.get("periodic", 1) else size - 1)
        return [first - second * np.cos(turn) + third * np.cos(2 * turn)]
    return compute


def transform(attributes, x, length=None, axis=None):
    """Of [batch, ..., 1 or 2]; the axis is an attribute up to opset 19."""
    axis = int(attributes.get("axis", 1) if axis is None else axis)
    numbers = x[..., 0] + 1j * x[..., 1] if x.shape[-1] == 2 else x[..., 0]
    axis = axis if axis >= 0 else axis + x.ndim
    size = int(length) if length is not None else x.shape[axis]
    made = (np.fft.ifft if attributes.get("inverse") else np.fft.fft)(numbers, size, axis)
    if attributes.get("onesided"):
        made = np.take(made, range(size // 2 + 1), axis)
    return [np.stack([made.real, made.imag], -1)]


def recurrent(op):
    """The gates of the operators' own tests."""
    def compute(attributes, *values):
        texts = {key: value.decode() if isinstance(value, bytes) else value for key, value in attributes.items()}
        texts["activations"] = [name.decode() for name in attributes.get("activations", [])]
        return recur(op, *values, **texts)
    return compute


FORMULAS = {
    "BlackmanWindow": window(0.42, 0.5, 0.08),
    "DFT": transform,
    "Erf": lambda attributes, x: [erf(x)],
    "GRU": recurrent("GRU"),
    "Gelu": gelu,
    "GroupNormalization": group_normalization,
    "HammingWindow": window(25 / 46, 21 / 46, 0),
    "HannWindow": window(0.5, 0.5, 0),
    "HardSwish": lambda attributes, x: [x * np.clip(x / 6 + 0.5, 0, 1)],
    "LSTM": recurrent("LSTM"),
    "RNN": recurrent("RNN"),
}
