# SPDX-License-Identifier: Apache-2.0
"""Where ONNX Runtime is the wrong side: the one table of mismatches that are not quern's faults, at most ten rows."""
from values import sub_graphs

# (operator, condition on the node, evidence)
EXCUSED = []


def nodes_of(graph):
    for node in graph.node:
        yield node
        for inner in sub_graphs(node):
            yield from nodes_of(inner)


def excuse(model):
    """The row that explains a shrunk model's fault, or None."""
    for operator, condition, evidence in EXCUSED:
        for node in nodes_of(model.graph):
            if node.op_type == operator and condition(node):
                return f"{operator}: {evidence}"
    return None
