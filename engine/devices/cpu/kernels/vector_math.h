/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elementary functions on vectors of floats, for every kernel that needs them: pointwise, softmax,
 * normalization, RNN.
 *
 * Errors, in units of the last place of the result, hold for all finite inputs, denormal inputs and
 * results included; infinities and NaN give what C's functions give.  The pointwise check measures
 * them.
 *
 *     exp 1.5      expm1 2      log 1.5         log1p 2     pow 1
 *     sin, cos 2   tan 3.5      asin, acos 2.5  atan 2.5
 *     tanh 2       sinh, cosh 2.5               asinh, acosh, atanh 4
 *     erf 1.5      sigmoid 3    softplus 3      silu 4
 *     gelu 4 for a > -1, 5e-7 absolute below
 *
 * The coefficients, lowest power first, are printed by scripts/fit-polynomials.py.  Functions that
 * are odd work on |x| and copy the sign, so they are odd to the bit.
 */
#ifndef QN_KERNELS_VECTOR_MATH_H
#define QN_KERNELS_VECTOR_MATH_H

#include <float.h>
#include <math.h>

#include "engine/devices/cpu/kernels/simd.h"

#define V_LN2 0.693147180559945309417f

/* The polynomial c[0] + c[1] x + ... by Horner's rule;
 * unrolled, since c and count are constants. */
V_FN V v_polynomial(V x, const float *c, int count)
{
    V sum = v_set(c[count - 1]);
#pragma GCC unroll 16
    for (int i = count - 2; i >= 0; i--)
        sum = v_fma(sum, x, v_set(c[i]));
    return sum;
}

#define V_POLYNOMIAL(x, ...)                        \
    v_polynomial((x), (const float[]){__VA_ARGS__}, \
                 (int)(sizeof((const float[]){__VA_ARGS__}) / sizeof(float)))

/* x = n ln 2 + r with |r| <= ln 2 / 2; gives n, and e^r - 1 by *minus_one. */
V_FN V v_exp_parts(V x, V *minus_one)
{
    const V n = v_round(v_mul(x, v_set(1.44269504088896f)));
    V r = v_fnma(n, v_set(0.693145752f), x); /* ln 2 in two parts; n times the first is exact */
    r = v_fnma(n, v_set(1.42860677e-6f), r);
    const V p = V_POLYNOMIAL(r, 0.5000000095f, 0.166665189f, 0.04166620574f, 0.008368882067f,
                             0.001395049243f);
    *minus_one = v_fma(v_mul(r, r), p, r);
    return n;
}

/* e^x * 2^k for a small k: halves of huge exponentials do not overflow before they must. */
V_FN V v_exp_scaled(V x, float k)
{
    x = v_min(v_set(90.0f),
              v_max(v_set(-106.0f), x)); /* beyond, inf and 0 all the same; NaN stays */
    V minus_one;
    const V n = v_exp_parts(x, &minus_one);
    return v_scale(v_add(minus_one, v_set(1.0f)), v_add(n, v_set(k)));
}

V_FN V v_exp(V x)
{
    return v_exp_scaled(x, 0);
}

/* 2^n (e^r - 1) + (2^n - 1) where |x| < 1, so that nothing cancels; e^x - 1 elsewhere. */
V_FN V v_expm1(V x)
{
    V minus_one;
    const V bounded = v_min(v_set(90.0f), v_max(v_set(-106.0f), x));
    const V n = v_exp_parts(bounded, &minus_one);
    const V one = v_set(1.0f);
    const V big = v_sub(v_scale(v_add(minus_one, one), n), one);
    const V power = v_scale(one, n);
    const V small = v_fma(power, minus_one, v_sub(power, one));
    const V result = v_select(v_lt(v_abs(x), one), small, big);
    return v_select(v_eq(x, v_set(0)), x, result);
}

/* x = m 2^e with m in [sqrt(1/2), sqrt(2)); gives m.
 * Meant for finite x > 0, denormals included. */
