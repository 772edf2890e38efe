/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ModelProto and all messages inside it, one function per message, one line per field.
 *
 * Sub-messages that come twice merge, scalars that come twice take the last, fields of no interest
 * are skipped: so every function adds to a struct that may already hold something.
 */
#include "engine/formats/onnx/parse.h"

#include <string.h>

typedef struct Parser {
    QnArena *arena;
    QnError *err;
} Parser;

static QnStatus parse_graph(const Parser *p, QnProto in, OnnxGraph *graph);

static const char *text(const Parser *p, QnProto *in)
{
    return qn_proto_string(in, p->arena);
}

static QnStatus parse_entry(const Parser *p, QnProto in, OnnxEntry *entry)
{
    *entry = (OnnxEntry){"", ""};
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            entry->key = text(p, &in);
            break;
        case 2:
            entry->value = text(p, &in);
            break;
        }
    }
    return qn_proto_finish(&in, "StringStringEntryProto", p->err);
}

/* --- types --- */

static QnStatus parse_dim(const Parser *p, QnProto in, OnnxDim *dim)
{
    *dim = (OnnxDim){.value = -1};
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            *dim = (OnnxDim){.value = qn_proto_int(&in), .is_number = true};
            break;
        case 2:
            *dim = (OnnxDim){.value = -1, .param = text(p, &in)};
            break;
        }
    }
    if (dim->param && !dim->param[0])
        dim->param = NULL;
    return qn_proto_finish(&in, "TensorShapeProto.Dimension", p->err);
}

static QnStatus parse_shape(const Parser *p, QnProto in, OnnxType *type)
{
    while (qn_proto_next(&in)) {
        if (in.field != 1)
            continue;
        OnnxDim dim;
        QN_TRY(parse_dim(p, qn_proto_message(&in), &dim));
        ONNX_ADD(&type->dims, p->arena, dim);
    }
    return qn_proto_finish(&in, "TensorShapeProto", p->err);
}

static QnStatus parse_tensor_type(const Parser *p, QnProto in, OnnxType *type)
{
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            type->element = qn_proto_i32(&in);
            break;
        case 2:
            type->has_shape = true;
            QN_TRY(parse_shape(p, qn_proto_message(&in), type));
            break;
        }
    }
    return qn_proto_finish(&in, "TypeProto.Tensor", p->err);
}

static QnStatus parse_type(const Parser *p, QnProto in, OnnxType *type);

/* Sequence, Optional {elem_type 1} and Map {key_type 1, value_type 2}. */
static QnStatus parse_collection(const Parser *p, QnProto in, OnnxType *type)
{
    const uint32_t item = type->kind == ONNX_TYPE_MAP ? 2 : 1;
    while (qn_proto_next(&in)) {
        if (in.field == item) {
            if (!type->item)
                QN_ALLOC(type->item, p->arena, 1);
            QN_TRY(parse_type(p, qn_proto_message(&in), type->item));
        } else if (in.field == 1) {
            type->element = qn_proto_i32(&in);
        }
    }
    return qn_proto_finish(&in, "TypeProto of a collection", p->err);
}

/* A later member of the oneof replaces an earlier one; the same one merges. */
static QnStatus parse_type(const Parser *p, QnProto in, OnnxType *type)
{
    static const OnnxTypeKind kinds[] = {
        [1] = ONNX_TYPE_TENSOR, [4] = ONNX_TYPE_SEQUENCE, [5] = ONNX_TYPE_MAP,
        [7] = ONNX_TYPE_OPAQUE, [8] = ONNX_TYPE_SPARSE,   [9] = ONNX_TYPE_OPTIONAL};
    while (qn_proto_next(&in)) {
        const OnnxTypeKind kind = in.field < QN_COUNT_OF(kinds) ? kinds[in.field] : ONNX_TYPE_NONE;
        if (kind == ONNX_TYPE_NONE)
            continue;
        if (type->kind != kind)
            *type = (OnnxType){.kind = kind};
        if (kind == ONNX_TYPE_TENSOR || kind == ONNX_TYPE_SPARSE)
            QN_TRY(parse_tensor_type(p, qn_proto_message(&in), type));
        else if (kind != ONNX_TYPE_OPAQUE)
            QN_TRY(parse_collection(p, qn_proto_message(&in), type));
    }
    return qn_proto_finish(&in, "TypeProto", p->err);
}

static QnStatus parse_value_info(const Parser *p, QnProto in, OnnxValueInfo *info)
{
    *info = (OnnxValueInfo){.name = ""};
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            info->name = text(p, &in);
            break;
        case 2:
            QN_TRY(parse_type(p, qn_proto_message(&in), &info->type));
            break;
        }
    }
    return qn_proto_finish(&in, "ValueInfoProto", p->err);
}

