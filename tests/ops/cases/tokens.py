# SPDX-License-Identifier: Apache-2.0
"""Tokens of com.microsoft's transformers: packed batches, relative positions, words of characters, fused few-bit products."""
import math

import ml_dtypes
import numpy as np

from cases.case import floats, ints, random
from cases.fused import ms

F16, F32, F64, I32, U8 = np.float16, np.float32, np.float64, np.int32, np.uint8

# ---- padding ----

COUNTS = np.array([1, 2, 4], I32)
OFFSETS = np.array([[0, 4, 5, 8], [9, 10, 11, 1], [2, 3, 6, 7]], I32)
ENDS = np.array([0, 1, 3, 7], I32)
TOKENS = OFFSETS.ravel()[:7]


def restore(x):
    full = np.zeros((12, *x.shape[1:]), x.dtype)
    full[TOKENS] = x
    return full.reshape(3, 4, *x.shape[1:])


PADDING = [
    ms("remove_padding", "RemovePadding", [floats(3, 4, 5), COUNTS], 4,
       expect=lambda x, _: [x.reshape(12, 5)[TOKENS], OFFSETS, ENDS, np.array([4], I32)]),
    ms("remove_padding_of_nothing", "RemovePadding", [floats(2, 2, 3), np.array([2, 2], I32)], 2,
       expect=lambda x, _: [x.reshape(4, 3), np.arange(4, dtype=I32).reshape(2, 2)]),
    ms("remove_padding_f16", "RemovePadding", [floats(3, 4, 5, dtype=F16), COUNTS], 2,
       expect=lambda x, _: [x.reshape(12, 5)[TOKENS], OFFSETS]),
    ms("restore_padding", "RestorePadding", [floats(7, 5), OFFSETS], expect=lambda x, _: [restore(x)]),
    ms("restore_padding_f16", "RestorePadding", [floats(7, 2, dtype=F16), OFFSETS], expect=lambda x, _: [restore(x)]),
]


def attend(q, k, v, heads, scale=None, bias=None):
    """Each sequence by itself, from the packed rows."""
    rows = []
    for s, (begin, end) in enumerate(zip(ENDS, ENDS[1:])):
        parts = [np.moveaxis(x[begin:end].astype(F64).reshape(end - begin, heads, -1), 1, 0) for x in (q, k, v)]
        scores = parts[0] @ np.swapaxes(parts[1], -1, -2) * (scale or 1 / math.sqrt(parts[0].shape[-1]))
        if bias is not None:
            scores += bias[s % len(bias), :, :end - begin, :end - begin]
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        rows.append(np.moveaxis(weights @ parts[2], 0, 1).reshape(end - begin, -1))
    return [np.concatenate(rows).astype(q.dtype)]


def packed_heads(heads, scale=None):
    def expect(q, k, v, bias, _, __, scores=None):
        if bias is not None:
            q, k, v = q + bias[:q.shape[1]], k + bias[q.shape[1]:2 * q.shape[1]], v + bias[2 * q.shape[1]:]
        return attend(q, k, v, heads, scale, scores)
    return expect


def packed_projection(heads, hidden):
    def expect(x, w, b, _, __, scores=None):
        q, k, v = np.split(x.astype(F64) @ w + b, [hidden, 2 * hidden], -1)
        return [attend(q, k, v, heads, bias=scores)[0].astype(F32)]
    return expect


PACKED = [
    ms("packed_multi_head", "PackedMultiHeadAttention", [*(floats(7, 8, seed=i) for i in range(3)), "", OFFSETS, ENDS],
       expect=packed_heads(2), num_heads=2),
    ms("packed_multi_head_bias", "PackedMultiHeadAttention",
       [floats(7, 8), floats(7, 8, seed=1), floats(7, 6), floats(22), OFFSETS, ENDS], expect=packed_heads(2, 0.3), num_heads=2,
       scale=0.3),
    ms("packed_multi_head_scores", "PackedMultiHeadAttention",
       [*(floats(7, 8, seed=i) for i in range(3)), "", OFFSETS, ENDS, floats(1, 4, 4, 4)], expect=packed_heads(4), num_heads=4),
    ms("packed_attention", "PackedAttention", [floats(7, 5), floats(5, 24), floats(24), OFFSETS, ENDS],
       expect=packed_projection(2, 8), num_heads=2),
    ms("packed_attention_scores", "PackedAttention", [floats(7, 5), floats(5, 24), floats(24), OFFSETS, ENDS, floats(3, 2, 4, 4)],
       expect=packed_projection(2, 8), num_heads=2),
    ms("packed_attention_sizes", "PackedAttention", [floats(7, 5), floats(5, 22), floats(22), OFFSETS, ENDS],
       expect=packed_projection(2, 8), num_heads=2, qkv_hidden_sizes=[8, 8, 6]),
]

