/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floats as decimal text, exactly and without locale.
 *
 * A float is m * 2^lsb.  Both directions scale by a power of ten whose leading 128 bits come from a
 * table, cut off, so that the true power lies in [g, g + 1) * 2^x.
 *
 * Reading: the first 19 digits w and the power bound the value from both sides.  Where both bounds
 * round to the same float, that is it (nearly always).  Else the two are neighbours, and the
 * decimal is compared with the middle between them in whole numbers of as many bits as it takes.
 *
 * Printing: R. Giulietti's Schubfach.  With the k for which 10^k is not above the width of the
 * interval that rounds to the float, a shortest decimal in it is a multiple of 10^k, or the one
 * multiple of 10^(k+1) that lies in it.
 */
#include <assert.h>
#include <math.h>

#include "base/decimal_table.h"
#include "base/text.h"

typedef struct Format {
    int precision; /* bits of m, with the leading one */
    int min_lsb;   /* exponent of the last bit of the smallest numbers */
    int infinity;  /* the exponent field of infinity */
} Format;

static const Format format_f64 = {53, -1074, 2047};
static const Format format_f32 = {24, -149, 255};

/* m * 2^lsb */
typedef struct Binary {
    uint64_t m;
    int lsb;
} Binary;

static Binary decode(const Format *format, uint64_t bits)
{
    const int field = (int)(bits >> (format->precision - 1));
    const uint64_t hidden = UINT64_C(1) << (format->precision - 1);
    const uint64_t fraction = bits & (hidden - 1);
    return field == 0 ? (Binary){fraction, format->min_lsb}
                      : (Binary){fraction | hidden, format->min_lsb + field - 1};
}

static uint64_t infinity_bits(const Format *format)
{
    return (uint64_t)format->infinity << (format->precision - 1);
}

/* floor(log2(10^e)) for |e| <= 1233. */
static int log2_of_power(int e)
{
    return (e * 1741647) >> 19;
}

/* The leading bits of 10^e, cut off. */
static QnU128 power_of_ten(int e)
{
    assert(e >= FIRST_POWER && e <= LAST_POWER);
    const uint64_t *halves = powers_of_ten[e - FIRST_POWER];
    return (QnU128)halves[0] << 64 | halves[1];
}

/* 5^55 is the last power that fits into 128 bits; a negative power never does. */
static bool is_power_exact(int e)
{
    return e >= 0 && e <= 55;
}

/* ---- reading ---- */

/* digits * 10^exponent; w are the first 19 of the significant digits, scaled by the exponent. */
typedef struct Decimal {
    const char *first, *end; /* the digits, with a point between them perhaps */
    uint64_t w;
    int64_t exponent; /* of w */
    bool is_cut;      /* there are digits that are not 0 behind those of w */
} Decimal;

enum { DIGITS_OF_W = 19 };

/* Reads digits and a point; false where there is no digit.  `at` is left behind them. */
static bool scan_digits(Decimal *number, const char **at, const char *end)
{
    const char *p = *at;
    bool has_digits = false, has_point = false;
    int kept = 0;
    number->first = p;
    for (; p < end; p++) {
        const unsigned digit = (unsigned char)*p - (unsigned)'0';
        if (digit > 9) {
            if (*p != '.' || has_point)
                break;
            has_point = true;
            continue;
        }
        has_digits = true;
        if (kept < DIGITS_OF_W) {
            number->w = 10 * number->w + digit;
            kept += number->w != 0;
            number->exponent -= has_point;
        } else {
            number->is_cut |= digit != 0;
            number->exponent += !has_point;
        }
    }
    number->end = p;
    *at = p;
    return has_digits;
}

/* Reads "e-12" into the exponent; one too large for any float stays too large. */
static bool scan_exponent(Decimal *number, const char **at, const char *end)
{
    const char *p = *at + 1;
    const bool is_negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    int64_t exponent = 0;
    for (; p < end; p++) {
        const unsigned digit = (unsigned char)*p - (unsigned)'0';
        if (digit > 9)
            return false;
        if (exponent < INT64_MAX / 100)
            exponent = 10 * exponent + digit;
    }
    number->exponent += is_negative ? -exponent : exponent;
    *at = p;
    return true;
}

/* Rounds (top + a part of 1 if `sticky`) * 2^exponent to nearest, ties to even.  The highest bit of
 * top is set. */
