# SPDX-License-Identifier: Apache-2.0
"""The light models of ONNX's tests: large architectures, whose constant weights are replaced by seeded random ones."""
import subprocess
import sys
import tarfile

import numpy as np
import pytest
from oracle import check_same, onnx_runtime, picture

quern = pytest.importorskip("quern")

ARCHIVE, FOLDER = "onnx-backend-tests.tar.xz", "onnx-backend-tests/newest/light"
# Those that run in a second: fire modules, channel shuffles, residual blocks.
NAMES = ["squeezenet", "shufflenet", "resnet50"]


@pytest.fixture(scope="module")
def light(data):
    """{name: bytes} of the models as they are published."""
    with tarfile.open(data(ARCHIVE)) as archive:
        return {name: archive.extractfile(f"{FOLDER}/light_{name}.onnx").read() for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_architectures_with_random_weights(light, root, tmp_path, name):
    source, model = tmp_path / "light.onnx", tmp_path / "random.onnx"
    source.write_bytes(light[name])
    subprocess.run([sys.executable, root / "benchmarks/randomize_weights.py", source, model, "7"], check=True)
    ours, theirs = quern.InferenceSession(model), onnx_runtime(model)
    given, = theirs.get_inputs()
    rng = np.random.default_rng(7)
    check_same(ours, theirs, {given.name: picture(rng, *given.shape, -2, 2.6)})
    check_same(ours, theirs, {given.name: rng.normal(0, 1, given.shape).astype(np.float32)})
