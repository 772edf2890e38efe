# SPDX-License-Identifier: Apache-2.0
"""Where ONNX Runtime is the wrong side: the one table of mismatches that are not quern's faults, at most ten rows."""
from values import sub_graphs


def attribute(node, name):
    return next((a for a in node.attribute if a.name == name), None)


def type_of(name, model):
    """The type of what a node makes: models keep them in their metadata."""
    return {entry.key: entry.value for entry in model.metadata_props}.get(name)


def is_of_computed_float16(node, model):
    made = {name for other in nodes_of(model.graph) for name in other.output}
    return node.input[0] in made and type_of(node.input[0], model) == "float16"


# (operator, condition on the node in its model, evidence)
EXCUSED = [
    ("StringSplit", lambda node, _: attribute(node, "delimiter"),
     "an empty string has one part, which is empty, by the reference of onnx (np.char.split) and by Python; ONNX Runtime counts none"),
    ("AffineGrid", lambda node, _: attribute(node, "align_corners"),
     "along a dimension of size 1 the standard's function starts at -1 and makes no step; ONNX Runtime gives the upper end, as "
     "Eigen's LinSpaced of one element does"),
    ("MeanVarianceNormalization", is_of_computed_float16,
     "what lies between two nodes is float16, and dividing by a small deviation shows its rounding; ONNX Runtime, which has no "
     "float16 kernels for these, puts float32 graphs in their place and removes the casts between them, rounding only at the end"),
    ("RMSNormalization", lambda node, model: type_of(node.output[0], model) == "float64",
     "of 1,024 doubles, against sums in 80 bits, quern is off by 4e-16 and ONNX Runtime, whose sum is the float64 evaluation too, "
     "by 9e-15"),
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
            if node.op_type == operator and condition(node, model):
                return f"{operator}: {evidence}"
    return None