static uint64_t round_to(const Format *format, uint64_t top, bool sticky, int exponent)
{
    int shift = 64 - format->precision;
    if (exponent + shift < format->min_lsb)
        shift = format->min_lsb - exponent;
    if (shift > 64)
        return 0;
    const QnU128 unit = (QnU128)1 << shift;
    const QnU128 rest = top & (unit - 1), half = unit / 2;
    uint64_t m = shift < 64 ? top >> shift : 0;
    if (rest > half || (rest == half && (sticky || (m & 1))))
        m++;
    /* The leading bit of m adds one to the exponent field, and so does a carry out of it. */
    const int64_t field = (int64_t)exponent + shift - format->min_lsb;
    if (field >= format->infinity - 1)
        return infinity_bits(format);
    return ((uint64_t)field << (format->precision - 1)) + m;
}

/* w * power * 2^exponent, rounded; w > 0. */
static uint64_t round_product(const Format *format, uint64_t w, QnU128 power, int exponent)
{
    const int zeros = __builtin_clzll(w);
    w <<= zeros;
    const QnU128 low = (QnU128)w * (uint64_t)power;
    QnU128 high = (QnU128)w * (uint64_t)(power >> 64) + (low >> 64);
    exponent += 128 - zeros;
    bool sticky = (uint64_t)low != 0;
    if (high >> 127 == 0) {
        sticky |= (low & ((UINT64_C(1) << 63) - 1)) != 0;
        high = high << 1 | ((uint64_t)low >> 63);
        exponent--;
    }
    return round_to(format, (uint64_t)(high >> 64), sticky || (uint64_t)high != 0, exponent);
}

/*
 * A whole number without sign: limbs of 32 bits, the lowest first.  The largest that occurs has 800
 * digits times 2^1075, or the middle between two floats times 5^1124: below 2^4000.
 */
enum { LIMB_LIMIT = 130, DIGIT_LIMIT = 800 };

typedef struct Big {
    int count;
    uint32_t limbs[LIMB_LIMIT];
} Big;

static void big_multiply_add(Big *big, uint32_t factor, uint32_t term)
{
    uint64_t carry = term;
    for (int i = 0; i < big->count; i++) {
        carry += (uint64_t)big->limbs[i] * factor;
        big->limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) {
        assert(big->count < LIMB_LIMIT);
        big->limbs[big->count++] = (uint32_t)carry;
    }
}

static void big_set(Big *big, uint64_t value)
{
    *big = (Big){.limbs = {(uint32_t)value, (uint32_t)(value >> 32)}};
    big->count = value >> 32 ? 2 : value != 0;
}

static void big_multiply_power_of_5(Big *big, int64_t exponent)
{
    static const uint32_t powers[] = {1,     5,      25,      125,     625,      3125,     15625,
                                      78125, 390625, 1953125, 9765625, 48828125, 244140625};
    const uint32_t five_13 = 1220703125;
    for (; exponent >= 13; exponent -= 13)
        big_multiply_add(big, five_13, 0);
    big_multiply_add(big, powers[exponent], 0);
}

static void big_shift_left(Big *big, int64_t bits)
{
    const int limbs = (int)(bits / 32);
    big_multiply_add(big, UINT32_C(1) << bits % 32, 0);
    assert(big->count + limbs <= LIMB_LIMIT);
    memmove(big->limbs + limbs, big->limbs, (size_t)big->count * sizeof big->limbs[0]);
    memset(big->limbs, 0, (size_t)limbs * sizeof big->limbs[0]);
    big->count += limbs;
}

static int big_compare(const Big *a, const Big *b)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (int i = a->count - 1; i >= 0; i--)
        if (a->limbs[i] != b->limbs[i])
            return a->limbs[i] < b->limbs[i] ? -1 : 1;
    return 0;
}

/*
 * All digits of a number.  A middle between two floats has at most 767 of them, so that behind the
 * 800th it only matters whether there is one that is not 0: it is kept as a 1.  Returns the
 * exponent of ten of the last digit kept.
 */
static int64_t big_read_digits(Big *big, const Decimal *number)
{
    int64_t exponent = number->exponent;
    int kept = 0;
    bool has_rest = false;
    big_set(big, 0);
    for (const char *p = number->first; p < number->end; p++) {
        if (*p == '.' || (*p == '0' && kept == 0))
            continue;
        if (kept >= DIGIT_LIMIT) {
            has_rest |= *p != '0';
            continue;
        }
        big_multiply_add(big, 10, (uint32_t)(*p - '0'));
        kept++;
        exponent -= kept > DIGITS_OF_W;
    }
    if (has_rest) {
        big_multiply_add(big, 10, 1);
        exponent--;
    }
    return exponent;
}

