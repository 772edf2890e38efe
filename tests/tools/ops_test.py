# SPDX-License-Identifier: Apache-2.0
"""quern ops and quern check: tables of what is supported, and of what is wrong."""
import json

import pytest


def test_operators_have_versions_and_signatures(quern):
    rows = json.loads(quern("ops", "--json", "-").stdout)
    names = [(row["domain"], row["name"]) for row in rows]
    assert names == sorted(names) and len(set(names)) == len(names)
    relu = next(row for row in rows if row["name"] == "Relu")
    assert relu["domain"] == "ai.onnx" and relu["since"] >= 14 and "elementwise" in relu["traits"]


def test_names_pick_rows(quern):
    assert quern("ops", "Conv", "Relu").stdout.strip().endswith("2 operators")
    done = quern("ops", "Convv")
    assert done.returncode == 1 and "there is no operator 'Convv'" in done.stderr


def test_markdown_is_a_table(quern):
    lines = quern("ops", "--markdown").stdout.splitlines()
    rows = [line for line in lines if line.startswith("| ai.onnx | ")]
    assert lines[0] == "# Operators" and len(rows) > 50 and all(row.count("|") >= 7 for row in rows)


def test_a_good_model_passes(quern, root):
    done = quern("check", root / "examples/digits/digits.onnx")
    assert done.returncode == 0 and "passed: 0 errors" in done.stdout


def test_findings_name_rule_and_node(quern, make_model):
    pytest.importorskip("onnx")
    from onnx import TensorProto, helper
    info = helper.make_tensor_value_info
    model = make_model([helper.make_node("Relu", ["x"], ["a"], alpha=1.0, name="first"),
                        helper.make_node("Nonsense", ["a"], ["y"], name="second")],
                       [info("x", TensorProto.FLOAT, [2])], [info("y", TensorProto.FLOAT, [2])], name="wrong")
    done = quern("check", model, "--json", "-")
    assert done.returncode == 1
    got = json.loads(done.stdout)[0]
    assert not got["passed"] and not got["runs"] and got["errors"] == 2
    nodes = " ".join(finding["node"] for finding in got["findings"])
    assert "first" in nodes and "second" in nodes
    text = quern("check", model)
    assert text.returncode == 1 and "FAILED: " in text.stdout and not text.stderr


def test_no_file_is_an_error_of_that_model(quern, root):
    done = quern("check", "/nowhere.onnx", root / "examples/digits/digits.onnx")
    assert done.returncode == 1
    assert "/nowhere.onnx: FAILED: 1 errors" in done.stdout and "passed: 0 errors" in done.stdout


def test_commands_are_found_by_name(quern):
    done = quern("inspct")
    assert done.returncode == 2 and "did you mean inspect?" in done.stderr
    for command in ("bench", "build", "check", "compare", "inspect", "ops", "run", "test"):
        text = quern(command, "--help").stdout
        assert text.startswith(f"usage: quern {command} ") and "examples:" in text
        assert text.count("\n") <= 40 and max(map(len, text.splitlines())) <= 100
