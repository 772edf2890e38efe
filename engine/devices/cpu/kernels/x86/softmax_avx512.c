/* SPDX-License-Identifier: Apache-2.0 */
/* The softmax of softmax_simd.inc, for AVX-512. */
#include "engine/devices/cpu/kernels/x86/softmax_x86.h"

#define ROW     qn_softmax_row_f32_avx512
#define COLUMNS qn_softmax_columns_f32_avx512
#include "engine/devices/cpu/kernels/softmax_simd.inc"
