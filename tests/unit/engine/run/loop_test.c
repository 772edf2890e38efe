/* SPDX-License-Identifier: Apache-2.0 */
/* Loop and Scan: what is carried, what is stacked, and when it ends. */
#include "tests/support/engine.h"

TEST(loops_count_their_trips)
{
    static const char graph[] =
        "graph main(%m: int64[], %c: bool[], %x: float[2]) {\n"
        "  %y, %s = Loop(%m, %c, %x) {body = graph (%i: int64[], %go: bool[], %v: float[2]) {\n"
        "    %f = Cast(%i) {to = 1}\n"
        "    %n = Add(%v, %f)\n"
        "    return %go, %n, s = %v\n  }}\n"
        "  return %y, %s\n}";
    static const RunRow rows[] = {
        {graph,
         {"int64[] = {3}", "bool[] = {1}", "float[2] = {1, 2}"},
         "float[2] {4, 5}; float[3,2] {1, 2, 1, 2, 2, 3}"},
        {graph,
         {"int64[] = {1}", "bool[] = {1}", "float[2] = {1, 2}"},
         "float[2] {1, 2}; float[1,2] {1, 2}"},
        /* No trip: what is carried stays, what is stacked is empty. */
        {graph,
         {"int64[] = {0}", "bool[] = {1}", "float[2] = {1, 2}"},
         "float[2] {1, 2}; float[0,2] {}"},
        {graph,
         {"int64[] = {-4}", "bool[] = {1}", "float[2] = {1, 2}"},
         "float[2] {1, 2}; float[0,2] {}"},
        {graph,
         {"int64[] = {3}", "bool[] = {0}", "float[2] = {1, 2}"},
         "float[2] {1, 2}; float[0,2] {}"},
    };
    RUN_CHECK(t, rows);
}

TEST(the_condition_ends_a_loop)
{
    static const char graph[] =
        "graph main(%x: float[]) {\n"
        "  const %true: bool[] = {1}\n"
        "  const %two: float[] = {2}\n"
        "  const %most: float[] = {100}\n"
        "  %y, %s = Loop(_, %true, %x) {body = graph (%i: int64[], %go: bool[], %v: float[]) {\n"
        "    %n = Mul(%v, %two)\n"
        "    %less = Less(%n, %most)\n"
        "    return %less, %n, s = %i\n  }}\n"
        "  return %y, %s\n}";
    static const RunRow rows[] = {
        {graph, {"float[] = {30}"}, "float[] {120}; int64[2] {0, 1}"},
        {graph, {"float[] = {200}"}, "float[] {400}; int64[1] {0}"},
    };
    RUN_CHECK(t, rows);
}

