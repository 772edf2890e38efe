/* SPDX-License-Identifier: Apache-2.0 */
/* What the unstable headers show of models, plans, operators and passes. */
#include "engine/ir/text.h"
#include "quern/unstable/catalog.h"
#include "quern/unstable/graph.h"
#include "quern/unstable/plan_view.h"
#include "quern/unstable/values.h"
#include "tests/support/onnx_bytes.h"
#include "tests/support/test.h"

static const char chain[] = "graph main(%x: float[N,3]) {"
                            "  const %w: float[3] = {1, 2, 3}"
                            "  %a = Add(%x, %w)"
                            "  %y = LeakyRelu(%a) {alpha = 0.5}"
                            "  return %y }";

/* A model from a graph's text.  Bytes are the caller's to finish after the model. */
static QnModel *load(Test *t, QnText *bytes, const char *text)
{
    QnModule *module;
    QnModel *model = NULL;
    QnError err = {0};
    *bytes = qn_text(NULL);
    if (qn_module_parse(&module, text, NULL, &err) == QN_OK) {
        onnx_bytes(bytes, module, 10, 17, 3);
        qn_module_free(module);
        qn_model_read(&model, bytes->data, bytes->size, "m", NULL, NULL, &err);
    }
    EXPECT(t, model, "%s", err.message);
    return model;
}

TEST(a_graph_view_has_nodes_in_order_over_numbered_values)
{
    QnText bytes;
    QnGraphView *view;
    QnModel *model = load(t, &bytes, chain);
    REQUIRE(t, model && qn_graph_view_model(&view, model, NULL) == QN_OK, "no view");
    qn_model_free(model); /* the view does not need it */
    qn_text_finish(&bytes);
    EXPECT(t, qn_graph_view_node_count(view) == 2, "%d", qn_graph_view_node_count(view));
    const QnGraphNode *add = qn_graph_view_node(view, 0), *relu = qn_graph_view_node(view, 1);
    EXPECT(t, !strcmp(add->op, "Add"), "%s", add->op);
    EXPECT(t, add->parent == -1, "%d", add->parent);
    EXPECT(t, relu->inputs[0] == add->outputs[0], "%d", relu->inputs[0]);
    const QnGraphValue *a = qn_graph_view_value(view, add->outputs[0]);
    EXPECT(t, !strcmp(a->name, "a"), "%s", a->name);
    EXPECT(t, !strcmp(a->type_text, "float[N,3]"), "%s", a->type_text);
    EXPECT(t, a->producer == 0, "%d", a->producer);
    const QnGraphValue *w = qn_graph_view_value(view, add->inputs[1]);
    EXPECT(t, w->is_constant && w->constant_count == 3 && w->constant_bytes == 12, "w");
    EXPECT(t, w->producer == -1, "%d", w->producer);
    EXPECT(t, relu->attribute_count == 1, "%d", relu->attribute_count);
    EXPECT(t, !strcmp(relu->attributes[0].name, "alpha"), "%s", relu->attributes[0].name);
    EXPECT(t, !strcmp(relu->attributes[0].text, "0.5"), "%s", relu->attributes[0].text);
    EXPECT(t, !qn_graph_view_node(view, 2) && !qn_graph_view_value(view, -1), "past the end");
    qn_graph_view_free(view);
}

/* Every value lies somewhere, as something, and lives between steps that there are. */
static void check_values(Test *t, const QnPlanView *view, const QnPlan *plan)
{
    bool has_input = false;
    for (int i = 0; i < qn_plan_view_value_count(view); i++) {
        const QnPlanValueInfo value = qn_plan_view_value(view, i);
        has_input |= !strcmp(value.name, "x") && !strcmp(value.storage, "input") &&
                     !strcmp(value.type_text, "float[N,3]");
        EXPECT(t, *value.layout && value.base < i, "value %d", i);
        EXPECT(t, value.first <= value.last && value.last <= qn_plan_view_step_count(view),
               "value %d lives from %d to %d", i, value.first, value.last);
    }
    EXPECT(t, has_input, "there is no input x");
    EXPECT(t, qn_plan_view_weight_bytes(view) < 4096, "%llu bytes of weights",
           (unsigned long long)qn_plan_view_weight_bytes(view));
    QnGraphView *graph;
    REQUIRE(t, qn_graph_view_plan(&graph, plan, NULL) == QN_OK, "no view");
    EXPECT(t, qn_graph_view_node_count(graph) == 2, "%d", qn_graph_view_node_count(graph));
    EXPECT(t, qn_graph_view_value_count(graph) == 4, "%d", qn_graph_view_value_count(graph));
    EXPECT(t, qn_graph_view_opset(graph) == 17, "%d", qn_graph_view_opset(graph));
    qn_graph_view_free(graph);
}

