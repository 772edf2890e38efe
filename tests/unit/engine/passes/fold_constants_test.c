/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/fold_constants.c: folding of constants and its budget. */
#include "tests/support/pass.h"

/* clang-format off */
static const PassRow rows[] = {
    {"what depends on constants only",
         "graph main(%x: float[2,3]) {\n"
         "  const %a: float[3] = {1, 2, 3}\n"
         "  const %b: float[3] = {4, 5, 6}\n"
         "  %c: float[3] = Add(%a, %b)\n"
         "  %d: float[3] = Mul(%c, %c)\n"
         "  %y: float[2,3] = Add(%x, %d)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %d: float[3] = {25, 49, 81}\n"
         "  %y: float[2,3] = Add(%x, %d)\n"
         "  return %y\n"
         "}\n"},
    {"sizes that are numbers",
         "graph main(%x: float[2,3]) {\n"
         "  %s: int64[2] = Shape(%x)\n"
         "  %y: float[2] = Cast(%s) {to = 1}\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %y: float[2] = {2, 3}\n"
         "  return %y\n"
         "}\n"},
    {"sizes that are not stay",
         "graph main(%x: float[N,3]) {\n"
         "  %s: int64[2] = Shape(%x)\n"
         "  %y: float[2] = Cast(%s) {to = 1}\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"views and moves",
         "graph main(%x: float[2,3]) {\n"
         "  const %a: float[2,3] = {1, 2, 3, 4, 5, 6}\n"
         "  const %s: int64[2] = {3, 2}\n"
         "  %b: float[3,2] = Reshape(%a, %s)\n"
         "  %c: float[2,3] = Transpose(%b)\n"
         "  %y: float[2,3] = Add(%x, %c)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %c: float[2,3] = {1, 3, 5, 2, 4, 6}\n"
         "  %y: float[2,3] = Add(%x, %c)\n"
         "  return %y\n"
         "}\n"},
    {"random numbers stay",
         "graph main(%x: float[2,3]) {\n"
         "  const %a: float[2] = {1, 2}\n"
         "  %b: float[2] = RandomNormalLike(%a)\n"
         "  %s: int64[1] = Shape(%b)\n"
         "  %y: float[1] = Cast(%s) {to = 1}\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %y: float[1] = {2}\n"
         "  return %y\n"
         "}\n"},
    {"small fills are folded",
         "graph main(%x: float[2,3]) {\n"
         "  const %s: int64[2] = {2, 3}\n"
         "  %a: float[2,3] = ConstantOfShape(%s) {value = tensor float[1] {2}}\n"
         "  %y: float[2,3] = Add(%x, %a)\n"
         "  return %y\n"
         "}\n",
         "graph main(%x: float[2,3]) {\n"
         "  const %a: float[2,3] = {2, 2, 2, 2, 2, 2}\n"
         "  %y: float[2,3] = Add(%x, %a)\n"
         "  return %y\n"
         "}\n"},
    {"defaults of inputs are no constants",
         "graph main(%x: float[3], %d: float[3] = {1, 2, 3}) {\n"
         "  %a: float[3] = Relu(%d)\n"
         "  %y: float[3] = Add(%x, %a)\n"
         "  return %y\n"
         "}\n",
     NULL},
    {"what fails is left to fail",
         "graph main(%x: float[1]) {\n"
         "  const %a: float[2] = {1, 2}\n"
         "  const %i: int64[1] = {7}\n"
         "  %b: float[1] = Gather(%a, %i)\n"
         "  %y: float[1] = Add(%x, %b)\n"
         "  return %y\n"
         "}\n",
     NULL},
};
/* clang-format on */

TEST(graphs_become_what_they_should)
{
    EXPECT_PASS(t, &qn_pass_fold_constants, rows);
}

