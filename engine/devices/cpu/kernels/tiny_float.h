/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floats of at most 8 bits: sign, exponent, significand, described by a row of a table.
 *
 *     value = (-1)^s 2^(e - bias) (1 + m / 2^mantissa_bits)
 *             (-1)^s 2^(1 - bias) m / 2^mantissa_bits         where e is 0
 */
#ifndef QN_KERNELS_TINY_FLOAT_H
#define QN_KERNELS_TINY_FLOAT_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct QnTinyFloat {
    int bits; /* all of them; without a sign where has_sign is false */
    int mantissa_bits;
    int bias;
    uint8_t max;      /* the code of the largest finite value */
    uint8_t infinity; /* its code; 0: there is none */
    uint8_t nan;      /* a code; 0: there is none, and NaN becomes 0 */
    bool has_sign;
    bool has_minus_zero; /* false in the "uz" kinds, whose minus zero means NaN */
} QnTinyFloat;

/* From one code to the float it means. */
static inline float qn_tiny_float_decode(const QnTinyFloat *kind, uint8_t code)
{
    const int sign_bit = kind->has_sign ? 1 << (kind->bits - 1) : 0;
    const int size = code & (sign_bit ? sign_bit - 1 : 0xff);
    const float sign = code & sign_bit ? -1.0f : 1.0f;
    if (!kind->has_minus_zero && code == kind->nan)
        return NAN;
    if (size > kind->max)
        return kind->infinity && size == kind->infinity ? sign * INFINITY : NAN;
    const int exponent = size >> kind->mantissa_bits;
    const int mantissa = size & ((1 << kind->mantissa_bits) - 1);
    if (!kind->has_sign) /* e8m0: a power of two and nothing else */
        return ldexpf(1.0f, size - kind->bias);
    const int whole = exponent ? mantissa | 1 << kind->mantissa_bits : mantissa;
    return sign *
           ldexpf((float)whole, (exponent ? exponent : 1) - kind->bias - kind->mantissa_bits);
}

/* The nearest code, halves to the even one;
 * what is too large, infinity too, becomes the largest finite value. */
static inline uint8_t qn_tiny_float_encode(const QnTinyFloat *kind, float x)
{
    if (x != x)
        return kind->nan;
    const int sign_bit = kind->has_sign ? 1 << (kind->bits - 1) : 0;
    const int sign = signbit(x) ? sign_bit : 0;
    if (!kind->has_sign && x < 0)
        return 0;
    const float size = fabsf(x);
    if (isinf(x))
        return (uint8_t)(kind->max | sign);
    int exponent;
    frexpf(size, &exponent); /* size = f 2^exponent, f in [1/2, 1) */
    const int least = kind->has_sign ? 1 - kind->bias : -kind->bias;
    exponent = exponent - 1 < least || size == 0 ? least : exponent - 1;
    const int units = (int)nearbyintf(ldexpf(size, kind->mantissa_bits - exponent));
    int code;
    if (kind->has_sign) /* carries run into the exponent by themselves;
                           units without the hidden bit are denormal */
        code = ((exponent - least) << kind->mantissa_bits) + units;
    else
        code = exponent + kind->bias + (size > 0 && units > 1);
    if (code > kind->max)
        code = kind->max;
    if (code == 0 && !kind->has_minus_zero)
        return 0;
    return (uint8_t)(code | sign);
}

#endif