/* --- tensors --- */

static QnStatus parse_external(const Parser *p, QnProto in, OnnxTensor *tensor)
{
    OnnxEntry entry;
    QN_TRY(parse_entry(p, in, &entry));
    ONNX_ADD(&tensor->external, p->arena, entry);
    return QN_OK;
}

static QnStatus parse_tensor(const Parser *p, QnProto in, OnnxTensor *tensor)
{
    if (!tensor->name)
        tensor->name = "";
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            qn_proto_add_i64(&in, &tensor->dims, p->arena);
            break;
        case 2:
            tensor->type = qn_proto_i32(&in);
            break;
        case 3:
            tensor->has_segment = true;
            break;
        case 4:
            qn_proto_add_f32(&in, &tensor->floats, p->arena);
            break;
        case 5:
            qn_proto_add_i32(&in, &tensor->ints32, p->arena);
            break;
        case 6:
            ONNX_ADD(&tensor->strings, p->arena, qn_proto_bytes(&in));
            break;
        case 7:
            qn_proto_add_i64(&in, &tensor->ints64, p->arena);
            break;
        case 8:
            tensor->name = text(p, &in);
            break;
        case 9:
            tensor->raw = qn_proto_bytes(&in);
            tensor->has_raw = true;
            break;
        case 10:
            qn_proto_add_f64(&in, &tensor->doubles, p->arena);
            break;
        case 11:
            qn_proto_add_u64(&in, &tensor->uints64, p->arena);
            break;
        case 13:
            QN_TRY(parse_external(p, qn_proto_message(&in), tensor));
            break;
        case 14:
            tensor->is_external = qn_proto_int(&in) == 1;
            break;
        }
    }
    return qn_proto_finish(&in, "TensorProto", p->err);
}

static QnStatus parse_sparse(const Parser *p, QnProto in, OnnxSparse *sparse)
{
    if (!sparse->values.name)
        sparse->values.name = sparse->indices.name = "";
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            QN_TRY(parse_tensor(p, qn_proto_message(&in), &sparse->values));
            break;
        case 2:
            QN_TRY(parse_tensor(p, qn_proto_message(&in), &sparse->indices));
            break;
        case 3:
            qn_proto_add_i64(&in, &sparse->dims, p->arena);
            break;
        }
    }
    return qn_proto_finish(&in, "SparseTensorProto", p->err);
}

/* --- attributes --- */

static QnStatus add_tensor(const Parser *p, QnProto in, OnnxAttribute *attribute)
{
    OnnxTensor *tensor;
    QN_ALLOC(tensor, p->arena, 1);
    QN_TRY(parse_tensor(p, in, tensor));
    ONNX_ADD(&attribute->tensors, p->arena, tensor);
    return QN_OK;
}

static QnStatus add_graph(const Parser *p, QnProto in, OnnxAttribute *attribute)
{
    OnnxGraph *graph;
    QN_ALLOC(graph, p->arena, 1);
    QN_TRY(parse_graph(p, in, graph));
    ONNX_ADD(&attribute->graphs, p->arena, graph);
    return QN_OK;
}

/* The members that are messages; a member that comes twice merges. */
static QnStatus parse_attribute_message(const Parser *p, QnProto *in, OnnxAttribute *attribute)
{
    switch (in->field) {
    case 5:
        if (!attribute->tensor)
            QN_ALLOC(attribute->tensor, p->arena, 1);
        return parse_tensor(p, qn_proto_message(in), attribute->tensor);
    case 6:
        if (!attribute->graph)
            QN_ALLOC(attribute->graph, p->arena, 1);
        return parse_graph(p, qn_proto_message(in), attribute->graph);
    case 10:
        return add_tensor(p, qn_proto_message(in), attribute);
    case 11:
        return add_graph(p, qn_proto_message(in), attribute);
    case 14:
        if (!attribute->type)
            QN_ALLOC(attribute->type, p->arena, 1);
        return parse_type(p, qn_proto_message(in), attribute->type);
    case 22:
        if (!attribute->sparse)
            QN_ALLOC(attribute->sparse, p->arena, 1);
        return parse_sparse(p, qn_proto_message(in), attribute->sparse);
    default:
        return QN_OK;
    }
}

/* Files of IR 1 say no type; the member that is there tells it. */
static void find_kind(OnnxAttribute *attribute)
{
    attribute->is_untyped = attribute->kind == ONNX_UNDEFINED;
    for (int kind = 1; attribute->kind == ONNX_UNDEFINED && kind < ONNX_KIND_COUNT; kind++)
        if (attribute->filled & 1u << kind)
            attribute->kind = kind;
}

