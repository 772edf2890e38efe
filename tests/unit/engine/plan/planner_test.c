/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a graph: which steps there are, in which order, and where their values lie. */
#include "tests/support/engine.h"

/* The steps as words: the kernels of compute steps up to the first '_', the kinds of the others. */
static void list_steps(QnText *text, const QnPlan *plan)
{
    static const char *const kinds[] = {
        [QN_STEP_VIEW] = "view",       [QN_STEP_CALL] = "call",
        [QN_STEP_RESOLVE] = "resolve", [QN_STEP_LATE_BIND] = "late",
        [QN_STEP_ASSIGN] = "assign",   [QN_STEP_COPY] = "copy",
        [QN_STEP_JUMP] = "jump",       [QN_STEP_JUMP_IF_NOT] = "unless",
        [QN_STEP_SWAP] = "swap",       [QN_STEP_LOOP_BEGIN] = "begin",
        [QN_STEP_LOOP_TEST] = "test",  [QN_STEP_LOOP_NEXT] = "next",
        [QN_STEP_SLICE] = "slice",     [QN_STEP_APPEND] = "append",
        [QN_STEP_FINISH] = "finish",   [QN_STEP_EXTEND] = "extend",
    };
    for (int s = 0; s < plan->step_count; s++) {
        const QnStep *step = &plan->steps[s];
        const char *name = step->kind == QN_STEP_COMPUTE ? step->kernel : kinds[step->kind];
        qn_text_printf(text, "%s%.*s", s ? " " : "", (int)strcspn(name, "_ "), name);
    }
}

typedef struct PlanRow {
    const char *graph, *want;
} PlanRow;

static void check_rows(Test *t, const PlanRow *rows, size_t count, bool keep_all)
{
    for (size_t i = 0; i < count; i++) {
        Engine e;
        QnText text = qn_text(NULL);
        const QnStatus status =
            engine_open_with(&e, rows[i].graph, &(EngineOptions){.keep_all = keep_all});
        if (EXPECT(t, status == QN_OK, "%s: %s", rows[i].graph, e.err.message)) {
            list_steps(&text, e.plan);
            EXPECT(t, !strcmp(qn_text_string(&text), rows[i].want), "%s\nis to be\n  %s, not\n  %s",
                   rows[i].graph, rows[i].want, qn_text_string(&text));
        }
        qn_text_finish(&text);
        engine_close(&e);
    }
}

TEST(what_nobody_reads_is_not_computed)
{
    static const PlanRow rows[] = {
        {"graph main(%x: float[2]) { %a = Exp(%x) %b = Neg(%a) %y = Abs(%x) return %y }",
         "pointwise"},
        {"graph main(%x: float[2]) { return y = %x }", ""},
        /* Shapes need no step. */
        {"graph main(%x: float[N,3]) { %s = Shape(%x) %e = Exp(%x) %n = Shape(%e) return %n }", ""},
    };
    check_rows(t, rows, QN_COUNT_OF(rows), false);
}

TEST(control_flow_is_flattened)
{
    static const PlanRow rows[] = {
        {"graph main(%c: bool[], %x: float[2]) {\n"
         "  %y = If(%c) {then_branch = graph () { %a = Exp(%x) return %a },\n"
         "               else_branch = graph () { %b = Neg(%x) return %b }}\n"
         "  return %y\n}",
         "unless pointwise assign jump late pointwise assign late"},
        {"graph main(%m: int64[], %x: float[2]) {\n"
         "  %y = Loop(%m, _, %x) {body = graph (%i: int64[], %go: bool[], %v: float[2]) {\n"
         "    %n = Exp(%v)\n"
         "    return %go, %n\n  }}\n"
         "  return %y\n}",
         "begin assign test late pointwise swap next assign late"},
        /* A value that somebody else reads is copied, one that only moves is kept aside before. */
        {"graph main(%m: int64[], %x: float[2], %z: float[2]) {\n"
         "  %y, %w = Loop(%m, _, %x, %z) {\n"
         "    body = graph (%i: int64[], %go: bool[], %v: float[2], %u: float[2]) {\n"
         "    %n = Exp(%u)\n"
         "    return %go, %n, q = %v\n  }}\n"
         "  return %y, %w\n}",
         "begin assign assign test late pointwise copy swap copy next assign assign late"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows), false);
}

TEST(layouts_are_converted_once_for_all_readers)
{
    static const PlanRow rows[] = {
        {"graph main(%x: float[1,16,8,8], %v: float[16,16,3,3], %w: float[16,16,3,3]) {\n"
         "  %a = Conv(%x, %v) {pads = [1, 1, 1, 1]}\n"
         "  %b = Conv(%a, %w) {pads = [1, 1, 1, 1]}\n"
         "  %c = Conv(%x, %w) {pads = [1, 1, 1, 1]}\n"
         "  %y = Add(%b, %c)\n"
         "  return %y\n}",
         "convert conv conv conv convert"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows), false);
}

/* What one branch converts is not there where the other ran. */
TEST(branches_share_no_conversions)
{
    static const PlanRow rows[] = {
        {"graph main(%k: bool[], %x: float[1,16,8,8], %w: float[16,16,3,3]) {\n"
         "  %y = If(%k) {\n"
         "    then_branch = graph () { %a = Conv(%x, %w) return %a },\n"
         "    else_branch = graph () { %b = Conv(%x, %w) {dilations = [2, 2], pads = [1, 1, 1, 1]}\n"
         "                             return %b }}\n"
         "  return %y\n}",
         "unless convert conv convert assign jump late convert conv convert assign late"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows), false);
}

