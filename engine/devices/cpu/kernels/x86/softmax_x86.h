/* SPDX-License-Identifier: Apache-2.0 */
/* What the x86 files make, for the list in softmax.c. */
#ifndef QN_KERNELS_X86_SOFTMAX_X86_H
#define QN_KERNELS_X86_SOFTMAX_X86_H

#include "engine/devices/cpu/kernels/softmax.h"

QnSoftmaxRowFn qn_softmax_row_f32_avx2, qn_softmax_row_f32_avx512;
QnSoftmaxColumnsFn qn_softmax_columns_f32_avx2, qn_softmax_columns_f32_avx512;

#endif
