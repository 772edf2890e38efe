# SPDX-License-Identifier: Apache-2.0
"""The digits example: what is checked in reads its own pictures, with quern as with ONNX Runtime."""
import numpy as np
import onnxruntime
import pytest
from PIL import Image


def load(root, digit):
    pixels = np.asarray(Image.open(root / f"examples/digits/{digit}.png"), np.float32)
    return pixels[None, None] / 255


@pytest.fixture(scope="module")
def expected(root):
    """ONNX Runtime's probabilities, [10, 10]."""
    session = onnxruntime.InferenceSession(root / "examples/digits/digits.onnx", providers=["CPUExecutionProvider"])
    pictures = np.concatenate([load(root, digit) for digit in range(10)])
    return session.run(None, {"image": pictures})[0]


def test_the_served_model_is_the_trained_one(root):
    trained = (root / "examples/digits/digits.onnx").read_bytes()
    assert (root / "examples/repository/digits/1/model.onnx").read_bytes() == trained


def test_every_picture_is_read_right(expected):
    assert expected.argmax(1).tolist() == list(range(10))


@pytest.mark.parametrize("digit", range(10))
def test_quern_agrees(root, quern, expected, tmp_path, digit):
    result = quern("run", root / "examples/digits/digits.onnx", "--input",
                   f"image={root}/examples/digits/{digit}.png", "--output-dir", tmp_path)
    assert result.returncode == 0, result.stderr
    np.testing.assert_allclose(np.load(tmp_path / "probabilities.npy")[0], expected[digit], atol=1e-5)
