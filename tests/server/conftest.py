# SPDX-License-Identifier: Apache-2.0
"""Servers on a free port of the loopback address, ended with the tests, and models for them."""
import pytest
from peers import TYPES, Server, find_server, parameter, write_model


@pytest.fixture(scope="session")
def start_server():
    """start_server("--model-repository=...", ...) gives a Server; those that still run are ended with the tests."""
    path = find_server()
    if path is None:
        pytest.skip("no program named quern_test_server in the build folder")
    servers = []

    def start(*options, wait=True):
        server = Server([path, "--http-address=127.0.0.1", "--http-port=0", *options])
        servers.append(server)
        return server.wait_ready() if wait else server

    yield start
    running = [server for server in servers if server.process.poll() is None]
    bad = [server.log for server in running if server.stop() != 0]
    assert not bad, "\n".join(bad)


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """Models of the identity backend: one per data type and some with habits."""
    folder = tmp_path_factory.mktemp("repository")
    for kind in TYPES:
        write_model(folder, f"id_{kind.lower()}", [kind])
    write_model(folder, "echo", ["FP32"], max_batch_size=8)
    write_model(folder, "pair", ["INT32", "INT32"], "4", max_batch_size=8)
    write_model(folder, "mixed", ["FP32", "STRING", "INT64"])
    write_model(folder, "versions", ["FP32"], versions=(1, 2, 3), extra="version_policy { specific { versions: [1, 3] } }\n")
    write_model(folder, "slow", ["FP32"], extra=parameter("delay_ms", 700))
    write_model(folder, "failing", ["FP32"], extra=parameter("fail", "it was told to"))
    write_model(folder, "silent", ["FP32"], extra=parameter("responses", 0))
    write_model(folder, "queue", ["FP32"], max_batch_size=4,
                extra="dynamic_batching { default_queue_policy { max_queue_size: 1 } }\n" + parameter("delay_ms", 400))
    return folder


@pytest.fixture(scope="session")
def server(start_server, repository):
    """One server on the repository, for tests that leave it as it was."""
    return start_server(f"--model-repository={repository}", "--id=mill")
