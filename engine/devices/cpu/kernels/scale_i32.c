/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/scale_i32.h"

#include "base/compiler.h"

const QnScaleI32Variant qn_scale_i32[] = {
#if QN_ARCH_X86
    {"scale_i32_avx512", QN_ISA_AVX512, qn_scale_i32_avx512},
    {"scale_i32_avx2", QN_ISA_AVX2, qn_scale_i32_avx2},
#endif
    {"scale_i32_c", QN_ISA_NONE, qn_scale_i32_c},
};

const int qn_scale_i32_count = QN_COUNT_OF(qn_scale_i32);

const QnScaleI32Variant *qn_scale_i32_pick(QnIsa have)
{
    const QnScaleI32Variant *variant = qn_scale_i32;
    while ((variant->needs & have) != variant->needs)
        variant++;
    return variant;
}

/* The sum of a column, with all that belongs to it. */
static int32_t sum_at(const QnScaleRows *r, int64_t row, int64_t i)
{
    const QnScaleI32 *s = r->scale;
    uint32_t sum = (uint32_t)r->sums[row * r->sums_step + i] + (uint32_t)s->add[i];
    if (s->zero_b)
        sum -= (uint32_t)r->row_sums[row] * (uint32_t)s->zero_b[i];
    if (r->more)
        sum += (uint32_t)r->more[row * r->more_step + i * r->more_column_step];
    return (int32_t)sum;
}

static float real_of(const QnScaleI32 *s, int32_t sum, int64_t i)
{
    const float x = (float)sum * s->factor[i];
    return s->bias ? x + s->bias[i] : x; /* x + 0 would lose the sign of -0 */
}

/* Halves to even, of numbers below 2^22: beside 1.5 * 2^23 floats are one apart. */
static int32_t round_small(float x)
{
    const float apart = 12582912;
    return (int32_t)((x + apart) - apart);
}

static uint8_t byte_of(const QnScaleI32 *s, int32_t sum, int64_t i)
{
    const int32_t lowest = s->to == QN_SCALE_TO_U8 ? 0 : INT8_MIN;
    const float low = (float)(lowest - s->zero), high = (float)(lowest + 255 - s->zero);
    float x = (float)sum * s->factor[i];
    x = x > low ? x : low;
    x = x < high ? x : high;
    return (uint8_t)(round_small(x) + s->zero);
}

/* In portable C: the definition that the other variants are checked against. */
void qn_scale_i32_c(const QnScaleRows *r)
{
    const QnScaleI32 *s = r->scale;
    for (int64_t row = 0; row < r->rows; row++)
        for (int64_t i = 0; i < r->count; i++) {
            const int64_t at = row * r->y_step + i;
            const int32_t sum = sum_at(r, row, i);
            if (s->to == QN_SCALE_TO_I32)
                ((int32_t *)r->y)[at] = sum;
            else if (s->to == QN_SCALE_TO_F32)
                ((float *)r->y)[at] = real_of(s, sum, i);
            else
                ((uint8_t *)r->y)[at] = byte_of(s, sum, i);
        }
}
