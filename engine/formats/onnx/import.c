/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs to graph.
 *
 * A graph is imported in two walks, so that the order of its nodes does not matter: the first makes
 * all values and nodes, the second binds inputs, attributes and sub-graphs.  Constant nodes become
 * constants.
 */
#include "engine/formats/onnx/importer.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"

/* --- what goes wrong --- */

/*
 * A read for checking tells what is wrong with one thing and goes on without it: QN_OK.  Else the
 * failure ends the read, and its message names the thing.  label: NULL where there was no memory.
 */
static QnStatus forgive(OnnxImporter *im, QnStatus status, const char *rule, const char *label)
{
    if (status == QN_NO_MEMORY || !label)
        return QN_NO_MEMORY;
    if (!im->in->options->is_checking) {
        qn_wrap(im->in->err, "%s", label);
        return status;
    }
    qn_report_add(im->in->report, &(QnFinding){.severity = QN_SEVERE,
                                               .rule = rule,
                                               .file = im->in->file,
                                               .node = label,
                                               .found = im->in->err->message});
    *im->in->err = (QnError){0};
    return QN_OK;
}

/* --- types --- */

/* Sizes in a collection are those of one item only, which running tells. */
static QnDim item_size(QnDim size, QnModule *module)
{
    return qn_dim_is_known(size) ? size : qn_dim_fresh(&module->dims, true);
}

static QnStatus import_shape(QnShape *out, const OnnxType *type, QnModule *module)
{
    *out = qn_shape_unknown();
    if (!type->has_shape || type->dims.count > QN_MAX_RANK)
        return QN_OK;
    out->rank = type->dims.count;
    for (int i = 0; i < out->rank; i++) {
        const OnnxDim *dim = &type->dims.items[i];
        if (dim->param)
            out->dims[i] = qn_dim_symbol(&module->dims, dim->param);
        else
            out->dims[i] = dim->value >= 0 ? dim->value : qn_dim_fresh(&module->dims, false);
    }
    return module->dims.failed ? QN_NO_MEMORY : QN_OK;
}

QnStatus onnx_import_type(QnIrType *out, const OnnxType *type, QnModule *module)
{
    static const QnKind kinds[] = {[ONNX_TYPE_TENSOR] = QN_TENSOR,
                                   [ONNX_TYPE_SEQUENCE] = QN_SEQUENCE,
                                   [ONNX_TYPE_MAP] = QN_MAP,
                                   [ONNX_TYPE_OPTIONAL] = QN_OPTIONAL};
    *out = (QnIrType){.shape = qn_shape_unknown()};
    if ((size_t)type->kind >= QN_COUNT_OF(kinds))
        return QN_OK;
    out->kind = kinds[type->kind];
    if (type->element > 0 && type->element < QN_TYPE_COUNT)
        out->element = (QnType)type->element;
    if (type->kind == ONNX_TYPE_TENSOR)
        return import_shape(&out->shape, type, module);
    if (type->item) {
        QnIrType *item;
        QN_ALLOC(item, &module->arena, 1);
        QN_TRY(onnx_import_type(item, type->item, module));
        for (int d = 0; item->kind == QN_TENSOR && d < item->shape.rank; d++)
            item->shape.dims[d] = item_size(item->shape.dims[d], module);
        out->item = item;
    }
    return QN_OK;
}

/* --- values --- */

/* The name itself, or one like it where an outer graph has it:
 * names that are visible together differ. */
static const char *unique_name(const OnnxImporter *im, const OnnxScope *scope, const char *name)
{
    const char *unique = name;
    for (int i = 1; unique && onnx_scope_find(scope, unique); i++)
        unique = qn_arena_printf(im->in->scratch, "%s~%d", name, i);
    return unique;
}

static QnStatus note(QnIrValue *value, OnnxScope *scope, const char *name)
{
    return value ? onnx_scope_put(scope, name, value) : QN_NO_MEMORY;
}

static QnStatus add_constant(OnnxImporter *im, QnGraph *graph, OnnxScope *scope, const char *name,
                             const QnTensor *tensor)
{
    return note(qn_value_create_constant(graph, unique_name(im, scope, name), tensor), scope, name);
}

/* A value whose data is lost has the type that its tensor says, where it says one. */
static QnStatus add_lost(OnnxImporter *im, QnGraph *graph, OnnxScope *scope, const char *name,
                         int type)
{
    QnIrType lost = {.kind = QN_NONE, .shape = qn_shape_unknown()};
    if (type > 0 && type < QN_TYPE_COUNT) {
        lost.kind = QN_TENSOR;
        lost.element = (QnType)type;
    }
    return note(qn_value_create(graph, unique_name(im, scope, name), &lost), scope, name);
}

