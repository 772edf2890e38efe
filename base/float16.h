/* SPDX-License-Identifier: Apache-2.0 */
/*
 * float16 (IEEE binary16: 1 sign, 5 exponent, 10 fraction bits) and bfloat16 (the upper half of a
 * float) from and to float.  To the narrow form rounds to nearest, ties to even; too large becomes
 * infinity; NaN stays NaN, with its sign and the bits of its payload that fit, made quiet.  To
 * float is exact.
 */
#ifndef QN_BASE_FLOAT16_H
#define QN_BASE_FLOAT16_H

#include <stdint.h>
#include <string.h>

static inline float qn_float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t qn_float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float qn_bf16_to_f32(uint16_t bits)
{
    return qn_float_of_bits((uint32_t)bits << 16);
}

static inline uint16_t qn_f32_to_bf16(float value)
{
    const uint32_t bits = qn_float_bits(value);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40); /* rounding could carry a NaN into infinity */
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float qn_f16_to_f32(uint16_t bits)
{
    const uint32_t sign = (uint32_t)(bits & 0x8000) << 16, magnitude = bits & 0x7fff;
    if (magnitude >= 0x7c00) /* infinity, or a NaN made quiet */
        return qn_float_of_bits(sign | 0x7f800000 | (magnitude & 0x3ff) << 13 |
                                (magnitude > 0x7c00 ? 0x400000u : 0));
    if (magnitude >= 0x400) /* the exponent's bias grows from 15 to 127 */
        return qn_float_of_bits(sign | (magnitude + (112u << 10)) << 13);
    const float value = (float)magnitude * 0x1p-24f; /* subnormal: exact */
    return qn_float_of_bits(sign | qn_float_bits(value));
}

static inline uint16_t qn_f32_to_f16(float value)
{
    const uint32_t bits = qn_float_bits(value);
    const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
    if (magnitude >= 0x477ff000) /* 65520, the middle between the largest number and 65536 */
        return (uint16_t)(sign | 0x7c00);
    if (magnitude >= 0x38800000) /* 2^-14: a normal number; a carry goes on into the exponent */
        return (uint16_t)(sign | (magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13);
    /* Subnormal: adding 1/2 lines its last bit, 2^-24,
     * up with that of the sum, which the adder rounds to. */
    const float sum = qn_float_of_bits(magnitude) + 0.5f;
    return (uint16_t)(sign | (qn_float_bits(sum) - 0x3f000000));
}

#endif
