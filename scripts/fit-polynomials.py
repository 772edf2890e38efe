#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the coefficients of engine/devices/cpu/kernels/vector_math.h, lowest power first, with the error of each fit.

A polynomial of each row's degree is made minimax by Remez's exchange in 60 digits, weighted so that the error is the
one of the function's result, then rounded to float (double where the row says so).
"""
import mpmath as mp

mp.mp.dps = 60


def remez(f, weight, low, high, degree):
    n = degree + 2
    nodes = [(low + high) / 2 + (high - low) / 2 * mp.cos(mp.pi * (i + mp.mpf("0.5")) / n) for i in range(n)]
    grid = [low + (high - low) * (1 - mp.cos(mp.pi * i / 400)) / 2 for i in range(401)]
    wanted = [f(x) for x in grid]
    for _ in range(12):
        rows = mp.matrix(n, n)
        values = mp.matrix(n, 1)
        for i, x in enumerate(nodes):
            for j in range(degree + 1):
                rows[i, j] = x**j
            rows[i, degree + 1] = (-1) ** i / weight(x)
            values[i] = f(x)
        solution = mp.lu_solve(rows, values)
        coefficients = [solution[j] for j in range(degree + 1)]
        errors = [(mp.polyval(coefficients[::-1], x) - y) * weight(x) for x, y in zip(grid, wanted)]
        peaks, i = [], 0
        while i < len(grid):  # the largest error of each run of one sign
            j = i
            while j < len(grid) and (errors[j] >= 0) == (errors[i] >= 0):
                j += 1
            peaks.append(max(range(i, j), key=lambda k: abs(errors[k])))
            i = j
        if len(peaks) < n:
            break
        peaks = peaks[len(peaks) - n:]
        nodes = [grid[k] for k in reversed(peaks)]
    return coefficients, max(abs(e) for e in errors)


def even(g, order, first):
    """(g(x) - x) / x^3 and the like, as a function of z = x^2."""
    return lambda z: (g(mp.sqrt(z)) - first(mp.sqrt(z))) / mp.sqrt(z) ** order


TINY = mp.mpf("1e-12")
HALF_LN2 = mp.log(2) / 2
ROWS = [
    # name, function, weight of its error, from, to, degree, double?
    ("EXP", lambda r: (mp.exp(r) - 1 - r) / r**2, lambda r: r**2, -HALF_LN2, HALF_LN2, 4, False),
    ("LOG", lambda r: (mp.log(1 + r) - r + r**2 / 2) / r**3, lambda r: abs(r) ** 2 + TINY, mp.sqrt(0.5) - 1,
     mp.sqrt(2) - 1, 8, False),
    ("SIN", even(mp.sin, 3, lambda x: x), lambda z: z, TINY, (mp.pi / 4) ** 2, 3, False),
    ("COS", even(mp.cos, 4, lambda x: 1 - x**2 / 2), lambda z: z**2, TINY, (mp.pi / 4) ** 2, 2, False),
    ("TANH", even(mp.tanh, 3, lambda x: x), lambda z: z, TINY, mp.mpf("0.625") ** 2, 5, False),
    ("ERF_SMALL", lambda z: mp.erf(mp.sqrt(z)) / mp.sqrt(z), lambda z: 1, TINY, mp.mpf(1), 7, False),
    ("ERF_LARGE", lambda x: -mp.log(1 - mp.erf(x)), lambda x: 1 - mp.erf(x), mp.mpf(1), mp.mpf(4), 8, False),
    ("ASIN", even(mp.asin, 3, lambda x: x), lambda z: z, TINY, mp.mpf("0.25"), 5, False),
    ("ATAN", even(mp.atan, 3, lambda x: x), lambda z: z, TINY, mp.tan(mp.pi / 8) ** 2, 4, False),
    ("SINH", even(mp.sinh, 3, lambda x: x), lambda z: z, TINY, mp.mpf(1), 3, False),
    ("EXP2_D", lambda r: 2**r, lambda r: 1, -mp.mpf("0.5"), mp.mpf("0.5"), 7, True),
    ("LOG2_D", lambda z: mp.log((1 + mp.sqrt(z)) / (1 - mp.sqrt(z)), 2) / mp.sqrt(z), lambda z: 1, TINY,
     ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2, 5, True),
]

for name, f, weight, low, high, degree, double in ROWS:
    coefficients, error = remez(f, weight, low, high, degree)
    print(f"/* error {mp.nstr(error, 2)} */")
    text = [mp.nstr(c, 17 if double else 10) + ("" if double else "f") for c in coefficients]
    print(f"#define {name}_COEFFICIENTS {', '.join(text)}")
