/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conversions: every pair of types against its definition, computed in long double, which holds all
 * numbers of 64 bits; the storage types of float over all their codes.
 */
#include <math.h>

#include "base/compiler.h"
#include "engine/devices/cpu/kernels/convert.h"
#include "tests/kernels/check.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"

/* An element of any family; bool is u8. */
typedef union Element {
    uint64_t bits;
#define ELEMENT_FIELD(suffix, NAME, T, type, ...) T suffix;
    QN_FAMILY_MAP(ELEMENT_FIELD, )
#undef ELEMENT_FIELD
} Element;

static long double number_of(QnType type, Element e)
{
    switch (type) {
#define NUMBER_CASE(suffix, NAME, T, of, ...) \
    case of:                                  \
        return (long double)e.suffix;
        QN_FAMILY_MAP(NUMBER_CASE, )
#undef NUMBER_CASE
    default: /* bool */
        return e.u8 != 0;
    }
}

/* Towards zero as a signed integer, the least one where that cannot hold the number. */
static int64_t cut(long double x, long double least)
{
    const bool fits = truncl(x) >= least && truncl(x) < -least;
    return (int64_t)(fits ? truncl(x) : least);
}

/* Of a uint64 the upper half is there too. */
static uint64_t cut_u64(long double x)
{
    const long double half = 9223372036854775808.0L;
    return x < half       ? (uint64_t)cut(x, -half)
           : x < 2 * half ? (uint64_t)x
           : isnan(x)     ? 1ull << 63
                          : 0;
}

static Element convert(QnType to, QnType from, Element in)
{
    const long double x = number_of(from, in);
    const bool is_float = from == QN_FLOAT || from == QN_DOUBLE;
    Element out = {.bits = 0};
    switch (to) {
    case QN_FLOAT:
        out.f32 = (float)x;
        break;
    case QN_DOUBLE:
        out.f64 = (double)x;
        break;
#define CONVERT_CASE(suffix, T, type, whole)                                                  \
    case type: /* the low bits */                                                             \
        out.suffix = is_float ? (T)(whole) : (T)(x < 0 ? (uint64_t)(int64_t)x : (uint64_t)x); \
        break;
        CONVERT_CASE(i8, int8_t, QN_INT8, cut(x, INT32_MIN))
        CONVERT_CASE(u8, uint8_t, QN_UINT8, cut(x, INT32_MIN))
        CONVERT_CASE(i16, int16_t, QN_INT16, cut(x, INT32_MIN))
        CONVERT_CASE(u16, uint16_t, QN_UINT16, cut(x, INT32_MIN))
        CONVERT_CASE(i32, int32_t, QN_INT32, cut(x, INT32_MIN))
        CONVERT_CASE(u32, uint32_t, QN_UINT32, cut(x, INT64_MIN))
        CONVERT_CASE(i64, int64_t, QN_INT64, cut(x, INT64_MIN))
        CONVERT_CASE(u64, uint64_t, QN_UINT64, cut_u64(x))
#undef CONVERT_CASE
    default: /* bool */
        out.u8 = x != 0;
    }
    return out;
}

/* An element: any bits, or one at an end of some integer's range, or one that is no number. */
static Element make_element(Samples *s, QnType type)
{
    static const double corners[] = {0,           -0.0,
                                     0.5,         -0.5,
                                     1,           -1,
                                     127,         128,
                                     -128.5,      -129,
                                     255.9,       256,
                                     32767.5,     32768,
                                     -32769,      65536,
                                     2147483647., 2147483648.,
                                     -2147483649, 4294967296.,
                                     9.223372e18, 9223372036854775808.,
                                     -9.3e18,     18446744073709551616.,
                                     1e300,       INFINITY,
                                     -INFINITY,   NAN};
    const int64_t row = sample_below(s, 2 * (int64_t)QN_COUNT_OF(corners));
    Element e = {.bits = sample_bits(s)};
    if (type == QN_BOOL)
        e.u8 &= 1;
    else if (row < (int64_t)QN_COUNT_OF(corners))
        e = convert(type, QN_DOUBLE, (Element){.f64 = corners[row]});
    else if (type == QN_FLOAT)
        e.f32 = (float)sample_between(s, -300, 300);
    return e;
}

