# SPDX-License-Identifier: Apache-2.0
"""Whatever is wrong is an exception with a sentence, and the session stays usable."""
import numpy as np
import pytest
from test_api import model_of, unary
from onnx import TensorProto, helper

quern = pytest.importorskip("quern")


@pytest.fixture
def relu():
    return quern.InferenceSession(unary("Relu"))


def test_every_status_has_a_class_that_says_it():
    assert issubclass(quern.BadTensor, quern.Error) and issubclass(quern.BadTensor, ValueError)
    assert issubclass(quern.OutOfMemory, MemoryError)
    assert issubclass(quern.FileError, OSError)
    assert (quern.Error.status, quern.BadModel.status, quern.InternalError.status) == ("OK", "BAD_MODEL", "INTERNAL")


def test_a_missing_file_is_named():
    with pytest.raises(quern.FileError, match="^/no/such.onnx: No such file"):
        quern.InferenceSession("/no/such.onnx")


@pytest.mark.parametrize("data", [b"", b"x", b"\x08\x0a" + b"\xff" * 30])
def test_bytes_that_are_no_model_are_refused(data):
    with pytest.raises(quern.Error, match="^model"):
        quern.InferenceSession(data)


def test_unknown_operators_are_named():
    node = helper.make_node("Frobnicate", ["x"], ["y"], name="f")
    with pytest.raises(quern.Error, match="Frobnicate"):
        quern.InferenceSession(model_of([node], [("x", 1, [1])], [("y", 1, [1])]))


@pytest.mark.parametrize("feed, text", [
    ({}, "input 'x' is missing"),
    ({"x": None}, "input 'x' is missing"),
    ({"x": np.zeros((1, 3))}, "input 'x' has type double, expected float"),
    ({"x": np.zeros(3, np.float32)}, "input 'x' has rank 1, expected 2"),
    ({"x": np.zeros((1, 4), np.float32)}, "input 'x': dimension 1 is 4, expected 3"),
    ({"x": [np.zeros(3, np.float32), None]}, None),
    ({"x": {"a": 1}}, "input 'x' is a map, expected a tensor"),
    ({"z": np.zeros(3, np.float32)}, "there is no input 'z', expected 'x'"),
])
def test_inputs_that_do_not_fit_are_named(relu, feed, text):
    with pytest.raises((quern.BadTensor, quern.BadArgument, ValueError, TypeError), match=text):
        relu.run(None, feed)
    assert relu.run(None, {"x": [[-1, 2, 3]]})[0].tolist() == [[0, 2, 3]]


def test_objects_that_are_no_strings_are_refused():
    session = quern.InferenceSession(unary("Identity", TensorProto.STRING))
    with pytest.raises(TypeError):
        session.run(None, {"x": np.array([["a", 5, None]], object)})
    with pytest.raises(TypeError, match="no tensors"):
        session.run(None, {"x": np.zeros((1, 3), "datetime64[s]")})


def test_unknown_outputs_are_named(relu):
    with pytest.raises(quern.BadArgument, match="there is no output 'z', expected 'y'"):
        relu.run(["z"], {"x": [[1, 2, 3]]})


def test_data_that_an_operator_cannot_take_is_an_error_of_the_run():
    model = model_of([helper.make_node("Gather", ["x", "i"], ["y"])],
                     [("x", 1, [3]), ("i", TensorProto.INT64, ["N"])], [("y", 1, ["N"])])
    session = quern.InferenceSession(model)
    with pytest.raises(quern.BadTensor, match="3"):
        session.run(None, {"x": np.zeros(3, np.float32), "i": np.array([3])})
    assert session.run(None, {"x": np.arange(3, dtype=np.float32), "i": np.array([2, -3])})[0].tolist() == [2, 0]


def test_terminated_runs_are_cancelled(relu):
    options = quern.RunOptions()
    options.terminate = True
    with pytest.raises(quern.Cancelled):
        relu.run(None, {"x": [[1, 2, 3]]}, options)
    options.terminate = False
    relu.run(None, {"x": [[1, 2, 3]]}, options)


def test_runs_past_their_time_are_cancelled(relu):
    options = quern.RunOptions()
    options.timeout = -1
    with pytest.raises(quern.Cancelled):
        relu.run(None, {"x": [[1, 2, 3]]}, options)


def test_memory_beyond_the_limit_is_refused():
    options = quern.SessionOptions()
    options.limit_bytes = 100_000
    model = model_of([helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Sin", ["a"], ["b"]),
                      helper.make_node("MatMul", ["b", "x"], ["y"])],
                     [("x", 1, ["N", "N"])], [("y", 1, ["N", "N"])])
    session = quern.InferenceSession(model, options)
    session.run(None, {"x": np.ones((2, 2), np.float32)})
    with pytest.raises(MemoryError):
        session.run(None, {"x": np.ones((200, 200), np.float32)})
