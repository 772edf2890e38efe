/* SPDX-License-Identifier: Apache-2.0 */
/* What infer functions are written with: what is known of inputs, axes, sentences. */
#include "engine/ir/text.h"
#include "engine/ops/op.h"
#include "tests/support/test.h"

enum { INPUTS = 4, OUTPUTS = 2 };

/* An inference of a node that nothing is known of yet. */
typedef struct World {
    QnModule *module;
    QnInferValue inputs[INPUTS], outputs[OUTPUTS];
    QnInfer in;
    QnError err;
} World;

static bool begin(Test *t, World *w, const char *graph)
{
    *w = (World){0};
    const bool is_there = qn_module_parse(&w->module, graph, NULL, &w->err) == QN_OK &&
                          qn_ops_resolve(w->module, NULL, &w->err) == QN_OK;
    if (!EXPECT(t, is_there, "%s", w->err.message))
        return false;
    w->in = (QnInfer){.node = w->module->main->first,
                      .dims = &w->module->dims,
                      .arena = &w->module->arena,
                      .inputs = w->inputs,
                      .input_count = INPUTS,
                      .outputs = w->outputs,
                      .output_count = OUTPUTS,
                      .err = &w->err};
    return true;
}

static const char concat[] = "graph main(%x: float[N,3]) {\n"
                             "  %y = Concat(%x, %x) {axis = -1}\n  return %y\n}";

static QnInferValue tensor_of(QnType element, const QnShape *shape)
{
    return (QnInferValue){.type = {.kind = QN_TENSOR, .element = element, .shape = *shape},
                          .is_present = true};
}

TEST(what_is_absent_has_no_type)
{
    static const QnShape any = {.rank = -1}, matrix = {.rank = 2, .dims = {2, 3}};
    World w;
    if (!begin(t, &w, concat))
        return;
    w.inputs[1] = tensor_of(QN_INT8, &any);
    w.inputs[2] = tensor_of(QN_FLOAT, &matrix);
    w.inputs[3] = (QnInferValue){.type = {.kind = QN_SEQUENCE}, .is_present = true};
    for (int i = 0; i < INPUTS + 2; i++) {
        EXPECT(t, qn_infer_has(&w.in, i) == (i >= 1 && i < INPUTS), "has %d", i);
        EXPECT(t, (qn_infer_type(&w.in, i)->kind == QN_NONE) == !qn_infer_has(&w.in, i), "%d", i);
        EXPECT(t, (qn_infer_shape(&w.in, i) != NULL) == (i == 2), "shape %d", i);
    }
    EXPECT(t, qn_infer_element(&w.in, 1) == QN_INT8, "element 1");
    EXPECT(t, qn_infer_element(&w.in, 0) == QN_UNDEFINED, "element 0");
    EXPECT(t, qn_infer_element(&w.in, 3) == QN_UNDEFINED, "element of a sequence");
    qn_module_free(w.module);
}

TEST(axes_are_brought_into_their_range)
{
    static const struct {
        int64_t value;
        int rank, axis; /* -1: refused */
        const char *want;
    } rows[] = {
        {0, 2, 0, ""},
        {-1, 2, 1, ""},
        {1, 2, 1, ""},
        {-2, 2, 0, ""},
        {2, 2, -1, "axis is 2, expected -2 to 1"},
        {-3, 2, -1, "axis is -3, expected -2 to 1"},
        {INT64_MIN, 16, -1, "axis is -9223372036854775808, expected -16 to 15"},
    };
    World w;
    int axis = 7;
    if (!begin(t, &w, concat))
        return;
    EXPECT(t, qn_infer_axis(&w.in, 3, &axis) == QN_OK && axis == 2, "of the node: %d", axis);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        axis = -1;
        w.err = (QnError){0};
        const QnStatus status = qn_infer_axis_of(&w.in, "axis", rows[i].value, rows[i].rank, &axis);
        EXPECT(t, status == (*rows[i].want ? QN_BAD_MODEL : QN_OK), "row %zu", i);
        EXPECT(t, axis == rows[i].axis && !strcmp(w.err.message, rows[i].want), "row %zu: %d, %s",
               i, axis, w.err.message);
    }
    qn_module_free(w.module);
}

