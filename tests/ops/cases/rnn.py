# SPDX-License-Identifier: Apache-2.0
"""Recurrent operators: all directions and activations, peepholes, clipping, both layouts, lengths, first states."""
import numpy as np

from cases.case import floats, one
from cases.recurrence import ACTIVATIONS, GATES, USUAL, recur

STEPS, BATCH, INPUTS, HIDDEN = 5, 3, 4, 6
DIRECTIONS = ("forward", "reverse", "bidirectional")
LENGTHS = np.array([5, 2, 4], np.int32)


def recurrent(name, op, *, has=(), wanted=None, steps=STEPS, batch=BATCH, hidden=HIDDEN, dtype=np.float32, scale=0.7,
              fixed=True, agreed=True, opset=22, **attributes):
    """has: which of "b", "lengths", "h", "c", "p" there are.  wanted: flags of the outputs.  fixed: weights are constants."""
    directions = 2 if attributes.get("direction") == "bidirectional" else 1
    rows, is_batch_first = GATES[op] * hidden, attributes.get("layout")

    def make(key, *shape):
        return floats(*shape, low=-scale, high=scale, dtype=dtype, seed=f"{name} {key}")

    def state(key):
        return make(key, batch, directions, hidden) if is_batch_first else make(key, directions, batch, hidden)

    x = make("x", batch, steps, INPUTS) if is_batch_first else make("x", steps, batch, INPUTS)
    inputs = [x, make("w", directions, rows, INPUTS), make("r", directions, rows, hidden),
              make("b", directions, 2 * rows) if "b" in has else "", LENGTHS[:batch] if "lengths" in has else "",
              state("h") if "h" in has else ""]
    if op == "LSTM":
        inputs += [state("c") if "c" in has else "", make("p", directions, 3 * hidden) if "p" in has else ""]
    wanted = wanted or [True] * (3 if op == "LSTM" else 2)

    def expect(*values):
        options = {key: value for key, value in attributes.items() if key != "hidden_size"}
        return [y for y, want in zip(recur(op, *values, **options), wanted) if want]

    constant = [i for i in (1, 2, 3, 7) if fixed and i < len(inputs) and not isinstance(inputs[i], str)]
    return one(name, op, inputs, wanted, constant=constant, expect=expect, agreed=agreed, opset=opset, hidden_size=hidden,
               bounds={"rtol": 2e-2, "atol": 2e-3} if dtype == np.float16 else None, **attributes)


def options(op):
    """(name, arguments): what each direction of an operator is tried with."""
    yield "plain", {}
    yield "bias", {"has": "b"}
    yield "clip", {"has": "b", "clip": 0.3}
    yield "lengths", {"has": ("b", "lengths")}
    yield "first", {"has": ("b", "h", "c")}
    yield "all", {"has": ("b", "lengths", "h", "c", "p"), "clip": 0.5}
    yield "variable", {"has": ("b", "h", "c", "p"), "fixed": False}
    yield "layout", {"has": ("b", "lengths", "h", "c", "p"), "layout": 1, "agreed": False}
    if op == "LSTM":
        yield "peepholes", {"has": "bp"}
        yield "coupled", {"has": "b", "input_forget": 1}
    if op == "GRU":
        yield "linear", {"has": "bh", "linear_before_reset": 1}
        yield "linear_all", {"has": ("b", "lengths", "h"), "linear_before_reset": 1, "clip": 0.5}


def directions():
    for op in GATES:
        for direction in DIRECTIONS:
            for name, arguments in options(op):
                yield recurrent(f"{op.lower()}_{direction}_{name}", op, direction=direction, **arguments)


def activations():
    """Each activation in each place of a cell."""
    for op, usual in USUAL.items():
        for place in range(len(usual)):
            for name in ACTIVATIONS:
                names = list(usual)
                names[place] = name
                # Factors below 1 keep the state from growing without bound.
                arguments = {"activation_alpha": [0.6]} if ACTIVATIONS[name][1] is not None else {}
                if ACTIVATIONS[name][2] is not None:
                    arguments["activation_beta"] = [0.3]
                yield recurrent(f"{op.lower()}_{name.lower()}_{place}", op, has="b", activations=names, scale=0.5, **arguments)


def mixed_activations():
    """Other activations in each direction, with lists of numbers that are used up in order."""
    yield recurrent("rnn_bidirectional_mixed", "RNN", has="bh", direction="bidirectional", activations=["Elu", "ScaledTanh"],
                    activation_alpha=[0.4, 0.8], activation_beta=[0.5])
    yield recurrent("gru_bidirectional_mixed", "GRU", has=("b", "lengths"), direction="bidirectional",
                    activations=["HardSigmoid", "LeakyRelu", "Sigmoid", "Softsign"], activation_alpha=[0.3, 0.1],
                    activation_beta=[0.4])
    yield recurrent("lstm_bidirectional_mixed", "LSTM", has="bp", direction="bidirectional",
                    activations=["HardSigmoid", "Affine", "Elu", "Sigmoid", "Softsign", "LeakyRelu"],
                    activation_alpha=[0.25, 0.9, 0.7, 0.05], activation_beta=[0.5, 0.1])
    yield recurrent("lstm_hard_clip", "LSTM", has="bp", clip=0.4, activations=["HardSigmoid", "Softsign", "ScaledTanh"],
                    activation_alpha=[0.3, 0.8], activation_beta=[0.5, 0.9])


def sizes():
    """Sizes around the widths of vectors, one step, one item, and types."""
    for op in GATES:
        low = op.lower()
        for hidden in (1, 8, 16, 17, 33):
            yield recurrent(f"{low}_hidden_{hidden}", op, has="bhc", hidden=hidden, direction="bidirectional")
        yield recurrent(f"{low}_one_step", op, has="bhc", steps=1, direction="bidirectional")
        yield recurrent(f"{low}_one_item", op, has="bhc", batch=1, direction="reverse")
        yield recurrent(f"{low}_no_steps", op, has="bhc", steps=0, agreed=False)
        yield recurrent(f"{low}_double", op, has=("b", "lengths", "h", "c", "p"), dtype=np.float64, direction="bidirectional",
                        agreed=False)
        yield recurrent(f"{low}_half", op, has=("b", "lengths", "h", "c", "p"), dtype=np.float16, direction="bidirectional",
                        agreed=False)


def outputs():
    """Only some of the outputs are wanted."""
    for op, count in (("RNN", 2), ("GRU", 2), ("LSTM", 3)):
        for i in range(count):
            wanted = [k == i for k in range(i + 1)]
            yield recurrent(f"{op.lower()}_only_{i}", op, has=("b", "lengths"), wanted=wanted, direction="bidirectional")


CASES = [*directions(), *activations(), *mixed_activations(), *sizes(), *outputs()]
