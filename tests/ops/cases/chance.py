# SPDX-License-Identifier: Apache-2.0
"""Operators that draw random numbers: no generator is prescribed, so the model judges the numbers itself.

Its outputs are their shape, and whether mean and deviation, of some thousand numbers, are near what was asked for.
"""
import numpy as np
from onnx import TensorProto, helper

from cases.case import Case, make_model


def judged(name, node, inputs, shape, mean, deviation, opset, bound):
    """The node makes "r"; the bound is a dozen times what chance explains."""
    constants = {"mean": np.float32(mean), "deviation": np.float32(deviation), "bound": np.float32(bound)}
    nodes = [
        node,
        helper.make_node("Shape", ["r"], ["shape"]),
        helper.make_node("Cast", ["r"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["f"], ["m"], keepdims=0),
        helper.make_node("Sub", ["f", "m"], ["centered"]),
        helper.make_node("Mul", ["centered", "centered"], ["square"]),
        helper.make_node("ReduceMean", ["square"], ["variance"], keepdims=0),
        helper.make_node("Sqrt", ["variance"], ["d"]),
        *near("m", "mean"), *near("d", "deviation"),
        helper.make_node("And", ["m_near", "d_near"], ["good"]),
    ]
    model = make_model(nodes, inputs, ["shape", "good"], constants, opset)
    return Case(name, model, list(inputs.values()), [np.int64(shape), np.array(True)])


def near(name, wanted):
    yield helper.make_node("Sub", [name, wanted], [f"{name}_off"])
    yield helper.make_node("Abs", [f"{name}_off"], [f"{name}_distance"])
    yield helper.make_node("Less", [f"{name}_distance", "bound"], [f"{name}_near"])


def draws():
    shape = [50, 80]
    for opset in (9, 21, 28):
        normal = {"mean": 3.0, "scale": 2.0}
        uniform = {"low": -1.0, "high": 5.0}
        for op, like, numbers, mean, deviation in (("RandomNormal", "RandomNormalLike", normal, 3, 2),
                                                   ("RandomUniform", "RandomUniformLike", uniform, 2, 6 / 12 ** 0.5)):
            for seed in ({}, {"seed": 7.0}):
                suffix = f"{opset}_seed" if seed else str(opset)
                yield judged(f"{op.lower()}_{suffix}", helper.make_node(op, [], ["r"], shape=shape, **numbers, **seed), {}, shape,
                             mean, deviation, opset, 0.4)
            yield judged(f"{like.lower()}_{opset}", helper.make_node(like, ["x"], ["r"], dtype=TensorProto.DOUBLE, **numbers),
                         {"x": np.zeros(shape, np.int32)}, shape, mean, deviation, opset, 0.4)
        # Classes 0 and 2 in a ratio of 1 to 3, class 1 never.
        odds = np.log(np.float32([[0.25, 1e-30, 0.75]]))
        yield judged(f"multinomial_{opset}", helper.make_node("Multinomial", ["x"], ["r"], sample_size=4000), {"x": odds},
                     [1, 4000], 1.5, 3 ** 0.5 / 2, opset, 0.2)


def same_again():
    """Equal seeds draw equal numbers in two runs of one model; two nodes without seeds draw different ones."""
    nodes = [helper.make_node("RandomUniform", [], ["a"], shape=[100]), helper.make_node("RandomUniform", [], ["b"], shape=[100]),
             helper.make_node("Equal", ["a", "b"], ["same"]), helper.make_node("Cast", ["same"], ["n"], to=TensorProto.INT64),
             helper.make_node("ReduceSum", ["n"], ["sum"], keepdims=0), helper.make_node("Less", ["sum", "few"], ["differ"])]
    yield Case("unseeded_nodes_differ", make_model(nodes, {}, ["differ"], {"few": np.int64(5)}, 22), [], [np.array(True)])


def bernoulli():
    for opset in (15, 22):
        yield judged(f"bernoulli_{opset}", helper.make_node("Bernoulli", ["x"], ["r"], dtype=TensorProto.INT32),
                     {"x": np.full([40, 100], 0.2, np.float32)}, [40, 100], 0.2, 0.4, opset, 0.08)


CASES = [*draws(), *same_again(), *bernoulli()]
