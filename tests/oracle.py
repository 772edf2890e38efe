# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime beside quern: the same model, the same inputs, and how far apart the outputs may be.

The bounds are those of two float32 engines that add in different orders, not of one engine and the truth; the random
graphs (tests/random) measure against float64.
"""
import numpy as np
import onnxruntime

onnxruntime.set_default_logger_severity(4)

# |a - b| <= ABSOLUTE * (largest value of the tensor) + RELATIVE * |b|
ABSOLUTE, RELATIVE = 1e-4, 1e-3


def onnx_runtime(model, optimize=True, threads=1):
    """A session of ONNX Runtime; `model`: a path or bytes."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    if not optimize:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model if isinstance(model, bytes) else str(model), options,
                                        providers=["CPUExecutionProvider"])


def run_named(session, feed):
    """{name: output} of either engine."""
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feed)))


def is_float(array):
    return isinstance(array, np.ndarray) and array.dtype.kind in "fV"


def check_floats(name, got, want, step=None, unit=0.0):
    """`step`: of a quantized graph, the output's scale: 1 % of the elements may be off by up to four steps.  `unit`: what
    the largest value is at least taken to be: 1 for probabilities, which ONNX Runtime's Sigmoid makes 0 below 1e-8."""
    got, want = got.astype(np.float64), want.astype(np.float64)
    finite = np.isfinite(want)
    np.testing.assert_array_equal(np.isfinite(got), finite, err_msg=f"{name}: not finite where the other is, or reverse")
    np.testing.assert_array_equal(got[~finite], want[~finite], err_msg=name)
    got, want = got[finite], want[finite]
    if want.size == 0:
        return
    largest = max(np.abs(want).max(), unit)
    off = np.abs(got - want)
    is_bad = off > ABSOLUTE * largest + RELATIVE * np.abs(want)
    if step is not None:
        assert is_bad.mean() <= 0.01, f"{name}: {is_bad.mean():.2%} of the elements are off"
        assert off.max() <= 4 * step * (1 + 1e-6), f"{name}: off by {off.max() / step:.1f} steps"
        return
    assert not is_bad.any(), (f"{name}: {is_bad.sum()} of {want.size} elements are off, the worst by {off.max():.3g} "
                              f"where the largest value is {largest:.3g}")


def check_value(name, got, want, step=None, unit=0.0):
    """Arrays, lists and maps; integers and strings must be equal."""
    assert type(got) is type(want), f"{name}: {type(got).__name__}, expected {type(want).__name__}"
    if isinstance(want, list):
        assert len(got) == len(want), f"{name}: {len(got)} items, expected {len(want)}"
        for i, (a, b) in enumerate(zip(got, want)):
            check_value(f"{name}[{i}]", a, b, step, unit)
    elif isinstance(want, dict):
        assert list(got) == list(want), f"{name}: keys {list(got)}, expected {list(want)}"
        check_value(f"{name} values", np.array(list(got.values())), np.array(list(want.values())), step, unit)
    elif want is not None:
        assert got.shape == want.shape, f"{name}: shape {got.shape}, expected {want.shape}"
        assert got.dtype == want.dtype, f"{name}: {got.dtype}, expected {want.dtype}"
        if is_float(want):
            check_floats(name, got, want, step, unit)
        else:
            np.testing.assert_array_equal(got, want, err_msg=name)


def check_same(ours, theirs, feed, steps=None, unit=0.0):
    """Runs both sessions and compares.  `steps`: {output: scale} of a quantized graph.  Gives quern's outputs."""
    want, got = run_named(theirs, feed), run_named(ours, feed)
    for name, value in want.items():
        check_value(name, got[name], value, (steps or {}).get(name), unit)
    return got


# ---- inputs that look real ----


def picture(rng, batch, channels, height, width, low=0.0, high=255.0):
    """[batch, channels, height, width] of gradients, discs and a little noise, as cameras see it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    made = np.empty((batch, channels, height, width), np.float32)
    for plane in made.reshape(-1, height, width):
        slope = rng.uniform(-1, 1, 2)
        plane[:] = 0.5 + 0.3 * (slope[0] * y / height + slope[1] * x / width)
        for _ in range(6):
            center, radius = rng.uniform(0, 1, 2) * (height, width), rng.uniform(0.02, 0.2) * min(height, width)
            plane[(y - center[0]) ** 2 + (x - center[1]) ** 2 < radius ** 2] = rng.uniform(0, 1)
        plane += rng.normal(0, 0.02, plane.shape)
    return (low + (high - low) * np.clip(made, 0, 1)).astype(np.float32)


def speech(rng, samples, rate=16000):
    """[samples] of voiced and silent stretches: harmonics of a wandering pitch under a syllable's envelope."""
    time = np.arange(samples) / rate
    pitch = 120 + 40 * np.sin(2 * np.pi * 1.3 * time + rng.uniform(0, 6))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    envelope = np.clip(np.sin(2 * np.pi * 2.1 * time + rng.uniform(0, 6)), 0, None)
    return (0.2 * voice * envelope + rng.normal(0, 0.003, samples)).astype(np.float32)
