# SPDX-License-Identifier: Apache-2.0
"""The families of quern's own test cases: each is a module of this package with a list CASES."""

FAMILIES = [
    "attention",
    "chance",
    "early",
    "experts",
    "fused",
    "gather_blocks",
    "generation",
    "grouped",
    "ml",
    "namesake",
    "qconv",
    "qmatmul",
    "qrnn",
    "quantize",
    "recurrent",
    "rnn",
    "skip_norm",
    "stream",
    "tokenizer",
    "tokens",
    "upgrade",
    "vendor",
    "version",
    "weight_only",
]
