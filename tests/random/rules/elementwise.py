# SPDX-License-Identifier: Apache-2.0
"""One number at a time: arithmetic, comparison, logic, bits, casts."""
import numpy as np
from onnx import helper

from rules.common import guard, inside, small

SMOOTH = ["Sin", "Cos", "Tanh", "Sigmoid", "Erf", "Softplus", "Softsign", "Atan", "Elu", "Selu", "LeakyRelu", "HardSigmoid",
          "HardSwish", "Mish", "Gelu", "Celu", "Relu", "Abs", "Neg", "Asinh", "Identity", "PRelu", "Exp", "Sinh", "Cosh", "Swish"]
JUMPING = ["Floor", "Ceil", "Round", "Sign", "ThresholdedRelu", "Shrink", "IsInf", "IsNaN"]


def smooth(graph):
    value, op = graph.pick_float(), graph.choose(SMOOTH)
    if op in ("Exp", "Sinh", "Cosh"):
        value = small(graph, value)
    if value:
        graph.add(op, [value, graph.operand(value.shape, value.dtype)] if op == "PRelu" else [value])


def activation(graph):
    """Those with numbers of their own."""
    value = graph.pick_float()
    op, attributes = graph.choose([
        ("Elu", {"alpha": 0.5}), ("Selu", {"alpha": 1.2, "gamma": 0.8}), ("LeakyRelu", {"alpha": -0.2}), ("Celu", {"alpha": 2.0}),
        ("HardSigmoid", {"alpha": 0.3, "beta": 0.1}), ("Gelu", {"approximate": "tanh"}), ("Swish", {"alpha": 1.5})])
    if value:
        graph.add(op, [value], **attributes)


def bounded(graph):
    """Functions of a part of the line."""
    op, value = graph.choose(["Asin", "Acos", "Atanh", "Tan", "Acosh"]), graph.pick_float()
    argument = inside(graph, value)
    if argument and op == "Acosh":
        made = graph.add("Add", [argument, graph.scalar(2.5, value)])
        argument = made and made[0]
    if argument:
        graph.add(op, [argument])


def guarded(graph):
    value = guard(graph, graph.pick_float())
    if value:
        graph.add(graph.choose(["Sqrt", "Log", "Reciprocal"]), [value])


def jumping(graph):
    op = graph.choose(JUMPING)
    value = graph.pick_float(exact=True)
    if value:
        graph.add(op, [value], **({"lambd": 0.7, "bias": 0.2} if op == "Shrink" else {}))


def binary(graph):
    a = graph.pick_float()
    b = a and graph.operand(a.shape, a.dtype)
    op = graph.choose(["Add", "Sub", "Mul", "Add", "Mul", "Max", "Min", "Sum", "Mean", "Div", "Pow", "Mod"])
    if op == "Div":
        b = guard(graph, b)
    elif op == "Pow":
        a, b = guard(graph, a), a and graph.scalar(graph.choose([2, 0.5, -1, 3, 0]), a)
    elif op == "Mod":
        a, b = a if a and a.exact else None, a and graph.scalar(0.75, a)
    if not a or not b:
        return
    inputs = [b, a] if op in ("Add", "Sub", "Mul") and graph.chance(0.4) else [a, b]
    if op in ("Max", "Min", "Sum", "Mean"):
        inputs += [graph.operand(a.shape, a.dtype) for _ in range(graph.integer(0, 2))]
    graph.add(op, inputs, **({"fmod": 1} if op == "Mod" else {}))


def integer_binary(graph):
    a = graph.pick_integer()
    if not a:
        return
    op = graph.choose(["Add", "Sub", "Mul", "Max", "Min", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Mod", "Div", "BitShift", "Pow"])
    if op in ("Mod", "Div"):
        graph.add(op, [a, graph.scalar(graph.integer(1, 7), a)], **({"fmod": graph.integer(0, 1)} if op == "Mod" else {}))
    elif op == "BitShift":
        if a.dtype.kind == "u":
            graph.add(op, [a, graph.scalar(graph.integer(0, 7), a)], direction=graph.choose(["LEFT", "RIGHT"]))
    elif op == "Pow":
        if a.array.size and np.abs(a.array.astype(np.float64)).max() <= 12 and a.dtype in (np.int32, np.int64):
            graph.add(op, [a, graph.scalar(graph.integer(0, 3), a)])
    else:
        graph.add(op, [a, graph.operand(a.shape, a.dtype)])


def integer_unary(graph):
    a = graph.pick_integer()
    if a:
        graph.add(graph.choose(["Abs", "Neg", "Sign", "BitwiseNot", "Relu", "Clip"]), [a])


def compare(graph):
    a = graph.pick(lambda v: v.exact and v.dtype != np.bool_)
    b = a and graph.operand(a.shape, a.dtype)
    if b and b.exact:
        graph.add(graph.choose(["Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual"]), [a, b])


def logic(graph):
    a = graph.pick(lambda v: v.dtype == np.bool_)
    op = graph.choose(["And", "Or", "Xor", "Not"])
    if a:
        graph.add(op, [a] if op == "Not" else [a, graph.operand(a.shape, np.bool_)])


def where(graph):
    a = graph.pick_any()
    graph.add("Where", [graph.operand(a.shape, np.bool_), a, graph.operand(a.shape, a.dtype)])


def holds(dtype, array):
    """Whether a type holds all these numbers: others become whatever the machine makes of them."""
    if np.dtype(dtype).kind not in "iu" or array.size == 0:
        return True
    limits = np.iinfo(dtype)
    return limits.min <= float(array.min()) and float(array.max()) <= limits.max


def cast(graph):
    to = graph.choose([np.float32, np.float32, np.float64, np.float16, np.int64, np.int32, np.bool_, np.uint8, np.int8, np.int16,
                       np.uint16, np.uint32])
    is_float = np.dtype(to).kind == "f"
    value = graph.pick(lambda v: not v.is_text and (v.exact or (is_float and v.is_float)))
    if not value or not holds(to, value.array):
        return
    if graph.chance(0.2):
        graph.add("CastLike", [value, graph.constant(np.zeros(2, to))])
    else:
        graph.add("Cast", [value], to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))


def clip(graph):
    value = graph.pick_float()
    if value:
        low = graph.scalar(-1, value) if graph.chance(0.8) else None
        graph.add("Clip", [value, low, graph.scalar(graph.rng.uniform(0, 2), value)])
