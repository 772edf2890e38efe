/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that the x86 files make, for the list in pointwise.c. */
#ifndef QN_KERNELS_X86_POINTWISE_X86_H
#define QN_KERNELS_X86_POINTWISE_X86_H

#include "engine/devices/cpu/kernels/pointwise.h"

extern QnStripFn *const qn_pointwise_f32_avx2[QN_STRIP_COUNT];
extern QnStripFn *const qn_pointwise_f32_avx512[QN_STRIP_COUNT];

#endif