# ---- relative positions ----


def bucket(far, buckets, most, is_bidirectional):
    """As T5 has it."""
    start = 0
    if is_bidirectional:
        buckets //= 2
        start, far = (buckets if far > 0 else 0), abs(far)
    else:
        far = max(-far, 0)
    exact = buckets // 2
    if far < exact:
        return start + far
    return start + min(exact + int(math.log(far / exact) / math.log(most / exact) * (buckets - exact)), buckets - 1)


def positions(most, is_bidirectional=0):
    def expect(table, q, k):
        buckets, heads = table.shape
        by_head = table.reshape(heads, buckets)
        index = [[bucket(j - i, buckets, most, is_bidirectional) for j in range(int(k[0]))] for i in range(int(q[0]))]
        return [by_head[:, index][None]]
    return expect


def length(n):
    return np.array([n], np.int64)


def gated(x, query_bias, rel_pos, weight, bias, eco):
    heads = rel_pos.shape[1]
    x = (x + query_bias).reshape(*x.shape[:2], heads, -1).transpose(0, 2, 1, 3) @ weight + bias
    u, r = np.split(1 / (1 + np.exp(-x.reshape(*x.shape[:3], 2, -1).sum(-1))), 2, -1)
    return [((u * (r * eco - 1) + 2) * rel_pos).astype(F32)]


POSITIONS = [
    ms("relative_bias", "RelativePositionBias", [floats(8, 3), length(13), length(13)], expect=positions(11), max_distance=11),
    ms("relative_bias_both_ways", "RelativePositionBias", [floats(32, 2), length(150), length(150)], expect=positions(128, 1),
       max_distance=128, is_bidirectional=1),
    ms("relative_bias_of_one", "RelativePositionBias", [floats(8, 3, dtype=F16), length(1), length(1)], expect=positions(20),
       max_distance=20),
    ms("gated_bias", "GatedRelativePositionBias",
       [floats(2, 5, 12), floats(12), floats(1, 3, 5, 5), floats(4, 8), floats(8), floats(1, 3, 1, 1)], expect=gated, num_heads=3),
]

# ---- words ----


def words(name, sequence, **options):
    return ms(f"word_conv{name}", "WordConvEmbedding", [np.array(sequence, I32), floats(4, 1, 2, 3), floats(4), floats(8, 3)],
              **options)


WORDS = [
    words("", [[1, 2, 3, 4, 5], [6, 7, 1, 0, 0]]),
    words("_short", [[3, 0, 0, 0], [2, 5, 0, 0], [1, 2, 3, 0]]),
    words("_of_one_window", [[1, 2], [4, 0]], embedding_size=4, conv_window_size=2, char_embedding_size=3),
]

# ---- products of few bits ----


def codes(*shape, seed=0):
    return random("codes", shape, seed).integers(0, 256, shape).astype(U8)


def real(b, scales, inner, bits=4, block=32):
    """[N, K] of codes [N, blocks, bytes] around 8."""
    low = np.stack([b & 15, b >> 4], -1).reshape(*b.shape[:2], -1).astype(F64) - 8
    return (low * scales[..., None]).reshape(len(b), -1)[:, :inner]


def rms(x, scale, epsilon=1e-5):
    return x / np.sqrt((x.astype(F64) ** 2).mean(-1, keepdims=True) + epsilon) * scale


def mlp(a, skip, scale, gate, gate_scales, gate_bias, up, up_scales, up_bias):
    total = a if skip is None else a + skip
    x = total if scale is None else rms(total, scale)
    g = x @ real(gate, gate_scales, a.shape[-1]).T + (0 if gate_bias is None else gate_bias)
    l = x @ real(up, up_scales, a.shape[-1]).T + (0 if up_bias is None else up_bias)
    y = (g / (1 + np.exp(-g)) * l).astype(F32)
    return [y] if skip is None else [y, total]


def qkv(a, skip, scale, *weights):
    total = a if skip is None else a + skip
    x = rms(total, scale)
    y = [(x @ real(b, s, a.shape[-1]).T + (0 if bias is None else bias)).astype(F32)
         for b, s, bias in zip(weights[0::3], weights[1::3], weights[2::3])]
    return y if skip is None else [*y, total]


