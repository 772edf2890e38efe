/* SPDX-License-Identifier: Apache-2.0 */
/* The fp32 product in 512-bit vectors: accumulators + vectors of B + 1 stay within 32 registers. */
#include "engine/devices/cpu/kernels/gemm.h"
#include "engine/devices/cpu/kernels/x86/vector_avx512.h"

#include "engine/devices/cpu/kernels/gemm_tile.inc"

DEFINE_VARIANT(qn_gemm_f32_6x64_avx512, 6, 4)
DEFINE_VARIANT(qn_gemm_f32_8x48_avx512, 8, 3)
DEFINE_VARIANT(qn_gemm_f32_14x32_avx512, 14, 2)
DEFINE_VARIANT(qn_gemm_f32_16x16_avx512, 16, 1)

/* One row: eight panels in flight,
 * since one chain of additions per panel must cover the latency of FMA. */
void qn_gemm_f32_1x128_avx512(const QnGemmTile *t)
{
    compute(t, 1, 8);
}
