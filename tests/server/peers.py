# SPDX-License-Identifier: Apache-2.0
"""Servers for tests, their models, and plain sockets to talk to them."""
import os
import re
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STARTED = re.compile(r"Started HTTPService at [^:]+:(\d+)")


def find_server():
    """The server with the test backend; None where it is not built."""
    build = os.environ.get("QN_BUILD")
    builds = [Path(build)] if build else [ROOT / "build/dev", ROOT / "build/release", ROOT / "build"]
    for folder in builds:
        path = folder / "tests/server/quern_test_server"
        if path.is_file():
            return path
    return None


class Server:
    """A running server: its port, its log so far, and its end."""

    def __init__(self, command):
        self.process = subprocess.Popen([str(word) for word in command], stderr=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True)
        self.lines, self.port, self.started = [], None, threading.Event()
        self.reader = threading.Thread(target=self.read_log, daemon=True)
        self.reader.start()
        self.started.wait(30)

    def read_log(self):
        for line in self.process.stderr:
            self.lines.append(line)
            match = STARTED.search(line)
            if match:
                self.port = int(match[1])
                self.started.set()
        self.started.set()

    @property
    def log(self):
        return "".join(self.lines)

    @property
    def url(self):
        return f"127.0.0.1:{self.port}"

    def wait_ready(self, timeout=60):
        """Waits until all models were loaded, or have failed."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and self.process.poll() is None:
            if self.ask(b"GET /v2/health/ready HTTP/1.1\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 200"):
                return self
            time.sleep(0.05)
        raise AssertionError(f"the server did not become ready:\n{self.log}")

    def connect(self, timeout=10):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def ask(self, data, timeout=10):
        """Sends bytes on a connection of their own and gives all that comes back until it is closed."""
        with self.connect(timeout) as peer:
            peer.sendall(data)
            return read_all(peer)

    def stop(self, number=signal.SIGTERM, timeout=30):
        """Ends the server and gives its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(timeout)
        finally:
            if self.process.poll() is None:
                self.process.kill()
        self.reader.join(5)
        return status


def read_all(peer):
    """What comes until the peer closes, or is reset."""
    parts = []
    while True:
        try:
            part = peer.recv(65536)
        except ConnectionResetError:
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def tensor_lines(kind, names, types, dims):
    return "".join(f'{kind} {{ name: "{name}" data_type: TYPE_{kind_of} dims: [ {dims} ] }}\n'
                   for name, kind_of in zip(names, types))


def write_model(folder, name, types, dims="-1", max_batch_size=0, versions=(1,), extra=""):
    """A model of the identity backend: IN<i> becomes OUT<i>."""
    model = folder / name
    for version in versions:
        (model / str(version)).mkdir(parents=True)
    (model / "config.pbtxt").write_text(
        f'backend: "identity"\nmax_batch_size: {max_batch_size}\n'
        + tensor_lines("input", [f"IN{i}" for i in range(len(types))], types, dims)
        + tensor_lines("output", [f"OUT{i}" for i in range(len(types))], types, dims) + extra)


TYPES = ["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64",
         "STRING", "BF16"]


def parameter(key, value):
    return f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}\n'
