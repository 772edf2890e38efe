# SPDX-License-Identifier: Apache-2.0
"""Normalizations of com.microsoft, and ONNX Runtime's own in ONNX's domain."""
import ml_dtypes
import numpy as np

from cases.case import floats, ints, one

F16, F64, BF16, I32 = np.float16, np.float64, ml_dtypes.bfloat16, np.int32
HALF = {"bounds": {"rtol": 4e-3, "atol": 4e-3}}


def ms(name, op, inputs, outputs=1, **options):
    return one(name, op, inputs, outputs, domain="com.microsoft", **options)


def normalize(x, gamma, beta, epsilon, has_mean=True):
    """x of any type, in float64: the output and what it was made by."""
    x = x.astype(F64)
    mean = x.mean(-1, keepdims=True) if has_mean else np.zeros_like(x[..., :1])
    inverse = 1 / np.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + epsilon)
    y = (x - mean) * inverse * gamma.astype(F64) + (0 if beta is None else beta.astype(F64))
    return y, mean, inverse


def skipped(has_mean=True, epsilon=1e-12):
    """All four outputs; ONNX Runtime leaves mean and deviation as they are."""
    def expect(x, skip, gamma, *rest):
        beta, bias = (*rest, None, None)[:2] if has_mean else (None, *rest, None)[:2]
        total = x.astype(F64) + skip.astype(F64) + (0 if bias is None else bias.astype(F64))
        y, mean, inverse = normalize(total, gamma, beta, epsilon, has_mean)
        return [y.astype(x.dtype), mean.astype(np.float32), inverse.astype(np.float32), total.astype(x.dtype)]
    return expect


def pick(expect, *wanted):
    return lambda *inputs: [expect(*inputs)[i] for i in wanted]


def skip(name, *inputs, outputs=1, **options):
    return ms(f"skip_layer_norm{name}", "SkipLayerNormalization", list(inputs), outputs, **options)


def skip_rms(name, *inputs, outputs=1, **options):
    return ms(f"skip_rms_norm{name}", "SkipSimplifiedLayerNormalization", list(inputs), outputs, **options)


X, SKIP, GAMMA, BETA, BIAS = floats(2, 3, 8), floats(2, 3, 8, seed=1), floats(8), floats(8, seed=1), floats(8, seed=2)
SUM = [True, False, False, True]
SKIPS = [
    skip("", X, SKIP, GAMMA),
    skip("_beta", X, SKIP, GAMMA, BETA, epsilon=1e-5),
    skip("_bias", X, SKIP, GAMMA, BETA, BIAS, constant=(2, 3, 4), epsilon=0.1),
    skip("_bias_without_beta", X, SKIP, GAMMA, "", BIAS, epsilon=1e-5),
    skip("_sum", X, SKIP, GAMMA, BETA, BIAS, outputs=SUM),
    skip("_sum_without_bias", X, SKIP, GAMMA, BETA, outputs=SUM),
    skip("_rows", floats(5, 8), floats(5, 8, seed=1), GAMMA, BETA),
    skip("_skip_of_a_row", X, floats(3, 8), GAMMA, BETA, outputs=SUM),
    skip("_skip_of_one_batch", X, floats(1, 3, 8), GAMMA, BETA),
    skip("_f64", X.astype(F64), SKIP.astype(F64), GAMMA.astype(F64), BETA.astype(F64), expect=pick(skipped(), 0)),
    skip("_f16", X.astype(F16), SKIP.astype(F16), GAMMA.astype(F16), BETA.astype(F16), BIAS.astype(F16), outputs=SUM, **HALF),
    skip("_bf16", X.astype(BF16), SKIP.astype(BF16), GAMMA.astype(BF16), expect=pick(skipped(), 0),
         bounds={"rtol": 0.03, "atol": 0.03}),
    skip("_statistics", X, SKIP, GAMMA, BETA, BIAS, outputs=4, expect=skipped()),
    skip("_empty", floats(0, 3, 8), floats(0, 3, 8), GAMMA, BETA),
    skip_rms("", X, SKIP, GAMMA),
    skip_rms("_bias", X, SKIP, GAMMA, BIAS, outputs=SUM, epsilon=1e-5),
    skip_rms("_rows", floats(5, 8), floats(5, 8, seed=1), GAMMA, epsilon=0.1),
    skip_rms("_f16", X.astype(F16), SKIP.astype(F16), GAMMA.astype(F16), BIAS.astype(F16), outputs=SUM, **HALF),
    skip_rms("_inverse_deviation", X, SKIP, GAMMA, outputs=[True, False, True, False],
             expect=pick(skipped(False), 0, 2)),
]

