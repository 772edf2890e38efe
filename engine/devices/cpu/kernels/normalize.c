/* SPDX-License-Identifier: Apache-2.0 */
/* Normalization: the portable rows, the list of variants, and the walk over rows. */
#include "engine/devices/cpu/kernels/normalize.h"

#include "base/compiler.h"
#include "base/fault.h"
#include "engine/devices/cpu/kernels/normalize_factor.h"
#if QN_ARCH_X86
#    include "engine/devices/cpu/kernels/x86/normalize_x86.h"
#endif

#define T       float
#define NAME(x) f32_##x
#include "engine/devices/cpu/kernels/normalize_typed.inc"

#define T       double
#define NAME(x) f64_##x
#include "engine/devices/cpu/kernels/normalize_typed.inc"

const QnNormalizeVariant qn_normalize_variants[] = {
#if QN_ARCH_X86
    {"normalize_f32_avx512", QN_ISA_AVX2 | QN_ISA_AVX512, QN_FLOAT, qn_normalize_f32_avx512},
    {"normalize_f32_avx2", QN_ISA_AVX2, QN_FLOAT, qn_normalize_f32_avx2},
#endif
    {"normalize_f32_c", QN_ISA_NONE, QN_FLOAT, f32_row},
    {"normalize_f64_c", QN_ISA_NONE, QN_DOUBLE, f64_row},
};
const int qn_normalize_variant_count = (int)QN_COUNT_OF(qn_normalize_variants);

const QnNormalizeVariant *qn_normalize_pick(QnType type, QnIsa have)
{
    for (int i = 0; i < qn_normalize_variant_count; i++) {
        const QnNormalizeVariant *v = &qn_normalize_variants[i];
        if (v->type == type && (v->needs & have) == v->needs)
            return v;
    }
    return NULL;
}

static const void *at(const void *data, int64_t bytes)
{
    return data ? (const char *)data + bytes : NULL;
}

static void put(void *data, QnType type, int64_t row, double value)
{
    if (!data)
        return;
    if (type == QN_DOUBLE)
        ((double *)data)[row] = value;
    else
        ((float *)data)[row] = (float)value;
}

void qn_normalize_run(const QnNormalizeVariant *variant, const QnNormalize *normalize,
                      const QnNormalizeData *data, int64_t begin, int64_t end)
{
    const int64_t size = variant->type == QN_DOUBLE ? 8 : 4, bytes = normalize->length * size;
    for (int64_t r = begin; r < end; r++) {
        const int64_t affine = r % normalize->period * normalize->step * size;
        QnNormalizeRow row = {.x = at(data->x, r * bytes),
                              .residual = at(data->residual, r * bytes),
                              .scale = at(data->scale, affine),
                              .bias = at(data->bias, affine),
                              .y = (char *)data->y + r * bytes,
                              .sum = data->sum ? (char *)data->sum + r * bytes : NULL};
        variant->run(normalize, &row);
        if (qn_fault("kernel", variant->name))
            qn_fault_spoil(row.y, normalize->length > 0 ? (size_t)size : 0);
        put(data->means, variant->type, r, row.mean);
        put(data->factors, variant->type, r, row.factor);
    }
}
