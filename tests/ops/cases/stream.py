# SPDX-License-Identifier: Apache-2.0
"""Gates and residual streams of newer language models, of com.microsoft."""
import ml_dtypes
import numpy as np

from cases.case import floats
from cases.fused import ms

F16, F64, BF16 = np.float16, np.float64, ml_dtypes.bfloat16
HALF, BRIEF = {"bounds": {"rtol": 2e-3, "atol": 1e-3}}, {"bounds": {"rtol": 2e-2, "atol": 1e-2}}


def gated(name, op, inputs, dtype, **options):
    """ONNX Runtime is asked on float values of the type."""
    return ms(name, op, [value.astype(dtype) if isinstance(value, np.ndarray) else value for value in inputs], **options)


def gated_rms(x, scale, gate):
    """NumPy cannot give ONNX Runtime the type."""
    x, scale, gate = (value.astype(F64) for value in (x, scale, gate))
    y = x / np.sqrt((x ** 2).mean(-1, keepdims=True) + 1e-5) * scale * gate / (1 + np.exp(-gate))
    return [y.astype(BF16)]


X, GATE, SCALE = floats(2, 3, 8), floats(2, 3, 8, seed=1), floats(8)
RMS = [
    ms("gated_rms_norm", "GatedRMSNorm", [X, SCALE, GATE]),
    ms("gated_rms_norm_of_heads", "GatedRMSNorm", [X, floats(4), GATE], epsilon=0.1),
    ms("gated_rms_norm_sigmoid", "GatedRMSNorm", [X, SCALE, GATE], activation="sigmoid"),
    ms("gated_rms_norm_swish", "GatedRMSNorm", [X, floats(2), GATE], activation="swish"),
    gated("gated_rms_norm_f16", "GatedRMSNorm", [X, floats(4), GATE], F16, **HALF),
    gated("gated_rms_norm_bf16", "GatedRMSNorm", [X, SCALE, GATE], BF16, expect=gated_rms, **BRIEF),
    ms("branch_rms_norm", "BranchwiseRMSNorm", [X]),
    ms("branch_rms_norm_flat", "BranchwiseRMSNorm", [X, SCALE], num_branches=2),
    ms("branch_rms_norm_flat_alike", "BranchwiseRMSNorm", [X, floats(2)], num_branches=4, epsilon=0.1),
    ms("branch_rms_norm_grouped", "BranchwiseRMSNorm", [X, floats(3, 8)]),
    ms("branch_rms_norm_f16", "BranchwiseRMSNorm", [X.astype(F16), floats(4, 2)], num_branches=4, **HALF),
    ms("scaled_silu", "ScaledSiLU", [X], alpha=0.7),
    ms("scaled_silu_scale", "ScaledSiLU", [X, np.array(1.3, np.float32)], alpha=0.7),
    ms("scaled_silu_f16", "ScaledSiLU", [X.astype(F16), np.array(1.3, np.float32)], **HALF),
]

GATED_ADD = [
    ms("gated_add", "GatedAdd", [X, GATE, floats(2, 3, 1)]),
    gated("gated_add_f16", "GatedAdd", [X, GATE, floats(2, 3, 1)], F16, **HALF),
    ms("gated_add_projected", "GatedAdd", [X, GATE, floats(2, 3, 4), floats(4, 1)],
       expect=lambda x, y, g, w: [x + y / (1 + np.exp(-(g @ w)))]),
]

