/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floating-point numbers of 4 to 16 bits, by one table: float16, bfloat16, the float8, float6 and
 * float4 kinds. Values go through double and are rounded once, to nearest, halves to even.
 */
#ifndef QN_ENGINE_OPS_SMALL_FLOAT_H
#define QN_ENGINE_OPS_SMALL_FLOAT_H

#include <stdint.h>

#include "quern/value.h"

/* Is it one of those types? */
bool qn_small_float_is(QnType type);

/* The value of a bit pattern. */
double qn_small_float_decode(QnType type, uint16_t bits);

/*
 * The pattern nearest to a value.  Too large ones become the largest finite number where
 * `saturate`, else infinity or NaN, whichever the type has (float6 and float4 have neither and
 * always saturate).
 */
uint16_t qn_small_float_encode(QnType type, double value, bool saturate);

#endif
