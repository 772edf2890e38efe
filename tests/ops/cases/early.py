# SPDX-License-Identifier: Apache-2.0
"""Operators that early files have in ONNX's domain, and that no release of ONNX kept."""
import numpy as np

from cases.case import floats, one

X = floats(2, 3, 4, 5)
I32 = np.int32


def early(name, op, inputs=(X,), opset=7, **options):
    return one(name, op, list(inputs), opset=opset, **options)


def filled(value, dtype, shape=None):
    """Like the input, unless a shape is given."""
    return lambda x: [np.full(x.shape if shape is None else shape, value, dtype)]


def gru_unit(drops):
    """A step of a GRU whose gates are summed already; samples whose length is over keep their state, or lose it."""
    def expect(hidden, gates, lengths, t):
        _, update, to = np.split(gates, 3, -1)
        u = 1 / (1 + np.exp(-update))
        new = hidden * u + np.tanh(to) * (1 - u)
        return [np.where((t < lengths)[:, None], new, hidden * (0 if drops else 1)).astype(np.float32)]
    return expect


STATES = [floats(1, 3, 4), floats(1, 3, 12), np.array([2, 5, 3], np.float32), np.array([3], np.float32)]

CASES = [
    early("affine", "Affine", alpha=2.0, beta=-1.0),
    early("affine_default", "Affine"),
    early("scale", "Scale", scale=0.5),
    early("scaled_tanh", "ScaledTanh", alpha=2.0, beta=3.0),
    early("parametric_softplus", "ParametricSoftplus", alpha=2.0, beta=3.0),
    early("image_scaler", "ImageScaler", scale=2.0, bias=[1.0, -2.0, 0.5]),
    early("crop", "Crop", border=[1, 0, 2, 1]),
    early("crop_of_nothing", "Crop", border=[0, 0, 0, 0]),
    early("crop_scale", "Crop", border=[1, 1, 0, 0], scale=[2, 3]),
    early("thresholded_relu_1", "ThresholdedRelu", alpha=0.5),
    early("thresholded_relu_1_default", "ThresholdedRelu", opset=1),
    early("mvn_1", "MeanVarianceNormalization"),
    early("mvn_1_across", "MeanVarianceNormalization", across_channels=1),
    early("mvn_1_mean", "MeanVarianceNormalization", normalize_variance=0),
    early("mvn_1_mean_across", "MeanVarianceNormalization", normalize_variance=0, across_channels=1),
    early("dynamic_slice", "DynamicSlice", [X, np.array([1, 0]), np.array([2, -1])]),
    early("dynamic_slice_axes", "DynamicSlice", [X, np.array([1, 0], I32), np.array([3, 2], I32), np.array([3, 1], I32)]),
    early("constant_fill", "ConstantFill", [X], expect=filled(2.5, np.float32), value=2.5),
    early("constant_fill_shape", "ConstantFill", [np.array([2, 3])], expect=filled(3, np.int64, (2, 3, 4)), value=3.0, dtype=7,
          input_as_shape=1, extra_shape=[4]),
    early("given_tensor_fill", "GivenTensorFill", [np.zeros((2, 2), np.float32)], expect=lambda _: [np.array([[1, 2], [3, 4]],
          np.float32)], values=[1.0, 2.0, 3.0, 4.0]),
    early("gru_unit", "GRUUnit", STATES, expect=gru_unit(False)),
    early("gru_unit_drops", "GRUUnit", STATES, expect=gru_unit(True), drop_states=1),
]