static void check_pair(Test *t, QnConvertFn *fn, QnType to, QnType from, Samples *samples,
                       int64_t count)
{
    const size_t to_size = qn_type_size(to), from_size = qn_type_size(from);
    Guard guards[2];
    char *in = guard_end(&guards[0], (size_t)count * from_size);
    char *out = guard_end(&guards[1], (size_t)count * to_size);
    for (int64_t i = 0; i < count; i++) {
        const Element e = make_element(samples, from);
        memcpy(in + (size_t)i * from_size, &e, from_size);
    }
    if (EXPECT(t, fn != NULL, "%s to %s is not there", qn_type_name(from), qn_type_name(to)))
        fn(count, out, in);
    for (int64_t i = 0; fn && i < count; i++) {
        Element source = {.bits = 0}, got = {.bits = 0};
        memcpy(&source, in + (size_t)i * from_size, from_size);
        memcpy(&got, out + (size_t)i * to_size, to_size);
        const Element want = convert(to, from, source);
        const bool are_nan = isnan(number_of(to, got)) && isnan(number_of(to, want));
        EXPECT(t, are_nan || !memcmp(&got, &want, to_size), "%s %Lg to %s: %Lg, not %Lg",
               qn_type_name(from), number_of(from, source), qn_type_name(to), number_of(to, got),
               number_of(to, want));
    }
    guard_free(&guards[0]);
    guard_free(&guards[1]);
}

TEST(every_pair_of_types_follows_its_definition)
{
    static const QnType types[] = {
#define TYPE_ENTRY(suffix, NAME, T, type, ...) type,
        QN_FAMILY_MAP(TYPE_ENTRY, ) QN_BOOL
#undef TYPE_ENTRY
    };
    Samples samples = {5};
    for (size_t to = 0; to < QN_COUNT_OF(types); to++)
        for (size_t from = 0; from < QN_COUNT_OF(types); from++) {
            QnConvertFn *const fn = qn_convert_find(types[to], types[from]);
            check_pair(t, fn, types[to], types[from], &samples, 0);
            check_pair(t, fn, types[to], types[from], &samples, 301);
        }
}

TEST(every_variant_follows_the_definition_too)
{
    const Check check = check_make(t);
    Samples samples = {6};
    for (int v = 0; v < qn_convert_variant_count; v++) {
        const QnConvertVariant *variant = &qn_convert_variants[v];
        if (check_begin(&check, variant->name, variant->needs))
            for (int64_t count = 0; count < 120; count++)
                check_pair(t, variant->run, (QnType)variant->to, (QnType)variant->from, &samples,
                           count);
    }
}

TEST(the_fastest_variant_is_picked_that_the_cpu_has)
{
    EXPECT(t,
           qn_convert_pick(QN_UINT8, QN_FLOAT, QN_ISA_NONE) == qn_convert_find(QN_UINT8, QN_FLOAT),
           "without any instruction set");
    EXPECT(t, qn_convert_pick(QN_UINT16, QN_FLOAT, ~0u) == qn_convert_find(QN_UINT16, QN_FLOAT),
           "of types that have no variant");
    if (qn_convert_variant_count)
        EXPECT(t, qn_convert_pick(QN_UINT8, QN_FLOAT, ~0u) == qn_convert_variants[0].run,
               "with all of them");
}

/* Every code of the small floats survives the way to float and back, but for NaN and infinities. */
TEST(small_floats_convert_exactly)
{
    static const struct {
        QnType type;
        int bits;
    } rows[] = {{QN_FLOAT16, 16},   {QN_BFLOAT16, 16},      {QN_FLOAT8E4M3FN, 8},
                {QN_FLOAT8E5M2, 8}, {QN_FLOAT8E4M3FNUZ, 8}, {QN_FLOAT8E5M2FNUZ, 8},
                {QN_FLOAT8E8M0, 8}, {QN_FLOAT6E2M3, 6},     {QN_FLOAT6E3M2, 6},
                {QN_FLOAT4E2M1, 4}};
    for (size_t r = 0; r < QN_COUNT_OF(rows); r++)
        for (uint32_t code = 0; code < 1u << rows[r].bits; code++) {
            const uint16_t in = (uint16_t)code;
            uint16_t out = 0;
            float x;
            qn_convert_row(QN_FLOAT, &x, rows[r].type, &in, 1);
            qn_convert_row(rows[r].type, &out, QN_FLOAT, &x, 1);
            EXPECT(t, out == in || x != x || isinf(x), "%s %x gave %a and %x",
                   qn_type_name(rows[r].type), in, (double)x, out);
        }
}

