# SPDX-License-Identifier: Apache-2.0
"""Small models, made as they are asked for."""
import pytest


@pytest.fixture(scope="session")
def make_model(tmp_path_factory):
    """make_model(nodes, inputs, outputs, initializers): the path of a checked ONNX file with these parts."""
    onnx = pytest.importorskip("onnx")
    folder = tmp_path_factory.mktemp("models")

    def make(nodes, inputs, outputs, initializers=(), opset=17, name="model"):
        graph = onnx.helper.make_graph(nodes, name, inputs, outputs, list(initializers))
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)])
        model.ir_version = 8
        path = folder / f"{name}_{len(list(folder.iterdir()))}.onnx"
        onnx.save(model, path)
        return path

    return make


@pytest.fixture(scope="session")
def relu(make_model):
    """y = max(x, 0) on float[N,3]."""
    from onnx import TensorProto, helper

    return make_model([helper.make_node("Relu", ["x"], ["y"], name="relu")],
                      [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3])],
                      [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 3])], name="relu")


@pytest.fixture(scope="session")
def identity(make_model):
    """identity(type, shape): a model whose output is its input."""
    from onnx import helper

    def make(element, shape):
        return make_model([helper.make_node("Identity", ["x"], ["y"])],
                          [helper.make_tensor_value_info("x", element, shape)],
                          [helper.make_tensor_value_info("y", element, shape)], name="identity")

    return make
