# SPDX-License-Identifier: Apache-2.0
"""quern check: exit status, options, JSON, and what compiling a model finds.  What it says of broken models: ../check."""
import json
import re

import pytest

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def vector(make_model):
    """vector(nodes, ...): a model on float[2] x and y."""
    from onnx import TensorProto, helper

    def make(*nodes, size=2, **options):
        return make_model([helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
                          [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
                          [helper.make_tensor_value_info("y", TensorProto.FLOAT, [size])], **options)
    return make


@pytest.fixture(scope="module")
def good(vector):
    return vector(("Relu", ["x"], ["y"]), name="good")


@pytest.fixture(scope="module")
def odd(vector):
    """One warning: a node for nobody."""
    return vector(("Relu", ["x"], ["y"]), ("Neg", ["x"], ["z"]), name="odd")


@pytest.fixture(scope="module")
def bad(vector):
    """Two errors, one of which keeps it from running."""
    return vector(("Relo", ["x"], ["a"]), ("Relu", ["x"], ["y"]), name="bad", size=3)


def check_json(quern, *arguments):
    done = quern("check", *arguments, "--json", "-")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def test_the_exit_status_is_that_of_the_worst_model(quern, good, odd, bad, tmp_path):
    assert quern("check", good).returncode == 0
    assert quern("check", odd).returncode == 0
    assert quern("check", odd, "--strict").returncode == 1
    assert quern("check", good, bad, odd).returncode == 1
    assert quern("check", good, tmp_path / "missing.onnx").returncode == 1
    for wrong in ([], ["--no-such-option", good], ["--json"]):
        done = quern("check", *wrong)
        assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("quern check: ")


def test_text_is_one_line_for_each_finding_and_one_for_each_model(quern, good, bad):
    lines = quern("check", good, bad).stdout.splitlines()
    assert lines == [
        f"{good}: passed: 0 errors, 0 warnings, 0 notes",
        f"{bad}: error: Relo node making 'a': operator Relo of ai.onnx version 17 is not known; did you mean Relu? "
        "[onnx-unknown-operator]",
        f"{bad}: warning: Relo node making 'a': nothing that it makes leads to an output; take it out [onnx-unused-node]",
        f"{bad}: error: output 'y': float[3], expected float[2]; correct what is declared; quern goes by what it infers "
        "[declared-type]",
        f"{bad}: FAILED: 2 errors, 1 warnings, 0 notes",
    ]


def test_a_file_that_cannot_be_read_is_said_once(quern, tmp_path):
    missing, text, folder = tmp_path / "missing.onnx", tmp_path / "text.onnx", tmp_path / "folder.onnx"
    text.write_text("not a model")
    folder.mkdir()
    for path, sentence in ((missing, "No such file or directory"), (text, "this is text"), (folder, "is a folder")):
        done = quern("check", path)
        assert done.returncode == 1 and len(done.stdout.splitlines()) == 2 and sentence in done.stdout


def test_json_has_each_model_and_each_field(quern, good, bad, tmp_path):
    code, results = check_json(quern, good, bad)
    assert code == 1 and [result["model"] for result in results] == [str(good), str(bad)]
    assert results[0] == {"model": str(good), "passed": True, "runs": True, "error": "", "errors": 0, "warnings": 0,
                          "notes": 0, "findings": []}
    assert (results[1]["passed"], results[1]["runs"], results[1]["errors"]) == (False, False, 2)
    assert results[1]["findings"][0] == {
        "severity": "error", "runs": False, "rule": "onnx-unknown-operator", "file": str(bad),
        "node": "Relo node making 'a'", "field": "", "found": "operator Relo of ai.onnx version 17 is not known",
        "expected": "", "remedy": "did you mean Relu?"}
    assert results[1]["findings"][-1] == {
        "severity": "error", "runs": True, "rule": "declared-type", "file": str(bad), "node": "output 'y'", "field": "",
        "found": "float[3]", "expected": "float[2]",
        "remedy": "correct what is declared; quern goes by what it infers"}
    saved = tmp_path / "findings.json"
    assert quern("check", good, bad, "--json", saved).stdout == "" and json.loads(saved.read_text()) == results


def test_what_breaks_a_rule_and_runs_is_said_to_run(quern, vector):
    model = vector(("Relu", ["x"], ["y"]), size=3)
    assert quern("check", model).stdout.endswith("1 errors, 0 warnings, 0 notes; quern runs it all the same\n")
    code, (result,) = check_json(quern, model)
    assert code == 1 and not result["passed"] and result["runs"]


def test_steps_of_the_reference_have_their_cost(quern, make_model):
    from onnx import TensorProto, helper

    model = make_model([helper.make_node("Cast", ["x"], ["y"], name="cast", to=TensorProto.STRING)],
                       [helper.make_tensor_value_info("x", TensorProto.FLOAT, [64])],
                       [helper.make_tensor_value_info("y", TensorProto.STRING, [64])], name="cast")
    code, (result,) = check_json(quern, model)
    assert code == 0 and result["errors"] == result["warnings"] == 0
    finding, = result["findings"]
    assert (finding["severity"], finding["rule"], finding["node"]) == ("note", "reference-step", "node 'cast'")
    assert "Cast is computed by the reference, about " in finding["found"] and " us" in finding["found"]
    assert check_json(quern, model, "--no-plan") == (0, [{**result, "notes": 0, "findings": []}])


def test_external_data_is_looked_for_in_the_given_folder(quern, make_model, tmp_path):
    import onnx
    from onnx import TensorProto, helper

    weights = helper.make_tensor("w", TensorProto.FLOAT, [2], bytes(8), raw=True)
    path = make_model([helper.make_node("Add", ["x", "w"], ["y"])],
                      [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
                      [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])], [weights], name="external")
    onnx.save(onnx.load(path), tmp_path / "m.onnx", save_as_external_data=True, location="w.bin", size_threshold=0)
    assert quern("check", tmp_path / "m.onnx").returncode == 0
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "w.bin").rename(tmp_path / "elsewhere/w.bin")
    assert "there is no file 'w.bin'" in quern("check", tmp_path / "m.onnx").stdout
    assert quern("check", tmp_path / "m.onnx", "--folder", tmp_path / "elsewhere").returncode == 0


def test_a_model_of_many_findings_is_looked_through_in_bounded_time(quern, vector):
    model = vector(*[("Relo", ["x"], [f"a{i}"]) for i in range(5000)], ("Relu", ["x"], ["y"]), name="many")
    code, (result,) = check_json(quern, model)
    assert code == 1 and result["errors"] == result["warnings"] == 1000


def test_many_warnings_hide_no_error(quern, vector):
    model = vector(*[("Neg", ["x"], [f"a{i}"]) for i in range(3000)], ("Relu", ["x"], ["y"]), name="unused", size=3)
    code, (result,) = check_json(quern, model)
    assert code == 1 and result["errors"] == 1 and result["warnings"] == 1000


def test_every_rule_is_documented(root):
    page = (root / "docs/check.md").read_text(encoding="utf-8")
    rules = set()
    for path in [*(root / "engine/formats/onnx").glob("*.c"), root / "engine/api/check.c", root / "engine/ops/infer.c",
                 root / "engine/ops/ops.c", root / "engine/plan/plan.c"]:
        rules.update(re.findall(r'"(onnx-[a-z]+(?:-[a-z]+)+|onnx-[a-z]+)"', path.read_text(encoding="utf-8")))
        rules.update(re.findall(r'\.rule = "([a-z-]+)"', path.read_text(encoding="utf-8")))
    assert len(rules) > 60 and [rule for rule in sorted(rules) if f"`{rule}`" not in page] == []
