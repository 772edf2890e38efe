# SPDX-License-Identifier: Apache-2.0
"""Whole models, side by side with ONNX Runtime: random and real-looking inputs, several sizes where they are open."""
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from oracle import check_same, check_value, onnx_runtime, picture, run_named, speech

quern = pytest.importorskip("quern")


@pytest.fixture
def rng(request):
    """Seeded by the test's name, so that each test sees its own data whatever runs beside it."""
    return np.random.default_rng(list(request.node.name.encode()))


@pytest.fixture
def open_both(data):
    """open_both("onnx/mnist.onnx"): sessions of quern and of ONNX Runtime."""

    def both(name):
        path = data(f"models/{name}")
        return quern.InferenceSession(path), onnx_runtime(path)

    return both


# Models of one picture: file, (batch, channels, height, width) to try, the range of its values, and what outputs are
# measured against at least: 1 where they are probabilities.
PICTURES = [
    ("onnx/mnist.onnx", [(1, 1, 28, 28)], (0, 255), 0),
    ("onnx/cnn_mnist_pytorch.onnx", [(1, 1, 28, 28)], (-0.42, 2.8), 0),
    ("samplenet/samplenet.onnx", [(1, 3, 32, 32)], (-1, 1), 0),
    ("onnx/super_resolution_10.onnx", [(1, 1, 224, 224), (3, 1, 224, 224)], (0, 1), 0),
    ("ultraface/RFB-320.onnx", [(1, 3, 240, 320)], (-1, 1), 0),
    ("ultraface/RFB-320_nopost.onnx", [(1, 3, 240, 320)], (-1, 1), 0),
    ("onnx/yunet_n_dynamic.onnx", [(1, 3, 160, 160), (1, 3, 320, 256), (3, 3, 96, 128)], (0, 255), 1),
    ("onnx/ppocr_cls.onnx", [(1, 3, 48, 192), (3, 3, 48, 192), (1, 3, 64, 100)], (-1, 1), 1),
    ("onnx/ppocrv4_det.onnx", [(1, 3, 160, 160), (1, 3, 224, 320), (3, 3, 96, 64)], (-2, 2.6), 1),
    ("onnx/yolox_nano.onnx", [(1, 3, 416, 416)], (0, 255), 0),
]


@pytest.mark.parametrize("name, shapes, span, unit", PICTURES, ids=[row[0].split("/")[1][:-5] for row in PICTURES])
def test_models_of_pictures(open_both, rng, name, shapes, span, unit):
    ours, theirs = open_both(name)
    source = theirs.get_inputs()[0].name
    for shape in shapes:
        check_same(ours, theirs, {source: picture(rng, *shape, *span)}, unit=unit)
        check_same(ours, theirs, {source: rng.uniform(*span, shape).astype(np.float32)}, unit=unit)
    check_same(ours, theirs, {source: picture(rng, *shapes[0], *span)}, unit=unit)  # back to a shape it has seen


def test_blazeface_takes_channels_last(open_both, rng):
    ours, theirs = open_both("onnx/blazeface_front_128.onnx")
    given = np.moveaxis(picture(rng, 1, 3, 128, 128, -1, 1), 1, 3)
    check_same(ours, theirs, {"input:0": given})  # strided: both engines take it as it lies
    check_same(ours, theirs, {"input:0": rng.uniform(-1, 1, given.shape).astype(np.float32)})


@pytest.mark.parametrize("rate, samples", [(16000, 512), (8000, 256)])
@pytest.mark.parametrize("batch", [1, 3])
def test_silero_follows_speech(open_both, rng, rate, samples, batch):
    """Nested If, STFT, LSTM; the state goes from call to call, and drifts apart no more than one call does."""
    ours, theirs = open_both("onnx/silero_vad_v6.onnx")
    context = samples // 8
    sound = np.stack([speech(rng, context + 20 * samples, rate) for _ in range(batch)])
    states = [np.zeros((2, batch, 128), np.float32)] * 2
    for at in range(0, 20 * samples, samples):
        piece = sound[:, at:at + context + samples]
        got, want = (run_named(session, {"input": piece, "state": state, "sr": np.array(rate)})
                     for session, state in zip((ours, theirs), states))
        for name in want:
            check_value(f"{name} at {at}", got[name], want[name])
        states = [got["stateN"], want["stateN"]]


