/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of passes: rows of graphs as text, before and after one pass.
 *
 *     static const PassRow rows[] = {{"what it shows", "graph main(…) {…}", "graph main(…) {…}"}};
 *     EXPECT_PASS(t, &qn_pass_identities, rows);
 *
 * Each row is run, compared as text, and both graphs are computed by the references on made-up
 * inputs: outputs must agree, to the bit where the pass says so.  Then each allocation fails once.
 * Open dimensions are 3.  `after` NULL: nothing changes.
 */
#ifndef QN_TESTS_PASS_H
#define QN_TESTS_PASS_H

#include <math.h>

#include "engine/ir/text.h"
#include "engine/ops/op.h"
#include "engine/passes/passes.h"
#include "tests/support/alloc_fault.h"
#include "tests/support/test.h"

typedef struct PassRow {
    const char *name, *before, *after;
} PassRow;

/* Reads, resolves and infers. */
static inline QnStatus pass_read(QnModule **out, const char *text, const QnAllocator *allocator,
                                 QnError *err)
{
    QnModule *module;
    QN_TRY(qn_module_parse(&module, text, allocator, err));
    QnStatus status = qn_ops_resolve(module, NULL, err);
    if (status == QN_OK)
        status = qn_infer_module(module, err);
    if (status == QN_OK)
        *out = module;
    else
        qn_module_free(module);
    return status;
}

/* The graph as text; freed by the caller. */
static inline char *pass_print(const QnModule *module)
{
    QnText text = qn_text(NULL);
    qn_module_print(module, &text);
    const char *printed = qn_text_string(&text);
    const size_t size = strlen(printed);
    char *copy = malloc(size + 1);
    memcpy(copy, printed, size + 1);
    qn_text_finish(&text);
    return copy;
}

/* The text after the pass, or "error: …"; freed by the caller. */
static inline char *pass_run_text(const QnPass *pass, const char *before,
                                  const QnPassOptions *options, int *changes)
{
    QnModule *module = NULL;
    QnError err = {0};
    QnStatus status = pass_read(&module, before, NULL, &err);
    if (status == QN_OK)
        status = qn_pass_run(module, pass, options, changes, &err);
    char *printed = NULL;
    if (status == QN_OK) {
        printed = pass_print(module);
    } else {
        printed = malloc(sizeof err.message + 16);
        snprintf(printed, sizeof err.message + 16, "error: %s", err.message);
    }
    qn_module_free(module);
    return printed;
}

/* ---- computing a graph by the references ---- */

typedef struct PassWorld {
    QnArena arena;
    QnValue *values; /* by the id of the value */
    uint64_t random[4];
} PassWorld;

static inline void *pass_allocate(void *user, int output, size_t size)
{
    (void)output;
    return qn_arena_alloc_raw(&((PassWorld *)user)->arena, size, 64);
}

/* Numbers between -2 and 2 with a few zeros; small whole ones for integers. */
static inline void pass_make_input(PassWorld *world, const QnIrValue *input)
{
    int64_t dims[QN_MAX_RANK] = {0};
    const QnShape *shape = &input->type.shape;
    for (int d = 0; d < shape->rank; d++)
        dims[d] = qn_dim_is_known(shape->dims[d]) ? shape->dims[d] : 3;
    QnTensor tensor = qn_tensor(input->type.element, shape->rank < 0 ? 0 : shape->rank, dims, NULL);
    const int64_t count = qn_tensor_count(&tensor);
    tensor.data = qn_arena_alloc_raw(&world->arena, (size_t)count * 8 + 8, 64);
    for (int64_t i = 0; i < count; i++) {
        const int64_t step = (i * 7 + input->id * 3) % 17;
        qn_tensor_set(&tensor, i,
                      qn_type_is_float(tensor.type) ? (double)(step - 8) / 4 : (double)(step % 2));
    }
    world->values[input->id] = qn_value_tensor(tensor);
}

static inline const QnValue *pass_value(PassWorld *world, const QnIrValue *value)
{
    if (value->constant && !value->is_default)
        world->values[value->id] = qn_value_tensor(*value->constant);
    return &world->values[value->id];
}

static inline QnStatus pass_compute_node(PassWorld *world, const QnNode *node, QnError *err)
{
    QnValue inputs[16] = {{0}}, outputs[16] = {{0}};
    QnArena scratch;
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].value)
            inputs[i] = *pass_value(world, node->inputs[i].value);
    qn_arena_init(&scratch, NULL);
    const QnCall call = {.node = node,
                         .inputs = inputs,
                         .input_count = node->input_count,
                         .outputs = outputs,
                         .output_count = node->output_count,
                         .arena = &world->arena,
                         .scratch = &scratch,
                         .random = world->random,
                         .allocate = pass_allocate,
                         .user = world,
                         .err = err};
    const QnStatus status = qn_op_call(&call);
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            world->values[node->outputs[i]->id] = outputs[i];
    qn_arena_finish(&scratch);
    return status;
}

