/* SPDX-License-Identifier: Apache-2.0 */
/* The transposed tiles of the x86 files, for the list in move.c. */
#ifndef QN_KERNELS_X86_MOVE_X86_H
#define QN_KERNELS_X86_MOVE_X86_H

#include "engine/devices/cpu/kernels/move.h"

QnTransposeFn qn_transpose_4_16_avx512;
QnTransposeFn qn_transpose_4_8_avx2;
QnTransposeFn qn_transpose_1_16_avx2;
QnTransposeFn qn_transpose_2_8_avx2;
QnTransposeFn qn_transpose_8_4_avx2;

#endif
