# SPDX-License-Identifier: Apache-2.0
"""Operators of com.microsoft that ONNX got later, or that it says with a few of its own."""
import numpy as np
from onnx import helper

from cases.case import floats, ints, one
from cases.fused import in_float64, ms, softmax

F16, F64, I32 = np.float16, np.float64, np.int32


def scalar(value, dtype=np.float32):
    return np.array(value, dtype)


# ---- the same under another name ----

PLAIN = [
    ms("expand_dims", "ExpandDims", [floats(2, 3), scalar(1, I32)], constant=(1,)),
    ms("expand_dims_last", "ExpandDims", [floats(2, 3), np.array([-1], I32)], constant=(1,)),
    ms("expand_dims_of_integers", "ExpandDims", [ints(2, 3), scalar(0, I32)], constant=(1,)),
    ms("gather_nd", "GatherND", [floats(3, 4, 5), np.array([[0, 1], [2, -1]])]),
    ms("gather_nd_i32", "GatherND", [ints(3, 4), np.array([[[0], [2]]], I32)]),
    ms("gather_nd_elements", "GatherND", [floats(3, 4), np.array([[0, 1], [2, 3]], I32)]),
    ms("grid_sample", "GridSample", [floats(2, 3, 5, 4), floats(2, 3, 6, 2, low=-1.2, high=1.2)]),
    ms("grid_sample_nearest", "GridSample", [floats(1, 2, 5, 4), floats(1, 3, 6, 2, low=-1.2, high=1.2)], mode="nearest",
       padding_mode="border"),
    ms("grid_sample_bicubic", "GridSample", [floats(1, 2, 5, 4), floats(1, 3, 6, 2, low=-1.2, high=1.2)], mode="bicubic",
       padding_mode="reflection", align_corners=1),
    ms("pad", "Pad", [floats(2, 3), np.array([0, 2, 1, 1])]),
    ms("pad_value", "Pad", [floats(2, 3), np.array([[1, 0, 0, 2]]), np.array([7], np.float32)]),
    ms("pad_negative", "Pad", [floats(4, 5), np.array([-1, 0, 1, -2])]),
    ms("pad_reflect", "Pad", [floats(4, 5), np.array([1, 2, 0, 1])], mode="reflect"),
    ms("pad_edge", "Pad", [floats(4, 5), np.array([1, 2, 0, 1])], mode="edge"),
    ms("range", "Range", [scalar(1.5), scalar(6), scalar(0.75)]),
    ms("range_without_delta", "Range", [scalar(2, np.int64), scalar(7, np.int64)]),
    ms("range_of_vectors", "Range", [np.array([9], I32), np.array([-2], I32), np.array([-3], I32)]),
    ms("range_i16", "Range", [scalar(1, np.int16), scalar(9, np.int16), scalar(3, np.int16)]),
    ms("range_f64_without_delta", "Range", [scalar(0.5, F64), scalar(4, F64)]),
    ms("sample_op", "SampleOp", [floats(2, 3)]),
    ms("torch_embedding", "TorchEmbedding", [floats(5, 3), ints(2, 4, low=0, high=4), np.array(2)],
       expect=lambda w, i, _: [w[i]]),
    ms("trilu", "Trilu", [floats(2, 4, 5)]),
    ms("trilu_lower", "Trilu", [floats(4, 5), np.array(-1)], upper=0),
    ms("trilu_k", "Trilu", [ints(3, 4), np.array(2)]),
    ms("unique", "Unique", [np.array([2, 1, 1, 3, 4, 3], np.float32)], 3),
    ms("unique_alike", "Unique", [np.array([5, 5, 5], np.float32)], 3),
]

# ---- a few operators ----

FEW = [
    ms("cdist", "CDist", [floats(3, 4), floats(5, 4)]),
    ms("cdist_euclidean", "CDist", [floats(3, 10), floats(2, 10, seed=1)], metric="euclidean"),
    ms("cdist_f64", "CDist", [floats(3, 9, dtype=F64), floats(5, 9, dtype=F64)], metric="euclidean"),
    ms("cdist_to_itself", "CDist", [ints(4, 3).astype(np.float32), ints(4, 3).astype(np.float32)], metric="euclidean"),
    ms("unfold_tensor", "UnfoldTensor", [floats(2, 6, 3)], dim=1, size=3, step=2),
    ms("unfold_tensor_last", "UnfoldTensor", [floats(2, 7)], size=2),
    ms("unfold_tensor_first", "UnfoldTensor", [ints(5, 2)], dim=0, size=5),
    ms("unfold_tensor_negative", "UnfoldTensor", [floats(2, 5, 3)], dim=-2, size=2, step=3),
]


