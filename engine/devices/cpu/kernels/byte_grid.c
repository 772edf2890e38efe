/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/byte_grid.h"

#include <math.h>

#include "base/compiler.h"

const QnByteGridVariant qn_byte_grids[] = {
#if QN_ARCH_X86
    {"byte_grid_avx512", QN_ISA_AVX512, qn_widen_avx512, qn_steps_avx512},
    {"byte_grid_avx2", QN_ISA_AVX2, qn_widen_avx2, qn_steps_avx2},
#endif
    {"byte_grid_c", QN_ISA_NONE, qn_widen_c, qn_steps_c},
};

const int qn_byte_grid_count = QN_COUNT_OF(qn_byte_grids);

const QnByteGridVariant *qn_byte_grid_pick(QnIsa have)
{
    const QnByteGridVariant *variant = qn_byte_grids;
    while ((variant->needs & have) != variant->needs)
        variant++;
    return variant;
}

void qn_range_settle(const QnRange *range, float *scale, float *zero)
{
    *scale = range->high > range->low ? (range->high - range->low) / 255 : 1;
    const float middle = nearbyintf(-range->low / *scale);
    *zero = middle < 0 ? 0 : middle > 255 ? 255 : middle;
}

void qn_widen_c(QnRange *range, const float *x, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        range->low = x[i] < range->low ? x[i] : range->low;
        range->high = x[i] > range->high ? x[i] : range->high;
    }
}

void qn_steps_c(uint8_t *steps, const float *x, int64_t count, float scale, float zero)
{
    for (int64_t i = 0; i < count; i++) {
        const float step = nearbyintf(x[i] / scale) + zero;
        steps[i] = (uint8_t)(isnan(step) ? zero : step < 0 ? 0 : step > 255 ? 255 : step);
    }
}
