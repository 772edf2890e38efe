/* SPDX-License-Identifier: Apache-2.0 */
/* Products of doubles and integers by what the baseline has. */
#include <string.h>

#include "engine/devices/cpu/kernels/matrix.h"

#define NAME qn_matrix_f64_c
#define T    double
#include "engine/devices/cpu/kernels/matrix_typed.inc"

#define NAME qn_matrix_u32_c
#define T    uint32_t
#include "engine/devices/cpu/kernels/matrix_typed.inc"

#define NAME qn_matrix_u64_c
#define T    uint64_t
#include "engine/devices/cpu/kernels/matrix_typed.inc"
