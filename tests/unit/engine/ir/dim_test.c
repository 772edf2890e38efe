/* SPDX-License-Identifier: Apache-2.0 */
/* The algebra of dimensions: what is equal, what it evaluates to, and its text. */
#include "engine/ir/dim.h"

#include "base/compiler.h"
#include "tests/support/test.h"

/* A table of its own, and how to read and print a dim in it. */
typedef struct World {
    QnArena arena;
    QnDims dims;
    char text[4096];
} World;

static void setup(World *w)
{
    w->arena = (QnArena){0};
    qn_dims_init(&w->dims, &w->arena);
}

static QnDim read(Test *t, World *w, const char *text)
{
    QnDim dim = 0;
    EXPECT(t, qn_dim_parse(&w->dims, &dim, text, strlen(text)), "cannot read %s", text);
    return dim;
}

static const char *print(World *w, QnDim dim)
{
    qn_dim_print(&w->dims, dim, w->text, sizeof w->text);
    return w->text;
}

/* Each row: an expression, and its normal form. */
TEST(equal_sizes_meet_in_one_form)
{
    static const char *const rows[][2] = {
        {"floor(N*2/2)", "N"},
        {"(N+1)-1", "N"},
        {"floor((2*N + 4)/2)", "N + 2"},
        {"N - N", "0"},
        {"0*N", "0"},
        {"1*N", "N"},
        {"2 - 3", "-1"},
        {"0 - N", "-N"},
        {"N*M", "N*M"},
        {"M*N - N*M", "0"},
        {"(N+1)*(M+1)", "N + M + N*M + 1"},
        {"(N+1)*(N-1)", "N*N - 1"},
        {"floor(N*M*K/M)", "N*K"},
        {"floor(12*N*M/(3*N))", "4*M"},
        {"floor((N*M + 3)/M)", "N + floor(3/M)"},
        {"floor((64*B*S + 64*B*P)/(8*B*S + 8*B*P))", "8"},
        {"floor((N*N - 1)/(N + 1))", "N - 1"},
        {"floor((N + 4)/2)", "floor(N/2) + 2"},
        {"floor((N - 1)/2) + 1", "floor((N + 1)/2)"},
        {"ceil(N/2)", "floor((N + 1)/2)"},
        {"ceil(4*N/2)", "2*N"},
        {"ceil(7/2)", "4"},
        {"ceil(N/N)", "1"},
        {"ceil((2*N + 2)/(N + 1))", "2"},
        {"0 - floor((0 - N)/8)", "floor((N + 7)/8)"},
        {"floor((2*N + 1)/4)", "floor(N/2)"},
        {"floor(floor(N/2)/3)", "floor(N/6)"},
        {"floor((floor((N + 1)/2) + 1)/2)", "floor((N + 3)/4)"},
        {"floor((7*N + 9)/4)", "2*N - floor((N + 2)/4) + 2"},
        {"mod(4*N, 2)", "0"},
        {"mod(N, 2)", "N - 2*floor(N/2)"},
        {"mod(N, 2) + 2*floor(N/2)", "N"},
        {"floor(0/N)", "0"},
        {"floor((N + 1)/(N + 1))", "1"},
        {"max(N, N)", "N"},
        {"max(N, 0)", "N"},
        {"max(0 - 1, N)", "N"},
        {"max(N + 1, 1)", "N + 1"},
        {"max(N, 1)", "max(N, 1)"},
        {"max(1, N)", "max(N, 1)"},
        {"max(M, N) - max(N, M)", "0"},
        {"max(max(N, M), M)", "max(N, M)"},
        {"min(N, N + 3)", "N"},
        {"min(N, 0)", "0"},
        {"max(min(N, 5), 0)", "min(N, 5)"},
        {"max(3, 5)", "5"},
        {"min(3, 5)", "3"},
        {"broadcast(N, 1)", "N"},
        {"broadcast(1, N)", "N"},
        {"broadcast(N, N)", "N"},
        {"broadcast(N, 5)", "5"},
        {"broadcast(0, N)", "0"},
        {"broadcast(N, M) - broadcast(M, N)", "0"},
        {"broadcast(broadcast(N, M), N)", "broadcast(N, M)"},
        {"broadcast(2, 3)", "floor(0/0)"},
        {"9223372036854775807 + 1", "floor(0/0)"},
        {"9223372036854775807*N*2", "floor(0/0)"},
        {"floor(3/0)", "floor(0/0)"},
        {"\"batch size\" + a.b_1", "\"batch size\" + a.b_1"},
        {"\"quo\\\"te\"", "\"quo\\\"te\""},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        World w;
        setup(&w);
        /* Symbols are printed in the order in which they were made. */
        read(t, &w, "N + M + K");
        const QnDim dim = read(t, &w, rows[i][0]);
        EXPECT(t, !strcmp(print(&w, dim), rows[i][1]), "%s gave %s, not %s", rows[i][0], w.text,
               rows[i][1]);
        EXPECT(t, read(t, &w, rows[i][1]) == dim, "%s is another dim than %s", rows[i][1],
               rows[i][0]);
        qn_arena_finish(&w.arena);
    }
}

