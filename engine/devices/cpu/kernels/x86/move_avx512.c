/* SPDX-License-Identifier: Apache-2.0 */
/* A tile of 16 x 16 four-byte elements, transposed in registers in four steps. */
#include <immintrin.h>

#include "engine/devices/cpu/kernels/x86/move_x86.h"

/* Within 128-bit lanes: t[4i + j] holds column j
 * of the lanes' 4 x 4 blocks of rows 4i to 4i + 3. */
static QN_ALWAYS_INLINE void transpose_lanes(__m512 t[16])
{
    for (int i = 0; i < 16; i += 4) {
        const __m512 a = _mm512_unpacklo_ps(t[i], t[i + 1]), b = _mm512_unpackhi_ps(t[i], t[i + 1]);
        const __m512 c = _mm512_unpacklo_ps(t[i + 2], t[i + 3]),
                     d = _mm512_unpackhi_ps(t[i + 2], t[i + 3]);
        t[i] = _mm512_shuffle_ps(a, c, 0x44);
        t[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
        t[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
        t[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
}

void qn_transpose_4_16_avx512(char *to, int64_t to_stride, const char *from, int64_t from_stride)
{
    __m512 t[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        t[i] = _mm512_loadu_ps(from + i * from_stride);
    transpose_lanes(t);
    /* Lane k of t[4i + j] is column 4k + j of rows 4i to 4i + 3: gather the four i for each k. */
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        const __m512 low01 = _mm512_shuffle_f32x4(t[j], t[4 + j], 0x88);
        const __m512 high01 = _mm512_shuffle_f32x4(t[j], t[4 + j], 0xdd);
        const __m512 low23 = _mm512_shuffle_f32x4(t[8 + j], t[12 + j], 0x88);
        const __m512 high23 = _mm512_shuffle_f32x4(t[8 + j], t[12 + j], 0xdd);
        _mm512_storeu_ps(to + j * to_stride, _mm512_shuffle_f32x4(low01, low23, 0x88));
        _mm512_storeu_ps(to + (4 + j) * to_stride, _mm512_shuffle_f32x4(high01, high23, 0x88));
        _mm512_storeu_ps(to + (8 + j) * to_stride, _mm512_shuffle_f32x4(low01, low23, 0xdd));
        _mm512_storeu_ps(to + (12 + j) * to_stride, _mm512_shuffle_f32x4(high01, high23, 0xdd));
    }
}
