# SPDX-License-Identifier: Apache-2.0
"""What a graph's outputs are in float64, node by node.

Each node is computed by ONNX Runtime's kernel of double, else by the reference of the onnx package, else, where that has
a fault too, by ONNX Runtime's kernel of float: then the truth has the rounding of that one node.
"""
import numpy as np
import onnx
from graphs import Value, make_model, outer_names, run_model
from onnx import TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator


def run_double(model, feed):
    """The outputs, in order; floats are float64."""
    values = {tensor.name: widen(numpy_helper.to_array(tensor)) for tensor in model.graph.initializer}
    values.update((name, widen(array)) for name, array in feed.items())
    for node in model.graph.node:
        read = {name: values[name] for name in outer_names(node)}
        values.update(zip(node.output, run_node(node, read)))
    return [values[output.name] for output in model.graph.output]


def widen(array):
    return array.astype(np.float64) if array.dtype == np.float32 else array


def narrow(array):
    return array.astype(np.float32) if array.dtype == np.float64 else array


def run_node(node, read):
    wide = onnx.NodeProto()
    wide.CopyFrom(node)
    widen_node(wide)
    model = model_of(wide, read)
    try:
        return run_model(model, read)
    except Exception:  # a kernel that is not there
        pass
    narrowed = {name: narrow(array) for name, array in read.items()}
    rounded = [widen(array) for array in run_model(model_of(node, narrowed), narrowed)]
    try:
        exact = [np.asarray(array) for array in ReferenceEvaluator(model).run(None, read)]
    except Exception:  # a fault of the reference
        return rounded
    is_sane = all(a.shape == b.shape and a.dtype == b.dtype and np.allclose(a, b, 1e-3, 1e-3)
                  for a, b in zip(exact, rounded))
    return exact if is_sane else rounded


def model_of(node, read):
    return make_model([node], [Value(name, array, True, [None] * array.ndim) for name, array in read.items()], [],
                      [Value(name, None, False) for name in node.output if name])


# ---- float32 becomes float64 ----


def widen_tensor(tensor):
    if tensor.data_type == TensorProto.FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))


def widen_graph(graph):
    for value in [*graph.input, *graph.output, *graph.value_info]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for tensor in graph.initializer:
        widen_tensor(tensor)
    for node in graph.node:
        widen_node(node)


def widen_node(node):
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            widen_graph(attribute.g)
        elif attribute.type == onnx.AttributeProto.TENSOR:
            widen_tensor(attribute.t)
        elif attribute.name in ("to", "dtype", "stash_type") and attribute.i == TensorProto.FLOAT:
            attribute.i = TensorProto.DOUBLE
