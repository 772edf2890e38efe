# SPDX-License-Identifier: Apache-2.0
"""quern bench: the figures are there and fit together."""
import json

import pytest

pytest.importorskip("onnx")

KEYS = {"model", "device", "threads", "batch", "precision", "cpu", "warmup_runs", "runs", "latency_ms",
        "throughput_per_s", "load_ms", "first_run_ms", "peak_memory_bytes", "plan_memory_bytes",
        "memory_lower_bound_bytes"}


def bench(quern, *arguments):
    done = quern("bench", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_all_keys_are_there(quern, root):
    got = bench(quern, root / "examples/digits/digits.onnx", "--runs", 20, "--batch", 2, "--warmup", 1, "--profile")
    assert KEYS <= set(got)
    assert got["runs"] == 20 and got["batch"] == 2 and got["warmup_runs"] == 1 and got["precision"] == "fp32"
    latency = got["latency_ms"]
    assert 0 < latency["min"] <= latency["median"] <= latency["p90"] <= latency["p99"] <= latency["max"]
    assert latency["min"] <= latency["mean"] <= latency["max"]
    assert abs(got["throughput_per_s"] * latency["mean"] / 2000 - 1) < 1e-3
    assert got["plan_memory_bytes"] >= got["memory_lower_bound_bytes"] > 0
    assert got["peak_memory_bytes"] > got["plan_memory_bytes"]


def test_a_profile_shares_out_the_time(quern, root):
    got = bench(quern, root / "examples/digits/digits.onnx", "--runs", 10, "--batch", 1, "--profile")
    assert abs(sum(layer["share"] for layer in got["layers"]) - 1) < 1e-6
    for layer in got["layers"]:
        assert set(layer) == {"name", "op", "kernel", "tier", "median_us", "share", "peak_share"}
        counted = layer["op"] in ("Conv", "Gemm", "MatMul") and layer["kernel"] != "convert"
        assert (layer["peak_share"] is not None and 0 < layer["peak_share"] < 4) == counted, layer
        assert layer["tier"] in ("-", "reference", "portable", "tuned")
    assert got["peak_gflops"] > 1
    assert "Conv" in {layer["op"] for layer in got["layers"]}


def test_a_duration_ends_it(quern, relu):
    assert bench(quern, relu, "--batch", 4, "--duration", 0.05)["runs"] >= 3


def test_sessions_run_at_once(quern, relu):
    got = bench(quern, relu, "--batch", 1, "--sessions", 3, "--runs", 7, "--threads", 2)
    assert got["runs"] == 21 and got["sessions"] == 3 and got["threads"] == 2


def test_the_text_has_a_table_of_steps(quern, relu):
    done = quern("bench", relu, "--batch", 1, "--runs", 3, "--profile")
    assert done.returncode == 0 and "median us" in done.stdout and "glue" in done.stdout
    assert "of peak" in done.stdout and "GFLOP/s" in done.stdout
    assert "Relu" in done.stdout and "latency     median" in done.stdout


@pytest.mark.parametrize("arguments, message", [
    (["--runs", "0"], "--runs is 0, expected 1 to 100000000"),
    (["--duration", "-1"], "--duration is -1, expected 0 to 1e6 seconds"),
    (["--sessions", "999"], "--sessions is 999, expected 1 to 256"),
    (["--run", "3"], "there is no option --run; did you mean --runs?"),
])
def test_wrong_usage_is_one_sentence(quern, relu, arguments, message):
    done = quern("bench", relu, *arguments)
    assert done.returncode == 2 and message in done.stderr and done.stderr.count("\n") == 1
