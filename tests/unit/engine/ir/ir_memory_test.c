/* SPDX-License-Identifier: Apache-2.0 */
/* Running out of memory at any place: a status, nothing lost, and a graph that is still whole. */
#include "base/compiler.h"
#include "engine/ir/text.h"
#include "tests/support/test.h"

/* Gives memory until `left` allocations have been made, and counts what is out. */
typedef struct Meter {
    int left;
    size_t live_bytes;
} Meter;

static void *meter_alloc(void *user, size_t size, size_t alignment)
{
    Meter *meter = user;
    if (meter->left-- <= 0)
        return NULL;
    meter->live_bytes += size;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void meter_free(void *user, void *data, size_t size)
{
    Meter *meter = user;
    meter->live_bytes -= size;
    free(data);
}

static const char text[] =
    "graph main(%c: bool[], %x: float[2*N + 1,M]) {\n"
    "  const %w: int64[3] = {3, -1, 2}\n"
    "  %y: float[max(N, M)], _ = If(%c, _, %w) {then_branch = graph then() {\n"
    "    const %v: string[] = {\"a\"}\n"
    "    %1: sequence(float[N]) = Add(%x, %v) {l = [graph (%i) {\n"
    "      return %i, o = %w\n"
    "    }], t = \"s\", f = [1.5, 2.0]}\n"
    "    return %1\n"
    "  }}\n"
    "  return %y\n"
    "}\n"
    "variable past = 0 -> 1\n";

/* All that is done with a module as a whole. */
static QnStatus live_through(QnModule *module, QnText *printed, QnError *err)
{
    QnModule *copy = NULL;
    QnIrValue *outputs[1];
    uint64_t hash;
    QnNode *node = module->main->first;
    QN_TRY(qn_module_sort(module, err));
    QN_TRY(qn_module_verify(module, err));
    QN_TRY(qn_module_hash(&hash, module, err));
    QN_TRY(qn_module_clone(&copy, module, err));
    qn_module_free(copy);
    QN_TRY(qn_graph_inline(qn_node_graph(node, 0), module->main, node, NULL, outputs, err));
    qn_module_print(module, printed);
    return printed->failed ? qn_no_memory(err) : qn_module_verify(module, err);
}

TEST(every_allocation_may_fail)
{
    QnStatus status = QN_NO_MEMORY;
    for (int count = 0; status != QN_OK && count < 1000; count++) {
        Meter meter = {.left = count};
        const QnAllocator allocator = {&meter, meter_alloc, meter_free};
        QnText printed = qn_text(&allocator);
        QnModule *module = NULL;
        QnError err = {0};
        status = qn_module_parse(&module, text, &allocator, &err);
        if (status == QN_OK)
            status = live_through(module, &printed, &err);
        EXPECT(t, status == QN_OK || (status == QN_NO_MEMORY && err.status == QN_NO_MEMORY),
               "allocation %d: %d: %s", count, (int)status, err.message);
        qn_text_finish(&printed);
        qn_module_free(module);
        EXPECT(t, meter.live_bytes == 0, "allocation %d: %zu bytes were lost", count,
               meter.live_bytes);
    }
    EXPECT(t, status == QN_OK, "it never went through");
}

/* Arenas take memory in blocks; a limit of every size makes each of their pieces fail in turn. */
TEST(copies_that_fail_leave_the_graph_whole)
{
    QnStatus status = QN_NO_MEMORY;
    for (size_t limit = 1; status != QN_OK && limit < 100000; limit += 8) {
        QnModule *module = NULL, *copy = NULL;
        REQUIRE(t, qn_module_parse(&module, text, NULL, NULL) == QN_OK, "not read");
        QnGraph *graph = NULL;
        QnError err = {0};
        module->arena.limit_bytes = module->arena.used_bytes + limit;
        status = qn_graph_clone(&graph, module->main, &err);
        module->arena.limit_bytes = 0;
        EXPECT(t, status == QN_OK || status == QN_NO_MEMORY, "limit %zu: %s", limit, err.message);
        EXPECT(t, qn_module_verify(module, &err) == QN_OK, "limit %zu: %s", limit, err.message);
        if (graph)
            qn_graph_release(graph);
        EXPECT(t, qn_module_clone(&copy, module, &err) == QN_OK, "%s", err.message);
        qn_module_free(copy);
        qn_module_free(module);
    }
    EXPECT(t, status == QN_OK, "it never went through");
}

/* One edit of each kind; stops at the first that fails. */
static QnStatus edit(QnModule *m)
{
    QnGraph *g = m->main;
    QnNode *first = g->first;
    QnIrValue *x = g->inputs[1];
    QnNode *node = qn_node_create(g, NULL, "Add", "d", (QnIrValue *[]){x, x}, 2, 2);
    QnGraph *inner = qn_graph_create(m, "inner");
    if (!node || !inner)
        return QN_NO_MEMORY;
    QN_TRY(qn_node_resize_inputs(node, 7));
    QN_TRY(qn_node_resize_outputs(node, 4));
    for (int i = 0; i < 6; i++)
        QN_TRY(qn_graph_add_output(g, node->outputs[i % 4], i % 2 ? "o" : NULL));
    QN_TRY(qn_graph_add_output(inner, x, NULL));
    if (qn_node_set_graph(node, "g", inner) != QN_OK) {
        qn_graph_release(inner); /* it belongs to nobody, but reads x */
        return QN_NO_MEMORY;
    }
    QN_TRY(qn_node_set_text(node, "t", "text"));
    QN_TRY(qn_node_set_ints(first, "i", (int64_t[]){1, 2}, 2));
    QN_TRY(qn_value_set_name(node->outputs[1], "%1000"));
    QnIrValue *ints = qn_value_create_ints(g, (int64_t[]){-5, 6}, 2, 1);
    if (!ints)
        return QN_NO_MEMORY;
    qn_use_set(&node->inputs[0], ints);
    QnIrValue *input = qn_value_create(g, "new", NULL);
    return input ? qn_graph_add_input(g, input) : QN_NO_MEMORY;
}

TEST(edits_that_fail_leave_the_graph_whole)
{
    QnStatus status = QN_NO_MEMORY;
    for (size_t limit = 1; status != QN_OK && limit < 100000; limit += 8) {
        QnModule *module = NULL;
        QnError err = {0};
        REQUIRE(t, qn_module_parse(&module, text, NULL, NULL) == QN_OK, "not read");
        module->arena.limit_bytes = module->arena.used_bytes + limit;
        status = edit(module);
        module->arena.limit_bytes = 0;
        EXPECT(t, status == QN_OK || status == QN_NO_MEMORY, "limit %zu gave %d", limit,
               (int)status);
        EXPECT(t, qn_module_verify(module, &err) == QN_OK, "limit %zu: %s", limit, err.message);
        qn_module_free(module);
    }
    EXPECT(t, status == QN_OK, "it never went through");
}

TEST_MAIN(CASE(every_allocation_may_fail), CASE(copies_that_fail_leave_the_graph_whole),
          CASE(edits_that_fail_leave_the_graph_whole))
