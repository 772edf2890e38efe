# SPDX-License-Identifier: Apache-2.0
"""MultiHeadAttention, DecoderMaskedMultiHeadAttention, Attention and QAttention of com.microsoft: each input, form of mask
and attribute."""
import numpy as np
from onnx import TensorProto, helper

from cases.case import Case, floats, ints
from cases.quantized import F32, I8, I32, U8, bytes_of, of_microsoft, scale, zero

B, S, T, N, D, P, M = 2, 3, 5, 2, 4, 2, 6


def numbers(*values):
    return np.array(values, I32)


def flags(*shape, seed=0):
    """Ones and zeros, the first of each row a one."""
    made = ints(*shape, low=0, high=1, dtype=I32, seed=seed)
    made[..., 0] = 1
    return made


def call(op, names, name, given, outputs, expect=None, **attributes):
    """A case whose inputs are said by name.  `expect`: the inputs of a call that means the same, which ONNX Runtime knows."""

    def listed(values):
        last = max(i for i, key in enumerate(names) if values.get(key) is not None)
        return ["" if values.get(key) is None else values[key] for key in names[:last + 1]]

    if outputs == 4:  # whose type nothing else tells
        attributes["types"] = [helper.make_tensor_type_proto(TensorProto.FLOAT, None)] * 4
    case = of_microsoft(name, op, listed(given), outputs, **attributes)
    if expect is None:
        return case
    other = of_microsoft(name, op, listed(expect), outputs, **attributes)
    return Case(case.name, case.model, case.inputs, lambda *_: from_other(other), case.bounds)


def from_other(case):
    from cases.archive import run  # it imports the oracle, which a list of cases does not need

    return run(case.model, case.inputs)


def rows(count, width, seed=0, batch=B):
    return floats(batch, count, width, seed=seed)


# ---- MultiHeadAttention ----

MHA = "q k v bias mask score_bias past_k past_v length beams".split()
QKV = {"q": rows(S, N * D), "k": rows(T, N * D, 1), "v": rows(T, N * D, 2)}
NEW = {"q": rows(S, N * D), "k": rows(S, N * D, 3), "v": rows(S, N * D, 4)}
CROSS = {"q": rows(S, N * D), "k": floats(B, N, T, D), "v": floats(B, N, T, D, seed=1)}
PAST = {"past_k": floats(B, N, P, D), "past_v": floats(B, N, P, D, seed=1)}
BUFFER = {"past_k": floats(B, N, M, D), "past_v": floats(B, N, M, D, seed=1), "length": numbers(3)}
TOKEN = {"q": rows(1, N * D), "k": rows(1, N * D, 1), "v": rows(1, N * D, 2)}
BIAS = floats(3 * N * D)
PACKED = floats(B, S, N, 3, D)
PAIRS = floats(B, T, N, 2, D)


def multi(name, given, outputs=1, expect=None, **attributes):
    return call("MultiHeadAttention", MHA, f"multi_head_{name}", given, outputs, expect, num_heads=N, **attributes)


def part(packed, i):
    """Queries, keys or values of what holds several."""
    return packed[:, :, :, i].reshape(*packed.shape[:2], -1)


MULTI = [
    multi("plain", QKV),
    multi("bias", {**QKV, "bias": BIAS}),
    multi("scores", {**QKV, "mask": flags(B, T)}, 4),
    multi("scale", QKV, scale=0.3),
    multi("filter", {**QKV, "mask": flags(B, T)}, mask_filter_value=-2.0),
    multi("mask_lengths", {**QKV, "mask": numbers(3, 5)}),
    multi("mask_lengths_and_offsets", {**QKV, "mask": numbers(3, 5, 0, 3, 6, 0, 5, 10)}),
    multi("mask_keys", {**QKV, "mask": 3 * flags(B, T)}),
    multi("mask_queries", {**QKV, "mask": flags(B, S, T)}),
    multi("causal", {**QKV, "q": rows(T, N * D)}, unidirectional=1),
    multi("wide_values", {**QKV, "v": rows(T, N * 6), "bias": floats(2 * N * D + N * 6)}),
    multi("cross", {**CROSS, "bias": BIAS}, 3),
    multi("past", {**NEW, **PAST, "bias": BIAS, "mask": flags(B, P + S)}, 3),
    multi("past_causal", {**NEW, **PAST, "score_bias": floats(1, N, S, P + S)}, 3, unidirectional=1),
    multi("buffer", {**TOKEN, **BUFFER}, 3),
    multi("beams", {**TOKEN, **BUFFER, "beams": ints(1, 2, M, low=0, high=1, dtype=I32)}, 3),
    multi("packed", {"q": PACKED, "bias": BIAS}, expect={**dict(zip("qkv", (part(PACKED, i) for i in range(3)))),
                                                         "bias": BIAS}),
    multi("packed_keys", {"q": QKV["q"], "k": PAIRS, "bias": BIAS},
          expect={"q": QKV["q"], "k": part(PAIRS, 0), "v": part(PAIRS, 1), "bias": BIAS}),
    *(multi("score_bias_%d_%d" % shape, {**QKV, "mask": flags(B, T), "score_bias": floats(*shape, S, T)})
      for shape in ((B, N), (1, N), (B, 1), (1, 1))),
]

