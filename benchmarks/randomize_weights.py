#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gives a `light` model of the ONNX backend tests seeded random weights.

    randomize_weights.py light_resnet50.onnx out.onnx [SEED]

As published these models make every weight by ConstantOfShape, all 0.02, so that their outputs are constant.
Here each becomes an initializer: weights of convolutions and products with He's variance, BatchNormalization with scales
around 1, small shifts and means, and variances around 1, so that activations stay in range through the depth.
"""
import sys

import numpy as np
import onnx
from onnx import numpy_helper


def role_of(graph):
    """What each value is to its first reader: ('Conv', 1), …"""
    roles = {}
    for node in graph.node:
        for i, name in enumerate(node.input):
            roles.setdefault(name, (node.op_type, i))
    return roles


def sample(rng, shape, role):
    op, slot = role
    if op == "BatchNormalization":
        if slot == 1:
            return rng.uniform(0.6, 1.0, shape)
        if slot == 4:
            return rng.uniform(0.8, 1.2, shape)
        return rng.normal(0, 0.05, shape)
    if len(shape) > 1:
        fan_in = int(np.prod(shape[1:]))
        if op in ("Gemm", "MatMul"):  # logits of a few units, so that the softmax after them stays soft
            return rng.normal(0, 0.1 / np.sqrt(max(1, fan_in)), shape)
        return rng.normal(0, np.sqrt(2.0 / max(1, fan_in)), shape)
    return rng.normal(0, 0.05, shape)


def main():
    source, target = sys.argv[1:3]
    rng = np.random.default_rng(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    model = onnx.load(source)
    graph = model.graph
    roles = role_of(graph)
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    kept = []
    for node in graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
        if node.op_type != "ConstantOfShape" or node.input[0] not in constants:
            kept.append(node)
            continue
        shape = tuple(int(d) for d in constants[node.input[0]])
        values = sample(rng, shape, roles.get(node.output[0], ("", 0))).astype(np.float32)
        graph.initializer.append(numpy_helper.from_array(values, node.output[0]))
    del graph.node[:]
    graph.node.extend(kept)
    # Weights that are also inputs could be overridden, which keeps engines from folding them.
    names = {t.name for t in graph.initializer}
    inputs = [i for i in graph.input if i.name not in names]
    del graph.input[:]
    graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, 4)
    onnx.save(model, target)


if __name__ == "__main__":
    main()
