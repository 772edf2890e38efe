# SPDX-License-Identifier: Apache-2.0
"""The package keeps the promises of ONNX Runtime's InferenceSession."""
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

quern = pytest.importorskip("quern")

FLOAT = TensorProto.FLOAT


def model_of(nodes, inputs, outputs, opset=21, **graph):
    """The bytes of a model.  Inputs and outputs: (name, element type, shape)."""
    made = helper.make_graph(nodes, "g", [helper.make_tensor_value_info(*value) for value in inputs],
                             [helper.make_tensor_value_info(*value) for value in outputs], **graph)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=10).SerializeToString()


def unary(op, element=FLOAT, shape=("N", 3), to=None, **attributes):
    return model_of([helper.make_node(op, ["x"], ["y"], **attributes)], [("x", element, shape)],
                    [("y", to or element, shape)])


@pytest.fixture
def relu():
    return quern.InferenceSession(unary("Relu"))


# ---- what a session says of its model ----


def test_version_is_the_librarys():
    assert quern.__version__.count(".") == 2


def test_inputs_and_outputs_have_name_shape_and_type(relu):
    (given,), (made,) = relu.get_inputs(), relu.get_outputs()
    assert (given.name, given.shape, given.type) == ("x", ["N", 3], "tensor(float)")
    assert (made.name, made.shape, made.type) == ("y", ["N", 3], "tensor(float)")


def test_open_dimensions_without_a_name_are_none():
    session = quern.InferenceSession(unary("Relu", shape=(None, 3)))
    assert session.get_inputs()[0].shape == [None, 3]


@pytest.mark.parametrize("type_proto, text", [
    (helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, None)), "seq(tensor(float))"),
    (helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.INT64, [2])),
     "optional(tensor(int64))"),
])
def test_types_of_collections_are_written_as_onnx_runtime_does(type_proto, text):
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g",
                              [helper.make_value_info("x", type_proto)], [helper.make_value_info("y", type_proto)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    session = quern.InferenceSession(model.SerializeToString())
    assert session.get_inputs()[0].type == text


def test_model_metadata_is_what_the_file_says():
    model = onnx.load_from_string(unary("Relu"))
    model.producer_name, model.model_version, model.domain, model.doc_string = "maker", 7, "org.x", "what it does"
    helper.set_model_props(model, {"classes": "a,b"})
    meta = quern.InferenceSession(model.SerializeToString()).get_modelmeta()
    assert (meta.producer_name, meta.version, meta.domain, meta.description) == ("maker", 7, "org.x", "what it does")
    assert meta.graph_name == "g"
    assert meta.custom_metadata_map["classes"] == "a,b"


def test_the_cpu_is_the_provider(relu):
    assert relu.get_providers() == ["CPUExecutionProvider"] == quern.get_available_providers()
    relu.set_providers([("CPUExecutionProvider", {})])
    quern.InferenceSession(unary("Relu"), providers=["CUDAExecutionProvider", "CPUExecutionProvider"])
    with pytest.raises(quern.Unsupported, match="no provider CUDAExecutionProvider"):
        relu.set_providers(["CUDAExecutionProvider"])


def test_models_come_from_paths_and_from_bytes(tmp_path):
    path = tmp_path / "m.onnx"
    path.write_bytes(unary("Neg"))
    for source in (path, str(path), path.read_bytes(), bytearray(path.read_bytes())):
        assert quern.InferenceSession(source).run(["y"], {"x": np.ones((1, 3), np.float32)})[0].tolist() == [[-1] * 3]


# ---- arrays ----


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, np.int8, np.int16, np.int32, np.int64, np.uint8,
                                   np.uint16, np.uint32, np.uint64, np.bool_, np.complex64, np.complex128])
def test_arrays_of_numpys_types_come_back_as_they_went_in(dtype):
    element = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    session = quern.InferenceSession(unary("Identity", element))
    x = np.arange(6).reshape(2, 3).astype(dtype)
    y, = session.run(None, {"x": x})
    assert y.dtype == x.dtype
    np.testing.assert_array_equal(y, x)


@pytest.mark.parametrize("name", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "int4", "uint4"])
def test_arrays_of_types_that_numpy_does_not_know_are_those_of_ml_dtypes(name):
    ml_dtypes = pytest.importorskip("ml_dtypes")
    dtype = np.dtype(getattr(ml_dtypes, name))
    session = quern.InferenceSession(unary("Identity", helper.np_dtype_to_tensor_dtype(dtype)))
    x = np.array([[0, 1, 2], [3, 4, 5]]).astype(dtype)
    y, = session.run(None, {"x": x})
    assert y.dtype == dtype
    np.testing.assert_array_equal(y.astype(np.float32), x.astype(np.float32))


def test_bfloat16_may_come_as_the_integers_that_carry_it():
    session = quern.InferenceSession(unary("Identity", TensorProto.BFLOAT16))
    x = np.array([[0x3F80, 0x4000, 0]], np.uint16)  # 1, 2, 0
    assert session.run(None, {"x": x})[0].astype(np.float32).tolist() == [[1, 2, 0]]


