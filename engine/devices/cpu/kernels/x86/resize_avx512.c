/* SPDX-License-Identifier: Apache-2.0 */
/* The lines of resize_simd.inc, for AVX-512. */
#include "engine/devices/cpu/kernels/x86/resize_x86.h"

#define LINE qn_resize_line_f32_avx512
#include "engine/devices/cpu/kernels/resize_simd.inc"
