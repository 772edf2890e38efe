/* SPDX-License-Identifier: Apache-2.0 */
/* States: what a session keeps from run to run. */
#include "tests/support/engine.h"

static void open_or_fail(Test *t, Engine *e, const char *graph, const char *const *states)
{
    const QnStatus status = engine_open_with(e, graph, &(EngineOptions){.states = states});
    EXPECT(t, status == QN_OK, "%s", e->err.message);
}

#define EXPECT_RUN(t, e, want, ...)                                        \
    do {                                                                   \
        const char *got_ = ENGINE_RUN((e), __VA_ARGS__);                   \
        EXPECT((t), !strcmp(got_, (want)), "gave %s, not %s", got_, want); \
    } while (0)

static const char sum_graph[] = "graph main(%h: float[2], %x: float[2]) {\n"
                                "  %y = Add(%h, %x)\n"
                                "  return %y\n}\n"
                                "variable h = 0 -> 0\n";

TEST(variables_are_kept_from_run_to_run)
{
    Engine e;
    open_or_fail(t, &e, sum_graph, NULL);
    EXPECT_RUN(t, &e, "float[2] {1, 2}", "_", "float[2] = {1, 2}");
    EXPECT_RUN(t, &e, "float[2] {2, 4}", "_", "float[2] = {1, 2}");
    /* A given one takes its place. */
    EXPECT_RUN(t, &e, "float[2] {11, 12}", "float[2] = {10, 10}", "float[2] = {1, 2}");
    EXPECT_RUN(t, &e, "float[2] {12, 14}", "_", "float[2] = {1, 2}");
    qn_session_reset(e.session);
    EXPECT_RUN(t, &e, "float[2] {1, 2}", "_", "float[2] = {1, 2}");
    engine_close(&e);
}

TEST(a_failed_run_changes_no_state)
{
    Engine e;
    open_or_fail(t, &e, sum_graph, NULL);
    EXPECT_RUN(t, &e, "float[2] {1, 2}", "_", "float[2] = {1, 2}");
    EXPECT_RUN(t, &e, "error: input 'x': dimension 0 is 3, expected 2", "_",
               "float[3] = {1, 2, 3}");
    EXPECT_RUN(t, &e, "float[2] {2, 4}", "_", "float[2] = {1, 2}");
    engine_close(&e);
}

/* What one run gives as h and c is c and h of the next. */
TEST(states_may_change_places)
{
    Engine e;
    open_or_fail(t, &e,
                 "graph main(%h: float[1], %c: float[1], %x: float[1]) {\n"
                 "  %y = Add(%h, %x)\n"
                 "  return %y, p = %c, q = %h\n}\n"
                 "variable h = 1 -> 0\nvariable c = 2 -> 1\n",
                 NULL);
    EXPECT_RUN(t, &e, "float[1] {1}; float[1] {7}; float[1] {5}", "float[1] = {5}",
               "float[1] = {7}", "float[1] = {-4}");
    EXPECT_RUN(t, &e, "float[1] {7}; float[1] {5}; float[1] {7}", "_", "_", "float[1] = {0}");
    EXPECT_RUN(t, &e, "float[1] {5}; float[1] {7}; float[1] {5}", "_", "_", "float[1] = {0}");
    engine_close(&e);
}

static const char cache_graph[] = "graph main(%past_key: float[B,2,L,3], %x: float[B,2,T,3]) {\n"
                                  "  %present_key = Concat(%past_key, %x) {axis = 2}\n"
                                  "  %s = ReduceSum(%present_key) {keepdims = 0}\n"
                                  "  %n = Shape(%present_key)\n"
                                  "  return %present_key, %s, %n\n}\n";

/* Sums of all that was ever appended, over many growths of the buffer, and whole contents once. */
TEST(caches_grow_in_place)
{
    Engine e;
    const QnValue *present = &e.outputs[0];
    open_or_fail(t, &e, cache_graph, NULL);
    REQUIRE(t, e.plan && e.plan->state_count == 1 && e.plan->states[0].append_axis == 2,
            "no growing state");
    float sum = 0, data[12];
    const void *before = NULL;
    int moves = 0;
    for (int i = 0; i < 300; i++) {
        for (int k = 0; k < 12; k++)
            data[k] = (float)(i % 7 + k);
        QnValue inputs[2] = {
            {.kind = QN_NONE},
            qn_value_tensor(qn_tensor(QN_FLOAT, 4, (int64_t[]){2, 2, 1, 3}, data))};
        for (int k = 0; k < 12; k++)
            sum += data[k];
        engine_run_values(&e, inputs, NULL);
        REQUIRE(t, e.err.status == QN_OK, "run %d: %s", i, e.err.message);
        moves += present->tensor.data != before;
        before = present->tensor.data;
        EXPECT(t, *(const float *)e.outputs[1].tensor.data == sum, "run %d: %g, not %g", i,
               (double)*(const float *)e.outputs[1].tensor.data, (double)sum);
        EXPECT(t, present->tensor.dims[2] == i + 1, "length %lld",
               (long long)present->tensor.dims[2]);
    }
    EXPECT(t, moves > 1 && moves <= 4, "the buffer moved %d times for 300 rows", moves);
    for (int64_t i = 0; i < qn_tensor_count(&present->tensor); i++) {
        const int64_t d = i % 3, l = i / 3 % 300, outer = i / 900;
        const double want = (double)(l % 7 + outer * 3 + d);
        EXPECT(t, qn_tensor_element(&present->tensor, i) == want, "element %lld", (long long)i);
    }
    engine_close(&e);
}

