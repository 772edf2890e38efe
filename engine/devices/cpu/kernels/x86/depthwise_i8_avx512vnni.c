/* SPDX-License-Identifier: Apache-2.0 */
/* Depthwise convolution of bytes by vpdpbusd: 64 channels by four taps. */
#include <immintrin.h>

#include "base/compiler.h"
#include "engine/devices/cpu/kernels/depthwise_i8.h"

enum { VECTORS = 4, COLUMNS = 3 };

/* The bytes of 64 channels of four taps, as the weights are packed. */
static QN_ALWAYS_INLINE void load_taps(__m512i *x, const uint8_t *const *taps, int64_t c,
                                       __mmask64 lanes, __m512i move)
{
    __m512i rows[QN_DEPTHWISE_I8_TAPS];
    QN_UNROLL
    for (int t = 0; t < QN_DEPTHWISE_I8_TAPS; t++)
        rows[t] = _mm512_xor_si512(_mm512_maskz_loadu_epi8(lanes, taps[t] + c), move);
    const __m512i low = _mm512_unpacklo_epi8(rows[0], rows[1]),
                  high = _mm512_unpackhi_epi8(rows[0], rows[1]),
                  low2 = _mm512_unpacklo_epi8(rows[2], rows[3]),
                  high2 = _mm512_unpackhi_epi8(rows[2], rows[3]);
    x[0] = _mm512_unpacklo_epi16(low, low2);
    x[1] = _mm512_unpackhi_epi16(low, low2);
    x[2] = _mm512_unpacklo_epi16(high, high2);
    x[3] = _mm512_unpackhi_epi16(high, high2);
}

/* Sums back in the order of channels: a transposition of four by four lanes of 128 bits. */
static QN_ALWAYS_INLINE void store_sums(int32_t *to, const __m512i *sums, __mmask64 lanes)
{
    const __m512i a = _mm512_shuffle_i32x4(sums[0], sums[1], 0x44),
                  b = _mm512_shuffle_i32x4(sums[0], sums[1], 0xee),
                  c = _mm512_shuffle_i32x4(sums[2], sums[3], 0x44),
                  d = _mm512_shuffle_i32x4(sums[2], sums[3], 0xee);
    const __m512i ordered[VECTORS] = {
        _mm512_shuffle_i32x4(a, c, 0x88), _mm512_shuffle_i32x4(a, c, 0xdd),
        _mm512_shuffle_i32x4(b, d, 0x88), _mm512_shuffle_i32x4(b, d, 0xdd)};
    QN_UNROLL
    for (int v = 0; v < VECTORS; v++)
        _mm512_mask_storeu_epi32(to + 16 * v, (__mmask16)(lanes >> (16 * v)), ordered[v]);
}

static QN_ALWAYS_INLINE void run_pixel(const QnDepthwiseI8Line *line, int64_t i, int64_t c,
                                       __mmask64 lanes, const bool has_x)
{
    const __m512i move = _mm512_set1_epi8((char)line->move), one = _mm512_set1_epi8(1);
    const uint8_t *const *taps = line->taps + i * line->pixel_step;
    const int8_t *w = line->w + c * line->groups * QN_DEPTHWISE_I8_TAPS;
    __m512i sums[VECTORS], x_sums[VECTORS], x[VECTORS];
    QN_UNROLL
    for (int v = 0; v < VECTORS; v++)
        sums[v] = x_sums[v] = _mm512_setzero_si512();
    for (int64_t g = 0; g < line->groups; g++, taps += QN_DEPTHWISE_I8_TAPS, w += 64 * VECTORS) {
        load_taps(x, taps, c, lanes, move);
        QN_UNROLL
        for (int v = 0; v < VECTORS; v++) {
            sums[v] = _mm512_dpbusd_epi32(sums[v], x[v], _mm512_load_si512(w + 64 * v));
            if (has_x)
                x_sums[v] = _mm512_dpbusd_epi32(x_sums[v], x[v], one);
        }
    }
    store_sums(line->sums + i * line->channels + c, sums, lanes);
    if (has_x)
        store_sums(line->x_sums + i * line->channels + c, x_sums, lanes);
}

/* Pixels of three fours, of which each has two in common with its neighbour: those of 3x3.  Weights
 * and fours stay in registers. */
static void run_columns(const QnDepthwiseI8Line *line, int64_t c, __mmask64 lanes)
{
    const __m512i move = _mm512_set1_epi8((char)line->move);
    const int8_t *from = line->w + c * COLUMNS * QN_DEPTHWISE_I8_TAPS;
    __m512i w[COLUMNS][VECTORS], x[COLUMNS][VECTORS];
    QN_UNROLL
    for (int g = 0; g < COLUMNS; g++) {
        QN_UNROLL
        for (int v = 0; v < VECTORS; v++)
            w[g][v] = _mm512_load_si512(from + 64 * (VECTORS * g + v));
    }
    const uint8_t *const *taps = line->taps;
    load_taps(x[0], taps, c, lanes, move);
    load_taps(x[1], taps + QN_DEPTHWISE_I8_TAPS, c, lanes, move);
    for (int64_t i = 0; i < line->count; i++, taps += QN_DEPTHWISE_I8_TAPS) {
        __m512i sums[VECTORS];
        load_taps(x[2], taps + 2 * QN_DEPTHWISE_I8_TAPS, c, lanes, move);
        QN_UNROLL
        for (int v = 0; v < VECTORS; v++) {
            sums[v] = _mm512_dpbusd_epi32(_mm512_setzero_si512(), x[0][v], w[0][v]);
            sums[v] = _mm512_dpbusd_epi32(sums[v], x[1][v], w[1][v]);
            sums[v] = _mm512_dpbusd_epi32(sums[v], x[2][v], w[2][v]);
            x[0][v] = x[1][v];
            x[1][v] = x[2][v];
        }
        store_sums(line->sums + i * line->channels + c, sums, lanes);
    }
}

void qn_depthwise_i8_avx512vnni(const QnDepthwiseI8Line *line)
{
    const bool has_columns =
        line->groups == COLUMNS && line->pixel_step == QN_DEPTHWISE_I8_TAPS && !line->x_sums;
    for (int64_t c = 0; c < line->channels; c += QN_DEPTHWISE_I8_BLOCK) {
        const int64_t left = line->channels - c;
        const __mmask64 lanes = left >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << left) - 1;
        if (has_columns)
            run_columns(line, c, lanes);
        for (int64_t i = 0; !has_columns && i < line->count; i++) {
            if (line->x_sums)
                run_pixel(line, i, c, lanes, true);
            else
                run_pixel(line, i, c, lanes, false);
        }
    }
}
