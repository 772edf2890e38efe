# SPDX-License-Identifier: Apache-2.0
"""Whether quern's outputs are right: how far they are from float64, beside how far ONNX Runtime's are.

An output may be off by four times what ONNX Runtime is off, or by 16 units in the last place of the tensor's largest value,
where that is more.  The unit is that of the coarsest type that the output was rounded to on its way.  The truth of float64
is ONNX Runtime's own float64; its yardstick is how far the same graph in float32 is off, scaled by the types' precision.
"""
import numpy as np
import onnx
import quern
from onnx import TensorProto
from oracle import onnx_runtime
from truth import retype, run_double
from values import convert, run_model, sub_graphs

ULPS, TIMES = 16, 4
SCALE = float(np.finfo(np.float64).eps / np.finfo(np.float32).eps)


def run_quern(model, feed):
    options = quern.SessionOptions()
    options.strict = True
    session = quern.InferenceSession(model.SerializeToString(), options)
    session.run(None, feed)
    return session.run(None, feed)  # again, in memory that has been used


def find_fault(model, feed):
    """What is wrong with quern's outputs, as a sentence; None: nothing, or ONNX Runtime refuses the graph."""
    names = [output.name for output in model.graph.output]
    try:
        theirs = onnx_runtime(model.SerializeToString(), optimize=False).run(None, feed)
    except Exception:  # whatever its kernels raise
        return None
    truth = run_double(model, feed)
    try:
        ours = run_quern(model, feed)
    except quern.Error as error:
        return f"{type(error).__name__}: {error}"
    grains, narrow = grains_of(model), None
    for i, (name, got, want, exact) in enumerate(zip(names, ours, theirs, truth)):
        grain = grains.get(name)
        yardstick = want
        if grain == np.float64:
            narrow = run_narrow(model, feed) if narrow is None else narrow
            yardstick = narrow[i] if narrow else want
        fault = compare(got, want, exact, grain, yardstick)
        if fault:
            return f"output '{name}': {fault}"
    return None


def grains_of(model):
    """{name: the coarsest type of float on the way to it}, as the generator noted it."""
    return {entry.key: np.dtype(entry.value) for entry in model.metadata_props}


def compare(got, want, exact, grain, yardstick):
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return f"is {type(got).__name__} of {len(got)}, expected a list of {len(want)}"
        faults = [compare(*parts, grain, mark) for *parts, mark in zip(got, want, exact, yardstick)]
        return next((f"item {i} {fault}" for i, fault in enumerate(faults) if fault), None)
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"is {got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}"
    if want.dtype.kind != "f":
        return None if np.array_equal(got, want) else f"{(got != want).sum()} of {got.size} elements differ"
    exact = np.asarray(exact)
    if exact.shape != want.shape or want.size == 0 or not np.isfinite(exact).all():
        return None
    off, theirs = distance(got, exact), distance(yardstick, exact)
    if grain == np.float64:
        theirs *= SCALE
    grain = grain or want.dtype
    bound = max(TIMES * theirs, ULPS * float(np.spacing(grain.type(np.abs(exact).max()))))
    return None if off <= bound else f"off by {off:.3g}, allowed {bound:.3g} (ONNX Runtime is off by {theirs:.3g})"


def distance(got, exact):
    return float(np.abs(np.asarray(got, np.float64) - exact).max())


# ---- the same graph in float32 ----


def run_narrow(model, feed):
    """What ONNX Runtime makes of the graph with float32 for float64; [] where it refuses."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    narrow_graph(copy.graph)
    try:
        return run_model(copy, {name: convert(content, np.float32) if np.asarray(content).dtype == np.float64 else content
                                for name, content in feed.items()})
    except Exception:  # a kernel that is not there
        return []


def narrow_graph(graph):
    for value in [*graph.input, *graph.output, *graph.value_info]:
        proto = value.type.sequence_type.elem_type if value.type.HasField("sequence_type") else value.type
        if proto.tensor_type.elem_type == TensorProto.DOUBLE:
            proto.tensor_type.elem_type = TensorProto.FLOAT
    for tensor in graph.initializer:
        if tensor.data_type == TensorProto.DOUBLE:
            narrow = onnx.numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(narrow, tensor.name))
    for node in graph.node:
        node.CopyFrom(retype(node, TensorProto.FLOAT, (TensorProto.DOUBLE,)))
        for inner in sub_graphs(node):
            narrow_graph(inner)