TEST(caches_begin_again_and_take_given_rows)
{
    Engine e;
    open_or_fail(t, &e,
                 "graph main(%past: float[L], %x: float[T]) {\n"
                 "  %present = Concat(%past, %x) {axis = 0}\n"
                 "  %y = Neg(%present)\n"
                 "  return %present, %y\n}\n",
                 NULL);
    EXPECT_RUN(t, &e, "float[2] {1, 2}; float[2] {-1, -2}", "_", "float[2] = {1, 2}");
    EXPECT_RUN(t, &e, "float[3] {1, 2, 3}; float[3] {-1, -2, -3}", "_", "float[1] = {3}");
    EXPECT_RUN(t, &e, "float[3] {9, 8, 4}; float[3] {-9, -8, -4}", "float[2] = {9, 8}",
               "float[1] = {4}");
    EXPECT_RUN(t, &e, "float[4] {9, 8, 4, 5}; float[4] {-9, -8, -4, -5}", "_", "float[1] = {5}");
    qn_session_reset(e.session);
    EXPECT_RUN(t, &e, "float[1] {6}; float[1] {-6}", "_", "float[1] = {6}");
    /* What a run gave may be given back, cut short: a search goes back in time. */
    QnValue inputs[2] = {e.outputs[0], e.outputs[0]};
    float next = 7;
    inputs[1].tensor = qn_tensor(QN_FLOAT, 1, (int64_t[]){1}, &next);
    const char *got = engine_run_values(&e, inputs, NULL);
    EXPECT(t, !strcmp(got, "float[2] {6, 7}; float[2] {-6, -7}"), "%s", got);
    engine_close(&e);
}

/* A caller's own tensor may have any strides. */
TEST(given_caches_may_be_strided)
{
    Engine e;
    open_or_fail(t, &e, cache_graph, NULL);
    float past[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, rows[6] = {50, 51, 52, 53, 54, 55};
    QnValue inputs[2] = {qn_value_tensor(qn_tensor(QN_FLOAT, 4, (int64_t[]){1, 2, 2, 3}, past)),
                         qn_value_tensor(qn_tensor(QN_FLOAT, 4, (int64_t[]){1, 2, 1, 3}, rows))};
    inputs[0].tensor.strides[1] = 12; /* [row][head] instead of [head][row] */
    inputs[0].tensor.strides[2] = 24;
    const char *got = engine_run_values(&e, inputs, NULL);
    EXPECT(t,
           !strncmp(got,
                    "float[1,2,3,3] {0, 1, 2, 6, 7, 8, 50, 51, 52, 3, 4, 5, 9, 10, 11, 53, 54, 55}",
                    74),
           "%s", got);
    engine_close(&e);
}

TEST(states_that_cannot_be_are_refused)
{
    static const struct {
        const char *graph, *states[5], *want;
    } rows[] = {
        {"graph main(%a: float[1]) { %b = Neg(%a) return %b }",
         {"a", "c"},
         "state a, c: there is no output 'c'"},
        {"graph main(%a: float[1]) { %b = Neg(%a) return %b }",
         {"c", "b"},
         "state c, b: there is no input 'c'"},
        {"graph main(%a: float[1]) { %b = Neg(%a) return %b }",
         {"a", "b", "a", "b"},
         "state a, b: one of them is in another pair"},
        {"graph main(%a: string[1]) { %b = Identity(%a) return %b }",
         {"a", "b"},
         "state a, b: only tensors of numbers can be kept"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        Engine e;
        const EngineOptions options = {.states = rows[i].states};
        EXPECT(t, engine_open_with(&e, rows[i].graph, &options) != QN_OK, "row %zu", i);
        EXPECT(t, !strcmp(e.err.message, rows[i].want), "%s", e.err.message);
        engine_close(&e);
    }
}

TEST_MAIN(CASE(variables_are_kept_from_run_to_run), CASE(a_failed_run_changes_no_state),
          CASE(states_may_change_places), CASE(caches_grow_in_place),
          CASE(caches_begin_again_and_take_given_rows), CASE(given_caches_may_be_strided),
          CASE(states_that_cannot_be_are_refused))
