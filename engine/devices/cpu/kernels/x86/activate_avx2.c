/* SPDX-License-Identifier: Apache-2.0 */
/* The activations in 256-bit vectors. */
#define NAME qn_activate_f32_avx2
#include "engine/devices/cpu/kernels/activate.inc"