/* A module of a few bytes that asks for far more than it has; what is left in its place. */
static const struct {
    const char *name, *text;
    bool is_folded;
} budgets[] = {
    {"a large fill that nobody packs",
     "graph main(%x: float[1]) {\n"
     "  const %s: int64[2] = {4096, 4096}\n"
     "  %a = ConstantOfShape(%s)\n"
     "  %y = Add(%x, %a)\n"
     "  return %y\n"
     "}\n",
     false},
    {"the same as weights",
     "graph main(%x: float[1,1024]) {\n"
     "  const %s: int64[2] = {1024, 1024}\n"
     "  %a = ConstantOfShape(%s)\n"
     "  %b = Transpose(%a)\n"
     "  %y = MatMul(%x, %b)\n"
     "  return %y\n"
     "}\n",
     true},
    {"weights of a terabyte",
     "graph main(%x: float[1,1048576]) {\n"
     "  const %s: int64[2] = {1048576, 262144}\n"
     "  %a = ConstantOfShape(%s)\n"
     "  %y = MatMul(%x, %a)\n"
     "  return %y\n"
     "}\n",
     false},
    {"a range without an end",
     "graph main(%x: int64[1]) {\n"
     "  const %first: int64[] = {0}\n"
     "  const %last: int64[] = {9000000000000000000}\n"
     "  const %step: int64[] = {1}\n"
     "  %a = Range(%first, %last, %step)\n"
     "  %y = Add(%x, %a)\n"
     "  return %y\n"
     "}\n",
     false},
    {"tiles of tiles",
     "graph main(%x: float[1]) {\n"
     "  const %a: float[1] = {1}\n"
     "  const %n: int64[1] = {100000000}\n"
     "  %b = Tile(%a, %n)\n"
     "  %c = Tile(%b, %n)\n"
     "  %y = Add(%x, %c)\n"
     "  return %y\n"
     "}\n",
     false},
};

TEST(bombs_stay_unfolded)
{
    for (size_t i = 0; i < QN_COUNT_OF(budgets); i++) {
        int changes = 0;
        char *got =
            pass_run_text(&qn_pass_fold_constants, budgets[i].text, &(QnPassOptions){0}, &changes);
        EXPECT(t, (changes > 0) == budgets[i].is_folded, "%s: %d changes:\n%s", budgets[i].name,
               changes, got);
        free(got);
    }
}

TEST(budgets_can_be_smaller)
{
    int changes = 0;
    char *got = pass_run_text(&qn_pass_fold_constants, budgets[1].text,
                              &(QnPassOptions){.fold_bytes = 1 << 20}, &changes);
    EXPECT(t, changes == 0, "%s", got);
    free(got);
    got = pass_run_text(&qn_pass_fold_constants, budgets[1].text, &(QnPassOptions){.fold_ns = 1},
                        &changes);
    EXPECT(t, changes == 0, "%s", got);
    free(got);
}

/* Unaligned data, as files have it, is computed with and left as it is. */
TEST(data_of_any_alignment)
{
    QnModule *module = NULL;
    QnError err = {0};
    int changes;
    uint8_t bytes[17] = {0};
    const float numbers[2] = {1, 2};
    memcpy(bytes + 1, numbers, sizeof numbers);
    const QnTensor tensor = qn_tensor(QN_FLOAT, 1, (const int64_t[]){2}, bytes + 1);
    const QnStatus read = pass_read(
        &module, "graph main(%a: float[2]) {\n  %y = Neg(%a)\n  return %y\n}\n", NULL, &err);
    REQUIRE(t, read == QN_OK, "%s", err.message);
    EXPECT(t, qn_value_set_constant(module->main->inputs[0], &tensor) == QN_OK, "no constant");
    const QnPassOptions options = {0};
    const QnStatus status = qn_pass_run(module, &qn_pass_fold_constants, &options, &changes, &err);
    const QnTensor *y = module->main->outputs[0].value->constant;
    EXPECT(t, status == QN_OK && y && qn_tensor_get(y, 1) == -2, "%s", err.message);
    EXPECT(t, !memcmp(bytes + 1, numbers, sizeof numbers), "the data was changed");
    qn_module_free(module);
}

TEST_MAIN(CASE(graphs_become_what_they_should), CASE(bombs_stay_unfolded),
          CASE(budgets_can_be_smaller), CASE(data_of_any_alignment))
