/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test harness, one page.  A test is a sentence and a function; a program lists its tests by
 * hand, so that a forgotten one is an unused function, which is an error.
 *
 *     TEST(empty_arenas_hold_nothing) { EXPECT(t, size == 0, "found %zu bytes", size); }
 *     TEST_MAIN(CASE(empty_arenas_hold_nothing))
 *
 * Arguments of the program select tests whose name contains one of them.  It ends with `N passed, N
 * failed, N skipped`.
 */
#ifndef QN_TESTS_TEST_H
#define QN_TESTS_TEST_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Test {
    const char *name;
    int failures;
    const char *skipped; /* the reason; NULL: not skipped */
} Test;

typedef struct TestCase {
    const char *name;
    void (*run)(Test *t);
} TestCase;

#define TEST(name) static void name(Test *t)
#define CASE(name)  \
    {               \
#        name, name \
    }
#define TEST_MAIN(...)                                                          \
    int main(int argc, char **argv)                                             \
    {                                                                           \
        static const TestCase cases[] = {__VA_ARGS__};                          \
        return test_run_all(argc, argv, cases, sizeof cases / sizeof cases[0]); \
    }

/* Checks a condition; on failure prints the sentence and goes on. */
#define EXPECT(t, condition, ...) \
    test_expect((t), (condition), __FILE__, __LINE__, #condition, __VA_ARGS__)

/* The same, and ends the test on failure. */
#define REQUIRE(t, condition, ...)              \
    do {                                        \
        if (!EXPECT(t, condition, __VA_ARGS__)) \
            return;                             \
    } while (0)

/* Ends the test as skipped, counted and named. */
#define SKIP(t, reason)          \
    do {                         \
        (t)->skipped = (reason); \
        return;                  \
    } while (0)

__attribute__((format(printf, 6, 7))) static inline bool test_expect(Test *t, bool holds,
                                                                     const char *file, int line,
                                                                     const char *condition,
                                                                     const char *format, ...)
{
    if (holds)
        return true;
    t->failures++;
    if (t->failures > 20)
        return false;
    fprintf(stderr, "%s:%d: %s: expected %s: ", file, line, t->name, condition);
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return false;
}

static inline int test_run_all(int argc, char **argv, const TestCase *cases, size_t count)
{
    int passed = 0, failed = 0, skipped = 0;
    for (size_t i = 0; i < count; i++) {
        bool wanted = argc < 2;
        for (int a = 1; a < argc; a++)
            wanted = wanted || strstr(cases[i].name, argv[a]);
        if (!wanted)
            continue;
        Test t = {.name = cases[i].name};
        cases[i].run(&t);
        if (t.failures)
            failed++;
        else if (t.skipped)
            skipped++;
        else
            passed++;
        if (t.failures || t.skipped)
            printf("%s %s%s%s\n", t.failures ? "FAILED" : "skipped", t.name, t.skipped ? ": " : "",
                   t.skipped ? t.skipped : "");
    }
    printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
    return failed ? 1 : 0;
}

#endif
