# SPDX-License-Identifier: Apache-2.0
"""Who owns what, for how long, and from which threads."""
import gc
import sys
import threading
import weakref

import numpy as np
import pytest
from onnx import TensorProto, helper
from test_api import model_of, unary

quern = pytest.importorskip("quern")


class Watched(np.ndarray):
    """An array that can be watched while it dies."""


def test_outputs_outlive_their_session():
    session = quern.InferenceSession(unary("Neg"))
    outputs = [session.run(None, {"x": np.full((2, 3), i, np.float32)})[0] for i in range(5)]
    del session
    gc.collect()
    for i, output in enumerate(outputs):
        np.testing.assert_array_equal(output, np.full((2, 3), -i))
        output += 1  # writable: it is nobody else's


@pytest.mark.parametrize("op", ["Identity", "Relu"])
def test_outputs_never_share_memory_with_inputs(op):
    x = np.ones((2, 3), np.float32)
    y, = quern.InferenceSession(unary(op)).run(None, {"x": x})
    assert not np.shares_memory(x, y)
    x[:] = 5
    assert y.tolist() == [[1] * 3] * 2


@pytest.mark.parametrize("order", ["C", "F"])
def test_inputs_are_not_kept(order):
    session = quern.InferenceSession(unary("Relu"))
    x = np.ones((2, 3), np.float32, order).view(Watched)
    alive = weakref.ref(x)
    count = sys.getrefcount(x)
    session.run(None, {"x": x})
    assert sys.getrefcount(x) == count
    del x
    assert alive() is None


def test_inputs_of_failed_runs_are_not_kept():
    session = quern.InferenceSession(unary("Relu"))
    x = np.ones((2, 4), np.float32).view(Watched)
    with pytest.raises(quern.BadTensor):
        session.run(None, {"x": x})
    alive = weakref.ref(x)
    del x
    assert alive() is None


def test_outputs_are_aligned_for_vectors():
    y, = quern.InferenceSession(unary("Relu")).run(None, {"x": np.ones((5, 3), np.float32)})
    assert y.ctypes.data % 64 == 0


def test_the_bytes_of_a_model_may_go():
    data = bytearray(unary("Neg"))
    session = quern.InferenceSession(data)
    data[:] = bytes(len(data))
    del data
    gc.collect()
    assert session.run(None, {"x": [[1, 2, 3]]})[0].tolist() == [[-1, -2, -3]]


def test_the_file_of_a_model_may_be_overwritten(tmp_path):
    path = tmp_path / "m.onnx"
    weight = helper.make_tensor("w", 1, [1000], np.arange(1000, dtype=np.float32))
    path.write_bytes(model_of([helper.make_node("Add", ["x", "w"], ["y"])], [("x", 1, [1000])], [("y", 1, [1000])],
                              initializer=[weight]))
    session = quern.InferenceSession(path)
    path.write_bytes(b"")
    np.testing.assert_array_equal(session.run(None, {"x": np.zeros(1000, np.float32)})[0], np.arange(1000))


def test_memory_does_not_grow_from_run_to_run():
    resource = pytest.importorskip("resource")
    session = quern.InferenceSession(unary("Sin", shape=("N", "M")))
    x = np.ones((500, 500), np.float32)

    def peak():
        for _ in range(100):
            session.run(None, {"x": x})
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = peak()
    assert peak() - before < 4096  # KiB: far less than the 100 MB that 100 runs make


def test_threads_run_one_session_at_once():
    model = model_of([helper.make_node("MatMul", ["x", "x"], ["a"]), helper.make_node("Tanh", ["a"], ["y"])],
                     [("x", TensorProto.FLOAT, ["N", "N"])], [("y", TensorProto.FLOAT, ["N", "N"])])
    session = quern.InferenceSession(model)
    failures = []

    def work(seed):
        rng = np.random.default_rng(seed)
        for _ in range(30):
            x = rng.uniform(-1, 1, (rng.integers(1, 40),) * 2).astype(np.float32)
            y, = session.run(None, {"x": x})
            if not np.allclose(y, np.tanh(x @ x), atol=1e-5):
                failures.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_other_threads_go_on_while_a_run_computes():
    nodes = [helper.make_node("MatMul", ["x" if i == 0 else f"a{i - 1}", "x"], [f"a{i}"]) for i in range(40)]
    session = quern.InferenceSession(model_of(nodes, [("x", 1, ["N", "N"])], [("a39", 1, ["N", "N"])]))
    x = np.eye(600, dtype=np.float32)
    ticks, is_over = 0, threading.Event()

    def work():
        session.run(None, {"x": x})
        is_over.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not is_over.wait(0.001):
        ticks += 1
    thread.join()
    assert ticks > 2


def test_a_run_is_cancelled_from_another_thread():
    body = helper.make_graph([helper.make_node("Identity", ["c"], ["d"]), helper.make_node("Sin", ["v"], ["w"])], "b",
                             [helper.make_tensor_value_info("i", TensorProto.INT64, []),
                              helper.make_tensor_value_info("c", TensorProto.BOOL, []),
                              helper.make_tensor_value_info("v", 1, [1000])],
                             [helper.make_tensor_value_info("d", TensorProto.BOOL, []),
                              helper.make_tensor_value_info("w", 1, [1000])])
    forever = model_of([helper.make_node("Loop", ["", "c", "x"], ["y"], body=body)],
                       [("c", TensorProto.BOOL, []), ("x", 1, [1000])], [("y", 1, [1000])])
    session = quern.InferenceSession(forever)
    options = quern.RunOptions()
    threading.Timer(0.2, setattr, (options, "terminate", True)).start()
    with pytest.raises(quern.Cancelled):
        session.run(None, {"c": np.array(True), "x": np.ones(1000, np.float32)}, options)