/* Integers are read from constants and from contents; symbols are dims, but no constants. */
TEST(integers_are_read_as_far_as_they_are_known)
{
    int64_t numbers[2] = {3, -1};
    float floats[2] = {3, -1};
    const QnTensor list = qn_tensor(QN_INT64, 1, (int64_t[]){2}, numbers),
                   square = qn_tensor(QN_INT64, 2, (int64_t[]){1, 2}, numbers),
                   reals = qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, floats);
    World w;
    int64_t dims[4];
    if (!begin(t, &w, concat))
        return;
    const QnDim n = w.module->main->inputs[0]->type.shape.dims[0], content[2] = {n, 3};
    const struct {
        QnInferValue value;
        int ints, constants;
    } rows[] = {
        {{.constant = &list, .is_present = true}, 2, 2},
        {{.constant = &square, .is_present = true}, -1, -1},
        {{.constant = &reals, .is_present = true}, -1, -1},
        {{.content = content, .content_count = 2, .is_present = true}, 2, -1},
        {{.is_present = true}, -1, -1},
        {{.constant = &list}, -1, -1}, /* absent */
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        w.inputs[0] = rows[i].value;
        EXPECT(t, qn_infer_ints(&w.in, 0, dims, 4) == rows[i].ints, "row %zu", i);
        EXPECT(t, qn_infer_constants(&w.in, 0, dims, 4) == rows[i].constants, "row %zu", i);
        EXPECT(t, qn_infer_ints(&w.in, 0, dims, 1) == -1, "row %zu fits into one", i);
    }
    w.inputs[0] = rows[0].value;
    EXPECT(t, qn_infer_constants(&w.in, 0, dims, 2) == 2 && dims[0] == 3 && dims[1] == -1, "%lld",
           (long long)dims[1]);
    qn_module_free(w.module);
}

/* What is not known may still fit. */
TEST(shapes_are_refused_only_where_they_surely_differ)
{
    World w;
    if (!begin(t, &w, concat))
        return;
    const QnDim n = w.module->main->inputs[0]->type.shape.dims[0];
    const QnShape shape = {.rank = 2, .dims = {n, 3}}, any = {.rank = -1};
    w.inputs[0] = tensor_of(QN_FLOAT, &shape);
    w.inputs[1] = tensor_of(QN_FLOAT, &any);
    const struct {
        int input, rank;
        QnDim dims[2];
        const char *want;
    } rows[] = {
        {0, 2, {5, 3}, ""},
        {0, 2, {n, n}, ""},
        {0, 2, {5, 4}, "input 0 has size 3 along dimension 1, expected 4"},
        {0, 1, {5}, "input 0 has rank 2, expected 1"},
        {1, 1, {5}, ""},
        {2, 1, {5}, ""}, /* absent */
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        w.err = (QnError){0};
        const QnStatus status =
            qn_infer_want_shape(&w.in, rows[i].input, rows[i].rank, rows[i].dims);
        EXPECT(t, status == (*rows[i].want ? QN_BAD_MODEL : QN_OK), "row %zu", i);
        EXPECT(t, !strcmp(w.err.message, rows[i].want), "row %zu: %s", i, w.err.message);
    }
    qn_module_free(w.module);
}

