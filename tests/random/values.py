# SPDX-License-Identifier: Apache-2.0
"""Values of random graphs, and models of them: arrays, and sequences of arrays as lists."""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)

NEWEST, ML = 28, 3
IR_VERSIONS = {18: 8, 19: 9, 20: 9, 21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13, 27: 13, 28: 14}

FLOATS = (np.float32, np.float64, np.float16)
INTEGERS = (np.int64, np.int32, np.int16, np.int8, np.uint8, np.uint32, np.uint64, np.uint16)


def element_type(array):
    if array.dtype.kind in "OUS":
        return TensorProto.STRING
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def type_proto(value, dims=None):
    """Of an array, with the given dims or no shape; of a list of arrays."""
    if isinstance(value, list):
        item = helper.make_tensor_type_proto(element_type(value[0]) if value else TensorProto.FLOAT, None)
        return helper.make_sequence_type_proto(item)
    return helper.make_tensor_type_proto(element_type(value), dims)


class Value:
    """A value of the graph, with what it holds for the inputs at hand."""

    def __init__(self, name, content, exact, dims=None, steps=0):
        self.name, self.array, self.dims = name, content, dims
        self.exact = exact  # every engine gets these very bits
        self.steps = steps  # how many roundings led here
        self.grain = None   # the coarsest type that it was rounded to on its way

    is_sequence = property(lambda self: isinstance(self.array, list))
    shape = property(lambda self: self.array.shape)
    rank = property(lambda self: self.array.ndim)
    dtype = property(lambda self: self.array.dtype)
    is_float = property(lambda self: not self.is_sequence and self.array.dtype.kind == "f")
    is_text = property(lambda self: not self.is_sequence and self.array.dtype.kind == "O")


def outer_names(node, inner=()):
    """The names that a node reads, those of sub-graphs that come from outside included."""
    names = [name for name in node.input if name and name not in inner]
    for graph in sub_graphs(node):
        local = set(inner) | {value.name for value in graph.input} | {tensor.name for tensor in graph.initializer}
        for child in graph.node:
            names += outer_names(child, local)
            local |= set(child.output)
        names += [output.name for output in graph.output if output.name not in local]
    return list(dict.fromkeys(names))


def sub_graphs(node):
    return [attribute.g for attribute in node.attribute if attribute.type == onnx.AttributeProto.GRAPH]


def make_model(nodes, inputs, constants, outputs, opset=NEWEST):
    """inputs, constants: Values; outputs: (name, type or None), the type left to shape inference where it is None."""
    graph = helper.make_graph(
        nodes, "random",
        [onnx.ValueInfoProto(name=v.name, type=type_proto(v.array, v.dims)) for v in inputs],
        [onnx.ValueInfoProto(name=name, type=proto) for name, proto in outputs],
        [numpy_helper.from_array(v.array, v.name) for v in constants])
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", ML)]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSIONS[opset])


def model_of_node(node, read, opset):
    """A node alone; read: {name: content}."""
    inputs = [Value(name, content, True, None if isinstance(content, list) else [None] * content.ndim)
              for name, content in read.items()]
    return make_model([node], inputs, [], [(name, None) for name in node.output if name], opset)


def opset_of(model):
    return next(entry.version for entry in model.opset_import if entry.domain == "")


def run_model(model, feed):
    """All outputs by ONNX Runtime, as it computes without optimizing; arrays, and lists of arrays."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [content if isinstance(content, list) else np.asarray(content) for content in session.run(None, feed)]


def convert(content, dtype):
    """Floats of any kind become floats of one."""
    if isinstance(content, list):
        return [convert(part, dtype) for part in content]
    content = np.asarray(content)
    return content.astype(dtype) if content.dtype.kind == "f" else content
