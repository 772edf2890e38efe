/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of simd.h on sixteen floats, for files compiled with AVX-512. */
#ifndef QN_KERNELS_X86_SIMD_AVX512_H
#define QN_KERNELS_X86_SIMD_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#include "base/compiler.h"

#define V_FN static QN_ALWAYS_INLINE QN_UNUSED

typedef __m512 V;
typedef __m512i VI;
typedef __m512d VD; /* half as many doubles */
typedef __mmask16 VM;
enum { V_WIDTH = 16 };

/* Memory.  The _part forms touch the first n elements only, 0 <= n <= V_WIDTH;
 * lanes not loaded are 0. */
V_FN __mmask16 v_part(int64_t n)
{
    return (__mmask16)_bzhi_u32(0xffff, (unsigned)n);
}
V_FN V v_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
V_FN V v_load_part(const float *p, int64_t n)
{
    return _mm512_maskz_loadu_ps(v_part(n), p);
}
V_FN void v_store(float *p, V x)
{
    _mm512_storeu_ps(p, x);
}
V_FN void v_store_part(float *p, V x, int64_t n)
{
    _mm512_mask_storeu_ps(p, v_part(n), x);
}
V_FN V v_set(float x)
{
    return _mm512_set1_ps(x);
}

/* Arithmetic.  v_min and v_max return y where either operand is a NaN. */
V_FN V v_add(V x, V y)
{
    return _mm512_add_ps(x, y);
}
V_FN V v_sub(V x, V y)
{
    return _mm512_sub_ps(x, y);
}
V_FN V v_mul(V x, V y)
{
    return _mm512_mul_ps(x, y);
}
V_FN V v_div(V x, V y)
{
    return _mm512_div_ps(x, y);
}
V_FN V v_sqrt(V x)
{
    return _mm512_sqrt_ps(x);
}
V_FN V v_min(V x, V y)
{
    return _mm512_min_ps(x, y);
}
V_FN V v_max(V x, V y)
{
    return _mm512_max_ps(x, y);
}
V_FN V v_fma(V x, V y, V z) /* x * y + z */
{
    return _mm512_fmadd_ps(x, y, z);
}
V_FN V v_fnma(V x, V y, V z) /* z - x * y */
{
    return _mm512_fnmadd_ps(x, y, z);
}
V_FN V v_round(V x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
V_FN V v_floor(V x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
V_FN V v_ceil(V x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC);
}
V_FN V v_trunc(V x)
{
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
V_FN V v_scale(V x, V n) /* x * 2^n, n whole, rounded once; |n| < 2^20 */
{
    return _mm512_scalef_ps(x, n);
}

/* Bits. */
V_FN V v_and(V x, V y)
{
    return _mm512_and_ps(x, y);
}
V_FN V v_or(V x, V y)
{
    return _mm512_or_ps(x, y);
}
V_FN V v_xor(V x, V y)
{
    return _mm512_xor_ps(x, y);
}
V_FN V v_andnot(V x, V y) /* ~x & y */
{
    return _mm512_andnot_ps(x, y);
}
V_FN VI v_bits(V x)
{
    return _mm512_castps_si512(x);
}
V_FN V v_from_bits(VI x)
{
    return _mm512_castsi512_ps(x);
}
V_FN VI v_cut_to_int(V x) /* towards zero */
{
    return _mm512_cvttps_epi32(x);
}
V_FN VI v_to_int(V x) /* to the nearest */
{
    return _mm512_cvtps_epi32(x);
}
V_FN V v_from_int(VI x)
{
    return _mm512_cvtepi32_ps(x);
}
V_FN VI vi_set(int32_t x)
{
    return _mm512_set1_epi32(x);
}
V_FN VI vi_load_some(const int32_t *p, int64_t n) /* all of them where n >= V_WIDTH */
{
    return n >= V_WIDTH ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi32(v_part(n), p);
}
V_FN void vi_store_some(int32_t *p, VI x, int64_t n)
{
    if (n >= V_WIDTH)
        _mm512_storeu_si512(p, x);
    else
        _mm512_mask_storeu_epi32(p, v_part(n), x);
}
V_FN __m128i v_bytes(const void *p, int64_t n) /* n of them, at most V_WIDTH */
{
    return n >= V_WIDTH ? _mm_loadu_si128(p) : _mm_maskz_loadu_epi8(v_part(n), p);
}
V_FN VI vi_load_u8(const uint8_t *p, int64_t n) /* 0 in lanes that are not there */
{
    return _mm512_cvtepu8_epi32(v_bytes(p, n));
}
V_FN VI vi_load_i8(const int8_t *p, int64_t n)
{
    return _mm512_cvtepi8_epi32(v_bytes(p, n));
}
V_FN void vi_store_bytes(uint8_t *p, VI x, int64_t n) /* the low byte of each */
{
    const __m128i bytes = _mm512_cvtepi32_epi8(x);
    if (n >= V_WIDTH)
        _mm_storeu_si128((__m128i *)(void *)p, bytes);
    else
        _mm_mask_storeu_epi8(p, v_part(n), bytes);
}
V_FN VI vi_mul(VI x, VI y) /* the low halves */
{
    return _mm512_mullo_epi32(x, y);
}
V_FN VI vi_add(VI x, VI y)
{
    return _mm512_add_epi32(x, y);
}
V_FN VI vi_sub(VI x, VI y)
{
    return _mm512_sub_epi32(x, y);
}
V_FN VI vi_and(VI x, VI y)
{
    return _mm512_and_si512(x, y);
}
V_FN VI vi_left(VI x, int n)
{
    return _mm512_slli_epi32(x, (unsigned)n);
}
V_FN VI vi_right(VI x, int n) /* with the sign */
{
    return _mm512_srai_epi32(x, (unsigned)n);
}

/* Comparisons give masks; all but v_unequal are false for NaN. */
V_FN VM v_eq(V x, V y)
{
    return _mm512_cmp_ps_mask(x, y, _CMP_EQ_OQ);
}
V_FN VM v_unequal(V x, V y)
{
    return _mm512_cmp_ps_mask(x, y, _CMP_NEQ_UQ);
}
V_FN VM v_lt(V x, V y)
{
    return _mm512_cmp_ps_mask(x, y, _CMP_LT_OQ);
}
V_FN VM v_le(V x, V y)
{
    return _mm512_cmp_ps_mask(x, y, _CMP_LE_OQ);
}
V_FN VM vm_and(VM x, VM y)
{
    return x & y;
}
V_FN VM vm_or(VM x, VM y)
{
    return x | y;
}
V_FN VM vm_andnot(VM x, VM y) /* ~x & y */
{
    return (VM)(~x & y);
}
V_FN VM vm_part(int64_t n) /* true in the first n lanes */
{
    return v_part(n);
}
V_FN int vm_any(VM m)
{
    return m != 0;
}
V_FN int vm_all(VM m)
{
    return m == 0xffff;
}
V_FN V v_select(VM m, V x, V y) /* m ? x : y */
{
    return _mm512_mask_blend_ps(m, y, x);
}
/* Masks in memory: bytes, 0 or 1 stored, anything but 0 is true. */
V_FN void vm_store_part(uint8_t *p, VM m, int64_t n)
{
    _mm_mask_storeu_epi8(p, v_part(n), _mm_maskz_set1_epi8(m, 1));
}
V_FN void vm_store(uint8_t *p, VM m)
{
    _mm_storeu_si128((__m128i *)(void *)p, _mm_maskz_set1_epi8(m, 1));
}
V_FN VM vm_load_part(const uint8_t *p, int64_t n)
{
    const __m128i bytes = _mm_maskz_loadu_epi8(v_part(n), p);
    return _mm_test_epi8_mask(bytes, bytes);
}

/* Across the lanes, always in the same order. */
V_FN float v_reduce_add(V x)
{
    __m256 h = _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1));
    __m128 q = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
    q = _mm_add_ps(q, _mm_movehl_ps(q, q));
    return _mm_cvtss_f32(_mm_add_ss(q, _mm_movehdup_ps(q)));
}