/* Compares a decimal with the middle between a float and the next larger one. */
static int compare_with_middle(const Decimal *number, Binary below)
{
    Big decimal, middle;
    const int64_t exponent = big_read_digits(&decimal, number);
    big_set(&middle, 2 * below.m + 1);
    if (exponent >= 0)
        big_multiply_power_of_5(&decimal, exponent);
    else
        big_multiply_power_of_5(&middle, -exponent);
    const int64_t shift = exponent - (below.lsb - 1);
    if (shift >= 0)
        big_shift_left(&decimal, shift);
    else
        big_shift_left(&middle, -shift);
    return big_compare(&decimal, &middle);
}

static uint64_t round_decimal(const Format *format, const Decimal *number)
{
    if (number->w == 0 || number->exponent < FIRST_POWER)
        return 0;
    if (number->exponent > 308)
        return infinity_bits(format);
    const int e = (int)number->exponent;
    const QnU128 power = power_of_ten(e);
    const int exponent = log2_of_power(e) - 127;
    const uint64_t low = round_product(format, number->w, power, exponent);
    if (is_power_exact(e) && !number->is_cut)
        return low;
    const uint64_t high =
        round_product(format, number->w + number->is_cut, power + !is_power_exact(e), exponent);
    if (low == high)
        return low;
    const int order = compare_with_middle(number, decode(format, low));
    return order < 0 || (order == 0 && low % 2 == 0) ? low : high;
}

/* "inf", "infinity" and "nan" in any case; 0 bits where it is none of them. */
static uint64_t read_word(const Format *format, const char *text, size_t size)
{
    static const char *const words[] = {"inf", "infinity", "nan"};
    for (size_t w = 0; w < QN_COUNT_OF(words); w++) {
        size_t i = 0;
        while (i < size && words[w][i] && (text[i] | 0x20) == words[w][i])
            i++;
        if (i == size && !words[w][i])
            return infinity_bits(format) |
                   (w == 2 ? UINT64_C(1) << (format->precision - 2) : UINT64_C(0));
    }
    return 0;
}

/* Reads a number without its sign; false where there is none. */
static bool parse_magnitude(uint64_t *bits, const Format *format, const char *text, size_t size)
{
    Decimal number = {0};
    const char *at = text, *end = text + size;
    if (!scan_digits(&number, &at, end)) {
        *bits = read_word(format, text, size);
        return *bits != 0;
    }
    if (at < end && (*at | 0x20) == 'e' && !scan_exponent(&number, &at, end))
        return false;
    if (at != end)
        return false;
    *bits = round_decimal(format, &number);
    return true;
}

static bool parse(uint64_t *bits, const Format *format, const char *text, size_t size)
{
    const bool has_sign = size > 0 && (text[0] == '-' || text[0] == '+');
    if (!parse_magnitude(bits, format, text + has_sign, size - has_sign))
        return false;
    if (has_sign && text[0] == '-')
        *bits |= (uint64_t)(format->infinity + 1) << (format->precision - 1);
    return true;
}

bool qn_parse_f64(double *out, const char *text, size_t size)
{
    uint64_t bits;
    if (!parse(&bits, &format_f64, text, size))
        return false;
    memcpy(out, &bits, sizeof *out);
    return true;
}

bool qn_parse_f32(float *out, const char *text, size_t size)
{
    uint64_t bits;
    if (!parse(&bits, &format_f32, text, size))
        return false;
    const uint32_t low = (uint32_t)bits;
    memcpy(out, &low, sizeof *out);
    return true;
}

/* ---- printing ---- */

/* digits * 10^exponent, without zeros at the end. */
typedef struct Shortest {
    uint64_t digits;
    int exponent;
} Shortest;

/*
 * power * factor / 2^128 in whole numbers, with the last bit set where something was cut off.  The
 * power is the true one rounded up, which an exact product sees as a rest of at most 1 in the
 * middle word.
 */
