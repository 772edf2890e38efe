/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running sums and products along one axis of a contiguous tensor seen as [outer, length, inner]:
 *
 *     y[i] = x[0] op ... op x[i],  or without x[i] where exclusive;  from the end where reversed
 *
 * In the order of the elements and the family's own type; integers wrap.  y may be x.
 */
#ifndef QN_KERNELS_CUMSUM_H
#define QN_KERNELS_CUMSUM_H

#include "engine/devices/cpu/kernels/families.h"

typedef struct QnCumSum {
    QnFamily family;
    int64_t outer, length, inner;
    bool is_product, is_exclusive, is_reversed;
} QnCumSum;

/* Outer indices begin <= o < end. */
void qn_cumsum_run(const QnCumSum *cumsum, const void *x, void *y, int64_t begin, int64_t end);

#endif
