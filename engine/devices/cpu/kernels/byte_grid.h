/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dynamic quantization: the range of real numbers, and their steps on a grid of 256 over it.
 *
 *     step = clamp(round(x / scale) + zero, 0, 255)        halves to even; of a NaN it is `zero`
 *
 * All variants give the same bits.  Any alignment of float; nothing outside the rows is read or
 * written.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_BYTE_GRID_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_BYTE_GRID_H

#include <stdint.h>

#include "base/cpu.h"

typedef struct QnRange {
    float low, high;
} QnRange;

/* Widens the range by count >= 0 numbers; a NaN is no number. */
typedef void QnWidenFn(QnRange *range, const float *x, int64_t count);

typedef void QnStepsFn(uint8_t *steps, const float *x, int64_t count, float scale, float zero);

typedef struct QnByteGridVariant {
    const char *name;
    QnIsa needs;
    QnWidenFn *widen;
    QnStepsFn *steps;
} QnByteGridVariant;

extern const QnByteGridVariant qn_byte_grids[];
extern const int qn_byte_grid_count;

const QnByteGridVariant *qn_byte_grid_pick(QnIsa have);

/* The scale of a range that holds 0, and its zero point, a whole number from 0 to 255. */
void qn_range_settle(const QnRange *range, float *scale, float *zero);

QnWidenFn qn_widen_avx512, qn_widen_avx2, qn_widen_c;
QnStepsFn qn_steps_avx512, qn_steps_avx2, qn_steps_c;

#endif
