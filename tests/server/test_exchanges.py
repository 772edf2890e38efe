# SPDX-License-Identifier: Apache-2.0
"""Exchanges recorded with another server of the protocol, sent again: same status, same meaning, but where said."""
import json
import socket
import time

import pytest
from exchanges import load, parse_answers, recorded_answer, request_bytes, same_json

FOLDER = "triton-exchanges"
SECTIONS = ["health", "metadata", "config", "infer", "types", "binary", "error", "http", "compression"]

# What differs on purpose, by the reason.  An exchange that is listed here and does not differ fails the test.
DIFFERENT = {
    "models that need ensembles or sequences are not served yet": [
        "health-02", "health-08", "metadata-13", "metadata-14", "metadata-15", "metadata-16", "metadata-17",
        "metadata-24", "config-05", "infer-41", "infer-44", "infer-45", "infer-46", "infer-47", "infer-48"],
    "the server says who it is and what it can do": ["health-03", "http-102", "http-106"],
    "numbers that do not fit are refused": [
        "infer-27", "types-41", "types-42", "types-43", "types-45", "types-46", "types-47", "error-81"],
    "strings keep their zero bytes": ["types-65", "types-67"],
    "what is no UTF-8 does not go into JSON unchanged": ["types-66", "types-68", "error-71"],
    "of several wrong inputs the first is named": ["infer-33", "error-29"],
    "the words of another engine": ["infer-56"],
    "the words about JSON are our own": [
        "binary-05", "error-61", "error-62", "error-63", "error-68", "error-69", "error-70", "error-72", "error-76",
        "error-77", "error-79", "error-80"],
    "the length of the JSON must be a number": ["binary-09", "binary-10"],
    "the input is named as in the configuration": ["binary-16"],
    "the list of missing inputs is well-formed": ["error-07"],
    "a batch of none is a batch": ["error-28"],
    "an empty body is no raw request": ["error-60", "http-69"],
    "nesting is limited": ["error-84"],
    "what is no clean HTTP gets an answer, or is no longer accepted": [
        "http-19", "http-21", "http-23", "http-25", "http-68", "http-70", "http-71", "http-72", "http-73", "http-89",
        "http-90", "http-91", "http-92", "http-93", "http-94", "http-95", "http-97", "http-98", "http-101"],
    "chunk extensions are allowed": ["http-66"],
    "permission to send a body is given when it is asked for and of use": ["http-77", "http-78"],
    "pipelined requests are all answered": ["http-80"],
    "routes that are not there yet": ["http-59"],
    "what is no clean compressed body is refused": ["compression-03", "compression-10", "compression-11",
                                                    "compression-12", "compression-13"],
}
REASONS = {name: reason for reason, names in DIFFERENT.items() for name in names}


@pytest.fixture(scope="module")
def recorded(data, start_server):
    """A server on the repository of the recording, and the folder."""
    folder = data(FOLDER)
    server = start_server(f"--model-repository={folder / 'repository'}", "--exit-on-error=false", "--id=mill", wait=False)
    lines = b"GET /v2/models/warmup/ready HTTP/1.1\r\nConnection: close\r\n\r\n"
    for _ in range(200):  # the last model by name
        if server.ask(lines).startswith(b"HTTP/1.1 200"):
            return server, folder
        time.sleep(0.05)
    raise AssertionError(server.log)


def exchange(server, request, expected):
    """Sends one request and gives the answers, as soon as there are as many as expected, or nothing comes for a while."""
    data = b""
    with server.connect() as peer:
        peer.sendall(request_bytes(request))
        peer.settimeout(0.3)
        try:
            while part := peer.recv(65536):
                data += part
                if expected and len(parse_answers(data)) == expected and data.endswith((b"}", b"]", b"\n")):
                    peer.settimeout(0.02)
        except (socket.timeout, ConnectionResetError):
            pass
    return parse_answers(data, request.get("method") == "HEAD")


def answers_of(line):
    return [recorded_answer(one) for one in line.get("responses", [line.get("response")]) if one]


def is_same(got, want):
    return len(got) == len(want) and all(a.status == b.status and same_json(a, b) for a, b in zip(got, want))


@pytest.mark.parametrize("section", SECTIONS)
def test_recorded_answers_are_given_again(recorded, section):
    server, folder = recorded
    wrong = []
    for line in load(folder / "http.jsonl", "main", [section]):
        request = line["request"]
        if "parts_b64" in request or request.get("parallel"):
            continue
        want = answers_of(line)
        got = exchange(server, request, len(want))
        if is_same(got, want) == (line["id"] in REASONS):
            wrong.append(f"{line['id']} {line['note']}: got {[(a.status, a.text[:200]) for a in got]}, recorded "
                         f"{[(a.status, a.text[:200]) for a in want]}")
    assert not wrong, "\n".join(wrong)


def completed(folder):
    return sorted(path.stem for path in (folder / "autocomplete").glob("*.json"))


def test_configurations_are_completed_as_recorded(recorded):
    server, folder = recorded
    wrong = []
    for name in completed(folder):
        want = json.loads((folder / "autocomplete" / f"{name}.json").read_text())
        answer = parse_answers(server.ask(f"GET /v2/models/{name}/config HTTP/1.1\r\nConnection: close\r\n\r\n".encode()))[0]
        if answer.status != 200 or "config" not in want:
            continue
        ours, theirs = answer.json, want["config"]
        for key in ("input", "output"):
            ours[key] = sorted(ours[key], key=lambda tensor: tensor["name"])
            theirs[key] = sorted(theirs[key], key=lambda tensor: tensor["name"])
        different = {key: (ours.get(key), theirs.get(key)) for key in ours.keys() | theirs.keys()
                     if ours.get(key) != theirs.get(key)}
        if different:
            wrong.append(f"{name}: {different}")
    assert not wrong, "\n".join(wrong)
