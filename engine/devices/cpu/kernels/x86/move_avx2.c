/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles transposed in registers: 16 x 16 bytes, 8 x 8 of two and of four bytes, 4 x 4 of eight. */
#include <immintrin.h>

#include "engine/devices/cpu/kernels/x86/move_x86.h"

void qn_transpose_4_8_avx2(char *to, int64_t to_stride, const char *from, int64_t from_stride)
{
    __m256 t[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        t[i] = _mm256_loadu_ps((const float *)(const void *)(from + i * from_stride));
#pragma GCC unroll 2
    for (int i = 0; i < 8; i += 4) { /* 4 x 4 blocks within the two lanes */
        const __m256 a = _mm256_unpacklo_ps(t[i], t[i + 1]), b = _mm256_unpackhi_ps(t[i], t[i + 1]);
        const __m256 c = _mm256_unpacklo_ps(t[i + 2], t[i + 3]),
                     d = _mm256_unpackhi_ps(t[i + 2], t[i + 3]);
        t[i] = _mm256_shuffle_ps(a, c, 0x44);
        t[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
        t[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
        t[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        _mm256_storeu_ps((float *)(void *)(to + j * to_stride),
                         _mm256_permute2f128_ps(t[j], t[4 + j], 0x20));
        _mm256_storeu_ps((float *)(void *)(to + (4 + j) * to_stride),
                         _mm256_permute2f128_ps(t[j], t[4 + j], 0x31));
    }
}

void qn_transpose_8_4_avx2(char *to, int64_t to_stride, const char *from, int64_t from_stride)
{
    __m256d t[4];
    for (int i = 0; i < 4; i++)
        t[i] = _mm256_loadu_pd((const double *)(const void *)(from + i * from_stride));
    const __m256d a = _mm256_unpacklo_pd(t[0], t[1]), b = _mm256_unpackhi_pd(t[0], t[1]);
    const __m256d c = _mm256_unpacklo_pd(t[2], t[3]), d = _mm256_unpackhi_pd(t[2], t[3]);
    _mm256_storeu_pd((double *)(void *)to, _mm256_permute2f128_pd(a, c, 0x20));
    _mm256_storeu_pd((double *)(void *)(to + to_stride), _mm256_permute2f128_pd(b, d, 0x20));
    _mm256_storeu_pd((double *)(void *)(to + 2 * to_stride), _mm256_permute2f128_pd(a, c, 0x31));
    _mm256_storeu_pd((double *)(void *)(to + 3 * to_stride), _mm256_permute2f128_pd(b, d, 0x31));
}

void qn_transpose_2_8_avx2(char *to, int64_t to_stride, const char *from, int64_t from_stride)
{
    __m128i t[8], u[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        t[i] = _mm_loadu_si128((const __m128i *)(const void *)(from + i * from_stride));
        /* Three rounds of interleaving the upper with the lower half of the rows sort any 2^n of
         * them. */
#pragma GCC unroll 3
    for (int round = 0; round < 3; round++) {
#pragma GCC unroll 4
        for (int i = 0; i < 4; i++) {
            u[2 * i] = _mm_unpacklo_epi16(t[i], t[i + 4]);
            u[2 * i + 1] = _mm_unpackhi_epi16(t[i], t[i + 4]);
        }
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++)
            t[i] = u[i];
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++)
        _mm_storeu_si128((__m128i *)(void *)(to + i * to_stride), t[i]);
}

void qn_transpose_1_16_avx2(char *to, int64_t to_stride, const char *from, int64_t from_stride)
{
    __m128i t[16], u[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        t[i] = _mm_loadu_si128((const __m128i *)(const void *)(from + i * from_stride));
#pragma GCC unroll 4
    for (int round = 0; round < 4; round++) {
#pragma GCC unroll 8
        for (int i = 0; i < 8; i++) {
            u[2 * i] = _mm_unpacklo_epi8(t[i], t[i + 8]);
            u[2 * i + 1] = _mm_unpackhi_epi8(t[i], t[i + 8]);
        }
#pragma GCC unroll 16
        for (int i = 0; i < 16; i++)
            t[i] = u[i];
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        _mm_storeu_si128((__m128i *)(void *)(to + i * to_stride), t[i]);
}
