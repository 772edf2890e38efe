/* SPDX-License-Identifier: Apache-2.0 */
/* What the x86 files make, for the list in resize.c. */
#ifndef QN_KERNELS_X86_RESIZE_X86_H
#define QN_KERNELS_X86_RESIZE_X86_H

#include "engine/devices/cpu/kernels/resize.h"

QnResizeLineFn qn_resize_line_f32_avx2, qn_resize_line_f32_avx512;

#endif
