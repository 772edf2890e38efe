# SPDX-License-Identifier: Apache-2.0
"""Convolutions of quantized numbers: signs, zero points that padding must stand for, groups, scales per channel, sizes that
fill no vector."""
import numpy as np

from cases.case import floats, ints, one
from cases.quantized import I8, I32, U8, bytes_of, of_microsoft, scale, zero

SHAPES = {  # x, w, attributes
    "3x3": ((1, 3, 9, 8), (5, 3, 3, 3), {"pads": [1, 1, 1, 1]}),
    "strided": ((2, 17, 11, 10), (20, 17, 3, 2), {"strides": [2, 3], "pads": [1, 0, 2, 1]}),
    "pointwise": ((1, 33, 6, 7), (18, 33, 1, 1), {}),
    "pointwise_strided": ((1, 4, 6, 7), (3, 4, 1, 1), {"strides": [2, 2]}),
    "dilated": ((1, 2, 12, 12), (4, 2, 3, 3), {"dilations": [2, 3], "pads": [2, 3, 2, 3]}),
    "groups": ((1, 6, 7, 7), (9, 2, 3, 3), {"group": 3, "pads": [1, 1, 1, 1]}),
    "depthwise": ((1, 19, 8, 9), (19, 1, 3, 3), {"group": 19, "pads": [1, 1, 1, 1]}),
    "depthwise_strided": ((1, 70, 9, 9), (70, 1, 3, 3), {"group": 70, "strides": [2, 2], "pads": [0, 1, 1, 0]}),
    "line": ((2, 5, 23), (7, 5, 4), {"pads": [2, 1], "strides": [2]}),
    "same": ((1, 2, 11, 12), (4, 2, 2, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "volume": ((1, 2, 5, 6, 4), (3, 2, 2, 3, 2), {"pads": [1, 1, 0, 0, 1, 1]}),
    "many_channels": ((1, 130, 5, 5), (70, 130, 3, 3), {"pads": [1, 1, 1, 1]}),
}


def fans(w):
    """How many numbers go into a sum."""
    return int(np.prod(w[1:]))


def integer(name, x, w, x_type=U8, w_type=U8, points=("", ""), opset=21, constant=(1, 3), **attributes):
    inputs = [bytes_of(*x, dtype=x_type), bytes_of(*w, dtype=w_type), *points]
    constant = [i for i in constant if not isinstance(inputs[i], str)]
    return one(f"conv_integer_{name}", "ConvInteger", inputs, opset=opset, constant=constant, **attributes)


INTEGER = [integer(name, x, w, points=(zero(97), zero(120)), **attributes) for name, (x, w, attributes) in SHAPES.items()] + [
    integer("without_zero_points", *SHAPES["3x3"][:2]),
    integer("computed_weights", *SHAPES["3x3"][:2], points=(zero(3), ""), constant=(), pads=[1, 1, 1, 1]),
    integer("i8_weights", *SHAPES["strided"][:2], w_type=I8, points=(zero(200), ""), pads=[1, 1, 1, 1]),
]


def linear(name, x, w, x_type=U8, w_type=I8, per_channel=False, bias=True, constant=(3, 4, 5, 6, 7, 8), microsoft=False,
           w_zero=0, **attributes):
    """The sum of a window has a deviation of some 75 * 75 * sqrt(its size), which the output's scale makes 40."""
    step = 0.0117 * 0.0213 * 5600 * fans(w) ** 0.5 / 40
    middle = 128 if x_type == U8 else 0
    scales = floats(w[0], low=0.01, high=0.03) if per_channel else scale(0.0213)
    points = np.full(w[0], w_zero, w_type) if per_channel else zero(w_zero, w_type)
    inputs = [bytes_of(*x, dtype=x_type), scale(0.0117), zero(middle - 9, x_type), bytes_of(*w, dtype=w_type), scales,
              points, scale(step), zero(middle + 5, x_type), ints(w[0], low=-9000, high=9000, dtype=I32) if bias else ""]
    constant = [i for i in constant if not isinstance(inputs[i], str)]
    name = f"qlinear_conv_{name}"
    if microsoft:
        return of_microsoft(name, "QLinearConv", inputs, constant=constant, **attributes)
    return one(name, "QLinearConv", inputs, opset=21, constant=constant, **attributes)


def last(shape):
    """Channels last."""
    return (shape[0], *shape[2:], shape[1])


def of(name):
    x, w, attributes = SHAPES[name]
    return {"x": x, "w": w} | attributes


LINEAR = [linear(name, x, w, per_channel=True, **attributes) for name, (x, w, attributes) in SHAPES.items()] + [
    linear("i8", **of("3x3"), x_type=I8),
    linear("i8_depthwise", **of("depthwise"), x_type=I8, per_channel=True),
    linear("u8_weights", **of("strided"), w_type=U8, w_zero=131),
    linear("u8_depthwise", **of("depthwise"), w_type=U8, w_zero=131),
    linear("u8_groups", **of("groups"), w_type=U8, w_zero=131, bias=False),
    linear("without_bias", **of("pointwise"), bias=False),
    linear("computed", **of("3x3"), constant=()),
    linear("ms", **of("3x3"), microsoft=True),
    linear("ms_channels_last", **of("strided") | {"x": last(SHAPES["strided"][0])}, microsoft=True, channels_last=1),
    linear("ms_channels_last_line", **of("line") | {"x": last(SHAPES["line"][0])}, microsoft=True, channels_last=1),
]

CASES = INTEGER + LINEAR