TEST(a_plan_view_has_the_steps_that_compute_the_output)
{
    QnText bytes;
    QnPlan *plan = NULL;
    QnPlanView *view = NULL;
    QnModel *model = load(t, &bytes, chain);
    REQUIRE(t, model && qn_plan_build(&plan, model, NULL, NULL, NULL) == QN_OK, "no plan");
    REQUIRE(t, qn_plan_view_create(&view, plan, NULL) == QN_OK, "no view");
    int nodes = 0;
    for (int i = 0; i < qn_plan_view_step_count(view); i++) {
        const QnPlanStepInfo step = qn_plan_view_step(view, i);
        EXPECT(t, step.target == -1, "%d", step.target);
        nodes += step.node_count;
        for (int k = 0; k < step.output_count; k++)
            EXPECT(t, step.outputs[k] < qn_plan_view_value_count(view), "step %d", i);
    }
    EXPECT(t, nodes == 2, "%d", nodes);
    check_values(t, view, plan);
    qn_plan_view_free(view);
    qn_plan_free(plan);
    qn_model_free(model);
    qn_text_finish(&bytes);
}

/* One operator for each trait. */
static void check_traits(Test *t, const QnOperatorInfo *op)
{
    const struct {
        const char *name;
        bool is;
    } rows[] = {
        {"Relu", op->is_in_place}, {"Reshape", op->is_view},    {"RandomNormal", op->is_random},
        {"If", op->is_control},    {"NonZero", op->is_dynamic},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        EXPECT(t, strcmp(op->name, rows[i].name) != 0 || rows[i].is, "%s", op->name);
    EXPECT(t, op->inputs && op->outputs && op->since >= 1, "%s", op->name);
}

TEST(the_catalog_ends_and_names_what_it_lists)
{
    QnOperatorInfo op;
    QnPassInfo pass;
    int ops = 0, passes = 0;
    bool has_relu = false;
    for (; qn_operator_info(&op, ops); ops++) {
        has_relu |= !strcmp(op.name, "Relu") && !strcmp(op.domain, "ai.onnx") && op.is_elementwise;
        check_traits(t, &op);
    }
    for (; qn_pass_info(&pass, passes); passes++)
        EXPECT(t, *pass.name && *pass.what, "pass %d", passes);
    EXPECT(t, has_relu && ops > 50 && passes > 0, "%d operators, %d passes", ops, passes);
    EXPECT(t, !qn_operator_info(&op, -1) && !qn_pass_info(&pass, -1), "-1");
}

TEST(elements_are_found_through_any_strides)
{
    float data[6] = {0, 1, 2, 3, 4, 5};
    QnTensor tensor = qn_tensor(QN_FLOAT, 2, (const int64_t[]){3, 2}, data);
    tensor.strides[0] = 4; /* the transpose of a 2 x 3 matrix */
    tensor.strides[1] = 12;
    EXPECT(t, qn_tensor_element(&tensor, 1) == 3, "element");
    EXPECT(t, qn_tensor_address(&tensor, 4) == &data[2], "address");
    qn_tensor_set_element(&tensor, 5, 7.5);
    EXPECT(t, data[5] == 7.5f, "set");
}

/* What is written is read back: kinds, strides, strings, elements of less than a byte. */
TEST(values_come_back_from_their_messages)
{
    float data[6] = {0, 1, 2, 3, 4, 5};
    uint8_t nibbles[3] = {1, 15, 7};
    QnString strings[2] = {{"one", 3}, {NULL, 0}};
    int64_t keys[2] = {7, 9};
    QnTensor turned = qn_tensor(QN_FLOAT, 2, (const int64_t[]){3, 2}, data);
    turned.strides[0] = 4; /* the transpose of a 2 x 3 matrix */
    turned.strides[1] = 12;
    const QnValue rows[] = {
        qn_value_tensor(turned),
        qn_value_tensor(qn_tensor(QN_UINT4, 1, (const int64_t[]){3}, nibbles)),
        qn_value_tensor(qn_tensor(QN_STRING, 1, (const int64_t[]){2}, strings)),
        qn_value_tensor(qn_tensor(QN_INT64, 1, (const int64_t[]){2}, keys)),
    };
    QnValueStore *store;
    QnError err = {0};
    REQUIRE(t, qn_value_store_create(&store) == QN_OK, "no memory");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const void *bytes = NULL;
        size_t size = 0;
        QnValue back = {.kind = QN_NONE};
        const QnTensor *want = &rows[i].tensor, *got = &back.tensor;
        QnStatus status = qn_value_write_onnx(&bytes, &size, store, "x", &rows[i], &err);
        if (status == QN_OK)
            status = qn_value_read_onnx(&back, store, NULL, false, 0, bytes, size, &err);
        if (!EXPECT(t, status == QN_OK && back.kind == QN_TENSOR, "row %zu: %s", i, err.message))
            continue;
        EXPECT(t, got->type == want->type && got->rank == want->rank, "row %zu: type", i);
        for (int64_t k = 0; k < qn_tensor_count(want); k++)
            EXPECT(t, qn_tensor_element(got, k) == qn_tensor_element(want, k), "row %zu: %g", i,
                   qn_tensor_element(got, k));
        if (want->type == QN_STRING)
            EXPECT(t, ((QnString *)got->data)[0].size == 3 && !((QnString *)got->data)[1].size,
                   "strings");
    }
    qn_value_store_free(store);
}