def deconv(name, *inputs, **options):
    return ms(f"conv_transpose_dynamic{name}", "ConvTransposeWithDynamicPads",
              [floats(1, 3, 4, 5), floats(3, 2, 3, 3), *inputs], constant=(1,), **options)


FEW += [
    deconv("", np.array([0, 0, 0, 0])),
    deconv("_pads", np.array([1, 0, 2, 1]), floats(2), strides=[2, 3]),
    deconv("_output_padding", np.array([1, 1, 1, 1]), strides=[2, 2], output_padding=[1, 0]),
    ms("conv_transpose_dynamic_groups", "ConvTransposeWithDynamicPads", [floats(2, 4, 5), floats(4, 3, 2), np.array([1, 0])],
       group=2),
]

# ---- without a kernel in ONNX Runtime's CPU provider ----


def pairs(function):
    def expect(a, b):
        a, b = (x[..., 0::2].astype(F64) + 1j * x[..., 1::2] for x in (a, b))
        c = function(a, b)
        return [np.stack([c.real, c.imag], -1).reshape(*c.shape[:-1], -1).astype(np.float32)]
    return expect


def rfft(axes):
    def expect(x):
        y = np.fft.rfftn(x.astype(F64), axes=axes)
        return [np.stack([y.real, y.imag], -1).astype(x.dtype)]
    return expect


def irfft(axes):
    """Scaled by 1 / n, as NumPy does."""
    def expect(x):
        return [np.fft.irfftn(x[..., 0].astype(F64) + 1j * x[..., 1], axes=axes).astype(x.dtype)]
    return expect


BAD = np.array([1, np.nan, 2], np.float32)
FINITE = [
    ms("all_finite", "IsAllFinite", [floats(2, 3), floats(4)], expect=[np.array(True)]),
    ms("all_finite_not", "IsAllFinite", [floats(2, 3), BAD], expect=[np.array(False)]),
    ms("all_finite_inf_only", "IsAllFinite", [BAD], expect=[np.array(True)], isinf_only=1),
    ms("all_finite_nan_only", "IsAllFinite", [np.array([np.inf], np.float32), floats(0, 3)], expect=[np.array(True)],
       isnan_only=1),
]

COMPLEX = [
    ms("complex_mul", "ComplexMul", [floats(3, 2), floats(3, 2, seed=1)], expect=pairs(lambda a, b: a * b)),
    ms("complex_mul_broadcast", "ComplexMul", [floats(2, 3, 8), floats(1, 8)], expect=pairs(lambda a, b: a * b)),
    ms("complex_mul_conj", "ComplexMulConj", [floats(3, 2), floats(3, 2, seed=1)], expect=pairs(lambda a, b: a * b.conj())),
    ms("rfft", "Rfft", [floats(3, 8)], expect=rfft((-1,)), signal_ndim=1),
    ms("rfft_f64", "Rfft", [floats(2, 10, dtype=F64)], expect=rfft((-1,))),
    ms("rfft_2d", "Rfft", [floats(2, 6, 8)], expect=rfft((-2, -1)), signal_ndim=2),
    ms("rfft_3d", "Rfft", [floats(2, 3, 4, 6)], expect=rfft((-3, -2, -1)), signal_ndim=3),
    ms("irfft", "Irfft", [floats(3, 5, 2)], expect=irfft((-1,)), signal_ndim=1),
]

# ---- channels last ----


def convolve(x, w, b=None, stride=1):
    """x [n, c, h, w], w [m, c, kh, kw], in float64."""
    kh, kw = w.shape[2:]
    rows, columns = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = np.zeros((x.shape[0], w.shape[0], rows, columns))
    for i in range(rows):
        for j in range(columns):
            part = x[:, :, i * stride:i * stride + kh, j * stride:j * stride + kw].astype(F64)
            y[:, :, i, j] = np.einsum("nchw,mchw->nm", part, w.astype(F64))
    return y + (0 if b is None else b[:, None, None])


