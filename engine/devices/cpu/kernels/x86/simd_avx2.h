/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of simd.h on eight floats, for files compiled with AVX2, FMA and BMI2. */
#ifndef QN_KERNELS_X86_SIMD_AVX2_H
#define QN_KERNELS_X86_SIMD_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

#define V_FN static QN_ALWAYS_INLINE QN_UNUSED

typedef __m256 V;
typedef __m256i VI;
typedef __m256d VD; /* half as many doubles */
typedef __m256 VM;  /* lanes of all ones or all zeros */
enum { V_WIDTH = 8 };

/* Memory.  The _part forms touch the first n elements only, 0 <= n <= V_WIDTH;
 * lanes not loaded are 0. */
V_FN __m256i v_part(int64_t n)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
V_FN V v_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
V_FN V v_load_part(const float *p, int64_t n)
{
    return _mm256_maskload_ps(p, v_part(n));
}
V_FN void v_store(float *p, V x)
{
    _mm256_storeu_ps(p, x);
}
V_FN void v_store_part(float *p, V x, int64_t n)
{
    _mm256_maskstore_ps(p, v_part(n), x);
}
V_FN V v_set(float x)
{
    return _mm256_set1_ps(x);
}

/* Arithmetic.  v_min and v_max return y where either operand is a NaN. */
V_FN V v_add(V x, V y)
{
    return _mm256_add_ps(x, y);
}
V_FN V v_sub(V x, V y)
{
    return _mm256_sub_ps(x, y);
}
V_FN V v_mul(V x, V y)
{
    return _mm256_mul_ps(x, y);
}
V_FN V v_div(V x, V y)
{
    return _mm256_div_ps(x, y);
}
V_FN V v_sqrt(V x)
{
    return _mm256_sqrt_ps(x);
}
V_FN V v_min(V x, V y)
{
    return _mm256_min_ps(x, y);
}
V_FN V v_max(V x, V y)
{
    return _mm256_max_ps(x, y);
}
V_FN V v_fma(V x, V y, V z) /* x * y + z */
{
    return _mm256_fmadd_ps(x, y, z);
}
V_FN V v_fnma(V x, V y, V z) /* z - x * y */
{
    return _mm256_fnmadd_ps(x, y, z);
}
V_FN V v_round(V x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
V_FN V v_floor(V x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
V_FN V v_ceil(V x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
V_FN V v_trunc(V x)
{
    return _mm256_round_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
V_FN V v_scale(V x, V n) /* x * 2^n, n whole, rounded once; |n| < 2^20 */
{
    /* Two steps, so that neither factor leaves the range of normal floats:
     * |n| <= 252 is exact, beyond saturates. */
    const V limit = _mm256_set1_ps(252), low = _mm256_set1_ps(-252);
    const VI whole = _mm256_cvtps_epi32(_mm256_min_ps(limit, _mm256_max_ps(low, n)));
    const VI half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
    const VI one = _mm256_set1_epi32(127);
    x = _mm256_mul_ps(x, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(half, one), 23)));
    return _mm256_mul_ps(x,
                         _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(rest, one), 23)));
}

/* Bits. */
V_FN V v_and(V x, V y)
{
    return _mm256_and_ps(x, y);
}
V_FN V v_or(V x, V y)
{
    return _mm256_or_ps(x, y);
}
V_FN V v_xor(V x, V y)
{
    return _mm256_xor_ps(x, y);
}
V_FN V v_andnot(V x, V y) /* ~x & y */
{
    return _mm256_andnot_ps(x, y);
}
V_FN VI v_bits(V x)
{
    return _mm256_castps_si256(x);
}
V_FN V v_from_bits(VI x)
{
    return _mm256_castsi256_ps(x);
}
V_FN VI v_cut_to_int(V x) /* towards zero */
{
    return _mm256_cvttps_epi32(x);
}
V_FN VI v_to_int(V x) /* to the nearest */
{
    return _mm256_cvtps_epi32(x);
}
V_FN V v_from_int(VI x)
{
    return _mm256_cvtepi32_ps(x);
}
V_FN VI vi_set(int32_t x)
{
    return _mm256_set1_epi32(x);
}
V_FN VI vi_load_some(const int32_t *p, int64_t n) /* all of them where n >= V_WIDTH */
{
    return n >= V_WIDTH ? _mm256_loadu_si256((const __m256i *)(const void *)p)
                        : _mm256_maskload_epi32(p, v_part(n));
}
V_FN void vi_store_some(int32_t *p, VI x, int64_t n)
{
    if (n >= V_WIDTH)
        _mm256_storeu_si256((__m256i *)(void *)p, x);
    else
        _mm256_maskstore_epi32(p, v_part(n), x);
}
V_FN __m128i v_bytes(const void *p, int64_t n) /* n of them, at most V_WIDTH */
{
    int64_t bytes = 0;
    memcpy(&bytes, p, n >= V_WIDTH ? V_WIDTH : (size_t)n);
    return _mm_cvtsi64_si128(bytes);
}
V_FN VI vi_load_u8(const uint8_t *p, int64_t n) /* 0 in lanes that are not there */
{
    return _mm256_cvtepu8_epi32(v_bytes(p, n));
}
V_FN VI vi_load_i8(const int8_t *p, int64_t n)
{
    return _mm256_cvtepi8_epi32(v_bytes(p, n));
}
V_FN void vi_store_bytes(uint8_t *p, VI x, int64_t n) /* the low byte of each */
{
    const __m256i low = _mm256_set1_epi32(0x0c080400);
    const VI fours = _mm256_shuffle_epi8(x, low);
    const int32_t words[2] = {_mm256_extract_epi32(fours, 0), _mm256_extract_epi32(fours, 4)};
    memcpy(p, words, n >= V_WIDTH ? V_WIDTH : (size_t)n);
}
V_FN VI vi_mul(VI x, VI y) /* the low halves */
{
    return _mm256_mullo_epi32(x, y);
}
V_FN VI vi_add(VI x, VI y)
{
    return _mm256_add_epi32(x, y);
}
V_FN VI vi_sub(VI x, VI y)
{
    return _mm256_sub_epi32(x, y);
}
V_FN VI vi_and(VI x, VI y)
{
    return _mm256_and_si256(x, y);
}
V_FN VI vi_left(VI x, int n)
{
    return _mm256_slli_epi32(x, n);
}
V_FN VI vi_right(VI x, int n) /* with the sign */
{
    return _mm256_srai_epi32(x, n);
}

