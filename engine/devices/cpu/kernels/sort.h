/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The k best of every line of a tensor seen as [outer, length, inner], with where they were.
 *
 * Among equals the lower index comes first, and counts as better.  A NaN is larger than any number.
 * Values are bytes of a family's type; y is [outer, k, inner], indices too.  Results are sorted
 * from the best on; without `sorted` any order is allowed, and this one is given.
 */
#ifndef QN_KERNELS_SORT_H
#define QN_KERNELS_SORT_H

#include "engine/devices/cpu/kernels/families.h"

typedef struct QnTopK {
    QnFamily family;
    int64_t outer, length, inner, k; /* 0 <= k <= length */
    bool takes_smallest;
} QnTopK;

/* Bytes of scratch memory that one run at a time needs; aligned to 16. */
int64_t qn_topk_scratch(const QnTopK *topk);

/* Lines begin <= outer * inner + j < end. */
void qn_topk_run(const QnTopK *topk, const void *x, void *y, int64_t *indices, void *scratch,
                 int64_t begin, int64_t end);

#endif
