# SPDX-License-Identifier: Apache-2.0
"""How many random graphs, and which."""
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "ops")]  # the latter for cases.recurrence


def pytest_generate_tests(metafunc):
    if "seed" in metafunc.fixturenames:
        first, count = metafunc.config.getoption("--first"), metafunc.config.getoption("--seeds")
        metafunc.parametrize("seed", range(first, first + count))