/* All that is carried is taken over at once. */
TEST(carried_values_change_places)
{
    static const RunRow rows[] = {
        {"graph main(%m: int64[], %a: float[2], %b: float[2]) {\n"
         "  %y, %z = Loop(%m, _, %a, %b) {\n"
         "    body = graph (%i: int64[], %go: bool[], %c: float[2], %d: float[2]) {\n"
         "    return %go, p = %d, q = %c\n  }}\n"
         "  return %y, %z\n}",
         {"int64[] = {3}", "float[2] = {1, 2}", "float[2] = {3, 4}"},
         "float[2] {3, 4}; float[2] {1, 2}"},
        /* Of different shapes. */
        {"graph main(%m: int64[], %a: float[1], %b: float[3]) {\n"
         "  %y, %z = Loop(%m, _, %a, %b) {\n"
         "    body = graph (%i: int64[], %go: bool[], %c: float[?], %d: float[?]) {\n"
         "    return %go, p = %d, q = %c\n  }}\n"
         "  return %y, %z\n}",
         {"int64[] = {5}", "float[1] = {1}", "float[3] = {3, 4, 5}"},
         "float[3] {3, 4, 5}; float[1] {1}"},
        /* Behind an If, which may give either. */
        {"graph main(%m: int64[], %a: float[2], %b: float[2]) {\n"
         "  const %zero: int64[] = {0}\n"
         "  %y, %z = Loop(%m, _, %a, %b) {\n"
         "    body = graph (%i: int64[], %go: bool[], %c: float[2], %d: float[2]) {\n"
         "    %first = Equal(%i, %zero)\n"
         "    %p = If(%first) {then_branch = graph () { return t = %c },\n"
         "                     else_branch = graph () { return e = %d }}\n"
         "    %q = If(%first) {then_branch = graph () { return u = %d },\n"
         "                     else_branch = graph () { return f = %c }}\n"
         "    return %go, %p, %q\n  }}\n"
         "  return %y, %z\n}",
         {"int64[] = {4}", "float[2] = {1, 2}", "float[2] = {3, 4}"},
         "float[2] {3, 4}; float[2] {1, 2}"},
        {"graph main(%m: int64[], %a: float[2], %b: float[2]) {\n"
         "  const %zero: int64[] = {0}\n"
         "  %y, %z = Loop(%m, _, %a, %b) {\n"
         "    body = graph (%i: int64[], %go: bool[], %c: float[2], %d: float[2]) {\n"
         "    %late = Greater(%i, %zero)\n"
         "    %q = If(%late) {then_branch = graph () { return u = %c },\n"
         "                    else_branch = graph () { return f = %c }}\n"
         "    return %go, p = %d, %q\n  }}\n"
         "  return %y, %z\n}",
         {"int64[] = {3}", "float[2] = {1, 2}", "float[2] = {3, 4}"},
         "float[2] {3, 4}; float[2] {1, 2}"},
        /* A view of one becomes the other. */
        {"graph main(%m: int64[], %a: float[4], %b: float[2,2]) {\n"
         "  const %s: int64[1] = {4}\n"
         "  const %r: int64[2] = {2, 2}\n"
         "  %y, %z = Loop(%m, _, %a, %b) {\n"
         "    body = graph (%i: int64[], %go: bool[], %c: float[4], %d: float[2,2]) {\n"
         "    %p = Reshape(%d, %s)\n"
         "    %q = Reshape(%c, %r)\n"
         "    return %go, %p, %q\n  }}\n"
         "  return %y, %z\n}",
         {"int64[] = {1}", "float[4] = {1, 2, 3, 4}", "float[2,2] = {5, 6, 7, 8}"},
         "float[4] {5, 6, 7, 8}; float[2,2] {1, 2, 3, 4}"},
    };
    RUN_CHECK(t, rows);
}

/* The condition is that of the iteration, not what the carried value became. */
TEST(the_condition_may_be_a_carried_value)
{
    static const RunRow rows[] = {
        {"graph main(%g: bool[], %n: int64[]) {\n"
         "  const %one: int64[] = {1}\n"
         "  %keep, %y = Loop(_, _, %g, %n) {\n"
         "    body = graph (%i: int64[], %go: bool[], %k: bool[], %v: int64[]) {\n"
         "    %not = Not(%k)\n"
         "    %w = Add(%v, %one)\n"
         "    return c = %k, %not, %w\n  }}\n"
         "  return %keep, %y\n}",
         {"bool[] = {1}", "int64[] = {10}"},
         "bool[] {1}; int64[] {12}"},
    };
    RUN_CHECK(t, rows);
}

TEST(carried_shapes_may_grow)
{
    static const char graph[] =
        "graph main(%m: int64[], %x: float[N]) {\n"
        "  %y = Loop(%m, _, %x) {body = graph (%i: int64[], %go: bool[], %v: float[K]) {\n"
        "    %n = Concat(%v, %x) {axis = 0}\n"
        "    return %go, %n\n  }}\n"
        "  %z = Neg(%y)\n"
        "  return %z\n}";
    static const RunRow rows[] = {
        {graph,
         {"int64[] = {3}", "float[2] = {1, 2}"},
         "float[8] {-1, -2, -1, -2, -1, -2, -1, -2}"},
        {graph, {"int64[] = {0}", "float[2] = {1, 2}"}, "float[2] {-1, -2}"},
        {graph, {"int64[] = {2}", "float[0] = {}"}, "float[0] {}"},
    };
    RUN_CHECK(t, rows);
}

