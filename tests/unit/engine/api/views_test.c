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
    qn_plan_view_free(view);
    qn_plan_free(plan);
    qn_model_free(model);
    qn_text_finish(&bytes);
}

TEST(the_catalog_ends_and_names_what_it_lists)
{
    QnOperatorInfo op;
    QnPassInfo pass;
    int ops = 0, passes = 0;
    bool has_relu = false;
    for (; qn_operator_info(&op, ops); ops++)
        has_relu |= !strcmp(op.name, "Relu") && !strcmp(op.domain, "ai.onnx") && op.is_elementwise;
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

TEST_MAIN(CASE(a_graph_view_has_nodes_in_order_over_numbered_values),
          CASE(a_plan_view_has_the_steps_that_compute_the_output),
          CASE(the_catalog_ends_and_names_what_it_lists),
          CASE(elements_are_found_through_any_strides))