/* Computes the main graph; its outputs are world->values of their ids. */
static inline QnStatus pass_compute(PassWorld *world, const QnModule *module, QnError *err)
{
    *world = (PassWorld){.random = {1, 2, 3, 4}};
    qn_arena_init(&world->arena, NULL);
    QN_ALLOC(world->values, &world->arena, module->value_count);
    for (int i = 0; i < module->main->input_count; i++)
        pass_make_input(world, module->main->inputs[i]);
    for (const QnNode *node = module->main->first; node; node = node->next)
        QN_TRY(pass_compute_node(world, node, err));
    return QN_OK;
}

/* Are all elements equal: to the bit, or within a few roundings of float? */
static inline bool pass_agrees(const QnValue *a, const QnValue *b, bool is_exact)
{
    const QnTensor *x = &a->tensor, *y = &b->tensor;
    if (a->kind != QN_TENSOR || b->kind != QN_TENSOR || x->type != y->type || x->rank != y->rank ||
        qn_tensor_count(x) != qn_tensor_count(y))
        return false;
    if (is_exact)
        return qn_tensor_is_same(x, y);
    for (int64_t i = 0; i < qn_tensor_count(x); i++)
        if (qn_tensor_get(x, i) != qn_tensor_get(y, i) &&
            !(fabs(qn_tensor_get(x, i) - qn_tensor_get(y, i)) <=
              1e-5 + 1e-5 * fabs(qn_tensor_get(y, i))))
            return false;
    return true;
}

static inline bool pass_has_control(const QnModule *module)
{
    for (const QnNode *node = qn_module_walk(module, NULL); node;
         node = qn_module_walk(module, node))
        if (node->def->traits & QN_OP_CONTROL)
            return true;
    return false;
}

/* Do both graphs give the same outputs, or fail alike?
 * Graphs with control flow are compared as text only. */
static inline void pass_compare(Test *t, const PassRow *row, QnModule *before, QnModule *after,
                                bool is_exact)
{
    PassWorld one, two;
    QnError err = {0};
    if (pass_has_control(before) || pass_has_control(after))
        return;
    const QnStatus first = pass_compute(&one, before, &err);
    const QnStatus second = pass_compute(&two, after, &err);
    EXPECT(t, first == second, "%s: %d and %d: %s", row->name, (int)first, (int)second,
           err.message);
    for (int i = 0; first == QN_OK && second == QN_OK && i < before->main->output_count; i++)
        EXPECT(t,
               pass_agrees(pass_value(&one, before->main->outputs[i].value),
                           pass_value(&two, after->main->outputs[i].value), is_exact),
               "%s: output %d differs", row->name, i);
    qn_arena_finish(&one.arena);
    qn_arena_finish(&two.arena);
}

static inline void pass_check_values(Test *t, const QnPass *pass, const PassRow *row)
{
    QnModule *before = NULL, *after = NULL;
    QnError err = {0};
    int changes = 0;
    const QnPassOptions options = {0};
    QnStatus status = pass_read(&before, row->before, NULL, &err);
    if (status == QN_OK)
        status = pass_read(&after, row->before, NULL, &err);
    if (status == QN_OK)
        status = qn_pass_run(after, pass, &options, &changes, &err);
    if (EXPECT(t, status == QN_OK, "%s: %s", row->name, err.message))
        pass_compare(t, row, before, after, pass->is_exact);
    qn_module_free(before);
    qn_module_free(after);
}

/* Fails each allocation in turn: a status, and nothing lost. */
static inline void pass_check_memory(Test *t, const QnPass *pass, const PassRow *row)
{
    const QnPassOptions options = {0};
    for (int64_t n = 1; n < 10000; n++) {
        AllocFault fault;
        QnModule *module = NULL;
        QnError err = {0};
        int changes;
        alloc_fault_init(&fault, n);
        QnStatus status = pass_read(&module, row->before, &fault.allocator, &err);
        if (status == QN_OK)
            status = qn_pass_run(module, pass, &options, &changes, &err);
        qn_module_free(module);
        EXPECT(t, alloc_fault_live_bytes(&fault) == 0, "%s: allocation %d leaks", row->name,
               (int)n);
        if (!alloc_fault_has_failed(&fault))
            return;
        EXPECT(t, status == QN_OK || status == QN_NO_MEMORY, "%s: allocation %d: %s", row->name,
               (int)n, err.message);
    }
}

static inline void pass_check_row(Test *t, const QnPass *pass, const PassRow *row,
                                  const QnPassOptions *options)
{
    int changes = 0;
    char *got = pass_run_text(pass, row->before, options, &changes);
    const char *wanted = row->after ? row->after : row->before;
    EXPECT(t, !strcmp(got, wanted), "%s:\n%sgot\n%s", row->name, wanted, got);
    EXPECT(t, (changes == 0) == (row->after == NULL), "%s: %d changes", row->name, changes);
    free(got);
    pass_check_values(t, pass, row);
    pass_check_memory(t, pass, row);
}

#define EXPECT_PASS(t, pass, rows)                                                      \
    do {                                                                                \
        for (size_t pass_i_ = 0; pass_i_ < sizeof(rows) / sizeof((rows)[0]); pass_i_++) \
            pass_check_row((t), (pass), &(rows)[pass_i_], &(QnPassOptions){0});         \
    } while (0)

#endif
