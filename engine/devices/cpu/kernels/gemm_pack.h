/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packed form of B (gemm.h): panels of 16 columns, [panel][k][16] floats, pad columns zero. All
 * CPU levels read the same form, so packed weights are made once and shared.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_PACK_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Where a packed B lies; the stride is stored with it, no kernel derives it from k. */
typedef struct QnPanelsF32 {
    int64_t stride; /* floats between panels */
    size_t size_bytes;
} QnPanelsF32;

/*
 * The stride and size of B[k][n] in panels; false where a number does not fit.  Large panels whose
 * size is a multiple of 4 KiB get one more line, so that the heads of neighbours do not share a set
 * of the first cache level.
 */
QN_WARN_UNUSED bool qn_pack_f32_size(QnPanelsF32 *out, int64_t k, int64_t n);

/*
 * Packs k rows of B into rows [k_first, k_first + k) of the panels.  Element (i, j) of B is the
 * float at source + 4 * (i * k_step + j * n_step); the source needs no alignment.  `panels` is
 * aligned to 64 bytes and overlaps nothing.  Covers row-major B (n_step 1), transposed B (k_step
 * 1), and one kernel position of convolution weights.
 */
void qn_pack_f32(float *panels, int64_t stride, int64_t k_first, const void *source, int64_t k_step,
                 int64_t n_step, int64_t k, int64_t n);

#endif
