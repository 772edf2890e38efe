/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs: building, uses that stay linked under any edit,
 * names, constants, attributes, sub-graphs. */
#include "engine/ir/graph.h"

#include "base/compiler.h"
#include "tests/support/test.h"

static QnModule *make(Test *t)
{
    QnModule *module = NULL;
    QnError err;
    EXPECT(t, qn_module_create(&module, NULL, &err) == QN_OK, "%s", err.message);
    return module;
}

static QnNode *unary(QnGraph *graph, QnNode *before, const char *op, QnIrValue *input)
{
    return qn_node_create(graph, before, op, "", &input, 1, 1);
}

TEST(a_module_starts_with_an_empty_main_graph)
{
    QnModule *m = make(t);
    EXPECT(t, m->main && m->main->module == m && !m->main->first && m->main->input_count == 0,
           "it has something");
    EXPECT(t, !qn_module_walk(m, NULL), "it has nodes");
    qn_module_free(m);
    qn_module_free(NULL);
}

TEST(uses_are_linked_both_ways)
{
    QnModule *m = make(t);
    QnIrValue *x = qn_value_create(m->main, "x", NULL);
    qn_graph_add_input(m->main, x);
    QnNode *add = qn_node_create(m->main, NULL, "Add", "", (QnIrValue *[]){x, x}, 2, 1);
    QnNode *relu = unary(m->main, NULL, "Relu", add->outputs[0]);
    qn_graph_add_output(m->main, relu->outputs[0], "y");
    EXPECT(t, qn_value_count_uses(x) == 2, "%d uses", qn_value_count_uses(x));
    EXPECT(t, add->outputs[0]->uses->node == relu, "not read by the Relu");
    EXPECT(t, qn_value_is_output(relu->outputs[0]) && !qn_value_is_output(x),
           "outputs are mixed up");

    qn_value_replace(relu->outputs[0], add->outputs[0]);
    qn_node_remove(relu);
    EXPECT(t, m->main->outputs[0].value == add->outputs[0] && !add->outputs[0]->uses->next,
           "the output was lost");
    EXPECT(t, m->main->last == add && !relu->graph && !strcmp(m->main->output_names[0], "y"),
           "the list is wrong");
    qn_use_set(&add->inputs[1], NULL);
    EXPECT(t, qn_value_count_uses(x) == 1 && !qn_node_input(add, 1) && !qn_node_input(add, 5),
           "not absent");
    qn_module_free(m);
}

TEST(arrays_of_uses_may_grow_and_shrink)
{
    QnModule *m = make(t);
    QnIrValue *x = qn_value_create(m->main, "x", NULL);
    QnNode *node = unary(m->main, NULL, "Concat", x);
    for (int i = 2; i < 70; i++) {
        EXPECT(t, qn_node_resize_inputs(node, i) == QN_OK, "no memory");
        qn_use_set(&node->inputs[i - 1], x);
        qn_graph_add_output(m->main, x, NULL);
    }
    EXPECT(t, qn_value_count_uses(x) == 69 + 68, "%d uses", qn_value_count_uses(x));
    qn_node_resize_inputs(node, 3);
    for (int i = 0; i < 60; i++)
        qn_graph_remove_output(m->main, i % 7);
    EXPECT(t, qn_value_count_uses(x) == 3 + 8, "%d uses", qn_value_count_uses(x));
    for (const QnUse *use = x->uses; use; use = use->next)
        EXPECT(t, use->value == x && (!use->next || use->next->prev == use), "a broken link");
    EXPECT(t, qn_node_resize_outputs(node, 5) == QN_OK && node->outputs[4]->output == 4,
           "no fifth output");
    qn_node_resize_outputs(node, 1);
    EXPECT(t, !qn_node_output(node, 1), "still a second output");
    qn_module_free(m);
}

TEST(nodes_stand_where_they_are_put)
{
    QnModule *m = make(t);
    QnGraph *g = m->main;
    QnIrValue *x = qn_value_create(g, "x", NULL);
    QnNode *c = unary(g, NULL, "C", x), *a = unary(g, c, "A", x), *b = unary(g, c, "B", x);
    EXPECT(t, g->first == a && a->next == b && b->next == c && g->last == c && c->prev == b,
           "not A B C");
    qn_node_move(a, g, NULL);
    EXPECT(t, g->first == b && g->last == a && !a->next, "not B C A");
    qn_node_move(a, g, b);
    qn_node_move(a, g, a);
    EXPECT(t, g->first == a && a->next == b && g->last == c, "not A B C again");
    qn_module_free(m);
}

