# SPDX-License-Identifier: Apache-2.0
"""What every Python test may ask for: the program, the tree, and data that may not be there."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def builds():
    """The folders of builds: $QN_BUILD, else the debug or release build."""
    build = os.environ.get("QN_BUILD")
    return [Path(build)] if build else [ROOT / "build/dev", ROOT / "build/release", ROOT / "build"]


def find_program(name):
    """The built program; None where there is none."""
    for folder in builds():
        for place in (folder / name, folder / "tools" / name):
            if place.is_file() and os.access(place, os.X_OK):
                return place
    return None


sys.path.insert(0, str(ROOT / "tests"))  # for `import oracle`
# The package of the build comes before one that is installed, so that `import quern` means what was built.
for build_folder in builds():
    if list(build_folder.glob("python/quern/_quern*.so")):
        sys.path.insert(0, str(build_folder / "python"))
        break


def pytest_addoption(parser):
    parser.addoption("--seeds", type=int, default=1000, help="how many random graphs")
    parser.addoption("--first", type=int, default=0, help="the first one's seed")


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
