/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes that only data tells: what follows is bound while running. */
#include "tests/support/engine.h"

TEST(counts_of_elements_found_flow_on)
{
    static const char graph[] = "graph main(%x: float[N]) {\n"
                                "  const %s: int64[1] = {-1}\n"
                                "  %i = NonZero(%x)\n"
                                "  %j = Reshape(%i, %s)\n"
                                "  %g = Gather(%x, %j) {axis = 0}\n"
                                "  %y = Neg(%g)\n"
                                "  %n = Shape(%y)\n"
                                "  return %y, %n\n}";
    Engine e;
    const QnStatus status = engine_open(&e, graph);
    REQUIRE(t, status == QN_OK, "%s", e.err.message);
    static const struct {
        const char *x, *want;
    } rows[] = {
        {"float[3] = {1, 0, 2}", "float[2] {-1, -2}; int64[1] {2}"},
        {"float[3] = {0, 0, 0}", "float[0] {}; int64[1] {0}"},
        {"float[3] = {1, 2, 3}", "float[3] {-1, -2, -3}; int64[1] {3}"},
        {"float[0] = {}", "float[0] {}; int64[1] {0}"},
        {"float[5] = {1, 0, 0, 0, 3}", "float[2] {-1, -3}; int64[1] {2}"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const char *got = ENGINE_RUN(&e, rows[i].x);
        EXPECT(t, !strcmp(got, rows[i].want), "%s gave %s", rows[i].x, got);
    }
    engine_close(&e);
}

TEST(shapes_may_be_inputs)
{
    static const char graph[] = "graph main(%x: float[N], %s: int64[2]) {\n"
                                "  %r = Reshape(%x, %s)\n"
                                "  %y = Add(%r, %r)\n"
                                "  return %y\n}";
    static const RunRow rows[] = {
        {graph, {"float[4] = {1, 2, 3, 4}", "int64[2] = {2, 2}"}, "float[2,2] {2, 4, 6, 8}"},
        {graph, {"float[4] = {1, 2, 3, 4}", "int64[2] = {-1, 1}"}, "float[4,1] {2, 4, 6, 8}"},
        {graph, {"float[0] = {}", "int64[2] = {0, 3}"}, "float[0,3] {}"},
    };
    RUN_CHECK(t, rows);
}

TEST(a_rank_may_be_found_while_running)
{
    static const char graph[] = "graph main(%x: float[?], %s: int64[K]) {\n"
                                "  %r = Reshape(%x, %s)\n"
                                "  %a = Neg(%r)\n"
                                "  %b = Relu(%a)\n"
                                "  %n = Shape(%b)\n"
                                "  return %b, %n\n}";
    static const RunRow rows[] = {
        {graph,
         {"float[2] = {-1, 2}", "int64[3] = {1, 2, 1}"},
         "float[1,2,1] {1, 0}; int64[3] {1, 2, 1}"},
        {graph, {"float[1,1] = {-3}", "int64[0] = {}"}, "float[] {3}; int64[0] {}"},
    };
    RUN_CHECK(t, rows);
}

/* The inverse's size is known, the unique elements' is not: the next step that allocates must not
 * get the memory of either, in the first run or the second. */
TEST(outputs_of_known_size_beside_late_ones_have_their_own_memory)
{
    static const RunRow rows[] = {
        {"graph main(%x: int64[4]) {\n"
         "  %u, %f, %i = Unique(%x)\n"
         "  const %first: int64[] = {0}\n"
         "  %s = SequenceConstruct(%u, %u)\n"
         "  %v = SequenceAt(%s, %first)\n"
         "  return %i, %v\n}",
         {"int64[4] = {7, 0, 7, 9}"},
         "int64[4] {1, 0, 1, 2}; int64[3] {0, 7, 9}"},
    };
    RUN_CHECK(t, rows);
}

/* Wherever a size comes from data, what does not fit is a sentence, not a crash. */
TEST(data_that_gives_no_shape_is_an_error)
{
    static const char *const reshape = "graph main(%x: float[N], %s: int64[2]) {\n"
                                       "  %r = Reshape(%x, %s)\n"
                                       "  return %r\n}";
    Engine e;
    REQUIRE(t, engine_open(&e, reshape) == QN_OK, "%s", e.err.message);
    static const char *const shapes[] = {"int64[2] = {3, 3}", "int64[2] = {-1, -1}",
                                         "int64[2] = {-2, 2}",
                                         "int64[2] = {9223372036854775807, 2}"};
    for (size_t i = 0; i < QN_COUNT_OF(shapes); i++) {
        const char *got = ENGINE_RUN(&e, "float[4] = {1, 2, 3, 4}", shapes[i]);
        EXPECT(t, !strncmp(got, "error: Reshape node making 'r' (Reshape): ", 42), "%s gave %s",
               shapes[i], got);
    }
    const char *got = ENGINE_RUN(&e, "float[4] = {1, 2, 3, 4}", "int64[2] = {1, 4}");
    EXPECT(t, !strcmp(got, "float[1,4] {1, 2, 3, 4}"), "after errors: %s", got);
    engine_close(&e);
}

TEST(sizes_found_in_a_branch_stay_in_it)
{
    static const char graph[] = "graph main(%c: bool[], %x: float[N]) {\n"
                                "  const %m: int64[1] = {-1}\n"
                                "  %y = If(%c) {then_branch = graph () {\n"
                                "    %i = NonZero(%x)\n"
                                "    %j = Reshape(%i, %m)\n"
                                "    %g = Gather(%x, %j) {axis = 0}\n"
                                "    return %g\n"
                                "  }, else_branch = graph () { return e = %x }}\n"
                                "  %z = Add(%y, %y)\n"
                                "  return %z\n}";
    static const RunRow rows[] = {
        {graph, {"bool[] = {1}", "float[3] = {1, 0, 2}"}, "float[2] {2, 4}"},
        {graph, {"bool[] = {0}", "float[3] = {1, 0, 2}"}, "float[3] {2, 0, 4}"},
    };
    RUN_CHECK(t, rows);
}

TEST_MAIN(CASE(counts_of_elements_found_flow_on), CASE(shapes_may_be_inputs),
          CASE(a_rank_may_be_found_while_running), CASE(data_that_gives_no_shape_is_an_error),
          CASE(outputs_of_known_size_beside_late_ones_have_their_own_memory),
          CASE(sizes_found_in_a_branch_stay_in_it))
