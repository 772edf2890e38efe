/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that the x86 files make, for the list in reduce.c. */
#ifndef QN_KERNELS_X86_REDUCE_X86_H
#define QN_KERNELS_X86_REDUCE_X86_H

#include "engine/devices/cpu/kernels/reduce.h"

extern QnReduceFn *const qn_reduce_run_f32_avx2[QN_STEP_COUNT],
    *const qn_reduce_across_f32_avx2[QN_STEP_COUNT];
extern QnReduceFn *const qn_reduce_run_f32_avx512[QN_STEP_COUNT],
    *const qn_reduce_across_f32_avx512[QN_STEP_COUNT];

#endif
