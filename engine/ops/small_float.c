/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/small_float.h"

#include <math.h>

#include "base/compiler.h"

/* How a format spends the patterns of its largest exponent. */
typedef enum Special {
    IEEE,   /* infinities and NaNs, as the wide ones */
    FN,     /* no infinity; only the pattern of all ones is NaN */
    FNUZ,   /* no infinity, no minus zero; its pattern is the NaN */
    FINITE, /* numbers only */
} Special;

static const struct Format {
    QnType type;
    int exponent_bits, mantissa_bits, bias;
    Special special;
} formats[] = {
    {QN_FLOAT16, 5, 10, 15, IEEE},    {QN_BFLOAT16, 8, 7, 127, IEEE},
    {QN_FLOAT8E4M3FN, 4, 3, 7, FN},   {QN_FLOAT8E4M3FNUZ, 4, 3, 8, FNUZ},
    {QN_FLOAT8E5M2, 5, 2, 15, IEEE},  {QN_FLOAT8E5M2FNUZ, 5, 2, 16, FNUZ},
    {QN_FLOAT6E2M3, 2, 3, 1, FINITE}, {QN_FLOAT6E3M2, 3, 2, 3, FINITE},
    {QN_FLOAT4E2M1, 2, 1, 1, FINITE},
};

static const struct Format *find(QnType type)
{
    for (size_t i = 0; i < QN_COUNT_OF(formats); i++)
        if (formats[i].type == type)
            return &formats[i];
    return NULL;
}

bool qn_small_float_is(QnType type)
{
    return type == QN_FLOAT8E8M0 || find(type) != NULL;
}

static int top_exponent(const struct Format *f)
{
    return (1 << f->exponent_bits) - 1;
}

/* The pattern of NaN without its sign; meaningless where the format has none. */
static int nan_bits(const struct Format *f)
{
    if (f->special == FNUZ)
        return 1 << (f->exponent_bits + f->mantissa_bits);
    const int all = (1 << (f->exponent_bits + f->mantissa_bits)) - 1;
    return f->special == FN ? all : all & ~((1 << (f->mantissa_bits - 1)) - 1);
}

/* The pattern of the largest finite number. */
static int largest_bits(const struct Format *f)
{
    const int all = (1 << (f->exponent_bits + f->mantissa_bits)) - 1;
    if (f->special == IEEE)
        return (top_exponent(f) << f->mantissa_bits) - 1;
    return f->special == FN ? all - 1 : all;
}

double qn_small_float_decode(QnType type, uint16_t bits)
{
    if (type == QN_FLOAT8E8M0)
        return (bits & 0xff) == 0xff ? NAN : ldexp(1, (bits & 0xff) - 127);
    const struct Format *f = find(type);
    const int sign_bit = 1 << (f->exponent_bits + f->mantissa_bits);
    const int magnitude = bits & (sign_bit - 1);
    const int exponent = magnitude >> f->mantissa_bits,
              mantissa = magnitude & ((1 << f->mantissa_bits) - 1);
    const double sign = bits & sign_bit ? -1 : 1;
    if (f->special == IEEE && exponent == top_exponent(f))
        return mantissa ? NAN : sign * INFINITY;
    if ((f->special == FN && magnitude == nan_bits(f)) ||
        (f->special == FNUZ && (bits & (2 * sign_bit - 1)) == sign_bit))
        return NAN;
    if (exponent == 0)
        return sign * ldexp(mantissa, 1 - f->bias - f->mantissa_bits);
    return sign * ldexp(mantissa + (1 << f->mantissa_bits), exponent - f->bias - f->mantissa_bits);
}

/* 2^(b - 127), the exponent rounded to nearest, halves up; no zero, no sign: what is below the
 * least becomes that. */
static uint16_t encode_e8m0(double value)
{
    if (isnan(value))
        return 0xff;
    if (value <= ldexp(1, -127))
        return 0;
    if (value >= ldexp(1, 127))
        return 0xfe;
    int exponent;
    const double fraction = frexp(value, &exponent); /* in [0.5, 1) */
    return (uint16_t)(exponent + 126 + (fraction >= 0.75));
}

/* What becomes of a value past the largest finite one. */
static int overflow_bits(const struct Format *f, bool saturate)
{
    if (saturate || f->special == FINITE)
        return largest_bits(f);
    return f->special == IEEE ? top_exponent(f) << f->mantissa_bits : nan_bits(f);
}

uint16_t qn_small_float_encode(QnType type, double value, bool saturate)
{
    if (type == QN_FLOAT8E8M0)
        return encode_e8m0(value);
    const struct Format *f = find(type);
    const int sign = signbit(value) ? 1 << (f->exponent_bits + f->mantissa_bits) : 0;
    if (isnan(value))
        /* Minus zero stands for NaN where there is none, as in the reference's conversions. */
        return (uint16_t)(f->special == FINITE ? 1 << (f->exponent_bits + f->mantissa_bits)
                          : f->special == FNUZ ? nan_bits(f)
                                               : sign | nan_bits(f));
    int exponent = 0;
    if (isinf(value))
        return (uint16_t)(f->special == FNUZ && !saturate ? nan_bits(f)
                                                          : sign | overflow_bits(f, saturate));
    const double magnitude = fabs(value);
    frexp(magnitude, &exponent);
    /* The spacing of the format around the value; denormals share the smallest exponent's. */
    const int lowest = 1 - f->bias;
    const int scale = (exponent - 1 < lowest ? lowest : exponent - 1) - f->mantissa_bits;
    const double units = nearbyint(ldexp(magnitude, -scale)); /* at most 2^(mantissa_bits + 1) */
    if (units == 0)
        return (uint16_t)(f->special == FNUZ ? 0 : sign);
    /* Adding the hidden bit's carry moves into the exponent field by itself. */
    const long long bits =
        (long long)units + ((long long)(scale + f->mantissa_bits - lowest) << f->mantissa_bits);
    if (bits > largest_bits(f))
        return (uint16_t)(f->special == FNUZ && !saturate ? nan_bits(f)
                                                          : sign | overflow_bits(f, saturate));
    return (uint16_t)(sign | (int)bits);
}