TEST(made_up_names_are_new_and_give_way)
{
    QnModule *m = make(t);
    QnIrValue *first = qn_value_create(m->main, NULL, NULL);
    QnIrValue *taken = qn_value_create(m->main, "%2", NULL);
    QnIrValue *third = qn_value_create(m->main, NULL, NULL);
    EXPECT(t, !strcmp(first->name, "%0") && strcmp(third->name, "%2"), "%s %s", first->name,
           third->name);
    EXPECT(t, qn_value_is_made_up(third) && qn_value_is_made_up(taken), "which are made up?");
    QnIrValue *late = qn_value_create(m->main, "%0", NULL);
    EXPECT(t, !strcmp(late->name, "%0") && strcmp(first->name, "%0"), "%s %s", late->name,
           first->name);
    EXPECT(t, qn_value_set_name(first, "w") == QN_OK && !strcmp(first->name, "w"), "%s",
           first->name);
    EXPECT(t, !qn_value_is_made_up(first), "w is made up");
    qn_module_free(m);
}

TEST(small_integer_constants_are_known_as_dims)
{
    QnModule *m = make(t);
    int64_t number = 0;
    QnIrValue *shape = qn_value_create_ints(m->main, (int64_t[]){2, -1}, 2, 1);
    EXPECT(t,
           shape->content_count == 2 && shape->content[0] == 2 &&
               qn_dim_constant(&m->dims, shape->content[1], &number) && number == -1,
           "%d entries", shape->content_count);
    EXPECT(t,
           shape->type.kind == QN_TENSOR && shape->type.element == QN_INT64 &&
               shape->type.shape.dims[0] == 2,
           "the type is wrong");
    QnIrValue *scalar = qn_value_create_ints(m->main, &(int64_t){7}, 1, 0);
    EXPECT(t, scalar->content_count == 1 && scalar->content[0] == 7 && scalar->type.shape.rank == 0,
           "not 7");
    QnIrValue *empty = qn_value_create_ints(m->main, NULL, 0, 1);
    EXPECT(t, empty->content && empty->content_count == 0, "an empty one is unknown");

    static const unsigned char odd[9] = {0, 1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff};
    const QnTensor ints = qn_tensor(QN_INT32, 1, &(int64_t){2}, (void *)(uintptr_t)(odd + 1));
    QnIrValue *unaligned = qn_value_create_constant(m->main, "odd", &ints);
    EXPECT(t,
           unaligned->content[0] == 1 &&
               qn_dim_constant(&m->dims, unaligned->content[1], &number) && number == -2,
           "not 1, -2");
    const QnTensor floats = qn_tensor(QN_FLOAT, 1, &(int64_t){2}, (void *)(uintptr_t)odd);
    EXPECT(t, !qn_value_create_constant(m->main, "f", &floats)->content, "floats are dims");
    int64_t many[65] = {0};
    EXPECT(t, !qn_value_create_ints(m->main, many, 65, 1)->content, "65 are known");
    qn_module_free(m);
}

TEST(attributes_are_set_replaced_and_unset)
{
    QnModule *m = make(t);
    QnNode *node = unary(m->main, NULL, "Op", NULL);
    for (int i = 0; i < 20; i++) {
        char name[8];
        snprintf(name, sizeof name, "a%d", i);
        EXPECT(t, qn_node_set_int(node, name, i) == QN_OK, "no memory");
    }
    qn_node_set_int(node, "a3", 33);
    qn_node_set_text(node, "mode", "linear");
    qn_node_set_float(node, "alpha", 0.5);
    qn_node_set_ints(node, "pads", (int64_t[]){1, 2}, 2);
    EXPECT(t, node->attribute_count == 23, "%d attributes", node->attribute_count);
    qn_node_unset(node, "a0");
    qn_node_unset(node, "none");
    EXPECT(t, node->attribute_count == 22 && qn_node_int(node, "a0", -5) == -5,
           "a0 is still there");
    for (int i = 1; i < 20; i++) {
        char name[8];
        snprintf(name, sizeof name, "a%d", i);
        EXPECT(t, qn_node_int(node, name, -1) == (i == 3 ? 33 : i), "%s", name);
    }
    EXPECT(t, qn_node_string_is(node, "mode", "cubic", "linear"), "another mode");
    EXPECT(t, qn_node_string_is(node, "a1", "cubic", "cubic"), "an int as a string");
    EXPECT(t, qn_node_float(node, "alpha", 1) == 0.5 && qn_node_float(node, "beta", 1) == 1,
           "floats");
    EXPECT(t, qn_node_attribute(node, "pads")->ints[1] == 2, "pads");
    qn_module_free(m);
}

