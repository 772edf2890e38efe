# SPDX-License-Identifier: Apache-2.0
"""Recurrent operators: all directions and activations, peepholes, clipping, both layouts, lengths, initial states."""
import numpy as np

from cases.case import floats, one

CASES = [
    one("lstm_reverse", "LSTM", [floats(3, 2, 4), floats(1, 12, 4, seed=1), floats(1, 12, 3, seed=2)], 3, opset=22,
        hidden_size=3, direction="reverse"),
    one("gru_bidirectional", "GRU", [floats(3, 2, 4), floats(2, 9, 4, seed=1), floats(2, 9, 3, seed=2)], 2, opset=22,
        hidden_size=3, direction="bidirectional"),
    one("rnn_lengths", "RNN", [floats(3, 2, 4), floats(1, 3, 4, seed=1), floats(1, 3, 3, seed=2), "",
                               np.array([2, 3], np.int32)], 2, opset=22, hidden_size=3),
]
