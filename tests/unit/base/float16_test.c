/* SPDX-License-Identifier: Apache-2.0 */
#include "base/float16.h"

#include <math.h>

#include "tests/support/test.h"

/* What the bits of a narrow float mean, by definition; infinite and NaN patterns aside. */
static double value_of(uint32_t bits, int fraction_bits, int bias)
{
    const uint32_t magnitude = bits & 0x7fff;
    const int exponent = (int)(magnitude >> fraction_bits);
    const uint32_t fraction = magnitude & ((1u << fraction_bits) - 1);
    const double value =
        exponent == 0 ? ldexp(fraction, 1 - bias - fraction_bits)
                      : ldexp(fraction | 1u << fraction_bits, exponent - bias - fraction_bits);
    return bits & 0x8000 ? -value : value;
}

/* Every pattern, there and back;
 * and the floats at, just below and just above the middle to the next pattern. */
static void check(Test *t, int fraction_bits, int bias, float (*widen)(uint16_t),
                  uint16_t (*narrow)(float))
{
    const uint32_t infinity = (0x8000u >> fraction_bits << fraction_bits) - (1u << fraction_bits);
    for (uint32_t bits = 0; bits < 65536; bits++) {
        const float wide = widen((uint16_t)bits);
        const uint32_t magnitude = bits & 0x7fff;
        if (magnitude > infinity) {
            EXPECT(t, isnan(wide) && isnan(widen(narrow(wide))), "NaN %x", bits);
            EXPECT(t,
                   (narrow(wide) | 1u << (fraction_bits - 1)) == (bits | 1u << (fraction_bits - 1)),
                   "NaN %x is %x", bits, narrow(wide));
            continue;
        }
        EXPECT(t, narrow(wide) == bits, "%x to %a to %x", bits, (double)wide, narrow(wide));
        EXPECT(t, !!signbit(wide) == bits >> 15, "the sign of %x", bits);
        if (magnitude == infinity) {
            EXPECT(t, isinf(wide), "%x gave %a", bits, (double)wide);
            continue;
        }
        EXPECT(t, (double)wide == value_of(bits, fraction_bits, bias), "%x gave %a", bits,
               (double)wide);
        const float middle = (float)((value_of(bits, fraction_bits, bias) +
                                      value_of(bits + 1, fraction_bits, bias)) /
                                     2);
        if (isinf(middle)) /* the last bfloat16 before infinity */
            continue;
        const uint32_t even = bits + (bits & 1);
        EXPECT(t, narrow(middle) == even, "the tie %a gave %x, not %x", (double)middle,
               narrow(middle), even);
        EXPECT(t, narrow(nextafterf(middle, 0)) == bits, "below %a gave %x", (double)middle,
               narrow(middle));
        const float above = nextafterf(middle, signbit(wide) ? -INFINITY : INFINITY);
        EXPECT(t, narrow(above) == bits + 1, "above %a gave %x", (double)middle, narrow(above));
    }
}

TEST(every_float16_converts_exactly_and_rounds_to_even)
{
    check(t, 10, 15, qn_f16_to_f32, qn_f32_to_f16);
}

TEST(every_bfloat16_converts_exactly_and_rounds_to_even)
{
    check(t, 7, 127, qn_bf16_to_f32, qn_f32_to_bf16);
}

TEST(what_is_too_large_or_small_goes_to_the_ends)
{
    static const struct {
        float value;
        uint16_t f16, bf16;
    } rows[] = {
        {65504, 0x7bff, 0x4780},
        {65519.996f, 0x7bff, 0x4780},
        {65520, 0x7c00, 0x4780},
        {1e10f, 0x7c00, 0x5015},
        {3.4028235e38f, 0x7c00, 0x7f80},
        {3.38953139e38f, 0x7c00, 0x7f7f},
        {INFINITY, 0x7c00, 0x7f80},
        {-INFINITY, 0xfc00, 0xff80},
        {1e-10f, 0, 0x2edc},
        {-1e-10f, 0x8000, 0xaedc},
        {1e-45f, 0, 0},
        {-0.0f, 0x8000, 0x8000},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint16_t f16 = qn_f32_to_f16(rows[i].value), bf16 = qn_f32_to_bf16(rows[i].value);
        EXPECT(t, f16 == rows[i].f16 && bf16 == rows[i].bf16, "%a gave %x, %x",
               (double)rows[i].value, f16, bf16);
    }
}

TEST_MAIN(CASE(every_float16_converts_exactly_and_rounds_to_even),
          CASE(every_bfloat16_converts_exactly_and_rounds_to_even),
          CASE(what_is_too_large_or_small_goes_to_the_ends))
