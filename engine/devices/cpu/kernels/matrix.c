/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/matrix.h"

#include "base/checked.h"

const QnMatrixVariant qn_matrix_variants[] = {
#if QN_ARCH_X86
    {"matrix_avx512",
     QN_ISA_AVX2 | QN_ISA_AVX512,
     {qn_matrix_f64_avx512, qn_matrix_u32_avx512, qn_matrix_u64_avx512}},
    {"matrix_avx2", QN_ISA_AVX2, {qn_matrix_f64_avx2, qn_matrix_u32_avx2, qn_matrix_u64_avx2}},
#endif
    {"matrix_c", QN_ISA_NONE, {qn_matrix_f64_c, qn_matrix_u32_c, qn_matrix_u64_c}},
};
const int qn_matrix_variant_count = (int)QN_COUNT_OF(qn_matrix_variants);

const QnMatrixVariant *qn_matrix_pick(QnIsa have)
{
    const QnMatrixVariant *variant = qn_matrix_variants;
    while ((variant->needs & have) != variant->needs)
        variant++;
    return variant;
}

size_t qn_matrix_scratch(int64_t inner)
{
    size_t size;
    return qn_mul_size(&size, (size_t)inner, QN_MATRIX_COLUMNS * sizeof(uint64_t)) ? size
                                                                                   : SIZE_MAX;
}
