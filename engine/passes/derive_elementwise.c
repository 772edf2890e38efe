/* SPDX-License-Identifier: Apache-2.0 */
/* Derivatives of functions of several inputs, element by element, which are broadcast; derive.h has
 * the language.  Of equal candidates for an extremum the first one counts. */
#include "engine/passes/derive.h"

#define BROADCASTS .broadcasts = true

/* clang-format off */
const QnDerivative qn_derivatives_elementwise[] = {
    {"Add", "dA = G; dB = G", BROADCASTS},
    {"Clip",
        "dA = G; dB = 0\n"
        "[B] m = A < B; [B] dA = Where(m, 0, G); [B] dB = Where(m, G, 0)\n"
        "[B] a = Max(A, B); [!B] a = A\n"
        "[C] m = a > C; [C] dC = Where(m, G, 0)\n"
        "[C, B] dA = Where(m, 0, Where(A < B, 0, G)); [C, B] dB = Where(m, 0, Where(A < B, G, 0))\n"
        "[C, !B] dA = Where(m, 0, G)", BROADCASTS},
    {"Div", "dA = G / B; dB = -G * Y / B", BROADCASTS},
    {"Max", "m = A = Y; dA = Where(m, G, 0); G = Where(m, 0, G)", BROADCASTS, .is_each = true},
    {"Mean", "dA = G / N", BROADCASTS, .is_each = true},
    {"Min", "m = A = Y; dA = Where(m, G, 0); G = Where(m, 0, G)", BROADCASTS, .is_each = true},
    {"Mod", "dA = G; dB = G * (Y - A) / B", BROADCASTS},
    {"Mul", "dA = G * B; dB = G * A", BROADCASTS},
    {"PRelu", "dA = Where(A < 0, G * B, G); dB = Where(A < 0, G * A, 0)", BROADCASTS},
    /* The exponent may be of another type.  0 to the power of 0 is 1 and stays so. */
    {"Pow",
        "b = as(B, A); safe = Where(b = 0, 1, b)\n"
        "dA = G * Where(b = 0, 0, b * Pow(A, safe - 1))\n"
        "dB = as(G * Y * Log(Where(A = 0, 1, A)), B)", BROADCASTS},
    {"Sub", "dA = G; dB = -G", BROADCASTS},
    {"Sum", "dA = G", BROADCASTS, .is_each = true},
    {"SwiGLU",
        "s = Sigmoid(A * @alpha)\n"
        "dA = G * B * (s + A * @alpha * s * (1 - s)); dB = G * A * s", BROADCASTS},
    {"Where", "dB = Where(A, G, 0); dC = Where(A, 0, G)", BROADCASTS},
    {0},
};
