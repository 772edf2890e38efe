/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The product of bytes on 256-bit vectors, as products of 16 bits: those of bytes saturate (255 *
 * 127 twice is over 32767), these are exact.  Of each group of four k the even and the odd ones are
 * widened and multiplied apart.
 */
#include <immintrin.h>
#include <string.h>

#include "base/compiler.h"
#include "engine/devices/cpu/kernels/gemm_i8.h"

enum { ROWS = 4, VECTORS = 2 };

static QN_ALWAYS_INLINE void compute(const QnGemmI8Tile *t, const int rows)
{
    const __m256i low = _mm256_set1_epi16(0xff);
    __m256i acc[ROWS][VECTORS];
    QN_UNROLL
    for (int i = 0; i < rows; i++) {
        QN_UNROLL
        for (int j = 0; j < VECTORS; j++)
            acc[i][j] = _mm256_setzero_si256();
    }
    const int8_t *b = t->b;
    for (int64_t r = 0; r < t->runs; r++) {
        const uint8_t *a[ROWS];
        QN_UNROLL
        for (int i = 0; i < rows; i++)
            a[i] = t->a[r * t->a_step + i];
        for (int64_t g = 0; g < t->groups; g++, b += 64) {
            __m256i even[VECTORS], odd[VECTORS];
            QN_UNROLL
            for (int j = 0; j < VECTORS; j++) {
                const __m256i bytes =
                    _mm256_load_si256((const __m256i *)(const void *)(b + 32 * j));
                even[j] = _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8);
                odd[j] = _mm256_srai_epi16(bytes, 8);
            }
            QN_UNROLL
            for (int i = 0; i < rows; i++) {
                int32_t four;
                memcpy(&four, a[i] + 4 * g, sizeof four);
                const __m256i bytes = _mm256_set1_epi32(four);
                const __m256i a_even = _mm256_and_si256(bytes, low),
                              a_odd = _mm256_srli_epi16(bytes, 8);
                QN_UNROLL
                for (int j = 0; j < VECTORS; j++) {
                    acc[i][j] = _mm256_add_epi32(acc[i][j], _mm256_madd_epi16(a_even, even[j]));
                    acc[i][j] = _mm256_add_epi32(acc[i][j], _mm256_madd_epi16(a_odd, odd[j]));
                }
            }
        }
    }
    QN_UNROLL
    for (int i = 0; i < rows; i++) {
        QN_UNROLL
        for (int j = 0; j < VECTORS; j++)
            _mm256_storeu_si256((__m256i *)(void *)(t->c + i * t->c_step + 8 * j), acc[i][j]);
    }
}

void qn_gemm_i8_4x16_avx2(const QnGemmI8Tile *t)
{
    switch (t->rows) {
    case 1:
        compute(t, 1);
        break;
    case 2:
        compute(t, 2);
        break;
    case 3:
        compute(t, 3);
        break;
    case 4:
        compute(t, 4);
        break;
    }
}