static const QnPlanValue *find_value(const QnPlan *plan, const char *name)
{
    for (int v = 0; v < plan->value_count; v++)
        if (!strcmp(plan->values[v].name, name))
            return &plan->values[v];
    return NULL;
}

/* Where a value lies, as a letter: s slab, v view, i input, l late, c constant, n content, a
 * assigned.
 */
static char storage_of(const QnPlan *plan, const char *name)
{
    const QnPlanValue *value = find_value(plan, name);
    return value ? "cisvlnra"[value->storage] : '?';
}

TEST(memory_is_taken_over_only_from_what_nobody_reads_again)
{
    static const struct {
        const char *graph, *want; /* the storage of a, b, c and y */
    } rows[] = {
        {"graph main(%x: float[8]) { %a = Exp(%x) %b = Neg(%a) %c = Abs(%b) %y = Sqrt(%c)"
         " return %y }",
         "svvv"},
        /* a is read again by c. */
        {"graph main(%x: float[8]) { %a = Exp(%x) %b = Neg(%a) %c = Add(%a, %b) %y = Abs(%c)"
         " return %y }",
         "ssvv"},
        /* a is an output; c has another shape than b. */
        {"graph main(%x: float[8]) { %a = Exp(%x) %b = Neg(%a) const %o: float[2,1] = {1, 1}"
         " %c = Add(%b, %o) %y = Abs(%c) return %y, %a }",
         "sssv"},
        /* A view of a is alive; c has another shape than y. */
        {"graph main(%x: float[8]) { %a = Exp(%x) const %s: int64[2] = {2, 4}"
         " %b = Reshape(%a, %s) %c = Neg(%a) %d = Reshape(%c, %s) %y = Sub(%d, %b)"
         " return %y }",
         "svss"},
        /* An input is the caller's. */
        {"graph main(%x: float[8]) { %a = Exp(%x) %b = Neg(%x) %c = Abs(%x) %y = Add(%a, %b)"
         " return %y, %c }",
         "sssv"},
        /* Inside of a loop, what was made before it is read in the next round. */
        {"graph main(%x: float[8], %m: int64[]) { %a = Exp(%x)\n"
         " %y = Loop(%m, _, %x) {body = graph (%i: int64[], %g: bool[], %v: float[8]) {\n"
         "  %b = Neg(%a) %c = Add(%b, %v) return %g, %c }} return %y }",
         "ssla"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        Engine e;
        const QnStatus status =
            engine_open_with(&e, rows[i].graph, &(EngineOptions){.keep_all = true});
        REQUIRE(t, status == QN_OK, "%s", e.err.message);
        const char got[] = {storage_of(e.plan, "a"), storage_of(e.plan, "b"),
                            storage_of(e.plan, "c"), storage_of(e.plan, "y"), 0};
        EXPECT(t, !strcmp(got, rows[i].want), "%s: %s, not %s", rows[i].graph, got, rows[i].want);
        engine_close(&e);
    }
}

TEST(shape_arithmetic_is_done_by_binding)
{
    Engine e;
    REQUIRE(t,
            engine_open(&e, "graph main(%x: float[N,6]) {\n"
                            "  const %zero: int64[1] = {0}\n"
                            "  const %two: int64[1] = {2}\n"
                            "  const %minus: int64[1] = {-1}\n"
                            "  %s = Shape(%x)\n"
                            "  %n = Gather(%s, %zero) {axis = 0}\n"
                            "  %m = Mul(%n, %two)\n"
                            "  %t = Concat(%m, %minus) {axis = 0}\n"
                            "  %y = Reshape(%x, %t)\n"
                            "  return %y, %m\n}") == QN_OK,
            "%s", e.err.message);
    EXPECT(t, e.plan->step_count == 1 && e.plan->steps[0].kind == QN_STEP_VIEW, "%d steps",
           e.plan->step_count);
    const char *got = ENGINE_RUN(&e, "float[1,6] = {1, 2, 3, 4, 5, 6}");
    EXPECT(t, !strcmp(got, "float[2,3] {1, 2, 3, 4, 5, 6}; int64[1] {2}"), "%s", got);
    engine_close(&e);
}

TEST(plans_that_cannot_be_are_refused)
{
    static const struct {
        const char *graph, *want;
    } rows[] = {
        {"graph main(%x: float[2]) { return y = _ }", "output 'y' is never made"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        Engine e;
        EXPECT(t, engine_open(&e, rows[i].graph) == QN_BAD_MODEL, "row %zu", i);
        EXPECT(t, !strcmp(e.err.message, rows[i].want), "%s", e.err.message);
        engine_close(&e);
    }
}

TEST_MAIN(CASE(what_nobody_reads_is_not_computed), CASE(control_flow_is_flattened),
          CASE(layouts_are_converted_once_for_all_readers), CASE(branches_share_no_conversions),
          CASE(memory_is_taken_over_only_from_what_nobody_reads_again),
          CASE(shape_arithmetic_is_done_by_binding), CASE(plans_that_cannot_be_are_refused))