/* What is wrong with a tensor of the file: with where it lies, or with itself. */
static QnStatus forgive_tensor(OnnxImporter *im, QnStatus status, const OnnxTensor *tensor)
{
    return forgive(im, status, tensor->is_external ? "onnx-external-data" : "onnx-tensor-data",
                   qn_arena_printf(im->in->scratch, "initializer '%s'", tensor->name));
}

static QnStatus import_initializer(OnnxImporter *im, const OnnxTensor *one,
                                   const OnnxSparse *sparse, QnGraph *graph, OnnxScope *scope)
{
    QnTensor tensor;
    QnStatus status = QN_OK;
    if (!one->is_broken && sparse)
        status = onnx_decode_sparse(&tensor, sparse, im->arena, im->external, im->in->err);
    else if (!one->is_broken)
        status = onnx_import_tensor(im, &tensor, one);
    if (status == QN_OK && !one->is_broken)
        return add_constant(im, graph, scope, one->name, &tensor);
    if (status != QN_OK)
        QN_TRY(forgive_tensor(im, status, one));
    return add_lost(im, graph, scope, one->name, one->type);
}

static QnStatus import_initializers(OnnxImporter *im, OnnxGraph *from, QnGraph *graph,
                                    OnnxScope *scope)
{
    for (int i = 0; i < from->initializers.count; i++)
        if (!onnx_scope_find_here(scope, from->initializers.items[i]->name))
            QN_TRY(import_initializer(im, from->initializers.items[i], NULL, graph, scope));
    for (int i = 0; i < from->sparse_initializers.count; i++) {
        const OnnxSparse *sparse = from->sparse_initializers.items[i];
        QN_TRY(import_initializer(im, &sparse->values, sparse, graph, scope));
    }
    return QN_OK;
}

static const OnnxTensor *find_initializer(const OnnxScope *initializers, const char *name)
{
    return onnx_scope_find_here(initializers, name);
}

static QnIrType type_of_tensor(const QnTensor *tensor)
{
    QnIrType type = {.kind = QN_TENSOR, .element = tensor->type, .shape = {.rank = tensor->rank}};
    for (int i = 0; i < tensor->rank; i++)
        type.shape.dims[i] = tensor->dims[i];
    return type;
}

/* An input that its default contradicts has the default's type. */
static void take_type(QnIrType *type, const QnTensor *tensor)
{
    if (type->kind != QN_TENSOR || type->element != tensor->type)
        *type = type_of_tensor(tensor);
}

/* For checking: what the file says, to be held against what inference finds. */
static QnStatus note_declaration(OnnxImporter *im, const QnIrValue *value, const char *what,
                                 const char *name, const QnIrType *type)
{
    QnModule *module = im->module;
    const char *kept = qn_arena_copy_text(im->arena, name, strlen(name));
    if (!kept)
        return QN_NO_MEMORY;
    QN_GROW(module->declarations, module->declaration_count, module->declaration_capacity,
            im->arena);
    module->declarations[module->declaration_count++] = (QnDeclaration){value, what, kept, *type};
    return QN_OK;
}

static QnStatus import_input(OnnxImporter *im, const OnnxValueInfo *info, const OnnxTensor *initial,
                             QnGraph *graph, OnnxScope *scope)
{
    QnIrType type;
    QnTensor *tensor = NULL;
    QN_TRY(onnx_import_type(&type, &info->type, im->module));
    if (initial && !initial->is_broken) {
        QN_ALLOC(tensor, im->arena, 1);
        const QnStatus status = onnx_import_tensor(im, tensor, initial);
        if (status == QN_OK) {
            take_type(&type, tensor);
        } else {
            QN_TRY(forgive_tensor(im, status, initial));
            tensor = NULL;
        }
    }
    /* Sub-graphs may leave inputs that they do not read without a name. */
    const bool is_named = info->name[0] != 0;
    QnIrValue *value =
        qn_value_create(graph, is_named ? unique_name(im, scope, info->name) : NULL, &type);
    if (!value)
        return QN_NO_MEMORY;
    if (is_named)
        QN_TRY(onnx_scope_put(scope, info->name, value));
    value->constant = tensor;
    if (tensor && im->in->options->is_checking) {
        const QnIrType own = type_of_tensor(tensor);
        QN_TRY(note_declaration(im, value, "initializer", info->name, &own));
    }
    value->is_default = tensor != NULL;
    return qn_graph_add_input(graph, value);
}

static QnStatus import_inputs(OnnxImporter *im, OnnxGraph *from, QnGraph *graph, OnnxScope *scope)
{
    OnnxScope initializers = onnx_scope(im->in->scratch, NULL);
    for (int i = 0; i < from->initializers.count; i++)
        QN_TRY(onnx_scope_put(&initializers, from->initializers.items[i]->name,
                              from->initializers.items[i]));
    for (int i = 0; i < from->inputs.count; i++) {
        const OnnxValueInfo *info = &from->inputs.items[i];
        const OnnxTensor *initial = find_initializer(&initializers, info->name);
        if (!initial || im->keeps_defaults || graph->owner)
            QN_TRY(import_input(im, info, initial, graph, scope));
    }
    return QN_OK;
}

