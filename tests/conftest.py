# SPDX-License-Identifier: Apache-2.0
"""What every Python test may ask for: the program, the tree, and data that may not be there."""
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def find_program(name):
    """The built program: in $QN_BUILD, else in the debug or release build; None where there is none."""
    build = os.environ.get("QN_BUILD")
    builds = [Path(build)] if build else [ROOT / "build/dev", ROOT / "build/release", ROOT / "build"]
    for folder in builds:
        for place in (folder / name, folder / "tools" / name):
            if place.is_file() and os.access(place, os.X_OK):
                return place
    return None


@pytest.fixture(scope="session")
def root():
    """The root of the tree."""
    return ROOT


@pytest.fixture(scope="session")
def program():
    """The path of `quern`."""
    path = find_program("quern")
    if path is None:
        pytest.skip("no program named quern in the build folder")
    return path


@pytest.fixture(scope="session")
def quern(program):
    """quern("run", "m.onnx", ...) runs the program and gives its exit status and texts; it never hangs a test."""

    def run(*arguments, timeout=120, **options):
        command = [str(program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                              check=False, **options)

    return run


@pytest.fixture(scope="session")
def data():
    """data("models/onnx/mnist.onnx"): a path in $QN_DATA or ../shared/data; where it is not there, the test is skipped."""
    folder = Path(os.environ.get("QN_DATA", ROOT / "../shared/data"))

    def find(name):
        path = folder / name
        if not path.exists():
            pytest.skip(f"test data {name} is not there")
        return path

    return find
