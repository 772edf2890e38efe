/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing: the portable lines, the list of variants, and the walk over an axis. */
#include "engine/devices/cpu/kernels/resize.h"

#include <math.h>

#include "base/compiler.h"
#include "base/fault.h"
#if QN_ARCH_X86
#    include "engine/devices/cpu/kernels/x86/resize_x86.h"
#endif

#define RESIZE_LINE(name, T)                                                         \
    static void name(const QnResizeAxis *axis, int64_t o, const void *in, void *out) \
    {                                                                                \
        const T *x = in;                                                             \
        T *y = out;                                                                  \
        const int64_t *indices = axis->indices + o * axis->taps;                     \
        const double *weights = axis->weights + o * axis->taps;                      \
        for (int64_t i = 0; i < axis->inner; i++) {                                  \
            T sum = 0;                                                               \
            for (int64_t t = 0; t < axis->taps; t++)                                 \
                sum += (T)weights[t] * x[indices[t] * axis->inner + i];              \
            y[i] = weights[0] == weights[0] ? sum : (T)axis->extrapolation;          \
        }                                                                            \
    }
RESIZE_LINE(line_f32, float)
RESIZE_LINE(line_f64, double)

const QnResizeVariant qn_resize_variants[] = {
#if QN_ARCH_X86
    {"resize_f32_avx512", QN_ISA_AVX2 | QN_ISA_AVX512, QN_FLOAT, qn_resize_line_f32_avx512},
    {"resize_f32_avx2", QN_ISA_AVX2, QN_FLOAT, qn_resize_line_f32_avx2},
#endif
    {"resize_f32_c", QN_ISA_NONE, QN_FLOAT, line_f32},
    {"resize_f64_c", QN_ISA_NONE, QN_DOUBLE, line_f64},
};
const int qn_resize_variant_count = (int)QN_COUNT_OF(qn_resize_variants);

const QnResizeVariant *qn_resize_pick(QnType type, QnIsa have)
{
    for (int i = 0; i < qn_resize_variant_count; i++) {
        const QnResizeVariant *v = &qn_resize_variants[i];
        if (v->type == type && (v->needs & have) == v->needs)
            return v;
    }
    return NULL;
}

/* Lines of one element (the last axis of a plain layout) do not pay for a vector's set-up. */
static QnResizeLineFn *line_for(const QnResizeVariant *variant, int64_t inner)
{
    return inner >= 4 ? variant->line : variant->type == QN_DOUBLE ? line_f64 : line_f32;
}

void qn_resize_run(const QnResizeVariant *variant, const QnResizeAxis *axis, const void *x, void *y,
                   int64_t begin, int64_t end)
{
    const int64_t bytes = axis->inner * (variant->type == QN_DOUBLE ? 8 : 4);
    QnResizeLineFn *const line = line_for(variant, axis->inner);
    for (int64_t k = begin; k < end; k++) {
        line(axis, k % axis->out, (const char *)x + k / axis->out * axis->in * bytes,
             (char *)y + k * bytes);
        if (qn_fault("kernel", variant->name))
            qn_fault_spoil((char *)y + k * bytes, (size_t)(bytes / axis->inner));
    }
}
