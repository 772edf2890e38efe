/* SPDX-License-Identifier: Apache-2.0 */
/* Is a value what was expected? */
#ifndef QN_TOOLS_COMPARE_VALUES_H
#define QN_TOOLS_COMPARE_VALUES_H

#include <stddef.h>

#include "quern/value.h"

/* |a - b| <= atol + rtol * |b|, for floating-point elements. */
typedef struct Bounds {
    double rtol, atol;
} Bounds;

/*
 * Kinds, types and shapes must be equal, and so must strings, integers and booleans; floats within
 * the bounds, NaN where NaN is, infinities of the same sign.  On failure `why` says in a sentence
 * what was found and expected.
 */
bool compare_values(const QnValue *got, const QnValue *want, const Bounds *bounds, char *why,
                    size_t size);

/* Have they the same kinds, types and shapes, whatever their elements are? */
bool compare_forms(const QnValue *got, const QnValue *want);

/* Is a number within the bounds?  NaN where NaN is, infinities of the same sign. */
bool compare_numbers(double got, double want, const Bounds *bounds);

#endif
