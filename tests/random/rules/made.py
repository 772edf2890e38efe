# SPDX-License-Identifier: Apache-2.0
"""Tensors made of sizes, of ranges, of nothing."""
import numpy as np
from onnx import TensorProto, helper, numpy_helper


def sizes(graph):
    value = graph.pick_any(1)
    if graph.chance(0.2):
        graph.add("Size", [value] if value else [graph.pick_any()])
    elif value:
        end = {"end": graph.integer(-value.rank, value.rank)} if graph.chance(0.3) else {}
        graph.add("Shape", [value], start=graph.integer(0, value.rank - 1), **end)


def filled(graph):
    if graph.chance(0.3):
        array = graph.random_array(graph.random_shape(), graph.choose([np.float32, np.float64, np.int64, np.bool_, np.uint8]))
        graph.add("Constant", [], value=numpy_helper.from_array(array, "value"))
        return
    value = graph.pick_any(1)
    shape = value and graph.add("Shape", [value])
    if shape:
        kind = graph.choose([TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT32, TensorProto.INT8])
        graph.add("ConstantOfShape", shape, value=helper.make_tensor("f", kind, [1], [2]))


def ranges(graph):
    value = graph.pick_any(1)
    shape = value and graph.add("Shape", [value])
    total = shape and graph.add("ReduceProd", shape, keepdims=0)
    if total:
        graph.add("Range", [graph.constant(np.int64(graph.integer(-3, 3))), total[0], graph.constant(np.int64(2))])


def eye(graph):
    value = graph.pick(lambda v: v.rank == 2 and not v.is_text and v.dtype != np.bool_)
    if value:
        graph.add("EyeLike", [value], k=graph.integer(-2, 2), **({"dtype": TensorProto.FLOAT} if graph.chance(0.5) else {}))
