# SPDX-License-Identifier: Apache-2.0
"""Random graphs: quern against ONNX Runtime, both measured by a float64 evaluation.

    pytest tests/random                        as many graphs as take about a minute
    pytest tests/random --seeds 2000           2,000 graphs
    pytest tests/random --seeds 1 --first 17   the graph of seed 17

A graph that fails is shrunk to a few nodes and printed.
"""
from collections import Counter

import numpy as np
import onnx
import pytest

pytest.importorskip("quern")
from excused import excuse  # noqa: E402
from graphs import generate  # noqa: E402
from judge import find_fault  # noqa: E402
from shrink import shrink  # noqa: E402
from values import sub_graphs  # noqa: E402

ENOUGH = 200  # graphs that reach every rule
reached, types = Counter(), Counter()


def count(graph):
    for node in graph.node:
        reached[node.op_type] += 1
        for inner in sub_graphs(node):
            count(inner)


def test_random_graph(seed):
    model, feed = generate(seed)
    count(model.graph)
    for info in [*model.graph.input, *model.graph.output]:
        types[info.type.tensor_type.elem_type] += 1
    fault = find_fault(model, feed)
    if not fault:
        return
    model, feed, fault = shrink(model, feed, find_fault)
    excused = excuse(model)
    if excused:
        pytest.skip(f"seed {seed}: {excused}")
    inputs = "\n".join(f"{name} = {np.asarray(content).tolist() if np.size(content) <= 64 else np.shape(content)}"
                       for name, content in feed.items())
    pytest.fail(f"seed {seed}: {fault}\n{onnx.printer.to_text(model)}\n{inputs}", pytrace=False)


def test_the_graphs_reach_most_operators_and_types():
    if sum(reached.values()) < 10 * ENOUGH:
        pytest.skip("too few graphs to tell")
    assert len(reached) >= 110, f"{len(reached)} operators: {sorted(reached)}"
    assert len([kind for kind in types if kind]) >= 8, f"types {sorted(types)}"
