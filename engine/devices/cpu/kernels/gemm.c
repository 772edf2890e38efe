/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/gemm.h"

#include <assert.h>

#include "base/compiler.h"

/* clang-format off */
const QnGemmF32 qn_gemm_f32[] = {
#if QN_ARCH_X86
    {"gemm_f32_1x128_avx512", QN_ISA_AVX512, 1, 8, true, qn_gemm_f32_1x128_avx512},
    {"gemm_f32_6x64_avx512", QN_ISA_AVX512, 6, 4, false, qn_gemm_f32_6x64_avx512},
    {"gemm_f32_8x48_avx512", QN_ISA_AVX512, 8, 3, false, qn_gemm_f32_8x48_avx512},
    {"gemm_f32_14x32_avx512", QN_ISA_AVX512, 14, 2, false, qn_gemm_f32_14x32_avx512},
    {"gemm_f32_16x16_avx512", QN_ISA_AVX512, 16, 1, false, qn_gemm_f32_16x16_avx512},
    {"gemm_f32_1x64_avx2", QN_ISA_AVX2, 1, 4, true, qn_gemm_f32_1x64_avx2},
    {"gemm_f32_3x32_avx2", QN_ISA_AVX2, 3, 2, false, qn_gemm_f32_3x32_avx2},
    {"gemm_f32_6x16_avx2", QN_ISA_AVX2, 6, 1, false, qn_gemm_f32_6x16_avx2},
#endif
    {"gemm_f32_2x16_c", QN_ISA_NONE, 2, 1, false, qn_gemm_f32_2x16_c},
};
/* clang-format on */

const int qn_gemm_f32_count = QN_COUNT_OF(qn_gemm_f32);

const QnGemmF32 *qn_gemm_f32_pick(QnIsa have, int64_t rows, int64_t panels)
{
    assert(rows >= 1 && panels >= 1);
    if (panels == 5) /* 3 + 2 waste less than 4 + 1 */
        panels = 3;
    for (const QnGemmF32 *variant = qn_gemm_f32;; variant++) {
        const bool fits = variant->panels <= panels && (!variant->is_thin || rows <= variant->rows);
        if (fits && (variant->needs & have) == variant->needs)
            return variant;
    }
}
