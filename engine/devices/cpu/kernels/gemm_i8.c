/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/gemm_i8.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"

/* clang-format off */
const QnGemmI8 qn_gemm_i8[] = {
#if QN_ARCH_X86
    {"gemm_i8_6x64_avx512vnni", QN_ISA_AVX512 | QN_ISA_AVX512VNNI, 6, 4, qn_gemm_i8_6x64_avx512vnni},
    {"gemm_i8_12x16_avx512vnni", QN_ISA_AVX512 | QN_ISA_AVX512VNNI, 12, 1, qn_gemm_i8_12x16_avx512vnni},
    {"gemm_i8_4x16_avx2", QN_ISA_AVX2, 4, 1, qn_gemm_i8_4x16_avx2},
#endif
    {"gemm_i8_2x16_c", QN_ISA_NONE, 2, 1, qn_gemm_i8_2x16_c},
};
/* clang-format on */

const int qn_gemm_i8_count = QN_COUNT_OF(qn_gemm_i8);

const QnGemmI8 *qn_gemm_i8_pick(QnIsa have, int64_t panels)
{
    assert(panels >= 1);
    const QnGemmI8 *variant = qn_gemm_i8;
    while (variant->panels > panels || (variant->needs & have) != variant->needs)
        variant++;
    return variant;
}

/* ---- packing ---- */

enum { GROUP_BYTES = 64, TILE_BYTES = 1024, ALIAS_BYTES = 4096, ALIAS_FROM_BYTES = 65536 };

bool qn_pack_i8_size(QnPanelsI8 *out, int64_t k, int64_t n)
{
    if (k < 0 || n < 0 || (uint64_t)k > SIZE_MAX / 256 || (uint64_t)n > SIZE_MAX / 256)
        return false;
    const size_t panels = (size_t)qn_ceil_div(n, QN_PANEL_I8);
    size_t stride = (size_t)qn_ceil_div(k, 64) * TILE_BYTES, total;
    if (stride >= ALIAS_FROM_BYTES && stride % ALIAS_BYTES == 0)
        stride += GROUP_BYTES; /* heads of neighbours do not share a set of the first cache level */
    if (!qn_mul_size(&total, stride, panels))
        return false;
    out->stride = (int64_t)stride;
    out->sums_offset = total;
    return qn_add_size(&out->size_bytes, total, panels * QN_PANEL_I8 * sizeof(int32_t));
}

/* Rows from k_first on of one panel of at most 16 columns. */
static void pack_panel(int8_t *to, int32_t *sums, int64_t k_first, const uint8_t *from,
                       int64_t k_step, int64_t n_step, uint8_t move, int64_t k, int64_t columns)
{
    for (int64_t i = 0; i < k; i++) {
        const uint8_t *row = from + i * k_step;
        int8_t *group = to + (k_first + i) / 4 * GROUP_BYTES + (k_first + i) % 4;
        for (int64_t j = 0; j < columns; j++) {
            const int8_t value = (int8_t)(row[j * n_step] ^ move);
            group[4 * j] = value;
            sums[j] += value;
        }
    }
}

void qn_pack_i8_rows(void *to, const QnPanelsI8 *panels, int64_t k_first, const void *source,
                     int64_t k_step, int64_t n_step, bool is_unsigned, int64_t k, int64_t n)
{
    int8_t *bytes = to;
    int32_t *sums = (int32_t *)(void *)(bytes + panels->sums_offset);
    for (int64_t first = 0; first < n; first += QN_PANEL_I8)
        pack_panel(bytes + first / QN_PANEL_I8 * panels->stride, sums + first, k_first,
                   (const uint8_t *)source + first * n_step, k_step, n_step, is_unsigned ? 0x80 : 0,
                   k, qn_min_i64(QN_PANEL_I8, n - first));
}

void qn_pack_i8(void *to, const QnPanelsI8 *panels, const void *source, int64_t k_step,
                int64_t n_step, bool is_unsigned, int64_t k, int64_t n)
{
    memset(to, 0, panels->size_bytes);
    qn_pack_i8_rows(to, panels, 0, source, k_step, n_step, is_unsigned, k, n);
}
