# SPDX-License-Identifier: Apache-2.0
"""Where ONNX Runtime is the wrong side: the one table of mismatches that are not quern's faults, at most ten rows."""
from values import sub_graphs


def attribute(node, name):
    return next((a for a in node.attribute if a.name == name), None)


# (operator, condition on the node, evidence)
EXCUSED = [
    ("StringSplit", lambda node: attribute(node, "delimiter"),
     "an empty string has one part, which is empty, by the reference of onnx (np.char.split) and by Python; ONNX Runtime counts none"),
    ("AffineGrid", lambda node: attribute(node, "align_corners"),
     "along a dimension of size 1 the standard's function starts at -1 and makes no step; ONNX Runtime gives the upper end, as "
     "Eigen's LinSpaced of one element does"),
]


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
