# SPDX-License-Identifier: Apache-2.0
"""quern build: a plan file stands for its model."""
import json

import pytest

np = pytest.importorskip("numpy")


@pytest.fixture(scope="module")
def digits(root):
    return root / "examples/digits/digits.onnx"


@pytest.fixture(scope="module")
def plan(quern, digits, tmp_path_factory):
    path = tmp_path_factory.mktemp("plan") / "digits.plan"
    done = quern("build", digits, "-o", path)
    assert done.returncode == 0 and f"{path}: " in done.stdout, done.stderr
    return path


def test_a_plan_gives_the_same_bits(quern, digits, plan, tmp_path):
    for name, file in (("model", digits), ("plan", plan)):
        done = quern("run", file, "--random=3", "--shape", "n=2", "--output-dir", tmp_path / name)
        assert done.returncode == 0, done.stderr
    a, b = (np.load(tmp_path / name / "probabilities.npy") for name in ("model", "plan"))
    assert a.shape == (2, 10) and (a == b).all()


def test_equal_models_give_equal_files(quern, digits, plan, tmp_path):
    assert quern("build", digits, "-o", tmp_path / "again.plan").returncode == 0
    assert (tmp_path / "again.plan").read_bytes() == plan.read_bytes()


def test_bench_and_inspect_take_plans(quern, plan):
    assert quern("bench", plan, "--batch", 1, "--runs", 3).returncode == 0
    got = json.loads(quern("inspect", plan, "--plan", "--json", "-").stdout)
    assert got["inputs"][0]["name"] == "image" and got["plan"]["steps"]


def test_json_counts_steps_and_bytes(quern, digits, tmp_path):
    done = quern("build", digits, "-o", tmp_path / "d.plan", "--json", "-")
    got = json.loads(done.stdout)
    assert got["steps"] > 0 and got["made_ms"] > 0 and got["file_bytes"] == (tmp_path / "d.plan").stat().st_size


def test_other_options_say_what_differs(quern, plan):
    done = quern("run", plan, "--random", "--strict")
    assert done.returncode == 1 and "build it again from the model" in done.stderr


def test_a_damaged_plan_is_refused(quern, plan, tmp_path):
    data = bytearray(plan.read_bytes())
    data[4096] ^= 1
    (tmp_path / "bad.plan").write_bytes(data)
    done = quern("run", tmp_path / "bad.plan", "--random")
    assert done.returncode == 1 and "bad.plan: " in done.stderr and done.stderr.count("\n") == 1


def test_wrong_usage_is_one_sentence(quern, digits, plan):
    for arguments, message in (([digits], "where to? expected -o PLAN"), ([], "0 models are given, expected one MODEL"),
                               ([plan, "-o", "x"], "is a plan already, expected a model")):
        done = quern("build", *arguments)
        assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1
