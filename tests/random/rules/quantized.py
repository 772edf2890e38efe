# SPDX-License-Identifier: Apache-2.0
"""Integers that stand for real numbers.  Scales of products are powers of two: no rounding hangs on the last place."""
import numpy as np


def there_and_back(graph):
    value = graph.pick_float(exact=True, dtype=np.float32)
    if not value:
        return
    if graph.chance(0.3):
        made = graph.add("DynamicQuantizeLinear", [value], 3, exact=[True, False, True])
        if made:
            graph.add("DequantizeLinear", made)
        return
    zero = graph.choose([np.uint8(128), np.int8(3)] + ([np.uint16(9), np.int16(-5)] if graph.opset >= 21 else []))
    if value.rank >= 1 and graph.chance(0.4):  # an axis with scales of its own
        axis = graph.integer(0, value.rank - 1)
        scale = graph.constant(graph.rng.uniform(0.02, 0.2, value.shape[axis]).astype(np.float32))
        zero = graph.constant(np.full(value.shape[axis], zero))
        arguments = {"axis": axis}
    else:
        scale, zero, arguments = graph.constant(np.float32(0.05)), graph.constant(zero), {}
    made = graph.add("QuantizeLinear", [value, scale, zero], **arguments)
    if made:
        graph.add("DequantizeLinear", [made[0], scale, zero], **arguments)


def pick_bytes(graph):
    """Bytes of the graph, or floats made so."""
    found = graph.pick(lambda v: v.dtype in (np.uint8, np.int8) and v.rank >= 2 and v.array.size)
    value = graph.pick(lambda v: v.dtype == np.float32 and v.exact and v.rank >= 2 and v.array.size)
    if not value or (found and graph.chance(0.5)):
        return found
    zero = graph.constant(graph.choose([np.uint8(120), np.int8(-3)]))
    made = graph.add("QuantizeLinear", [value, graph.constant(np.float32(0.0625)), zero])
    return made and made[0]


def integer_product(graph):
    a = pick_bytes(graph)
    if not a:
        return
    zero = graph.scalar(3, a) if graph.chance(0.6) else None
    other = graph.choose([np.uint8, np.int8])
    if a.rank == 4 and a.dtype == np.uint8 and min(a.shape[2:]) >= 2 and graph.chance(0.5):
        weight = graph.constant(graph.random_array((3, a.shape[1], 2, 2), other))
        graph.add("ConvInteger", [a, weight, zero], pads=[1, 0, 0, 1])
    else:
        b = graph.constant(graph.random_array((a.shape[-1], 5), other))
        graph.add("MatMulInteger", [a, b, zero])


def scaled_product(graph):
    if graph.chance(0.5):
        quantized_operator(graph)
        return
    a = pick_bytes(graph)
    if not a:
        return
    scales = [graph.constant(np.float32(2.0 ** -graph.integer(0, 3))) for _ in range(3)]
    zero = graph.scalar(2, a)
    if a.rank == 4 and min(a.shape[2:]) >= 2 and graph.chance(0.5):
        weight = graph.constant(graph.random_array((3, a.shape[1], 2, 2), np.int8))
        graph.add("QLinearConv", [a, scales[0], zero, weight, scales[1], graph.constant(np.int8(0)), scales[2], zero], pads=[1, 1, 0, 0])
    else:
        b = graph.constant(graph.random_array((a.shape[-1], 5), a.dtype))
        graph.add("QLinearMatMul", [a, scales[0], zero, b, scales[1], zero, scales[2], zero])


def real_weight(graph, shape, axis):
    """Bytes made real, by one scale or one for each index of the axis."""
    count = shape[axis] if graph.chance(0.5) else None
    scale = graph.constant(np.float32(2.0) ** graph.rng.integers(-3, 1, count).astype(np.float32))
    weight = graph.constant(graph.random_array(shape, graph.choose([np.int8, np.uint8])))
    zero = graph.constant(np.full(count, 1, weight.dtype) if count else weight.dtype.type(1)) if graph.chance(0.5) else None
    return graph.add("DequantizeLinear", [weight, scale, zero], exact=[True], axis=axis)


def quantized_operator(graph):
    """As quantizers write it: an operator on real numbers between integers, of which nothing need be quantized behind it."""
    a = pick_bytes(graph)
    if not a:
        return
    zero = graph.scalar(3, a)
    scale = graph.constant(np.float32(2.0 ** -graph.integer(0, 3)))
    real = graph.add("DequantizeLinear", [a, scale, zero], exact=[True])
    is_conv = a.rank == 4 and min(a.shape[2:]) >= 2 and graph.chance(0.6)
    shape, axis = ((3, a.shape[1], 2, 2), 0) if is_conv else ((a.shape[-1], 5), 1)
    weight = real and real_weight(graph, shape, axis)
    if not weight:
        return
    bias = graph.constant(np.arange(shape[axis], dtype=np.float32)) if graph.chance(0.5) else None
    if is_conv:
        made = graph.add("Conv", [real[0], weight[0], bias], exact=[True], pads=[1, 0, 0, 1])
    elif a.rank == 2 and bias:
        made = graph.add("Gemm", [real[0], weight[0], bias], exact=[True])
    else:
        made = graph.add("MatMul", [real[0], weight[0]], exact=[True])
    if made and graph.chance(0.5):
        made = graph.add("Relu", made)
    if made and graph.chance(0.7):
        graph.add("QuantizeLinear", [made[0], scale, zero])
