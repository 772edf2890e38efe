# SPDX-License-Identifier: Apache-2.0
"""Every operator in every type that its newest schema allows, against ONNX Runtime, onnx.reference or NumPy."""
import subprocess
import sys

import elements
import numpy as np
import pytest
import quern
import typed_models
import verdicts
from exceptions import COARSE, EXCEPTIONS
from onnx import AttributeProto, defs, helper, numpy_helper
from recipe import RECIPES

ELSEWHERE = {"Gradient"}  # computes nothing itself: it differentiates the nodes before it
MISSING = "expected one that `quern ops` lists"


def test_every_operator_has_a_recipe():
    assert sorted(set(typed_models.SCHEMAS) - set(RECIPES)) == sorted(ELSEWHERE)
    assert set(RECIPES) <= set(typed_models.SCHEMAS)


def test_every_type_of_every_schema_is_tried():
    """A recipe may leave choices out, but another one of the operator then has to try them."""
    untried = []
    for name in sorted(set(typed_models.SCHEMAS) - ELSEWHERE):
        tried = {(variable, text) for case in typed_models.cases_of(name) for variable, text in case.types.items()}
        untried += [
            f"{name} {variable}={text}" for variable, texts in typed_models.variables(typed_models.SCHEMAS[name]).items()
            for text in texts if (variable, text) not in tried
        ]
    assert not untried, "\n".join(untried)


def test_schema_table_is_what_onnx_says(root):
    """The table that the reader validates by is the one that this version of onnx gives."""
    made = subprocess.run([sys.executable, root / "scripts/make-schema-table"],
                          capture_output=True,
                          text=True,
                          check=True)
    assert made.stdout == (root / "engine/formats/onnx/schema_table.h").read_text()


def sentence_for(case):
    """What is wrong with a case, or None: a difference that should not be, or the lack of one that is recorded."""
    found = verdicts.judge(case, 2.0**-22 if case.name in COARSE else None)
    if case.name in EXCEPTIONS or case.name in COARSE and not found:
        is_gone = found is None if case.name in EXCEPTIONS else verdicts.judge(case) is None
        return f"{case.name}: differs no longer; take it out of exceptions.py" if is_gone else None
    return found and f"{case.name}: {found}"


@pytest.mark.parametrize("operator", sorted(set(typed_models.SCHEMAS) - ELSEWHERE))
def test_types(operator):
    wrong = [sentence for case in typed_models.cases_of(operator) if (sentence := sentence_for(case))]
    if wrong and all(MISSING in sentence for sentence in wrong):
        pytest.skip(f"there is no operator {operator}")
    assert not wrong, f"{len(wrong)} cases differ:\n" + "\n".join(wrong)


def test_exceptions_are_of_cases_that_exist():
    names = {case.name for name in sorted(set(typed_models.SCHEMAS) - ELSEWHERE) for case in typed_models.cases_of(name)}
    assert not {*COARSE, *EXCEPTIONS} - names


# ---- sparse tensors ----

DENSE_SHAPE = (2, 4)
PLACES = [(0, 1), (1, 0), (1, 3)]


def element_types():
    return [
        elements.element_of(text) for text in defs.get_schema("Identity", 25).type_constraints[0].allowed_type_strs
        if text.startswith("tensor")
    ]


def sparse(element, by_coordinates):
    """A sparse tensor of three values, and the array that it means."""
    values = elements.draw(element, (3, ), np.random.default_rng(3))
    dense = np.full(DENSE_SHAPE, "", object) if element == "string" else np.zeros(DENSE_SHAPE).astype(
        elements.dtype_of(element))
    if element == "float8e8m0":  # which has no zero: all bits 0 are 2^-127
        dense = np.zeros(DENSE_SHAPE, np.uint8).view(elements.dtype_of(element))
    for place, value in zip(PLACES, values):
        dense[place] = value
    indices = PLACES if by_coordinates else [row * DENSE_SHAPE[1] + column for row, column in PLACES]
    proto = helper.make_sparse_tensor(typed_models.tensor_proto(values, f"tensor({element})", "s"),
                                      numpy_helper.from_array(np.array(indices, np.int64), "indices"), DENSE_SHAPE)
    return proto, dense


def run(nodes, element, **named):
    graph = helper.make_graph(nodes, "g", [], [helper.make_value_info("y", elements.type_proto(f"tensor({element})"))],
                              **named)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 28)], ir_version=typed_models.IR_VERSION)
    return quern.InferenceSession(model.SerializeToString(), verdicts.QUERN_OPTIONS).run(None, {})[0]


@pytest.mark.parametrize("by_coordinates", [False, True])
@pytest.mark.parametrize("element", element_types())
def test_sparse_tensors_become_dense(element, by_coordinates):
    proto, dense = sparse(element, by_coordinates)
    text = f"tensor({element})"
    made = run([helper.make_node("Identity", ["s"], ["y"])], element, sparse_initializer=[proto])
    assert verdicts.difference(verdicts.plain(made), verdicts.plain(dense), text) is None
    made = run([helper.make_node("Constant", [], ["y"], sparse_value=proto)], element)
    assert verdicts.difference(verdicts.plain(made), verdicts.plain(dense), text) is None


# ---- the other ways to say a constant ----

CONSTANTS = [("value_float", "FLOAT", "float", 1.5), ("value_floats", "FLOATS", "float", [1.5, -2.0]),
             ("value_floats", "FLOATS", "float", []), ("value_int", "INT", "int64", -7),
             ("value_ints", "INTS", "int64", [1, 2, 3]), ("value_ints", "INTS", "int64", []),
             ("value_string", "STRING", "string", "mill"), ("value_strings", "STRINGS", "string", ["a", ""])]


@pytest.mark.parametrize("attribute, kind, element, value", CONSTANTS)
def test_constants_without_tensors(attribute, kind, element, value):
    node = helper.make_node("Constant", [], ["y"])
    node.attribute.append(helper.make_attribute(attribute, value, attr_type=getattr(AttributeProto, kind)))
    want = np.array(value, object if element == "string" else elements.dtype_of(element))
    assert verdicts.difference(verdicts.plain(run([node], element)), verdicts.plain(want), f"tensor({element})") is None
