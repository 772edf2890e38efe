/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structs to graph.
 *
 * A graph is imported in two walks, so that the order of its nodes does not matter: the first makes
 * all values and nodes, the second binds inputs, attributes and sub-graphs.  Constant nodes become
 * constants.
 */
#include "engine/formats/onnx/import.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "engine/formats/onnx/external.h"
#include "engine/formats/onnx/scope.h"
#include "engine/formats/onnx/tensor.h"

typedef struct Importer {
    QnReader *in;
    QnModule *module;
    QnArena *arena; /* the module's */
    OnnxExternal *external;
    bool keeps_defaults; /* inputs with a default stay inputs */
} Importer;

static QnStatus import_graph(Importer *im, OnnxGraph *from, QnGraph *graph, const OnnxScope *outer);

/* --- what goes wrong --- */

/*
 * A read for checking tells what is wrong with one thing and goes on without it: QN_OK.  Else the
 * failure ends the read, and its message names the thing.  label: NULL where there was no memory.
 */
static QnStatus forgive(Importer *im, QnStatus status, const char *rule, const char *label)
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
static const char *unique_name(const Importer *im, const OnnxScope *scope, const char *name)
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

static QnStatus add_constant(Importer *im, QnGraph *graph, OnnxScope *scope, const char *name,
                             const QnTensor *tensor)
{
    return note(qn_value_create_constant(graph, unique_name(im, scope, name), tensor), scope, name);
}

static QnStatus import_tensor(Importer *im, QnTensor *out, const OnnxTensor *tensor)
{
    QN_TRY(onnx_decode_tensor(out, tensor, im->arena, im->external, im->in->err));
    return QN_OK;
}

/* A value whose data is lost has the type that its tensor says, where it says one. */
static QnStatus add_lost(Importer *im, QnGraph *graph, OnnxScope *scope, const char *name, int type)
{
    QnIrType lost = {.kind = QN_NONE, .shape = qn_shape_unknown()};
    if (type > 0 && type < QN_TYPE_COUNT) {
        lost.kind = QN_TENSOR;
        lost.element = (QnType)type;
    }
    return note(qn_value_create(graph, unique_name(im, scope, name), &lost), scope, name);
}

/* What is wrong with a tensor of the file: with where it lies, or with itself. */
static QnStatus forgive_tensor(Importer *im, QnStatus status, const OnnxTensor *tensor)
{
    return forgive(im, status, tensor->is_external ? "onnx-external-data" : "onnx-tensor-data",
                   qn_arena_printf(im->in->scratch, "initializer '%s'", tensor->name));
}

static QnStatus import_initializer(Importer *im, const OnnxTensor *one, const OnnxSparse *sparse,
                                   QnGraph *graph, OnnxScope *scope)
{
    QnTensor tensor;
    QnStatus status = QN_OK;
    if (!one->is_broken && sparse)
        status = onnx_decode_sparse(&tensor, sparse, im->arena, im->external, im->in->err);
    else if (!one->is_broken)
        status = import_tensor(im, &tensor, one);
    if (status == QN_OK && !one->is_broken)
        return add_constant(im, graph, scope, one->name, &tensor);
    if (status != QN_OK)
        QN_TRY(forgive_tensor(im, status, one));
    return add_lost(im, graph, scope, one->name, one->type);
}

