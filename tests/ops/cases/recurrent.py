# SPDX-License-Identifier: Apache-2.0
"""Attention's relatives of com.microsoft: RotaryEmbedding, CausalConvWithState, LinearAttention and its gate."""
import numpy as np

from cases.case import floats
from cases.quantized import of_microsoft

COS, SIN = floats(8, 4), floats(8, 4, seed=1)


def rotary(name, x, positions, **attributes):
    return of_microsoft(f"rotary_{name}", "RotaryEmbedding", [x, np.array(positions), COS, SIN], **attributes)


ROTARY = [
    rotary("rows", floats(2, 3, 16), [[3, 1, 2], [7, 0, 5]]),
    rotary("first", floats(2, 3, 16), [2]),
    rotary("heads", floats(2, 2, 3, 8), [2]),
    rotary("interleaved", floats(2, 3, 16), [2], interleaved=1),
    rotary("partial", floats(2, 3, 24), [4], num_heads=2, rotary_embedding_dim=8),
]


def causal(name, x, weight, bias="", past="", **attributes):
    return of_microsoft(f"causal_conv_{name}", "CausalConvWithState", [x, weight, bias, past], 2, **attributes)


CAUSAL = [
    causal("bias", floats(2, 3, 5), floats(3, 1, 3), floats(3), floats(2, 3, 2)),
    causal("silu", floats(2, 3, 1), floats(3, 1, 3), past=floats(2, 3, 2), activation="silu"),
    causal("dilated", floats(2, 3, 5), floats(3, 1, 2), past=floats(2, 3, 2), dilation=2),
    causal("channels_last", floats(2, 5, 1, 3), floats(3, 1, 3), channels_last=1),
]


def linear(rule, decay="", beta="", queries=4, keys=2, name=""):
    """Keys and values of 4 and 3 elements."""
    inputs = [floats(2, 3, 4 * queries), floats(2, 3, 4 * keys, low=-1, high=1), floats(2, 3, 3 * keys),
              floats(2, keys, 4, 3), decay, beta]
    return of_microsoft(f"linear_attention_{name or rule}", "LinearAttention", inputs, 2, update_rule=rule,
                        q_num_heads=queries, kv_num_heads=keys)


LINEAR = [
    linear("linear"),
    linear("gated", floats(2, 3, 8, low=-2, high=0)),
    linear("delta", beta=floats(2, 3, 2, low=0, high=1)),
    linear("gated_delta", floats(2, 3, 2, low=-2, high=0), floats(2, 3, 1, low=0, high=1)),
    linear("linear", queries=2, keys=4, name="more_keys"),
    of_microsoft("linear_attention_gate", "LinearAttentionGate",
                 [floats(2, 3, 4), floats(4), floats(4, seed=1), floats(2, 3, 4, seed=1)], 2),
]

CASES = ROTARY + CAUSAL + LINEAR
