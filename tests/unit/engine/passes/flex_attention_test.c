/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/flex_attention.c: which operators FlexAttention becomes.  What it has in common
 * with Attention is computed by both. */
#include "tests/support/pass.h"

#define FLEX "ai.onnx.preview.FlexAttention"

TEST(heads_of_their_own_become_products_around_softmax)
{
    static const char before[] =
        "graph main(%q: float16[B,2,L,4], %k: float16[B,2,S,4], %v: float16[B,2,S,D],"
        " %m: float[L,S]) {\n"
        "  %y: float16[B,2,L,D] = " FLEX "(%q, %k, %v) {scale = 0.5, score_mod = graph f(%s) {\n"
        "    %r = Add(%s, %m)\n"
        "    return %r\n"
        "  }}\n"
        "  return %y\n"
        "}\n";
    static const char *const operators[] = {"Mul",     "Transpose", "MatMul", "Cast", "Add",
                                            "Softmax", "Cast",      "MatMul", "Cast"};
    QnModule *module = NULL;
    QnError err = {0};
    int changes = 0;
    size_t count = 0;
    QnStatus status = pass_read(&module, before, NULL, &err);
    if (status == QN_OK)
        status = qn_pass_run(module, &qn_pass_flex_attention, &(QnPassOptions){0}, &changes, &err);
    if (!EXPECT(t, status == QN_OK, "%s", err.message))
        return;
    for (const QnNode *node = module->main->first; node; node = node->next, count++)
        EXPECT(t, count < QN_COUNT_OF(operators) && !strcmp(operators[count], node->op),
               "node %zu is %s", count, node->op);
    EXPECT(t, count == QN_COUNT_OF(operators) && changes == 1, "%zu nodes", count);
    qn_module_free(module);
}

/* The text of a graph in which an operator's inputs have these types. */
static const char *write(char *text, size_t size, const char *op, const char *const *types,
                         const char *attributes)
{
    snprintf(text, size,
             "graph main(%%q: %s, %%k: %s, %%v: %s) {\n  %%y = %s(%%q, %%k, %%v)%s\n"
             "  return %%y\n}\n",
             types[0], types[1], types[2], op, attributes);
    return text;
}

TEST(without_graphs_it_is_attention)
{
    static const struct {
        const char *types[3], *attributes;
    } rows[] = {
        {{"float[2,2,3,4]", "float[2,2,5,4]", "float[2,2,5,3]"}, ""},
        {{"float[2,6,3,4]", "float[2,2,5,4]", "float[2,2,5,3]"}, " {scale = 0.25}"},
        {{"double[2,6,N,M]", "double[2,N,5,M]", "double[2,N,5,3]"}, ""},
        {{"float[2,4,3,4]", "float[2,1,5,4]", "float[2,1,5,3]"}, " {softmax_precision = 11}"},
        {{"float[0,4,3,4]", "float[0,1,5,4]", "float[0,1,5,3]"}, ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char flex[512], plain[512];
        QnModule *before = NULL, *after = NULL;
        QnError err = {0};
        int changes;
        const PassRow row = {rows[i].types[0],
                             write(flex, sizeof flex, FLEX, rows[i].types, rows[i].attributes),
                             NULL};
        write(plain, sizeof plain, "Attention", rows[i].types, rows[i].attributes);
        QnStatus status = pass_read(&before, plain, NULL, &err);
        if (status == QN_OK)
            status = pass_read(&after, flex, NULL, &err);
        if (status == QN_OK)
            status =
                qn_pass_run(after, &qn_pass_flex_attention, &(QnPassOptions){0}, &changes, &err);
        if (EXPECT(t, status == QN_OK, "%s: %s", flex, err.message))
            pass_compare(t, &row, before, after, false);
        qn_module_free(before);
        qn_module_free(after);
        pass_check_memory(t, &qn_pass_flex_attention, &row);
    }
}

TEST(graphs_that_do_not_fit_are_refused)
{
#define FLEX_OF(body)                                                                        \
    "graph main(%q: float[1,2,3,4], %k: float[1,2,5,4], %v: float[1,2,5,4]) {\n  %y = " FLEX \
    "(%q, %k, %v) {" body "}\n  return %y\n}\n"
    static const char *const rows[][2] = {
        {FLEX_OF("score_mod = graph f(%s) { %r = Cast(%s) {to = 11}\n return %r\n }"), "score_mod"},
        {FLEX_OF("score_mod = graph f(%s) { %r = Transpose(%s)\n return %r\n }"),
         "score_mod changes dimension 0"},
        {FLEX_OF("prob_mod = graph f(%s) { return %s, %s\n }"),
         "prob_mod has 2 outputs, expected 1"},
        {FLEX_OF("prob_mod = graph f(%s, %u) { return %s\n }"),
         "graph 'f' has 2 inputs, expected 1"},
        {FLEX_OF("softmax_precision = 6"), "softmax_precision is 6, which is no type of float"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnModule *module = NULL;
        QnError err = {0};
        const QnStatus status = pass_read(&module, rows[i][0], NULL, &err);
        EXPECT(t, status == QN_BAD_MODEL && strstr(err.message, rows[i][1]), "%s\n%s", rows[i][0],
               err.message);
        qn_module_free(module);
    }
}

TEST_MAIN(CASE(heads_of_their_own_become_products_around_softmax),
          CASE(without_graphs_it_is_attention), CASE(graphs_that_do_not_fit_are_refused))
