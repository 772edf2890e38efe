/* SPDX-License-Identifier: Apache-2.0 */
/* Topological order: right orders stay, wrong ones are mended, cycles are named. */
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

static QnNode *find(const QnModule *module, const char *op)
{
    QnNode *node = NULL;
    while ((node = qn_module_walk(module, node)) && strcmp(node->op, op) != 0)
        continue;
    return node;
}

/* The operators of all graphs in order. */
static const char *order(const QnModule *module, char *text)
{
    *text = 0;
    for (const QnNode *node = NULL; (node = qn_module_walk(module, node));)
        strcat(text, node->op);
    return text;
}

static const char nested[] = "graph main(%x) {\n"
                             "  %a = A(%x)\n"
                             "  %b = B(%x)\n"
                             "  %i = I(%x) {g = graph () {\n"
                             "    %d = D(%x)\n"
                             "    %e = E(%d, %b) {h = graph () {\n      return %a\n    }}\n"
                             "    return %e\n  }}\n"
                             "  %z = Z(%i)\n"
                             "  return %z\n}\n";

TEST(right_orders_stay)
{
    QnModule *m = parse(t, nested);
    char text[50];
    EXPECT(t, qn_module_sort(m, NULL) == QN_OK && !strcmp(order(m, text), "ABIDEZ"), "%s", text);
    /* A node that nobody waits for stays where it is too. */
    qn_node_move(find(m, "B"), m->main, find(m, "A"));
    EXPECT(t, qn_module_sort(m, NULL) == QN_OK && !strcmp(order(m, text), "BAIDEZ"), "%s", text);
    qn_module_free(m);
}

TEST(nodes_move_behind_what_they_read)
{
    QnModule *m = parse(t, nested);
    QnError err = {0};
    char text[50];
    qn_node_move(find(m, "Z"), m->main, find(m, "A"));
    qn_node_move(find(m, "I"), m->main, find(m, "A"));
    qn_node_move(find(m, "D"), find(m, "D")->graph, NULL);
    EXPECT(t, !strcmp(order(m, text), "ZIEDAB"), "%s", text);
    EXPECT(t, qn_module_verify(m, &err) == QN_BAD_MODEL, "it was right");
    EXPECT(t, qn_module_sort(m, &err) == QN_OK && qn_module_verify(m, &err) == QN_OK, "%s",
           err.message);
    EXPECT(t, !strcmp(order(m, text), "BAIDEZ") || !strcmp(order(m, text), "ABIDEZ"), "%s", text);
    qn_module_free(m);
}

TEST(cycles_are_named)
{
    QnModule *m = parse(t, nested);
    QnError err = {0};
    char text[50];
    find(m, "A")->origin.name = "first";
    qn_use_set(&find(m, "A")->inputs[0], find(m, "Z")->outputs[0]);
    EXPECT(t, qn_module_sort(m, &err) == QN_BAD_MODEL, "it was sorted");
    EXPECT(
        t,
        !strcmp(err.message,
                "the graph has a cycle: node 'first' <- Z node making 'z' <- I node making 'i' <- "
                "node 'first'"),
        "%s", err.message);
    EXPECT(t, !strcmp(order(m, text), "ABIDEZ"), "the order changed to %s", text);
    qn_module_free(m);
}

TEST(a_node_whose_graph_reads_it_is_a_cycle)
{
    QnModule *m = parse(t, nested);
    QnError err = {0};
    qn_use_set(&find(m, "D")->inputs[0], find(m, "I")->outputs[0]);
    EXPECT(t, qn_module_sort(m, &err) == QN_BAD_MODEL, "it was sorted");
    EXPECT(t, !strcmp(err.message, "the graph has a cycle: I node making 'i' <- I node making 'i'"),
           "%s", err.message);
    qn_module_free(m);
}

TEST(values_from_beside_are_not_visible)
{
    QnModule *m = parse(t, nested);
    QnError err = {0};
    qn_use_set(&find(m, "Z")->inputs[0], find(m, "D")->outputs[0]);
    EXPECT(t, qn_module_sort(m, &err) == QN_BAD_MODEL, "it was sorted");
    EXPECT(t, !strcmp(err.message, "Z node making 'z' reads 'd', which is not visible there"), "%s",
           err.message);
    qn_use_set(&find(m, "Z")->inputs[0], NULL);
    qn_use_set(&m->main->outputs[0], find(m, "D")->outputs[0]);
    EXPECT(t, qn_module_sort(m, &err) == QN_BAD_MODEL, "it was sorted");
    EXPECT(t, !strcmp(err.message, "output 'z' is 'd' of graph '', not visible there"), "%s",
           err.message);
    qn_module_free(m);
}

/* A cycle of ten thousand nodes is found without a stack to match, and is not listed in full. */
TEST(long_cycles_are_cut)
{
    QnModule *m = parse(t, "graph main(%x) {\n  return\n}\n");
    QnError err = {0};
    QnIrValue *value = m->main->inputs[0];
    for (int i = 0; i < 10000; i++)
        value = qn_node_create(m->main, m->main->first, "A", "", &value, 1, 1)->outputs[0];
    EXPECT(t, qn_module_sort(m, &err) == QN_OK && qn_module_verify(m, &err) == QN_OK, "%s",
           err.message);
    qn_use_set(&m->main->first->inputs[0], value);
    EXPECT(t, qn_module_sort(m, &err) == QN_BAD_MODEL && strstr(err.message, " <- ..."), "%s",
           err.message);
    qn_module_free(m);
}

TEST_MAIN(CASE(right_orders_stay), CASE(nodes_move_behind_what_they_read), CASE(cycles_are_named),
          CASE(a_node_whose_graph_reads_it_is_a_cycle), CASE(values_from_beside_are_not_visible),
          CASE(long_cycles_are_cut))
