/* SPDX-License-Identifier: Apache-2.0 */
/* Measured times, and what is said of them. */
#ifndef QN_TOOLS_SAMPLE_H
#define QN_TOOLS_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nanoseconds, in the order they were measured until sample_sort. */
typedef struct Sample {
    int64_t *items; /* [count] of the C library's memory */
    size_t count, capacity;
} Sample;

/* False where there is no memory. */
bool sample_add(Sample *sample, int64_t ns);
void sample_sort(Sample *sample);
void sample_free(Sample *sample);

/* The least item that a share (0 to 1) of all does not exceed;
 * of a sorted sample; 0 of an empty one. */
int64_t sample_quantile(const Sample *sample, double share);
int64_t sample_sum(const Sample *sample);

#endif
