/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <math.h>

#include "base/compiler.h"
#include "base/text.h"

/* splitmix64: spreads a seed over the state, so that neighbouring seeds give unlike numbers and
 * none gives zeros. */
static uint64_t spread(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

QnRandom qn_random(uint64_t seed)
{
    QnRandom random = {.seed = seed};
    for (int i = 0; i < 4; i++)
        random.state[i] = spread(&seed);
    return random;
}

uint64_t qn_random_seed(const char *text, uint64_t fallback)
{
    uint64_t seed;
    return text && qn_parse_u64(&seed, text, strlen(text)) ? seed : fallback;
}

static uint64_t rotate(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

uint64_t qn_random_u64(QnRandom *random)
{
    uint64_t *s = random->state;
    const uint64_t result = rotate(s[1] * 5, 7) * 9, shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

/* The high half of a product with 64 random bits;
 * the low half tells the few cases that would be too likely. */
uint64_t qn_random_below(QnRandom *random, uint64_t limit)
{
    QnU128 product = (QnU128)qn_random_u64(random) * limit;
    if ((uint64_t)product < limit) {
        const uint64_t excess = (0 - limit) % limit;
        while ((uint64_t)product < excess)
            product = (QnU128)qn_random_u64(random) * limit;
    }
    return (uint64_t)(product >> 64);
}

int64_t qn_random_between(QnRandom *random, int64_t low, int64_t high)
{
    const uint64_t count = (uint64_t)high - (uint64_t)low + 1; /* 0: all 2^64 */
    const uint64_t offset = count ? qn_random_below(random, count) : qn_random_u64(random);
    return (int64_t)((uint64_t)low + offset);
}

double qn_random_f64(QnRandom *random)
{
    return (double)(qn_random_u64(random) >> 11) * 0x1p-53;
}

float qn_random_f32(QnRandom *random)
{
    return (float)(qn_random_u64(random) >> 40) * 0x1p-24f;
}

/* Marsaglia's polar method; the second number of each pair is left,
 * so that the state is all there is. */
double qn_random_normal(QnRandom *random)
{
    double x, y, square;
    do {
        x = 2 * qn_random_f64(random) - 1;
        y = 2 * qn_random_f64(random) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    return x * sqrt(-2 * log(square) / square);
}

void qn_random_fill_uniform(QnRandom *random, float *values, size_t count, float low, float high)
{
    for (size_t i = 0; i < count; i++) {
        const float value = low + (high - low) * qn_random_f32(random);
        values[i] = value < high ? value : low; /* rounding may reach the upper end */
    }
}

void qn_random_fill_normal(QnRandom *random, float *values, size_t count, float mean,
                           float deviation)
{
    for (size_t i = 0; i < count; i++)
        values[i] = mean + deviation * (float)qn_random_normal(random);
}

static void swap(uint8_t *a, uint8_t *b, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

void qn_random_shuffle(QnRandom *random, void *items, size_t count, size_t item_size)
{
    uint8_t *bytes = items;
    for (size_t left = count; left > 1; left--) {
        const size_t other = (size_t)qn_random_below(random, left);
        if (other != left - 1)
            swap(bytes + other * item_size, bytes + (left - 1) * item_size, item_size);
    }
}
