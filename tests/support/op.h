/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of operators as rows of text: a one-node graph is inferred, its reference run, and the
 * outputs compared as text.
 *
 *     static const OpRow rows[] = {
 *         {"Relu", {"float[3] = {-1, 0, 2}"}, .want = "float[3] {0, 0, 2}"},
 *         {"Softmax", {"float[N,3]"}, "axis = 2", .want = "error: axis is 2, expected -2 to 1"},
 *         {"TopK", {"float[N,3]", "int64[1] = {2}"}, .outputs = 2,
 *          .want = "float[N,2]; int64[N,2]"},
 *     };
 *
 * Inputs are written as in engine/ir/text.h, "_" is an absent one.  Where an input has no elements
 * the wanted text is the types that inference finds; "error: ..." is the end of the message of
 * whatever refused.  Floats are printed with six digits.
 */
#ifndef QN_TESTS_OP_H
#define QN_TESTS_OP_H

#include <math.h>

#include "base/text.h"
#include "engine/ir/text.h"
#include "engine/ops/op.h"
#include "tests/support/test.h"

enum { OP_INPUTS = 18 };

typedef struct OpRow {
    const char *op; /* with its domain, "ml.Scaler" */
    const char *inputs[OP_INPUTS];
    const char *attributes; /* "axis = 1, mode = \"x\""; NULL: none */
    const char *want;
    int outputs; /* 0: one */
} OpRow;

/* The graph of a row; *has_data: all inputs have their elements. */
static inline void op_write(QnText *text, const OpRow *row, bool *has_data)
{
    int count = 0;
    *has_data = true;
    while (count < OP_INPUTS && row->inputs[count])
        count++;
    qn_text_puts(text, "graph main(");
    for (int i = 0, before = 0; i < count; i++)
        if (!strchr(row->inputs[i], '=') && strcmp(row->inputs[i], "_") != 0) {
            qn_text_printf(text, "%s%%i%d: %s", before++ ? ", " : "", i, row->inputs[i]);
            *has_data = false;
        }
    qn_text_puts(text, ") {\n");
    for (int i = 0; i < count; i++)
        if (strchr(row->inputs[i], '='))
            qn_text_printf(text, "const %%i%d: %s\n", i, row->inputs[i]);
    for (int i = 0; i < (row->outputs ? row->outputs : 1); i++)
        qn_text_printf(text, "%s%%y%d", i ? ", " : "", i);
    qn_text_printf(text, " = %s(", row->op);
    for (int i = 0; i < count; i++)
        if (strcmp(row->inputs[i], "_") != 0)
            qn_text_printf(text, "%s%%i%d", i ? ", " : "", i);
        else
            qn_text_puts(text, i ? ", _" : "_");
    qn_text_puts(text, ")");
    if (row->attributes)
        qn_text_printf(text, " {%s}", row->attributes);
    qn_text_puts(text, "\nreturn %y0\n}\n");
}

static inline void op_print_element(QnText *text, const QnTensor *x, int64_t i)
{
    if (x->type == QN_STRING) {
        const QnString *string = (const QnString *)x->data + i;
        qn_text_printf(text, "\"%.*s\"", (int)string->size, string->data ? string->data : "");
    } else if (x->type == QN_UINT64) {
        qn_text_printf(text, "%llu", (unsigned long long)qn_tensor_get_int(x, i));
    } else if (!qn_type_is_float(x->type)) {
        qn_text_printf(text, "%lld", (long long)qn_tensor_get_int(x, i));
    } else {
        const double value = qn_tensor_get(x, i);
        qn_text_printf(text, "%.6g", isnan(value) ? (double)NAN : value + 0.0);
    }
}

