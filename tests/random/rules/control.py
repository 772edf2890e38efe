# SPDX-License-Identifier: Apache-2.0
"""If, Loop and Scan: their bodies grow by the same rules, and read what lies outside."""
import numpy as np
from graphs import grow
from onnx import ValueInfoProto, helper
from values import Value, type_proto

DEEPEST = 2  # sub-graphs in one another


def body_of(graph, wanted):
    """A sub-graph under construction with a few nodes."""
    child = graph.child()
    grow(child, graph.integer(1, wanted), 4 * wanted)
    return child


def own_values(child):
    """What the sub-graph's nodes made."""
    made = {name for node in child.nodes for name in node.output}
    return [value for value in child.values.values() if value.name in made]


def grains(*children):
    """The types of floats in which the sub-graphs' nodes computed."""
    return [value.grain for child in children for value in own_values(child) if value.grain]


def copy(child, value):
    """The value by another name: an output that is nothing else's."""
    made = child.add("Identity", [value])
    return made and made[0]


def finish(child, name, inputs, outputs):
    """The GraphProto; types of inputs and outputs without sizes, but for scalars."""
    def info(value):
        return ValueInfoProto(name=value.name, type=type_proto(value.array, None if value.rank else []))
    return helper.make_graph(child.nodes, name, [info(value) for value in inputs], [info(value) for value in outputs])


def pick_result(child, dtype):
    """What a branch gives: of its own if it can."""
    mine = [value for value in own_values(child) if value.dtype == dtype]
    value = child.choose(mine) if mine else child.pick(lambda v: v.dtype == dtype)
    return value and copy(child, value)


def choice(graph):
    if graph.depth >= DEEPEST:
        return
    condition = graph.pick(lambda v: v.dtype == np.bool_ and v.array.size == 1 and v.rank <= 1)
    if not condition:
        condition = graph.add_input(np.array(graph.chance(0.5))) if len(graph.inputs) < 7 and not graph.depth else \
            graph.constant(np.array(graph.chance(0.5)))
    dtypes = [graph.pick(lambda v: not v.is_text).dtype for _ in range(graph.integer(1, 2))]
    branches, results = [], []
    for _ in range(2):
        child = body_of(graph, 5)
        results.append([pick_result(child, dtype) for dtype in dtypes])
        branches.append(child)
    if not all(value for result in results for value in result):
        return
    exact = [a.exact and b.exact for a, b in zip(*results)]
    then, otherwise = (finish(child, name, [], result) for child, name, result in zip(branches, ("then", "otherwise"), results))
    graph.add("If", [condition], len(dtypes), exact=exact, inner=grains(*branches), then_branch=then, else_branch=otherwise)


def body_inputs(child, contents):
    """Inputs of a body: floats are never exact there, since they come around again."""
    made = [Value(child.new_name("b"), content, content.dtype.kind != "f") for content in contents]
    child.values.update((value.name, value) for value in made)
    return made


def next_states(child, states):
    """For each state a value of its type and shape that the body made, else the state itself."""
    made = []
    for state in states:
        fitting = [v for v in own_values(child) if v.dtype == state.dtype and v.shape == state.shape]
        value = child.choose(fitting) if fitting else state
        if child.chance(0.3) and child.may_round_half and value.is_float:  # so that it changes and stays small
            calm = child.add(child.choose(["Tanh", "Sin"]), [value])
            value = calm[0] if calm and calm[0].shape == state.shape else value
        made.append(copy(child, value))
    return made


def loop(graph):
    if graph.depth >= DEEPEST:
        return
    states = [value for value in (graph.pick(lambda v: not v.is_text) for _ in range(graph.integer(1, 2)))]
    child = graph.child()
    child.may_round_half = False
    inputs = body_inputs(child, [np.array(0, np.int64), np.array(True), *(state.array for state in states)])
    grow(child, graph.integer(1, 6), 30)
    if graph.chance(0.3):
        going = child.add("Less", [inputs[0], graph.constant(np.int64(graph.integer(0, 3)))])
        going = going and going[0]
    else:
        going = copy(child, inputs[1])
    follow = next_states(child, inputs[2:])
    seen = [copy(child, child.choose(own_values(child))) for _ in range(graph.integer(0, 2)) if own_values(child)]
    if not going or not all(follow) or not all(seen):
        return
    body = finish(child, "body", inputs, [going, *follow, *seen])
    exact = [value.dtype.kind != "f" for value in follow + seen]
    trips = graph.constant(np.int64(graph.integer(0 if not seen else 1, 4)))
    start = graph.constant(np.array(True)) if graph.chance(0.5) else None
    graph.add("Loop", [trips, start, *states], len(follow + seen), exact=exact, inner=grains(child), body=body)


def scan(graph):
    if graph.depth >= DEEPEST:
        return
    x = graph.pick(lambda v: not v.is_text and v.rank >= 1 and v.array.size and min(v.shape) > 0)
    state = graph.pick(lambda v: not v.is_text)
    if not x:
        return
    axis, backwards = graph.integer(0, x.rank - 1), graph.integer(0, 1)
    child = graph.child()
    child.may_round_half = False
    inputs = body_inputs(child, [state.array, np.take(x.array, 0, axis)])
    grow(child, graph.integer(1, 6), 30)
    follow = next_states(child, inputs[:1])
    seen = [copy(child, child.choose(own_values(child))) for _ in range(graph.integer(1, 2)) if own_values(child)]
    if not all(follow) or not seen or not all(seen):
        return
    body = finish(child, "body", inputs, [*follow, *seen])
    exact = [value.dtype.kind != "f" for value in follow + seen]
    directions = {"scan_output_directions": [graph.integer(0, 1) for _ in seen]} if graph.chance(0.4) else {}
    graph.add("Scan", [state, x], len(follow + seen), exact=exact, inner=grains(child), body=body, num_scan_inputs=1, scan_input_axes=[axis],
              scan_input_directions=[backwards], **directions)
