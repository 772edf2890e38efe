# SPDX-License-Identifier: Apache-2.0
"""QMoE: experts whose weights are codes of a few bits, in every form of scales, zero points and routing."""
import numpy as np

from cases.case import floats, random
from cases.fused import ms

E, H, I, T = 4, 32, 64, 5
F16, F64 = np.float16, np.float64


def codes(*shape, seed=0):
    return random("codes", shape, seed).integers(0, 256, shape).astype(np.uint8)


def unpack(packed, bits):
    return np.stack([packed >> bits * i & (1 << bits) - 1 for i in range(8 // bits)], -1).reshape(*packed.shape[:-1], -1)


def real(weight, scales, zeros, bits, block):
    levels = unpack(weight, bits).astype(F64)
    scales = scales.astype(F64).reshape(*levels.shape[:2], -1)
    zeros = 2 ** (bits - 1) if zeros is None else unpack(zeros, bits)
    if block and np.ndim(zeros):
        zeros = np.repeat(zeros[..., :scales.shape[-1]], block, -1)
    elif np.ndim(zeros):
        zeros = zeros[:, :levels.shape[1], None]
    return (levels - zeros) * np.repeat(scales, block or levels.shape[-1], -1)


def silu(x, alpha=1.0):
    return x / (1 + np.exp(-alpha * x))


def mixture(bits, block, unit, k, normalized):
    def expect(x, router, w1, s1, b1, w2, s2, b2=None, w3=None, s3=None, b3=None, z1=None, z2=None, z3=None, mixing=None):
        w1, w2 = real(w1, s1, z1, bits, block), real(w2, s2, z2, bits, block)
        w3 = None if w3 is None else real(w3, s3, z3, bits, block)
        y = np.zeros(x.shape, F64)
        for t, row in enumerate(router.astype(F64)):
            best = np.argsort(-row)[:k]
            p = np.exp(row - row.max()) / np.exp(row - row.max()).sum() if mixing is None else mixing[t].astype(F64)
            for e in best:
                g = w1[e] @ x[t] + (0 if b1 is None else b1[e])
                l = None if w3 is None else w3[e] @ x[t] + (0 if b3 is None else b3[e])
                share = p[e] / p[best].sum() if normalized else p[e]
                y[t] += share * (w2[e] @ unit(g, l) + (0 if b2 is None else b2[e]))
        return [y.astype(x.dtype)]
    return expect


def in_turns(g, _):
    return silu(g[0::2]) * g[1::2]


def limited(g, _):
    g, l = np.minimum(g[0::2], 0.5), np.clip(g[1::2], -0.5, 0.5)
    return silu(g, 1.7) * (l + 1)


def quantized(name, unit=in_turns, bits=4, block=32, zeros=False, fused=True, mixing=False, bias=True, third=False, k=2,
              normalized=1, dtype=np.float32, agreed=True, **attributes):
    """A case; ONNX Runtime is asked too, except for 8 bits in blocks, where it rounds tokens to 8 bits as well."""
    rows, per_byte = 2 * I if fused else I, 8 // bits

    def weight(n, width, seed):
        steps = floats(E, n, *([width // block] if block else []), low=0.01, high=0.1, dtype=dtype, seed=seed)
        return [codes(E, n, width // per_byte, seed=seed), steps, floats(E, n, dtype=dtype, seed=seed) if bias else ""]

    def zero_points(n, width):
        if not zeros:
            return ""
        return codes(E, n, -(-width // block * bits // 8)) if block else codes(E, -(-n * bits // 8))

    inputs = [floats(T, H, dtype=dtype), floats(T, E, dtype=dtype), *weight(rows, H, 1), *weight(H, I, 2)]
    inputs += weight(I, H, 3) if third else ["", "", ""]
    inputs += [zero_points(rows, H), zero_points(H, I), zero_points(I, H) if third else ""]
    inputs += [floats(T, E, low=0.1, dtype=dtype, seed=4)] if mixing else []
    while isinstance(inputs[-1], str):
        inputs.pop()
    constant = [i for i in range(2, len(inputs)) if not isinstance(inputs[i], str) and i != 14]
    options = {"block_size": block} if block else {}
    return ms(f"qmoe{name}", "QMoE", inputs, constant=constant, agreed=agreed, expect=mixture(bits, block, unit, k, normalized),
              k=k, normalize_routing_weights=normalized, expert_weight_bits=bits, weights_prepacked=0,
              **{"activation_type": "swiglu", "swiglu_fusion": 1} | options | attributes)


RELU = {"activation_type": "relu", "swiglu_fusion": 0, "fused": False}
LOOSE = {"rtol": 1e-3, "atol": 1e-4}
CASES = [
    quantized("", bounds=LOOSE),
    quantized("_one_expert", k=1, bounds=LOOSE),
    # ONNX Runtime's CPUs take the softmax of the chosen experts alone, whatever the attribute says; MoE and GPUs of all.
    quantized("_not_normalized", normalized=0, agreed=False, bounds=LOOSE),
    quantized("_without_bias", bias=False, bounds=LOOSE),
    quantized("_limited", limited, activation_alpha=1.7, activation_beta=1.0, swiglu_limit=0.5, bounds=LOOSE),
    quantized("_halves", lambda g, _: silu(g[:I]) * g[I:], swiglu_fusion=2, agreed=False, bounds=LOOSE),
    quantized("_third", lambda g, l: silu(g) * l, third=True, fused=False, swiglu_fusion=0, agreed=False, bounds=LOOSE),
    quantized("_relu", lambda g, _: np.maximum(g, 0), **RELU, bounds=LOOSE),
    quantized("_zero_points", zeros=True, bounds=LOOSE),
    quantized("_whole_rows", block=0, bounds=LOOSE),
    quantized("_whole_rows_zero_points", block=0, zeros=True, bounds=LOOSE),
    quantized("_2_bits", bits=2, agreed=False, bounds=LOOSE),
    quantized("_8_bits", bits=8, agreed=False, bounds=LOOSE),
    quantized("_8_bits_zero_points", bits=8, zeros=True, agreed=False, bounds=LOOSE),
    quantized("_mixing", mixing=True, bounds=LOOSE),
    quantized("_mixing_not_normalized", mixing=True, normalized=0, bounds=LOOSE),
    quantized("_f16", dtype=F16, agreed=False, bounds={"rtol": 4e-3, "atol": 4e-3}),
]
