# SPDX-License-Identifier: Apache-2.0
"""quern compare: equal is equal, different is found and named."""
import json
import os

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def digits(root):
    return root / "examples/digits/digits.onnx"


@pytest.fixture()
def golden(quern, digits, tmp_path):
    """A folder with the outputs of digits for seed 5."""
    assert quern("run", digits, "--random=5", "--output-dir", tmp_path).returncode == 0
    return tmp_path


def compare(quern, *arguments, code=0, **options):
    done = quern("compare", *arguments, "--json", "-", **options)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def test_a_model_equals_itself_without_passes(quern, digits):
    got = compare(quern, digits, "--layers", "--keep-all", "--shape", "n=2")
    assert got["passed"] and got["first_different"] == ""
    assert {"conv0", "relu1", "gemm9", "probabilities"} <= {row["name"] for row in got["tensors"]}
    assert [row["kind"] for row in got["tensors"]].count("output") == 1


def test_another_level_of_the_cpu_is_near(quern, digits):
    got = compare(quern, digits, "--cpu", "none")
    row = got["tensors"][0]
    assert row["max_abs"] < 1e-5 and row["cosine"] > 0.999999 and row["count"] == 10


def test_golden_files_agree_and_disagree(quern, digits, golden):
    assert compare(quern, digits, "--golden", golden, "--random=5")["passed"]
    y = np.load(golden / "probabilities.npy")
    y[0, 3] += 0.5
    np.save(golden / "probabilities.npy", y)
    got = compare(quern, digits, "--golden", golden, "--random=5", "--bisect", code=1)
    row = got["tensors"][0]
    assert not row["passed"] and row["max_abs"] == pytest.approx(0.5, rel=1e-5)
    assert "1 of 10 differ" in row["why"] and got["first_different"] == "probabilities"
    assert got["bisect"]["pass"] is None and "every pass left out" in got["bisect"]["sentence"]


def test_tolerances_go_by_name(quern, digits, golden):
    y = np.load(golden / "probabilities.npy")
    y[0, 3] += 0.01
    np.save(golden / "probabilities.npy", y)
    arguments = [digits, "--golden", golden, "--random=5", "--tolerance"]
    assert compare(quern, *arguments, "probabilities=0,0.02")["passed"]
    assert not compare(quern, *arguments, "probabilities=0,0.005", code=1)["passed"]
    assert not compare(quern, *arguments, "other=0,0.02", code=1)["passed"]


def test_metrics_are_what_numpy_says(quern, digits, golden):
    y = np.load(golden / "probabilities.npy").astype(np.float64)
    want = (y * 1.25 + 0.001).astype(np.float32)
    np.save(golden / "probabilities.npy", want)
    row = compare(quern, digits, "--golden", golden, "--random=5", code=1)["tensors"][0]
    error, r = y - want, want.astype(np.float64)
    rmse = np.sqrt((error ** 2).mean())
    assert row["rmse"] == pytest.approx(rmse) and row["mean_abs"] == pytest.approx(abs(error).mean())
    assert row["cosine"] == pytest.approx((r * y).sum() / np.linalg.norm(r) / np.linalg.norm(y))
    assert row["psnr_db"] == pytest.approx(20 * np.log10(abs(r).max() / rmse))
    assert row["sqnr_db"] == pytest.approx(10 * np.log10((r ** 2).sum() / (error ** 2).sum()))


def test_another_model_is_paired_by_place(quern, make_model):
    from onnx import TensorProto, helper
    def model(op, output):
        return make_model([helper.make_node(op, ["x"], [output])],
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [8])],
                          [helper.make_tensor_value_info(output, TensorProto.FLOAT, [8])], name="pair")
    assert compare(quern, model("Relu", "a"), model("Relu", "b"))["passed"]
    assert not compare(quern, model("Neg", "a"), model("Relu", "b"), code=1)["passed"]


def test_bisect_finds_nothing_where_all_agrees(quern, digits):
    assert "nothing to find" in compare(quern, digits, "--bisect")["bisect"]["sentence"]


def test_the_text_names_the_first(quern, digits, golden):
    np.save(golden / "probabilities.npy", np.zeros((1, 10), np.float32))
    done = quern("compare", digits, "--golden", golden, "--random=5")
    assert done.returncode == 1
    assert "DIFFERENT output  probabilities" in done.stdout
    assert done.stdout.endswith("1 of 1 tensors differ, the first is probabilities\n")


@pytest.mark.parametrize("arguments, code, message", [
    (["--golden", "a", "--cpu", "none"], 2, "2 references are given, expected one of OTHER, --golden"),
    (["--without", "nonsense"], 2, "there is no pass 'nonsense'"),
    (["--golden", "/nowhere"], 1, "/nowhere/probabilities.npy: there is no such file"),
    (["--golden", ".", "--tolerance", "probabilities=1"], 2, "--tolerance is 'probabilities=1', expected NAME=RTOL,ATOL"),
])
def test_wrong_usage_is_one_sentence(quern, digits, arguments, code, message):
    done = quern("compare", digits, "--shape", "n=1", *arguments)
    assert done.returncode == code and message in done.stderr and done.stderr.count("\n") == 1


def test_the_environment_may_name_a_level_too(quern, digits):
    assert compare(quern, digits, "--cpu", "none", env={**os.environ, "QN_CPU": "none"})["tensors"][0]["max_abs"] == 0
