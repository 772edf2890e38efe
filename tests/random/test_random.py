# SPDX-License-Identifier: Apache-2.0
"""Random graphs: quern against ONNX Runtime, both measured by a float64 evaluation.

    pytest tests/random                        60 graphs
    pytest tests/random --seeds 500            500 graphs
    pytest tests/random --seeds 1 --first 17   the graph of seed 17

An output may be off by four times what ONNX Runtime is off, or by 16 units in the last place of the tensor's largest
value, where that is more.  A graph that fails is shrunk to a few nodes and printed.
"""
import numpy as np
import onnx
import pytest
from graphs import generate
from oracle import onnx_runtime
from shrink import shrink
from truth import run_double

quern = pytest.importorskip("quern")

ULPS, TIMES = 16, 4


def run_quern(model, feed):
    options = quern.SessionOptions()
    options.strict = True
    session = quern.InferenceSession(model.SerializeToString(), options)
    session.run(None, feed)
    return session.run(None, feed)  # again, in memory that has been used


def find_fault(model, feed):
    """What is wrong with quern's outputs, as a sentence; None: nothing, or ONNX Runtime refuses the graph."""
    names = [output.name for output in model.graph.output]
    try:
        theirs = onnx_runtime(model.SerializeToString(), optimize=False).run(None, feed)
    except Exception:  # whatever its kernels raise
        return None
    truth = run_double(model, feed)
    try:
        ours = run_quern(model, feed)
    except quern.Error as error:
        return f"{type(error).__name__}: {error}"
    for name, got, want, exact in zip(names, ours, theirs, truth):
        fault = compare(got, want, np.asarray(exact))
        if fault:
            return f"output '{name}': {fault}"
    return None


def compare(got, want, exact):
    if got.shape != want.shape or got.dtype != want.dtype:
        return f"is {got.dtype}{list(got.shape)}, expected {want.dtype}{list(want.shape)}"
    if want.dtype.kind != "f":
        return None if np.array_equal(got, want) else f"{(got != want).sum()} of {got.size} elements differ"
    if exact.shape != want.shape or want.size == 0 or not np.isfinite(exact).all():
        return None
    off, theirs = np.abs(got - exact).max(), np.abs(want - exact).max()
    bound = max(TIMES * theirs, ULPS * np.spacing(np.float32(np.abs(exact).max())))
    return None if off <= bound else f"off by {off:.3g}, allowed {bound:.3g} (ONNX Runtime is off by {theirs:.3g})"


def test_random_graph(seed):
    model, feed = generate(seed)
    fault = find_fault(model, feed)
    if fault:
        model, feed, fault = shrink(model, feed, find_fault)
        inputs = "\n".join(f"{name} = {array.tolist() if array.size <= 64 else array.shape}" for name, array in feed.items())
        pytest.fail(f"seed {seed}: {fault}\n{onnx.printer.to_text(model)}\n{inputs}", pytrace=False)
