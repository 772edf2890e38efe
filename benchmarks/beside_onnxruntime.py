#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times models beside ONNX Runtime: interleaved, fresh inputs, outputs compared inside the loop, medians.

    beside_onnxruntime.py [--package build/release/python] [--rounds 30] [--shape NAME=1x3x64x64]... MODEL...

One line for each model, thread count and pause: both medians and their ratio (over 1: quern is faster).  Both compute in
fp32.  ONNX Runtime's threads spin on for some 25 ms after a run; without a pause they hold a core while the other engine is
timed, so each is timed both back to back and after a pause.  Close other programs first: the load is printed.
"""
import argparse
import os
import platform
import sys
import time

import numpy as np


def cpu_name():
    with open("/proc/cpuinfo") as lines:
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def make_feeds(session, shapes, seed):
    rng = np.random.default_rng(seed)
    feeds = {}
    for value in session.get_inputs():
        shape = shapes.get(value.name) or [d if isinstance(d, int) else 1 for d in value.shape]
        if "float" in value.type:
            feeds[value.name] = rng.random(shape, dtype=np.float32)
        else:
            feeds[value.name] = rng.integers(0, 2, shape).astype(np.int64 if "int64" in value.type else np.int32)
    return feeds


def timed(session, feeds, pause):
    time.sleep(pause)
    begin = time.perf_counter()
    outputs = session.run(None, feeds)
    return time.perf_counter() - begin, outputs


def compare(ours, theirs):
    for a, b in zip(ours, theirs):
        if isinstance(b, np.ndarray) and b.dtype.kind == "f" and b.size:
            scale = max(float(np.abs(b).max()), 1e-30)
            if not np.all(np.abs(a - b) <= 1e-3 * np.abs(b) + 1e-4 * max(scale, 1)):
                sys.exit("the outputs differ")


def measure(path, threads, shapes, rounds, pause):
    import onnxruntime
    import quern

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4
    theirs = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    own = quern.SessionOptions()
    own.intra_op_num_threads = threads
    ours = quern.InferenceSession(path, own)
    times = ([], [])
    for i in range(rounds + 3):
        feeds = make_feeds(theirs, shapes, i)
        first, a = timed(ours, feeds, pause)
        second, b = timed(theirs, feeds, pause)
        compare(a, b)
        if i >= 3:
            times[0].append(first)
            times[1].append(second)
    return float(np.median(times[0])), float(np.median(times[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", default="build/release/python")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--shape", action="append", default=[])
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    sys.path.insert(0, args.package)
    shapes = {s.split("=")[0]: [int(d) for d in s.split("=")[1].split("x")] for s in args.shape}
    print(f"{cpu_name()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}")
    print(f"{'model':32} threads  pause ms  quern ms    ORT ms  ratio")
    for path in args.models:
        for threads in (1, 2):
            for pause in (0, 0.06):
                ours, theirs = measure(path, threads, shapes, args.rounds, pause)
                print(f"{os.path.basename(path):32} {threads:7} {1e3 * pause:9.0f} {1e3 * ours:9.3f} {1e3 * theirs:9.3f}"
                      f" {theirs / ours:6.2f}")


if __name__ == "__main__":
    main()
