/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the checks of kernels share: guarded buffers of random values in classes, and comparison
 * with a double result within a bound that follows from the arithmetic.
 */
#ifndef QN_TESTS_KERNELS_CHECK_H
#define QN_TESTS_KERNELS_CHECK_H

#include <float.h>
#include <math.h>
#include <stdint.h>

#include "base/cpu.h"
#include "tests/support/guard.h"
#include "tests/support/test.h"

typedef enum CheckValues {
    CHECK_NORMAL,
    CHECK_EQUAL,    /* all the same */
    CHECK_WIDE,     /* exponents from -20 to 20 */
    CHECK_INTEGERS, /* small ones: sums are exact, so results are too */
    CHECK_CLASSES
} CheckValues;

enum { CHECK_MAX_BUFFERS = 24 };

/* Which end of a buffer touches a page that faults. */
typedef enum CheckEnd { CHECK_AFTER, CHECK_BEFORE } CheckEnd;

/* A check at work: buffers are freed together by check_end. */
typedef struct Check {
    Test *t;
    QnIsa have;
    uint32_t state; /* of the random numbers */
    CheckEnd end;
    CheckValues values;
    Guard buffers[CHECK_MAX_BUFFERS];
    int buffer_count;
} Check;

static const float check_pattern = -123456.7f; /* what nobody may overwrite */

static inline Check check_make(Test *t)
{
    Check check = {.t = t, .state = 12345};
    QnCpu cpu;
    QnError err;
    if (qn_cpu_detect(&cpu, NULL, getenv("QN_CPU"), &err) == QN_OK)
        check.have = cpu.isa;
    else
        EXPECT(t, false, "%s", err.message);
    return check;
}

/* Can this CPU run the variant?  If not, that is said:
 * a check that did not run is not a check that passed. */
static inline bool check_begin(const Check *check, const char *name, QnIsa needs)
{
    if ((needs & check->have) == needs)
        return true;
    printf("skipped %s: not on this CPU\n", name);
    return false;
}

/* 0 .. below - 1. */
static inline int check_random(Check *check, int below)
{
    check->state = check->state * 1664525u + 1013904223u;
    return (int)((uint64_t)(check->state >> 8) * (unsigned)below >> 24);
}

static inline float check_value(Check *check)
{
    const float x = (float)check_random(check, 20001) / 10000 - 1;
    switch (check->values) {
    case CHECK_EQUAL:
        return 0.75f;
    case CHECK_WIDE:
        return ldexpf(x, check_random(check, 41) - 20);
    case CHECK_INTEGERS:
        return (float)(check_random(check, 17) - 8);
    default:
        return x;
    }
}

/* A guarded buffer of `size` bytes, filled with 0x7b; aligned as its size is where it ends at a
 * page.
 */
static inline void *check_room(Check *check, size_t size)
{
    if (check->buffer_count == CHECK_MAX_BUFFERS) {
        printf("too many buffers in one check\n");
        exit(2);
    }
    Guard *guard = &check->buffers[check->buffer_count++];
    return check->end == CHECK_AFTER ? guard_end(guard, size) : guard_start(guard, size);
}

/* A guarded buffer that holds the pattern. */
static inline float *check_blank(Check *check, int64_t count)
{
    float *data = check_room(check, (size_t)count * sizeof(float));
    for (int64_t i = 0; i < count; i++)
        data[i] = check_pattern;
    return data;
}

/* Random bytes. */
static inline void *check_bytes(Check *check, int64_t size)
{
    uint8_t *data = check_room(check, (size_t)size);
    for (int64_t i = 0; i < size; i++)
        data[i] = (uint8_t)check_random(check, 256);
    return data;
}

static inline float *check_floats(Check *check, int64_t count)
{
    float *data = check_blank(check, count);
    for (int64_t i = 0; i < count; i++)
        data[i] = check_value(check);
    return data;
}

static inline void check_end(Check *check)
{
    while (check->buffer_count)
        guard_free(&check->buffers[--check->buffer_count]);
}

/* A sum in double, and the sum of the sizes of what went into it, from which its bound follows. */
typedef struct Sum {
    double value, magnitude;
    int64_t terms;
} Sum;

static inline void sum_add(Sum *sum, double a, double b)
{
    sum->value += a * b;
    sum->magnitude += fabs(a * b);
    sum->terms++;
}

/* Each term is rounded twice at most and each addition once. */
static inline double sum_bound(const Sum *sum)
{
    return ((double)sum->terms + 4) * FLT_EPSILON * sum->magnitude + 1e-37;
}

/* Is `got` the double result within the bound, or not finite in the same way? */
static inline bool check_is_near(float got, double want, double bound)
{
    if (isnan(want))
        return isnan(got);
    if (isinf(want))
        return (double)got == want;
    return fabs((double)got - want) <= bound;
}

#endif