static QnStatus import_initializers(Importer *im, OnnxGraph *from, QnGraph *graph, OnnxScope *scope)
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
static QnStatus note_declaration(Importer *im, const QnIrValue *value, const char *what,
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

static QnStatus import_input(Importer *im, const OnnxValueInfo *info, const OnnxTensor *initial,
                             QnGraph *graph, OnnxScope *scope)
{
    QnIrType type;
    QnTensor *tensor = NULL;
    QN_TRY(onnx_import_type(&type, &info->type, im->module));
    if (initial && !initial->is_broken) {
        QN_ALLOC(tensor, im->arena, 1);
        const QnStatus status = import_tensor(im, tensor, initial);
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

static QnStatus import_inputs(Importer *im, OnnxGraph *from, QnGraph *graph, OnnxScope *scope)
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

/* --- Constant nodes --- */

static QnStatus copy_floats(Importer *im, QnTensor *out, const OnnxAttribute *a, int rank)
{
    const int64_t count = rank ? (int64_t)a->floats.count : 1;
    float *data;
    QN_ALLOC(data, im->arena, count);
    if (rank == 0)
        data[0] = a->f;
    else if (count > 0)
        memcpy(data, a->floats.data, (size_t)count * sizeof *data);
    *out = qn_tensor(QN_FLOAT, rank, &count, data);
    return QN_OK;
}

static QnStatus copy_ints(Importer *im, QnTensor *out, const OnnxAttribute *a, int rank)
{
    const int64_t count = rank ? (int64_t)a->ints.count : 1;
    int64_t *data;
    QN_ALLOC(data, im->arena, count);
    if (rank == 0)
        data[0] = a->i;
    else if (count > 0)
        memcpy(data, a->ints.data, (size_t)count * sizeof *data);
    *out = qn_tensor(QN_INT64, rank, &count, data);
    return QN_OK;
}

static QnStatus copy_string(Importer *im, QnString *out, QnBytes from)
{
    const char *text = qn_arena_copy_text(im->arena, from.data, from.size);
    if (!text)
        return QN_NO_MEMORY;
    *out = (QnString){text, from.size};
    return QN_OK;
}

static QnStatus copy_strings(Importer *im, QnString **out, const OnnxAttribute *a)
{
    QN_ALLOC(*out, im->arena, a->strings.count);
    for (int i = 0; i < a->strings.count; i++)
        QN_TRY(copy_string(im, &(*out)[i], a->strings.items[i]));
    return QN_OK;
}

static QnStatus constant_strings(Importer *im, QnTensor *out, const OnnxAttribute *a, int rank)
{
    const int64_t count = rank ? a->strings.count : 1;
    QnString *data;
    if (rank) {
        QN_TRY(copy_strings(im, &data, a));
    } else {
        QN_ALLOC(data, im->arena, 1);
        QN_TRY(copy_string(im, data, a->s));
    }
    *out = qn_tensor(QN_STRING, rank, &count, data);
    return QN_OK;
}

/* The one attribute of a Constant that says its value. */
static QnStatus constant_tensor(Importer *im, QnTensor *out, const OnnxNode *node)
{
    for (int i = 0; i < node->attributes.count; i++) {
        const OnnxAttribute *a = &node->attributes.items[i];
        if (!strcmp(a->name, "value") && a->tensor)
            return import_tensor(im, out, a->tensor);
        if (!strcmp(a->name, "sparse_value") && a->sparse)
            return onnx_decode_sparse(out, a->sparse, im->arena, im->external, im->in->err);
        if (!strcmp(a->name, "value_float") || !strcmp(a->name, "value_floats"))
            return copy_floats(im, out, a, a->kind == ONNX_FLOATS);
        if (!strcmp(a->name, "value_int") || !strcmp(a->name, "value_ints"))
            return copy_ints(im, out, a, a->kind == ONNX_INTS);
        if (!strcmp(a->name, "value_string") || !strcmp(a->name, "value_strings"))
            return constant_strings(im, out, a, a->kind == ONNX_STRINGS);
    }
    return qn_fail(im->in->err, QN_BAD_MODEL, "it has no value");
}

static bool is_constant(const OnnxNode *node)
{
    return !node->domain[0] && !strcmp(node->op, "Constant") && onnx_has_output(node, 0);
}

static QnStatus import_constant(Importer *im, const OnnxNode *node, QnGraph *graph,
                                OnnxScope *scope)
{
    QnTensor tensor;
    const QnStatus status = constant_tensor(im, &tensor, node);
    if (status == QN_OK)
        return add_constant(im, graph, scope, node->outputs.items[0], &tensor);
    QN_TRY(forgive(im, status, "onnx-constant-value", onnx_node_label(im->in->scratch, node)));
    return add_lost(im, graph, scope, node->outputs.items[0], QN_UNDEFINED);
}

/* --- attributes --- */

static QnStatus import_tensor_list(Importer *im, QnAttribute *to, OnnxTensor *const *from,
                                   int count)
{
    QnTensor *tensors;
    QN_ALLOC(tensors, im->arena, count);
    for (int i = 0; i < count; i++)
        QN_TRY(import_tensor(im, &tensors[i], from[i]));
    to->tensor = tensors;
    to->count = count;
    return QN_OK;
}

static QnStatus import_graph_list(Importer *im, QnAttribute *to, OnnxGraph *const *from, int count,
                                  QnNode *node, const OnnxScope *scope)
{
    QnGraph **graphs;
    QN_ALLOC(graphs, im->arena, count);
    for (int i = 0; i < count; i++) {
        graphs[i] = qn_graph_create(im->module, from[i]->name);
        if (!graphs[i])
            return QN_NO_MEMORY;
        graphs[i]->owner = node;
        QN_TRY(import_graph(im, from[i], graphs[i], scope));
    }
    to->count = count;
    if (to->kind == QN_ATTRIBUTE_GRAPH)
        to->graph = graphs[0];
    else
        to->graphs = graphs;
    return QN_OK;
}

/* A dense copy of numbers into the module. */
static QnStatus copy_list(Importer *im, const void **out, const QnProtoList *list, size_t size,
                          int *count)
{
    void *data = qn_arena_array(im->arena, list->count, size);
    if (!data)
        return QN_NO_MEMORY;
    if (list->count > 0)
        memcpy(data, list->data, list->count * size);
    *out = data;
    *count = (int)list->count;
    return QN_OK;
}

static QnStatus import_list(Importer *im, QnAttribute *to, const OnnxAttribute *from)
{
    const void *data = NULL;
    QnString *strings;
    switch (from->kind) {
    case ONNX_FLOATS:
        QN_TRY(copy_list(im, &data, &from->floats, sizeof(float), &to->count));
        to->floats = data;
        return QN_OK;
    case ONNX_INTS:
        QN_TRY(copy_list(im, &data, &from->ints, sizeof(int64_t), &to->count));
        to->ints = data;
        return QN_OK;
    default:
        QN_TRY(copy_strings(im, &strings, from));
        to->strings = strings;
        to->count = from->strings.count;
        return QN_OK;
    }
}

static QnStatus import_sparse(Importer *im, QnAttribute *to, const OnnxSparse *from)
{
    QnTensor *tensor;
    QN_ALLOC(tensor, im->arena, 1);
    QN_TRY(onnx_decode_sparse(tensor, from, im->arena, im->external, im->in->err));
    to->kind = QN_ATTRIBUTE_TENSOR;
    to->tensor = tensor;
    return QN_OK;
}

static QnStatus import_type_attribute(Importer *im, QnAttribute *to, const OnnxType *from)
{
    QnIrType *type;
    QN_ALLOC(type, im->arena, 1);
    QN_TRY(onnx_import_type(type, from, im->module));
    to->kind = QN_ATTRIBUTE_TYPE;
    to->type = type;
    return QN_OK;
}

static QnStatus import_attribute(Importer *im, const OnnxAttribute *from, QnNode *node,
                                 const OnnxScope *scope)
{
    QnAttribute to = {.name = from->name, .kind = (QnAttributeKind)from->kind, .count = 1};
    switch (from->kind) {
    case ONNX_FLOAT:
        to.f = from->f;
        break;
    case ONNX_INT:
        to.i = from->i;
        break;
    case ONNX_STRING:
        QN_TRY(copy_string(im, &to.s, from->s));
        break;
    case ONNX_TENSOR:
        QN_TRY(import_tensor_list(im, &to, &from->tensor, 1));
        break;
    case ONNX_TENSORS:
        QN_TRY(import_tensor_list(im, &to, from->tensors.items, from->tensors.count));
        break;
    case ONNX_GRAPH:
        QN_TRY(import_graph_list(im, &to, &from->graph, 1, node, scope));
        break;
    case ONNX_GRAPHS:
        QN_TRY(import_graph_list(im, &to, from->graphs.items, from->graphs.count, node, scope));
        break;
    case ONNX_SPARSE_TENSOR:
        QN_TRY(import_sparse(im, &to, from->sparse));
        break;
    case ONNX_TYPE_PROTO:
        QN_TRY(import_type_attribute(im, &to, from->type));
        break;
    case ONNX_FLOATS:
    case ONNX_INTS:
    case ONNX_STRINGS:
        QN_TRY(import_list(im, &to, from));
        break;
    default:
        return QN_OK; /* lists of sparse tensors and types: no operator has them */
    }
    return qn_node_set(node, &to);
}

/* --- nodes --- */

static QnStatus import_origin(Importer *im, QnNode *node, const OnnxNode *from)
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
static QnStatus create_node(Importer *im, const OnnxNode *from, QnGraph *graph, OnnxScope *scope,
                            QnNode **out)
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
static QnStatus bind_node(Importer *im, const OnnxNode *from, QnNode *node, const OnnxScope *scope)
{
    for (int i = 0; i < from->inputs.count; i++)
        if (from->inputs.items[i][0])
            qn_use_set(&node->inputs[i], onnx_scope_find(scope, from->inputs.items[i]));
    for (int i = 0; i < from->attributes.count && !from->is_broken; i++) {
        const QnStatus status = import_attribute(im, &from->attributes.items[i], node, scope);
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

static QnStatus import_nodes(Importer *im, OnnxGraph *from, QnGraph *graph, OnnxScope *scope)
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
static QnStatus import_hint(Importer *im, const OnnxValueInfo *info, const char *what,
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

static QnStatus import_hints(Importer *im, const OnnxGraph *from, const OnnxScope *scope)
{
    for (int i = 0; im->in->options->is_checking && i < from->inputs.count; i++)
        QN_TRY(import_hint(im, &from->inputs.items[i], "input", scope));
    for (int i = 0; i < from->outputs.count; i++)
        QN_TRY(import_hint(im, &from->outputs.items[i], "output", scope));
    for (int i = 0; i < from->values.count; i++)
        QN_TRY(import_hint(im, &from->values.items[i], "value", scope));
    return QN_OK;
}

static QnStatus import_graph(Importer *im, OnnxGraph *from, QnGraph *graph, const OnnxScope *outer)
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
    Importer im = {.in = in,
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
    QnStatus status = import_graph(&im, &model->graph, module->main, NULL);
    onnx_external_finish(im.external);
    if (status != QN_OK)
        return status;
    status = qn_module_sort(module, in->err);
    return status == QN_OK || !in->options->is_checking ? status
                                                        : forgive(&im, status, "onnx-cycle", "");
}
