/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Depthwise convolution of bytes in 256-bit vectors: 32 channels by four taps, as products of 16
 * bits of the even and the odd taps, since those of bytes saturate.
 */
#include <immintrin.h>

#include "base/compiler.h"
#include "engine/devices/cpu/kernels/depthwise_i8.h"

enum { VECTORS = 4, WIDTH = 32 };

static QN_ALWAYS_INLINE __m256i load_tap(const uint8_t *tap, __m256i move)
{
    return _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)tap), move);
}

/* The bytes of 32 channels of four taps, as half of the weights is packed. */
static QN_ALWAYS_INLINE void load_taps(__m256i *x, const uint8_t *const *taps, int64_t c,
                                       __m256i move)
{
    const __m256i t0 = load_tap(taps[0] + c, move), t1 = load_tap(taps[1] + c, move),
                  t2 = load_tap(taps[2] + c, move), t3 = load_tap(taps[3] + c, move);
    const __m256i low = _mm256_unpacklo_epi8(t0, t1), high = _mm256_unpackhi_epi8(t0, t1),
                  low2 = _mm256_unpacklo_epi8(t2, t3), high2 = _mm256_unpackhi_epi8(t2, t3);
    x[0] = _mm256_unpacklo_epi16(low, low2);
    x[1] = _mm256_unpackhi_epi16(low, low2);
    x[2] = _mm256_unpacklo_epi16(high, high2);
    x[3] = _mm256_unpackhi_epi16(high, high2);
}

static QN_ALWAYS_INLINE __m256i add_products(__m256i sum, __m256i x, __m256i w)
{
    const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16(w, 8), 8),
                  odd = _mm256_srai_epi16(w, 8);
    const __m256i x_even = _mm256_and_si256(x, _mm256_set1_epi16(0xff)),
                  x_odd = _mm256_srli_epi16(x, 8);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(x_even, even));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(x_odd, odd));
}

/* Sums back in the order of channels. */
static QN_ALWAYS_INLINE void store_sums(int32_t *to, const __m256i *sums)
{
    const __m256i ordered[VECTORS] = {_mm256_permute2x128_si256(sums[0], sums[1], 0x20),
                                      _mm256_permute2x128_si256(sums[2], sums[3], 0x20),
                                      _mm256_permute2x128_si256(sums[0], sums[1], 0x31),
                                      _mm256_permute2x128_si256(sums[2], sums[3], 0x31)};
    QN_UNROLL
    for (int v = 0; v < VECTORS; v++)
        _mm256_storeu_si256((__m256i *)(void *)(to + 8 * v), ordered[v]);
}

static QN_ALWAYS_INLINE void run_pixel(const QnDepthwiseI8Line *line, int64_t i, int64_t c,
                                       const bool has_x)
{
    const __m256i move = _mm256_set1_epi8((char)line->move), one = _mm256_set1_epi8(1);
    const uint8_t *const *taps = line->taps + i * line->pixel_step;
    const int8_t *w = line->w + c / 64 * 64 * line->groups * QN_DEPTHWISE_I8_TAPS + c % 64;
    __m256i sums[VECTORS], x_sums[VECTORS], x[VECTORS];
    QN_UNROLL
    for (int v = 0; v < VECTORS; v++)
        sums[v] = x_sums[v] = _mm256_setzero_si256();
    for (int64_t g = 0; g < line->groups; g++, taps += QN_DEPTHWISE_I8_TAPS, w += 64 * VECTORS) {
        load_taps(x, taps, c, move);
        QN_UNROLL
        for (int v = 0; v < VECTORS; v++) {
            const __m256i weights = _mm256_load_si256((const __m256i *)(const void *)(w + 64 * v));
            sums[v] = add_products(sums[v], x[v], weights);
            if (has_x)
                x_sums[v] = add_products(x_sums[v], x[v], one);
        }
    }
    store_sums(line->sums + i * line->channels + c, sums);
    if (has_x)
        store_sums(line->x_sums + i * line->channels + c, x_sums);
}

void qn_depthwise_i8_avx2(const QnDepthwiseI8Line *line)
{
    int64_t c = 0;
    for (; c + WIDTH <= line->channels; c += WIDTH)
        for (int64_t i = 0; i < line->count; i++) {
            if (line->x_sums)
                run_pixel(line, i, c, true);
            else
                run_pixel(line, i, c, false);
        }
    qn_depthwise_i8_from(line, c);
}
