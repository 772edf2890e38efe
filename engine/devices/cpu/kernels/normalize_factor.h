/* SPDX-License-Identifier: Apache-2.0 */
/* What all variants of normalize.h make of a row's sum. */
#ifndef QN_KERNELS_NORMALIZE_FACTOR_H
#define QN_KERNELS_NORMALIZE_FACTOR_H

#include <math.h>

#include "engine/devices/cpu/kernels/normalize.h"

typedef enum Power { POWER_ONE, POWER_SIZE, POWER_SQUARE } Power;

static inline double factor_of(const QnNormalize *normalize, double sum)
{
    switch (normalize->kind) {
    case QN_NORMALIZE_L1:
        return sum == 0 ? 0 : 1 / sum;
    case QN_NORMALIZE_L2:
        return sum == 0 ? 0 : 1 / sqrt(sum);
    default:
        return 1 / sqrt(sum / (double)normalize->length + normalize->epsilon);
    }
}

#endif
