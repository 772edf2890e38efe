# SPDX-License-Identifier: Apache-2.0
"""Convolution networks as ONNX Runtime's quantizer writes them, in both of its forms, side by side with ONNX Runtime."""
import logging

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from oracle import onnx_runtime, picture

quern = pytest.importorskip("quern")
quantization = pytest.importorskip("onnxruntime.quantization")

IMAGE = (1, 3, 40, 36)


class Pictures(quantization.CalibrationDataReader):
    """What scales are chosen by."""

    def __init__(self, rng):
        self.left = iter([{"x": picture(rng, *IMAGE, -1, 1)} for _ in range(4)])

    def get_next(self):
        return next(self.left, None)


def network(rng):
    """A stem, a depthwise and a pointwise convolution, a sum with what stands beside them, pooling and a product."""
    constants, nodes = [], []

    def weight(name, *shape):
        fan = np.prod(shape[1:]) if len(shape) > 1 else 40
        constants.append(numpy_helper.from_array(rng.normal(0, fan ** -0.5, shape).astype(np.float32), name))
        return name

    def conv(x, y, out, channels, kernel, **attributes):
        inputs = [x, weight(f"{y}_w", out, channels, kernel, kernel), weight(f"{y}_b", out)]
        nodes.append(helper.make_node("Conv", inputs, [y], pads=[kernel // 2] * 4, **attributes))
        return y

    def unary(op, x, y, **attributes):
        nodes.append(helper.make_node(op, [x], [y], **attributes))
        return y

    stem = unary("Relu", conv("x", "c1", 24, 3, 3, strides=[2, 2]), "r1")
    deep = unary("Relu", conv(stem, "c2", 24, 1, 3, group=24), "r2")
    wide = conv(deep, "c3", 24, 24, 1)
    nodes.append(helper.make_node("Add", [stem, wide], ["sum"]))
    small = unary("MaxPool", conv("sum", "c4", 40, 24, 3, dilations=[2, 2]), "p1", kernel_shape=[2, 2], strides=[2, 2])
    flat = unary("Flatten", unary("GlobalAveragePool", small, "p2"), "f")
    nodes.append(helper.make_node("Gemm", [flat, weight("g_w", 10, 40), weight("g_b", 10)], ["y"], transB=1))
    x, y = (helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in "xy")
    x = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, IMAGE)
    graph = helper.make_graph(nodes, "network", [x], [y], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@pytest.mark.parametrize("is_per_channel", [False, True], ids=["tensor", "channel"])
@pytest.mark.parametrize("activation, weight", [("QUInt8", "QInt8"), ("QUInt8", "QUInt8"), ("QInt8", "QInt8")])
@pytest.mark.parametrize("form", ["QDQ", "QOperator"])
def test_quantized_networks(tmp_path, form, activation, weight, is_per_channel):
    rng = np.random.default_rng(7)
    logging.getLogger().setLevel(logging.ERROR)
    source, made = tmp_path / "network.onnx", tmp_path / "quantized.onnx"
    onnx.save(network(rng), source)
    quantization.quantize_static(source, made, Pictures(rng), per_channel=is_per_channel,
                                 quant_format=quantization.QuantFormat[form],
                                 activation_type=quantization.QuantType[activation],
                                 weight_type=quantization.QuantType[weight])
    ours, theirs = quern.InferenceSession(str(made)), onnx_runtime(made)
    exact = quern.InferenceSession(str(source))
    for _ in range(3):
        feed = {"x": picture(rng, *IMAGE, -1, 1)}
        got, want = ours.run(None, feed)[0], theirs.run(None, feed)[0]
        span = np.abs(exact.run(None, feed)[0]).max()
        # A step of the result is some hundredth of its span; a few roundings go the other way.
        assert np.abs(got - want).max() <= 0.02 * span, f"{got} and {want}"