def weight(n, blocks, bias=True, seed=0):
    return [codes(n, blocks, 16, seed=seed), floats(n, blocks, low=0.01, high=0.1, seed=seed), floats(n, seed=seed) if bias else ""]


FEW = {"K": 64, "block_size": 32, "bounds": {"rtol": 1e-3, "atol": 1e-4}}
LEVELS = np.array([0, .5, 1, 1.5, 2, 3, 4, 6, 0, -.5, -1, -1.5, -2, -3, -4, -6])


def fp8(a, b, scale, a_scale=None, bias=None):
    wide = np.repeat(scale, 32, -1)[:, :b.shape[1]] * b.astype(F64)
    if a_scale is not None:
        a = (a / a_scale).astype(ml_dtypes.float8_e4m3fn).astype(F64) * a_scale
    return [(a.astype(F64) @ wide.T + (0 if bias is None else bias)).astype(F16)]


def fp4(a, b, scale, scale_2, _=None, bias=None):
    wide = LEVELS[np.stack([b & 15, b >> 4], -1)].reshape(len(b), -1) * np.repeat(scale.astype(F64), 16, -1) * scale_2
    return [(a.astype(F64) @ wide.T + (0 if bias is None else bias)).astype(F16)]


E4M3 = ml_dtypes.float8_e4m3fn
HALF = {"rtol": 4e-3, "atol": 4e-3}
PRODUCTS = [
    ms("nbits_mlp", "MatMulNBitsMlp", [floats(2, 3, 64), "", "", *weight(5, 2), *weight(5, 2, seed=1)], expect=mlp, N=5,
       activation="silu", **FEW),
    ms("nbits_mlp_norm", "MatMulNBitsMlp", [floats(3, 64), "", floats(64), *weight(5, 2, False), *weight(5, 2, False, 1)],
       constant=(3, 4, 6, 7), expect=mlp, N=5, activation="silu", **FEW),
    ms("nbits_mlp_skip", "MatMulNBitsMlp", [floats(3, 64), floats(3, 64, seed=1), floats(64), *weight(5, 2), *weight(5, 2, seed=1)],
       2, expect=mlp, N=5, activation="silu", **FEW),
    ms("nbits_qkv", "MatMulNBitsQkv", [floats(2, 3, 64), "", floats(64), *weight(6, 2), *weight(3, 2), *weight(3, 2, seed=1)], 3,
       constant=(3, 4, 6, 7, 9, 10), expect=qkv, Nq=6, Nkv=3, **FEW),
    ms("nbits_qkv_skip", "MatMulNBitsQkv", [floats(3, 64), floats(3, 64, seed=1), floats(64), *weight(6, 2, False), *weight(3, 2),
       *weight(3, 2, seed=1)], 4, expect=qkv, Nq=6, Nkv=3, **FEW),
    ms("fp8_weight", "MatMulBlockQuantizedFp8Weight", [floats(3, 64, dtype=F16), floats(5, 64).astype(E4M3),
       floats(5, 2, low=0.5)], expect=fp8, block_size=32, bounds=HALF),
    ms("fp8_weight_cut_block", "MatMulBlockQuantizedFp8Weight", [floats(3, 50, dtype=F16), floats(5, 50).astype(E4M3),
       floats(5, 2, low=0.5), "", floats(5, dtype=F16)], expect=fp8, block_size=32, bounds=HALF),
    ms("fp8_weight_and_rows", "MatMulBlockQuantizedFp8Weight", [floats(2, 2, 64, dtype=F16), floats(5, 64).astype(E4M3),
       floats(5, 2, low=0.5), np.array([0.01], F32)], expect=fp8, block_size=32, bounds=HALF),
    ms("fp4_weight", "MatMulBlockQuantizedFp4Weight", [floats(3, 32, dtype=F16), codes(5, 16), floats(5, 2, low=0.5).astype(E4M3),
       np.array([0.3], F32)], expect=fp4, bounds=HALF),
    ms("fp4_weight_bias", "MatMulBlockQuantizedFp4Weight", [floats(2, 2, 32, dtype=F16), codes(5, 16),
       floats(5, 2, low=0.5).astype(E4M3), np.array([0.3], F32), "", floats(5, dtype=F16)], constant=(1, 2, 3), expect=fp4,
       bounds=HALF),
]

CASES = PADDING + PACKED + POSITIONS + WORDS + PRODUCTS