V_FN V v_split(V x, V *e)
{
    const VM is_denormal = v_lt(x, v_set(FLT_MIN));
    const VI scaled = v_bits(v_select(is_denormal, v_mul(x, v_set(8388608.0f)), x));
    const VI root = vi_set(0x3f3504f3); /* the bits of sqrt(1/2) */
    const VI above = vi_sub(scaled, root);
    const V exponent = v_from_int(vi_right(above, 23));
    *e = v_sub(exponent, v_select(is_denormal, v_set(23.0f), v_set(0)));
    return v_from_bits(vi_add(vi_and(above, vi_set(0x007fffff)), root));
}

/* What log makes of x <= 0, infinity and NaN, where `result` cannot be right. */
V_FN V v_log_edges(V x, V result)
{
    const V inf = v_set(INFINITY);
    result = v_select(v_lt(x, inf), result, x); /* inf, NaN */
    result = v_select(v_eq(x, v_set(0)), v_set(-INFINITY), result);
    return v_select(v_lt(x, v_set(0)), v_set(NAN), result);
}

V_FN V v_log(V x)
{
    V e;
    const V f = v_sub(v_split(x, &e), v_set(1.0f));
    const V p =
        V_POLYNOMIAL(f, 0.3333331044f, -0.249999866f, 0.2000222644f, -0.1666925081f, 0.1421866131f,
                     -0.1238435071f, 0.1187295675f, -0.1178979128f, 0.06915392753f);
    const V square = v_mul(f, f);
    V small = v_fma(e, v_set(1.42860677e-6f), v_mul(v_mul(square, f), p));
    small = v_fnma(v_set(0.5f), square, small);
    return v_log_edges(x, v_fma(e, v_set(0.693145752f), v_add(f, small)));
}

/* log(1 + x): the logarithm of the rounded sum, plus what the rounding lost divided by the sum. */
V_FN V v_log1p(V x)
{
    const V one = v_set(1.0f), sum = v_add(one, x);
    const V larger = v_max(x, one), smaller = v_min(x, one);
    const V lost = v_sub(smaller, v_sub(sum, larger));
    const V result = v_add(v_log(sum), v_div(lost, sum));
    const VM is_ordinary = vm_and(v_lt(v_set(-1.0f), x), v_lt(x, v_set(INFINITY)));
    const V edges = v_select(is_ordinary, result, v_log(sum));
    return v_select(v_lt(v_abs(x), v_set(1e-7f)), v_fnma(v_mul(x, v_set(0.5f)), x, x), edges);
}

V_FN V v_sin_small(V r, V z)
{
    const V p =
        V_POLYNOMIAL(z, -0.1666666664f, 0.008333329386f, -0.0001983933482f, 2.718311402e-6f);
    return v_fma(v_mul(r, z), p, r);
}

V_FN V v_cos_small(V z)
{
    const V p = V_POLYNOMIAL(z, 0.04166664687f, -0.001388736753f, 2.443845247e-5f);
    return v_fma(v_mul(z, z), p, v_fnma(v_set(0.5f), z, v_set(1.0f)));
}

/*
 * x = k pi/2 + r with |r| <= pi/4, for |x| < V_TRIG_LIMIT: pi/2 in three parts.  The first product
 * and difference are exact, since x and k times the 24-bit first part are both multiples of 2^-23.
 */
#define V_TRIG_LIMIT 100000.0f

V_FN V v_trig_reduce(V x, VI *quadrant)
{
    const V k = v_round(v_mul(x, v_set(0.636619772367581f)));
    *quadrant = v_to_int(k);
    V r = v_fnma(k, v_set(1.57079637f), x);
    r = v_fnma(k, v_set(-4.37113883e-8f), r);
    return v_fnma(k, v_set(-1.71512489e-15f), r);
}

/* Lanes beyond the reduction's reach, infinities and NaN go to the C library one by one;
 * they are rare. */
QN_UNUSED static QN_NOINLINE V v_trig_far(V x, V result, float (*exact)(float))
{
    float in[V_WIDTH], out[V_WIDTH];
    v_store(in, x);
    v_store(out, result);
    for (int i = 0; i < V_WIDTH; i++)
        if (!(fabsf(in[i]) < V_TRIG_LIMIT))
            out[i] = exact(in[i]);
    return v_load(out);
}

