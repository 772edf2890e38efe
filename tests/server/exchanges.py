# SPDX-License-Identifier: Apache-2.0
"""Recorded exchanges with another server of the same protocol: sending them again, and comparing the answers."""
import base64
import json
import struct
import zlib


def load(path, server, sections):
    """The lines for one server and some sections, in the order of the file."""
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            exchange = json.loads(line)
            if exchange["server"] == server and exchange["section"] in sections:
                yield exchange


def request_bytes(request):
    """The bytes of a request that is not given as bytes."""
    if "raw_b64" in request:
        return base64.b64decode(request["raw_b64"])
    head = [f"{request['method']} {request['path']} HTTP/1.1", *(f"{name}: {value}" for name, value in request["headers"])]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + base64.b64decode(request.get("body_b64") or "")


class Answer:
    """One HTTP answer, taken apart."""

    def __init__(self, status, headers, body):
        if headers.get("content-encoding") in ("gzip", "deflate"):
            body = zlib.decompress(body, 15 + 32)
        self.status, self.headers, self.body = status, headers, body
        size = self.headers.get("inference-header-content-length")
        self.text, self.tail = (body, b"") if size is None else (body[:int(size)], body[int(size):])
        try:
            self.json = json.loads(self.text)
        except ValueError:
            self.json = None


def parse_answers(data, is_head=False):
    """The answers in a stream of bytes; an incomplete one at the end is left out."""
    answers = []
    while b"\r\n\r\n" in data:
        head, data = data.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        size = 0 if is_head else int(headers.get("content-length", 0))
        answers.append(Answer(int(lines[0].split()[1]), headers, data[:size]))
        data = data[size:]
    return answers


def recorded_answer(response):
    return Answer(response["status"], {name.lower(): value for name, value in response["headers"]},
                  base64.b64decode(response.get("body_b64") or ""))


def outputs_by_name(answer):
    """The outputs with their binary data, by name: their order is the model's own business."""
    outputs, at = {}, 0
    for output in answer.json["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size")
        raw = None if size is None else answer.tail[at:at + size]
        at += size or 0
        outputs[output["name"]] = (output, raw)
    return outputs


def close(a, b):
    """Numbers in JSON are the same where they are floats of the same size; other values where they are equal."""
    if isinstance(a, float) or isinstance(b, float):
        return a == b or abs(a - b) <= 1e-5 * max(1.0, abs(a), abs(b)) or (a != a and b != b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    return a == b


def close_raw(a, b, datatype):
    if datatype != "FP32" or a is None or b is None:
        return a == b
    return len(a) == len(b) and all(map(close, struct.unpack(f"<{len(a) // 4}f", a), struct.unpack(f"<{len(b) // 4}f", b)))


def same_inference(got, want):
    if {k: v for k, v in got.json.items() if k != "outputs"} != {k: v for k, v in want.json.items() if k != "outputs"}:
        return False
    ours, theirs = outputs_by_name(got), outputs_by_name(want)
    if ours.keys() != theirs.keys():
        return False
    for name, (output, raw) in theirs.items():
        mine, my_raw = ours[name]
        if mine.keys() != output.keys() or not all(close(mine[key], output[key]) for key in output):
            return False
        if not close_raw(my_raw, raw, output["datatype"]):
            return False
    return True


def by_name(tensors):
    return sorted(tensors, key=lambda tensor: tensor["name"])


def same_json(got, want):
    """Objects as such, lists of named tensors in any order."""
    if got.json is None or want.json is None:
        return got.json is None and want.json is None and got.text == want.text
    if isinstance(want.json, dict) and "outputs" in want.json and "model_name" in want.json:
        return same_inference(got, want)
    ours, theirs = dict(got.json), dict(want.json)
    for key in ("inputs", "outputs", "input", "output"):
        if key in theirs and key in ours:
            ours[key], theirs[key] = by_name(ours[key]), by_name(theirs[key])
    return ours == theirs
