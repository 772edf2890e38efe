/* SPDX-License-Identifier: Apache-2.0 */
/* The normalization of normalize_simd.inc, for AVX-512. */
#include "engine/devices/cpu/kernels/x86/normalize_x86.h"

#define NORMALIZE qn_normalize_f32_avx512
#include "engine/devices/cpu/kernels/normalize_simd.inc"
