/* SPDX-License-Identifier: Apache-2.0 */
/* The scaling of scale_i32.inc, for AVX-512. */
#define SCALE_I32 qn_scale_i32_avx512
#include "engine/devices/cpu/kernels/scale_i32.inc"