TEST(floats_are_stored_in_few_bits)
{
    static const struct {
        QnType type;
        float x;
        uint16_t want;
    } rows[] = {
        {QN_FLOAT16, 65519.0f, 0x7bff},
        {QN_FLOAT16, 65520.0f, 0x7c00},
        {QN_FLOAT16, 5.9604645e-8f, 1},
        {QN_FLOAT16, 1.00048828f, 0x3c00},
        {QN_FLOAT16, NAN, 0x7e00},
        {QN_BFLOAT16, 1.00390625f, 0x3f80},
        {QN_BFLOAT16, NAN, 0x7fc0},
        {QN_FLOAT8E4M3FN, 500.0f, 0x7e},
        {QN_FLOAT8E4M3FN, 17.0f, 0x58},
        {QN_FLOAT8E4M3FNUZ, -0.0f, 0},
        {QN_FLOAT8E5M2, 61440.0f, 0x7b},
        {QN_FLOAT4E2M1, 2.5f, 4},
        {QN_INT4, 2.5f, 2},
        {QN_INT4, -100.0f, 0xfc},
        {QN_INT4, NAN, 0},
        {QN_UINT4, 3.5f, 3},
        {QN_UINT4, 16.0f, 0},
        {QN_INT2, -1.6f, 0xff},
        {QN_INT2, 2.0f, 0xfe},
        {QN_UINT2, 2.5f, 2},
        {QN_UINT2, -1.0f, 3},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        uint16_t got = 0;
        qn_convert_row(rows[i].type, &got, QN_FLOAT, &rows[i].x, 1);
        EXPECT(t, got == rows[i].want, "%s of %g: %x, not %x", qn_type_name(rows[i].type),
               (double)rows[i].x, got, rows[i].want);
    }
}

TEST(integers_of_a_few_bits_become_floats)
{
    static const QnType types[] = {QN_INT4, QN_UINT4, QN_INT2, QN_UINT2};
    for (size_t k = 0; k < QN_COUNT_OF(types); k++) {
        const bool is_signed = types[k] == QN_INT4 || types[k] == QN_INT2;
        const int8_t in[] = {1, is_signed ? -2 : 3};
        float out[2];
        qn_convert_row(QN_FLOAT, out, types[k], in, 2);
        EXPECT(t, out[0] == 1 && out[1] == (float)in[1], "%s: %g %g", qn_type_name(types[k]),
               (double)out[0], (double)out[1]);
    }
}

/* Two storage types meet in float; rows are longer than what passes at a time. */
TEST(any_two_types_meet)
{
    enum { COUNT = 600 };
    static uint16_t in[COUNT], back[COUNT];
    static uint8_t middle[COUNT];
    for (int i = 0; i < COUNT; i++)
        in[i] = qn_f16_from_float((float)(i % 17) - 8);
    qn_convert_row(QN_FLOAT8E5M2, middle, QN_FLOAT16, in, COUNT);
    qn_convert_row(QN_FLOAT16, back, QN_FLOAT8E5M2, middle, COUNT);
    for (int i = 0; i < COUNT; i++) {
        const float x = qn_float_from_f16(in[i]), y = qn_float_from_f16(back[i]);
        EXPECT(t, fabsf(x - y) <= fabsf(x) / 8, "%g gave %g at %d", (double)x, (double)y, i);
    }
    uint8_t untouched = 7;
    qn_convert_row(QN_UINT8, &untouched, QN_STRING, in, 1);
    EXPECT(t, untouched == 7, "a string was converted to %d", untouched);
}

TEST_MAIN(CASE(every_pair_of_types_follows_its_definition),
          CASE(every_variant_follows_the_definition_too),
          CASE(the_fastest_variant_is_picked_that_the_cpu_has), CASE(small_floats_convert_exactly),
          CASE(floats_are_stored_in_few_bits), CASE(integers_of_a_few_bits_become_floats),
          CASE(any_two_types_meet))
