/* SPDX-License-Identifier: Apache-2.0 */
/* Models: include/quern/model.h. */
#include "engine/api/model.h"

#include <stdio.h>

#include "base/file.h"
#include "engine/api/options.h"
#include "engine/formats/format.h"
#include "engine/ir/text.h"
#include "engine/ops/op.h"

static const uint64_t default_limit_bytes = UINT64_C(64) << 30;

/* ---- sources ---- */

void qn_source_acquire(QnSource *source)
{
    qn_refcount_acquire(&source->refs);
}

void qn_source_release(void *user)
{
    QnSource *source = user;
    if (!source || !qn_refcount_release(&source->refs))
        return;
    qn_module_free(source->module);
    if (source->kind == QN_SOURCE_MAPPED)
        qn_file_unmap(source->bytes);
    else if (source->kind == QN_SOURCE_OWNED)
        qn_free(source->allocator, (void *)(uintptr_t)source->bytes.data, source->bytes.size);
    qn_free(source->allocator, source, sizeof *source);
}

static QnStatus create_source(QnSource **out, const QnAllocator *allocator, QnError *err)
{
    *out = qn_alloc(allocator, sizeof **out);
    if (!*out)
        return qn_no_memory(err);
    **out = (QnSource){.allocator = allocator, .kind = QN_SOURCE_BORROWED};
    qn_refcount_init(&(*out)->refs);
    return QN_OK;
}

QnStatus qn_source_open(QnSource **out, const char *path, const QnAllocator *allocator, bool copy,
                        uint64_t limit_bytes, QnError *err)
{
    QnSource *source;
    QN_TRY(create_source(&source, allocator, err));
    QnStatus status;
    if (copy) {
        status = qn_file_read(&source->bytes, path, limit_bytes, allocator, err);
        source->kind = QN_SOURCE_OWNED;
    } else {
        status = qn_file_map(&source->bytes, path, limit_bytes, err);
        source->kind = QN_SOURCE_MAPPED;
    }
    if (status != QN_OK) {
        source->kind = QN_SOURCE_BORROWED;
        qn_source_release(source);
        return status;
    }
    *out = source;
    return QN_OK;
}

/* ---- describing values ---- */

/* What a collection holds in the end. */
static QnType innermost_element(const QnIrType *type)
{
    while (type->item)
        type = type->item;
    return type->element;
}

QnStatus qn_value_info(QnValueInfo *out, const QnModule *module, const QnIrValue *value,
                       const char *name, QnArena *arena)
{
    char text[512];
    const QnIrType *type = &value->type;
    *out = (QnValueInfo){.kind = type->kind, .rank = -1, .is_optional = value->is_default};
    out->type = innermost_element(type);
    out->name = qn_arena_copy_text(arena, name, strlen(name));
    qn_ir_type_print(&module->dims, type, text, sizeof text);
    out->type_text = qn_arena_copy_text(arena, text, strlen(text));
    if (!out->name || !out->type_text)
        return QN_NO_MEMORY;
    if (type->kind != QN_TENSOR)
        return QN_OK;
    out->rank = type->shape.rank;
    for (int d = 0; d < type->shape.rank; d++) {
        const QnDim dim = type->shape.dims[d];
        out->dims[d] = qn_dim_is_known(dim) ? dim : -1;
        if (qn_dim_is_known(dim))
            continue;
        const QnDimRow *row = &module->dims.rows[-1 - dim];
        if (row->op == QN_DIM_SYMBOL && row->name && row->name[0] != '#') {
            out->symbols[d] = qn_arena_copy_text(arena, row->name, strlen(row->name));
            if (!out->symbols[d])
                return QN_NO_MEMORY;
        }
    }
    return QN_OK;
}

QnValueInfo qn_value_info_at(const QnValueInfo *infos, int count, int i)
{
    if (i >= 0 && i < count)
        return infos[i];
    return (QnValueInfo){.name = "", .rank = -1, .type_text = ""};
}

static QnStatus describe(QnModel *model)
{
    const QnGraph *main = model->module->main;
    QN_ALLOC(model->inputs, &model->texts, main->input_count);
    QN_ALLOC(model->outputs, &model->texts, main->output_count);
    for (int i = 0; i < main->input_count; i++)
        QN_TRY(qn_value_info(&model->inputs[model->input_count++], model->module, main->inputs[i],
                             main->inputs[i]->name, &model->texts));
    for (int i = 0; i < main->output_count; i++)
        QN_TRY(qn_value_info(&model->outputs[i], model->module, main->outputs[i].value,
                             main->output_names[i], &model->texts));
    return QN_OK;
}

