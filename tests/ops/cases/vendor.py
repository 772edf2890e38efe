# SPDX-License-Identifier: Apache-2.0
"""Operators of com.microsoft that are no composition of ONNX's: experts, hashes, boxes, decoding."""
import numpy as np

from cases.case import floats, ints
from cases.fused import ms, tanh_gelu

F16, F64, I32 = np.float16, np.float64, np.int32


def i64(*values):
    return np.array(values, np.int64)


# ---- mixtures of experts ----

E, H, I, T = 4, 6, 5, 7
TOKENS, ROUTER = floats(T, H), floats(T, E)
W1, B1, W2, B2 = floats(E, I, H), floats(E, I), floats(E, H, I), floats(E, H)
FUSED, FUSED_BIAS = floats(E, 2 * I, H), floats(E, 2 * I)


def moe(name, *inputs, **options):
    return ms(f"moe{name}", "MoE", list(inputs), constant=[i for i in range(2, len(inputs))
                                                            if not isinstance(inputs[i], str)], **options)


def silu(x, alpha=1.0):
    return x / (1 + np.exp(-alpha * x))


def mixture(unit, k=1):
    """unit(g, l) of the rows of fc1 and fc3, where fc3 is there."""
    def expect(x, router, w1, b1, w2, b2, w3=None, b3=None):
        y = np.zeros(x.shape, F64)
        for t, row in enumerate(router.astype(F64)):
            p = np.exp(row - row.max())
            p /= p.sum()
            for e in np.argsort(-p)[:k]:
                g = w1[e] @ x[t] + (0 if b1 is None else b1[e])
                l = None if w3 is None else w3[e] @ x[t] + (0 if b3 is None else b3[e])
                y[t] += p[e] * (w2[e] @ unit(g, l) + (0 if b2 is None else b2[e]))
        return [y.astype(x.dtype)]
    return expect


def late_limit(g, _):
    g, l = g[0::2], g[1::2]
    return np.minimum(silu(g, 1.7), 0.5) * (np.clip(l, -0.5, 0.5) + 1)


MIXTURES = [
    moe("", TOKENS, ROUTER, W1, B1, W2, B2),
    moe("_two_experts", TOKENS, ROUTER, W1, B1, W2, B2, k=2),
    moe("_normalized", TOKENS, ROUTER, W1, B1, W2, B2, k=3, normalize_routing_weights=1),
    moe("_all_experts", TOKENS, ROUTER, W1, B1, W2, B2, k=E),
    moe("_without_bias", TOKENS, ROUTER, W1, "", W2, k=2, activation_type="gelu"),
    moe("_batch", TOKENS.reshape(1, T, H), ROUTER, W1, B1, W2, B2, activation_type="silu"),
    moe("_identity", TOKENS, ROUTER, W1, B1, W2, B2, activation_type="identity"),
    moe("_swiglu", TOKENS, ROUTER, FUSED, FUSED_BIAS, W2, B2, k=2, activation_type="swiglu", swiglu_fusion=1),
    moe("_swiglu_limited", TOKENS, ROUTER, FUSED, FUSED_BIAS, W2, B2, activation_type="swiglu", swiglu_fusion=1,
        activation_alpha=1.7, activation_beta=1.0, swiglu_limit=0.5),
    moe("_swiglu_halves", TOKENS, ROUTER, FUSED, FUSED_BIAS, W2, B2, expect=mixture(lambda g, _: silu(g[:I]) * g[I:]),
        activation_type="swiglu", swiglu_fusion=2),
    moe("_swiglu_apart", TOKENS, ROUTER, W1, B1, W2, B2, floats(E, I, H, seed=1), floats(E, I, seed=1),
        expect=mixture(lambda g, l: silu(g, 1.7) * (l + 1)), activation_type="swiglu", activation_alpha=1.7,
        activation_beta=1.0),
    moe("_gated_silu", TOKENS, ROUTER, W1, "", W2, "", floats(E, I, H, seed=1),
        expect=mixture(lambda g, l: silu(g) * l, 2), k=2, activation_type="silu"),
    moe("_geglu", TOKENS, ROUTER, FUSED, FUSED_BIAS, W2, B2, expect=mixture(lambda g, _: tanh_gelu(g[0::2]) * g[1::2]),
        activation_type="geglu", swiglu_fusion=1),
    moe("_relu2", TOKENS, ROUTER, W1, B1, W2, B2, expect=mixture(lambda g, _: np.maximum(g, 0) ** 2), activation_type="relu2"),
    moe("_limited_after", TOKENS, ROUTER, FUSED, FUSED_BIAS, W2, B2, expect=mixture(late_limit), activation_type="swiglu",
        swiglu_fusion=1, activation_alpha=1.7, activation_beta=1.0, swiglu_limit=0.5, swiglu_limit_after_activation=1),
    moe("_f16", *[value.astype(F16) for value in (TOKENS, ROUTER, W1, B1, W2, B2)],
        expect=mixture(lambda g, _: np.maximum(g, 0), 2), k=2, bounds={"rtol": 4e-3, "atol": 4e-3}),
]

# ---- hashes ----

