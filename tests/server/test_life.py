# SPDX-License-Identifier: Apache-2.0
"""How a server begins and ends: options, models that fail, signals."""
import json
import signal
import subprocess
import threading
import time

import pytest
from peers import find_server, write_model

BODY = json.dumps({"inputs": [{"name": "IN0", "shape": [1], "datatype": "FP32", "data": [7]}]}).encode()


def post(model):
    return b"POST /v2/models/%s/infer HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (model.encode(), len(BODY), BODY)


@pytest.fixture
def command():
    path = find_server()
    if path is None:
        pytest.skip("no program named quern_test_server in the build folder")

    def run(*options):
        return subprocess.run([str(path), *options], capture_output=True, text=True, timeout=30, check=False)

    return run


@pytest.mark.parametrize("options, text", [
    ([], "--model-repository must be given"),
    (["--model-repositry=x"], "unknown option --model-repositry; did you mean --model-repository?"),
    (["--model-repository=x", "--http-port=99999"], 'Bad option: "--http-port": got \'99999\', expected a number from 0 to 65535'),
    (["--model-repository=x", "--strict-readiness=maybe"], "expected true or false"),
    (["--model-repository"], "option --model-repository needs a value"),
    (["folder"], "Unexpected argument: folder"),
])
def test_wrong_usage_says_what_is_wrong(command, options, text):
    result = command(*options)
    assert result.returncode == 2 and text in result.stderr


def test_help_shows_every_option(command):
    result = command("--help")
    assert result.returncode == 0 and "--model-repository" in result.stdout and "examples:" in result.stdout


@pytest.mark.parametrize("options, text", [
    (["--model-repository=/nonexistent"], "repository path is not a valid directory"),
    (["--model-repository=.", "--http-address=999.1.1.1"], "expected a numeric address"),
])
def test_what_cannot_begin_ends_with_1(command, options, text):
    result = command(*options)
    assert result.returncode == 1 and text in result.stderr


def test_a_taken_port_is_an_error(command, server, repository):
    result = command(f"--model-repository={repository}", "--http-address=127.0.0.1", f"--http-port={server.port}")
    assert result.returncode == 1 and "already in use" in result.stderr


def test_running_requests_finish_before_the_end(start_server, repository):
    server = start_server(f"--model-repository={repository}")
    idle, busy = server.connect(), server.connect()
    busy.sendall(post("slow"))
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTERM)
    assert idle.recv(10) == b"", "an idle connection is closed at once"
    answer = busy.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200") and b"Connection: close" in answer
    assert server.process.wait(10) == 0
    server.reader.join(5)
    assert "Signal (15) received." in server.log


def test_the_exit_timeout_ends_it_all_the_same(start_server, tmp_path):
    write_model(tmp_path, "stuck", ["FP32"], extra='parameters { key: "delay_ms" value { string_value: "20000" } }\n')
    for options, signals in ((["--exit-timeout-secs=1"], 1), ([], 2)):
        server = start_server(f"--model-repository={tmp_path}", *options)
        with server.connect() as peer:
            peer.sendall(post("stuck"))
            time.sleep(0.3)
            began = time.monotonic()
            for _ in range(signals):
                server.process.send_signal(signal.SIGINT)
                time.sleep(0.3)
            assert server.process.wait(10) == 1
            assert time.monotonic() - began < 5


def test_a_peer_that_leaves_cancels_its_request(start_server, tmp_path):
    write_model(tmp_path, "stuck", ["FP32"], extra='parameters { key: "delay_ms" value { string_value: "20000" } }\n')
    server = start_server(f"--model-repository={tmp_path}")
    with server.connect() as peer:
        peer.sendall(post("stuck"))
        time.sleep(0.3)
    began = time.monotonic()
    assert server.stop() == 0 and time.monotonic() - began < 5


def test_models_that_fail_end_the_server_or_not(start_server, tmp_path):
    write_model(tmp_path, "good", ["FP32"])
    write_model(tmp_path, "bad", ["FP32"], dims="0")
    (tmp_path / "worse/1").mkdir(parents=True)
    (tmp_path / "worse/config.pbtxt").write_text("max_batch_sise: 3\n")
    strict = start_server(f"--model-repository={tmp_path}", wait=False)
    assert strict.process.wait(20) == 1
    strict.reader.join(5)
    assert "dimension must be integer >= 1, or -1 to indicate a variable-size dimension for bad" in strict.log
    assert "max_batch_size" in strict.log, "the nearest known field is named"
    lax = start_server(f"--model-repository={tmp_path}", "--exit-on-error=false", wait=False)
    end = time.monotonic() + 10
    while "failed to load 'worse'" not in lax.log and time.monotonic() < end:
        time.sleep(0.05)
    ready = b"GET /v2/%s HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert lax.ask(ready % b"models/good/ready").startswith(b"HTTP/1.1 200")
    assert lax.ask(ready % b"models/bad/ready").startswith(b"HTTP/1.1 400")
    assert lax.ask(ready % b"health/ready").startswith(b"HTTP/1.1 400")
    assert lax.ask(ready % b"models/bad").startswith(b"HTTP/1.1 404")
    assert lax.stop() == 0


def test_the_same_name_in_two_repositories_is_neither(start_server, tmp_path):
    for name in ("a", "b"):
        write_model(tmp_path / name, "twice", ["FP32"])
        write_model(tmp_path / name, f"once_{name}", ["FP32"])
    server = start_server(f"--model-repository={tmp_path / 'a'}", "--model-repository", tmp_path / "b")
    ready = b"GET /v2/models/%s/ready HTTP/1.1\r\nConnection: close\r\n\r\n"
    assert server.ask(ready % b"once_a").startswith(b"HTTP/1.1 200")
    assert server.ask(ready % b"once_b").startswith(b"HTTP/1.1 200")
    assert server.ask(ready % b"twice").startswith(b"HTTP/1.1 400")
    assert "'twice': not unique across all model repositories" in server.log


def test_clients_and_ends_at_once(start_server, repository):
    server = start_server(f"--model-repository={repository}")
    failures = []

    def ask():
        try:
            while True:
                answer = server.ask(post("id_fp32").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
                if answer and not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 503")):
                    failures.append(answer)
        except OSError:
            pass

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert server.stop() == 0
    for thread in threads:
        thread.join(10)
    assert not failures
