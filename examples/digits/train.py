#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains a small convolutional network on handwritten digits and writes it as digits.onnx.

    pip install -r examples/digits/requirements.txt
    python examples/digits/train.py

The digits are the 1,797 pictures of 8 x 8 pixels that come with scikit-learn.  Each is enlarged to 20 x 20 and put
into the middle of 28 x 28 pixels, ink 1 on paper 0.  A fifth of them is held out: on those the network is measured
at the end, by ONNX Runtime, and ten of them become the pictures 0.png ... 9.png.  Takes about half a minute.
"""
import shutil
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).resolve().parent
SERVED = HERE.parent / "repository" / "digits"
SIZE, MARGIN = 28, 4
SEED, EPOCHS, BATCH, RATE = 7, 15, 32, 2e-3
WANTED_ACCURACY = 0.97


def load_pictures():
    """Gives pictures [n, 1, 28, 28] from 0 to 1 and their digits [n], for training and held out."""
    raw, digits = load_digits(return_X_y=True)
    pictures = np.zeros((len(raw), 1, SIZE, SIZE), np.float32)
    inner = SIZE - 2 * MARGIN
    for picture, pixels in zip(pictures, raw):
        small = Image.fromarray((pixels.reshape(8, 8) * 255 / 16).astype(np.uint8))
        large = small.resize((inner, inner), Image.Resampling.BICUBIC)
        picture[0, MARGIN:-MARGIN, MARGIN:-MARGIN] = np.asarray(large, np.float32) / 255
    return train_test_split(pictures, digits, test_size=0.2, random_state=SEED, stratify=digits)


class Conv:
    """A convolution that keeps height and width: weight [out, in, k, k], bias [out]."""

    def __init__(self, random, inputs, outputs, k):
        scale = np.sqrt(2 / (inputs * k * k))
        self.weight = random.normal(0, scale, (outputs, inputs, k, k)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)
        self.pad = k // 2

    def forward(self, x):
        p, k = self.pad, self.weight.shape[2]
        padded = np.pad(x, ((0, 0), (0, 0), (p, p), (p, p)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(2, 3))
        self.columns = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, self.weight[0].size)  # [n h w, in k k]
        self.shape = x.shape
        y = self.columns @ self.weight.reshape(len(self.weight), -1).T + self.bias
        return y.reshape(x.shape[0], *x.shape[2:], -1).transpose(0, 3, 1, 2)

    def backward(self, dy):
        n, c, h, w = self.shape
        p, k = self.pad, self.weight.shape[2]
        rows = dy.transpose(0, 2, 3, 1).reshape(-1, dy.shape[1])
        self.gradients = [(rows.T @ self.columns).reshape(self.weight.shape), rows.sum(0)]
        columns = (rows @ self.weight.reshape(len(self.weight), -1)).reshape(n, h, w, c, k, k)
        dx = np.zeros((n, c, h + 2 * p, w + 2 * p), np.float32)
        for i in range(k):
            for j in range(k):
                dx[:, :, i:i + h, j:j + w] += columns[..., i, j].transpose(0, 3, 1, 2)
        return dx[:, :, p:p + h, p:p + w]


class Dense:
    """y = x weight + bias: weight [in, out], bias [out]."""

    def __init__(self, random, inputs, outputs):
        self.weight = random.normal(0, np.sqrt(2 / inputs), (inputs, outputs)).astype(np.float32)
        self.bias = np.zeros(outputs, np.float32)

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, dy):
        self.gradients = [self.x.T @ dy, dy.sum(0)]
        return dy @ self.weight.T


class Relu:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, dy):
        return dy * self.mask


class MaxPool:
    """The largest of each 2 x 2 pixels; of equal ones the gradient goes to each in part."""

    def forward(self, x):
        n, c, h, w = x.shape
        blocks = x.reshape(n, c, h // 2, 2, w // 2, 2)
        y = blocks.max((3, 5), keepdims=True)
        self.mask = (blocks == y).astype(np.float32)
        self.mask /= self.mask.sum((3, 5), keepdims=True)
        return y.reshape(n, c, h // 2, w // 2)

    def backward(self, dy):
        n, c, h, w = dy.shape
        return (self.mask * dy.reshape(n, c, h, 1, w, 1)).reshape(n, c, 2 * h, 2 * w)


class Flatten:
    def forward(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, dy):
        return dy.reshape(self.shape)


class Adam:
    """The optimizer of Kingma and Ba, over the parameters of all layers that have some."""

    def __init__(self, layers):
        self.layers = [layer for layer in layers if hasattr(layer, "weight")]
        self.moments = [[np.zeros_like(p), np.zeros_like(p)]
                        for layer in self.layers for p in (layer.weight, layer.bias)]
        self.steps = 0

    def step(self, rate):
        self.steps += 1
        parameters = [(p, g) for layer in self.layers
                      for p, g in zip((layer.weight, layer.bias), layer.gradients)]
        for (parameter, gradient), (mean, square) in zip(parameters, self.moments):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient * gradient - square)
            unbiased = np.sqrt(square / (1 - 0.999**self.steps)) + 1e-8
            parameter -= rate * mean / (1 - 0.9**self.steps) / unbiased


def softmax(x):
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def shift(random, pictures):
    """Moves each picture by up to two pixels, so that the network does not learn places by heart."""
    moved = [np.roll(picture, random.integers(-2, 3, 2), (1, 2)) for picture in pictures]
    return np.stack(moved)


def train(pictures, digits):
    random = np.random.default_rng(SEED)
    layers = [Conv(random, 1, 8, 5), Relu(), MaxPool(), Conv(random, 8, 16, 3), Relu(), MaxPool(), Flatten(),
              Dense(random, 16 * (SIZE // 4) ** 2, 32), Relu(), Dense(random, 32, 10)]
    optimizer = Adam(layers)
    for epoch in range(EPOCHS):
        loss = 0.0
        for batch in np.array_split(random.permutation(len(pictures)), len(pictures) // BATCH):
            x = shift(random, pictures[batch])
            for layer in layers:
                x = layer.forward(x)
            gradient = softmax(x)
            loss -= np.log(gradient[np.arange(len(batch)), digits[batch]] + 1e-9).sum()
            gradient[np.arange(len(batch)), digits[batch]] -= 1
            gradient /= len(batch)
            for layer in reversed(layers):
                gradient = layer.backward(gradient)
            optimizer.step(RATE * (1 - epoch / EPOCHS))
        print(f"epoch {epoch + 1:2} of {EPOCHS}: loss {loss / len(pictures):.4f}", flush=True)
    return layers


def make_model(layers):
    """The trained layers as ONNX: image [n, 1, 28, 28] -> probabilities [n, 10]."""
    nodes, weights, value = [], [], "image"

    def add(op, inputs, **attributes):
        nonlocal value
        name = f"{op.lower()}{len(nodes)}"
        parameters = [f"{name}.{role}" for role in ("weight", "bias")[:len(inputs)]]
        weights.extend(numpy_helper.from_array(array, key) for key, array in zip(parameters, inputs))
        nodes.append(helper.make_node(op, [value, *parameters], [name], name=name, **attributes))
        value = name

    for layer in layers:
        if isinstance(layer, Conv):
            add("Conv", [layer.weight, layer.bias], pads=[layer.pad] * 4)
        elif isinstance(layer, Dense):
            add("Gemm", [layer.weight, layer.bias])
        elif isinstance(layer, MaxPool):
            add("MaxPool", [], kernel_shape=[2, 2], strides=[2, 2])
        else:
            add(type(layer).__name__, [])
    add("Softmax", [], axis=1)
    nodes[-1].output[0] = "probabilities"

    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, SIZE, SIZE])
    image.doc_string = "grey pictures, ink 1 on paper 0"
    probabilities = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 10])
    graph = helper.make_graph(nodes, "digits", [image], [probabilities], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                              producer_name="examples/digits/train.py")
    onnx.checker.check_model(model, full_check=True)
    return model


def classify(path, pictures):
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"image": pictures})[0]


def save_samples(pictures, digits, probabilities):
    """One held-out picture of each digit: the one that the network is surest of."""
    for digit in range(10):
        at = np.where(digits == digit, probabilities[:, digit], -1).argmax()
        pixels = np.rint(pictures[at, 0] * 255).astype(np.uint8)
        Image.fromarray(pixels).save(HERE / f"{digit}.png")


def main():
    pictures, held_pictures, digits, held_digits = load_pictures()
    onnx.save(make_model(train(pictures, digits)), HERE / "digits.onnx")
    probabilities = classify(HERE / "digits.onnx", held_pictures)
    accuracy = (probabilities.argmax(1) == held_digits).mean()
    print(f"accuracy on {len(held_digits)} held-out pictures: {accuracy:.4f}")
    if accuracy < WANTED_ACCURACY:
        sys.exit(f"train.py: accuracy {accuracy:.4f}, expected at least {WANTED_ACCURACY}")
    save_samples(held_pictures, held_digits, probabilities)
    (SERVED / "1").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(HERE / "digits.onnx", SERVED / "1" / "model.onnx")


main()