static QnStatus parse_attribute(const Parser *p, QnProto in, OnnxAttribute *attribute)
{
    static const uint8_t kinds[] = {[2] = ONNX_FLOAT,          [3] = ONNX_INT,
                                    [4] = ONNX_STRING,         [5] = ONNX_TENSOR,
                                    [6] = ONNX_GRAPH,          [7] = ONNX_FLOATS,
                                    [8] = ONNX_INTS,           [9] = ONNX_STRINGS,
                                    [10] = ONNX_TENSORS,       [11] = ONNX_GRAPHS,
                                    [14] = ONNX_TYPE_PROTO,    [15] = ONNX_TYPE_PROTOS,
                                    [22] = ONNX_SPARSE_TENSOR, [23] = ONNX_SPARSE_TENSORS};
    *attribute = (OnnxAttribute){.name = "", .ref = ""};
    while (qn_proto_next(&in)) {
        if (in.field < QN_COUNT_OF(kinds) && kinds[in.field])
            attribute->filled |= 1u << kinds[in.field];
        switch (in.field) {
        case 1:
            attribute->name = text(p, &in);
            break;
        case 2:
            attribute->f = qn_proto_f32(&in);
            break;
        case 3:
            attribute->i = qn_proto_int(&in);
            break;
        case 4:
            attribute->s = qn_proto_bytes(&in);
            break;
        case 7:
            qn_proto_add_f32(&in, &attribute->floats, p->arena);
            break;
        case 8:
            qn_proto_add_i64(&in, &attribute->ints, p->arena);
            break;
        case 9:
            ONNX_ADD(&attribute->strings, p->arena, qn_proto_bytes(&in));
            break;
        case 20:
            attribute->kind = qn_proto_i32(&in);
            break;
        case 21:
            attribute->ref = text(p, &in);
            break;
        default:
            QN_TRY(parse_attribute_message(p, &in, attribute));
        }
    }
    find_kind(attribute);
    return qn_proto_finish(&in, "AttributeProto", p->err);
}

/* --- nodes, graphs, functions --- */

static QnStatus parse_node(const Parser *p, QnProto in, OnnxNode *node)
{
    OnnxAttribute attribute;
    node->name = node->op = node->domain = node->overload = "";
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            ONNX_ADD(&node->inputs, p->arena, text(p, &in));
            break;
        case 2:
            ONNX_ADD(&node->outputs, p->arena, text(p, &in));
            break;
        case 3:
            node->name = text(p, &in);
            break;
        case 4:
            node->op = text(p, &in);
            break;
        case 5:
            QN_TRY(parse_attribute(p, qn_proto_message(&in), &attribute));
            ONNX_ADD(&node->attributes, p->arena, attribute);
            break;
        case 7:
            node->domain = text(p, &in);
            break;
        case 8:
            node->overload = text(p, &in);
            break;
        }
    }
    if (!strcmp(node->domain, "ai.onnx"))
        node->domain = "";
    node->origin_op = node->op;
    node->origin_domain = node->domain;
    return qn_proto_finish(&in, "NodeProto", p->err);
}

static QnStatus add_node(const Parser *p, QnProto in, OnnxGraph *graph)
{
    OnnxNode *node;
    QN_ALLOC(node, p->arena, 1);
    QN_TRY(parse_node(p, in, node));
    ONNX_ADD(&graph->nodes, p->arena, node);
    return QN_OK;
}

static QnStatus add_initializer(const Parser *p, QnProto in, OnnxGraph *graph)
{
    OnnxTensor *tensor;
    QN_ALLOC(tensor, p->arena, 1);
    QN_TRY(parse_tensor(p, in, tensor));
    ONNX_ADD(&graph->initializers, p->arena, tensor);
    return QN_OK;
}

static QnStatus add_sparse_initializer(const Parser *p, QnProto in, OnnxGraph *graph)
{
    OnnxSparse *sparse;
    QN_ALLOC(sparse, p->arena, 1);
    QN_TRY(parse_sparse(p, in, sparse));
    ONNX_ADD(&graph->sparse_initializers, p->arena, sparse);
    return QN_OK;
}

static QnStatus parse_graph(const Parser *p, QnProto in, OnnxGraph *graph)
{
    OnnxValueInfo info;
    if (!graph->name)
        graph->name = "";
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            QN_TRY(add_node(p, qn_proto_message(&in), graph));
            break;
        case 2:
            graph->name = text(p, &in);
            break;
        case 5:
            QN_TRY(add_initializer(p, qn_proto_message(&in), graph));
            break;
        case 11:
            QN_TRY(parse_value_info(p, qn_proto_message(&in), &info));
            ONNX_ADD(&graph->inputs, p->arena, info);
            break;
        case 12:
            QN_TRY(parse_value_info(p, qn_proto_message(&in), &info));
            ONNX_ADD(&graph->outputs, p->arena, info);
            break;
        case 13:
            QN_TRY(parse_value_info(p, qn_proto_message(&in), &info));
            ONNX_ADD(&graph->values, p->arena, info);
            break;
        case 15:
            QN_TRY(add_sparse_initializer(p, qn_proto_message(&in), graph));
            break;
        }
    }
    return qn_proto_finish(&in, "GraphProto", p->err);
}

