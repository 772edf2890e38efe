/* SPDX-License-Identifier: Apache-2.0 */
/* What the x86 files make, for the list in normalize.c. */
#ifndef QN_KERNELS_X86_NORMALIZE_X86_H
#define QN_KERNELS_X86_NORMALIZE_X86_H

#include "engine/devices/cpu/kernels/normalize.h"

QnNormalizeFn qn_normalize_f32_avx2, qn_normalize_f32_avx512;

#endif