TEST(what_is_no_expression_is_refused)
{
    static const char *const rows[] = {"",
                                       "N*2/2",
                                       "+",
                                       "N +",
                                       "(N",
                                       "N)",
                                       "foo(N, M)",
                                       "1 2",
                                       "\"N",
                                       "floor(N",
                                       "N M",
                                       "max(N)",
                                       "?",
                                       "?x",
                                       "@3",
                                       "--1",
                                       "floor()",
                                       "N ** M",
                                       "18446744073709551616"};
    World w;
    setup(&w);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnDim dim = 77;
        EXPECT(t, !qn_dim_parse(&w.dims, &dim, rows[i], strlen(rows[i])) && dim == 77,
               "%s was read", rows[i]);
    }
    /* A thousand brackets would need a thousand frames. */
    char deep[2001];
    memset(deep, '(', 1000);
    memset(deep + 1000, ')', 1000);
    QnDim dim;
    EXPECT(t, !qn_dim_parse(&w.dims, &dim, deep, 2000), "deep brackets were read");
    EXPECT(t, !qn_dim_parse(&w.dims, &dim, NULL, 0), "no text at all was read");
    EXPECT(t, !w.dims.failed, "the table failed");
    qn_arena_finish(&w.arena);
}

/* Random expressions: the row's value is the value of the operations, in exact arithmetic. */
TEST(normal_forms_evaluate_to_what_was_meant)
{
    uint64_t seed = 1;
    for (int round = 0; round < 300; round++) {
        enum { STEPS = 24, SYMBOLS = 4 };
        World w;
        setup(&w);
        QnDim made[STEPS];
        int64_t wanted[STEPS], symbols[SYMBOLS];
        for (int i = 0; i < STEPS; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
            const unsigned random = (unsigned)(seed >> 33);
            if (i < SYMBOLS) {
                made[i] = i < 3 ? qn_dim_symbol(&w.dims, (char[2]){(char)('K' + i), 0})
                                : qn_dim_fresh(&w.dims, true);
                wanted[i] = symbols[i] = (int64_t)(random % 40);
                continue;
            }
            const int x = (int)(random / 16 % (unsigned)i), y = (int)(random / 4096 % (unsigned)i);
            QnDim a = made[x], b = made[y];
            int64_t p = wanted[x], q = wanted[y];
            if (random % 3 == 0)
                b = q = 1 + random / 64 % 7;
            const bool small = p > -3000 && p < 3000 && q > -3000 && q < 3000;
            switch (random % 16) {
            case 0:
            case 1:
            case 2:
            case 3:
                made[i] = qn_dim_add(&w.dims, a, b), wanted[i] = p + q;
                break;
            case 4:
            case 5:
                made[i] = qn_dim_sub(&w.dims, a, b), wanted[i] = p - q;
                break;
            case 6:
            case 7:
            case 8:
                made[i] = small ? qn_dim_mul(&w.dims, a, b) : a, wanted[i] = small ? p * q : p;
                break;
            case 9:
            case 10:
            case 11:
                made[i] = q > 0 ? qn_dim_floor_div(&w.dims, a, b) : a;
                wanted[i] = q > 0 ? (p - ((p % q + q) % q)) / q : p;
                break;
            case 12:
                made[i] = q > 0 ? qn_dim_ceil_div(&w.dims, a, b) : a;
                wanted[i] = q > 0 ? -((-p - ((-p % q + q) % q)) / q) : p;
                break;
            case 13:
                made[i] = q > 0 ? qn_dim_mod(&w.dims, a, b) : a,
                wanted[i] = q > 0 ? (p % q + q) % q : p;
                break;
            case 14:
                made[i] = qn_dim_max(&w.dims, a, b), wanted[i] = p > q ? p : q;
                break;
            default:
                made[i] = qn_dim_min(&w.dims, a, b), wanted[i] = p < q ? p : q;
            }
        }
        REQUIRE(t, !w.dims.failed, "the table failed");
        int64_t *values = calloc((size_t)w.dims.count, sizeof *values);
        REQUIRE(t, values, "no memory");
        for (int i = 0; i < SYMBOLS; i++)
            values[-1 - made[i]] = symbols[i];
        qn_dims_evaluate(&w.dims, 0, values);
        for (int i = 0; i < STEPS; i++) {
            const int64_t got = qn_dim_value(made[i], values);
            /* Quotients by a size of 0 inside are not part of the promise: exact ones cancel it. */
            EXPECT(t, got == wanted[i] || got == QN_DIM_UNKNOWN, "round %d: %s is %lld, not %lld",
                   round, print(&w, made[i]), (long long)got, (long long)wanted[i]);
            for (int j = 0; j < i; j++)
                EXPECT(
                    t,
                    !(qn_dim_is_different(&w.dims, made[i], made[j]) && wanted[i] == wanted[j]) &&
                        !(qn_dim_is_at_least(&w.dims, made[i], made[j]) && wanted[i] < wanted[j]),
                    "round %d: steps %d and %d", round, i, j);
        }
        free(values);
        qn_arena_finish(&w.arena);
    }
}

