/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that the x86 files make, for the list in pool.c. */
#ifndef QN_KERNELS_X86_POOL_X86_H
#define QN_KERNELS_X86_POOL_X86_H

#include "engine/devices/cpu/kernels/pool.h"

extern QnPoolFn *const qn_pool_f32_avx2[QN_POOL_KIND_COUNT],
    *const qn_pool_f32_avx512[QN_POOL_KIND_COUNT];

#endif
