/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the engine as rows of text: a module, its inputs, and what a run gives.
 *
 *     static const RunRow rows[] = {
 *         {"graph main(%x: float[N]) { %y = Relu(%x) return %y }", {"float[2] = {-1, 3}"},
 *          "float[2] {0, 3}"},
 *     };
 *     RUN_CHECK(t, rows);
 *
 * Modules and inputs are written as in engine/ir/text.h; "_" is an input that is left out.  Outputs
 * are printed one after the other, collections in brackets; "error: ..." is the message of whatever
 * refused.  Each row runs twice in one session: what the first run left behind must not be seen.
 */
#ifndef QN_TESTS_ENGINE_H
#define QN_TESTS_ENGINE_H

#include "engine/devices/cpu/cpu.h"
#include "engine/plan/plan.h"
#include "engine/run/session.h"
#include "quern/unstable/values.h"
#include "tests/support/op.h"

enum { ENGINE_VALUES = 8 };

typedef struct Engine {
    QnPlan *plan;
    QnSession *session;
    QnModule *inputs; /* whose constants are the inputs of the last run */
    QnValue outputs[ENGINE_VALUES];
    QnText text; /* the outputs of the last run, or "error: ..." */
    QnError err;
} Engine;

typedef struct RunRow {
    const char *graph;
    const char *inputs[ENGINE_VALUES];
    const char *want;
} RunRow;

/* What differs from the defaults; {0} changes nothing. */
typedef struct EngineOptions {
    const QnAllocator *allocator;
    const char *const *states;
    QnSessionOptions session;
    bool keep_all;
    bool by_reference; /* no lowering: the operators' definitions compute all */
} EngineOptions;

static inline QnStatus engine_offer_nothing(QnOfferCall *call)
{
    (void)call;
    return QN_OK;
}

static inline QnStatus engine_plan(Engine *e, QnModule *module, const EngineOptions *options)
{
    QnDevice *device;
    QnStatus status = qn_ops_resolve(module, NULL, &e->err);
    if (status == QN_OK)
        status = qn_infer_module(module, &e->err);
    if (status == QN_OK)
        status = qn_cpu_device_create(&device, getenv("QN_CPU"), options->allocator, &e->err);
    if (status != QN_OK) {
        qn_module_free(module);
        return status;
    }
    if (options->by_reference)
        device->offers = engine_offer_nothing;
    const QnPlanRequest request = {.module = module,
                                   .device = device,
                                   .allocator = options->allocator,
                                   .states = options->states,
                                   .keep_all = options->keep_all,
                                   .free_dim = 16};
    return qn_plan_create(&e->plan, &request, &e->err);
}

/* Opens a session on a module.  engine_close gives back what there is, also after a failure. */
static inline QnStatus engine_open_with(Engine *e, const char *graph, const EngineOptions *options)
{
    QnModule *module;
    *e = (Engine){.text = qn_text(NULL)};
    QN_TRY(qn_module_parse(&module, graph, options->allocator, &e->err));
    QN_TRY(engine_plan(e, module, options));
    QnSessionOptions session = options->session;
    session.size = sizeof session;
    session.allocator = options->allocator;
    return qn_session_create(&e->session, e->plan, &session, &e->err);
}

static inline QnStatus engine_open(Engine *e, const char *graph)
{
    return engine_open_with(e, graph, &(EngineOptions){0});
}

static inline void engine_close(Engine *e)
{
    qn_session_free(e->session);
    qn_plan_destroy(e->plan);
    qn_module_free(e->inputs);
    qn_text_finish(&e->text);
    *e = (Engine){0};
}

