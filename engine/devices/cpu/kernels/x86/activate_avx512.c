/* SPDX-License-Identifier: Apache-2.0 */
/* The activations in 512-bit vectors. */
#define NAME qn_activate_f32_avx512
#include "engine/devices/cpu/kernels/activate.inc"
