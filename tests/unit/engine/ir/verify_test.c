/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier: each kind of damage is found, with its sentence;
 * and what edits leave behind is well-formed. */
#include "base/compiler.h"
#include "engine/ir/text.h"
#include "tests/support/test.h"

#include <time.h>

static QnModule *parse(Test *t, const char *text)
{
    QnModule *module = NULL;
    QnError err = {0};
    EXPECT(t, qn_module_parse(&module, text, NULL, &err) == QN_OK, "%s", err.message);
    return module;
}

/* A is first, If holds B in its graph, C is last. */
static const char sound[] = "graph main(%x: float[N]) {\n"
                            "  const %w: float[1] = {1}\n"
                            "  %a = A(%x, %w)\n"
                            "  %i = If(%a) {g = graph inner(%p) {\n"
                            "    %b = B(%a, %p)\n"
                            "    return %b\n  }}\n"
                            "  %c = C(%i, %a)\n"
                            "  return %c\n}\n";

/* What may be damaged. */
typedef struct Parts {
    QnModule *module;
    QnNode *a, *branch, *b, *c;
    QnGraph *inner;
} Parts;

static Parts parts_of(QnModule *module)
{
    Parts p = {.module = module, .a = module->main->first};
    p.branch = p.a->next;
    p.c = p.branch->next;
    p.inner = qn_node_graph(p.branch, 0);
    p.b = p.inner->first;
    return p;
}

static void break_prev(Parts *p)
{
    p->c->prev = p->a;
}
static void break_last(Parts *p)
{
    p->module->main->last = p->a;
}
static void break_reader(Parts *p)
{
    p->c->inputs[0].node = p->a;
}
static void break_value(Parts *p)
{
    p->c->inputs[0].value = p->a->outputs[0];
}
static void break_use_link(Parts *p)
{
    p->c->inputs[1].next = NULL;
}
static void leave_use_behind(Parts *p)
{
    p->c->input_count = 1;
}
static void break_output(Parts *p)
{
    p->a->outputs[0]->node = p->c;
}
static void break_input(Parts *p)
{
    p->module->main->inputs[0]->graph = p->inner;
}
static void share_id(Parts *p)
{
    p->a->outputs[0]->id = p->c->outputs[0]->id;
}
static void break_id(Parts *p)
{
    p->a->outputs[0]->id = 1000;
}
static void break_type(Parts *p)
{
    p->a->outputs[0]->type =
        (QnIrType){.kind = QN_TENSOR, .element = QN_FLOAT, .shape = {.rank = 17}};
}
static void break_dim(Parts *p)
{
    p->module->main->inputs[0]->type.shape.dims[0] = -1000;
}
static void break_constant(Parts *p)
{
    p->a->inputs[1].value->type.element = QN_INT8;
}
static void make_constant_of_output(Parts *p)
{
    p->a->outputs[0]->constant = p->a->inputs[1].value->constant;
}
static void break_attribute(Parts *p)
{
    p->branch->attributes[0].kind = QN_ATTRIBUTE_NONE;
}
static void break_owner(Parts *p)
{
    p->inner->owner = p->c;
}
static void break_variable(Parts *p)
{
    static QnVariable variable = {"past", 0, 3};
    p->module->variables = &variable;
    p->module->variable_count = 1;
}
static void read_early(Parts *p)
{
    qn_node_move(p->a, p->module->main, NULL);
}
static void read_inside(Parts *p)
{
    qn_use_set(&p->c->inputs[0], p->b->outputs[0]);
}
static void read_nothing(Parts *p)
{
    qn_use_set(&p->c->inputs[0], qn_value_create(p->module->main, "u", NULL));
}
static void read_own_output(Parts *p)
{
    qn_use_set(&p->b->inputs[0], p->branch->outputs[0]);
}
static void output_late(Parts *p)
{
    qn_use_set(&p->inner->outputs[0], p->c->outputs[0]);
}
static void share_name(Parts *p)
{
    qn_value_set_name(p->b->outputs[0], "a");
}
static void share_name_with_constant(Parts *p)
{
    qn_value_set_name(p->b->outputs[0], "w");
}
static void nest_deep(Parts *p)
{
    QnGraph *graph = p->inner;
    for (int i = 0; i < QN_GRAPH_DEPTH; i++) {
        QnNode *node = qn_node_create(graph, NULL, "N", "", NULL, 0, 0);
        graph = qn_graph_create(p->module, "deep");
        qn_node_set_graph(node, "g", graph);
    }
}

