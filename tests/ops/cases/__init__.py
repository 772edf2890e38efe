# SPDX-License-Identifier: Apache-2.0
"""The families of quern's own test cases: each is a module of this package with a list CASES."""

FAMILIES = [
    "chance",
    "ml",
    "qmatmul",
    "quantize",
    "rnn",
    "upgrade",
    "version",
]
