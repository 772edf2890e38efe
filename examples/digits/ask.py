#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks a running server which digit a picture shows.

    ask.py HOST:PORT PICTURE.png...
"""
import http.client
import json
import struct
import sys
import zlib


def read_chunks(data):
    """{name: content} of a PNG file; contents of the same name are joined."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("not a PNG file")
    chunks, at = {}, 8
    while at + 8 <= len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        chunks[name] = chunks.get(name, b"") + data[at + 8:at + 8 + size]
        at += size + 12
    return chunks


def predict(kind, left, above, corner):
    """What PNG's filter `kind` expects a pixel to be, from its three neighbours."""
    if kind == 4:  # Paeth: the neighbour nearest to left + above - corner
        estimate = left + above - corner
        return min((left, above, corner), key=lambda pixel: abs(estimate - pixel))
    return (0, left, above, (left + above) // 2)[kind]


def read_png(path):
    """Width, height and pixels of a PNG file with 8 bits of grey per pixel."""
    with open(path, "rb") as file:
        chunks = read_chunks(file.read())
    width, height, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if form != [8, 0, 0, 0, 0]:
        raise ValueError("expected 8-bit grey without interlacing")
    rows = zlib.decompress(chunks[b"IDAT"])
    pixels, above = [], [0] * width
    for y in range(height):
        kind, *row = rows[y * (width + 1):(y + 1) * (width + 1)]
        for x in range(width):
            left, corner = (row[x - 1], above[x - 1]) if x else (0, 0)
            row[x] = (row[x] + predict(kind, left, above[x], corner)) % 256
        pixels += row
        above = row
    return width, height, pixels


def infer(address, model, request):
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request("POST", f"/v2/models/{model}/infer", json.dumps(request),
                       {"Content-Type": "application/json"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    if answer.status != 200:
        sys.exit(f"ask.py: the server answered {answer.status}: {body.get('error')}")
    return body


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    address, *paths = sys.argv[1:]
    for path in paths:
        width, height, pixels = read_png(path)
        image = {"name": "image", "datatype": "FP32", "shape": [1, 1, height, width],
                 "data": [pixel / 255 for pixel in pixels]}
        outputs = infer(address, "digits", {"inputs": [image]})["outputs"]
        probabilities = outputs[0]["data"]
        digit = max(range(10), key=probabilities.__getitem__)
        print(f"{path}: {digit}, with probability {probabilities[digit]:.4f}")


main()
