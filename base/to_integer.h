/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floats to integers, towards zero, for every number that there is.
 *
 * ONNX leaves open what becomes of a number that the integer cannot hold, C too.  Here it is what
 * x86 processors make of it, and with them the engines that people compare with:
 *
 *     int32, int64              the least number of the type, NaN too
 *     8 and 16 bits, and fewer  the low bits of the int32
 *     uint32                    the low bits of the int64
 *     uint64                    below 2^63 the bits of the int64, from 2^64 on 0
 *
 * So a negative number that fits the signed type of that width keeps its bits: -1 is 255 as uint8.
 */
#ifndef QN_BASE_TO_INTEGER_H
#define QN_BASE_TO_INTEGER_H

#include <stdint.h>

static inline int32_t qn_f32_to_i32(float x)
{
    return x >= -2147483648.0f && x < 2147483648.0f ? (int32_t)x : INT32_MIN;
}

static inline int32_t qn_f64_to_i32(double x)
{
    return x > -2147483649.0 && x < 2147483648.0 ? (int32_t)x : INT32_MIN;
}

static inline int64_t qn_f64_to_i64(double x)
{
    return x >= -9223372036854775808.0 && x < 9223372036854775808.0 ? (int64_t)x : INT64_MIN;
}

static inline uint64_t qn_f64_to_u64(double x)
{
    if (x >= 9223372036854775808.0)
        return x < 18446744073709551616.0 ? (uint64_t)x : 0;
    return (uint64_t)qn_f64_to_i64(x);
}

#endif