/* sin(x + shift pi/2), shift 0 or 1. */
V_FN V v_sin_shifted(V x, int shift, float (*exact)(float))
{
    VI quadrant;
    const V r = v_trig_reduce(x, &quadrant), z = v_mul(r, r);
    quadrant = vi_add(quadrant, vi_set(shift));
    const V odd = v_from_int(vi_and(quadrant, vi_set(1)));
    const V size = v_select(v_eq(odd, v_set(0)), v_sin_small(r, z), v_cos_small(z));
    const V sign = v_from_bits(vi_left(vi_and(quadrant, vi_set(2)), 30));
    const V result = v_xor(size, sign);
    return vm_all(v_lt(v_abs(x), v_set(V_TRIG_LIMIT))) ? result : v_trig_far(x, result, exact);
}

V_FN V v_sin(V x)
{
    return v_select(v_eq(x, v_set(0)), x, v_sin_shifted(x, 0, sinf));
}

V_FN V v_cos(V x)
{
    return v_sin_shifted(x, 1, cosf);
}

/* sin / cos, or -cos / sin in the odd quadrants. */
V_FN V v_tan(V x)
{
    VI quadrant;
    const V r = v_trig_reduce(x, &quadrant), z = v_mul(r, r);
    const V s = v_sin_small(r, z), c = v_cos_small(z);
    const VM is_even = v_eq(v_from_int(vi_and(quadrant, vi_set(1))), v_set(0));
    V result = v_div(v_select(is_even, s, v_xor(c, v_set(-0.0f))), v_select(is_even, c, s));
    result = v_select(v_eq(x, v_set(0)), x, result);
    return vm_all(v_lt(v_abs(x), v_set(V_TRIG_LIMIT))) ? result : v_trig_far(x, result, tanf);
}

/* asin(x) for 0 <= x <= 1/2 is x + x^3 P(x^2). */
V_FN V v_asin_small(V x, V z)
{
    const V p = V_POLYNOMIAL(z, 0.1666665987f, 0.07500510912f, 0.04451572023f, 0.0318176173f,
                             0.01440257197f, 0.03756526006f);
    return v_fma(v_mul(x, z), p, x);
}

/* Above 1/2: pi/2 - 2 asin(sqrt((1 - x) / 2)). */
V_FN V v_asin(V x)
{
    const V size = v_abs(x), half = v_set(0.5f);
    const VM is_large = v_lt(half, size);
    const V folded = v_mul(v_sub(v_set(1.0f), size), half);
    const V z = v_select(is_large, folded, v_mul(size, size));
    const V s = v_asin_small(v_select(is_large, v_sqrt(folded), size), z);
    const V large = v_sub(v_set(1.57079633f), v_fma(s, v_set(2.0f), v_set(4.37113883e-8f)));
    return v_copysign(v_select(is_large, large, s), x);
}

V_FN V v_acos(V x)
{
    const V size = v_abs(x), half = v_set(0.5f);
    const VM is_large = v_lt(half, size), is_negative = v_lt(x, v_set(0));
    const V folded = v_mul(v_sub(v_set(1.0f), size), half);
    const V z = v_select(is_large, folded, v_mul(size, size));
    const V s = v_asin_small(v_select(is_large, v_sqrt(folded), size), z);
    const V twice = v_add(s, s);
    const V negative = v_sub(v_set(3.14159274f), v_add(twice, v_set(8.74227766e-8f)));
    const V small = v_sub(v_set(1.57079633f), v_add(v_copysign(s, x), v_set(4.37113883e-8f)));
    return v_select(is_large, v_select(is_negative, negative, twice), small);
}

/* Folded into |t| <= tan(pi/8): atan(x) = pi/2 + atan(-1/x), or pi/4 + atan((x - 1) / (x + 1)). */
V_FN V v_atan(V x)
{
    const V size = v_abs(x), one = v_set(1.0f);
    const VM is_large = v_lt(v_set(2.41421356f), size);
    const VM is_middle = vm_andnot(is_large, v_lt(v_set(0.414213562f), size));
    const V above = v_select(is_middle, v_sub(size, one), v_select(is_large, v_set(-1.0f), size));
    const V below = v_select(is_middle, v_add(size, one), v_select(is_large, size, one));
    const V base =
        v_select(is_middle, v_set(0.785398163f), v_select(is_large, v_set(1.57079633f), v_set(0)));
    const V t = v_div(above, below), z = v_mul(t, t);
    const V p = V_POLYNOMIAL(z, -0.3333331551f, 0.1999848943f, -0.1424384851f, 0.1059599962f,
                             -0.06083448044f);
    const V small = v_fma(v_mul(t, z), p, t);
    return v_copysign(v_add(base, small), x);
}

