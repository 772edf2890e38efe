/* SPDX-License-Identifier: Apache-2.0 */
/* The fp32 product in 256-bit vectors, two to a panel: 12 accumulators of 16 registers. */
#include "engine/devices/cpu/kernels/gemm.h"
#include "engine/devices/cpu/kernels/x86/vector_avx2.h"

#include "engine/devices/cpu/kernels/gemm_tile.inc"

DEFINE_VARIANT(qn_gemm_f32_3x32_avx2, 3, 2)
DEFINE_VARIANT(qn_gemm_f32_6x16_avx2, 6, 1)

/* One row: eight vectors in flight cover the latency of FMA. */
void qn_gemm_f32_1x64_avx2(const QnGemmTile *t)
{
    compute(t, 1, 8);
}
