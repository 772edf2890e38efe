# SPDX-License-Identifier: Apache-2.0
"""quern test: case folders are found, judged and counted."""
import json
import os
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


SKIPPED = "newest/node/test_bernoulli"  # a row of tools/test_table.h that skips


@pytest.mark.parametrize("expected, verdict", [
    ([[0, 2, 1]], "1 skipped"),  # other elements are what the row forgives
    ([[0, 2, 0]], "test_bernoulli: is to be skipped, but passes"),
    ([0, 2, 0], "is float[1,3], expected float[3]"),
    (b"\x08\x03\x08\x01\x10\x01", "output_0.pb: "),
    (b"", "output_0.pb: "),
    (None, "there is no such file"),
])
def test_a_skip_forgives_other_elements_and_nothing_else(quern, cases, tmp_path, expected, verdict):
    folder = tmp_path / SKIPPED
    folder.parent.mkdir(parents=True)
    (cases / "test_right").rename(folder)
    output = folder / "test_data_set_0/output_0.pb"
    output.unlink()
    if isinstance(expected, bytes):
        output.write_bytes(expected)
    elif expected is not None:
        save_tensor(output, expected)
    done = quern("test", folder)
    assert verdict in done.stdout
    assert done.returncode == (0 if verdict == "1 skipped" else 1)


@pytest.mark.parametrize("damage", [lambda data: data[:-2], lambda data: data[:4] + b"\xff" * 8 + data[4:], lambda data: b""])
def test_a_damaged_expected_file_fails(quern, cases, damage):
    output = cases / "test_right/test_data_set_0/output_0.pb"
    output.write_bytes(damage(output.read_bytes()))
    done = quern("test", cases / "test_right")
    assert done.returncode == 1 and "FAILED" in done.stdout and "test_data_set_0/output_0.pb: " in done.stdout
    assert done.stdout.endswith("0 passed, 1 failed, 0 skipped\n")


def test_an_output_too_many_fails(quern, cases):
    save_tensor(cases / "test_right/test_data_set_0/output_1.pb", [1])
    assert "output_1.pb: the model has 1 outputs" in quern("test", cases / "test_right").stdout


def test_a_light_model_is_a_case_unless_a_real_one_names_it(quern, make_model, tmp_path):
    test_real_folders_name_a_light_model_and_its_bounds(quern, make_model, tmp_path, 1e-3, True)
    assert quern("test", tmp_path, "--rtol", 1e-6).stdout == "1 passed, 0 failed, 0 skipped\n"
    assert quern("test", tmp_path / "light", "--rtol", 1e-6).stdout.endswith("0 passed, 1 failed, 0 skipped\n")
    assert quern("test", tmp_path / "light", "--rtol", 1e-3).stdout == "1 passed, 0 failed, 0 skipped\n"


