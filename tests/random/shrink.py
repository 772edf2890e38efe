# SPDX-License-Identifier: Apache-2.0
"""Makes a graph that fails as small as it goes: what is cut off becomes an input with the value it had."""
import numpy as np
import onnx
from onnx import helper, numpy_helper
from values import outer_names, run_model, type_proto


def shrink(model, feed, find_fault):
    """(model, inputs, fault) with as few nodes as keep a fault, not always the same one."""
    fault = find_fault(model, feed)
    values = all_values(model, feed)
    for output in [value.name for value in model.graph.output]:
        smaller, given = extract(model, values, [output], set())
        found = find_fault(smaller, given)
        if found:
            model, feed, fault = smaller, given, found
            break
    while True:
        smaller = cut_once(model, values, find_fault)
        if not smaller:
            return model, feed, fault
        model, feed, fault = smaller


def all_values(model, feed):
    """{name: content} of everything in the main graph, by ONNX Runtime."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    names = [name for node in model.graph.node for name in node.output if name]
    del copy.graph.output[:]
    copy.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    values = dict(zip(names, run_model(copy, feed)))
    values.update((tensor.name, numpy_helper.to_array(tensor)) for tensor in model.graph.initializer)
    return {**values, **feed}


def extract(model, values, outputs, cut):
    """The nodes that make the outputs; names in `cut` are inputs."""
    makers = {name: node for node in model.graph.node for name in node.output}
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    declared = {value.name: value for value in model.graph.input}
    needed, waiting = set(), list(outputs)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += outer_names(makers[name]) if name in makers and name not in cut else []
    nodes = [node for node in model.graph.node if any(name in needed and name not in cut for name in node.output)]
    made = {name for node in nodes for name in node.output}
    given = [name for name in values if name in needed and name not in made and name not in constants]
    info = [declared.get(name) or describe(name, values[name]) for name in given]
    graph = helper.make_graph(nodes, "shrunk", info, [describe(name, values[name], False) for name in outputs],
                              [tensor for name, tensor in constants.items() if name in needed])
    smaller = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    smaller.metadata_props.extend(model.metadata_props)
    return smaller, {name: values[name] for name in given}


def describe(name, content, with_shape=True):
    dims = np.shape(content) if with_shape and not isinstance(content, list) else None
    return onnx.ValueInfoProto(name=name, type=type_proto(content, dims))


def cut_once(model, values, find_fault):
    """A smaller failing graph: one value is an input, or an earlier one the output; None where there is none."""
    outputs = [value.name for value in model.graph.output]
    made = [name for node in model.graph.node for name in node.output if name]
    for name in reversed(made):
        for wanted, cut in ((outputs, {name}), ([name], set())):
            if name in outputs and (cut or len(outputs) == 1):
                continue
            smaller, given = extract(model, values, wanted, cut)
            if len(smaller.graph.node) < len(model.graph.node):
                fault = find_fault(smaller, given)
                if fault:
                    return smaller, given, fault
    return None