/* Doubles: the lower and the upper half of the lanes. */
V_FN VD vd_low(V x)
{
    return _mm512_cvtps_pd(_mm512_castps512_ps256(x));
}
V_FN VD vd_high(V x)
{
    return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1));
}
V_FN V vd_join(VD low, VD high)
{
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high),
                              1);
}
V_FN VD vd_set(double x)
{
    return _mm512_set1_pd(x);
}
V_FN VD vd_add(VD x, VD y)
{
    return _mm512_add_pd(x, y);
}
V_FN VD vd_sub(VD x, VD y)
{
    return _mm512_sub_pd(x, y);
}
V_FN VD vd_mul(VD x, VD y)
{
    return _mm512_mul_pd(x, y);
}
V_FN VD vd_div(VD x, VD y)
{
    return _mm512_div_pd(x, y);
}
V_FN VD vd_fma(VD x, VD y, VD z)
{
    return _mm512_fmadd_pd(x, y, z);
}
V_FN VD vd_min(VD x, VD y) /* y where either is a NaN; vd_max alike */
{
    return _mm512_min_pd(x, y);
}
V_FN VD vd_max(VD x, VD y)
{
    return _mm512_max_pd(x, y);
}
V_FN VD vd_round(VD x)
{
    return _mm512_roundscale_pd(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
V_FN VD vd_scale(VD x, VD n) /* x * 2^n, n whole, |n| < 1000 */
{
    return _mm512_scalef_pd(x, n);
}

#endif