static QnStatus parse_import(const Parser *p, QnProto in, OnnxImport *import)
{
    *import = (OnnxImport){.domain = ""};
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            import->domain = text(p, &in);
            break;
        case 2:
            import->version = qn_proto_int(&in);
            break;
        }
    }
    if (!strcmp(import->domain, "ai.onnx"))
        import->domain = "";
    return qn_proto_finish(&in, "OperatorSetIdProto", p->err);
}

static QnStatus parse_function(const Parser *p, QnProto in, OnnxFunction *function)
{
    OnnxAttribute attribute;
    OnnxImport import;
    OnnxValueInfo info;
    *function =
        (OnnxFunction){.name = "", .domain = "", .overload = "", .body.name = "", .height = -1};
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            function->name = text(p, &in);
            break;
        case 4:
            ONNX_ADD(&function->inputs, p->arena, text(p, &in));
            break;
        case 5:
            ONNX_ADD(&function->outputs, p->arena, text(p, &in));
            break;
        case 6:
            ONNX_ADD(&function->attributes, p->arena, text(p, &in));
            break;
        case 7:
            QN_TRY(add_node(p, qn_proto_message(&in), &function->body));
            break;
        case 9:
            QN_TRY(parse_import(p, qn_proto_message(&in), &import));
            ONNX_ADD(&function->imports, p->arena, import);
            break;
        case 10:
            function->domain = text(p, &in);
            break;
        case 11:
            QN_TRY(parse_attribute(p, qn_proto_message(&in), &attribute));
            ONNX_ADD(&function->with_defaults, p->arena, attribute);
            break;
        case 12:
            QN_TRY(parse_value_info(p, qn_proto_message(&in), &info));
            ONNX_ADD(&function->body.values, p->arena, info);
            break;
        case 13:
            function->overload = text(p, &in);
            break;
        }
    }
    if (!strcmp(function->domain, "ai.onnx"))
        function->domain = "";
    return qn_proto_finish(&in, "FunctionProto", p->err);
}

static QnStatus add_function(const Parser *p, QnProto in, OnnxModel *model)
{
    OnnxFunction *function;
    QN_ALLOC(function, p->arena, 1);
    QN_TRY(parse_function(p, in, function));
    ONNX_ADD(&model->functions, p->arena, function);
    return QN_OK;
}

/* --- the model --- */

static QnStatus parse_model(const Parser *p, QnProto in, OnnxModel *model)
{
    OnnxImport import;
    OnnxEntry entry;
    model->producer = model->producer_version = model->domain = model->doc = model->graph.name = "";
    while (qn_proto_next(&in)) {
        switch (in.field) {
        case 1:
            model->ir_version = qn_proto_int(&in);
            break;
        case 2:
            model->producer = text(p, &in);
            break;
        case 3:
            model->producer_version = text(p, &in);
            break;
        case 4:
            model->domain = text(p, &in);
            break;
        case 5:
            model->model_version = qn_proto_int(&in);
            break;
        case 6:
            model->doc = text(p, &in);
            break;
        case 7:
            model->has_graph = true;
            QN_TRY(parse_graph(p, qn_proto_message(&in), &model->graph));
            break;
        case 8:
            QN_TRY(parse_import(p, qn_proto_message(&in), &import));
            ONNX_ADD(&model->imports, p->arena, import);
            break;
        case 14:
            QN_TRY(parse_entry(p, qn_proto_message(&in), &entry));
            ONNX_ADD(&model->metadata, p->arena, entry);
            break;
        case 25:
            QN_TRY(add_function(p, qn_proto_message(&in), model));
            break;
        }
    }
    return qn_proto_finish(&in, "ModelProto", p->err);
}

QnStatus onnx_parse(OnnxModel **out, QnReader *in)
{
    const Parser parser = {in->scratch, in->err};
    OnnxModel *model;
    QN_ALLOC(model, in->scratch, 1);
    QN_TRY(parse_model(&parser, qn_proto(in->bytes), model));
    *out = model;
    return QN_OK;
}

QnStatus onnx_parse_tensor(QnProto from, OnnxTensor *tensor, QnArena *arena, QnError *err)
{
    const Parser parser = {arena, err};
    *tensor = (OnnxTensor){.name = ""};
    return parse_tensor(&parser, from, tensor);
}
