/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution in 256-bit vectors. */
#include "engine/devices/cpu/kernels/depthwise.h"
#include "engine/devices/cpu/kernels/gemm.h"
#include "engine/devices/cpu/kernels/x86/vector_avx2.h"

#include "engine/devices/cpu/kernels/depthwise.inc"

DEFINE_LINE(qn_depthwise_f32_3s1_avx2, 3, 1)
DEFINE_LINE(qn_depthwise_f32_3s2_avx2, 3, 2)
DEFINE_LINE(qn_depthwise_f32_5s1_avx2, 5, 1)
DEFINE_LINE(qn_depthwise_f32_5s2_avx2, 5, 2)
DEFINE_LINE(qn_depthwise_f32_avx2, 0, 0)
