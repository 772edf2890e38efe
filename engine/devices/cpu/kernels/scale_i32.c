/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/scale_i32.h"

#include <math.h>

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

static int32_t sum_at(const QnScaleLine *line, int64_t i)
{
    const QnScaleI32 *s = line->scale;
    uint32_t sum = (uint32_t)line->sums[i] + (uint32_t)s->add[i];
    if (s->zero_b)
        sum -= (uint32_t)line->row_sum * (uint32_t)s->zero_b[i];
    if (line->more)
        sum += (uint32_t)line->more[i * line->more_step];
    return (int32_t)sum;
}

static float real_at(const QnScaleLine *line, int64_t i)
{
    const float x = (float)sum_at(line, i) * line->scale->factor[i];
    return line->scale->bias ? x + line->scale->bias[i] : x; /* x + 0 would lose the sign of -0 */
}

static int32_t byte_at(const QnScaleLine *line, int64_t i, float low, float high)
{
    float x = (float)sum_at(line, i) * line->scale->factor[i];
    x = x > low ? x : low;
    x = x < high ? x : high;
    return (int32_t)nearbyintf(x) + line->scale->zero;
}

/* In portable C: the definition that the other variants are checked against. */
void qn_scale_i32_c(const QnScaleLine *line)
{
    const QnScaleI32 *s = line->scale;
    const int32_t lowest = s->to == QN_SCALE_TO_U8 ? 0 : INT8_MIN;
    const float low = (float)(lowest - s->zero), high = (float)(lowest + 255 - s->zero);
    for (int64_t i = 0; i < line->count; i++)
        switch (s->to) {
        case QN_SCALE_TO_I32:
            ((int32_t *)line->y)[i] = sum_at(line, i);
            break;
        case QN_SCALE_TO_F32:
            ((float *)line->y)[i] = real_at(line, i);
            break;
        default:
            ((uint8_t *)line->y)[i] = (uint8_t)byte_at(line, i, low, high);
            break;
        }
}
