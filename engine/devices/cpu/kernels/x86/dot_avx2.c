/* SPDX-License-Identifier: Apache-2.0 */
/* Dot products, compiled for AVX2. */
#include "engine/devices/cpu/kernels/dot.h"
#include "engine/devices/cpu/kernels/x86/vector_avx2.h"

#define NAME qn_dot_f32_avx2

#include "engine/devices/cpu/kernels/dot.inc"