/* An If with two graphs that read x from outside; one of them holds another If. */
static QnNode *add_if(QnModule *m, QnGraph *graph, QnIrValue *x, int depth)
{
    QnNode *node = qn_node_create(graph, NULL, "If", "", &x, 1, 1);
    static const char *const names[] = {"then_branch", "else_branch"};
    for (int i = 0; i < 2; i++) {
        QnGraph *branch = qn_graph_create(m, names[i]);
        qn_node_set_graph(node, names[i], branch);
        QnNode *inner =
            i == 1 && depth > 0 ? add_if(m, branch, x, depth - 1) : unary(branch, NULL, "Neg", x);
        qn_graph_add_output(branch, inner->outputs[0], NULL);
    }
    return node;
}

TEST(walks_reach_every_node_once_in_order)
{
    QnModule *m = make(t);
    QnIrValue *x = qn_value_create(m->main, "x", NULL);
    unary(m->main, NULL, "A", x);
    QnNode *outer = add_if(m, m->main, x, 2);
    unary(m->main, NULL, "Z", x);
    char got[100] = "";
    for (const QnNode *node = NULL; (node = qn_module_walk(m, node));)
        strcat(strcat(got, node->op), " ");
    EXPECT(t, !strcmp(got, "A If Neg If Neg If Neg Neg Z "), "%s", got);
    got[0] = 0;
    for (const QnNode *node = NULL; (node = qn_graph_walk(qn_node_graph(outer, 1), node));)
        strcat(strcat(got, node->op), " ");
    EXPECT(t, !strcmp(got, "If Neg If Neg Neg "), "%s", got);
    const QnGraph *deep = qn_node_graph(qn_node_graph(outer, 1)->first, 0);
    EXPECT(t, qn_graph_depth(deep) == 2 && qn_graph_is_within(deep, m->main), "depth %d",
           qn_graph_depth(deep));
    EXPECT(t, !qn_graph_is_within(m->main, deep), "main is within a branch");
    qn_module_free(m);
}

TEST(removing_a_node_releases_what_its_graphs_read)
{
    QnModule *m = make(t);
    QnIrValue *x = qn_value_create(m->main, "x", NULL);
    QnNode *node = add_if(m, m->main, x, 3);
    QnGraph *kept = qn_node_graph(node, 0);
    EXPECT(t, qn_value_count_uses(x) == 4 + 5, "%d uses", qn_value_count_uses(x));
    /* A graph that has got another owner stays as it is. */
    QnNode *heir = unary(m->main, NULL, "Heir", NULL);
    qn_node_set_graph(heir, "body", kept);
    qn_node_remove(node);
    EXPECT(t, qn_value_count_uses(x) == 1 && x->uses->node->graph == kept, "%d uses",
           qn_value_count_uses(x));
    qn_node_set_graph(heir, "body", kept);
    EXPECT(t, qn_value_count_uses(x) == 1, "setting it again released it");
    qn_node_unset(heir, "body");
    EXPECT(t, !x->uses && !kept->owner, "still %d uses", qn_value_count_uses(x));
    qn_module_free(m);
}

TEST(labels_say_what_a_person_knows)
{
    QnModule *m = make(t);
    QnNode *node = unary(m->main, NULL, "Conv", NULL);
    char text[40], short_text[10];
    qn_value_set_name(node->outputs[0], "x");
    EXPECT(t, !strcmp(qn_node_label(node, text, sizeof text), "Conv node making 'x'"), "%s", text);
    node->origin.name = "conv1";
    EXPECT(t, !strcmp(qn_node_label(node, text, sizeof text), "node 'conv1'"), "%s", text);
    EXPECT(t, !strcmp(qn_node_label(node, short_text, sizeof short_text), "node 'con"), "%s",
           short_text);
    qn_module_free(m);
}

TEST_MAIN(CASE(a_module_starts_with_an_empty_main_graph), CASE(uses_are_linked_both_ways),
          CASE(arrays_of_uses_may_grow_and_shrink), CASE(nodes_stand_where_they_are_put),
          CASE(made_up_names_are_new_and_give_way), CASE(small_integer_constants_are_known_as_dims),
          CASE(attributes_are_set_replaced_and_unset), CASE(walks_reach_every_node_once_in_order),
          CASE(removing_a_node_releases_what_its_graphs_read), CASE(labels_say_what_a_person_knows))