/* Values from text, held by e->inputs until the next call. */
static inline QnStatus engine_read(Engine *e, const char *const *texts, QnValue *values)
{
    QnText source = qn_text(NULL);
    qn_module_free(e->inputs);
    e->inputs = NULL;
    qn_text_puts(&source, "graph main() {\n");
    for (int i = 0; i < ENGINE_VALUES && texts[i]; i++)
        if (strcmp(texts[i], "_") != 0)
            qn_text_printf(&source, "const %%i%d: %s\n", i, texts[i]);
    qn_text_puts(&source, "return");
    for (int i = 0, before = 0; i < ENGINE_VALUES && texts[i]; i++)
        if (strcmp(texts[i], "_") != 0)
            qn_text_printf(&source, "%s %%i%d", before++ ? "," : "", i);
    qn_text_puts(&source, "\n}\n");
    const QnStatus status = qn_module_parse(&e->inputs, qn_text_string(&source), NULL, &e->err);
    qn_text_finish(&source);
    for (int i = 0, given = 0; status == QN_OK && i < ENGINE_VALUES && texts[i]; i++)
        if (strcmp(texts[i], "_") != 0)
            values[i] = qn_value_tensor(*e->inputs->main->outputs[given++].value->constant);
    return status;
}

static inline void engine_print_value(QnText *text, const QnValue *value)
{
    if (value->kind == QN_TENSOR) {
        const QnTensor *from = &value->tensor;
        const size_t size = (size_t)qn_tensor_count(from) * qn_type_size(from->type);
        void *data = malloc(size + 1);
        qn_tensor_copy_contiguous(from, data);
        const QnTensor copy = qn_tensor(from->type, from->rank, from->dims, data);
        op_print(text, &copy);
        free(data);
        return;
    }
    qn_text_puts(text, value->kind == QN_NONE ? "none" : "[");
    for (int64_t i = 0; value->kind != QN_NONE && i < value->count; i++) {
        qn_text_puts(text, i ? ", " : "");
        engine_print_value(text, &value->items[i]);
    }
    qn_text_puts(text, value->kind == QN_NONE ? "" : "]");
}

/* Runs on values; the outputs, or the error, as text that is valid until the next run. */
static inline const char *engine_run_values(Engine *e, const QnValue *inputs,
                                            const QnRunOptions *options)
{
    memset(e->outputs, 0, sizeof e->outputs);
    qn_text_finish(&e->text);
    e->text = qn_text(NULL);
    e->err = (QnError){0};
    if (qn_session_run(e->session, inputs, e->outputs, options, &e->err) != QN_OK) {
        qn_text_printf(&e->text, "error: %s", e->err.message);
        return qn_text_string(&e->text);
    }
    for (int i = 0; i < e->plan->output_count; i++) {
        qn_text_puts(&e->text, i ? "; " : "");
        engine_print_value(&e->text, &e->outputs[i]);
    }
    return qn_text_string(&e->text);
}

static inline const char *engine_run(Engine *e, const char *const *texts)
{
    QnValue inputs[ENGINE_VALUES] = {{.kind = QN_NONE}};
    if (engine_read(e, texts, inputs) != QN_OK)
        return e->err.message;
    return engine_run_values(e, inputs, NULL);
}

/* The same with inputs at the call: ENGINE_RUN(&e, "float[1] = {1}", "_"). */
#define ENGINE_RUN(e, ...) engine_run((e), (const char *const[ENGINE_VALUES]){__VA_ARGS__})

static inline void engine_check(Test *t, const RunRow *row, bool by_reference)
{
    Engine e;
    const EngineOptions options = {.by_reference = by_reference};
    if (engine_open_with(&e, row->graph, &options) != QN_OK) {
        char text[sizeof e.err.message + 8];
        snprintf(text, sizeof text, "error: %s", e.err.message);
        EXPECT(t, !strcmp(text, row->want), "%s\nis to give\n  %s, not\n  %s", row->graph,
               row->want, text);
    } else {
        for (int run = 0; run < 2; run++) {
            const char *got = engine_run(&e, row->inputs);
            EXPECT(t, !strcmp(got, row->want), "%s\n(%s, run %d) is to give\n  %s, not\n  %s",
                   row->graph, by_reference ? "by reference" : "lowered", run, row->want, got);
        }
    }
    engine_close(&e);
}

/* Checks all rows of an array, lowered and by the operators' definitions. */
#define RUN_CHECK(t, rows)                                                  \
    for (size_t row_ = 0; row_ < 2 * sizeof(rows) / sizeof *(rows); row_++) \
    engine_check((t), &(rows)[row_ / 2], row_ % 2 != 0)

#endif
