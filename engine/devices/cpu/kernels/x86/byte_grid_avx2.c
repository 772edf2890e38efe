/* SPDX-License-Identifier: Apache-2.0 */
/* The grids of byte_grid.inc, for AVX2. */
#define WIDEN qn_widen_avx2
#define STEPS qn_steps_avx2
#include "engine/devices/cpu/kernels/byte_grid.inc"
