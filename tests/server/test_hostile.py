# SPDX-License-Identifier: Apache-2.0
"""Peers that mean harm, or have gone wrong: each is answered or cut off, and the server serves the next one."""
import json
import struct
import time
import zlib

import pytest
from peers import read_all

LIVE = b"GET /v2/health/live HTTP/1.1\r\nConnection: close\r\n\r\n"


@pytest.fixture(autouse=True)
def still_lives(server):
    yield
    assert server.ask(LIVE).startswith(b"HTTP/1.1 200 OK\r\n")
    assert server.process.poll() is None


def post(body, path="/v2/models/echo/infer", headers=()):
    lines = [f"POST {path} HTTP/1.1", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def statuses(answer):
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def message(answer):
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])["error"]


@pytest.mark.parametrize("name, request_bytes, status", [
    ("both lengths", b"POST /v2/models/echo/infer HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
     b"0\r\n\r\nGET /v2/models/smuggled HTTP/1.1\r\n\r\n", 400),
    ("two lengths", b"POST /x HTTP/1.1\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde", 400),
    ("two codings", b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ("odd coding", b"POST /x HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
    ("bare LF", b"GET /v2 HTTP/1.1\nHost: a\n\n", 400),
    ("folded", b"GET /v2 HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
    ("space before colon", b"GET /v2 HTTP/1.1\r\nA : b\r\n\r\n", 400),
    ("NUL", b"GET /v2\0 HTTP/1.1\r\n\r\n", 400),
    ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ("large head", b"GET /v2 HTTP/1.1\r\nX: " + b"x" * 20000 + b"\r\n\r\n", 431),
    ("many headers", b"GET /v2 HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
    ("large body", b"POST /v2/models/echo/infer HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
    ("bad chunk", b"POST /v2/models/echo/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
])
def test_what_is_no_clean_request_is_refused_once(server, name, request_bytes, status):
    answer = server.ask(request_bytes)
    assert statuses(answer) == [status], answer[:300]
    assert b"Connection: close" in answer


def test_pipelined_requests_are_answered_in_order(server):
    body = json.dumps({"inputs": [{"name": "IN0", "shape": [1, 1], "datatype": "FP32", "data": [7]}]}).encode()
    one = b"POST /v2/models/echo/infer HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    answer = server.ask(b"GET /v2 HTTP/1.1\r\n\r\n" + one + b"GET /nope HTTP/1.1\r\n\r\n" + one + LIVE)
    assert statuses(answer) == [200, 200, 404, 200, 200]


def test_thousands_of_pipelined_requests(server):
    answer = server.ask(b"GET /v2/health/live HTTP/1.1\r\n\r\n" * 5000 + LIVE, timeout=60)
    assert statuses(answer) == [200] * 5001


def test_a_request_may_come_byte_by_byte(server):
    with server.connect() as peer:
        for byte in LIVE:
            peer.sendall(bytes([byte]))
        assert read_all(peer).startswith(b"HTTP/1.1 200")


def test_bodies_wait_for_permission(server):
    body = json.dumps({"inputs": [{"name": "IN0", "shape": [1, 1], "datatype": "FP32", "data": [7]}]}).encode()
    with server.connect() as peer:
        peer.sendall(post(body, headers=["Expect: 100-continue"])[:-len(body)])
        assert peer.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(body)
        assert statuses(read_all(peer)) == [200]


def test_a_refused_body_is_not_waited_for(server):
    with server.connect() as peer:
        peer.sendall(b"POST /nope HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n")
        assert statuses(read_all(peer)) == [404]


def test_tiny_chunks_are_limited(server):
    head = b"POST /v2/models/echo/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = server.ask(head + b"1\r\n \r\n" * 70000, timeout=60)
    assert statuses(answer) == [400] and "more chunks" in message(answer)


def test_chunked_bodies_are_bodies(server):
    body = json.dumps({"inputs": [{"name": "IN0", "shape": [1, 1], "datatype": "FP32", "data": [7]}]}).encode()
    chunks = b"".join(b"%x;e=1\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]))
    head = b"POST /v2/models/echo/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert statuses(server.ask(head + chunks + b"0\r\nTrailer: x\r\n\r\n")) == [200]


def test_peers_that_leave_in_the_middle(server):
    for data in (b"GET /v2", b"POST /v2/models/echo/infer HTTP/1.1\r\nContent-Length: 100\r\n\r\nabc"):
        with server.connect() as peer:
            peer.sendall(data)
    with server.connect() as peer:  # and one whose request is running
        body = json.dumps({"inputs": [{"name": "IN0", "shape": [1], "datatype": "FP32", "data": [7]}]}).encode()
        peer.sendall(post(body, "/v2/models/slow/infer"))
        time.sleep(0.1)


@pytest.mark.parametrize("body, status", [
    (b"[" * 200000, 500),
    (b'{"inputs":' + b"[" * 100000, 500),
    (b'{"inputs":[{"name":"IN0","shape":[1,1],"datatype":"FP32","data":' + b"[" * 200 + b"]" * 200 + b"}]}", 500),
    (b"", 500),
    (b"\xff\xfe{}", 500),
    (b'{"inputs":[{"name":"IN0","shape":[9223372036854775807,2],"datatype":"FP32","data":[1]}]}', 500),
    (b'{"inputs":[{"name":"IN0","shape":[1,2147483648,2147483648],"datatype":"FP32","data":[1]}]}', 500),
    (b'{"inputs":[{"name":"IN0","shape":[1,4611686018427387904],"datatype":"FP32","data":[1]}]}', 500),
    (b'{"inputs":[{"name":"IN0","shape":[1,1],"datatype":"FP32","data":[1e400]}]}', 400),
    (b'{"inputs":[{"name":"IN0","shape":[' + b"1," * 50 + b'1],"datatype":"FP32","data":[1]}]}', 400),
    (b'{"inputs":[' + b",".join([b'{"name":"IN0","shape":[1,1],"datatype":"FP32","data":[1]}'] * 5000) + b"]}", 400),
    (b'{"inputs":[],"outputs":[' + b",".join([b'{"name":"x"}'] * 5000) + b"]}", 400),
    (b'{"parameters":{"triton_x":1},"inputs":[]}', 400),
    (b'{"parameters":{"a":[1]},"inputs":[]}', 400),
])
def test_hostile_json_is_refused(server, body, status):
    answer = server.ask(post(body), timeout=60)
    assert statuses(answer) == [status], answer[:300]


def test_integers_that_do_not_fit_are_not_wrapped(server):
    body = b'{"inputs":[{"name":"IN0","shape":[1],"datatype":"INT8","data":[300]}]}'
    answer = server.ask(post(body, "/v2/models/id_int8/infer"))
    assert statuses(answer) == [400] and "does not fit INT8" in message(answer)


def binary_request(size, data, shape="[1,1]", datatype="FP32", model="echo"):
    head = (f'{{"inputs":[{{"name":"IN0","shape":{shape},"datatype":"{datatype}",'
            f'"parameters":{{"binary_data_size":{size}}}}}]}}').encode()
    return post(head + data, f"/v2/models/{model}/infer", [f"Inference-Header-Content-Length: {len(head)}"])


@pytest.mark.parametrize("size, data, text", [
    ("8", b"1234", "unexpected size for input 'IN0', expecting 4 additional bytes for model 'echo'"),
    ("4", b"12345678", "unexpected additional input data for model 'echo'"),
    ("-4", b"1234", "Unable to parse 'binary_data_size': attempt to access JSON non-unsigned-integer as unsigned-integer"),
    ("9223372036854775808", b"1234", "unexpected size for input 'IN0', expecting 9223372036854775804 additional bytes "
     "for model 'echo'"),
    ("2", b"12", "[request id: <id_unknown>] input byte size mismatch for input 'IN0' for model 'echo'. Expected 4, got 2"),
])
def test_binary_sizes_must_be_true(server, size, data, text):
    answer = server.ask(binary_request(size, data))
    assert message(answer) == text


@pytest.mark.parametrize("data, shape, text", [
    (struct.pack("<I", 100) + b"abc", "[1]", "incomplete string data for inference input 'IN0', expecting string of "
     "length 100 but only 3 bytes available"),
    (struct.pack("<I", 0) * 2, "[3]", "expected 3 string elements for inference input 'IN0' for model 'id_string', got 2"),
    (struct.pack("<I", 0) * 2, "[1]", "unexpected number of string elements 2 for inference input 'IN0' for model "
     "'id_string', expecting 1"),
    (struct.pack("<I", 0) + b"ab", "[2]", "incomplete string length indicator for inference input 'IN0' for model "
     "'id_string', expecting 4 bytes but only 2 bytes available. Please make sure the string length indicator is in one "
     "buffer."),
    (b"", "[9223372036854775807]", "expected 9223372036854775807 string elements for inference input 'IN0' for model "
     "'id_string', got 0"),
])
def test_strings_must_add_up(server, data, shape, text):
    answer = server.ask(binary_request(len(data), data, shape, "BYTES", "id_string"))
    assert message(answer).endswith(text)


@pytest.mark.parametrize("value", ["-5", "100000", "99999999999999999999", "abc"])
def test_json_sizes_must_be_true(server, value):
    answer = server.ask(post(b"{}", headers=[f"Inference-Header-Content-Length: {value}"]))
    assert message(answer) == f"inference header size should be in range (0, 2), got: {value}"


@pytest.mark.parametrize("path", [
    "/v2/models/../models/echo", "/v2/models/%2e%2e/echo", "//v2", "/v2/", "/v2/models/", "/v2/models/echo/",
    "/v2/models/echo/versions/x", "/v2/models/echo/versions/-1/ready", "/V2", "/v2/health/live/", "/metrics", "/"])
def test_paths_match_exactly(server, path):
    answer = server.ask(f"GET {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
    assert statuses(answer) == [404] and message(answer) == "Not Found"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO", "GET"])
def test_methods_are_those_of_the_route(server, method):
    answer = server.ask(f"{method} /v2/models/echo/infer HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
    assert statuses(answer) == [405] and message(answer) == "Method Not Allowed"


def test_head_has_no_body(server):
    answer = server.ask(b"HEAD /v2 HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert statuses(answer) == [405] and answer.endswith(b"\r\n\r\n") and b"Content-Length: 30" in answer


def test_raw_requests_are_the_only_input(server):
    data = struct.pack("<3f", 1, 2, 3)
    answer = server.ask(post(data, "/v2/models/id_fp32/infer", ["Inference-Header-Content-Length: 0"]))
    assert statuses(answer) == [200] and answer.endswith(data) and b"application/octet-stream" in answer
    answer = server.ask(post(data, "/v2/models/pair/infer", ["Inference-Header-Content-Length: 0"]))
    assert message(answer) == ("[request id: <id_unknown>] Raw request must only have 1 input (found 1) to be deduced "
                               "but got 2 inputs in 'pair' model configuration")


def test_ids_cannot_inject_headers_or_lines(server):
    body = json.dumps({"id": "a\r\nX: y", "inputs": [{"name": "IN0", "shape": [1, 1], "datatype": "FP32",
                                                       "data": [1]}]}).encode()
    answer = server.ask(post(body))
    assert json.loads(answer.split(b"\r\n\r\n", 1)[1])["id"] == "a\r\nX: y"
    assert b"X: y" not in answer.split(b"\r\n\r\n")[0]


def test_memory_for_bodies_is_bounded(start_server, repository):
    small = start_server(f"--model-repository={repository}", "--request-memory-bytes=100000")
    with small.connect() as holder:
        holder.sendall(b"POST /v2/models/echo/infer HTTP/1.1\r\nContent-Length: 90000\r\n\r\n")
        time.sleep(0.2)
        assert statuses(small.ask(post(b" " * 90000))) == [503]
        chunked = b"POST /v2/models/echo/infer HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nx"
        assert statuses(small.ask(chunked)) == [503]
    time.sleep(0.3)
    answer = small.ask(post(b" " * 90000))
    assert statuses(answer) == [500], "what the holder held is given back"
    assert small.stop() == 0


@pytest.mark.parametrize("body, text", [
    (zlib.compress(b" " * (65 << 20)), "Decompressed data size exceeds the maximum allowed value of 67108864 bytes. Use "
     "--http-max-input-size to increase the limit."),
    (b"", "nothing to be decompressed"),
    (b"no gzip at all", "the compressed body is damaged"),
    (zlib.compress(b"{}" * 1000)[:-5], "the compressed body is cut off"),
    (zlib.compress(b"{}") + b"more", "the compressed body is followed by something else"),
])
def test_compressed_bodies_are_unpacked_within_limits(server, body, text):
    answer = server.ask(post(body, headers=["Content-Encoding: gzip"]))
    assert statuses(answer) == [400] and message(answer) == text


def test_slow_peers_are_cut_off(start_server, repository):
    strict = start_server(f"--model-repository={repository}", "--http-head-timeout-secs=1", "--http-body-timeout-secs=1",
                          "--http-idle-timeout-secs=1")
    for data in (b"", b"GET /v2 HTT", b"POST /v2/models/echo/infer HTTP/1.1\r\nContent-Length: 10\r\n\r\nab"):
        began = time.monotonic()
        assert strict.ask(data) == b""
        assert time.monotonic() - began < 5
    with strict.connect() as peer:  # a byte now and then does not help
        began = time.monotonic()
        try:
            while time.monotonic() - began < 8:
                peer.sendall(b"G")
                time.sleep(0.2)
        except OSError:
            pass
        assert time.monotonic() - began < 6
    assert strict.stop() == 0