TEST(collections_come_back_as_a_model_declares_them)
{
    float data[4] = {1, 2, 3, 4};
    QnTensor even = qn_tensor(QN_FLOAT, 1, (const int64_t[]){2}, data);
    even.strides[0] = 8;
    QnValue items[2] = {qn_value_tensor(even),
                        qn_value_tensor(qn_tensor(QN_FLOAT, 1, (const int64_t[]){1}, data))};
    const QnValue sequence = {.kind = QN_SEQUENCE, .type = QN_FLOAT, .count = 2, .items = items};
    QnText text;
    QnValueStore *store;
    QnValue back = {.kind = QN_NONE};
    QnError err = {0};
    const void *bytes;
    size_t size;
    QnModel *model = load(t, &text,
                          "graph main(%s: sequence(float[?])) {"
                          "  %y: int64[] = SequenceLength(%s) return %y }");
    REQUIRE(t, model && qn_value_store_create(&store) == QN_OK, "no model");
    EXPECT(t, qn_value_write_onnx(&bytes, &size, store, "s", &sequence, &err) == QN_OK, "%s",
           err.message);
    EXPECT(t, qn_value_read_onnx(&back, store, model, false, 0, bytes, size, &err) == QN_OK, "%s",
           err.message);
    EXPECT(t, back.kind == QN_SEQUENCE && back.count == 2, "%d items", (int)back.count);
    EXPECT(t, back.count == 2 && qn_tensor_element(&back.items[0].tensor, 1) == 3, "item 0");
    const QnValue before = back;
    EXPECT(t,
           qn_value_read_onnx(&back, store, model, true, 1, bytes, size, &err) == QN_BAD_ARGUMENT &&
               !strcmp(err.message, "there is no output 1"),
           "%s", err.message);
    EXPECT(t, qn_value_read_onnx(&back, store, model, false, 0, "\xff", 1, &err) == QN_BAD_TENSOR,
           "%s", err.message);
    EXPECT(t, back.items == before.items, "*out changed");
    qn_value_store_free(store);
    qn_model_free(model);
    qn_text_finish(&text);
}

TEST(a_store_gives_aligned_memory)
{
    QnValueStore *store;
    REQUIRE(t, qn_value_store_create(&store) == QN_OK, "no memory");
    for (int round = 0; round < 2; round++) {
        for (size_t size = 0; size < 300; size += 99) {
            uint8_t *data = qn_value_store_alloc(store, size);
            EXPECT(t, data && (uintptr_t)data % 64 == 0, "%zu bytes at %p", size, (void *)data);
            if (data && size)
                memset(data, 1, size);
        }
        qn_value_store_reset(store);
    }
    qn_value_store_free(store);
    qn_value_store_free(NULL);
}

TEST_MAIN(CASE(a_graph_view_has_nodes_in_order_over_numbered_values),
          CASE(a_plan_view_has_the_steps_that_compute_the_output),
          CASE(the_catalog_ends_and_names_what_it_lists),
          CASE(elements_are_found_through_any_strides), CASE(values_come_back_from_their_messages),
          CASE(collections_come_back_as_a_model_declares_them), CASE(a_store_gives_aligned_memory))
