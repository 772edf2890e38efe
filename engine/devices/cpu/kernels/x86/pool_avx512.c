/* SPDX-License-Identifier: Apache-2.0 */
/* The pooling of pool_simd.inc, for AVX-512. */
#include "engine/devices/cpu/kernels/x86/pool_x86.h"

#define POOL qn_pool_f32_avx512
#include "engine/devices/cpu/kernels/pool_simd.inc"
