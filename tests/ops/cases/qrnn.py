# SPDX-License-Identifier: Apache-2.0
"""DynamicQuantizeLSTM: directions, lengths, scales per tensor and per column, states and peepholes.

A state that is rounded the other way moves what follows by a step of its grid, so the bounds are wider than usual.
"""
import numpy as np

from cases.case import floats
from cases.quantized import F32, I8, I32, U8, bytes_of, of_microsoft

STEPS, BATCH, INPUTS, HIDDEN = 4, 2, 5, 3
BOUNDS = {"rtol": 2e-3, "atol": 2e-3}


def lstm(name, dtype=U8, directions=1, per_column=False, bias=True, lengths="", states=False, peepholes=False, batch=BATCH,
         **attributes):
    columns = 4 * HIDDEN
    shape = (directions, columns) if per_column else (directions,)
    points = {"low": 100, "high": 140} if dtype == U8 else {"low": -20, "high": 20}
    def zero_points(seed):
        if per_column:
            return np.zeros(shape, dtype)  # ONNX Runtime wants them so
        return np.random.default_rng(seed).integers(points["low"], points["high"], shape).astype(dtype)
    inputs = [floats(STEPS, batch, INPUTS), bytes_of(directions, INPUTS, columns, dtype=dtype),
              bytes_of(directions, HIDDEN, columns, dtype=dtype),
              floats(directions, 2 * columns) if bias else "", lengths,
              floats(directions, batch, HIDDEN, low=-0.9, high=0.9) if states else "",
              floats(directions, batch, HIDDEN, seed=1) if states else "",
              floats(directions, 3 * HIDDEN) if peepholes else "",
              floats(*shape, low=0.005, high=0.01), zero_points(1), floats(*shape, low=0.004, high=0.01, seed=1),
              zero_points(2)]
    constant = [i for i in (1, 2, 3, 7, 8, 9, 10, 11) if not isinstance(inputs[i], str)]
    return of_microsoft(name, "DynamicQuantizeLSTM", inputs, 3, constant=constant, bounds=BOUNDS, hidden_size=HIDDEN,
                        **attributes)


CASES = [
    lstm("dynamic_quantize_lstm"),
    lstm("dynamic_quantize_lstm_i8", I8, bias=False),
    lstm("dynamic_quantize_lstm_per_column", I8, per_column=True),
    lstm("dynamic_quantize_lstm_reverse", direction="reverse"),
    lstm("dynamic_quantize_lstm_bidirectional", I8, directions=2, per_column=True, direction="bidirectional"),
    lstm("dynamic_quantize_lstm_states", states=True, peepholes=True),
    lstm("dynamic_quantize_lstm_lengths", lengths=np.array([4, 2], I32), states=True),
    lstm("dynamic_quantize_lstm_reverse_lengths", lengths=np.array([3, 2], I32), direction="reverse"),
    lstm("dynamic_quantize_lstm_coupled", I8, batch=1, input_forget=1, clip=2.0),
]