TEST(evaluation_says_where_there_is_no_value)
{
    static const struct {
        const char *text;
        int64_t n, m, want;
    } rows[] = {
        {"N + M", 3, QN_DIM_UNKNOWN, QN_DIM_UNKNOWN},
        {"N + 1", 3, QN_DIM_UNKNOWN, 4},
        {"N - 5", 3, 0, -2},
        {"max(N - 5, 0)", 3, 0, 0},
        {"N*M", INT64_MAX, 2, QN_DIM_UNKNOWN},
        {"N + M", INT64_MAX, 1, QN_DIM_UNKNOWN},
        {"floor(N/M)", 5, 0, QN_DIM_UNKNOWN},
        {"floor((N - 6)/4)", 3, 0, -1},
        {"broadcast(N, M)", 1, 7, 7},
        {"broadcast(N, M)", 7, 1, 7},
        {"broadcast(N, M)", 0, 1, 0},
        {"broadcast(N, M)", 2, 3, QN_DIM_UNKNOWN},
        {"9223372036854775807 + 1", 0, 0, QN_DIM_UNKNOWN},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        World w;
        setup(&w);
        int64_t values[64] = {rows[i].n, rows[i].m};
        qn_dim_symbol(&w.dims, "N");
        qn_dim_symbol(&w.dims, "M");
        const QnDim dim = read(t, &w, rows[i].text);
        qn_dims_evaluate(&w.dims, 0, values);
        EXPECT(t, qn_dim_value(dim, values) == rows[i].want, "%s of %lld, %lld is %lld",
               rows[i].text, (long long)rows[i].n, (long long)rows[i].m,
               (long long)qn_dim_value(dim, values));
        qn_arena_finish(&w.arena);
    }
}

TEST(late_symbols_make_what_they_touch_late)
{
    World w;
    setup(&w);
    const QnDim n = qn_dim_symbol(&w.dims, "N"), late = qn_dim_fresh(&w.dims, true);
    const QnDim early = qn_dim_fresh(&w.dims, false);
    EXPECT(t, !qn_dim_is_late(&w.dims, n) && !qn_dim_is_late(&w.dims, early),
           "sizes of inputs are late");
    EXPECT(t, qn_dim_is_late(&w.dims, late), "a late symbol is not");
    EXPECT(t, qn_dim_is_late(&w.dims, qn_dim_add(&w.dims, n, late)), "a sum with one is not");
    EXPECT(t, qn_dim_is_late(&w.dims, qn_dim_max(&w.dims, late, n)), "a maximum is not");
    EXPECT(t, !qn_dim_is_late(&w.dims, qn_dim_mul(&w.dims, n, early)), "a product without one is");
    EXPECT(t, !qn_dim_is_at_least(&w.dims, late, 0), "a late value may be negative");
    EXPECT(t, read(t, &w, print(&w, late)) == late, "%s is another symbol", w.text);
    qn_arena_finish(&w.arena);
}

TEST(fresh_symbols_are_equal_to_nothing)
{
    World w;
    setup(&w);
    const QnDim named = qn_dim_symbol(&w.dims, "#0"), other = qn_dim_symbol(&w.dims, "?1");
    const QnDim a = qn_dim_fresh(&w.dims, false), b = qn_dim_fresh(&w.dims, true);
    EXPECT(t, a != named && b != other && a != b, "%lld %lld %lld", (long long)named, (long long)a,
           (long long)b);
    EXPECT(t, qn_dim_symbol(&w.dims, "#0") == named, "the model's own symbol moved");
    EXPECT(t, read(t, &w, print(&w, other)) == other, "%s is another symbol", w.text);
    qn_arena_finish(&w.arena);
}

