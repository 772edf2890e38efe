/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/gemm_pack.h"

#include <string.h>

#include "base/checked.h"
#include "engine/devices/cpu/kernels/gemm.h"

enum { ALIAS_BYTES = 4096, ALIAS_FROM_BYTES = 65536 };

bool qn_pack_f32_size(QnPanelsF32 *out, int64_t k, int64_t n)
{
    if (k < 0 || n < 0 || (uint64_t)k > SIZE_MAX / 256)
        return false;
    size_t panel_bytes = (size_t)k * QN_PANEL * sizeof(float);
    if (panel_bytes >= ALIAS_FROM_BYTES && panel_bytes % ALIAS_BYTES == 0)
        panel_bytes += QN_PANEL * sizeof(float);
    size_t size_bytes;
    if (!qn_mul_size(&size_bytes, panel_bytes, (size_t)qn_ceil_div(n, QN_PANEL)))
        return false;
    *out = (QnPanelsF32){(int64_t)(panel_bytes / sizeof(float)), size_bytes};
    return true;
}

/* Sixteen columns at most; the source's rows are contiguous. */
static void pack_rows(float *to, const char *from, int64_t k_step, int64_t k, int64_t columns)
{
    const size_t row_bytes = (size_t)columns * sizeof(float);
    for (int64_t i = 0; i < k; i++, to += QN_PANEL, from += k_step * (int64_t)sizeof(float)) {
        if (columns == QN_PANEL) {
            memcpy(to, from, QN_PANEL * sizeof(float));
        } else {
            memcpy(to, from, row_bytes);
            memset((char *)to + row_bytes, 0, QN_PANEL * sizeof(float) - row_bytes);
        }
    }
}

/* Sixteen columns at most, any steps: squares of 16 by 16, so that what is written stays in the
 * first cache level. */
static void pack_columns(float *to, const char *from, int64_t k_step, int64_t n_step, int64_t k,
                         int64_t columns)
{
    for (int64_t first = 0; first < k; first += QN_PANEL, to += QN_PANEL * QN_PANEL) {
        const int64_t count = qn_min_i64(QN_PANEL, k - first);
        for (int64_t j = 0; j < columns; j++) {
            const char *at = from + (first * k_step + j * n_step) * (int64_t)sizeof(float);
            for (int64_t i = 0; i < count; i++)
                memcpy(&to[i * QN_PANEL + j], at + i * k_step * (int64_t)sizeof(float),
                       sizeof(float));
        }
        for (int64_t i = 0; i < count; i++)
            for (int64_t j = columns; j < QN_PANEL; j++)
                to[i * QN_PANEL + j] = 0;
    }
}

void qn_pack_f32(float *panels, int64_t stride, int64_t k_first, const void *source, int64_t k_step,
                 int64_t n_step, int64_t k, int64_t n)
{
    if (k == 0)
        return;
    for (int64_t first = 0; first < n; first += QN_PANEL) {
        float *to = panels + first / QN_PANEL * stride + k_first * QN_PANEL;
        const char *from = (const char *)source + first * n_step * (int64_t)sizeof(float);
        const int64_t columns = qn_min_i64(QN_PANEL, n - first);
        if (n_step == 1)
            pack_rows(to, from, k_step, k, columns);
        else
            pack_columns(to, from, k_step, n_step, k, columns);
    }
}
