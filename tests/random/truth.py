# SPDX-License-Identifier: Apache-2.0
"""What a graph's outputs are in float64, node by node; sub-graphs are walked, not run.

Each node is computed by ONNX Runtime's kernel of double, else by the reference of the onnx package, else, where that has
a fault too, by ONNX Runtime's kernel of float: then the truth has the rounding of that one node.
"""
import numpy as np
import onnx
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
    model = model_of_node(retype(node, TensorProto.DOUBLE), read, opset)
    try:
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
    return copy
