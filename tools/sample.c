/* SPDX-License-Identifier: Apache-2.0 */
/* Times are kept one by one: quantiles need them all. */
#include "tools/sample.h"

#include <math.h>
#include <stdlib.h>

bool sample_add(Sample *sample, int64_t ns)
{
    if (sample->count == sample->capacity) {
        const size_t capacity = sample->capacity ? 2 * sample->capacity : 256;
        int64_t *items = realloc(sample->items, capacity * sizeof *items);
        if (!items)
            return false;
        sample->items = items;
        sample->capacity = capacity;
    }
    sample->items[sample->count++] = ns;
    return true;
}

static int ascending(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void sample_sort(Sample *sample)
{
    if (sample->count)
        qsort(sample->items, sample->count, sizeof *sample->items, ascending);
}

void sample_free(Sample *sample)
{
    free(sample->items);
    *sample = (Sample){0};
}

int64_t sample_quantile(const Sample *sample, double share)
{
    const double rank = ceil(share * (double)sample->count);
    if (sample->count == 0)
        return 0;
    return sample->items[rank < 1 ? 0 : (size_t)rank - 1];
}

int64_t sample_sum(const Sample *sample)
{
    int64_t sum = 0;
    for (size_t i = 0; i < sample->count; i++)
        sum += sample->items[i];
    return sum;
}
