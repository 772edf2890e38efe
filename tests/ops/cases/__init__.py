# SPDX-License-Identifier: Apache-2.0
"""The families of quern's own test cases: each is a module of this package with a list CASES."""

FAMILIES = [
    "chance",
    "fused",
    "gather_blocks",
    "ml",
    "namesake",
    "qconv",
    "qmatmul",
    "qrnn",
    "quantize",
    "rnn",
    "skip_norm",
    "stream",
    "upgrade",
    "version",
    "weight_only",
]
