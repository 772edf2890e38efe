/* SPDX-License-Identifier: Apache-2.0 */
/* If, Loop, Scan and SequenceMap: the types that cover all branches and iterations. */
#include "tests/support/op.h"

typedef struct Row {
    const char *graph; /* whose outputs' types are wanted */
    const char *want;  /* or, behind "error: ", the end of the message */
} Row;

/* Infers a module and appends the types of its outputs. */
static QnStatus infer(QnText *out, QnModule **module, const char *graph, QnError *err)
{
    QN_TRY(qn_module_parse(module, graph, NULL, err));
    QN_TRY(qn_ops_resolve(*module, NULL, err));
    QN_TRY(qn_infer_module(*module, err));
    const QnGraph *main_graph = (*module)->main;
    for (int i = 0; i < main_graph->output_count; i++) {
        char type[256];
        qn_ir_type_print(&(*module)->dims, &main_graph->outputs[i].value->type, type, sizeof type);
        qn_text_printf(out, "%s%s", i ? "; " : "", type);
    }
    return QN_OK;
}

static void check(Test *t, const Row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        QnText out = qn_text(NULL);
        QnModule *module = NULL;
        QnError err = {0};
        const QnStatus status = infer(&out, &module, rows[i].graph, &err);
        EXPECT(t, op_is_wanted(rows[i].want, status, qn_text_string(&out), err.message),
               "%s\nis to give %s, not %s", rows[i].graph, rows[i].want,
               status == QN_OK ? qn_text_string(&out) : err.message);
        qn_module_free(module);
        qn_text_finish(&out);
    }
}
#define CHECK(t, rows) check((t), (rows), sizeof(rows) / sizeof *(rows))

/* An If whose branches give %a and %b. */
#define BRANCHES(inputs, a, b)                                                           \
    "graph main(%c: bool[], " inputs ") {\n"                                             \
    "%y = If(%c) {then_branch = graph () {\n" a "}, else_branch = graph () {\n" b "}}\n" \
    "return %y }\n"

TEST(what_branches_give_differently_is_open)
{
    static const Row rows[] = {
        {BRANCHES("%x: float[N,3]", "return %x\n", "%r = Relu(%x)\n return %r\n"), "float[N,3]"},
        {BRANCHES("%x: float[N,3], %z: float[N,4]", "return %x\n", "return %z\n"), "float[N,?0]"},
        {BRANCHES("%x: float[N,3], %z: float[4]", "return %x\n", "return %z\n"), "float[?]"},
        {BRANCHES("%x: sequence(float[2]), %z: sequence(float[2])", "return %x\n", "return %z\n"),
         "sequence(float[?])"},
        /* A size found inside has no meaning outside. */
        {BRANCHES("%x: float[N]", "%i = NonZero(%x)\n return %i\n",
                  "%j = NonZero(%x)\n return %j\n"),
         "int64[1,?2]"},
        {BRANCHES("%x: float[N], %z: int64[N]", "return %x\n", "return %z\n"),
         "error: output 0 has elements of float or int64, expected one type"},
        {BRANCHES("%x: float[N], %z: sequence(float[N])", "return %x\n", "return %z\n"),
         "error: output 0 is a tensor or a sequence, expected one kind"},
        {"graph main(%c: bool[]) {\n%y = If(%c)\nreturn %y }", "error: has no graph then_branch"},
        {BRANCHES("%x: float[N]", "return\n", "return %x\n"),
         "error: then_branch has 0 inputs and 0 outputs, expected 0 and 1"},
    };
    CHECK(t, rows);
}

