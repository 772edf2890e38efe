# SPDX-License-Identifier: Apache-2.0
"""Sequences and optionals: tensors go in, and come out again."""
import numpy as np
from onnx import TensorProto, helper


def come_out(graph, sequence):
    """Something that computes on from a sequence."""
    items = sequence.array
    op = graph.choose(["SequenceAt", "SequenceLength", "ConcatFromSequence", "SequenceAt", "ConcatFromSequence"])
    if op == "SequenceAt" and items:
        graph.add(op, [sequence, graph.constant(np.int64(graph.integer(-len(items), len(items) - 1)))])
    elif op == "ConcatFromSequence" and items and items[0].ndim:
        graph.add(op, [sequence], axis=graph.integer(0, items[0].ndim - 1), new_axis=graph.integer(0, 1))
    else:
        graph.add("SequenceLength", [sequence])


def in_and_out(graph):
    value = graph.pick_any()
    if graph.chance(0.2):
        made = graph.add("SequenceEmpty", [], dtype=helper.np_dtype_to_tensor_dtype(value.dtype)) if not value.is_text else None
    else:
        others = [v for v in graph.values.values() if v.dtype == value.dtype and v.shape == value.shape]
        made = graph.add("SequenceConstruct", [graph.choose(others) for _ in range(graph.integer(1, 3))])
    if made and graph.chance(0.6):
        place = graph.constant(np.int64(graph.integer(-len(made[0].array), len(made[0].array)))) if graph.chance(0.5) else None
        made = graph.add("SequenceInsert", [made[0], value, place])
    if made and made[0].array and graph.chance(0.3):
        made = graph.add("SequenceErase", [made[0], graph.constant(np.int64(0)) if graph.chance(0.5) else None])
    if made:
        come_out(graph, made[0])


def split_up(graph):
    value = graph.pick_any(1)
    axis = value and graph.integer(0, value.rank - 1)
    if not value or not 0 < value.shape[axis] <= 8:
        return
    if graph.chance(0.4):
        made = graph.add("SplitToSequence", [value], axis=axis, keepdims=graph.integer(0, 1))
    else:
        made = graph.add("SplitToSequence", [value, graph.constant(np.int64(graph.integer(1, 3)))], axis=axis)
    if made:
        come_out(graph, made[0])


def mapped(graph):
    """A body of one node for each item."""
    value = graph.pick(lambda v: v.dtype == np.float32 and v.rank >= 1 and 0 < v.shape[0] <= 5)
    made = value and graph.add("SplitToSequence", [value], axis=0)
    if not made:
        return
    item, out = graph.new_name("m"), graph.new_name("m")
    info = helper.make_tensor_value_info
    body = helper.make_graph([helper.make_node(graph.choose(["Tanh", "Neg", "Sigmoid"]), [item], [out])], "each",
                             [info(item, TensorProto.FLOAT, None)], [info(out, TensorProto.FLOAT, None)])
    made = graph.add("SequenceMap", made, body=body)
    if made:
        come_out(graph, made[0])


def optional(graph):
    """Optional, asked and opened at once: ONNX Runtime hands none out."""
    value = graph.pick(lambda v: v.dtype in (np.float32, np.int64))
    if value:
        graph.add(graph.choose(["OptionalHasElement", "OptionalGetElement"]), [value])
