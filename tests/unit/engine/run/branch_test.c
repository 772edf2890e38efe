/* SPDX-License-Identifier: Apache-2.0 */
/* If: one branch runs, and what follows is bound to the shapes that it gives. */
#include "tests/support/engine.h"

TEST(the_branch_of_the_condition_runs)
{
    static const char graph[] =
        "graph main(%c: bool[], %x: float[N]) {\n"
        "  %y = If(%c) {then_branch = graph () { %a = Neg(%x) return %a },\n"
        "               else_branch = graph () { %b = Add(%x, %x) return %b }}\n"
        "  %z = Relu(%y)\n"
        "  return %y, %z\n}";
    static const RunRow rows[] = {
        {graph, {"bool[] = {1}", "float[2] = {1, -2}"}, "float[2] {-1, 2}; float[2] {0, 2}"},
        {graph, {"bool[] = {0}", "float[2] = {1, -2}"}, "float[2] {2, -4}; float[2] {2, 0}"},
    };
    RUN_CHECK(t, rows);
}

/* One session sees both in turn: nothing of the other branch's shapes may stay. */
TEST(branches_of_different_shapes_and_ranks_alternate)
{
    Engine e;
    const QnStatus status = engine_open(
        &e, "graph main(%c: bool[], %x: float[N]) {\n"
            "  const %s: int64[2] = {-1, 1}\n"
            "  %y = If(%c) {then_branch = graph () { %a = Concat(%x, %x) {axis = 0} return %a },\n"
            "               else_branch = graph () { %b = Reshape(%x, %s) return %b }}\n"
            "  %z = Neg(%y)\n"
            "  %n = Shape(%z)\n"
            "  return %z, %n\n}");
    REQUIRE(t, status == QN_OK, "%s", e.err.message);
    for (int run = 0; run < 3; run++) {
        const char *got = ENGINE_RUN(&e, "bool[] = {1}", "float[1] = {3}");
        EXPECT(t, !strcmp(got, "float[2] {-3, -3}; int64[1] {2}"), "%s", got);
        got = ENGINE_RUN(&e, "bool[] = {0}", "float[2] = {1, 2}");
        EXPECT(t, !strcmp(got, "float[2,1] {-1, -2}; int64[2] {2, 1}"), "%s", got);
    }
    engine_close(&e);
}

TEST(ifs_nest)
{
    static const char graph[] =
        "graph main(%c: bool[], %d: bool[], %x: float[2]) {\n"
        "  %y = If(%c) {\n"
        "    then_branch = graph () {\n"
        "      %i = If(%d) {then_branch = graph () { %p = Add(%x, %x) return %p },\n"
        "                   else_branch = graph () { return q = %x }}\n"
        "      %j = Neg(%i)\n"
        "      return %j },\n"
        "    else_branch = graph () { %k = Abs(%x) return %k }}\n"
        "  return %y\n}";
    static const RunRow rows[] = {
        {graph, {"bool[] = {1}", "bool[] = {1}", "float[2] = {1, -2}"}, "float[2] {-2, 4}"},
        {graph, {"bool[] = {1}", "bool[] = {0}", "float[2] = {1, -2}"}, "float[2] {-1, 2}"},
        {graph, {"bool[] = {0}", "bool[] = {1}", "float[2] = {1, -2}"}, "float[2] {1, 2}"},
    };
    RUN_CHECK(t, rows);
}

/* Shapes that do not fit are an error only where they are met. */
TEST(what_does_not_fit_in_the_branch_not_taken_is_no_error)
{
    static const char graph[] =
        "graph main(%c: bool[], %x: float[N], %w: float[M]) {\n"
        "  %y = If(%c) {then_branch = graph () { %a = Add(%x, %w) return %a },\n"
        "               else_branch = graph () { return b = %x }}\n"
        "  return %y\n}";
    static const RunRow rows[] = {
        {graph, {"bool[] = {0}", "float[2] = {1, 2}", "float[3] = {1, 2, 3}"}, "float[2] {1, 2}"},
        {graph, {"bool[] = {1}", "float[2] = {1, 2}", "float[1] = {3}"}, "float[2] {4, 5}"},
    };
    Engine e;
    RUN_CHECK(t, rows);
    REQUIRE(t, engine_open(&e, graph) == QN_OK, "%s", e.err.message);
    const char *got = ENGINE_RUN(&e, "bool[] = {1}", "float[2] = {1, 2}", "float[3] = {1, 2, 3}");
    EXPECT(t,
           !strcmp(got, "error: Add node making 'a' (Add): the shapes of the inputs do not fit: "
                        "[2], [3]"),
           "%s", got);
    engine_close(&e);
}

/* The last value made in a branch is not what the other branch, or what follows, may overwrite. */
TEST(a_branch_may_give_what_was_there_before)
{
    static const char graph[] =
        "graph main(%c: bool[], %x: float[2]) {\n"
        "  %a = Neg(%x)\n"
        "  %b = Abs(%a)\n"
        "  %y, %z = If(%c) {then_branch = graph () { return p = %a, q = %b },\n"
        "                   else_branch = graph () { return r = %b, s = %x }}\n"
        "  %u = Exp(%b)\n"
        "  %v = Log(%u)\n"
        "  %w = Sub(%y, %v)\n"
        "  return %w, %z, %y\n}";
    static const RunRow rows[] = {
        {graph,
         {"bool[] = {1}", "float[2] = {0, 0}"},
         "float[2] {0, 0}; float[2] {0, 0}; float[2] {0, 0}"},
        {graph,
         {"bool[] = {0}", "float[2] = {0, 0}"},
         "float[2] {0, 0}; float[2] {0, 0}; float[2] {0, 0}"},
    };
    RUN_CHECK(t, rows);
}

TEST(graphs_that_give_nothing_are_refused)
{
    static const RunRow rows[] = {
        {"graph main(%c: bool[], %x: float[2]) {\n"
         "  %y = If(%c) {then_branch = graph t() { return a = _ },\n"
         "               else_branch = graph e() { return b = %x }}\n"
         "  return %y\n}",
         {NULL},
         "error: If node making 'y' (If): nothing makes output 'a' of graph 't'"},
        {"graph main(%c: bool[], %x: float[2]) {\n"
         "  %y = If(%c) {then_branch = graph t() { return },\n"
         "               else_branch = graph e() { return b = %x }}\n"
         "  return %y\n}",
         {NULL},
         "error: If node making 'y' (If): then_branch has 0 inputs and 0 outputs, expected 0 and 1"},
    };
    RUN_CHECK(t, rows);
}

TEST_MAIN(CASE(the_branch_of_the_condition_runs),
          CASE(branches_of_different_shapes_and_ranks_alternate), CASE(ifs_nest),
          CASE(what_does_not_fit_in_the_branch_not_taken_is_no_error),
          CASE(a_branch_may_give_what_was_there_before), CASE(graphs_that_give_nothing_are_refused))
