/* SPDX-License-Identifier: Apache-2.0 */
/* Floats of 4 to 16 bits: every pattern there is. */
#include "engine/ops/small_float.h"

#include <math.h>

#include "base/compiler.h"
#include "base/float16.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"

/* The type, its bits, its largest finite number, and what is past it without saturation. */
static const struct Type {
    QnType type;
    int bits;
    double largest, smallest; /* smallest: the least positive number */
    char over;                /* 'i' infinity, 'n' NaN, 'l' the largest */
} types[] = {
    {QN_FLOAT16, 16, 65504, 0x1p-24, 'i'},   {QN_BFLOAT16, 16, 0x1.fep127, 0x1p-133, 'i'},
    {QN_FLOAT8E4M3FN, 8, 448, 0x1p-9, 'n'},  {QN_FLOAT8E4M3FNUZ, 8, 240, 0x1p-10, 'n'},
    {QN_FLOAT8E5M2, 8, 57344, 0x1p-16, 'i'}, {QN_FLOAT8E5M2FNUZ, 8, 57344, 0x1p-17, 'n'},
    {QN_FLOAT6E2M3, 6, 7.5, 0.125, 'l'},     {QN_FLOAT6E3M2, 6, 28, 0.0625, 'l'},
    {QN_FLOAT4E2M1, 4, 6, 0.5, 'l'},         {QN_FLOAT8E8M0, 8, 0x1p127, 0x1p-127, 'l'},
};

TEST(every_pattern_comes_back)
{
    for (size_t i = 0; i < QN_COUNT_OF(types); i++)
        for (uint32_t bits = 0; bits < 1u << types[i].bits; bits++) {
            const double value = qn_small_float_decode(types[i].type, (uint16_t)bits);
            const uint16_t back = qn_small_float_encode(types[i].type, value, false);
            const double again = qn_small_float_decode(types[i].type, back);
            EXPECT(t, isnan(value) ? isnan(again) : back == bits, "%s: %#x is %g, back %#x",
                   qn_type_name(types[i].type), bits, value, back);
        }
}

TEST(the_ends_of_each_type_are_its_own)
{
    for (size_t i = 0; i < QN_COUNT_OF(types); i++) {
        const struct Type *type = &types[i];
        double largest = 0, smallest = INFINITY;
        for (uint32_t bits = 0; bits < 1u << type->bits; bits++) {
            const double value = qn_small_float_decode(type->type, (uint16_t)bits);
            if (isfinite(value) && value > largest)
                largest = value;
            if (value > 0 && value < smallest)
                smallest = value;
        }
        EXPECT(t, largest == type->largest, "%s: largest %g", qn_type_name(type->type), largest);
        EXPECT(t, smallest == type->smallest, "%s: smallest %g", qn_type_name(type->type),
               smallest);
        const double over =
            qn_small_float_decode(type->type, qn_small_float_encode(type->type, 1e300, false));
        EXPECT(t,
               type->over == 'i'   ? isinf(over)
               : type->over == 'n' ? isnan(over)
                                   : over == largest,
               "%s: past the largest comes %g", qn_type_name(type->type), over);
        const double saturated =
            qn_small_float_decode(type->type, qn_small_float_encode(type->type, INFINITY, true));
        EXPECT(t, saturated == largest, "%s saturates to %g", qn_type_name(type->type), saturated);
    }
}

/* Between two neighbours the nearer one wins, and halfway the even pattern. */
TEST(values_between_are_rounded_to_the_nearest)
{
    for (size_t i = 0; i < QN_COUNT_OF(types); i++) {
        const struct Type *type = &types[i];
        if (type->type == QN_FLOAT8E8M0)
            continue;
        const uint32_t half = 1u << (type->bits - 1);
        for (uint32_t bits = 0; bits + 1 < half; bits++) {
            const double low = qn_small_float_decode(type->type, (uint16_t)bits);
            const double high = qn_small_float_decode(type->type, (uint16_t)(bits + 1));
            if (!isfinite(low) || !isfinite(high))
                continue;
            const double middle = low + (high - low) / 2;
            const struct {
                double value;
                uint32_t want;
            } rows[] = {{middle, bits & 1 ? bits + 1 : bits},
                        {nextafter(middle, 0), bits},
                        {nextafter(middle, INFINITY), bits + 1}};
            for (size_t r = 0; r < 3; r++) {
                const uint32_t got = qn_small_float_encode(type->type, rows[r].value, false);
                EXPECT(t, got == rows[r].want, "%s: %a gave %#x, not %#x", qn_type_name(type->type),
                       rows[r].value, got, rows[r].want);
            }
        }
    }
}

/* The kernels' conversions are the same as the references'. */
TEST(halves_agree_with_the_conversions_of_base)
{
    for (uint32_t bits = 0; bits < 1u << 16; bits++) {
        const double f16 = qn_small_float_decode(QN_FLOAT16, (uint16_t)bits);
        const double bf16 = qn_small_float_decode(QN_BFLOAT16, (uint16_t)bits);
        const double h = (double)qn_f16_to_f32((uint16_t)bits);
        const double b = (double)qn_bf16_to_f32((uint16_t)bits);
        EXPECT(t, isnan(f16) ? isnan(h) : f16 == h, "float16 %#x: %g, %g", bits, f16, h);
        EXPECT(t, isnan(bf16) ? isnan(b) : bf16 == b, "bfloat16 %#x: %g, %g", bits, bf16, b);
    }
    Samples s = {11};
    for (int i = 0; i < 1000000; i++) {
        const float x = sample_any_float(&s);
        const uint16_t f16 = qn_small_float_encode(QN_FLOAT16, (double)x, false);
        const uint16_t bf16 = qn_small_float_encode(QN_BFLOAT16, (double)x, false);
        EXPECT(t, f16 == qn_f32_to_f16(x), "%a as float16: %#x", (double)x, f16);
        EXPECT(t, bf16 == qn_f32_to_bf16(x), "%a as bfloat16: %#x", (double)x, bf16);
    }
}

TEST_MAIN(CASE(every_pattern_comes_back), CASE(the_ends_of_each_type_are_its_own),
          CASE(values_between_are_rounded_to_the_nearest),
          CASE(halves_agree_with_the_conversions_of_base))
