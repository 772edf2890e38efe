/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of modules and graphs. */
#include "base/compiler.h"
#include "engine/ir/text.h"
#include "tests/support/test.h"

static QnModule *parse(Test *t, const char *text)
{
    QnModule *module = NULL;
    QnError err = {0};
    EXPECT(t, qn_module_parse(&module, text, NULL, &err) == QN_OK, "%s", err.message);
    return module;
}

/* Is the module well-formed, and of that text? */
static void expect_text(Test *t, const QnModule *module, const char *want)
{
    QnText text = qn_text(NULL);
    QnError err = {0};
    qn_module_print(module, &text);
    EXPECT(t, qn_module_verify(module, &err) == QN_OK, "%s", err.message);
    EXPECT(t, !strcmp(qn_text_string(&text), want), "it is\n%s", qn_text_string(&text));
    qn_text_finish(&text);
}

static const char whole[] = "graph main(%c: bool[], %x: float[2*N + 1,#0] = {}) {\n"
                            "  const %w: int64[2] = {3, -1}\n"
                            "  %y, _ = If(%c, _, %w) {then_branch = graph then() {\n"
                            "    const %v: float[] = {4}\n"
                            "    %1: sequence(float[N]) = Add(%x, %v) {l = [graph (%i) {\n"
                            "      return %i, o = %w\n"
                            "    }], t = \"s\"}\n"
                            "    return %1\n"
                            "  }}\n"
                            "  return %y\n"
                            "}\n"
                            "variable past = 0 -> 1\n";

TEST(a_copied_module_says_the_same)
{
    /* The default of x needs numbers as dims. */
    char text[sizeof whole];
    strcpy(text, whole);
    memcpy(strstr(text, "[2*N + 1,#0]"), "[0,1]       ", 12);
    QnModule *module = parse(t, text), *copy = NULL;
    QnError err = {0};
    QnText first = qn_text(NULL);
    REQUIRE(t, module, "not read");
    QnNode *node = module->main->first;
    node->origin = (QnOrigin){.name = "if0", .op = "If", .domain = "", .since = 13};
    qn_dim_fresh(&module->dims, true);
    qn_module_print(module, &first);
    REQUIRE(t, qn_module_clone(&copy, module, &err) == QN_OK, "%s", err.message);
    expect_text(t, copy, qn_text_string(&first));
    EXPECT(t, copy->main->first != node && !strcmp(copy->main->first->origin.name, "if0"),
           "the origin is lost");
    EXPECT(t, copy->dims.count == module->dims.count && copy->value_count == module->value_count,
           "other counts");
    const QnIrValue *w = node->inputs[2].value, *w2 = copy->main->first->inputs[2].value;
    EXPECT(t,
           w2 != w && w2->id == w->id && w2->content_count == 2 &&
               w2->content[1] == w->content[1] && w2->constant->data == w->constant->data,
           "the constant is another");
    EXPECT(t, qn_node_graph(copy->main->first, 0)->owner == copy->main->first,
           "a graph of another owner");
    /* What happens to one does not happen to the other. */
    qn_module_free(copy);
    expect_text(t, module, qn_text_string(&first));
    qn_text_finish(&first);
    qn_module_free(module);
}

