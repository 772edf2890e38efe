# SPDX-License-Identifier: Apache-2.0
"""Caches of decoders: past* and present* that match are kept by the session, and a step costs no copy of them."""
import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from oracle import check_value, onnx_runtime, run_named

quern = pytest.importorskip("quern")

FLOAT = TensorProto.FLOAT
HEADS, SIZE, WIDTH, WORDS = 4, 16, 64, 50


def decoder(layers=2, heads=HEADS, size=SIZE, copies=False):
    """Embedding, then attention over everything so far, then logits: [batch, 1] tokens to [batch, 1, WORDS].

    `copies`: the cache passes an Identity on its way, so that it is no state that grows in place.
    """
    rng, width = np.random.default_rng(3), heads * size
    nodes, weights, inputs, outputs = [], [], [], []

    def weight(name, *shape):
        values = rng.normal(0, 1 / np.sqrt(shape[0]), shape).astype(np.float32)
        weights.append(numpy_helper.from_array(values, name))
        return name

    def node(op, given, name, **attributes):
        nodes.append(helper.make_node(op, given, [name], **attributes))
        return name

    weights.append(numpy_helper.from_array(np.array([0, -1, heads, size], np.int64), "split"))
    weights.append(numpy_helper.from_array(np.array([0, -1, width], np.int64), "join"))
    weights.append(numpy_helper.from_array(np.float32(size ** -0.5), "scale"))
    inputs.append(helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "steps"]))
    x = node("Gather", [weight("embedding", WORDS, width), "tokens"], "x")
    for layer in range(layers):
        state = {}
        for part in "key", "value":
            past, present = f"past_key_values.{layer}.{part}", f"present.{layer}.{part}"
            shape = ["batch", heads, None, size]
            inputs.append(helper.make_tensor_value_info(past, FLOAT, [*shape[:2], "past", size]))
            outputs.append(helper.make_tensor_value_info(present, FLOAT, [*shape[:2], "total", size]))
            rows = node("MatMul", [x, weight(f"w_{part}{layer}", width, width)], f"{part}{layer}")
            rows = node("Reshape", [rows, "split"], f"{part}{layer}_split")
            rows = node("Transpose", [rows], f"{part}{layer}_rows", perm=[0, 2, 1, 3])
            old = node("Identity", [past], f"{part}{layer}_old") if copies else past
            state[part] = node("Concat", [old, rows], present, axis=2)
        query = node("MatMul", [x, weight(f"w_query{layer}", width, width)], f"query{layer}")
        query = node("Reshape", [query, "split"], f"query{layer}_split")
        query = node("Transpose", [query], f"query{layer}_rows", perm=[0, 2, 1, 3])
        query = node("Mul", [query, "scale"], f"query{layer}_scaled")
        keys = node("Transpose", [state["key"]], f"keys{layer}", perm=[0, 1, 3, 2])
        scores = node("Softmax", [node("MatMul", [query, keys], f"scores{layer}")], f"attention{layer}")
        mixed = node("MatMul", [scores, state["value"]], f"mixed{layer}")
        mixed = node("Transpose", [mixed], f"mixed{layer}_rows", perm=[0, 2, 1, 3])
        mixed = node("Reshape", [mixed, "join"], f"mixed{layer}_joined")
        x = node("Tanh", [node("Add", [x, mixed], f"sum{layer}")], f"x{layer}")
    node("MatMul", [x, weight("head", width, WORDS)], "logits")
    outputs.insert(0, helper.make_tensor_value_info("logits", FLOAT, ["batch", "steps", WORDS]))
    graph = helper.make_graph(nodes, "decoder", inputs, outputs, weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def empty_past(session, batch=1):
    return {arg.name: np.zeros((batch, arg.shape[1], 0, arg.shape[3]), np.float32)
            for arg in session.get_inputs() if arg.name.startswith("past")}


def renamed(outputs):
    """present.0.key becomes past_key_values.0.key."""
    return {name.replace("present", "past_key_values"): array for name, array in outputs.items() if name != "logits"}


def test_states_pair_up_by_their_names():
    session = quern.InferenceSession(decoder())
    assert session.get_states()[0] == ("past_key_values.0.key", "present.0.key")
    assert len(session.get_states()) == 4


@pytest.mark.parametrize("copies", [False, True], ids=["grows", "is copied"])
@pytest.mark.parametrize("batch", [1, 3])
def test_a_kept_cache_equals_an_explicit_one_for_200_steps(batch, copies):
    model = decoder(copies=copies)
    ours, theirs = quern.InferenceSession(model), onnx_runtime(model)
    rng, cache = np.random.default_rng(batch), empty_past(theirs, batch)
    kept = cache  # of quern only for the first step
    for step in range(200):
        tokens = rng.integers(0, WORDS, (batch, 7 if step == 0 else 1))  # a prompt, then token by token
        want = run_named(theirs, {"tokens": tokens, **cache})
        cache = renamed(want)
        if step % 50 == 0:
            got = run_named(ours, {"tokens": tokens, **kept})
            for name, array in want.items():
                check_value(f"{name} at {step}", got[name], array)
        else:
            logits, = ours.run(["logits"], {"tokens": tokens, **kept})
            check_value(f"logits at {step}", logits, want["logits"])
        kept = {}


def test_a_reset_session_begins_anew():
    session = quern.InferenceSession(decoder())
    tokens = np.array([[1, 2, 3]])
    first, = session.run(["logits"], {"tokens": tokens, **empty_past(session)})
    later, = session.run(["logits"], {"tokens": tokens})
    assert not np.array_equal(first, later)
    for past in ({}, empty_past(session)):  # a state that is not there yet has no rows
        session.reset_states()
        again, = session.run(["logits"], {"tokens": tokens, **past})
        np.testing.assert_array_equal(first, again)


def test_a_given_cache_replaces_the_kept_one():
    session = quern.InferenceSession(decoder())
    token = np.array([[4]])
    outputs = run_named(session, {"tokens": np.array([[1, 2, 3]]), **empty_past(session)})
    want, = session.run(["logits"], {"tokens": token})
    session.run(["logits"], {"tokens": np.array([[7]])})
    got, = session.run(["logits"], {"tokens": token, **renamed(outputs)})
    np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    # What was given is not written to, and what follows goes on from it.
    assert outputs["present.0.key"].shape[2] == 3
    shapes = run_named(session, {"tokens": token})["present.0.key"].shape
    assert shapes[2] == 5


def test_states_may_be_left_alone():
    options = quern.SessionOptions()
    options.states = []
    session = quern.InferenceSession(decoder(), options)
    assert session.get_states() == []
    session.run(None, {"tokens": np.array([[1]]), **empty_past(session)})
    with pytest.raises(quern.BadTensor, match="missing"):
        session.run(None, {"tokens": np.array([[1]])})


def test_a_failed_run_leaves_the_state_as_it_was():
    session = quern.InferenceSession(decoder())
    session.run(["logits"], {"tokens": np.array([[1, 2]]), **empty_past(session)})
    with pytest.raises(quern.Error):
        session.run(["logits"], {"tokens": np.array([[WORDS + 5]])})
    got, = session.run(["logits"], {"tokens": np.array([[3]])})
    session.reset_states()
    session.run(["logits"], {"tokens": np.array([[1, 2]]), **empty_past(session)})
    want, = session.run(["logits"], {"tokens": np.array([[3]])})
    np.testing.assert_array_equal(got, want)


def test_steps_need_no_memory_for_the_cache():
    """2 MiB of cache per tensor with room for half as much again, and nothing that grows or is copied in a step."""
    heads, size, length = 8, 64, 1025
    session = quern.InferenceSession(decoder(1, heads, size))
    cache = {name: np.zeros((1, heads, length, size), np.float32) for name in empty_past(session)}
    session.run(["logits"], {"tokens": np.array([[1]]), **cache})
    before = session.get_memory()["dynamic_bytes"]
    for _ in range(200):
        session.run(["logits"], {"tokens": np.array([[2]])})
    assert session.get_memory()["dynamic_bytes"] == before
    assert before < 2 * 1.6 * cache["past_key_values.0.key"].nbytes
