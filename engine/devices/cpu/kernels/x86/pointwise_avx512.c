/* SPDX-License-Identifier: Apache-2.0 */
/* The strip functions of pointwise_simd.inc, for AVX-512. */
#include "engine/devices/cpu/kernels/x86/pointwise_x86.h"

#define STRIP_TABLE qn_pointwise_f32_avx512
#include "engine/devices/cpu/kernels/pointwise_simd.inc"