static uint64_t multiply_to_odd(QnU128 power, uint64_t factor)
{
    const QnU128 low = (QnU128)(uint64_t)power * factor;
    const QnU128 high = (power >> 64) * factor + (low >> 64);
    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

/* The decimal within the interval of floats that round to m * 2^lsb, see above. */
static Shortest shorten(const Format *format, Binary value)
{
    /* Below a power of two the next float is only half as far away. */
    const bool is_uneven =
        value.m == UINT64_C(1) << (format->precision - 1) && value.lsb > format->min_lsb;
    /* k = floor(log10(2^lsb)), or of 3/4 of it. */
    const int k = (value.lsb * 1262611 - (is_uneven ? 524031 : 0)) >> 22;
    const int shift = value.lsb + log2_of_power(-k) + 1;
    const QnU128 power = power_of_ten(-k) + !is_power_exact(-k);
    const bool is_open = value.m % 2 != 0; /* the ends round to the even neighbour */

    /* All in quarters of 10^k: the value, and what of its interval belongs to it. */
    const uint64_t lower = multiply_to_odd(power, (4 * value.m - 2 + is_uneven) << shift) + is_open;
    const uint64_t middle = multiply_to_odd(power, (4 * value.m) << shift);
    const uint64_t upper = multiply_to_odd(power, (4 * value.m + 2) << shift) - is_open;

    const uint64_t s = middle / 4, tens = s / 10;
    if (tens > 0) {
        const bool is_below = lower <= 40 * tens, is_above = 40 * tens + 40 <= upper;
        if (is_below != is_above)
            return (Shortest){tens + is_above, k + 1};
    }
    const bool is_below = lower <= 4 * s, is_above = 4 * s + 4 <= upper;
    if (is_below != is_above)
        return (Shortest){s + is_above, k};
    const uint64_t half = 4 * s + 2;
    return (Shortest){s + (middle > half || (middle == half && s % 2 != 0)), k};
}

/* The digits of a number; returns how many. */
static int print_digits(char *to, uint64_t value)
{
    char reversed[20];
    int count = 0;
    do {
        reversed[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (int i = 0; i < count; i++)
        to[i] = reversed[count - 1 - i];
    return count;
}

/* digits[count] * 10^(point - count) as Python writes it:
 * with an exponent below 1e-4 and from 1e16 on. */
static int lay_out(char *to, const char *digits, int count, int point)
{
    int size = 0;
    if (point > 16 || point < -3) {
        to[size++] = digits[0];
        if (count > 1)
            to[size++] = '.';
        memcpy(to + size, digits + 1, (size_t)(count - 1));
        size += count - 1;
        const int exponent = point - 1;
        to[size++] = 'e';
        to[size++] = exponent < 0 ? '-' : '+';
        const unsigned magnitude = (unsigned)(exponent < 0 ? -exponent : exponent);
        if (magnitude < 10)
            to[size++] = '0';
        return size + print_digits(to + size, magnitude);
    }
    if (point <= 0) {
        static const char zeros[] = {'0', '.', '0', '0', '0'};
        memcpy(to, zeros, sizeof zeros);
        size = 2 - point;
        memcpy(to + size, digits, (size_t)count);
        return size + count;
    }
    for (int i = 0; i < count || i < point; i++) {
        if (i == point)
            to[size++] = '.';
        to[size++] = i < count ? digits[i] : '0';
    }
    return size;
}

/* Prints a number given by its bits without the sign. */
static int print_magnitude(char *to, const Format *format, uint64_t bits)
{
    Shortest shortest = shorten(format, decode(format, bits));
    while (shortest.digits % 10 == 0) {
        shortest.digits /= 10;
        shortest.exponent++;
    }
    char digits[20];
    const int count = print_digits(digits, shortest.digits);
    return lay_out(to, digits, count, count + shortest.exponent);
}

static int print(char *to, const Format *format, uint64_t bits)
{
    const uint64_t sign = (uint64_t)(format->infinity + 1) << (format->precision - 1);
    const uint64_t magnitude = bits & ~sign;
    int size = 0;
    if (magnitude > infinity_bits(format)) {
        memcpy(to, "nan", 4);
        return 3;
    }
    if (bits & sign)
        to[size++] = '-';
    if (magnitude == infinity_bits(format)) {
        memcpy(to + size, "inf", 3);
        size += 3;
    } else if (magnitude == 0) {
        /* "-0" would be read as an integer, which has no sign to keep. */
        memcpy(to + size, "0.0", 3);
        size += bits & sign ? 3 : 1;
    } else {
        size += print_magnitude(to + size, format, magnitude);
    }
    to[size] = 0;
    return size;
}

int qn_print_f64(char *to, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return print(to, &format_f64, bits);
}

int qn_print_f32(char *to, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return print(to, &format_f32, bits);
}

int qn_print_u64(char *to, uint64_t value)
{
    const int size = print_digits(to, value);
    to[size] = 0;
    return size;
}

int qn_print_i64(char *to, int64_t value)
{
    to[0] = '-';
    const bool is_negative = value < 0;
    return is_negative +
           qn_print_u64(to + is_negative, is_negative ? 0 - (uint64_t)value : (uint64_t)value);
}