static inline void op_print(QnText *text, const QnTensor *x)
{
    qn_text_printf(text, "%s[", qn_type_name(x->type));
    for (int d = 0; d < x->rank; d++)
        qn_text_printf(text, "%s%lld", d ? "," : "", (long long)x->dims[d]);
    qn_text_puts(text, "] {");
    for (int64_t i = 0; i < qn_tensor_count(x); i++) {
        qn_text_puts(text, i ? ", " : "");
        op_print_element(text, x, i);
    }
    qn_text_puts(text, "}");
}

static inline void *op_allocate(void *user, int output, size_t size)
{
    (void)output;
    return qn_arena_alloc_raw(user, size, 64);
}

/* Runs the node's reference; appends the outputs. */
static inline QnStatus op_compute(QnText *text, const QnNode *node, QnArena *arena, QnError *err)
{
    QnValue inputs[OP_INPUTS] = {0}, outputs[OP_INPUTS] = {0};
    uint64_t random[4] = {1, 2, 3, 4};
    QnArena scratch;
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].value)
            inputs[i] = qn_value_tensor(*node->inputs[i].value->constant);
    qn_arena_init(&scratch, NULL);
    const QnCall call = {.node = node,
                         .inputs = inputs,
                         .input_count = node->input_count,
                         .outputs = outputs,
                         .output_count = node->output_count,
                         .arena = arena,
                         .scratch = &scratch,
                         .random = random,
                         .allocate = op_allocate,
                         .user = arena,
                         .err = err};
    const QnStatus status = qn_op_call(&call);
    qn_arena_finish(&scratch);
    for (int i = 0; status == QN_OK && i < node->output_count; i++) {
        qn_text_puts(text, i ? "; " : "");
        if (outputs[i].kind == QN_TENSOR)
            op_print(text, &outputs[i].tensor);
    }
    return status;
}

static inline QnStatus op_run(QnText *out, QnModule *m, bool has_data, QnArena *arena, QnError *err)
{
    QN_TRY(qn_ops_resolve(m, NULL, err));
    QN_TRY(qn_infer_module(m, err));
    const QnNode *node = m->main->first;
    if (has_data)
        return op_compute(out, node, arena, err);
    for (int i = 0; i < node->output_count; i++) {
        char type[256];
        qn_ir_type_print(&m->dims, &node->outputs[i]->type, type, sizeof type);
        qn_text_printf(out, "%s%s", i ? "; " : "", type);
    }
    return QN_OK;
}

/* Is `want` what came out, or, behind "error: ", how the message ends? */
static inline bool op_is_wanted(const char *want, QnStatus status, const char *got,
                                const char *message)
{
    if (strncmp(want, "error: ", 7) != 0)
        return status == QN_OK && !strcmp(want, got);
    const size_t size = strlen(want + 7), length = strlen(message);
    return status != QN_OK && size <= length && !strcmp(message + length - size, want + 7);
}

static inline void op_check(Test *t, const OpRow *row)
{
    QnText source = qn_text(NULL), out = qn_text(NULL);
    QnModule *module = NULL;
    QnError err = {0};
    QnArena arena;
    bool has_data;
    qn_arena_init(&arena, NULL);
    op_write(&source, row, &has_data);
    QnStatus status = qn_module_parse(&module, qn_text_string(&source), NULL, &err);
    if (EXPECT(t, status == QN_OK, "%s: %s", qn_text_string(&source), err.message)) {
        status = op_run(&out, module, has_data, &arena, &err);
        EXPECT(t, op_is_wanted(row->want, status, qn_text_string(&out), err.message),
               "%s {%s} is to give\n  %s, not\n  %s", row->op,
               row->attributes ? row->attributes : "", row->want,
               status == QN_OK ? qn_text_string(&out) : err.message);
    }
    qn_module_free(module);
    qn_arena_finish(&arena);
    qn_text_finish(&source);
    qn_text_finish(&out);
}

/* Checks all rows of an array. */
#define OP_CHECK(t, rows)                                               \
    for (size_t row_ = 0; row_ < sizeof(rows) / sizeof *(rows); row_++) \
    op_check((t), &(rows)[row_])

#endif
