# SPDX-License-Identifier: Apache-2.0
"""Recurrent operators in NumPy, in float64: the oracle of the family rnn, written from the standard's equations."""
import numpy as np

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
USUAL = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}

# name: (function of x, alpha, beta; the default alpha and beta, None where it has none)
ACTIVATIONS = {
    "Affine": (lambda x, a, b: a * x + b, 1.0, 0.0),
    "Elu": (lambda x, a, b: np.where(x < 0, a * np.expm1(np.minimum(x, 0)), x), 1.0, None),
    "HardSigmoid": (lambda x, a, b: np.clip(a * x + b, 0, 1), 0.2, 0.5),
    "LeakyRelu": (lambda x, a, b: np.where(x < 0, a * x, x), 0.01, None),
    "Relu": (lambda x, a, b: np.maximum(x, 0), None, None),
    "ScaledTanh": (lambda x, a, b: a * np.tanh(b * x), 1.0, 1.0),
    "Sigmoid": (lambda x, a, b: 1 / (1 + np.exp(-x)), None, None),
    "Softplus": (lambda x, a, b: np.log1p(np.exp(x)), None, None),
    "Softsign": (lambda x, a, b: x / (1 + np.abs(x)), None, None),
    "Tanh": (lambda x, a, b: np.tanh(x), None, None),
    "ThresholdedRelu": (lambda x, a, b: np.where(x > a, x, 0), 1.0, None),
}


class Activation:
    """One use of an activation with its numbers; called, it clips its argument first."""

    def __init__(self, function, alpha, beta, clip):
        self.plain, self.clip = lambda x: function(x, alpha, beta), clip or np.inf

    def __call__(self, x):
        return self.plain(np.clip(x, -self.clip, self.clip))


def activations(op, directions, names, alphas, betas, clip):
    """Those of each direction; alphas and betas are used up in the order of the activations that take them."""
    alphas, betas, made = list(alphas or []), list(betas or []), []
    for name in names or USUAL[op] * directions:
        function, alpha, beta = ACTIVATIONS[name]
        if alpha is not None and alphas:
            alpha = alphas.pop(0)
        if beta is not None and betas:
            beta = betas.pop(0)
        made.append(Activation(function, alpha, beta, clip))
    each = len(USUAL[op])
    return [made[i * each:(i + 1) * each] for i in range(directions)]


def step_rnn(gates_x, r, bias, h, c, p, f, options):
    w_bias, r_bias = bias
    return f[0](gates_x + w_bias + r @ h + r_bias), c


def step_gru(gates_x, r, bias, h, c, p, f, options):
    (wz, wr, wn), (rz, rr, rn) = np.split(gates_x + bias[0], 3), np.split(bias[1], 3)
    r_z, r_r, r_n = np.split(r, 3)
    z = f[0](wz + r_z @ h + rz)
    reset = f[0](wr + r_r @ h + rr)
    if options.get("linear_before_reset"):
        new = f[1](wn + reset * (r_n @ h + rn))
    else:
        new = f[1](wn + r_n @ (reset * h) + rn)
    return (1 - z) * new + z * h, c


def step_lstm(gates_x, r, bias, h, c, p, f, options):
    i, o, forget, new = np.split(gates_x + bias[0] + r @ h + bias[1], 4)
    p_i, p_o, p_f = np.split(p, 3)
    i = f[0](i + p_i * c)
    forget = 1 - i if options.get("input_forget") else f[0](forget + p_f * c)
    c = forget * c + i * f[1](new)
    o = f[0](o + p_o * c)
    return o * f[2].plain(c), c  # the cell is no sum of gates: it is not clipped


STEPS = {"RNN": step_rnn, "GRU": step_gru, "LSTM": step_lstm}


def recur(op, x, w, r, b=None, lengths=None, h0=None, c0=None, p=None, **options):
    """(Y, Y_h, Y_c), the last only of an LSTM."""
    dtype = x.dtype
    x, w, r = (a.astype(np.float64) for a in (x, w, r))
    if options.get("layout"):
        x = x.swapaxes(0, 1)
    steps, batch, _ = x.shape
    directions, hidden = r.shape[0], r.shape[2]

    def state(given):
        if given is None:
            return np.zeros((directions, batch, hidden))
        return (given.swapaxes(0, 1) if options.get("layout") else given).astype(np.float64)

    h, c = state(h0).copy(), state(c0).copy()
    b = np.zeros((directions, 2 * GATES[op] * hidden)) if b is None else b.astype(np.float64)
    p = np.zeros((directions, 3 * hidden)) if p is None else p.astype(np.float64)
    lengths = [steps] * batch if lengths is None else lengths
    f = activations(op, directions, options.get("activations"), options.get("activation_alpha"),
                    options.get("activation_beta"), options.get("clip"))
    y = np.zeros((steps, directions, batch, hidden))
    for d in range(directions):
        is_reverse = d == 1 or options.get("direction") == "reverse"
        for item in range(batch):
            times = range(int(lengths[item]))
            for t in reversed(times) if is_reverse else times:
                h[d, item], c[d, item] = STEPS[op](w[d] @ x[t, item], r[d], np.split(b[d], 2), h[d, item], c[d, item],
                                                   p[d], f[d], options)
                y[t, d, item] = h[d, item]
    if options.get("layout"):
        y, h, c = y.transpose(2, 0, 1, 3), h.swapaxes(0, 1), c.swapaxes(0, 1)
    return [a.astype(dtype) for a in ((y, h, c) if op == "LSTM" else (y, h))]
