/* SPDX-License-Identifier: Apache-2.0 */
/* Products of doubles and integers in 512-bit vectors. */
#include <string.h>

#include "engine/devices/cpu/kernels/matrix.h"

#define NAME qn_matrix_f64_avx512
#define T    double
#include "engine/devices/cpu/kernels/matrix_typed.inc"

#define NAME qn_matrix_u32_avx512
#define T    uint32_t
#include "engine/devices/cpu/kernels/matrix_typed.inc"

#define NAME qn_matrix_u64_avx512
#define T    uint64_t
#include "engine/devices/cpu/kernels/matrix_typed.inc"
