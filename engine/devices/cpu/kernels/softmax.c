/* SPDX-License-Identifier: Apache-2.0 */
/* Softmax: the portable rows and columns, the list of variants, and the walk over a tensor. */
#include "engine/devices/cpu/kernels/softmax.h"

#include <math.h>

#include "base/checked.h"
#include "base/fault.h"
#if QN_ARCH_X86
#    include "engine/devices/cpu/kernels/x86/softmax_x86.h"
#endif

enum {
    COLUMNS = 64
}; /* of a unit: whole cache lines, and few enough for the first cache at usual lengths */

#define C(function)    function##f
#define T              float
#define NAME(function) f32_##function
#include "engine/devices/cpu/kernels/softmax_typed.inc"

#define C(function)    function
#define T              double
#define NAME(function) f64_##function
#include "engine/devices/cpu/kernels/softmax_typed.inc"

const QnSoftmaxVariant qn_softmax_variants[] = {
#if QN_ARCH_X86
    {"softmax_f32_avx512", QN_ISA_AVX2 | QN_ISA_AVX512, QN_FLOAT, qn_softmax_row_f32_avx512,
     qn_softmax_columns_f32_avx512},
    {"softmax_f32_avx2", QN_ISA_AVX2, QN_FLOAT, qn_softmax_row_f32_avx2,
     qn_softmax_columns_f32_avx2},
#endif
    {"softmax_f32_c", QN_ISA_NONE, QN_FLOAT, f32_row, f32_columns},
    {"softmax_f64_c", QN_ISA_NONE, QN_DOUBLE, f64_row, f64_columns},
};
const int qn_softmax_variant_count = (int)QN_COUNT_OF(qn_softmax_variants);

const QnSoftmaxVariant *qn_softmax_pick(QnType type, QnIsa have)
{
    for (int i = 0; i < qn_softmax_variant_count; i++) {
        const QnSoftmaxVariant *variant = &qn_softmax_variants[i];
        if (variant->type == type && (variant->needs & have) == variant->needs)
            return variant;
    }
    return NULL;
}

int64_t qn_softmax_unit_count(const QnSoftmax *softmax)
{
    return softmax->outer * (softmax->inner == 1 ? 1 : qn_ceil_div(softmax->inner, COLUMNS));
}

void qn_softmax_run(const QnSoftmax *softmax, const void *x, void *y, int64_t begin, int64_t end)
{
    const QnSoftmaxVariant *variant = softmax->variant;
    const int64_t size = variant->type == QN_DOUBLE ? 8 : 4;
    const int64_t length = softmax->length, inner = softmax->inner;
    const int64_t groups = inner == 1 ? 1 : qn_ceil_div(inner, COLUMNS);
    for (int64_t unit = begin; unit < end; unit++) {
        const int64_t first = unit % groups * COLUMNS;
        const int64_t at = (unit / groups * length * inner + first) * size;
        const char *from = (const char *)x + at;
        char *to = (char *)y + at;
        if (inner == 1)
            variant->row(length, from, to, softmax->is_log);
        else
            variant->columns(length, inner, qn_min_i64(COLUMNS, inner - first), from, to,
                             softmax->is_log);
        if (qn_fault("kernel", variant->name))
            qn_fault_spoil(to, length > 0 ? (size_t)size : 0);
    }
}