TEST(orders_that_are_wrong_are_copied_too)
{
    QnModule *module = parse(t, "graph main(%x) {\n  %a = A(%x)\n  %b = B(%a)\n  return %b\n}\n"),
             *copy = NULL;
    QnError err = {0};
    qn_node_move(module->main->first, module->main, NULL);
    REQUIRE(t, qn_module_clone(&copy, module, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_module_sort(copy, &err) == QN_OK, "%s", err.message);
    expect_text(t, copy, "graph main(%x) {\n  %a = A(%x)\n  %b = B(%a)\n  return %b\n}\n");
    qn_module_free(copy);
    qn_module_free(module);
}

TEST(a_body_is_inlined)
{
    QnModule *m = parse(t, "graph main(%c, %x) {\n"
                           "  %y = Call(%c, %x) {body = graph f(%p, %q) {\n"
                           "    const %k: float[] = {4}\n"
                           "    %r = Add(%p, %k, %x)\n"
                           "    %s = If(%r) {g = graph () {\n"
                           "      %u = Mul(%r, %q, %k)\n"
                           "      return %u\n"
                           "    }}\n"
                           "    return %s, %p, %k\n"
                           "  }}\n"
                           "  return %y\n"
                           "}\n");
    QnError err = {0};
    REQUIRE(t, m, "not read");
    QnNode *call = m->main->first;
    QnIrValue *outputs[3];
    /* The second input is absent in this call. */
    QnIrValue *inputs[] = {call->inputs[0].value, NULL};
    REQUIRE(t,
            qn_graph_inline(qn_node_graph(call, 0), m->main, call, inputs, outputs, &err) == QN_OK,
            "%s", err.message);
    EXPECT(t, outputs[1] == inputs[0] && outputs[2]->constant && outputs[2]->graph == m->main,
           "other outputs");
    EXPECT(t, qn_module_verify(m, &err) == QN_OK, "%s", err.message);
    qn_value_replace(call->outputs[0], outputs[0]);
    qn_node_remove(call);
    const QnNode *add = m->main->first, *branch = add->next;
    const QnNode *mul = qn_node_graph(branch, 0)->first;
    qn_value_set_name(add->outputs[0], "r");
    qn_value_set_name(add->inputs[1].value, "k");
    qn_value_set_name(branch->outputs[0], "s");
    qn_value_set_name(mul->outputs[0], "u");
    expect_text(t, m,
                "graph main(%c, %x) {\n"
                "  const %k: float[] = {4}\n"
                "  %r = Add(%c, %k, %x)\n"
                "  %s = If(%r) {g = graph () {\n"
                "    %u = Mul(%r, _, %k)\n"
                "    return %u\n"
                "  }}\n"
                "  return y = %s\n"
                "}\n");
    qn_module_free(m);
}

TEST(a_graph_is_copied_beside_itself)
{
    QnModule *m = parse(
        t,
        "graph main(%x) {\n  %y = A(%x) {g = graph f(%p) {\n    %q = B(%p, %x)\n    return %q\n  }}\n"
        "  return %y\n}\n");
    QnGraph *copy = NULL;
    QnError err = {0};
    QnNode *node = m->main->first;
    REQUIRE(t, qn_graph_clone(&copy, qn_node_graph(node, 0), &err) == QN_OK, "%s", err.message);
    EXPECT(t, copy->input_count == 1 && copy->first->inputs[1].value == node->inputs[0].value,
           "it reads another x");
    qn_node_set_graph(node, "h", copy);
    EXPECT(t, qn_module_verify(m, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_value_count_uses(m->main->inputs[0]) == 3, "%d uses",
           qn_value_count_uses(m->main->inputs[0]));
    qn_module_free(m);
}

TEST(a_module_that_reads_the_invisible_is_not_copied)
{
    QnModule *m = parse(
        t,
        "graph main(%x) {\n  %y = A(%x) {g = graph f(%p) {\n    %q = B(%p)\n    return %q\n  }}\n"
        "  return %y\n}\n");
    QnModule *copy = NULL;
    QnError err = {0};
    QnGraph *lost = qn_graph_create(m, "lost");
    qn_use_set(&m->main->first->inputs[0], qn_value_create(lost, "z", NULL));
    EXPECT(t, qn_module_clone(&copy, m, &err) == QN_BAD_MODEL && !copy, "it was copied");
    EXPECT(t, !strcmp(err.message, "value 'z' is read where it is not visible"), "%s", err.message);
    qn_module_free(m);
}

TEST_MAIN(CASE(a_copied_module_says_the_same), CASE(orders_that_are_wrong_are_copied_too),
          CASE(a_body_is_inlined), CASE(a_graph_is_copied_beside_itself),
          CASE(a_module_that_reads_the_invisible_is_not_copied))
