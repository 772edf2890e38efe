/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions of rows in 512-bit vectors. */
#define ISA(name) qn_convert_##name##_avx512
#include "engine/devices/cpu/kernels/convert_simd.inc"