/* By e^|x| / 2 and its inverse; sinh by a polynomial below 1, where they cancel. */
V_FN V v_sinh(V x)
{
    const V size = v_abs(x), z = v_mul(size, size);
    const V half = v_exp_scaled(size, -1);
    const V large = v_sub(half, v_div(v_set(0.25f), half));
    const V p = V_POLYNOMIAL(z, 0.1666666649f, 0.008333350598f, 0.0001983606622f, 2.817439821e-6f);
    const V small = v_fma(v_mul(size, z), p, size);
    return v_copysign(v_select(v_lt(size, v_set(1.0f)), small, large), x);
}

V_FN V v_cosh(V x)
{
    const V half = v_exp_scaled(v_abs(x), -1);
    return v_add(half, v_div(v_set(0.25f), half));
}

/* 1 - 2 / (e^2x + 1), and a polynomial below 5/8. */
V_FN V v_tanh(V x)
{
    const V size = v_abs(x), z = v_mul(size, size), one = v_set(1.0f);
    const V e = v_exp(v_add(size, size));
    const V large = v_sub(one, v_div(v_set(2.0f), v_add(e, one)));
    const V p = V_POLYNOMIAL(z, -0.3333333091f, 0.1333320977f, -0.05394720458f, 0.02170296861f,
                             -0.00818267721f, 0.002147539682f);
    const V small = v_fma(v_mul(size, z), p, size);
    return v_copysign(v_select(v_lt(size, v_set(0.625f)), small, large), x);
}

/* Below 1 a polynomial, above 1 - e^-Q(x); from 4 on it is 1. */
V_FN V v_erf(V x)
{
    const V size = v_abs(x), z = v_mul(size, size);
    const V small =
        v_fma(size,
              V_POLYNOMIAL(z, 0.1283791671f, -0.3761263848f, 0.1128378275f, -0.02686544583f,
                           0.005221074893f, -0.0008484711647f, 0.0001127054584f, -9.680140056e-6f),
              size);
    const V near = v_min(v_set(4.0f), size);
    const V q = V_POLYNOMIAL(near, -0.0004391678258f, 1.130709312f, 0.6310102653f, 0.1108627026f,
                             -0.02688050554f, 0.004928522492f, -0.0006348231786f, 5.084817199e-5f,
                             -1.896046132e-6f);
    const V large = v_sub(v_set(1.0f), v_exp(v_xor(q, v_set(-0.0f))));
    return v_copysign(v_select(v_lt(size, v_set(1.0f)), small, large), x);
}

/* With e = e^-|x|: 1 / (1 + e), or e / (1 + e) where x is negative,
 * so that small results keep their bits. */
V_FN V v_sigmoid(V x)
{
    const V one = v_set(1.0f), e = v_exp(v_or(x, v_set(-0.0f)));
    return v_div(v_select(v_lt(x, v_set(0)), e, one), v_add(one, e));
}

/* With h = e^-|x|/2, which is never denormal where the result is not 0:
 * x h h / (1 + h h) where x is negative. */
V_FN V v_silu(V x)
{
    const V h = v_exp(v_mul(v_or(x, v_set(-0.0f)), v_set(0.5f)));
    const V tail = v_mul(v_mul(x, h), h);
    return v_div(v_select(v_lt(x, v_set(0)), tail, x), v_fma(h, h, v_set(1.0f)));
}

V_FN V v_gelu(V x)
{
    const V half = v_mul(x, v_set(0.5f));
    return v_fma(half, v_erf(v_mul(x, v_set(0.707106781f))), half);
}

V_FN V v_softplus(V x)
{
    return v_add(v_max(v_set(0), x), v_log1p(v_exp(v_or(x, v_set(-0.0f)))));
}

V_FN V v_asinh(V x)
{
    const V size = v_abs(x), z = v_mul(size, size), one = v_set(1.0f);
    const V inner = v_add(size, v_div(z, v_add(one, v_sqrt(v_add(z, one)))));
    const V huge = v_add(v_log(size), v_set(V_LN2));
    return v_copysign(v_select(v_lt(size, v_set(1e9f)), v_log1p(inner), huge), x);
}

