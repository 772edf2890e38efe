/* SPDX-License-Identifier: Apache-2.0 */
/* What the bodies of the product and depthwise kernels need of 256-bit vectors; gemm_tile.inc says
 * what each means. */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_X86_VECTOR_AVX2_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_X86_VECTOR_AVX2_H

#include <immintrin.h>
#include <stdint.h>

#include "base/compiler.h"

#define V                   __m256
#define LANES               8
#define ZERO()              _mm256_setzero_ps()
#define SET1(x)             _mm256_set1_ps(x)
#define LOAD(p)             _mm256_loadu_ps(p)
#define STORE(p, v)         _mm256_storeu_ps(p, v)
#define ADD(a, b)           _mm256_add_ps(a, b)
#define FMA(a, b, c)        _mm256_fmadd_ps(a, b, c)
#define MAX(a, b)           _mm256_max_ps(a, b)
#define MIN(a, b)           _mm256_min_ps(a, b)
#define PIN(v)              __asm__("" : "+x"(v))
#define REDUCE(v)           reduce(v)
#define LOAD_TAIL(p, n)     load_first(p, n)
#define STORE_TAIL(p, v, n) store_first(p, v, n)

/* Sliding a window over this gives the mask of the first n lanes. */
static const int32_t masks[16] = {-1, -1, -1, -1, -1, -1, -1, -1};

static QN_ALWAYS_INLINE QN_UNUSED __m256i first_lanes(int n)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)(masks + LANES - n));
}

static QN_ALWAYS_INLINE QN_UNUSED __m256 load_first(const float *p, int n)
{
    if (n >= LANES)
        return _mm256_loadu_ps(p);
    return n <= 0 ? _mm256_setzero_ps() : _mm256_maskload_ps(p, first_lanes(n));
}

/* The masked store is slow on some CPUs, so whole vectors avoid it. */
static QN_ALWAYS_INLINE QN_UNUSED void store_first(float *p, __m256 v, int n)
{
    if (n >= LANES)
        _mm256_storeu_ps(p, v);
    else if (n > 0)
        _mm256_maskstore_ps(p, first_lanes(n), v);
}

static QN_ALWAYS_INLINE QN_UNUSED float reduce(__m256 v)
{
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

#endif