TEST(loops_nest)
{
    static const char graph[] =
        "graph main(%m: int64[], %k: int64[], %x: float[]) {\n"
        "  %y, %s = Loop(%m, _, %x) {body = graph (%i: int64[], %go: bool[], %v: float[]) {\n"
        "    const %one: float[] = {1}\n"
        "    %w, %t = Loop(%k, _, %v) {body = graph (%j: int64[], %on: bool[], %u: float[]) {\n"
        "      %n = Add(%u, %one)\n"
        "      return %on, %n, t = %u\n    }}\n"
        "    return %go, %w, s = %t\n  }}\n"
        "  return %y, %s\n}";
    static const RunRow rows[] = {
        {graph,
         {"int64[] = {2}", "int64[] = {3}", "float[] = {0}"},
         "float[] {6}; float[2,3] {0, 1, 2, 3, 4, 5}"},
        {graph, {"int64[] = {2}", "int64[] = {0}", "float[] = {7}"}, "float[] {7}; float[2,0] {}"},
    };
    RUN_CHECK(t, rows);
}

TEST(stacked_results_have_one_shape)
{
    static const RunRow rows[] = {
        {"graph main(%m: int64[], %x: float[1]) {\n"
         "  %y, %s = Loop(%m, _, %x) {body = graph (%i: int64[], %go: bool[], %v: float[K]) {\n"
         "    %n = Concat(%v, %x) {axis = 0}\n"
         "    return %go, %n, s = %v\n  }}\n"
         "  return %s\n}",
         {"int64[] = {2}", "float[1] = {1}"},
         "error: Loop node making 'y' (Loop): iteration 1 gives a scan output of another shape"},
    };
    RUN_CHECK(t, rows);
}

TEST(scans_follow_axes_and_directions)
{
    static const RunRow rows[] = {
        {"graph main(%a: float[2], %x: float[3,2]) {\n"
         "  %f, %s = Scan(%a, %x) {num_scan_inputs = 1,\n"
         "    body = graph (%p: float[2], %e: float[2]) {\n"
         "    %n = Add(%p, %e)\n"
         "    return %n, s = %n\n  }}\n"
         "  return %f, %s\n}",
         {"float[2] = {0, 10}", "float[3,2] = {1, 2, 3, 4, 5, 6}"},
         "float[2] {9, 22}; float[3,2] {1, 12, 4, 16, 9, 22}"},
        {"graph main(%a: float[], %x: float[2,3]) {\n"
         "  %f, %s = Scan(%a, %x) {num_scan_inputs = 1, scan_input_axes = [1],\n"
         "    scan_output_axes = [-1],\n"
         "    body = graph (%p: float[], %e: float[2]) {\n"
         "    %n = ReduceMax(%e) {keepdims = 0}\n"
         "    %d = Neg(%e)\n"
         "    return %n, s = %d\n  }}\n"
         "  return %f, %s\n}",
         {"float[] = {0}", "float[2,3] = {1, 2, 3, 4, 5, 6}"},
         "float[] {6}; float[2,3] {-1, -2, -3, -4, -5, -6}"},
        {"graph main(%a: float[], %x: float[3]) {\n"
         "  %f, %s = Scan(%a, %x) {num_scan_inputs = 1, scan_input_directions = [1],\n"
         "    body = graph (%p: float[], %e: float[]) {\n"
         "    %n = Sub(%e, %p)\n"
         "    return %n, s = %n\n  }}\n"
         "  return %f, %s\n}",
         {"float[] = {0}", "float[3] = {1, 2, 4}"},
         "float[] {3}; float[3] {4, -2, 3}"},
        {"graph main(%a: float[], %x: float[3]) {\n"
         "  %f, %s = Scan(%a, %x) {num_scan_inputs = 1, scan_output_directions = [1],\n"
         "    body = graph (%p: float[], %e: float[]) {\n"
         "    %n = Sub(%e, %p)\n"
         "    return %n, s = %n\n  }}\n"
         "  return %f, %s\n}",
         {"float[] = {0}", "float[3] = {1, 2, 4}"},
         "float[] {3}; float[3] {3, 1, 1}"},
        {"graph main(%x: float[N,2]) {\n"
         "  %s = Scan(%x) {num_scan_inputs = 1, body = graph (%e: float[2]) {\n"
         "    %n = Neg(%e)\n"
         "    return %n\n  }}\n"
         "  return %s\n}",
         {"float[0,2] = {}"},
         "float[0,2] {}"},
        {"graph main(%x: float[N], %y: float[M]) {\n"
         "  %s = Scan(%x, %y) {num_scan_inputs = 2, body = graph (%e: float[], %f: float[]) {\n"
         "    %n = Add(%e, %f)\n"
         "    return %n\n  }}\n"
         "  return %s\n}",
         {"float[2] = {1, 2}", "float[3] = {1, 2, 3}"},
         "error: Scan node making 's' (Scan): a scanned input has not the 2 elements of the first"},
    };
    RUN_CHECK(t, rows);
}

