# SPDX-License-Identifier: Apache-2.0
"""ONNX's types as text, as protobuf, as NumPy's, and values that test them.

A type is what the schemas write: "tensor(float)", "seq(tensor(int8))", "optional(seq(tensor(bool)))",
"map(int64, float)".  ml_dtypes has the element types that NumPy lacks.
"""
import re

import ml_dtypes
import numpy as np
from onnx import TensorProto, helper

NUMBERS = {name.lower(): number for name, number in TensorProto.DataType.items()}
SMALL_INTEGERS = ("int4", "uint4", "int2", "uint2")
WORDS = ["", "a", "b", "Quern", "mill", "zwölf", "7", " x "]


def element_of(text):
    """The element type inside a type: "float" of "seq(tensor(float))"."""
    return re.search(r"tensor\((\w+)\)", text)[1]


def number_of(text):
    """TensorProto.DataType of a tensor type or of the elements inside a collection."""
    return NUMBERS[element_of(text)]


def dtype_of(element):
    return np.dtype(helper.tensor_dtype_to_np_dtype(NUMBERS[element]))


def is_float(element):
    return element.startswith(("float", "bfloat")) or element == "double"


def is_integer(element):
    return "int" in element


def is_unsigned(element):
    return element.startswith("uint")


def inside(text, kind):
    """The type that a collection holds, None where it is no such collection."""
    match = re.fullmatch(rf"{kind}\((.*)\)", text)
    return match and match[1]


def type_proto(text, shape=None):
    """TypeProto of a type; tensors get the shape."""
    for kind, make in (("seq", helper.make_sequence_type_proto), ("optional", helper.make_optional_type_proto)):
        if inside(text, kind):
            return make(type_proto(inside(text, kind)))
    if inside(text, "map"):
        key, value = inside(text, "map").split(", ")
        return helper.make_map_type_proto(NUMBERS[key], type_proto(f"tensor({value})"))
    return helper.make_tensor_type_proto(number_of(text), shape)


# ---- values ----


def limits(element):
    """The least and the largest integer."""
    info = ml_dtypes.iinfo(dtype_of(element))
    return int(info.min), int(info.max)


def eps(element):
    return float(ml_dtypes.finfo(dtype_of(element)).eps)


def largest(element):
    return float(ml_dtypes.finfo(dtype_of(element)).max)


def cast(values, element):
    """Literals as an array of the type; numbers outside of its range are the caller's mistake."""
    if element == "string":
        return np.array(values, object)
    if element == "bool":
        return np.array(values).astype(bool)
    return np.asarray(np.array(values, np.int64 if is_integer(element) else None)).astype(dtype_of(element))


def draw(element, shape, rng, low=-2.0, high=2.0):
    """Numbers that the type holds exactly where it has a few bits to spend: multiples of 1/8, small integers, words."""
    if element == "string":
        return rng.choice(np.array(WORDS, object), shape)
    if element == "bool":
        return rng.random(shape) < 0.5
    if element == "float8e8m0":
        return np.exp2(rng.integers(-3, 4, shape)).astype(dtype_of(element))
    if is_integer(element):
        least, most = limits(element)
        return rng.integers(max(least, int(low * 3)), min(most, int(high * 3)) + 1, shape).astype(dtype_of(element))
    if element.startswith("complex"):
        return (rng.integers(-16, 17, shape) / 8 + 1j * rng.integers(-16, 17, shape) / 8).astype(dtype_of(element))
    eighths = rng.integers(int(np.ceil(low * 8)), int(high * 8) + 1, shape) / 8
    return np.asarray(eighths).astype(dtype_of(element))


def edges(element):
    """The values at which conversions and comparisons go wrong."""
    if element in ("string", "bool") or element.startswith("complex"):
        return draw(element, (6, ), np.random.default_rng(7))
    if is_integer(element):
        least, most = limits(element)
        inner = [value for value in (0, 1, 2, 3, 5, 7, -1, -2, -3, 100, -100) if least < value < most]
        return np.array([least, *inner, most], object).astype(dtype_of(element))
    if element == "float8e8m0":
        return np.exp2([-127.0, -3, 0, 1, 127]).astype(dtype_of(element))
    plain = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 1.5, 2.5, -2.5, 3.0, -7.0]
    most = largest(element)
    finite = np.array([*plain, most, -most], np.float64)
    if element.startswith(("float4", "float6")):
        return np.clip(finite, -most, most).astype(dtype_of(element))
    return np.append(finite,
                     [np.nan] if element.startswith("float8") else [np.inf, -np.inf, np.nan]).astype(dtype_of(element))