STREAMS = floats(2, 3, 4, 5)
MIX = [
    ms("pre_mix", "HyperConnectionPreMix", [STREAMS, floats(2, 3, 4)], reduction_scale=0.5),
    ms("pre_mix_of_columns", "HyperConnectionPreMix", [STREAMS, floats(2, 3, 4, 1)]),
    ms("pre_mix_of_features", "HyperConnectionPreMix", [STREAMS, floats(2, 3, 4, 5, seed=1)]),
    ms("pre_mix_flat", "HyperConnectionPreMix", [STREAMS.reshape(2, 3, 20), floats(2, 3, 20)], num_branches=4),
    ms("pre_mix_flat_branches", "HyperConnectionPreMix", [STREAMS.reshape(2, 3, 20), floats(2, 3, 4)], num_branches=4),
    ms("pre_mix_f16", "HyperConnectionPreMix", [STREAMS.astype(F16), floats(2, 3, 4)], **HALF),
    ms("post_mix", "HyperConnectionPostMix", [STREAMS, floats(2, 3, 5), floats(2, 3, 4)]),
    ms("post_mix_of_features", "HyperConnectionPostMix", [STREAMS, floats(2, 3, 5), floats(2, 3, 4, 5, seed=1)]),
    ms("post_mix_stream_mix", "HyperConnectionPostMix", [STREAMS, floats(2, 3, 5), floats(2, 3, 4, 1), floats(2, 3, 4, 4)]),
    ms("post_mix_flat", "HyperConnectionPostMix", [STREAMS.reshape(2, 3, 20), floats(2, 3, 5), floats(2, 3, 4),
                                                   floats(2, 3, 4, 4)], num_branches=4),
]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def low_rank(branches, gate_mul=1.0, gate_div=1.0, alpha=1.0, reduction=1.0, epsilon=1e-5):
    """By the text of the schema."""
    def expect(streams, norm, down, up, inject, output=None, gate=None):
        s = streams.astype(F64).reshape(*streams.shape[:-1], branches, -1)
        if output is not None:
            s = s + gate[..., None] * output[..., None, :]
        n = s / np.sqrt((s ** 2).mean(-1, keepdims=True) + epsilon)
        n = n.reshape(streams.shape) * norm
        d = alpha * (n @ down)
        g = sigmoid((d * sigmoid(d)) @ up)
        pre = reduction * (n * g).reshape(s.shape).sum(-2)
        post = sigmoid((n @ inject) / gate_div) * gate_mul
        return [value.astype(np.float32) for value in (pre, post, s.reshape(streams.shape))]
    return expect


FLAT = [floats(2, 3, 20), floats(20), floats(20, 3), floats(3, 20), floats(20, 4)]
ENGRAM = [floats(2, 3, 4, 8), floats(2, 3, 4, 8, seed=1), floats(2, 3, 8), floats(4, 8), floats(4, 8, seed=1)]
REST = [
    ms("low_rank_mix", "HyperConnectionLowRankMix", FLAT, 3, expect=low_rank(4), num_branches=4),
    ms("low_rank_mix_of_the_last_block", "HyperConnectionLowRankMix", FLAT + [floats(2, 3, 5), floats(2, 3, 4)], 3,
       expect=low_rank(4, 2.0, 0.5, 1.5, 0.25, 0.1), num_branches=4, gate_mul=2.0, gate_div=0.5, silu_alpha=1.5,
       reduction_scale=0.25, epsilon=0.1),
    ms("engram_gate", "EngramGate", ENGRAM, epsilon=0.1),
    ms("engram_gate_normed", "EngramGate", ENGRAM + [floats(4, 8, seed=2)], 2),
    gated("engram_gate_f16", "EngramGate", ENGRAM + [floats(4, 8, seed=2)], F16, outputs=2, **HALF),
]


def swiglu(limit=0.0, alpha=1.0, beta=0.0):
    def expect(gate, up=None):
        if up is None:
            gate, up = np.split(gate, 2, -1)
        gate, up = gate.astype(F64), up.astype(F64)
        if limit > 0:
            gate, up = np.minimum(gate, limit), np.clip(up, -limit, limit)
        return [(gate * sigmoid(alpha * gate) * (up + beta)).astype(np.float32)]
    return expect


def routed(x, w):
    y = x.astype(F64) @ w
    return [y[..., :3].astype(x.dtype), swiglu(1.0, 1.7, 1.0)(y[..., 3:8], y[..., 8:])[0].astype(x.dtype)]


REST += [
    ms("swiglu", "SwiGLU", [X, GATE], expect=swiglu()),
    ms("swiglu_of_halves", "SwiGLU", [X], expect=swiglu(0.0, 1.7, 1.0), activation_alpha=1.7, activation_beta=1.0),
    ms("swiglu_limited", "SwiGLU", [X, GATE], expect=swiglu(0.8, 1.7, 1.0), limit=0.8, activation_alpha=1.7,
       activation_beta=1.0),
    ms("swiglu_without_limit", "SwiGLU", [X, GATE], expect=swiglu(), limit=-1.0),
    ms("router_gate_up", "RouterGateUpProj", [floats(2, 4, dtype=F16), floats(4, 13, dtype=F16)], 2, expect=routed,
       router_size=3, limit=1.0, activation_alpha=1.7, activation_beta=1.0, bounds={"rtol": 1e-2, "atol": 1e-2}),
]

CASES = RMS + GATED_ADD + MIX + REST
