/* SPDX-License-Identifier: Apache-2.0 */
/* Conversions of rows in 256-bit vectors. */
#define ISA(name) qn_convert_##name##_avx2
#include "engine/devices/cpu/kernels/convert_simd.inc"
