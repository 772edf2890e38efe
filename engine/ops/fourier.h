/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fourier transforms of any length in double:
 *
 *     out[k] = sum over n of in[n] * exp(-2 pi i n k / N)         sign -1: exp(+2 pi i n k / N)
 *
 * by the prime factors of N, in N * (their sum) steps.
 */
#ifndef QN_ENGINE_OPS_FOURIER_H
#define QN_ENGINE_OPS_FOURIER_H

#include "base/arena.h"
#include "quern/status.h"

enum { QN_FOURIER_FACTORS = 63 };

typedef struct QnFourier {
    int64_t length;                      /* N, at least 1 */
    const double *cosine, *sine;         /* [length] of exp(-2 pi i k / N) */
    int64_t factors[QN_FOURIER_FACTORS]; /* primes, the smallest first */
    int factor_count;
    int64_t largest, sum; /* of the factors; 1 and 0 where there are none */
} QnFourier;

/* A line of complex numbers. */
typedef struct QnComplexLine {
    double *real, *imaginary;
} QnComplexLine;

/* Makes the tables, in `arena`.  QN_NO_MEMORY. */
QnStatus qn_fourier_make(QnFourier *fourier, int64_t length, QnArena *arena);

/* Transforms in[length] to out[length], which is another.  room: [2 * largest] doubles. */
void qn_fourier_run(const QnFourier *fourier, QnComplexLine in, QnComplexLine out, double sign,
                    double *room);

#endif
