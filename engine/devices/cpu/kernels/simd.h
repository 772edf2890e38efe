/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dozen vector operations under one name per meaning, for bodies that are written once and
 * compiled per ISA.
 *
 * V holds V_WIDTH floats, VI as many int32_t, VM as many truth values, VD half as many doubles.  A
 * body may be included only by files whose name ends in an ISA, since the flags of the file choose
 * the width.
 */
#ifndef QN_KERNELS_SIMD_H
#define QN_KERNELS_SIMD_H

#if defined(__AVX512F__)
#    include "engine/devices/cpu/kernels/x86/simd_avx512.h"
#elif defined(__AVX2__)
#    include "engine/devices/cpu/kernels/x86/simd_avx2.h"
#else
#    error "simd.h is for files that are compiled for an ISA"
#endif

/* |x|, the sign bit of x, and the size of one with the sign of another. */
V_FN V v_abs(V x)
{
    return v_andnot(v_set(-0.0f), x);
}
V_FN V v_sign_bit(V x)
{
    return v_and(v_set(-0.0f), x);
}
V_FN V v_copysign(V size, V sign)
{
    return v_or(v_abs(size), v_sign_bit(sign));
}

V_FN VM v_is_nan(V x)
{
    return v_unequal(x, x);
}

/* As ONNX has them: a NaN operand gives NaN. */
V_FN V v_max_nan(V x, V y)
{
    return v_select(v_is_nan(x), x, v_max(x, y));
}
V_FN V v_min_nan(V x, V y)
{
    return v_select(v_is_nan(x), x, v_min(x, y));
}

/* The first n of p's elements, `fill` in the lanes behind; n >= V_WIDTH loads all. */
V_FN V v_load_or(const float *p, int64_t n, V fill)
{
    return n >= V_WIDTH ? v_load(p) : v_select(vm_part(n), v_load_part(p, n), fill);
}
V_FN void v_store_some(float *p, V x, int64_t n)
{
    if (n >= V_WIDTH)
        v_store(p, x);
    else
        v_store_part(p, x, n);
}

/* max and min over the lanes; a NaN among them gives NaN. */
V_FN float v_reduce_max(V x)
{
    float lanes[V_WIDTH];
    v_store(lanes, x);
    float max = lanes[0];
    for (int i = 1; i < V_WIDTH; i++)
        max = lanes[i] > max || lanes[i] != lanes[i] ? lanes[i] : max;
    return max;
}
V_FN float v_reduce_min(V x)
{
    return -v_reduce_max(v_xor(x, v_set(-0.0f)));
}

#endif
