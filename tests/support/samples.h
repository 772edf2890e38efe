/* SPDX-License-Identifier: Apache-2.0 */
/* Random numbers and floats of every class for checks of kernels.
 * A fixed seed: the same on every run. */
#ifndef QN_TESTS_SAMPLES_H
#define QN_TESTS_SAMPLES_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* SplitMix64. */
typedef struct Samples {
    uint64_t state;
} Samples;

static inline uint64_t sample_bits(Samples *s)
{
    uint64_t z = s->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 <= result < limit */
static inline int64_t sample_below(Samples *s, int64_t limit)
{
    return (int64_t)(sample_bits(s) % (uint64_t)limit);
}

/* Uniform in [low, high). */
static inline double sample_between(Samples *s, double low, double high)
{
    return low + (high - low) * (double)(sample_bits(s) >> 11) / 9007199254740992.0;
}

/* Any float but NaN, every exponent as likely as the others. */
static inline float sample_any_float(Samples *s)
{
    const uint32_t bits = (uint32_t)sample_bits(s);
    float x;
    memcpy(&x, &bits, sizeof x);
    return x == x ? x : 1.0f;
}

/* The value classes of kernel checks. */
typedef enum SampleClass {
    SAMPLE_NORMAL, /* about 1 in size */
    SAMPLE_EQUAL,  /* all 1.5 */
    SAMPLE_WIDE,   /* exponents from 2^-20 to 2^20 */
    SAMPLE_WHOLE,  /* small integers: sums and products are exact */
    SAMPLE_DENORMAL,
    SAMPLE_CLASS_COUNT
} SampleClass;

static inline float sample_float(Samples *s, SampleClass class)
{
    switch (class) {
    case SAMPLE_EQUAL:
        return 1.5f;
    case SAMPLE_WIDE:
        return ldexpf((float)sample_between(s, -1, 1), (int)sample_below(s, 41) - 20);
    case SAMPLE_WHOLE:
        return (float)(sample_below(s, 17) - 8);
    case SAMPLE_DENORMAL:
        return ldexpf((float)sample_between(s, -1, 1), -127);
    default:
        return (float)sample_between(s, -2, 2);
    }
}

/* The distance of `got` from `want` in units of the last place of a float of want's size; 0 where
   both are NaN or the same infinity, HUGE_VAL where only one of them is special. */
static inline double ulp_distance(float got, double want)
{
    if (want != want)
        return got != got ? 0 : HUGE_VAL;
    if (got != got)
        return HUGE_VAL;
    const float nearest = (float)want;
    if (isinf(nearest) || isinf(got))
        return nearest == got                                            ? 0
               : fabs(want) > 3.4028e38 && fabs((double)got) > 3.4028e38 ? 1
                                                                         : HUGE_VAL;
    int exponent;
    frexp(want, &exponent);
    return fabs((double)got - want) / ldexp(1, exponent < -125 ? -149 : exponent - 24);
}

#endif
