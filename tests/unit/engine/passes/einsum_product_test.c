/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/einsum_product.c: which Einsum becomes MatMul, and that it computes the same. */
#include "tests/support/pass.h"

TEST(products_of_stacked_matrices_become_matmul)
{
    static const struct {
        const char *a, *b, *equation, *want;
    } rows[] = {
        {"float[2,3]", "float[3,4]", "ij,jk->ik", "MatMul"},
        {"float[2,3,5,4]", "float[2,3,6,4]", "bhid,bhjd->bhij", "Transpose MatMul"},
        {"float[2,5,3,4]", "float[2,6,3,4]", "bqhd, bkhd -> bhqk", "Transpose Transpose MatMul"},
        {"float[2,3,5,6]", "float[2,6,3,4]", "bhqk,bkhd->bqhd", "Transpose MatMul Transpose"},
        {"float[N,3]", "float[3,N]", "ij,jk->ik", "MatMul"},
        /* What is none: sizes that may differ, letters twice or alone, an ellipsis, integers. */
        {"float[N,3]", "float[M,4]", "ji,jk->ik", "Einsum"},
        {"float[1,3]", "float[3,3]", "ji,jk->ik", "Einsum"},
        {"float[2,2]", "float[2,3]", "ii,ik->ik", "Einsum"},
        {"float[2,3]", "float[4,5]", "ij,kl->ik", "Einsum"},
        {"float[2,3]", "float[3,4]", "ij,jk", "Einsum"},
        {"float[2,3]", "float[3,4]", "...j,jk->...k", "Einsum"},
        {"float[2,3]", "float[3]", "ij,j->i", "Einsum"},
        {"int64[2,3]", "int64[3,4]", "ij,jk->ik", "Einsum"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        QnModule *module = NULL;
        QnText operators = qn_text(NULL);
        QnError err = {0};
        int changes = 0;
        snprintf(text, sizeof text,
                 "graph main(%%a: %s, %%b: %s) {\n  %%y = Einsum(%%a, %%b) {equation = \"%s\"}\n"
                 "  return %%y\n}\n",
                 rows[i].a, rows[i].b, rows[i].equation);
        QnStatus status = pass_read(&module, text, NULL, &err);
        if (status == QN_OK)
            status =
                qn_pass_run(module, &qn_pass_einsum_product, &(QnPassOptions){0}, &changes, &err);
        EXPECT(t, status == QN_OK, "%s: %s", rows[i].equation, err.message);
        for (const QnNode *node = module ? module->main->first : NULL; node; node = node->next)
            qn_text_printf(&operators, "%s%s", node->prev ? " " : "", node->op);
        EXPECT(t, !strcmp(qn_text_string(&operators), rows[i].want),
               "%s became '%s', expected '%s'", rows[i].equation, qn_text_string(&operators),
               rows[i].want);
        qn_text_finish(&operators);
        qn_module_free(module);
    }
}

TEST(products_compute_the_same)
{
    static const PassRow rows[] = {
        {"a product",
         "graph main(%a: float[2,3], %b: float[3,N]) {\n"
         "  %y = Einsum(%a, %b) {equation = \"ij,jk->ik\"}\n  return %y\n}\n",
         "graph main(%a: float[2,3], %b: float[3,N]) {\n"
         "  %3: float[2,N] = MatMul(%a, %b)\n  return y = %3\n}\n"},
        {"weights times values of heads",
         "graph main(%a: float[2,3,5,6], %b: float[2,6,3,4]) {\n"
         "  %y = Einsum(%a, %b) {equation = \"bhqk,bkhd->bqhd\"}\n  return %y\n}\n",
         "graph main(%a: float[2,3,5,6], %b: float[2,6,3,4]) {\n"
         "  %3: float[2,3,6,4] = Transpose(%b) {perm = [0, 2, 1, 3]}\n"
         "  %4: float[2,3,5,4] = MatMul(%a, %3)\n"
         "  %5: float[2,5,3,4] = Transpose(%4) {perm = [0, 2, 1, 3]}\n"
         "  return y = %5\n}\n"},
    };
    EXPECT_PASS(t, &qn_pass_einsum_product, rows);
}

TEST_MAIN(CASE(products_of_stacked_matrices_become_matmul), CASE(products_compute_the_same))
