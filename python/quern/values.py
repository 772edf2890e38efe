# SPDX-License-Identifier: Apache-2.0
"""NumPy arrays, lists and dicts to and from the values of runs.

What the extension module takes and gives is written in native/input.c and native/output.c: tensors are (number of the
element type, array), whose array shows its elements by the buffer protocol.
"""
import re

import numpy

from . import _quern

TYPES = _quern.TYPES
STRING = TYPES["string"]

# NumPy's own types.  The buffer protocol knows all of these.
NATIVE = {
    "float": numpy.float32, "uint8": numpy.uint8, "int8": numpy.int8, "uint16": numpy.uint16, "int16": numpy.int16,
    "int32": numpy.int32, "int64": numpy.int64, "bool": numpy.bool_, "float16": numpy.float16, "double": numpy.float64,
    "uint32": numpy.uint32, "uint64": numpy.uint64, "complex64": numpy.complex64, "complex128": numpy.complex128,
}
# Types of the package ml_dtypes, which onnx uses as well; their elements pass as integers of that size.
EXTENDED = {
    "bfloat16": "bfloat16", "float8e4m3fn": "float8_e4m3fn", "float8e4m3fnuz": "float8_e4m3fnuz",
    "float8e5m2": "float8_e5m2", "float8e5m2fnuz": "float8_e5m2fnuz", "uint4": "uint4", "int4": "int4",
    "float4e2m1": "float4_e2m1fn", "float8e8m0": "float8_e8m0fnu", "uint2": "uint2", "int2": "int2",
    "float6e2m3": "float6_e2m3fn", "float6e3m2": "float6_e3m2fn",
}
CARRIERS = {1: numpy.dtype(numpy.uint8), 2: numpy.dtype(numpy.uint16)}

TYPE_OF = {numpy.dtype(dtype).name: TYPES[name] for name, dtype in NATIVE.items()}
TYPE_OF.update({extended: TYPES[name] for name, extended in EXTENDED.items()})
NAME_OF = {number: name for name, number in TYPES.items()}


def dtype_of(number):
    """NumPy's type of an element type.  Without ml_dtypes, what NumPy does not know is unsigned integers of its size."""
    name = NAME_OF[number]
    if number == STRING:
        return numpy.dtype(object)
    if name in NATIVE:
        return numpy.dtype(NATIVE[name])
    try:
        import ml_dtypes  # an optional package: only arrays of its types need it
    except ImportError:
        return CARRIERS[2 if name == "bfloat16" else 1]
    return numpy.dtype(getattr(ml_dtypes, EXTENDED[name]))


# ---- in ----


def carried(number, array):
    """The integers that carry elements of types that NumPy does not know; small signed ones have their sign spread."""
    if NAME_OF[number] in ("int4", "int2"):
        return array.astype(numpy.int8).view(numpy.uint8)
    return array.view(CARRIERS[array.dtype.itemsize])


def tensor_in(array, declared):
    """(type, buffer) of an array; other objects become arrays of the declared type."""
    if not isinstance(array, numpy.ndarray):
        array = numpy.asarray(array, None if declared is None else dtype_of(declared))
    if array.dtype.kind in "OUST":
        return STRING, array if array.dtype.kind == "O" else array.astype(object)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    number = TYPE_OF.get(array.dtype.name)
    if number is None:
        raise TypeError(f"arrays of {array.dtype} are no tensors")
    if number in (declared, None) or declared is None or NAME_OF[declared] in NATIVE:
        return number, array if NAME_OF[number] in NATIVE else carried(number, array)
    # Elements of types that NumPy does not know may come as the integers that carry them.
    if array.dtype in CARRIERS.values() and array.dtype.itemsize == dtype_of(declared).itemsize:
        return declared, array
    return number, array


def map_in(given, declared):
    keys = list(given)
    are_texts = bool(keys) and isinstance(keys[0], (str, bytes))
    values = list(given.values())
    items = list_in(values, declared) if values and isinstance(values[0], (list, dict)) else \
        tensor_in(numpy.asarray(values, None if declared is None else dtype_of(declared)), declared)
    return {"keys": tensor_in(numpy.array(keys, object if are_texts else numpy.int64), None), "values": items}


def list_in(given, declared):
    return [value_in(item, declared) for item in given]


def value_in(given, declared, is_tensor=False):
    """What Session.run takes for a value.  `declared`: the element type; `is_tensor`: a list is an array's content."""
    if given is None:
        return None
    if isinstance(given, dict):
        return map_in(given, declared)
    if isinstance(given, (list, tuple)) and not is_tensor:
        return list_in(given, declared)
    return tensor_in(given, declared)


# ---- out ----


def array_out(tensor):
    """An array over the memory of an output, which lives as long as the array."""
    if tensor.texts is None:
        return numpy.ndarray(tensor.shape, dtype_of(tensor.type), tensor)
    array = numpy.empty(len(tensor.texts), object)
    array[:] = tensor.texts
    return array.reshape(tensor.shape)


def map_out(given):
    keys = array_out(given["keys"]).tolist()
    values = given["values"]
    return dict(zip(keys, value_out(values) if isinstance(values, list) else array_out(values).tolist()))


def value_out(given):
    """An array, a list, a dict or None for what Session.run gave."""
    if isinstance(given, list):
        return [value_out(item) for item in given]
    if isinstance(given, dict):
        return map_out(given)
    return None if given is None else array_out(given)


# ---- types ----


def type_text(text):
    """ONNX Runtime's text of a type: tensor(float), seq(map(int64,tensor(float)))."""
    text = text.strip()
    collection = re.fullmatch(r"(sequence|optional|map)\((.*)\)", text)
    if not collection:
        return f"tensor({text.split('[')[0]})"
    kind, inner = collection.groups()
    if kind == "map":
        key, value = inner.split(",", 1)
        return f"map({key.strip()},{type_text(value)})"
    return f"{'seq' if kind == 'sequence' else kind}({type_text(inner)})"
