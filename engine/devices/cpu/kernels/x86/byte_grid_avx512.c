/* SPDX-License-Identifier: Apache-2.0 */
/* The grids of byte_grid.inc, for AVX-512. */
#define WIDEN qn_widen_avx512
#define STEPS qn_steps_avx512
#include "engine/devices/cpu/kernels/byte_grid.inc"