/* --- nodes --- */

static bool is_constant(const OnnxNode *node)
{
    return !node->domain[0] && !strcmp(node->op, "Constant") && onnx_has_output(node, 0);
}

static QnStatus import_constant(OnnxImporter *im, const OnnxNode *node, QnGraph *graph,
                                OnnxScope *scope)
{
    QnTensor tensor;
    const QnStatus status = onnx_import_constant(im, &tensor, node);
    if (status == QN_OK)
        return add_constant(im, graph, scope, node->outputs.items[0], &tensor);
    QN_TRY(forgive(im, status, "onnx-constant-value", onnx_node_label(im->in->scratch, node)));
    return add_lost(im, graph, scope, node->outputs.items[0], QN_UNDEFINED);
}

static QnStatus import_origin(OnnxImporter *im, QnNode *node, const OnnxNode *from)
{
    node->origin = (QnOrigin){
        .name = qn_arena_copy_text(im->arena, from->name, strlen(from->name)),
        .op = qn_arena_copy_text(im->arena, from->origin_op, strlen(from->origin_op)),
        .domain = qn_arena_copy_text(im->arena, from->origin_domain, strlen(from->origin_domain)),
        .since = from->since};
    return node->origin.name && node->origin.op && node->origin.domain ? QN_OK : QN_NO_MEMORY;
}

/* First walk: the node with absent inputs, and its outputs under the names of the file.  A broken
 * one has no operator. */
static QnStatus create_node(OnnxImporter *im, const OnnxNode *from, QnGraph *graph,
                            OnnxScope *scope, QnNode **out)
{
    QnIrValue **absent;
    QN_ALLOC(absent, im->in->scratch, from->inputs.count + 1);
    QnNode *node = qn_node_create(graph, NULL, from->is_broken ? "" : from->op,
                                  from->is_broken ? "" : from->domain, absent, from->inputs.count,
                                  from->outputs.count);
    if (!node)
        return QN_NO_MEMORY;
    QN_TRY(import_origin(im, node, from));
    for (int i = 0; i < from->outputs.count; i++) {
        const char *name = from->outputs.items[i];
        if (!name[0]) {
            node->outputs[i] = NULL;
            continue;
        }
        const char *unique = unique_name(im, scope, name);
        if (!unique || !(unique = qn_arena_copy_text(im->arena, unique, strlen(unique))))
            return QN_NO_MEMORY;
        node->outputs[i]->name = unique;
        QN_TRY(onnx_scope_put(scope, name, node->outputs[i]));
    }
    *out = node;
    return QN_OK;
}

/* Second walk: inputs, attributes and sub-graphs. */
static QnStatus bind_node(OnnxImporter *im, const OnnxNode *from, QnNode *node,
                          const OnnxScope *scope)
{
    for (int i = 0; i < from->inputs.count; i++)
        if (from->inputs.items[i][0])
            qn_use_set(&node->inputs[i], onnx_scope_find(scope, from->inputs.items[i]));
    for (int i = 0; i < from->attributes.count && !from->is_broken; i++) {
        const QnStatus status = onnx_import_attribute(im, &from->attributes.items[i], node, scope);
        if (status == QN_OK)
            continue;
        node->op = "";
        return forgive(im, status, "onnx-attribute-value",
                       qn_arena_printf(im->in->scratch, "%s: attribute '%s'",
                                       onnx_node_label(im->in->scratch, from),
                                       from->attributes.items[i].name));
    }
    return QN_OK;
}

/* No node does anything but make its outputs. */
static bool makes_something(const OnnxNode *node)
{
    for (int i = 0; i < node->outputs.count; i++)
        if (node->outputs.items[i][0])
            return true;
    return false;
}

static QnStatus import_nodes(OnnxImporter *im, OnnxGraph *from, QnGraph *graph, OnnxScope *scope)
{
    QnNode **nodes;
    QN_ALLOC(nodes, im->in->scratch, from->nodes.count);
    for (int i = 0; i < from->nodes.count; i++) {
        if (is_constant(from->nodes.items[i]) && !from->nodes.items[i]->is_broken)
            QN_TRY(import_constant(im, from->nodes.items[i], graph, scope));
        else if (makes_something(from->nodes.items[i]))
            QN_TRY(create_node(im, from->nodes.items[i], graph, scope, &nodes[i]));
    }
    for (int i = 0; i < from->nodes.count; i++)
        if (nodes[i])
            QN_TRY(bind_node(im, from->nodes.items[i], nodes[i], scope));
    return QN_OK;
}

