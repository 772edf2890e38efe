# SPDX-License-Identifier: Apache-2.0
"""Spectra."""
import numpy as np


def transform(graph):
    x = graph.pick(lambda v: v.dtype in (np.float32, np.float64) and v.rank >= 2 and v.array.size)
    if not x:
        return
    real = x.shape[-1] == 1
    if x.shape[-1] not in (1, 2):
        made = graph.add("Unsqueeze", [x, graph.ints(-1)])
        x, real = made and made[0], True
    if not x:
        return
    axis = graph.integer(1, x.rank - 2) if x.rank > 2 else None
    attributes = {"onesided": graph.integer(0, 1) if real else 0}
    if not attributes["onesided"]:
        attributes["inverse"] = graph.integer(0, 1)
    length = graph.constant(np.int64(graph.integer(2, 9))) if graph.chance(0.3) else None
    if axis is None or x.shape[axis] < 2:
        return
    if graph.opset < 20:
        graph.add("DFT", [x, length], axis=axis, **attributes)
    else:
        graph.add("DFT", [x, length, graph.constant(np.int64(axis))], **attributes)


def windows(graph):
    op = graph.choose(["HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix"])
    if op == "MelWeightMatrix":
        numbers = [np.int64(graph.integer(3, 8)), np.int64(32), np.int64(8000), np.float32(100), np.float32(3500)]
        graph.add(op, [graph.constant(number) for number in numbers])
    else:
        graph.add(op, [graph.constant(np.int64(graph.integer(2, 20)))], periodic=graph.integer(0, 1))


def frames(graph):
    x = graph.pick(lambda v: v.dtype in (np.float32, np.float64) and v.rank == 2 and v.shape[0] and v.shape[1] >= 8)
    made = x and graph.add("Unsqueeze", [x, graph.ints(-1)])
    if made:
        window = graph.constant(graph.rng.uniform(0.2, 1, 8).astype(x.dtype)) if graph.chance(0.7) else None
        length = graph.constant(np.int64(8)) if window is None or graph.chance(0.5) else None
        graph.add("STFT", [made[0], graph.constant(np.int64(graph.integer(1, 4))), window, length], onesided=graph.integer(0, 1))
