# SPDX-License-Identifier: Apache-2.0
"""quern check: what it says of each broken model, and whether onnx.checker agrees, of broken models and of good ones."""
import json
import tarfile

import pytest

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnx.parser")

from broken_models import BROKEN  # noqa: E402: it needs the onnx package

# Models that onnx.checker rejects and that are right, and why.
WRONGLY_REJECTED = {
    "lr_mnist_scikit.onnx": "it says ai.onnx, the long name of the domain ''",
    "test_mvn": "the checker's own body of MeanVarianceNormalization is rejected by it",
    "test_maxpool_2d_ceil_output_size_reduce_by_one": "what it declares is right since ONNX 1.16",
}


def rejection(path):
    """What onnx.checker says of a model file; "" where it accepts it."""
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except Exception as error:  # pylint: disable=broad-exception-caught  # of many kinds
        return str(error) or repr(error)
    return ""


def read_expected(path):
    """{name: lines} of a text with [name] above the lines of each."""
    found, lines = {}, []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = found.setdefault(line[1:-1], [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


@pytest.fixture(scope="module")
def expected(root):
    return read_expected(root / "tests/check/broken_models.txt")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder for models, with the files that external data refers to."""
    path = tmp_path_factory.mktemp("broken") / "models"
    path.mkdir()
    (path / "data.bin").write_bytes(bytes(16))
    (path / "link.bin").symlink_to("data.bin")
    (path.parent / "outside.bin").write_bytes(bytes(16))
    return path


@pytest.fixture(scope="module")
def write(folder):
    def save(row):
        path = folder / f"{row.name}.onnx"
        path.write_bytes(row.build().SerializeToString())
        return path
    return save


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.name)
def test_each_model_gives_its_sentences(quern, write, expected, row):
    path = write(row)
    done = quern("check", path, "--no-plan")
    lines = [line.removeprefix(f"{path}: ") for line in done.stdout.splitlines()]
    assert lines[:-1] == expected[row.name]
    has_errors = any(line.startswith("error: ") for line in lines)
    assert done.returncode == (1 if has_errors else 0) and done.stderr == ""


def test_every_expectation_has_its_model(expected):
    assert list(expected) == [row.name for row in BROKEN]


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.name)
def test_what_the_onnx_checker_rejects_is_an_error(write, expected, row):
    rejected = rejection(write(row))
    has_errors = any(line.startswith("error: ") for line in expected[row.name])
    assert has_errors or not rejected or row.accepted, rejected
    assert not row.accepted or not has_errors, "the reason is not needed"


def check_good_models(quern, paths):
    """Good models have no errors, except those that onnx.checker rejects."""
    results, wrong = [], []
    for first in range(0, len(paths), 200):  # a command line has its limit
        results += json.loads(quern("check", "--json", "-", *paths[first:first + 200], timeout=500).stdout)
    for result in results:
        rejected = rejection(result["model"])
        exception = next((name for name in WRONGLY_REJECTED if name in result["model"]), None)
        if bool(rejected) != (result["errors"] > 0) and not (rejected and exception):
            wrong.append((result["model"], rejected, [f for f in result["findings"] if f["severity"] == "error"]))
    assert not wrong


def test_published_models_have_no_errors_that_onnx_does_not_see(quern, data):
    paths = sorted(data("models").rglob("*.onnx"))
    assert len(paths) > 15
    check_good_models(quern, paths)


def test_cases_of_onnx_have_no_errors(quern, data, tmp_path):
    paths = []
    with tarfile.open(data("onnx-backend-tests.tar.xz")) as archive:
        members = [member for member in archive if member.name.endswith("/model.onnx")]
        for number, member in enumerate(members[::9]):
            paths.append(tmp_path / f"{number}-{member.name.split('/')[-2]}.onnx")
            paths[-1].write_bytes(archive.extractfile(member).read())
    assert len(paths) > 300
    check_good_models(quern, paths)
