/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of reduce_simd.inc, for AVX2. */
#include "engine/devices/cpu/kernels/x86/reduce_x86.h"

#define RUN    qn_reduce_run_f32_avx2
#define ACROSS qn_reduce_across_f32_avx2
#include "engine/devices/cpu/kernels/reduce_simd.inc"
