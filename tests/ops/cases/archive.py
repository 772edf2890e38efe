# SPDX-License-Identifier: Apache-2.0
"""A case as the bytes of an archive, and whether two archives say the same."""
import io
import json
import zipfile

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from cases.case import type_of

onnxruntime.set_default_logger_severity(4)

SET = "test_data_set_0"
CLOSE = {"rtol": 1e-4, "atol": 1e-6}  # what processors may differ by in an expected value


def run(model, inputs):
    """What ONNX Runtime makes of a case, not optimized."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    given = [np.asarray(value) if isinstance(value, np.generic) else value for value in inputs]
    return session.run(None, dict(zip([value.name for value in session.get_inputs()], given)))


def message(name, value):
    """A value as the message that its type wants."""
    if isinstance(value, list):
        is_map = bool(value) and isinstance(value[0], dict)
        sequence = onnx.SequenceProto(name=name, elem_type=onnx.SequenceProto.MAP if is_map else onnx.SequenceProto.TENSOR)
        (sequence.map_values if is_map else sequence.tensor_values).extend(message("", item) for item in value)
        return sequence
    if isinstance(value, dict):
        return map_message(name, value)
    if value is None:
        return onnx.OptionalProto(name=name, elem_type=0)
    return numpy_helper.from_array(np.asarray(value), name)


def map_message(name, value):
    """Floats of Python are float32 here; keys are strings, or int64."""
    values = [np.array(item, object) if isinstance(item, str) else np.float32(item) if isinstance(item, float) else item
              for item in value.values()]
    made = onnx.MapProto(name=name, values=message("", values))
    if isinstance(next(iter(value)), str):
        made.key_type = onnx.TensorProto.STRING
        made.string_keys.extend(key.encode() for key in value)
    else:
        made.key_type = onnx.TensorProto.INT64
        made.keys.extend(value)
    return made


def complete(model, outputs):
    """Fills in the outputs' types where the case left them to us: ranks and element types, not sizes."""
    for info, value in zip(model.graph.output, outputs):
        if not info.type.WhichOneof("value"):
            info.type.CopyFrom(type_of(value))
            for dim in info.type.tensor_type.shape.dim:
                dim.Clear()


def expected(case):
    """The outputs, by whom the case names."""
    if case.expect is None:
        return run(case.model, case.inputs)
    outputs = case.expect(*case.inputs) if callable(case.expect) else case.expect
    if case.agreed:
        for i, (ours, theirs) in enumerate(zip(outputs, run(case.model, case.inputs))):
            np.testing.assert_allclose(ours, theirs, 1e-3, 1e-5, err_msg=f"output {i}: ONNX Runtime does not agree")
    return outputs


def pack(case):
    """The archive's bytes: stored, without times, so that equal cases are equal bytes."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    outputs = expected(case)
    if len(outputs) != len(model.graph.output):
        raise ValueError(f"{len(outputs)} outputs are expected of a model that has {len(model.graph.output)}")
    complete(model, outputs)
    files = {"model.onnx": model.SerializeToString(deterministic=True)}
    for kind, values in (("input", case.inputs), ("output", outputs)):
        for i, value in enumerate(values):
            files[f"{SET}/{kind}_{i}.pb"] = message(getattr(model.graph, kind)[i].name, value).SerializeToString()
    if case.bounds:
        files["data.json"] = json.dumps(case.bounds, sort_keys=True).encode()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)
    return data.getvalue()


def unpack(data):
    """{name: bytes}"""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def differs(old, new):
    """How two archives differ, as a sentence; None where they say the same."""
    if old == new:
        return None
    old, new = unpack(old), unpack(new)
    if old.keys() != new.keys():
        return f"holds {sorted(old)}, expected {sorted(new)}"
    for name in new:
        if old[name] != new[name] and not (name.startswith(f"{SET}/output_") and is_close(old[name], new[name])):
            return f"{name} differs"
    return None


def is_close(old, new):
    """Two tensors of floats that differ in their last places."""
    a, b = onnx.TensorProto.FromString(old), onnx.TensorProto.FromString(new)
    if a.data_type != b.data_type or a.dims != b.dims or not a.data_type:
        return False
    a, b = numpy_helper.to_array(a), numpy_helper.to_array(b)
    return a.dtype.kind in "fV" and np.allclose(a.astype(np.float64), b.astype(np.float64), equal_nan=True, **CLOSE)
