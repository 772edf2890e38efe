/* SPDX-License-Identifier: Apache-2.0 */
/* All that is wrong with a model file: include/quern/unstable/check.h. */
#include "quern/unstable/check.h"

#include <stdio.h>
#include <string.h>

#include "engine/api/model.h"
#include "engine/api/options.h"
#include "engine/formats/format.h"
#include "engine/ir/text.h"
#include "engine/ops/op.h"

/* ---- what the file declares, against what inference finds ---- */

/* Do the types contradict each other?  What one of them leaves open does not. */
static bool is_conflict(const QnIrType *declared, const QnIrType *inferred)
{
    if (declared->kind == QN_NONE || inferred->kind == QN_NONE)
        return false;
    if (declared->kind != inferred->kind)
        return true;
    if (declared->kind != QN_TENSOR) {
        const bool has_items = declared->item && inferred->item;
        if (declared->kind == QN_MAP && declared->element != inferred->element)
            return true;
        return has_items && is_conflict(declared->item, inferred->item);
    }
    if (declared->element && inferred->element && declared->element != inferred->element)
        return true;
    const QnShape *a = &declared->shape, *b = &inferred->shape;
    if (a->rank < 0 || b->rank < 0)
        return false;
    if (a->rank != b->rank)
        return true;
    for (int d = 0; d < a->rank; d++)
        if (qn_dim_is_known(a->dims[d]) && qn_dim_is_known(b->dims[d]) && a->dims[d] != b->dims[d])
            return true;
    return false;
}

static void check_declarations(const QnModule *module)
{
    for (int i = 0; i < module->declaration_count; i++) {
        const QnDeclaration *at = &module->declarations[i];
        char label[300], declared[400], inferred[400];
        if (!is_conflict(&at->type, &at->value->type))
            continue;
        snprintf(label, sizeof label, "%s '%.256s'", at->what, at->name);
        qn_ir_type_print(&module->dims, &at->type, declared, sizeof declared);
        qn_ir_type_print(&module->dims, &at->value->type, inferred, sizeof inferred);
        qn_report_add(module->report, &(QnFinding){.severity = QN_BREACH,
                                                   .rule = "declared-type",
                                                   .file = module->path,
                                                   .node = label,
                                                   .found = declared,
                                                   .expected = inferred,
                                                   .remedy = "correct what is declared; quern "
                                                             "goes by what it infers"});
    }
}

/* ---- the types that the engine computes in ---- */

static void check_inputs(const QnNode *node, QnReport *report)
{
    for (int i = 0; i < node->input_count; i++) {
        const QnIrValue *value = node->inputs[i].value;
        char label[300], field[200], found[400], expected[200];
        if (!value || qn_op_accepts(node->def, i, &value->type, expected, sizeof expected))
            continue;
        snprintf(field, sizeof field, "input %d", i);
        qn_ir_type_print(&node->graph->module->dims, &value->type, found, sizeof found);
        qn_report_add(report, &(QnFinding){.severity = QN_SEVERE,
                                           .rule = "unsupported-type",
                                           .file = node->graph->module->path,
                                           .node = qn_node_label(node, label, sizeof label),
                                           .field = field,
                                           .found = found,
                                           .expected = expected});
    }
}

static void check_types(const QnModule *module)
{
    for (const QnNode *node = NULL; (node = qn_module_walk(module, node));)
        if (node->def)
            check_inputs(node, module->report);
}

/* ---- the steps ---- */

/* A failure that is no finding yet becomes one. */
static QnStatus tell(QnReport *report, QnStatus status, const char *rule, const char *path,
                     const QnError *err)
{
    const size_t size = strlen(path);
    const char *message = err->message;
    if (status == QN_OK || status == QN_NO_MEMORY)
        return status;
    if (!strncmp(message, path, size) && !strncmp(message + size, ": ", 2))
        message += size + 2; /* the finding names the file by itself */
    qn_report_add(
        report, &(QnFinding){.severity = QN_SEVERE, .rule = rule, .file = path, .found = message});
    return QN_OK;
}

static QnStatus infer(QnModule *module, QnReport *report, QnError *err)
{
    module->report = report;
    const QnStatus resolved = qn_ops_resolve(module, report, err); /* else findings say what */
    if (resolved == QN_NO_MEMORY)
        return resolved;
    QN_TRY(qn_infer_module(module, err));
    check_types(module);
    check_declarations(module);
    return QN_OK;
}

/* The file by itself: read for checking, and inferred. */
static QnStatus check_file(QnReport *report, const char *path, const QnCheckOptions *options,
                           QnError *err)
{
    QnSource *source;
    QnModule *module = NULL;
    const QnReadOptions reading = {
        .allocator = options->allocator, .folder = options->folder, .is_checking = true};
    QN_TRY(qn_source_open(&source, path, options->allocator, false, UINT64_MAX, err));
    QnStatus status = qn_format_read(&module, path, source->bytes, &reading, report, err);
    if (status == QN_OK)
        status = infer(module, report, err);
    else
        status = tell(report, status, "unreadable", path, err);
    qn_module_free(module);
    qn_source_release(source);
    return status;
}

/* The model as it would run. */
static QnStatus check_plan(QnFindings *findings, const char *path, const QnCheckOptions *options,
                           QnError *err)
{
    QnModel *model = NULL;
    QnPlan *plan = NULL;
    const QnModelOptions reading = {
        .size = sizeof reading, .folder = options->folder, .allocator = options->allocator};
    const QnPlanOptions planning = {.size = sizeof planning, .allocator = options->allocator};
    QnStatus status = qn_model_load(&model, path, &reading, NULL, err);
    if (status == QN_OK)
        status = qn_plan_build(&plan, model, &planning, findings, err);
    qn_plan_free(plan);
    qn_model_free(model);
    QnReport report = qn_report(&findings->arena);
    status = tell(&report, status, "unplannable", path, err);
    qn_report_append(&findings->report, &report);
    return status;
}

QnStatus qn_model_check(QnFindings *findings, const char *path, const QnCheckOptions *options,
                        QnError *err)
{
    QnCheckOptions filled;
    QnError why = {0}; /* also of failures that become findings, which the caller's does not get */
    QN_TRY(qn_options_fill(&filled, sizeof filled, options, options ? options->size : 0,
                           "QnCheckOptions", err));
    QnReport report = qn_report(&findings->arena); /* of this model, whatever the list holds */
    QnStatus status = check_file(&report, path, &filled, &why);
    const bool is_bad = qn_report_is_bad(&report);
    qn_report_append(&findings->report, &report);
    if (status == QN_OK && !is_bad && !filled.no_plan)
        status = check_plan(findings, path, &filled, &why);
    if (status == QN_NO_MEMORY)
        return qn_no_memory(err);
    if (status != QN_OK && err)
        *err = why;
    return status;
}