WORDS = np.array([["", "a", "ab", "abc"], ["abcd", "hello, world", "naïve", "0123456789" * 3]])
HASHES = [
    ms("murmur_strings", "MurmurHash3", [WORDS]),
    ms("murmur_strings_signed", "MurmurHash3", [WORDS], positive=0, seed=42),
    ms("murmur_i32", "MurmurHash3", [ints(2, 3, dtype=I32)], seed=7),
    ms("murmur_u32", "MurmurHash3", [ints(5, low=0, high=2**31, dtype=np.uint32)], positive=0),
    ms("murmur_i64", "MurmurHash3", [ints(4)]),
    ms("murmur_f32", "MurmurHash3", [floats(4)], positive=0),
    ms("murmur_f64", "MurmurHash3", [floats(4, dtype=F64)], seed=2**31 + 5),
]

# ---- boxes and windows ----

IMAGES = floats(2, 3, 6, 7)
BOXES = np.array([[0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1], [0.9, 0.7, 0.2, 0.1], [-0.3, 0.1, 1.2, 0.4]], np.float32)
BATCH = np.array([0, 1, 1, 0], I32)


def crop(name, size, **options):
    return ms(f"crop_and_resize{name}", "CropAndResize", [IMAGES, BOXES, BATCH, np.array(size, I32)], **options)


MASK = np.ones((1, 1, 6, 7), I32)
MASK[0, 0, 1, 2] = MASK[0, 0, 3, 0] = MASK[0, 0, 4] = 0
BOXED = [
    crop("", (4, 5)),
    crop("_constant", (3, 4), constant=(3,)),
    crop("_nearest", (3, 4), mode="nearest"),
    crop("_outside", (5, 2), extrapolation_value=-7.0),
    crop("_of_one_pixel", (1, 1)),
    ms("maxpool_mask", "MaxpoolWithMask", [IMAGES, MASK], kernel_shape=[2, 3]),
    ms("maxpool_mask_padded", "MaxpoolWithMask", [IMAGES, MASK], kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1]),
    ms("maxpool_mask_same", "MaxpoolWithMask", [IMAGES, MASK], kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER"),
    ms("maxpool_mask_1d", "MaxpoolWithMask", [floats(2, 2, 8), np.array([[[1, 1, 0, 1, 1, 1, 0, 0]]], I32)], kernel_shape=[3]),
    ms("maxpool_mask_3d", "MaxpoolWithMask", [floats(1, 2, 3, 4, 4), ints(1, 1, 3, 4, 4, low=0, high=1, dtype=I32)],
       kernel_shape=[2, 2, 2]),
    ms("inverse", "Inverse", [floats(3, 3)]),
    ms("inverse_batch", "Inverse", [floats(2, 3, 4, 4)]),
    ms("inverse_f64", "Inverse", [floats(2, 5, 5, dtype=F64)]),
    ms("inverse_needs_pivots", "Inverse", [np.array([[0, 2, 1], [1, 0, 0], [3, 0, 1]], np.float32)]),
    ms("inverse_f16", "Inverse", [(floats(3, 3) + 3 * np.eye(3)).astype(F16)], bounds={"rtol": 1e-2, "atol": 1e-2}),
]

# ---- decoding ----


def words(name, sequence, **options):
    return ms(f"word_conv{name}", "WordConvEmbedding", [np.array(sequence, I32), floats(4, 1, 2, 3), floats(4), floats(8, 3)],
              **options)


DECODING = [
    ms("ngram_repeat", "NGramRepeatBlock", [np.array([[1, 2, 3, 1, 2], [4, 4, 4, 4, 4]]), floats(2, 6)], ngram_size=3),
    ms("ngram_repeat_of_one", "NGramRepeatBlock", [np.array([[1, 2, 3, 1, 2]]), floats(1, 5)], ngram_size=1),
    ms("ngram_repeat_too_short", "NGramRepeatBlock", [np.array([[1, 2]]), floats(1, 5)], ngram_size=4),
    ms("bifurcation", "BifurcationDetector", [i64(1, 2, 3, 4, 5), i64(7, 1), i64(2), i64(3, 4, 9, 8)], 2),
    ms("bifurcation_all_agree", "BifurcationDetector", [i64(1, 2, 3, 4, 5), i64(7, 1), i64(2), i64(3, 4, 5, 6)], 2),
    ms("bifurcation_first", "BifurcationDetector", [i64(1, 2, 3, 4, 5), i64(7, 1), i64(0)], 2),
    ms("bifurcation_match", "BifurcationDetector", [i64(1, 2, 3, 1, 2, 4), i64(3, 1, 2), i64(0)], 2, max_ngram_size=4),
    ms("bifurcation_twice", "BifurcationDetector", [i64(1, 2, 3, 1, 2, 4), i64(5, 1, 2), i64(0)], 2),
    ms("warping", "DynamicTimeWarping", [floats(4, 6, low=0)]),
    ms("warping_batch", "DynamicTimeWarping", [floats(1, 7, 3, low=0)]),
    ms("warping_ties", "DynamicTimeWarping", [np.ones((3, 5), np.float32)]),
    ms("warping_of_one", "DynamicTimeWarping", [np.ones((1, 1), np.float32)]),
]

CASES = MIXTURES + HASHES + BOXED + DECODING
