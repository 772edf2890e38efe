/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/plain_forms.c: what Mean and Pow of two types become. */
#include "tests/support/pass.h"

static void check(Test *t, const char *before, const char *want)
{
    QnModule *module = NULL;
    QnText operators = qn_text(NULL);
    QnError err = {0};
    int changes = 0;
    QnStatus status = pass_read(&module, before, NULL, &err);
    if (status == QN_OK)
        status = qn_pass_run(module, &qn_pass_plain_forms, &(QnPassOptions){0}, &changes, &err);
    EXPECT(t, status == QN_OK, "%s", err.message);
    for (const QnNode *node = module ? module->main->first : NULL; node; node = node->next)
        qn_text_printf(&operators, "%s%s", node->prev ? " " : "", node->op);
    EXPECT(t, !strcmp(qn_text_string(&operators), want), "became '%s', expected '%s'",
           qn_text_string(&operators), want);
    qn_text_finish(&operators);
    qn_module_free(module);
}

TEST(a_mean_is_a_sum_and_a_division)
{
    check(t, "graph main(%a: float[2], %b: float[2,2]) {\n  %y = Mean(%a, %b)\n  return %y\n}\n",
          "Sum Div");
    check(t, "graph main(%a: float[2]) {\n  %y = Mean(%a)\n  return %y\n}\n", "Sum");
}

TEST(powers_are_of_one_type)
{
    static const struct {
        const char *inputs, *constant, *want;
    } rows[] = {
        {"%x: float[2], %y: float[2]", "", "Pow"},
        {"%x: float[2], %y: int64[2]", "", "Cast Cast Pow Cast"},
        {"%x: int32[2], %y: float[2]", "", "Cast Cast Pow Cast"},
        {"%x: double[2], %y: int32[2]", "", "Cast Pow"},
        /* A small constant takes the other's type, a large one may not fit. */
        {"%x: float[2]", "const %y: int64[] = {2}", "Cast Pow"},
        {"%x: float[2]", "const %y: int64[] = {16777217}", "Cast Cast Pow Cast"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "graph main(%s) {\n  %s\n  %%z = Pow(%%x, %%y)\n  return %%z\n}\n", rows[i].inputs,
                 rows[i].constant);
        check(t, text, rows[i].want);
    }
}

TEST_MAIN(CASE(a_mean_is_a_sum_and_a_division), CASE(powers_are_of_one_type))
