/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decimation in time.  Of n = p * m elements those at distance p make p transforms of m; then
 *
 *     out[q m + k] = sum over r < p of W_n^(r k) W_p^(r q) part_r[k]      W_n = exp(-2 pi i / n)
 */
#include "engine/ops/fourier.h"

#include <math.h>

static QnStatus make_circle(QnFourier *f, QnArena *arena)
{
    double *cosine, *sine;
    QN_ALLOC(cosine, arena, f->length);
    QN_ALLOC(sine, arena, f->length);
    for (int64_t k = 0; k < f->length; k++) {
        cosine[k] = cos(2 * M_PI * (double)k / (double)f->length);
        sine[k] = -sin(2 * M_PI * (double)k / (double)f->length);
    }
    /* Quarters are exact, which pi is not. */
    for (int64_t quarter = 0; quarter < 4; quarter++) {
        static const double cosines[] = {1, 0, -1, 0}, sines[] = {0, -1, 0, 1};
        if (quarter * f->length % 4)
            continue;
        cosine[quarter * f->length / 4] = cosines[quarter];
        sine[quarter * f->length / 4] = sines[quarter];
    }
    f->cosine = cosine;
    f->sine = sine;
    return QN_OK;
}

QnStatus qn_fourier_make(QnFourier *fourier, int64_t length, QnArena *arena)
{
    *fourier = (QnFourier){.length = length, .largest = 1};
    int64_t rest = length;
    for (int64_t p = 2; rest > 1; p++) {
        if (p > rest / p) /* what is left is a prime */
            p = rest;
        for (; rest % p == 0; rest /= p) {
            fourier->factors[fourier->factor_count++] = p;
            fourier->largest = p > fourier->largest ? p : fourier->largest;
            fourier->sum += p;
        }
    }
    return make_circle(fourier, arena);
}

/* A transform at work: what does not change on the way down. */
typedef struct Work {
    const QnFourier *fourier;
    double sign;
    double *real, *imaginary; /* [largest] */
} Work;

/* Joins two parts. */
static void join_pairs(const Work *w, QnComplexLine out, int64_t half)
{
    const int64_t turn = w->fourier->length / (2 * half); /* around the circle of all */
    double *re = out.real, *im = out.imaginary;
    for (int64_t k = 0; k < half; k++) {
        const double c = w->fourier->cosine[k * turn], s = w->sign * w->fourier->sine[k * turn];
        const double x = re[half + k] * c - im[half + k] * s;
        const double y = re[half + k] * s + im[half + k] * c;
        re[half + k] = re[k] - x;
        im[half + k] = im[k] - y;
        re[k] += x;
        im[k] += y;
    }
}

/* Joins p parts of m elements. */
static void join(const Work *w, QnComplexLine out, int64_t p, int64_t m)
{
    const int64_t all = w->fourier->length, turn = all / (p * m);
    const double *cosine = w->fourier->cosine, *sine = w->fourier->sine;
    for (int64_t k = 0; k < m; k++) {
        for (int64_t r = 0; r < p; r++) {
            w->real[r] = out.real[r * m + k];
            w->imaginary[r] = out.imaginary[r * m + k];
        }
        for (int64_t q = 0; q < p; q++) {
            const int64_t step = (q * m + k) * turn; /* below `all` */
            double x = 0, y = 0;
            for (int64_t r = 0, at = 0; r < p; r++) {
                const double c = cosine[at], s = w->sign * sine[at];
                x += w->real[r] * c - w->imaginary[r] * s;
                y += w->real[r] * s + w->imaginary[r] * c;
                at += step;
                at -= at >= all ? all : 0;
            }
            out.real[q * m + k] = x;
            out.imaginary[q * m + k] = y;
        }
    }
}

/* Transforms n elements `step` apart; `factor`: the first of n's. */
static void transform(const Work *w, QnComplexLine in, int64_t step, QnComplexLine out, int64_t n,
                      int factor)
{
    if (n == 1) {
        *out.real = *in.real;
        *out.imaginary = *in.imaginary;
        return;
    }
    const int64_t p = w->fourier->factors[factor], m = n / p;
    for (int64_t r = 0; r < p; r++)
        transform(w, (QnComplexLine){in.real + r * step, in.imaginary + r * step}, step * p,
                  (QnComplexLine){out.real + r * m, out.imaginary + r * m}, m, factor + 1);
    if (p == 2)
        join_pairs(w, out, m);
    else
        join(w, out, p, m);
}

void qn_fourier_run(const QnFourier *fourier, QnComplexLine in, QnComplexLine out, double sign,
                    double *room)
{
    const Work work = {fourier, sign, room, room + fourier->largest};
    transform(&work, in, 1, out, fourier->length, 0);
}
