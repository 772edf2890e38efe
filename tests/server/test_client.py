# SPDX-License-Identifier: Apache-2.0
"""The server as the protocol's own client library sees it."""
import socket

import numpy as np
import pytest

http = pytest.importorskip("tritonclient.http")

NUMBERS = {"BOOL": np.bool_, "UINT8": np.uint8, "UINT16": np.uint16, "UINT32": np.uint32, "UINT64": np.uint64,
           "INT8": np.int8, "INT16": np.int16, "INT32": np.int32, "INT64": np.int64, "FP16": np.float16,
           "FP32": np.float32, "FP64": np.float64}


@pytest.fixture(scope="module")
def client(server):
    with http.InferenceServerClient(server.url, concurrency=4) as one:
        yield one


def tensor(name, values, datatype, binary=True):
    one = http.InferInput(name, values.shape, datatype)
    one.set_data_from_numpy(values, binary_data=binary)
    return one


def refusal(call, *arguments, **options):
    with pytest.raises(http.InferenceServerException if hasattr(http, "InferenceServerException") else Exception) as caught:
        call(*arguments, **options)
    return caught.value


def test_it_is_live_and_ready(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("echo") and client.is_model_ready("versions", "3")
    assert not client.is_model_ready("versions", "2") and not client.is_model_ready("nope")


def test_metadata_names_the_server_and_its_models(client):
    assert client.get_server_metadata()["name"] == "mill"
    echo = client.get_model_metadata("echo")
    assert echo == {"name": "echo", "versions": ["1"], "platform": "identity",
                    "inputs": [{"name": "IN0", "datatype": "FP32", "shape": [-1, -1]}],
                    "outputs": [{"name": "OUT0", "datatype": "FP32", "shape": [-1, -1]}]}
    assert client.get_model_metadata("versions")["versions"] == ["1", "3"]
    assert client.get_model_metadata("versions", "1")["versions"] == ["1"]


def test_configurations_are_complete(client):
    config = client.get_model_config("echo")
    assert config["version_policy"] == {"latest": {"num_versions": 1}}
    assert config["instance_group"][0]["kind"] == "KIND_CPU"
    assert config["input"][0]["data_type"] == "TYPE_FP32" and config["input"][0]["dims"] == [-1]


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("datatype", NUMBERS)
def test_numbers_come_back_as_they_were(client, datatype, binary_in, binary_out):
    if datatype == "FP16" and not (binary_in and binary_out):
        pytest.skip("FP16 has no form in JSON")
    kind = NUMBERS[datatype]
    if datatype == "BOOL":
        values = np.array([True, False, True])
    elif np.issubdtype(kind, np.integer):
        values = np.array([np.iinfo(kind).min, 0, 1, np.iinfo(kind).max], kind)
    else:
        values = np.array([0, -0.0, 0.1, np.finfo(kind).max, np.finfo(kind).tiny, -1.5], kind)
    wanted = http.InferRequestedOutput("OUT0", binary_data=binary_out)
    result = client.infer(f"id_{datatype.lower()}", [tensor("IN0", values, datatype, binary_in)], outputs=[wanted])
    np.testing.assert_array_equal(result.as_numpy("OUT0"), values)


@pytest.mark.parametrize("binary", [True, False])
def test_strings_come_back_as_they_were(client, binary):
    values = np.array(["", "a", "grün", "x" * 1000, 'q"\\\n'], dtype=np.object_)
    wanted = http.InferRequestedOutput("OUT0", binary_data=binary)
    result = client.infer("id_string", [tensor("IN0", values, "BYTES", binary)], outputs=[wanted])
    assert [text.decode() if isinstance(text, bytes) else text for text in result.as_numpy("OUT0")] == list(values)


def test_bfloat16_goes_through(client):
    values = np.array([1, -2.5, 3e38], pytest.importorskip("ml_dtypes").bfloat16)
    result = client.infer("id_bf16", [tensor("IN0", values, "BF16")])
    assert result.get_output("OUT0")["datatype"] == "BF16"
    np.testing.assert_array_equal(result.as_numpy("OUT0").astype(np.float32), values.astype(np.float32))


def test_forms_mix_in_both_directions(client):
    reals, texts = np.array([1, 2], np.float32), np.array(["a", "b"], np.object_)
    whole = np.array([5, -6], np.int64)
    inputs = [tensor("IN2", whole, "INT64"), tensor("IN0", reals, "FP32", False), tensor("IN1", texts, "BYTES")]
    outputs = [http.InferRequestedOutput("OUT1", binary_data=False), http.InferRequestedOutput("OUT2", binary_data=True)]
    result = client.infer("mixed", inputs, outputs=outputs, request_id="r 1")
    assert result.get_response()["id"] == "r 1" and result.get_output("OUT0") is None
    np.testing.assert_array_equal(result.as_numpy("OUT2"), whole)
    assert list(result.as_numpy("OUT1")) == ["a", "b"]


def test_large_tensors_go_through(client):
    values = np.random.default_rng(1).random((4, 500000), np.float32)
    np.testing.assert_array_equal(client.infer("echo", [tensor("IN0", values, "FP32")]).as_numpy("OUT0"), values)


def test_empty_tensors_are_tensors(client):
    values = np.zeros((0,), np.float32)
    assert client.infer("id_fp32", [tensor("IN0", values, "FP32")]).as_numpy("OUT0").shape == (0,)


def test_many_requests_at_once(client):
    calls = [(i, client.async_infer("echo", [tensor("IN0", np.full((1, 16), i, np.float32), "FP32")]))
             for i in range(100)]
    for i, call in calls:
        assert (call.get_result().as_numpy("OUT0") == i).all()


def test_versions_are_chosen(client):
    values = tensor("IN0", np.zeros(1, np.float32), "FP32")
    assert client.infer("versions", [values]).get_response()["model_version"] == "3"
    assert client.infer("versions", [values], model_version="1").get_response()["model_version"] == "1"


@pytest.mark.parametrize("model, version, status, text", [
    ("nope", "", "404", "Request for unknown model: 'nope' is not found"),
    ("versions", "2", "404", "Request for unknown model: 'versions' version 2 is not found"),
    ("failing", "", "500", "it was told to"),
    ("silent", "", "500", "the model dropped the request without an answer"),
])
def test_failures_say_what_failed(client, model, version, status, text):
    error = refusal(client.infer, model, [tensor("IN0", np.zeros(1, np.float32), "FP32")], model_version=version)
    assert error.status() == status and text in error.message()


ROW = np.zeros((1, 4), np.int32)
PREFIX = "[request id: <id_unknown>] "


@pytest.mark.parametrize("inputs, text", [
    ([("IN0", ROW, "INT32")], PREFIX + "expected 2 inputs but got 1 inputs for model 'pair'. Got input(s) ['IN0'], but "
     "missing required input(s) ['IN1']. Please provide all required input(s)."),
    ([("IN0", ROW, "INT32"), ("IN9", ROW, "INT32")], "unexpected inference input 'IN9' for model 'pair'"),
    ([("IN0", ROW, "INT32"), ("IN0", ROW, "INT32")], PREFIX + "input 'IN0' already exists in request"),
    ([("IN0", ROW, "INT32"), ("IN1", ROW.astype(np.int64), "INT64")],
     PREFIX + "inference input 'IN1' data-type is 'INT64', but model 'pair' expects 'INT32'"),
    ([("IN0", np.zeros((9, 4), np.int32), "INT32"), ("IN1", np.zeros((9, 4), np.int32), "INT32")],
     PREFIX + "inference request batch-size must be <= 8 for 'pair'"),
    ([("IN0", ROW, "INT32"), ("IN1", np.zeros((2, 4), np.int32), "INT32")],
     PREFIX + "input 'IN1' batch size does not match other inputs for 'pair'"),
    ([("IN0", ROW, "INT32"), ("IN1", np.zeros((1, 5), np.int32), "INT32")],
     PREFIX + "unexpected shape for input 'IN1' for model 'pair'. Expected [-1,4], got [1,5]. NOTE: Setting a non-zero"),
])
def test_requests_that_do_not_fit_say_so(client, inputs, text):
    error = refusal(client.infer, "pair", [tensor(*one) for one in inputs])
    assert error.status() == "400" and error.message().startswith(text)


def test_unknown_outputs_are_refused(client):
    error = refusal(client.infer, "echo", [tensor("IN0", np.zeros((1, 1), np.float32), "FP32")],
                    outputs=[http.InferRequestedOutput("OUT9")])
    assert error.message() == "unexpected inference output 'OUT9' for model 'echo'"


def test_full_queues_refuse_at_once(client):
    one = tensor("IN0", np.zeros((1, 1), np.float32), "FP32")
    calls = [client.async_infer("queue", [one]) for _ in range(4)]
    results = []
    for call in calls:
        try:
            call.get_result()
            results.append("200")
        except Exception as error:  # the client has one kind of exception for all
            assert "Exceeds maximum queue size" in error.message()
            results.append(error.status())
    assert "503" in results and "200" in results


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("compression", [None, "gzip"])
def test_large_bodies_in_every_form(client, binary, compression):
    values = np.random.default_rng(3).normal(size=(1, 200_000)).astype(np.float32)
    got = client.infer("echo", [tensor("IN0", values, "FP32", binary)], request_compression_algorithm=compression)
    np.testing.assert_array_equal(got.as_numpy("OUT0"), values)


def test_large_bodies_that_are_wrong_say_so(client):
    values = np.zeros((1, 200_000), np.float32)
    assert "nope" in str(refusal(client.infer, "echo", [tensor("nope", values, "FP32", False)]))


def test_peers_that_leave_large_bodies_behind(server):
    body = b'{"inputs": [{"name": "IN0", "shape": [1, 300000], "datatype": "FP32", "data": [' + b"1," * 299_999 + b"1]}]}"
    head = b"POST /v2/models/echo/infer HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port)) as peer:
            peer.sendall(head + body)
    with http.InferenceServerClient(server.url) as client:
        assert client.is_server_live()