def test_strings_are_arrays_of_objects():
    session = quern.InferenceSession(unary("Identity", TensorProto.STRING))
    for x in (np.array([["a", "", "grüß"]], object), np.array([["a", "", "grüß"]])):
        y, = session.run(None, {"x": x})
        assert y.dtype == object and y.shape == (1, 3)
        assert y.tolist() == [["a", "", "grüß"]]


def test_strided_arrays_are_taken_as_they_lie(relu):
    base = np.arange(-30, 30, dtype=np.float32).reshape(5, 12)
    for x in (base[:, ::4], base[::-2, 2:5], base.T[:9:3].T, np.broadcast_to(np.float32(2), (4, 3)),
              np.asfortranarray(base[:, :3])):
        np.testing.assert_array_equal(relu.run(None, {"x": x})[0], np.maximum(x, 0))


def test_unaligned_and_foreign_byte_orders_are_taken(relu):
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    odd = np.frombuffer(b"." + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(2, 3)
    np.testing.assert_array_equal(relu.run(None, {"x": odd})[0], x)
    np.testing.assert_array_equal(relu.run(None, {"x": x.astype(">f4")})[0], x)


def test_arrays_without_elements_are_valid(relu):
    y, = relu.run(None, {"x": np.zeros((0, 3), np.float32)})
    assert y.shape == (0, 3) and y.dtype == np.float32


def test_scalars_have_no_dimensions():
    session = quern.InferenceSession(unary("Neg", shape=()))
    y, = session.run(None, {"x": np.array(2, np.float32)})
    assert y.shape == () and y == -2


def test_lists_become_arrays_of_the_declared_type(relu):
    assert relu.run(None, {"x": [[-1, 2, 3]]})[0].tolist() == [[0, 2, 3]]


# ---- collections ----


def sequence_model():
    tensor = helper.make_tensor_type_proto(FLOAT, None)
    nodes = [helper.make_node("SequenceInsert", ["s", "x"], ["t"]),
             helper.make_node("SequenceLength", ["t"], ["n"])]
    graph = helper.make_graph(nodes, "g", [helper.make_value_info("s", helper.make_sequence_type_proto(tensor)),
                                           helper.make_tensor_value_info("x", FLOAT, ["N"])],
                              [helper.make_value_info("t", helper.make_sequence_type_proto(tensor)),
                               helper.make_tensor_value_info("n", TensorProto.INT64, [])])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_sequences_are_lists():
    session = quern.InferenceSession(sequence_model())
    given = [np.ones(2, np.float32), np.zeros((2, 0), np.float32)]
    made, count = session.run(None, {"s": given, "x": np.array([5], np.float32)})
    assert count == 3
    assert [item.tolist() for item in made] == [[1, 1], [[], []], [5]]
    assert session.run(["n"], {"s": [], "x": np.array([5], np.float32)}) == [1]


def test_an_empty_optional_is_none():
    tensor = helper.make_tensor_type_proto(FLOAT, [2])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g",
                              [helper.make_value_info("x", helper.make_optional_type_proto(tensor))],
                              [helper.make_value_info("y", helper.make_optional_type_proto(tensor))])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    session = quern.InferenceSession(model.SerializeToString())
    assert session.run(None, {"x": None}) == [None]
    assert session.run(None, {}) == [None]
    assert session.run(None, {"x": np.ones(2, np.float32)})[0].tolist() == [1, 1]


# ---- which outputs ----


def test_outputs_come_in_the_order_they_were_asked_for():
    model = model_of([helper.make_node("Neg", ["x"], ["a"]), helper.make_node("Abs", ["x"], ["b"])],
                     [("x", FLOAT, [1])], [("a", FLOAT, [1]), ("b", FLOAT, [1])])
    session = quern.InferenceSession(model)
    feed = {"x": np.array([-2], np.float32)}
    assert session.run(["b", "a"], feed) == [2, 2]
    assert session.run(["b", "b"], feed) == [2, 2]
    assert session.run(["a"], feed) == [2]
    assert session.run([], feed) == [2, 2]


# ---- options ----


def test_misspelt_options_are_noticed():
    with pytest.raises(AttributeError):
        quern.SessionOptions().intra_op_threads = 2


def test_threads_and_passes_are_options_of_a_session():
    options = quern.SessionOptions()
    options.intra_op_num_threads = 2
    options.graph_optimization_level = quern.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.strict = True
    session = quern.InferenceSession(unary("Relu"), options)
    assert session.run(None, {"x": [[-1, 0, 1]]})[0].tolist() == [[0, 0, 1]]
    options = quern.SessionOptions()
    options.without = "no-such-pass"
    with pytest.raises(quern.BadArgument, match="no-such-pass"):
        quern.InferenceSession(unary("Relu"), options)


def test_configuration_entries_come_back():
    options = quern.SessionOptions()
    options.add_session_config_entry("session.use_env_allocators", "1")
    assert options.get_session_config_entry("session.use_env_allocators") == "1"
    with pytest.raises(quern.NotFound):
        options.get_session_config_entry("other")
