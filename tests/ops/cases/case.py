# SPDX-License-Identifier: Apache-2.0
"""What a case is, and how one is said in a line or two.

    CASES = [
        one("celu_opset12", "Celu", [floats(3, 4)], opset=12, alpha=0.5),
        one("mine", "Mine", [floats(3)], domain="com.example", expect=lambda x: [x * 2]),
    ]

ONNX Runtime says what is right, unless `expect` (a function from the inputs to the list of outputs, or that list) does: an
independent computation, for what ONNX Runtime cannot compute or computes otherwise than the standard says.  Where both can,
`agreed` makes the generator check that they agree.
"""
import functools
import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NEWEST, NEWEST_ML = 28, 5


@dataclass
class Case:
    """A model, its inputs, and who says what its outputs are."""

    name: str
    model: onnx.ModelProto
    inputs: list
    expect: Any = None  # None: ONNX Runtime; else a function of the inputs, or the outputs
    bounds: dict = field(default_factory=dict)  # {"rtol": …, "atol": …} where the usual 1e-3 and 1e-7 do not fit
    agreed: bool = False  # ONNX Runtime is asked too, and must agree with `expect`


# ---- inputs: the same numbers for the same arguments ----


def random(*key):
    """A generator whose numbers follow from its arguments."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def floats(*shape, low=-2.0, high=2.0, dtype=np.float32, seed=0):
    return random("floats", shape, seed).uniform(low, high, shape).astype(dtype)


def ints(*shape, low=-9, high=9, dtype=np.int64, seed=0):
    """low <= i <= high."""
    return random("ints", shape, seed).integers(low, high + 1, shape).astype(dtype)


def bools(*shape, seed=0):
    return random("bools", shape, seed).random(shape) < 0.5


# ---- models ----


def element_type(value):
    """The ONNX type of a value: arrays, strings and ml_dtypes too."""
    array = np.asarray(value)
    if array.dtype.kind in "OUS":
        return TensorProto.STRING
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def type_of(value):
    """The TypeProto of a value with the shape it has: a list is a sequence, None an optional of float without value."""
    if isinstance(value, list):
        inner = type_of(value[0]) if value else helper.make_tensor_type_proto(TensorProto.FLOAT, None)
        inner.tensor_type.ClearField("shape")
        return helper.make_sequence_type_proto(inner)
    if value is None:
        return helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    return helper.make_tensor_type_proto(element_type(value), np.shape(value))


def make_model(nodes, inputs, outputs, constants=None, opset=NEWEST, ml=None, imports=(), functions=(), ir=None):
    """A model.  `inputs`: {name: value or TypeProto}; `outputs`: names, or {name: TypeProto}; `constants`: {name: array}.
    The IR version is one of the opset's time; below 4 constants are inputs too."""
    ir = ir or ir_version(opset)
    types = {name: value if isinstance(value, onnx.TypeProto) else type_of(value) for name, value in inputs.items()}
    constants = constants or {}
    if ir < 4:
        types.update((name, type_of(array)) for name, array in constants.items())
    named = [onnx.ValueInfoProto(name=name, type=proto) for name, proto in types.items()]
    results = [onnx.ValueInfoProto(name=name, type=outputs[name] if isinstance(outputs, dict) else None)
               for name in outputs]
    graph = helper.make_graph(nodes, "case", named, results,
                              [numpy_helper.from_array(array, name) for name, array in constants.items()])
    imported = [helper.make_opsetid("", opset)] + ([helper.make_opsetid("ai.onnx.ml", ml)] if ml else [])
    imported += [helper.make_opsetid(domain, version) for domain, version in imports]
    model = helper.make_model(graph, opset_imports=imported, functions=list(functions), producer_name="quern")
    model.ir_version = ir
    return model


def ir_version(opset):
    """The IR version of the release that brought an opset."""
    first = {4: 9, 5: 10, 6: 11, 7: 12, 8: 15, 9: 19, 10: 21, 11: 23, 12: 24, 13: 25, 14: 28}
    return max([3] + [ir for ir, least in first.items() if opset >= least])


def one(name, op, inputs, outputs=1, *, constant=(), expect=None, bounds=None, agreed=False, domain="", opset=NEWEST, ml=None,
        version=1, types=None, **attributes):
    """A case of one node.

    inputs: values; "" for one that is absent.  constant: the indices of those that are initializers.  outputs: how many,
    or a list of flags, False for one that is not wanted.  types: the outputs' TypeProtos, where inference cannot tell.
    version: of `domain`, where it is neither ONNX's nor ai.onnx.ml.
    """
    wanted = [True] * outputs if isinstance(outputs, int) else outputs
    absent = [isinstance(value, str) and value == "" for value in inputs]
    names = ["" if gone else f"x{i}" for i, gone in enumerate(absent)]
    results = [f"y{i}" if want else "" for i, want in enumerate(wanted)]
    node = helper.make_node(op, names, results, domain=domain, **attributes)
    given = {names[i]: inputs[i] for i in range(len(inputs)) if not absent[i] and i not in constant}
    fixed = {names[i]: np.asarray(inputs[i]) for i in constant}
    made = [result for result in results if result]
    if domain == "ai.onnx.ml":
        ml = ml or NEWEST_ML
    imports = [(domain, version)] if domain not in ("", "ai.onnx.ml") else []
    model = make_model([node], given, dict(zip(made, types)) if types else made, fixed, opset, ml, imports)
    return Case(name, model, list(given.values()), functools.partial(all_inputs, expect, inputs) if callable(expect) else
                expect, bounds or {}, agreed)


def all_inputs(expect, inputs, *_):
    """A one-node case's computation gets the node's inputs, constant and absent ones ("" becomes None) included."""
    return expect(*[None if isinstance(value, str) and value == "" else value for value in inputs])