def test_operators_that_are_not_there_fail(quern, make_model, tmp_path):
    model = make_model([helper.make_node("NoSuch", ["x"], ["y"], domain="com.nobody")],
                       [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
                       [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
    (tmp_path / "test_no/test_data_set_0").mkdir(parents=True)
    (tmp_path / "test_no/model.onnx").write_bytes(model.read_bytes())
    done = quern("test", tmp_path)
    assert done.returncode == 1 and "operator NoSuch of com.nobody" in done.stdout


MAGIC = {"jpeg": b"\xff\xd8\xff", "jpeg2000": b"\xff\x4f\xff\x51", "png": b"\x89PNG\r\n\x1a\n", "tiff": b"II*\0",
         "webp": b"RIFF\0\0\0\0WEBP"}
LIBRARIES = {"jpeg": "libjpeg", "jpeg2000": "libopenjp2", "png": "libpng16", "tiff": "libtiff", "webp": "libwebp"}


@pytest.mark.parametrize("name", MAGIC)
def test_without_its_library_a_picture_is_skipped(quern, make_model, tmp_path, name):
    """Where the library is there, these bytes are a damaged picture, which has no pixels."""
    folder = tmp_path / "test_picture"
    (folder / "test_data_set_0").mkdir(parents=True)
    model = make_model([helper.make_node("ImageDecoder", ["x"], ["y"])],
                       [helper.make_tensor_value_info("x", TensorProto.UINT8, [None])],
                       [helper.make_tensor_value_info("y", TensorProto.UINT8, [None, None, 3])])
    (folder / "model.onnx").write_bytes(model.read_bytes())
    for file, array in (("input_0", np.frombuffer(MAGIC[name] + bytes(8), np.uint8)),
                        ("output_0", np.zeros((0, 0, 3), np.uint8))):
        (folder / f"test_data_set_0/{file}.pb").write_bytes(numpy_helper.from_array(array).SerializeToString())
    is_built = f"{name} (absent" not in quern("--version").stdout
    here = quern("test", folder)
    assert here.stdout.endswith("1 passed, 0 failed, 0 skipped\n" if is_built else "0 passed, 0 failed, 1 skipped\n"), here
    # Files of that name, whatever its version, that are no libraries: the machine lacks it.
    for version in range(100):
        (tmp_path / f"{LIBRARIES[name]}.so.{version}").write_text("no library")
    there = quern("test", folder, env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)})
    assert there.returncode == 0 and there.stdout.endswith("0 passed, 0 failed, 1 skipped\n"), there
    assert (f"{LIBRARIES[name]}.so" if is_built else f"no {name} pictures: it lacks ") in there.stdout


def test_the_table_accepts_another_reading(quern, make_model, tmp_path):
    """Corners at whole lengths are as right as corners at fractional ones; what else the data may be is told apart."""
    folder = tmp_path / "newest/node/test_resize_downsample_scales_linear_align_corners"
    (folder / "test_data_set_0").mkdir(parents=True)
    model = make_model([helper.make_node("Identity", ["x"], ["y"])],
                       [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 1, 2])],
                       [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 2])])
    (folder / "model.onnx").write_bytes(model.read_bytes())
    save_tensor(folder / "test_data_set_0/output_0.pb", [[[[1, 3.142857]]]])
    for row, passes in (([1, 3.142857], True), ([1, 4], True), ([1, 4.1], False)):
        save_tensor(folder / "test_data_set_0/input_0.pb", [[[row]]])
        assert (quern("test", folder).returncode == 0) == passes, row


def test_what_the_standard_leaves_open_is_not_compared(quern, make_model, tmp_path):
    """The eighth element is a NaN that became a float4: releases differ there, and nowhere else."""
    folder = tmp_path / "by-opset/opset23/node/test_cast_FLOAT_to_FLOAT4E2M1"
    (folder / "test_data_set_0").mkdir(parents=True)
    model = make_model([helper.make_node("Identity", ["x"], ["y"])],
                       [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3, 5])],
                       [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, 5])])
    (folder / "model.onnx").write_bytes(model.read_bytes())
    x = np.arange(15, dtype=np.float32).reshape(3, 5)
    save_tensor(folder / "test_data_set_0/input_0.pb", x)
    for place, passes in ((8, True), (7, False)):
        save_tensor(folder / "test_data_set_0/output_0.pb", np.where(np.arange(15).reshape(3, 5) == place, -1, x))
        assert (quern("test", folder).returncode == 0) == passes, place


def test_the_table_skips_few_cases(root):
    """Each by its exact name, with a reason."""
    rows = [line for line in (root / "tools/test_table.h").read_text().splitlines() if line.startswith('    {"')]
    names = [row.split('"')[1] for row in rows]
    assert len(set(names)) == len(names) and all(name.count("/") >= 2 for name in names)
    assert sum(".skip = " in row for row in rows) <= 45
    assert all(".skip = " in row or ".reason = " in row for row in rows)


@pytest.mark.parametrize("level", ["none", "avx2", "avx512"])
def test_levels_of_the_processor_can_be_masked(quern, cases, level):
    assert quern("test", cases / "test_right", "--cpu", level).stdout == "1 passed, 0 failed, 0 skipped\n"
    wrong = quern("test", cases / "test_right", "--cpu", "mmx")
    assert wrong.returncode == 1 and "mmx" in wrong.stdout


def test_wrong_usage_is_one_sentence(quern, tmp_path):
    for code, arguments, message in ((2, [], "which folders? expected DIR"), (1, [tmp_path], "there is no case in it"),
                                     (2, ["--jsn", "x"], "there is no option --jsn; did you mean --json?")):
        done = quern("test", *arguments)
        assert done.returncode == code and message in done.stderr and done.stderr.count("\n") == 1