V_FN V v_acosh(V x)
{
    const V t = v_sub(x, v_set(1.0f));
    const V near = v_log1p(v_add(t, v_sqrt(v_fma(t, t, v_add(t, t)))));
    const V far = v_add(v_log(x), v_set(V_LN2));
    const V result = v_select(v_lt(x, v_set(1e9f)), near, far);
    return v_select(v_lt(x, v_set(1.0f)), v_set(NAN), result);
}

V_FN V v_atanh(V x)
{
    const V size = v_abs(x), one = v_set(1.0f);
    const V ratio = v_div(v_add(size, size), v_sub(one, size));
    return v_copysign(v_mul(v_set(0.5f), v_log1p(ratio)), x);
}

/* y log2(m 2^e) in doubles, as 2 atanh((m - 1) / (m + 1)) / ln 2 + e, then 2 to that power. */
V_FN VD vd_power(VD m, VD e, VD y)
{
    static const double log2_part[] = {2.8853900817778496,  0.96179669411394993,
                                       0.57707794220114919, 0.41220926779280237,
                                       0.31990510475261143, 0.28290812105056587};
    static const double exp2_part[] = {0.99999999995954788,    0.69314718053502352,
                                       0.24022651213618167,    0.055504109761134249,
                                       0.0096180255994834216,  0.0013333422642649176,
                                       0.00015469733057067423, 1.5316462328552554e-5};
    const VD one = vd_set(1.0), s = vd_div(vd_sub(m, one), vd_add(m, one)), z = vd_mul(s, s);
    VD p = vd_set(log2_part[5]), q = vd_set(exp2_part[7]);
#pragma GCC unroll 8
    for (int i = 4; i >= 0; i--)
        p = vd_fma(p, z, vd_set(log2_part[i]));
    const VD power = vd_mul(y, vd_fma(s, p, e));
    const VD bounded = vd_min(vd_set(200.0), vd_max(vd_set(-200.0), power));
    const VD n = vd_round(bounded), r = vd_sub(bounded, n);
#pragma GCC unroll 8
    for (int i = 6; i >= 0; i--)
        q = vd_fma(q, r, vd_set(exp2_part[i]));
    return vd_scale(q, n);
}

/* |x|^y for finite x, y: 1 where x is 1 or y is 0, inf or 0 beyond the floats. */
V_FN V v_pow_size(V size, V y)
{
    V e;
    const V m = v_split(size, &e);
    const VD low = vd_power(vd_low(m), vd_low(e), vd_low(y));
    return vd_join(low, vd_power(vd_high(m), vd_high(e), vd_high(y)));
}

/* C's pow, edges included. */
V_FN V v_pow(V x, V y)
{
    const V zero = v_set(0), one = v_set(1.0f), inf = v_set(INFINITY);
    const V size = v_abs(x);
    V result = v_pow_size(size, y);
    /* 0 and infinity, as base or exponent: only which side of 1 the base is on counts. */
    const VM is_end = vm_or(vm_or(v_eq(size, zero), v_eq(size, inf)), v_eq(v_abs(y), inf));
    const VM grows =
        vm_or(vm_and(v_lt(one, size), v_lt(zero, y)), vm_and(v_lt(size, one), v_lt(y, zero)));
    result = v_select(is_end, v_select(grows, inf, zero), result);
    /* The sign, and whether there is a real result at all. */
    const V half = v_mul(y, v_set(0.5f));
    const VM is_whole = v_eq(v_round(y), y);
    const VM is_odd = vm_andnot(v_eq(v_round(half), half), is_whole);
    result = v_select(is_odd, v_copysign(result, x), result);
    const VM is_finite_negative = vm_and(v_lt(x, zero), v_lt(size, inf));
    result = v_select(vm_andnot(is_whole, is_finite_negative), v_set(NAN), result);
    result = v_select(vm_or(v_is_nan(x), v_is_nan(y)), v_set(NAN), result);
    const VM is_one =
        vm_or(vm_or(v_eq(x, one), v_eq(y, zero)), vm_and(v_eq(size, one), v_eq(v_abs(y), inf)));
    return v_select(is_one, one, result);
}

#endif