# ---- the embedding of BERT ----

IDS, SEGMENTS = ints(2, 5, low=0, high=10, dtype=I32), ints(2, 5, low=0, high=1, dtype=I32)
WORDS, PLACES, KINDS = floats(11, 8), floats(6, 8, seed=1), floats(2, 8, seed=2)
MASK = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], I32)


def embed(name, *inputs, outputs=2, **options):
    there = [i for i, value in enumerate(inputs) if 2 <= i <= 6 and not isinstance(value, str)]
    return ms(f"embed_layer_norm{name}", "EmbedLayerNormalization", list(inputs), outputs, constant=there, **options)


EMBEDS = [
    embed("", IDS, SEGMENTS, WORDS, PLACES, KINDS, GAMMA, BETA),
    embed("_index", IDS, SEGMENTS, WORDS, PLACES, KINDS, GAMMA, BETA, mask_index_type=0),
    embed("_mask", IDS, SEGMENTS, WORDS, PLACES, KINDS, GAMMA, BETA, MASK, epsilon=1e-5),
    embed("_mask_of_type_1", IDS, SEGMENTS, WORDS, PLACES, KINDS, GAMMA, BETA, MASK, mask_index_type=1),
    embed("_without_segments", IDS, "", WORDS, PLACES, "", GAMMA, BETA, MASK),
    embed("_positions", IDS, SEGMENTS, WORDS, PLACES, KINDS, GAMMA, BETA, "", ints(2, 5, low=0, high=5, dtype=I32)),
    embed("_positions_of_one_row", IDS, SEGMENTS, WORDS, PLACES, KINDS, GAMMA, BETA, MASK, np.array([[5, 4, 3, 2, 0]], I32)),
    embed("_sum", IDS, SEGMENTS, WORDS, PLACES, KINDS, GAMMA, BETA, MASK, outputs=3),
    embed("_sum_without_index", IDS, "", WORDS, PLACES, "", GAMMA, BETA, outputs=[True, False, True], mask_index_type=0),
]

# ---- in ONNX's domain ----


def rms(epsilon=1e-5):
    def expect(x, scale):
        y, _, inverse = normalize(x, scale, None, epsilon, False)
        return [y.astype(x.dtype), inverse.astype(np.float32)]
    return expect


OWN = [
    one("layer_norm_1", "LayerNormalization", [X, GAMMA, BETA], 3, opset=11),
    one("layer_norm_1_axis", "LayerNormalization", [X, floats(3, 8), floats(3, 8, seed=1)], opset=15, axis=1, epsilon=0.1),
    one("layer_norm_1_without_bias", "LayerNormalization", [X, GAMMA], opset=12),
    one("layer_norm_1_f64", "LayerNormalization", [X.astype(F64), GAMMA.astype(F64), BETA.astype(F64)], opset=12),
    one("layer_norm_1_f16", "LayerNormalization", [X.astype(F16), GAMMA.astype(F16), BETA.astype(F16)], 3, opset=12, **HALF),
    one("rms_norm_1", "SimplifiedLayerNormalization", [X, GAMMA], opset=12),
    one("rms_norm_1_deviation", "SimplifiedLayerNormalization", [X, GAMMA], 2, opset=17, expect=rms(0.1), epsilon=0.1,
        agreed=True),
    one("rms_norm_1_axis", "SimplifiedLayerNormalization", [X, floats(3, 8)], opset=21, axis=1),
    one("rms_norm_1_f16", "SimplifiedLayerNormalization", [X.astype(F16), GAMMA.astype(F16)], opset=17, **HALF),
    one("rms_norm_1_f64", "SimplifiedLayerNormalization", [X.astype(F64), GAMMA.astype(F64)], opset=17, stash_type=11,
        expect=pick(rms(), 0)),
]

CASES = SKIPS + EMBEDS + OWN
