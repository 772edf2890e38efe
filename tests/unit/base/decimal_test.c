/* SPDX-License-Identifier: Apache-2.0 */
/* Exact decimal text of floats: the shortest that reads back, and the nearest float of any text. */
#include "base/text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "tests/support/test.h"

static const char *print_f64(double value)
{
    static char text[32];
    const int size = qn_print_f64(text, value);
    return (size_t)size == strlen(text) ? text : "wrong length";
}

static const char *print_f32(float value)
{
    static char text[32];
    const int size = qn_print_f32(text, value);
    return (size_t)size == strlen(text) ? text : "wrong length";
}

TEST(doubles_are_printed_shortest)
{
    static const struct {
        double value;
        const char *want;
    } rows[] = {
        {0, "0"},
        {-0.0, "-0.0"},
        {1, "1"},
        {-3, "-3"},
        {0.1, "0.1"},
        {0.3, "0.3"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1.0 / 3, "0.3333333333333333"},
        {123456.789, "123456.789"},
        {100, "100"},
        {1e15, "1000000000000000"},
        {1e16, "1e+16"},
        {1.5e16, "1.5e+16"},
        {9007199254740992, "9007199254740992"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {0.0001, "0.0001"},
        {0.00012345678901234567, "0.00012345678901234567"},
        {0.00001, "1e-05"},
        {1.5e-7, "1.5e-07"},
        {1e100, "1e+100"},
        {5e-324, "5e-324"},
        {1e-323, "1e-323"},
        {DBL_MIN, "2.2250738585072014e-308"},
        {2.225073858507201e-308, "2.225073858507201e-308"},
        {DBL_MAX, "1.7976931348623157e+308"},
        {-DBL_MAX, "-1.7976931348623157e+308"},
        {9.5367431640625e-07, "9.5367431640625e-07"}, /* 2^-20: the interval is uneven */
        {2e-44, "2e-44"},
        {INFINITY, "inf"},
        {-INFINITY, "-inf"},
        {NAN, "nan"},
        {-NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = print_f64(rows[i].value);
        EXPECT(t, !strcmp(got, rows[i].want), "%a gave %s, not %s", rows[i].value, got,
               rows[i].want);
    }
}

TEST(floats_are_printed_shortest)
{
    static const struct {
        float value;
        const char *want;
    } rows[] = {
        {0, "0"},
        {-0.0f, "-0.0"},
        {0.1f, "0.1"},
        {1.0f / 3, "0.33333334"},
        {16777216, "16777216"},
        {33554432, "33554432"},
        {1e10f, "10000000000"},
        {1e-45f, "1e-45"},
        {FLT_MIN, "1.1754944e-38"},
        {FLT_MAX, "3.4028235e+38"},
        {8.5899346e9f, "8589935000"},
        {3.14159274f, "3.1415927"},
        {INFINITY, "inf"},
        {NAN, "nan"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = print_f32(rows[i].value);
        EXPECT(t, !strcmp(got, rows[i].want), "%a gave %s, not %s", (double)rows[i].value, got,
               rows[i].want);
    }
}

/* Values on and beside the middle between two floats, where a shortcut goes wrong. */
TEST(numbers_are_read_rounded_to_nearest)
{
    static const struct {
        const char *text;
        double want;
    } rows[] = {
        {"0", 0},
        {"-0", -0.0},
        {"1", 1},
        {"+1.5", 1.5},
        {".5", 0.5},
        {"5.", 5},
        {"007", 7},
        {"1e3", 1000},
        {"1E+3", 1000},
        {"1e-3", 0.001},
        {"0.1", 0.1},
        {"1e22", 1e22},
        {"1e23", 1e23},
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740995", 9007199254740996.0},
        {"9007199254740992.5", 9007199254740992.0},
        {"9007199254740993.5", 9007199254740994.0},
        {"9007199254740993.00000000000000000000000000001", 9007199254740994.0},
        {"9007199254740992999999999999999999999999999999e-30", 9007199254740992.0},
        {"2.2250738585072011e-308", 0x0.fffffffffffffp-1022},
        {"2.2250738585072012e-308", 0x1p-1022},
        {"4.9406564584124654e-324", 0x1p-1074},
        {"2.4703282292062327e-324", 0},
        {"2.4703282292062328e-324", 0x1p-1074},
        {"1e-400", 0},
        {"1e-99999999999999999999", 0},
        {"0e99999999999999999999", 0},
        {"1e400", INFINITY},
        {"-1e99999999999999999999", -INFINITY},
        {"1.7976931348623157e308", DBL_MAX},
        {"1.7976931348623158e308", DBL_MAX},
        {"1.7976931348623159e308", INFINITY},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
        {"0.000000000000000000000000000000000000000000000000001e51", 1},
        {"inf", INFINITY},
        {"-Infinity", -INFINITY},
        {"+INF", INFINITY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double got = 42;
        const bool is_read = qn_parse_f64(&got, rows[i].text, strlen(rows[i].text));
        EXPECT(t, is_read && got == rows[i].want && signbit(got) == signbit(rows[i].want),
               "%s gave %a, not %a", rows[i].text, got, rows[i].want);
    }
    double nan = 0;
    EXPECT(t, qn_parse_f64(&nan, "NaN", 3) && isnan(nan), "NaN gave %a", nan);
}

TEST(what_is_no_number_is_refused)
{
    static const char *const rows[] = {"",        "-",         "+",    ".",     "e5",    ".e5",
                                       "1e",      "1e+",       "1e5.", "1.2.3", "1 ",    " 1",
                                       "--1",     "+-1",       "0x10", "1f",    "1_000", "in",
                                       "infinit", "infinityx", "nanx", "n",     "1,5"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double got = 42;
        EXPECT(t, !qn_parse_f64(&got, rows[i], strlen(rows[i])) && got == 42, "'%s' gave %g",
               rows[i], got);
    }
}

/* The middle between the smallest double and 0,
 * and between 1 and the next, with 750 digits and more. */
TEST(digits_without_end_are_all_heeded)
{
    char text[2000];
    const int size = snprintf(text, sizeof text, "%.1100f", 0x1p-1074);
    double got = 0;
    EXPECT(t, qn_parse_f64(&got, text, (size_t)size) && got == 0x1p-1074, "gave %a", got);

    /* 1 + 2^-53, which lies in the middle between 1 and the next double. */
    const int digits = snprintf(text, sizeof text, "%s",
                                "1.00000000000000011102230246251565404236316680908203125");
    EXPECT(t, qn_parse_f64(&got, text, (size_t)digits) && got == 1, "a tie gave %a", got);
    memset(text + digits, '0', 1500);
    EXPECT(t, qn_parse_f64(&got, text, (size_t)digits + 1500) && got == 1,
           "a tie and zeros gave %a", got);
    text[digits + 1499] = '1';
    EXPECT(t, qn_parse_f64(&got, text, (size_t)digits + 1500) && got == 1 + DBL_EPSILON,
           "past a tie gave %a", got);
}

static uint64_t random_bits(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state ^ *state >> 29;
}

/* The significant digits of a printed number, without zeros at either end. */
static int count_digits(const char *text)
{
    int digits = 0, zeros = 0;
    for (const char *p = text; *p && *p != 'e'; p++) {
        digits += *p >= '0' && *p <= '9' && (digits || *p != '0');
        zeros = *p == '0' ? zeros + 1 : *p == '.' ? zeros : 0;
    }
    return digits - zeros;
}

/*
 * Is there no decimal of fewer digits that reads back, and none of as many that is nearer?  The C
 * library's %.*e gives the nearest one of each length.
 */
static void check_f64(Test *t, double value)
{
    char text[32], nearest[40];
    const int size = qn_print_f64(text, value), digits = count_digits(text);
    double back = 0;
    EXPECT(t, qn_parse_f64(&back, text, (size_t)size) && back == value, "%a gave %s", value, text);
    EXPECT(t, strtod(text, NULL) == value, "the C library reads %s not as %a", text, value);
    if (digits > 1) {
        snprintf(nearest, sizeof nearest, "%.*e", digits - 2, value);
        EXPECT(t, strtod(nearest, NULL) != value, "%s is longer than %s", text, nearest);
    }
    snprintf(nearest, sizeof nearest, "%.*e", digits - 1, value);
    EXPECT(t, strtod(nearest, NULL) != value || strtold(text, NULL) == strtold(nearest, NULL),
           "%s, not %s", text, nearest);
}

static void check_f32(Test *t, float value)
{
    char text[32], nearest[40];
    const int size = qn_print_f32(text, value), digits = count_digits(text);
    float back = 0;
    EXPECT(t, qn_parse_f32(&back, text, (size_t)size) && back == value, "%a gave %s", (double)value,
           text);
    EXPECT(t, strtof(text, NULL) == value, "the C library reads %s not as %a", text, (double)value);
    if (digits > 1) {
        snprintf(nearest, sizeof nearest, "%.*e", digits - 2, (double)value);
        EXPECT(t, strtof(nearest, NULL) != value, "%s is longer than %s", text, nearest);
    }
    snprintf(nearest, sizeof nearest, "%.*e", digits - 1, (double)value);
    EXPECT(t, strtof(nearest, NULL) != value || strtod(text, NULL) == strtod(nearest, NULL),
           "%s, not %s", text, nearest);
}

TEST(random_doubles_agree_with_the_c_library)
{
    uint64_t state = 1;
    for (int i = 0; i < 100000; i++) {
        const uint64_t bits = random_bits(&state);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            check_f64(t, value);
    }
    for (int e = -1074; e < 1024; e++) {
        check_f64(t, ldexp(1, e));
        check_f64(t, nextafter(ldexp(1, e), INFINITY));
        check_f64(t, nextafter(ldexp(1, e), 0) > 0 ? nextafter(ldexp(1, e), 0) : 1);
    }
}

TEST(random_floats_agree_with_the_c_library)
{
    uint64_t state = 2;
    for (int i = 0; i < 200000; i++) {
        const uint32_t bits = (uint32_t)(random_bits(&state) >> 32);
        float value;
        memcpy(&value, &bits, sizeof value);
        if (isfinite(value))
            check_f32(t, value);
    }
    for (int e = -149; e < 128; e++) {
        check_f32(t, ldexpf(1, e));
        check_f32(t, nextafterf(ldexpf(1, e), INFINITY));
    }
}

/* Decimals of all lengths, near and far from what a float can be. */
TEST(random_decimals_agree_with_the_c_library)
{
    uint64_t state = 3;
    for (int i = 0; i < 100000; i++) {
        char text[100];
        const int count = 1 + (int)(random_bits(&state) % 40);
        int size = 0;
        for (int d = 0; d < count; d++) {
            if (d == count / 2)
                text[size++] = '.';
            text[size++] = (char)('0' + random_bits(&state) % 10);
        }
        size += snprintf(text + size, sizeof text - (size_t)size, "e%d",
                         (int)(random_bits(&state) % 700) - 350);
        double got = 42;
        float got_f32 = 42;
        EXPECT(t, qn_parse_f64(&got, text, (size_t)size) && got == strtod(text, NULL), "%s gave %a",
               text, got);
        EXPECT(t, qn_parse_f32(&got_f32, text, (size_t)size) && got_f32 == strtof(text, NULL),
               "%s gave %a", text, (double)got_f32);
    }
}

/* The exact middle between two doubles or floats, as text: ties to even. */
TEST(exact_ties_agree_with_the_c_library)
{
    uint64_t state = 4;
    for (int i = 0; i < 20000; i++) {
        const uint64_t m = (random_bits(&state) >> 11 | UINT64_C(1) << 52) * 2 + 1;
        const int e = (int)(random_bits(&state) % 160) - 110;
        char text[400];
        const int size = snprintf(text, sizeof text, "%.200Lf", ldexpl((long double)m, e));
        double got = 42;
        EXPECT(t, qn_parse_f64(&got, text, (size_t)size) && got == strtod(text, NULL), "%s gave %a",
               text, got);
        const double middle = ldexp((double)((m >> 29) | 1), e);
        const int size_f32 = snprintf(text, sizeof text, "%.200f", middle);
        float got_f32 = 42;
        EXPECT(t, qn_parse_f32(&got_f32, text, (size_t)size_f32) && got_f32 == strtof(text, NULL),
               "%s gave %a", text, (double)got_f32);
    }
}

TEST(integers_are_printed)
{
    char text[32];
    EXPECT(t, qn_print_i64(text, INT64_MIN) == 20 && !strcmp(text, "-9223372036854775808"), "%s",
           text);
    EXPECT(t, qn_print_i64(text, -7) == 2 && !strcmp(text, "-7"), "%s", text);
    EXPECT(t, qn_print_i64(text, 0) == 1 && !strcmp(text, "0"), "%s", text);
    EXPECT(t, qn_print_u64(text, UINT64_MAX) == 20 && !strcmp(text, "18446744073709551615"), "%s",
           text);
}

TEST_MAIN(CASE(doubles_are_printed_shortest), CASE(floats_are_printed_shortest),
          CASE(numbers_are_read_rounded_to_nearest), CASE(what_is_no_number_is_refused),
          CASE(digits_without_end_are_all_heeded), CASE(random_doubles_agree_with_the_c_library),
          CASE(random_floats_agree_with_the_c_library),
          CASE(random_decimals_agree_with_the_c_library), CASE(exact_ties_agree_with_the_c_library),
          CASE(integers_are_printed))