# ---- DecoderMaskedMultiHeadAttention ----

R = 4  # beams and items together
DMHA = "q k v mask score_bias past_k past_v length width beams bias".split()
BEAM = {"q": rows(1, N * D, batch=R), "k": rows(1, N * D, 1, R), "v": rows(1, N * D, 2, R)}
BEAMS = {"past_k": floats(R, N, M, D), "past_v": floats(R, N, M, D, seed=1), "length": numbers(3)}
ENCODER = {"k": floats(R, N, T, D), "v": floats(R, N, T, D, seed=1)}


def decoder(name, given, outputs=3, expect=None, past_present_share_buffer=1, **attributes):
    return call("DecoderMaskedMultiHeadAttention", DMHA, f"decoder_masked_{name}", given, outputs, expect, num_heads=N,
                past_present_share_buffer=past_present_share_buffer, **attributes)


DECODER = [
    decoder("buffer", {**BEAM, **BEAMS}),
    decoder("bias", {**BEAM, **BEAMS, "bias": BIAS}),
    decoder("mask", {**BEAM, **BEAMS, "mask": flags(R, 4)}),
    decoder("score_bias", {**BEAM, **BEAMS, "score_bias": floats(1, N, 1, 4)}),
    decoder("scores", {**BEAM, **BEAMS}, 4, output_qk=1, scale=0.4),
    decoder("cross", {**BEAM, **ENCODER, "bias": BIAS, "mask": flags(R, T)}, 1, past_present_share_buffer=0),
    decoder("packed", {**BEAMS, "q": np.concatenate(list(BEAM.values()), -1), "bias": BIAS},
            expect={**BEAM, **BEAMS, "bias": BIAS}),
    *(decoder(f"beams_{width}", {**BEAM, **BEAMS, "width": numbers(width),
                                 "beams": ints(R // width, width, M, low=0, high=width - 1, dtype=I32)})
      for width in (2, 4)),
]

# ---- Attention, QAttention ----

L, W = 4, 6
ATTENTION = "x weights bias mask past score_bias length".split()
INPUT = {"x": rows(L, W), "weights": floats(W, 3 * N * D, low=-1, high=1), "bias": BIAS}
CACHE = floats(2, B, N, P, D)


def attention(name, given, outputs=1, **attributes):
    return call("Attention", ATTENTION, f"attention_{name}", {**INPUT, **given}, outputs, num_heads=N, **attributes)


PROJECTED = [
    attention("plain", {}),
    attention("without_bias", {"bias": None}),
    attention("scale", {}, scale=0.3),
    attention("mask_keys", {"mask": flags(B, L)}),
    attention("mask_queries", {"mask": flags(B, L, L)}),
    attention("mask_lengths", {"mask": numbers(2, 4)}),
    attention("mask_ends_and_starts", {"mask": numbers(3, 4, 1, 2)}),
    attention("mask_lengths_and_offsets", {"mask": numbers(2, 4, 0, 2, 6, 0, 2, 6)}),
    attention("filter", {"mask": flags(B, L)}, mask_filter_value=-3.0),
    attention("causal", {}, unidirectional=1),
    attention("score_bias", {"score_bias": floats(1, N, L, L)}),
    attention("present", {}, 2),
    attention("past", {"past": CACHE, "mask": flags(B, P + L)}, 2),
    attention("past_causal", {"past": CACHE}, 2, unidirectional=1),
    attention("past_ends_and_starts", {"past": CACHE, "mask": numbers(6, 5, 1, 0)}, 2),
    attention("wide_values", {"weights": floats(W, 2 * N * D + 12), "bias": floats(2 * N * D + 12)},
              qkv_hidden_sizes=[N * D, N * D, 12]),
]

QUANTIZED = "x weights bias x_scale w_scale mask x_zero w_zero past".split()
BYTES = {"x": bytes_of(B, L, W), "weights": bytes_of(W, 3 * N * D, dtype=I8), "bias": BIAS, "x_scale": scale(0.02),
         "w_scale": scale(0.01), "x_zero": zero(120), "w_zero": zero(3, I8)}


def quantized(name, given, outputs=1, **attributes):
    return call("QAttention", QUANTIZED, f"quantized_{name}", {**BYTES, **given}, outputs, num_heads=N, **attributes)


INTEGERS = [
    quantized("plain", {}),
    quantized("without_zero_points", {"x_zero": None, "w_zero": None}),
    quantized("per_column", {"w_scale": floats(3 * N * D, low=0.005, high=0.015),
                             "w_zero": ints(3 * N * D, low=-5, high=5, dtype=I8)}),
    quantized("unsigned", {"weights": bytes_of(W, 3 * N * D, dtype=U8), "w_zero": zero(131, U8)}),
    quantized("mask", {"mask": numbers(2, 4)}),
    quantized("past", {"past": CACHE.astype(F32)}, 2, unidirectional=1),
]

CASES = MULTI + DECODER + PROJECTED + INTEGERS