TEST(every_damage_has_its_sentence)
{
    static const struct {
        void (*damage)(Parts *p);
        const char *want;
    } rows[] = {
        {break_prev, "the list of nodes of graph 'main' is broken at C"},
        {break_last, "the list of nodes of graph 'main' does not end with its last one"},
        {break_reader, "a use of 'i' points at another reader"},
        {break_value, "a use of 'a' is not linked to its neighbours"},
        {break_use_link, "a use of 'a' is not linked to its neighbours"},
        {leave_use_behind, "the uses of 'a' hold one of no reader"},
        {break_output, "output 0 of a node, 'a', does not point back at it"},
        {break_input, "input 0 of graph 'main' is not a value of its own"},
        {share_id, "values 'c' and 'a' have the same id 6"},
        {break_id, "value 'a' has id 1000 of 7"},
        {break_type, "value 'a' has rank 17"},
        {break_dim, "dim 0 of value 'x' is row 999 of 1"},
        {break_constant, "the constant of 'w' is float, not contiguous int8"},
        {make_constant_of_output, "value 'a' is a constant, but a node makes it"},
        {break_attribute, "If node making 'i': attribute 'g' is of kind 0"},
        {break_owner, "If node making 'i': attribute 'g' is a graph of another node"},
        {break_variable, "variable 'past' is input 0 of 1 and output 3 of 1"},
        {read_early, "If node making 'i' reads 'a' before it is made"},
        {read_inside, "C node making 'c' reads 'b' of graph 'inner', which is not around it"},
        {read_nothing, "C node making 'c' reads 'u', which nothing makes"},
        {read_own_output, "B node making 'b' reads 'i' before it is made"},
        {output_late, "a graph's output reads 'c' before it is made"},
        {share_name, "two values that are visible together are called 'a'"},
        {share_name_with_constant, "two values that are visible together are called 'w'"},
        {nest_deep, "graph 'deep' is nested more than 64 deep"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        Parts p = parts_of(parse(t, sound));
        QnError err = {0};
        EXPECT(t, qn_module_verify(p.module, &err) == QN_OK, "%s", err.message);
        rows[i].damage(&p);
        EXPECT(t, qn_module_verify(p.module, &err) == QN_BAD_MODEL, "row %zu was not found", i);
        EXPECT(t, !strcmp(err.message, rows[i].want), "row %zu: %s", i, err.message);
        qn_module_free(p.module);
    }
}

TEST(siblings_may_share_names)
{
    QnModule *m =
        parse(t, "graph main(%x) {\n"
                 "  A() {g = graph () {\n    %y = B(%x)\n    return %y\n  }, h = graph () {\n"
                 "    %y = C(%x)\n    return %y\n  }}\n"
                 "  return\n}\n");
    QnError err = {0};
    EXPECT(t, qn_module_verify(m, &err) == QN_OK, "%s", err.message);
    qn_module_free(m);
}

/* --- random edits --- */

typedef struct Random {
    uint64_t state;
} Random;

static int pick(Random *random, int count)
{
    random->state = random->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((random->state >> 33) % (uint64_t)count);
}

enum { POOL = 64 };

/* Nodes of a module that stand in it, in no order. */
typedef struct Pool {
    QnModule *module;
    QnNode *nodes[POOL];
    int count;
    Random random;
} Pool;

static QnIrValue *pick_value(Pool *pool)
{
    const int i = pick(&pool->random, pool->count + 2);
    if (i >= pool->count)
        return i == pool->count ? NULL : pool->module->main->inputs[0];
    return qn_node_output(pool->nodes[i], pick(&pool->random, 2));
}

static QnGraph *pick_graph(Pool *pool)
{
    QnGraph *graph =
        pool->count ? qn_node_graph(pool->nodes[pick(&pool->random, pool->count)], 0) : NULL;
    return graph ? graph : pool->module->main;
}

static void add(Pool *pool)
{
    QnIrValue *inputs[3] = {pick_value(pool), pick_value(pool), pick_value(pool)};
    QnGraph *graph = pick_graph(pool);
    QnNode *node = qn_node_create(graph, pick(&pool->random, 2) ? graph->first : NULL, "Op", "",
                                  inputs, pick(&pool->random, 4), 2);
    if (pick(&pool->random, 3) == 0 && qn_graph_depth(graph) < 6) {
        QnGraph *inner = qn_graph_create(pool->module, "inner");
        qn_graph_add_output(inner, pick_value(pool), "out");
        qn_node_set_graph(node, "body", inner);
    }
    pool->nodes[pool->count++] = node;
}

/* Is the node `outer`, or somewhere inside it? */
static bool is_inside(const QnNode *node, const QnNode *outer)
{
    while (node && node != outer)
        node = node->graph->owner;
    return node != NULL;
}

static void drop(Pool *pool, QnNode *node)
{
    /* Nobody may read what goes. */
    for (int i = 0; i < pool->count; i++)
        if (is_inside(pool->nodes[i], node))
            for (int k = 0; k < pool->nodes[i]->output_count; k++)
                qn_value_replace(pool->nodes[i]->outputs[k], pool->module->main->inputs[0]);
    int kept = 0;
    for (int i = 0; i < pool->count; i++)
        if (!is_inside(pool->nodes[i], node))
            pool->nodes[kept++] = pool->nodes[i];
    pool->count = kept;
    qn_node_remove(node);
}

static void edit(Pool *pool)
{
    if (pool->count == 0 || (pool->count < POOL && pick(&pool->random, 3) == 0)) {
        add(pool);
        return;
    }
    QnNode *node = pool->nodes[pick(&pool->random, pool->count)];
    switch (pick(&pool->random, 7)) {
    case 0:
        drop(pool, node);
        break;
    case 1:
        if (node->input_count)
            qn_use_set(&node->inputs[pick(&pool->random, node->input_count)], pick_value(pool));
        break;
    case 2:
        qn_value_replace(node->outputs[0], pick_value(pool));
        break;
    case 3:
        qn_node_resize_inputs(node, pick(&pool->random, 6));
        break;
    case 4: {
        QnGraph *graph = pick_graph(pool);
        if (!qn_graph_is_within(graph, qn_node_graph(node, 0) ? qn_node_graph(node, 0) : NULL) &&
            !qn_node_graph(node, 0))
            qn_node_move(node, graph, NULL);
        break;
    }
    case 5:
        qn_graph_add_output(pool->module->main, pick_value(pool), "y");
        break;
    default:
        if (pool->module->main->output_count)
            qn_graph_remove_output(pool->module->main,
                                   pick(&pool->random, pool->module->main->output_count));
    }
}

/* Edits make cycles and read what is out of sight; lists and uses must stay whole all the same, and
 * where the sorter finds an order, the verifier agrees with it. */
TEST(uses_stay_whole_under_random_edits)
{
    int sorted = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        Pool pool = {.module = parse(t, "graph main(%x) {\n  return\n}\n"), .random = {seed}};
        for (int i = 0; i < 400; i++) {
            QnError err = {0};
            edit(&pool);
            if (qn_module_verify(pool.module, &err) != QN_OK) {
                const bool is_order = strstr(err.message, " reads '") != NULL;
                EXPECT(t, is_order, "seed %d, edit %d: %s", (int)seed, i, err.message);
            }
            if (qn_module_sort(pool.module, &err) == QN_OK) {
                sorted++;
                EXPECT(t, qn_module_verify(pool.module, &err) == QN_OK,
                       "seed %d, edit %d, sorted: %s", (int)seed, i, err.message);
            }
        }
        qn_module_free(pool.module);
    }
    EXPECT(t, sorted > 1000, "only %d were sorted", sorted);
}