/* Models ask for a shape before they do what only that shape allows. */
TEST(a_branch_that_does_not_fit_is_no_failure_unless_it_is_taken)
{
    static const Row rows[] = {
        {"graph main(%c: bool[], %x: float[N,3]) {\n"
         "const %one: int64[1] = {1}\n"
         "%y = If(%c) {then_branch = graph () {\n %s = Squeeze(%x, %one)\n return %s },"
         " else_branch = graph () {\n %r = Relu(%x)\n return %r }}\n"
         "return %y }",
         "float[N,3]"},
        {"graph main(%x: float[N,3]) {\n"
         "const %c: bool[] = {1}\nconst %one: int64[1] = {1}\n"
         "%y = If(%c) {then_branch = graph () {\n %s = Squeeze(%x, %one)\n return %s },"
         " else_branch = graph () {\n %r = Relu(%x)\n return %r }}\n"
         "return %y }",
         "error: axes names dimension 1, which is 3, expected 1"},
        {"graph main(%x: float[N,3], %z: float[4]) {\n"
         "const %c: bool[] = {0}\n"
         "%y = If(%c) {then_branch = graph () {\n return %x },"
         " else_branch = graph () {\n return %z }}\n"
         "return %y }",
         "float[4]"},
    };
    CHECK(t, rows);
}

#define LOOP(inputs, before, call, body) \
    "graph main(" inputs ") {\n" before call " {body = graph (%i, %go, %v) {\n" body "}}\n"

TEST(carried_values_cover_all_iterations)
{
    static const Row rows[] = {
        {LOOP("%m: int64[], %x: float[N,3]", "", "%y = Loop(%m, _, %x)",
              "%r = Relu(%v)\n return %go, %r\n") "return %y }",
         "float[N,3]"},
        /* One dimension grows; the others stay. */
        {LOOP("%m: int64[], %x: float[N,3]", "", "%y = Loop(%m, _, %x)",
              "%r = Concat(%v, %x) {axis = 0}\n return %go, %r\n") "return %y }",
         "float[?1,3]"},
        /* A dimension more in each iteration. */
        {LOOP("%m: int64[], %x: float[N]", "const %zero: int64[1] = {0}\n", "%y = Loop(%m, _, %x)",
              "%r = Unsqueeze(%v, %zero)\n return %go, %r\n") "return %y }",
         "float[?]"},
        /* Items lose their shapes, and keep their elements. */
        {LOOP("%m: int64[], %x: sequence(float[2])", "", "%y = Loop(%m, _, %x)",
              "return %go, %v\n") "return %y }",
         "sequence(float[?])"},
        {LOOP("%m: int64[], %x: float[N]", "", "%y = Loop(%m, _, %x)",
              "%r = Cast(%v) {to = 7}\n return %go, %r\n") "return %y }",
         "error: carried value 0 has elements of float or int64, expected one type"},
        {LOOP("%m: int64[], %x: float[N]", "", "%y, %s = Loop(%m, _, %x)",
              "return %go\n") "return %y }",
         "error: body has 3 inputs and 1 outputs, expected 3 and 3"},
        {"graph main(%m: int64[]) {\nLoop(%m)\nreturn }", "error: has no graph body"},
    };
    CHECK(t, rows);
}

TEST(stacked_results_are_as_long_as_the_loop_surely_runs)
{
    static const Row rows[] = {
        {LOOP("%x: float[N,3]", "const %m: int64[] = {5}\n", "%y, %s = Loop(%m, _, %x)",
              "return %go, %v, %v\n") "return %s }",
         "float[5,N,3]"},
        /* The count is a size. */
        {LOOP("%x: float[N,3]",
              "const %zero: int64[] = {0}\n%d = Shape(%x)\n%m = Gather(%d, %zero)\n",
              "%y, %s = Loop(%m, _, %x)", "return %go, %v, %v\n") "return %s }",
         "float[N,N,3]"},
        /* The condition may end it before. */
        {LOOP("%x: float[N,3], %c: bool[]", "const %m: int64[] = {5}\n",
              "%y, %s = Loop(%m, %c, %x)", "return %go, %v, %v\n") "return %s }",
         "float[?0,N,3]"},
        {LOOP("%x: float[N,3], %c: bool[]", "const %m: int64[] = {5}\n", "%y, %s = Loop(%m, _, %x)",
              "return %c, %v, %v\n") "return %s }",
         "float[?0,N,3]"},
    };
    CHECK(t, rows);
}