/* Without a rank nobody can tell strides beforehand, so results are made plain. */
TEST(scans_of_unknown_rank)
{
    static const RunRow rows[] = {
        {"graph main(%x: float[?]) {\n"
         "  %s = Scan(%x) {num_scan_inputs = 1, scan_input_axes = [1], scan_output_axes = [1],\n"
         "    scan_output_directions = [1], body = graph (%e: float[?]) {\n"
         "    %n = Neg(%e)\n"
         "    return %n\n  }}\n"
         "  %y = Relu(%s)\n"
         "  return %s, %y\n}",
         {"float[2,3] = {1, 2, 3, 4, 5, -6}"},
         "float[2,3] {-3, -2, -1, 6, -5, -4}; float[2,3] {0, 0, 0, 6, 0, 0}"},
        {"graph main(%x: float[?]) {\n"
         "  %s = Scan(%x) {num_scan_inputs = 1, scan_input_axes = [1],\n"
         "    body = graph (%e: float[?]) {\n"
         "    return n = %e\n  }}\n"
         "  return %s\n}",
         {"float[3] = {1, 2, 3}"},
         "error: Scan node making 's' (Scan): a scanned input has not the -1 elements of the first"},
    };
    RUN_CHECK(t, rows);
}

TEST(runaway_loops_are_ended)
{
    static const char graph[] =
        "graph main(%x: float[]) {\n"
        "  %y = Loop(_, _, %x) {body = graph (%i: int64[], %go: bool[], %v: float[]) {\n"
        "    %n = Add(%v, %v)\n"
        "    return %go, %n\n  }}\n"
        "  return %y\n}";
    Engine e;
    QnStatus status =
        engine_open_with(&e, graph, &(EngineOptions){.session = {.max_iterations = 1000}});
    REQUIRE(t, status == QN_OK, "%s", e.err.message);
    const char *got = ENGINE_RUN(&e, "float[] = {0}");
    EXPECT(t,
           !strcmp(got, "error: Loop node making 'y' (Loop): the loop runs more than 1000 times"),
           "%s", got);
    engine_close(&e);
    status = engine_open_with(&e, graph, &(EngineOptions){.session = {.max_steps = 500}});
    REQUIRE(t, status == QN_OK, "%s", e.err.message);
    got = ENGINE_RUN(&e, "float[] = {0}");
    EXPECT(t, !strcmp(got, "error: the run takes more than 500 steps"), "%s", got);
    engine_close(&e);
}

TEST(bodies_carry_sequences)
{
    static const RunRow rows[] = {
        {"graph main(%m: int64[], %x: float[2]) {\n"
         "  %e = SequenceEmpty() {dtype = 1}\n"
         "  %s = Loop(%m, _, %e) {body = graph (%i: int64[], %go: bool[], %q: sequence(float[?])) {\n"
         "    %f = Cast(%i) {to = 1}\n"
         "    %a = Add(%x, %f)\n"
         "    %n = SequenceInsert(%q, %a)\n"
         "    return %go, %n\n  }}\n"
         "  %y = ConcatFromSequence(%s) {axis = 0}\n"
         "  return %s, %y\n}",
         {"int64[] = {2}", "float[2] = {1, 2}"},
         "[float[2] {1, 2}, float[2] {2, 3}]; float[4] {1, 2, 2, 3}"},
    };
    RUN_CHECK(t, rows);
}

TEST_MAIN(CASE(loops_count_their_trips), CASE(the_condition_ends_a_loop),
          CASE(carried_values_change_places), CASE(the_condition_may_be_a_carried_value),
          CASE(carried_shapes_may_grow), CASE(loops_nest), CASE(stacked_results_have_one_shape),
          CASE(scans_follow_axes_and_directions), CASE(scans_of_unknown_rank),
          CASE(runaway_loops_are_ended), CASE(bodies_carry_sequences))