TEST(negative_numbers_are_rows_that_are_known)
{
    World w;
    setup(&w);
    int64_t number = 5;
    const QnDim minus = qn_dim_number(&w.dims, -1);
    EXPECT(t, minus < 0 && qn_dim_constant(&w.dims, minus, &number) && number == -1, "it is %lld",
           (long long)number);
    EXPECT(t, qn_dim_number(&w.dims, 7) == 7, "7 is a row");
    EXPECT(t, qn_dim_add(&w.dims, minus, 1) == 0, "-1 + 1 is not 0");
    EXPECT(t, qn_dim_mul(&w.dims, minus, minus) == 1, "-1 * -1 is not 1");
    EXPECT(t, qn_dim_is_different(&w.dims, minus, 3), "-1 may be 3");
    EXPECT(t, !qn_dim_constant(&w.dims, qn_dim_symbol(&w.dims, "N"), &number), "N is a number");
    qn_arena_finish(&w.arena);
}

TEST(different_sizes_are_told_apart)
{
    static const struct {
        const char *a, *b;
        bool want;
    } rows[] = {{"3", "4", true},      {"3", "3", false},         {"N", "N + 1", true},
                {"N", "M", false},     {"N + M", "M + N", false}, {"N + 1", "0", true},
                {"N - 1", "0", false}, {"N", "3", false},         {"0 - N - 2", "0", true},
                {"N*M + 2", "1", true}};
    World w;
    setup(&w);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        EXPECT(t,
               qn_dim_is_different(&w.dims, read(t, &w, rows[i].a), read(t, &w, rows[i].b)) ==
                   rows[i].want,
               "%s and %s", rows[i].a, rows[i].b);
    qn_arena_finish(&w.arena);
}

/* What a hostile model may ask for: long sums, high powers, deep nests.
 * They stay small, and evaluate. */
TEST(expressions_do_not_grow_without_bound)
{
    World w;
    setup(&w);
    QnDim sum = 0, power = 1, nest = qn_dim_symbol(&w.dims, "N");
    const QnDim n = nest, n1 = qn_dim_add(&w.dims, n, 1);
    for (int i = 0; i < 1000; i++) {
        sum = qn_dim_add(&w.dims, sum, qn_dim_mul(&w.dims, 2, qn_dim_fresh(&w.dims, false)));
        power = qn_dim_mul(&w.dims, power, n1);
        nest =
            qn_dim_max(&w.dims, qn_dim_sub(&w.dims, nest, 1), qn_dim_floor_div(&w.dims, nest, 3));
    }
    REQUIRE(t, !w.dims.failed && w.dims.count < 20000, "%d rows", w.dims.count);
    int64_t *values = calloc((size_t)w.dims.count, sizeof *values);
    REQUIRE(t, values, "no memory");
    for (int i = 0; i < w.dims.count; i++)
        values[i] = 3;
    values[-1 - n] = 0;
    qn_dims_evaluate(&w.dims, 0, values);
    EXPECT(t, qn_dim_value(sum, values) == 6000, "the sum is %lld",
           (long long)qn_dim_value(sum, values));
    EXPECT(t, qn_dim_value(power, values) == 1, "the power is %lld",
           (long long)qn_dim_value(power, values));
    EXPECT(t, qn_dim_print(&w.dims, nest, w.text, sizeof w.text) < 40000, "its text is long");
    EXPECT(t, qn_dim_print(&w.dims, nest, NULL, 0) > 10, "its text is short");
    free(values);
    qn_arena_finish(&w.arena);
}

TEST(a_table_without_memory_fails_for_good)
{
    World w;
    setup(&w);
    const QnDim n = qn_dim_symbol(&w.dims, "N");
    w.arena.limit_bytes = w.arena.used_bytes + 1000;
    for (int i = 0; i < 1000; i++)
        qn_dim_fresh(&w.dims, false);
    EXPECT(t, w.dims.failed, "it did not");
    w.arena.limit_bytes = 0;
    EXPECT(t, qn_dim_add(&w.dims, n, 1) == 0 && qn_dim_max(&w.dims, n, n) == 0, "it recovered");
    qn_arena_finish(&w.arena);
}

TEST_MAIN(CASE(equal_sizes_meet_in_one_form), CASE(what_is_no_expression_is_refused),
          CASE(normal_forms_evaluate_to_what_was_meant),
          CASE(evaluation_says_where_there_is_no_value),
          CASE(late_symbols_make_what_they_touch_late), CASE(fresh_symbols_are_equal_to_nothing),
          CASE(negative_numbers_are_rows_that_are_known), CASE(different_sizes_are_told_apart),
          CASE(expressions_do_not_grow_without_bound), CASE(a_table_without_memory_fails_for_good))