TEST(scans_slice_and_stack_along_their_axes)
{
#define SCAN(attributes)                                                         \
    "graph main(%h: float[4], %x: float[N,T,4]) {\n"                             \
    "%last, %all = Scan(%h, %x) {num_scan_inputs = 1, body = graph (%v, %e) {\n" \
    "%r = Add(%v, %e)\n return %v, %r }" attributes "}\nreturn %last, %all }\n"
    static const Row rows[] = {
        {SCAN(""), "float[4]; float[N,T,4]"},
        {SCAN(", scan_input_axes = [1], scan_output_axes = [-1]"), "float[4]; float[N,4,T]"},
        {SCAN(", scan_input_axes = [3]"), "error: scan_input_axes is 3, expected -3 to 2"},
        {SCAN(", scan_output_axes = [9]"), "error: an output's axis is 9, expected -3 to 2"},
        {SCAN(", scan_input_directions = [0, 1]"),
         "error: scan_input_directions has 2 entries, expected 1"},
        {"graph main(%a: float[3], %b: float[4]) {\n"
         "%y = Scan(%a, %b) {num_scan_inputs = 2, body = graph (%u, %v) {\n return %u }}\n"
         "return %y }\n",
         "error: scanned input 1 has 4 elements, expected 3"},
        {"graph main(%a: float[3]) {\n"
         "%y = Scan(%a) {num_scan_inputs = 2, body = graph (%u, %v) {\n return %u }}\n"
         "return %y }\n",
         "error: num_scan_inputs is 2, expected 1 to 1"},
    };
    CHECK(t, rows);
}

TEST(mapped_sequences_have_items_of_what_the_body_makes)
{
    static const Row rows[] = {
        {"graph main(%s: sequence(float[2]), %x: float[2]) {\n"
         "%y, %d = SequenceMap(%s, %x) {body = graph (%e, %w) {\n"
         "%r = Add(%e, %w)\n %h = Shape(%r)\n return %r, %h }}\n"
         "return %y, %d }\n",
         "sequence(float[2]); sequence(int64[1])"},
        {"graph main(%x: float[2]) {\n"
         "%y = SequenceMap(%x) {body = graph (%e) {\n return %e }}\nreturn %y }\n",
         "error: input 0 is no sequence"},
    };
    CHECK(t, rows);
}

/* Passes multiply in nests; after some depth a single one gives up the shapes. */
TEST(deep_nests_of_loops_end)
{
    enum { DEPTH = 40 };
    QnText text = qn_text(NULL), out = qn_text(NULL);
    QnModule *module = NULL;
    QnError err = {0};
    qn_text_puts(&text, "graph main(%m: int64[], %v0: float[N]) {\n");
    for (int i = 0; i < DEPTH; i++)
        qn_text_printf(&text, "%%y%d = Loop(%%m, _, %%v%d) {body = graph (%%i%d, %%c%d, %%v%d) {\n",
                       i, i, i, i, i + 1);
    qn_text_printf(&text, "%%r = Concat(%%v%d, %%v0) {axis = 0}\n return %%c%d, %%r }}\n", DEPTH,
                   DEPTH - 1);
    for (int i = DEPTH - 1; i > 0; i--)
        qn_text_printf(&text, "return %%c%d, %%y%d }}\n", i - 1, i);
    qn_text_puts(&text, "return %y0 }\n");
    const QnStatus status = infer(&out, &module, qn_text_string(&text), &err);
    EXPECT(t, status == QN_OK && !strcmp(qn_text_string(&out), "float[?]"), "got '%s', %s",
           qn_text_string(&out), err.message);
    qn_module_free(module);
    qn_text_finish(&text);
    qn_text_finish(&out);
}

TEST_MAIN(CASE(what_branches_give_differently_is_open),
          CASE(a_branch_that_does_not_fit_is_no_failure_unless_it_is_taken),
          CASE(carried_values_cover_all_iterations),
          CASE(stacked_results_are_as_long_as_the_loop_surely_runs),
          CASE(scans_slice_and_stack_along_their_axes),
          CASE(mapped_sequences_have_items_of_what_the_body_makes), CASE(deep_nests_of_loops_end))