/* ---- loading ---- */

static QnStatus read_module(QnModel *model, const char *path, const char *name,
                            const QnModelOptions *options, QnReport *report, QnError *err)
{
    const QnReadOptions reading = {
        .allocator = options->allocator,
        .folder = options->folder,
        .name = name,
        .defaults = options->allow_overrides ? QN_DEFAULTS_INPUT : QN_DEFAULTS_CONSTANT,
    };
    QN_TRY(qn_format_read(&model->module, path, model->source->bytes, &reading, report, err));
    model->source->module = model->module;
    QN_TRY(qn_ops_resolve(model->module, report, err));
    QN_TRY(qn_infer_module(model->module, err));
    return qn_module_verify(model->module, err);
}

static QnStatus finish_load(QnModel **out, QnSource *source, const char *path, const char *name,
                            const QnModelOptions *options, QnFindings *findings, QnError *err)
{
    QnModel *model = qn_alloc(options->allocator, sizeof *model);
    if (!model) {
        qn_source_release(source);
        return qn_no_memory(err);
    }
    *model = (QnModel){.allocator = options->allocator, .source = source};
    qn_arena_init(&model->texts, options->allocator);
    QnFindings local = {0};
    qn_arena_init(&local.arena, options->allocator);
    local.report = qn_report(&local.arena);
    QnFindings *list = findings ? findings : &local;
    QnReport report = qn_report(&list->arena); /* what the list held before is no fault of this */
    QnStatus status = read_module(model, path, name, options, &report, err);
    qn_report_append(&list->report, &report);
    qn_arena_finish(&local.arena);
    if (status == QN_OK && describe(model) != QN_OK)
        status = qn_no_memory(err);
    if (status == QN_NO_MEMORY)
        qn_no_memory(err);
    if (status != QN_OK) {
        if (err && name && strncmp(err->message, name, strlen(name)) != 0)
            qn_wrap(err, "%s", name);
        qn_model_free(model);
        return status;
    }
    *out = model;
    return QN_OK;
}

QnStatus qn_model_load(QnModel **out, const char *path, const QnModelOptions *options,
                       QnFindings *findings, QnError *err)
{
    QnModelOptions filled;
    QnSource *source;
    QN_TRY(qn_options_fill(&filled, sizeof filled, options, options ? options->size : 0,
                           "QnModelOptions", err));
    const uint64_t limit = filled.limit_bytes ? filled.limit_bytes : default_limit_bytes;
    QN_TRY(qn_source_open(&source, path, filled.allocator, filled.copy, limit, err));
    return finish_load(out, source, path, path, &filled, findings, err);
}

QnStatus qn_model_read(QnModel **out, const void *data, size_t size, const char *name,
                       const QnModelOptions *options, QnFindings *findings, QnError *err)
{
    QnModelOptions filled;
    QnSource *source;
    QN_TRY(qn_options_fill(&filled, sizeof filled, options, options ? options->size : 0,
                           "QnModelOptions", err));
    QN_TRY(create_source(&source, filled.allocator, err));
    source->bytes = qn_bytes(data, size);
    return finish_load(out, source, NULL, name ? name : "model", &filled, findings, err);
}

void qn_model_free(QnModel *model)
{
    if (!model)
        return;
    const QnAllocator *allocator = model->allocator;
    qn_source_release(model->source);
    qn_arena_finish(&model->texts);
    qn_free(allocator, model, sizeof *model);
}

int qn_model_input_count(const QnModel *model)
{
    return model->input_count;
}

int qn_model_output_count(const QnModel *model)
{
    return model->module->main->output_count;
}

QnValueInfo qn_model_input(const QnModel *model, int i)
{
    return qn_value_info_at(model->inputs, model->input_count, i);
}

QnValueInfo qn_model_output(const QnModel *model, int i)
{
    return qn_value_info_at(model->outputs, model->module->main->output_count, i);
}

bool qn_model_property(const char **key, const char **value, const QnModel *model, int i)
{
    if (i < 0 || i >= model->module->property_count)
        return false;
    *key = model->module->properties[i].key;
    *value = model->module->properties[i].value;
    return true;
}
