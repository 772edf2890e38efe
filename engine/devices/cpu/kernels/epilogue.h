/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a product, convolution or depthwise convolution does to each sum before it is stored:
 *
 *     y = f(alpha * sum + bias[n] + beta * residual[m][n])             or, with residual_last,
 *     y = f(alpha * sum + bias[n]) + beta * residual[m][n]
 *
 * and the activations f as kernels of their own.  NaN passes through every f.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_EPILOGUE_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_EPILOGUE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cpu.h"

typedef enum QnActivation {
    QN_ACTIVATION_NONE,
    QN_ACTIVATION_RELU,
    QN_ACTIVATION_CLIP,         /* min(q, max(p, x)) */
    QN_ACTIVATION_LEAKY,        /* x < 0 ? p * x : x */
    QN_ACTIVATION_HARD_SIGMOID, /* min(1, max(0, p * x + q)) */
    QN_ACTIVATION_HARD_SWISH,   /* x * min(1, max(0, x / 6 + 1/2)) */
    QN_ACTIVATION_SIGMOID,
    QN_ACTIVATION_TANH,
    QN_ACTIVATION_SILU, /* x * sigmoid(x) */
    QN_ACTIVATION_GELU, /* x * (1 + erf(x / sqrt 2)) / 2 */
    QN_ACTIVATION_COUNT
} QnActivation;

/* Plain data; {.alpha = 1} stores the bare sums. */
typedef struct QnEpilogue {
    float alpha;
    const float *bias;            /* one float per column, or NULL */
    const float *residual;        /* NULL: none.  May be the output itself, with equal steps. */
    int64_t residual_step;        /* floats between its rows */
    int64_t residual_column_step; /* and between its columns; 0 repeats */
    float beta;
    bool residual_last;
    QnActivation activation;
    float p, q; /* of the activation */
} QnEpilogue;

/* Is the activation low <= y <= high, which the kernels do on their way?
 * Then these are the bounds. */
bool qn_epilogue_clamp(const QnEpilogue *epilogue, float *low, float *high);

/* y[i] = f(x[i]) for count >= 0 floats; x and y are the same or apart.
 * Nothing else is read or written. */
typedef void QnActivateF32Fn(float *y, const float *x, int64_t count, QnActivation activation,
                             float p, float q);

typedef struct QnActivateF32 {
    const char *name;
    QnIsa needs;
    QnActivateF32Fn *run;
} QnActivateF32;

extern const QnActivateF32 qn_activate_f32[];
extern const int qn_activate_f32_count;

QnActivateF32Fn *qn_activate_f32_pick(QnIsa have);

/*
 * Does the epilogue to a block of sums that have been through alpha and bias, in place, and stores
 * it.  `residual` is the epilogue's at the first element, or NULL; the output's rows lie c_step
 * floats apart and its columns c_column_step.  The output may be the sums themselves, with equal
 * steps; if it is not, what lies between the rows of the sums may change.
 */
typedef struct QnEpilogueRows {
    const QnEpilogue *epilogue;
    QnActivateF32Fn *activate;
    float *sums; /* [rows][pitch] */
    int64_t rows, columns, pitch;
    const float *residual;
    float *c;
    int64_t c_step, c_column_step;
} QnEpilogueRows;

void qn_epilogue_finish_rows(const QnEpilogueRows *block);

/*
 * Does the epilogue to one line of bare sums, in place, and stores it.  `bias` and `residual` are
 * the epilogue's at the first column of this line, or NULL where it has none; the output's columns
 * lie c_step floats apart; with c_step 1 it may be the sums themselves.
 */
typedef struct QnEpilogueLine {
    const QnEpilogue *epilogue;
    QnActivateF32Fn *activate;
    float *sums; /* [count] */
    int64_t count;
    const float *bias, *residual;
    float *c;
    int64_t c_step;
} QnEpilogueLine;

void qn_epilogue_finish(const QnEpilogueLine *line);

QnActivateF32Fn qn_activate_f32_avx512, qn_activate_f32_avx2, qn_activate_f32_c;

#endif
