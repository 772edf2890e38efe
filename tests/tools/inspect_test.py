# SPDX-License-Identifier: Apache-2.0
"""quern inspect: what it says of a model we know."""
import json

import pytest

pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def digits(root):
    return root / "examples/digits/digits.onnx"


def inspect(quern, *arguments):
    done = quern("inspect", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_inputs_outputs_and_operators(quern, digits):
    got = inspect(quern, digits)
    assert got["inputs"] == [{"name": "image", "type": "float[n,1,28,28]", "optional": False, "element": "float",
                              "shape": ["n", 1, 28, 28]}]
    assert got["outputs"][0]["name"] == "probabilities"
    assert got["operators"]["Conv"] == 2 and got["node_count"] == sum(got["operators"].values())
    assert got["opset"] == 17 and got["metadata"]["producer_name"] and got["parameter_count"] > 26000
    assert "nodes" not in got and "plan" not in got


def test_nodes_have_shapes_and_attributes(quern, digits):
    node = inspect(quern, digits, "--nodes")["nodes"][0]
    assert node["op"] == node["source_op"] == "Conv" and node["attributes"] == {"pads": "[2, 2, 2, 2]"}
    assert node["inputs"][1] == {"name": "conv0.weight", "type": "float[8,1,5,5]", "constant": True}
    assert node["outputs"][0]["type"] == "float[n,8,28,28]"


def test_nodes_inside_graphs_know_their_parent(quern, make_model):
    from onnx import TensorProto, helper
    def branch(name, op):
        return helper.make_graph([helper.make_node(op, ["x"], [name])], name, [],
                                 [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])])
    model = make_model(
        [helper.make_node("If", ["c"], ["y"], then_branch=branch("a", "Relu"), else_branch=branch("b", "Neg"))],
        [helper.make_tensor_value_info("c", TensorProto.BOOL, []), helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])], name="branches")
    nodes = inspect(quern, model, "--nodes")["nodes"]
    assert [(n["op"], n["parent"]) for n in nodes] == [("If", -1), ("Neg", 0), ("Relu", 0)] or \
           [(n["op"], n["parent"]) for n in nodes] == [("If", -1), ("Relu", 0), ("Neg", 0)]
    kinds = {step["kind"] for step in inspect(quern, model, "--plan")["plan"]["steps"]}
    assert "jump-if-not" in kinds


def test_a_plan_has_steps_over_values(quern, digits):
    plan = inspect(quern, digits, "--plan")["plan"]
    for step in plan["steps"]:
        assert step["tier"] in ("-", "reference", "portable", "tuned")
        assert all(-1 <= v < len(plan["values"]) for v in step["inputs"] + step["outputs"])
    assert any(step["op"] == "Conv" and step["kernel"] for step in plan["steps"])
    assert {value["storage"] for value in plan["values"]} >= {"input", "slab"}
    assert plan["weight_bytes"] > 0


def test_text_says_the_same(quern, digits):
    text = quern("inspect", digits, "--nodes", "--plan").stdout
    for part in ("opset 17", "image: float[n,1,28,28]", "Conv 2", "pads = [2, 2, 2, 2]", "plan: "):
        assert part in text


@pytest.mark.parametrize("arguments, code, message", [
    ([], 2, "0 models are given, expected one MODEL"),
    (["/nowhere.onnx"], 1, "/nowhere.onnx: No such file or directory"),
    (["--plans", "x"], 2, "there is no option --plans; did you mean --plan?"),
])
def test_wrong_usage_is_one_sentence(quern, arguments, code, message):
    done = quern("inspect", *arguments)
    assert done.returncode == code and message in done.stderr and done.stderr.count("\n") == 1
