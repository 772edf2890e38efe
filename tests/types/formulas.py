# SPDX-License-Identifier: Apache-2.0
"""What outputs are where neither ONNX Runtime nor onnx.reference computes them, or not in all types: NumPy in wide types."""
import elements
import numpy as np
import onnxruntime
from onnx import helper


def target(case, i=0):
    return elements.dtype_of(elements.element_of(case.output_types()[i]))


# ---- casts ----


def cut(case):
    """Floats to integers as base/to_integer.h says: towards zero; int32 and int64 that cannot hold the number are the least
    one, and narrower types are their low bits."""
    element = elements.element_of(case.output_types()[0])
    values = case.values[0].astype(np.float64)
    least = -2.0**63 if element == "uint32" else -2.0**31
    fits = np.isfinite(values) & (np.trunc(values) >= least) & (values < -least)
    whole = np.where(fits, np.trunc(np.where(fits, values, 0)), least).astype(np.int64)
    width = {"uint32": 32, "int4": 4, "uint4": 4, "int2": 2, "uint2": 2}[element]
    low = whole & ((1 << width) - 1)
    if not elements.is_unsigned(element):
        low = np.where(low >= 1 << (width - 1), low - (1 << width), low)
    return [low]


def powers_above(values):
    """As float8e8m0, rounded up: the next power of two that it has."""
    inside = np.clip(values.astype(np.float64), 2.0**-127, 2.0**127)
    return np.exp2(np.ceil(np.log2(inside))).astype(elements.dtype_of("float8e8m0"))


def tiny_cast(case):
    """By float64; what a float of 4 or 6 bits cannot hold is its largest number, NaN its minus zero."""
    source, (element, ) = case.values[0], [elements.element_of(text) for text in case.output_types()]
    if element == "float8e8m0":
        return [powers_above(source)]
    if element.startswith(("float4", "float6")):
        values = source.astype(np.float64)
        most = elements.largest(element)
        return [np.where(np.isnan(values), -0.0, np.clip(values, -most, most)).astype(target(case))]
    with np.errstate(all="ignore"):
        return [
            source.astype(np.float64).astype(np.int64).astype(target(case)) if elements.is_integer(element)
            and element not in ("uint64", "int64") else source.astype(np.float64).astype(target(case))
        ]


def text_cast(case):
    """The shortest decimal numbers; a truth value is 0 or 1."""
    source = case.values[0]
    if source.dtype.kind != "O":
        return [np.array([f"{float(value):g}" for value in source], object)]
    if "e8m0" in case.types["T2"]:
        return [powers_above(source)]
    return [source.astype(np.float64).astype(target(case))]


# ---- by float32 ----


def float_runtime(case, values):
    """ONNX Runtime's result of the node for float32 inputs."""
    inputs = [f"i{i}" if value is not None else "" for i, value in enumerate(values)]
    attributes = {key: value for key, value in case.attributes.items() if value is not None}
    node = helper.make_node(case.schema.name, inputs, ["o"], domain=case.schema.domain, **attributes)
    infos = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in zip(inputs, values) if name
    ]
    graph = helper.make_graph([node], "g", infos, [helper.make_value_info("o", helper.make_tensor_type_proto(1, None))])
    model = helper.make_model(graph,
                              opset_imports=[helper.make_opsetid("", 20),
                                             helper.make_opsetid("ai.onnx.ml", 3)],
                              ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {name: value for name, value in zip(inputs, values) if name})[0]


def narrow(values):
    """Other inputs (grids, regions) as float32 too, where they are floats."""
    return [
        value.astype(np.float32)
        if value is not None and value.dtype.kind in "fV" and value.dtype != np.float32 else value for value in values
    ]


def by_indices(case):
    """Of an operator that moves elements: the float32 result for their numbers tells which went where; -1 is none."""
    data = case.values[0]
    numbers = np.arange(1, data.size + 1, dtype=np.float32).reshape(data.shape)
    found = float_runtime(case, [numbers, *narrow(case.values[1:])]).astype(np.int64)
    nothing = np.array([""], object) if data.dtype.kind == "O" else np.zeros(1, data.dtype)
    return [np.concatenate([nothing, data.ravel()])[found]]


def real_parts(case):
    """In float32, real and imaginary parts each on its own; integers are cut."""
    data, rest = case.values[0], narrow(case.values[1:])
    if data.dtype.kind == "c":
        real = float_runtime(case, [data.real.astype(np.float32), *rest])
        return [real + 1j * float_runtime(case, [data.imag.astype(np.float32), *rest])]
    result = float_runtime(case, [data.astype(np.float32), *rest])
    return [result.astype(np.int64).astype(data.dtype) if data.dtype.kind in "iu" else result.astype(data.dtype)]


def as_float(case):
    """Of operators of one input whose output is float, whatever the input."""
    return [float_runtime(case, [case.values[0].astype(np.float32)])]


# ---- the rest ----


def one_hot(case):
    indices, depth, values = case.values
    hits = indices.astype(np.int64)[:, None] == np.arange(int(depth))[None, :]
    return [np.where(hits, values[1], values[0])]


def loop(case):
    """Two rounds that pass a value on."""
    return [case.values[2], np.stack([case.values[2]] * 2)]


def quantized_product(case):
    """Zero points are 0: a float8 has no offset."""
    a, a_scale, _, b, b_scale, _, scale, _ = [value.astype(np.float64) for value in case.values]
    product = (a @ b) * (a_scale * b_scale / scale)
    most = elements.largest(elements.element_of(case.types["T3"]))
    return [np.clip(product, -most, most).astype(np.float32).astype(target(case))]


def dict_row(case):
    vocabulary = case.attributes.get("string_vocabulary") or case.attributes.get("int64_vocabulary")
    empty = "" if "string" in case.types["T2"] else 0
    row = np.array([[case.values[0].get(key, empty) for key in vocabulary]], object)
    return [row if "string" in case.types["T2"] else row.astype(target(case))]


def map_row(case):
    """The values in the order of the keys; floats print with six decimals."""
    values = [value for _, value in sorted(case.values[0].items())]
    if "string" in case.types["T2"]:
        return [np.array([[value if isinstance(value, str) else f"{value:.6f}" for value in values]], object)]
    return [np.array([[float(value) for value in values]]).astype(target(case))]
