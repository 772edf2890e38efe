/* SPDX-License-Identifier: Apache-2.0 */
/* The activations in portable C, with the functions of the C library. */
#include <math.h>

#include "engine/devices/cpu/kernels/epilogue.h"

/* As the vector forms have it: NaN, for which both comparisons are false, passes. */
static float clamp(float x, float low, float high)
{
    x = x < low ? low : x;
    return x > high ? high : x;
}

static float sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

static float activate(float x, QnActivation activation, float p, float q)
{
    switch (activation) {
    case QN_ACTIVATION_RELU:
        return clamp(x, 0, INFINITY);
    case QN_ACTIVATION_CLIP:
        return clamp(x, p, q);
    case QN_ACTIVATION_LEAKY:
        return x < 0 ? p * x : x;
    case QN_ACTIVATION_HARD_SIGMOID:
        return clamp(p * x + q, 0, 1);
    case QN_ACTIVATION_HARD_SWISH:
        return x * clamp(x * (1.0f / 6) + 0.5f, 0, 1);
    case QN_ACTIVATION_SIGMOID:
        return sigmoid(x);
    case QN_ACTIVATION_TANH:
        return tanhf(x);
    case QN_ACTIVATION_SILU:
        return x * sigmoid(x);
    case QN_ACTIVATION_GELU:
        return 0.5f * x * (1 + erff(x * 0.707106781f));
    default:
        return x;
    }
}

void qn_activate_f32_c(float *y, const float *x, int64_t count, QnActivation activation, float p,
                       float q)
{
    for (int64_t i = 0; i < count; i++)
        y[i] = activate(x[i], activation, p, q);
}
