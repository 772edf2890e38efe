# SPDX-License-Identifier: Apache-2.0
"""quern test: case folders are found, judged and counted."""
import json
import zipfile

import pytest

np = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


def save_tensor(path, array):
    path.write_bytes(numpy_helper.from_array(np.asarray(array, np.float32)).SerializeToString())


@pytest.fixture()
def cases(relu, tmp_path):
    """Two cases of y = max(x, 0), one of which expects what is not so."""
    for name, want in (("test_right", [[0, 2, 0]]), ("test_wrong", [[0, 2, 1]])):
        data = tmp_path / name / "test_data_set_0"
        data.mkdir(parents=True)
        (tmp_path / name / "model.onnx").write_bytes(relu.read_bytes())
        save_tensor(data / "input_0.pb", [[-1, 2, -3]])
        save_tensor(data / "output_0.pb", want)
    return tmp_path


def test_cases_are_counted_and_failures_named(quern, cases):
    done = quern("test", cases)
    assert done.returncode == 1 and done.stdout.endswith("1 passed, 1 failed, 0 skipped\n")
    assert "test_wrong: output 'y': element 2 is 0, expected 1; 1 of 3 differ" in done.stdout
    assert quern("test", cases / "test_right").stdout == "1 passed, 0 failed, 0 skipped\n"


def test_an_archive_is_a_case_with_its_own_bounds(quern, cases):
    folder = cases / "test_right"
    (folder / "data.json").write_text(json.dumps({"rtol": 1e-6, "atol": 0}))
    save_tensor(folder / "test_data_set_0/output_0.pb", [[0, 2.0001, 0]])
    for path, names in (("near.zip", ["data.json"]), ("usual.zip", [])):
        with zipfile.ZipFile(cases / path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ["model.onnx", "test_data_set_0/input_0.pb", "test_data_set_0/output_0.pb", *names]:
                archive.write(folder / name, name)
    assert quern("test", cases / "usual.zip").stdout == "1 passed, 0 failed, 0 skipped\n"
    assert "near.zip: output 'y': element 1 is 2, expected 2.0000999" in quern("test", cases / "near.zip").stdout
    (cases / "broken.zip").write_bytes((cases / "near.zip").read_bytes()[:-30])
    assert "broken.zip: this is no archive: no zip directory at its end" in quern("test", cases / "broken.zip").stdout


def test_json_has_a_row_for_each_case(quern, cases):
    got = json.loads(quern("test", cases, "--json", "-").stdout)
    assert (got["passed"], got["failed"], got["skipped"]) == (1, 1, 0)
    assert [(row["name"], row["result"]) for row in got["cases"]] == [("test_right", "passed"), ("test_wrong", "failed")]
    assert "expected 1" in got["cases"][1]["why"]


@pytest.mark.parametrize("rtol, passes", [(1e-3, True), (1e-6, False)])
def test_real_folders_name_a_light_model_and_its_bounds(quern, make_model, tmp_path, rtol, passes):
    model = make_model([helper.make_node("Neg", ["x"], ["y"])],
                       [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
                       [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])], name="light")
    (tmp_path / "light").mkdir()
    (tmp_path / "real/test_neg").mkdir(parents=True)
    (tmp_path / "light/light_neg.onnx").write_bytes(model.read_bytes())
    save_tensor(tmp_path / "light/light_neg_output_0.pb", [-np.arange(4, dtype=np.float32) / 4 * 1.0001])
    (tmp_path / "real/test_neg/data.json").write_text(json.dumps({"model_name": "neg", "rtol": rtol, "atol": 0}))
    done = quern("test", tmp_path / "real")
    assert (done.returncode == 0) == passes, done.stdout


def test_wrong_usage_is_one_sentence(quern, tmp_path):
    for code, arguments, message in ((2, [], "which folders? expected DIR"), (1, [tmp_path], "there is no case in it"),
                                     (2, ["--jsn", "x"], "there is no option --jsn; did you mean --json?")):
        done = quern("test", *arguments)
        assert done.returncode == code and message in done.stderr and done.stderr.count("\n") == 1