/* Comparisons give masks; all but v_unequal are false for NaN. */
V_FN VM v_eq(V x, V y)
{
    return _mm256_cmp_ps(x, y, _CMP_EQ_OQ);
}
V_FN VM v_unequal(V x, V y)
{
    return _mm256_cmp_ps(x, y, _CMP_NEQ_UQ);
}
V_FN VM v_lt(V x, V y)
{
    return _mm256_cmp_ps(x, y, _CMP_LT_OQ);
}
V_FN VM v_le(V x, V y)
{
    return _mm256_cmp_ps(x, y, _CMP_LE_OQ);
}
V_FN VM vm_and(VM x, VM y)
{
    return _mm256_and_ps(x, y);
}
V_FN VM vm_or(VM x, VM y)
{
    return _mm256_or_ps(x, y);
}
V_FN VM vm_andnot(VM x, VM y) /* ~x & y */
{
    return _mm256_andnot_ps(x, y);
}
V_FN VM vm_part(int64_t n) /* true in the first n lanes */
{
    return _mm256_castsi256_ps(v_part(n));
}
V_FN int vm_any(VM m)
{
    return _mm256_movemask_ps(m) != 0;
}
V_FN int vm_all(VM m)
{
    return _mm256_movemask_ps(m) == 0xff;
}
V_FN V v_select(VM m, V x, V y) /* m ? x : y */
{
    return _mm256_blendv_ps(y, x, m);
}
/* Masks in memory: bytes, 0 or 1 stored, anything but 0 is true. */
V_FN uint64_t vm_bytes(VM m)
{
    return _pdep_u64((uint64_t)(unsigned)_mm256_movemask_ps(m), 0x0101010101010101u);
}
V_FN void vm_store_part(uint8_t *p, VM m, int64_t n)
{
    const uint64_t bytes = vm_bytes(m);
    memcpy(p, &bytes, (size_t)n);
}
V_FN void vm_store(uint8_t *p, VM m)
{
    const uint64_t bytes = vm_bytes(m);
    memcpy(p, &bytes, 8);
}
V_FN VM vm_load_part(const uint8_t *p, int64_t n)
{
    uint64_t bytes = 0;
    memcpy(&bytes, p, (size_t)n);
    const VI wide = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128((long long)bytes));
    return _mm256_castsi256_ps(_mm256_cmpgt_epi32(wide, _mm256_setzero_si256()));
}

/* Across the lanes, always in the same order. */
V_FN float v_reduce_add(V x)
{
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

/* Doubles: the lower and the upper half of the lanes. */
V_FN VD vd_low(V x)
{
    return _mm256_cvtps_pd(_mm256_castps256_ps128(x));
}
V_FN VD vd_high(V x)
{
    return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1));
}
V_FN V vd_join(VD low, VD high)
{
    return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
}
V_FN VD vd_set(double x)
{
    return _mm256_set1_pd(x);
}
V_FN VD vd_add(VD x, VD y)
{
    return _mm256_add_pd(x, y);
}
V_FN VD vd_sub(VD x, VD y)
{
    return _mm256_sub_pd(x, y);
}
V_FN VD vd_mul(VD x, VD y)
{
    return _mm256_mul_pd(x, y);
}
V_FN VD vd_div(VD x, VD y)
{
    return _mm256_div_pd(x, y);
}
V_FN VD vd_fma(VD x, VD y, VD z)
{
    return _mm256_fmadd_pd(x, y, z);
}
V_FN VD vd_min(VD x, VD y) /* y where either is a NaN; vd_max alike */
{
    return _mm256_min_pd(x, y);
}
V_FN VD vd_max(VD x, VD y)
{
    return _mm256_max_pd(x, y);
}
V_FN VD vd_round(VD x)
{
    return _mm256_round_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
V_FN VD vd_scale(VD x, VD n) /* x * 2^n, n whole, |n| < 1000 */
{
    /* Adding 1.5 * 2^52 puts a whole number into the low bits of the significand. */
    const VD magic = _mm256_set1_pd(6755399441055744.0 + 1023);
    const __m256i power = _mm256_slli_epi64(_mm256_castpd_si256(_mm256_add_pd(n, magic)), 52);
    return _mm256_mul_pd(x, _mm256_castsi256_pd(power));
}

#endif
