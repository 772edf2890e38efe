/* SPDX-License-Identifier: Apache-2.0 */
/* The transforms of winograd_simd.inc, for AVX-512. */
#define WINOGRAD(name) qn_winograd_##name##_avx512
#include "engine/devices/cpu/kernels/winograd_simd.inc"