/* --- sizes --- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* What every step may take on any machine, with sanitizers; a quadratic one takes minutes. */
enum { SECONDS_ALLOWED = 20, MANY = 100000 };

static QnModule *make_many(Test *t)
{
    QnModule *m = parse(
        t,
        "graph main(%x: float[N]) {\n  const %w: float[1] = {1}\n  %y = A(%x, %w)\n  return\n}\n");
    QnIrValue *value = m->main->first->outputs[0], *w = m->main->first->inputs[1].value;
    for (int i = 1; i < MANY; i++)
        value =
            qn_node_create(m->main, NULL, "Add", "", (QnIrValue *[]){value, w}, 2, 1)->outputs[0];
    qn_graph_add_output(m->main, value, "z");
    return m;
}

TEST(large_modules_take_linear_time)
{
    QnError err = {0};
    QnText text = qn_text(NULL);
    QnModule *again = NULL, *copy = NULL;
    const double start = seconds();
    QnModule *m = make_many(t);
    const double built = seconds();
    EXPECT(t, qn_module_sort(m, &err) == QN_OK, "%s", err.message);
    const double sorted = seconds();
    EXPECT(t, qn_module_verify(m, &err) == QN_OK, "%s", err.message);
    const double verified = seconds();
    qn_module_print(m, &text);
    const double printed = seconds();
    EXPECT(t, qn_module_parse(&again, qn_text_string(&text), NULL, &err) == QN_OK, "%s",
           err.message);
    const double parsed = seconds();
    EXPECT(t, qn_module_clone(&copy, m, &err) == QN_OK, "%s", err.message);
    const double cloned = seconds();
    EXPECT(t, cloned - start < SECONDS_ALLOWED,
           "built %.2f, sorted %.2f, verified %.2f, printed %.2f, parsed %.2f, copied %.2f s",
           built - start, sorted - built, verified - sorted, printed - verified, parsed - printed,
           cloned - parsed);
    if (getenv("QN_TEST_TIMES"))
        printf("built %.3f, sorted %.3f, verified %.3f, printed %.3f, parsed %.3f, copied %.3f s\n",
               built - start, sorted - built, verified - sorted, printed - verified,
               parsed - printed, cloned - parsed);
    qn_text_finish(&text);
    qn_module_free(copy);
    qn_module_free(again);
    qn_module_free(m);
}

TEST_MAIN(CASE(every_damage_has_its_sentence), CASE(siblings_may_share_names),
          CASE(uses_stay_whole_under_random_edits), CASE(large_modules_take_linear_time))