def test_dtln_follows_speech(open_both, rng):
    ours, theirs = open_both("dtln/model_1.onnx")
    sound = speech(rng, 512 + 30 * 128)
    states = [np.zeros((1, 2, 128, 2), np.float32)] * 2
    for at in range(0, 30 * 128, 128):
        magnitude = np.abs(np.fft.rfft(sound[at:at + 512])).astype(np.float32).reshape(1, 1, 257)
        got, want = (run_named(session, {"input_2": magnitude, "input_3": state})
                     for session, state in zip((ours, theirs), states))
        for name in want:
            check_value(f"{name} at {at}", got[name], want[name])
        states = [got["tf_op_layer_stack_2"], want["tf_op_layer_stack_2"]]


@pytest.mark.parametrize("batch, length", [(1, 7), (3, 16), (2, 1), (1, 64)])
def test_bert_reads_sentences(open_both, rng, batch, length):
    ours, theirs = open_both("onnx/bert_toy_optimized.onnx")
    lengths = rng.integers(1, length + 1, batch)
    check_same(ours, theirs, {
        "input_ids": rng.integers(0, 99, (batch, length)),
        "token_type_ids": rng.integers(0, 2, (batch, length)),
        "input_mask": (np.arange(length) < lengths[:, None]).astype(np.int64),
    })


def test_logistic_regression_ends_in_maps(open_both, rng):
    ours, theirs = open_both("onnx/lr_mnist_scikit.onnx")
    assert ours.get_outputs()[1].type == theirs.get_outputs()[1].type == "seq(map(int64,tensor(float)))"
    for given in (rng.uniform(0, 255, (1, 780)), np.zeros((1, 780)), picture(rng, 1, 1, 26, 30).reshape(1, 780)):
        check_same(ours, theirs, {"float_input": given.astype(np.float32)})


@pytest.mark.parametrize("name", ["xgb_classifier", "lgbm_classifier"])
@pytest.mark.parametrize("batch", [1, 3, 500])
def test_trees_choose_the_same_leaves(open_both, rng, name, batch):
    ours, theirs = open_both(f"onnx/{name}.onnx")
    # Features of wines, whose ranges differ by three orders of magnitude.
    scale = np.array([13, 2, 2.3, 19, 100, 2.3, 2, 0.36, 1.6, 5, 0.95, 2.6, 750])
    check_same(ours, theirs, {"input": (scale * rng.uniform(0.5, 1.5, (batch, 13))).astype(np.float32)})


def output_scales(path):
    """{output: scale of the DequantizeLinear that made it, or whose values it adds}."""
    graph = onnx.load(path).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    scales = {}
    for output in graph.output:
        node = makers[output.name]
        while node.op_type != "DequantizeLinear":
            node = makers[node.input[0]]
        scales[output.name] = float(constants[node.input[1]])
    return scales


def test_quantized_graphs_are_within_steps(open_both, data, rng):
    name = "onnx/qdq_multi_consumer.onnx"
    ours, theirs = open_both(name)
    source, steps = theirs.get_inputs()[0].name, output_scales(data(f"models/{name}"))
    for given in (rng.normal(0, 2, (1, 32, 56, 56)), picture(rng, 1, 32, 56, 56, -6, 6)):
        check_same(ours, theirs, {source: given.astype(np.float32)}, steps)


@pytest.mark.parametrize("name, feed", [
    ("basic_pitch/nmp.onnx", lambda rng: {"serving_default_input_2:0": speech(rng, 2 * 43844).reshape(2, 43844, 1)}),
    ("onnx/swift_f0.onnx", lambda rng: {"input_audio": speech(rng, 8000).reshape(1, -1)}),
    ("onnx/magika_v3_3.onnx", lambda rng: {"bytes": rng.integers(0, 257, (2, 2048)).astype(np.int32)}),
], ids=["basic_pitch", "swift_f0", "magika"])
def test_models_of_sound_and_bytes(open_both, rng, name, feed):
    ours, theirs = open_both(name)
    check_same(ours, theirs, feed(rng))