TEST(outputs_that_nobody_wants_may_be_said)
{
    World w;
    QnDim content[QN_CONTENT_LIMIT + 1] = {0};
    const QnShape shape = {.rank = 1, .dims = {2}};
    if (!begin(t, &w, concat))
        return;
    EXPECT(t, qn_infer_tensor(&w.in, OUTPUTS, QN_FLOAT, &shape) == QN_OK, "beyond the last");
    EXPECT(t, qn_infer_tensor(&w.in, 1, QN_INT64, &shape) == QN_OK, "the last");
    EXPECT(t, w.outputs[1].type.element == QN_INT64 && w.outputs[1].type.shape.dims[0] == 2, "1");
    EXPECT(t, qn_infer_content(&w.in, 1, content, QN_CONTENT_LIMIT + 1) == QN_OK, "too long");
    EXPECT(t, !w.outputs[1].content, "it was kept");
    EXPECT(t, qn_infer_content(&w.in, 1, content, 2) == QN_OK, "%s", w.err.message);
    EXPECT(t, w.outputs[1].content && w.outputs[1].content != content, "it is no copy");
    EXPECT(t, qn_infer_unknown(&w.in, 0, QN_BOOL, 2) == QN_OK, "%s", w.err.message);
    const QnShape *open = &w.outputs[0].type.shape;
    EXPECT(t, open->rank == 2 && !qn_dim_is_known(open->dims[0]) && open->dims[0] != open->dims[1],
           "two new symbols");
    qn_module_free(w.module);
}

/* ---- rows ---- */

TEST(operators_are_found_by_domain_and_name)
{
    EXPECT(t, qn_op_find("", "Relu") && qn_op_find("", "Relu") == qn_op_find("ai.onnx", "Relu"),
           "Relu");
    EXPECT(t, qn_op_find(NULL, "Relu") == qn_op_find("", "Relu"), "no domain");
    EXPECT(t, !qn_op_find("ai.onnx.ml", "Relu") && !qn_op_find("", "relu"), "another Relu");
    EXPECT(t, qn_op_find("ai.onnx.ml", "Scaler") && !qn_op_find("", "Scaler"), "Scaler");
}

TEST(signatures_say_which_types_are_taken)
{
    const QnOp *add = qn_op_find("", "Add"), *gather = qn_op_find("", "Gather");
    const QnIrType real = {.kind = QN_TENSOR, .element = QN_FLOAT},
                   text = {.kind = QN_TENSOR, .element = QN_STRING}, open = {.kind = QN_TENSOR},
                   unknown = {.kind = QN_NONE};
    char expected[64] = "";
    EXPECT(t, qn_op_accepts(add, 0, &real, expected, sizeof expected), "float: %s", expected);
    EXPECT(t, !qn_op_accepts(add, 1, &text, expected, sizeof expected), "a string");
    EXPECT(t, *expected, "nothing is expected");
    EXPECT(t, !qn_op_accepts(gather, 1, &real, expected, sizeof expected), "%s", expected);
    EXPECT(t, qn_op_accepts(add, 0, &open, expected, sizeof expected), "an open type");
    EXPECT(t, qn_op_accepts(add, 0, &unknown, expected, sizeof expected), "an unknown type");
    EXPECT(t, qn_op_accepts(add, 9, &text, expected, sizeof expected), "no such input");
}

TEST(attributes_left_out_have_their_rows_defaults)
{
    static const char graph[] = "graph main(%x: float[2]) {\n"
                                "  %y = LeakyRelu(%x)\n"
                                "  %z = LeakyRelu(%y) {alpha = 0.5}\n  return %z\n}";
    World w;
    if (!begin(t, &w, graph))
        return;
    const QnNode *bare = w.module->main->first, *given = bare->next;
    EXPECT(t, (float)qn_op_float(bare, "alpha") == 0.01f, "%g", qn_op_float(bare, "alpha"));
    EXPECT(t, qn_op_float(given, "alpha") == 0.5, "%g", qn_op_float(given, "alpha"));
    EXPECT(t, qn_op_int(given, "beta") == 0 && qn_op_string(given, "gamma").size == 0,
           "what no row has is 0");
    EXPECT(t, qn_op_string_is(given, "gamma", "") && !qn_op_string_is(given, "gamma", "x"),
           "gamma");
    qn_module_free(w.module);
}

TEST_MAIN(CASE(what_is_absent_has_no_type), CASE(axes_are_brought_into_their_range),
          CASE(integers_are_read_as_far_as_they_are_known),
          CASE(shapes_are_refused_only_where_they_surely_differ),
          CASE(outputs_that_nobody_wants_may_be_said), CASE(operators_are_found_by_domain_and_name),
          CASE(signatures_say_which_types_are_taken),
          CASE(attributes_left_out_have_their_rows_defaults))
