/* SPDX-License-Identifier: Apache-2.0 */
/* What the bodies of the product and depthwise kernels need of 512-bit vectors; gemm_tile.inc says
 * what each means. */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_X86_VECTOR_AVX512_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_X86_VECTOR_AVX512_H

#include <immintrin.h>

#include "base/compiler.h"

#define V                   __m512
#define LANES               16
#define ZERO()              _mm512_setzero_ps()
#define SET1(x)             _mm512_set1_ps(x)
#define LOAD(p)             _mm512_loadu_ps(p)
#define STORE(p, v)         _mm512_storeu_ps(p, v)
#define ADD(a, b)           _mm512_add_ps(a, b)
#define FMA(a, b, c)        _mm512_fmadd_ps(a, b, c)
#define MAX(a, b)           _mm512_max_ps(a, b)
#define MIN(a, b)           _mm512_min_ps(a, b)
#define PIN(v)              __asm__("" : "+v"(v))
#define REDUCE(v)           _mm512_reduce_add_ps(v)
#define LOAD_TAIL(p, n)     _mm512_maskz_loadu_ps(first_lanes(n), p)
#define STORE_TAIL(p, v, n) _mm512_mask_storeu_ps(p, first_lanes(n), v)

static QN_ALWAYS_INLINE QN_UNUSED __mmask16 first_lanes(int n)
{
    return (__mmask16)(n >= LANES ? 0xffffU : n <= 0 ? 0U : (1U << n) - 1);
}

#endif