/* --- graphs --- */

/* Declared types of what nodes make are hints: inference replaces them by what it finds. */
static QnStatus import_hint(OnnxImporter *im, const OnnxValueInfo *info, const char *what,
                            const OnnxScope *scope)
{
    QnIrValue *value = onnx_scope_find_here(scope, info->name);
    const bool is_hint = value && !value->constant && value->type.kind == QN_NONE;
    if (!value || (!is_hint && !im->in->options->is_checking))
        return QN_OK;
    QnIrType type;
    QN_TRY(onnx_import_type(&type, &info->type, im->module));
    if (is_hint)
        value->type = type;
    return im->in->options->is_checking ? note_declaration(im, value, what, info->name, &type)
                                        : QN_OK;
}

static QnStatus import_hints(OnnxImporter *im, const OnnxGraph *from, const OnnxScope *scope)
{
    for (int i = 0; im->in->options->is_checking && i < from->inputs.count; i++)
        QN_TRY(import_hint(im, &from->inputs.items[i], "input", scope));
    for (int i = 0; i < from->outputs.count; i++)
        QN_TRY(import_hint(im, &from->outputs.items[i], "output", scope));
    for (int i = 0; i < from->values.count; i++)
        QN_TRY(import_hint(im, &from->values.items[i], "value", scope));
    return QN_OK;
}

QnStatus onnx_import_graph(OnnxImporter *im, OnnxGraph *from, QnGraph *graph,
                           const OnnxScope *outer)
{
    OnnxScope scope = onnx_scope(im->in->scratch, outer);
    QN_TRY(import_inputs(im, from, graph, &scope));
    QN_TRY(import_initializers(im, from, graph, &scope));
    QN_TRY(import_nodes(im, from, graph, &scope));
    QN_TRY(import_hints(im, from, &scope));
    for (int i = 0; i < from->outputs.count; i++) {
        QnIrValue *value = onnx_scope_find(&scope, from->outputs.items[i].name);
        if (value) /* else it is a finding, which only checking goes past */
            QN_TRY(qn_graph_add_output(graph, value, from->outputs.items[i].name));
    }
    return QN_OK;
}

/* --- the model --- */

static QnStatus import_properties(const OnnxModel *model, QnModule *module)
{
    char version[24] = "";
    if (model->model_version)
        snprintf(version, sizeof version, "%lld", (long long)model->model_version);
    const OnnxEntry own[] = {
        {"producer_name", model->producer}, {"producer_version", model->producer_version},
        {"domain", model->domain},          {"model_version", version},
        {"description", model->doc},        {"graph_name", model->graph.name}};
    QN_ALLOC(module->properties, &module->arena, (size_t)model->metadata.count + QN_COUNT_OF(own));
    for (int i = 0; i < model->metadata.count + (int)QN_COUNT_OF(own); i++) {
        const OnnxEntry *from =
            i < model->metadata.count ? &model->metadata.items[i] : &own[i - model->metadata.count];
        if (!from->value[0] && i >= model->metadata.count)
            continue;
        QnProperty *to = &module->properties[module->property_count++];
        to->key = qn_arena_copy_text(&module->arena, from->key, strlen(from->key));
        to->value = qn_arena_copy_text(&module->arena, from->value, strlen(from->value));
        if (!to->key || !to->value)
            return QN_NO_MEMORY;
    }
    return QN_OK;
}

static bool keeps_defaults(const OnnxModel *model, const QnReader *in)
{
    switch (in->options->defaults) {
    case QN_DEFAULTS_CONSTANT:
        return false;
    case QN_DEFAULTS_INPUT:
        return true;
    default:
        return model->ir_version >= 4;
    }
}

QnStatus onnx_import(OnnxModel *model, QnReader *in, QnModule *module)
{
    OnnxImporter im = {.in = in,
                       .module = module,
                       .arena = &module->arena,
                       .keeps_defaults = keeps_defaults(model, in)};
    for (int i = 0; i < model->imports.count; i++)
        if (!model->imports.items[i].domain[0] && !module->opset)
            module->opset = (int)qn_min_i64(model->imports.items[i].version, INT32_MAX);
    module->main->name =
        qn_arena_copy_text(&module->arena, model->graph.name, strlen(model->graph.name));
    if (!module->main->name)
        return QN_NO_MEMORY;
    QN_TRY(import_properties(model, module));
    QN_TRY(onnx_external_create(&im.external, in, &module->arena));
    QnStatus status = onnx_import_graph(&im, &model->graph, module->main, NULL);
    onnx_external_finish(im.external);
    if (status != QN_OK)
        return status;
    status = qn_module_sort(module, in->err);
    return status == QN_OK || !in->options->is_checking ? status
                                                        : forgive(&im, status, "onnx-cycle", "");
}
