/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic on numbers from outside: false instead of a wrapped result. */
#ifndef QN_BASE_CHECKED_H
#define QN_BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* *out = a op b; false, with *out unspecified, where the true result does not fit. */
QN_WARN_UNUSED static inline bool qn_add_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

QN_WARN_UNUSED static inline bool qn_mul_size(size_t *out, size_t a, size_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

QN_WARN_UNUSED static inline bool qn_add_i64(int64_t *out, int64_t a, int64_t b)
{
    return !__builtin_add_overflow(a, b, out);
}

QN_WARN_UNUSED static inline bool qn_sub_i64(int64_t *out, int64_t a, int64_t b)
{
    return !__builtin_sub_overflow(a, b, out);
}

QN_WARN_UNUSED static inline bool qn_mul_i64(int64_t *out, int64_t a, int64_t b)
{
    return !__builtin_mul_overflow(a, b, out);
}

/* Is [offset, offset + size) inside [0, limit)?  Empty ranges at the end are. */
static inline bool qn_is_range(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}

/* Rounds up to a multiple of `unit`, a power of two.  `value` must leave room for it. */
static inline size_t qn_round_up(size_t value, size_t unit)
{
    return (value + unit - 1) & ~(unit - 1);
}

/* Quotients rounded to minus and plus infinity; b > 0. */
static inline int64_t qn_floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static inline int64_t qn_ceil_div(int64_t a, int64_t b)
{
    return a / b + (a % b > 0);
}

static inline int64_t qn_min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t qn_max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