def last(y):
    return np.moveaxis(y, 1, -1)


def nhwc_conv(x, w, b=None):
    return [last(convolve(np.moveaxis(x, -1, 1), np.moveaxis(w, -1, 1), b)).astype(x.dtype)]


def nhwc_fused(x, w, b, z):
    return [np.maximum(last(convolve(np.moveaxis(x, -1, 1), w, b, 2)) + z, 0).astype(x.dtype)]


def group_norm(groups, is_last=True, silu=False, epsilon=1e-5):
    """The output in the layout of x."""
    def apply(x, gamma, beta):
        wide = np.moveaxis(x, -1, 1) if is_last else x
        parts = wide.astype(F64).reshape(wide.shape[0], groups, -1)
        unit = (parts - parts.mean(-1, keepdims=True)) / np.sqrt(parts.var(-1, keepdims=True) + epsilon)
        y = unit.reshape(wide.shape) * gamma[:, None, None] + beta[:, None, None]
        y = y / (1 + np.exp(-y)) if silu else y
        return (last(y) if is_last else y).astype(x.dtype)
    return apply


def skip_norm(norm, is_last=True):
    def expect(x, gamma, beta, skip, bias=None):
        if skip.ndim == 2:
            skip = skip[:, None, None, :] if is_last else skip[:, :, None, None]
        if bias is not None:
            bias = bias if is_last else bias[:, None, None]
        s = (x + skip + (0 if bias is None else bias)).astype(x.dtype)
        return [norm(s, gamma, beta), s]
    return expect


X, G, B = floats(2, 3, 4, 6), floats(6), floats(6, seed=1)
FIRST = floats(2, 6, 3, 4)
IMAGES = [
    ms("nhwc_conv", "NhwcConv", [floats(2, 5, 6, 3), floats(4, 3, 2, 3), floats(4)], expect=nhwc_conv),
    ms("nhwc_conv_without_bias", "NhwcConv", [floats(1, 4, 4, 2), floats(3, 1, 1, 2)], constant=(1,), expect=nhwc_conv),
    ms("nhwc_fused_conv", "NhwcFusedConv", [floats(2, 5, 7, 3), floats(4, 3, 3, 3), floats(4), floats(2, 2, 3, 4)],
       expect=nhwc_fused, activation="Relu", strides=[2, 2]),
    ms("group_norm", "GroupNorm", [X, G, B], expect=lambda *i: [group_norm(3)(*i)], groups=3, activation=0),
    ms("group_norm_silu", "GroupNorm", [X, G, B], constant=(1, 2), expect=lambda *i: [group_norm(2, silu=True)(*i)], groups=2,
       activation=1),
    ms("group_norm_channels_first", "GroupNorm", [FIRST, G, B], expect=lambda *i: [group_norm(6, False)(*i)], groups=6,
       activation=0, channels_last=0),
    ms("group_norm_f16", "GroupNorm", [X.astype(F16), G, B], expect=lambda *i: [group_norm(1, silu=True)(*i)], groups=1,
       activation=1, bounds={"rtol": 4e-3, "atol": 4e-3}),
    ms("skip_group_norm", "SkipGroupNorm", [X, G, B, floats(2, 3, 4, 6, seed=1), floats(6, seed=2)], 2,
       expect=skip_norm(group_norm(3)), groups=3, activation=0),
    ms("skip_group_norm_of_channels", "SkipGroupNorm", [X, G, B, floats(2, 6)], 2, expect=skip_norm(group_norm(2, silu=True)),
       groups=2, activation=1),
    ms("skip_group_norm_of_one_pixel", "SkipGroupNorm", [X, G, B, floats(2, 1, 1, 6), floats(6)], 1,
       expect=lambda *i: skip_norm(group_norm(1))(*i)[:1], groups=1, activation=0),
    ms("skip_group_norm_channels_first", "SkipGroupNorm", [FIRST, G, B, floats(2, 6), floats(6, seed=2)], 2,
       expect=skip_norm(group_norm(3, False), False), groups=3, activation=0, channels_last=0),
]

CASES = PLAIN + FEW + FINITE + COMPLEX + IMAGES
