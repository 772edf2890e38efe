/* SPDX-License-Identifier: Apache-2.0 */
/* Values of attributes to the module: those that nodes keep, and the one that a Constant is. */
#include <string.h>

#include "engine/formats/onnx/importer.h"

/* --- copies into the module --- */

static QnStatus copy_numbers(OnnxImporter *im, void **out, const void *from, size_t count,
                             size_t size)
{
    void *data = qn_arena_array(im->arena, count, size);
    if (!data)
        return QN_NO_MEMORY;
    if (count > 0)
        memcpy(data, from, count * size);
    *out = data;
    return QN_OK;
}

static QnStatus copy_string(OnnxImporter *im, QnString *out, QnBytes from)
{
    const char *text = qn_arena_copy_text(im->arena, from.data, from.size);
    if (!text)
        return QN_NO_MEMORY;
    *out = (QnString){text, from.size};
    return QN_OK;
}

static QnStatus copy_strings(OnnxImporter *im, QnString **out, const OnnxAttribute *a)
{
    QN_ALLOC(*out, im->arena, a->strings.count);
    for (int i = 0; i < a->strings.count; i++)
        QN_TRY(copy_string(im, &(*out)[i], a->strings.items[i]));
    return QN_OK;
}

/* --- Constant --- */

/* A scalar, or where that is NULL a vector. */
static QnStatus constant_numbers(OnnxImporter *im, QnTensor *out, QnType type, const void *scalar,
                                 const QnProtoList *list)
{
    const int64_t count = scalar ? 1 : (int64_t)list->count;
    void *data;
    QN_TRY(
        copy_numbers(im, &data, scalar ? scalar : list->data, (size_t)count, qn_type_size(type)));
    *out = qn_tensor(type, scalar ? 0 : 1, &count, data);
    return QN_OK;
}

static QnStatus constant_strings(OnnxImporter *im, QnTensor *out, const OnnxAttribute *a, int rank)
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

/* By the one attribute that says it. */
QnStatus onnx_import_constant(OnnxImporter *im, QnTensor *out, const OnnxNode *node)
{
    for (int i = 0; i < node->attributes.count; i++) {
        const OnnxAttribute *a = &node->attributes.items[i];
        if (!strcmp(a->name, "value") && a->tensor)
            return onnx_import_tensor(im, out, a->tensor);
        if (!strcmp(a->name, "sparse_value") && a->sparse)
            return onnx_decode_sparse(out, a->sparse, im->arena, im->external, im->in->err);
        if (!strcmp(a->name, "value_float") || !strcmp(a->name, "value_floats"))
            return constant_numbers(im, out, QN_FLOAT, a->kind == ONNX_FLOATS ? NULL : &a->f,
                                    &a->floats);
        if (!strcmp(a->name, "value_int") || !strcmp(a->name, "value_ints"))
            return constant_numbers(im, out, QN_INT64, a->kind == ONNX_INTS ? NULL : &a->i,
                                    &a->ints);
        if (!strcmp(a->name, "value_string") || !strcmp(a->name, "value_strings"))
            return constant_strings(im, out, a, a->kind == ONNX_STRINGS);
    }
    return qn_fail(im->in->err, QN_BAD_MODEL, "it has no value");
}

/* --- attributes of nodes --- */

static QnStatus import_tensor_list(OnnxImporter *im, QnAttribute *to, OnnxTensor *const *from,
                                   int count)
{
    QnTensor *tensors;
    QN_ALLOC(tensors, im->arena, count);
    for (int i = 0; i < count; i++)
        QN_TRY(onnx_import_tensor(im, &tensors[i], from[i]));
    to->tensor = tensors;
    to->count = count;
    return QN_OK;
}

static QnStatus import_graph_list(OnnxImporter *im, QnAttribute *to, OnnxGraph *const *from,
                                  int count, QnNode *node, const OnnxScope *scope)
{
    QnGraph **graphs;
    QN_ALLOC(graphs, im->arena, count);
    for (int i = 0; i < count; i++) {
        graphs[i] = qn_graph_create(im->module, from[i]->name);
        if (!graphs[i])
            return QN_NO_MEMORY;
        graphs[i]->owner = node;
        QN_TRY(onnx_import_graph(im, from[i], graphs[i], scope));
    }
    to->count = count;
    if (to->kind == QN_ATTRIBUTE_GRAPH)
        to->graph = graphs[0];
    else
        to->graphs = graphs;
    return QN_OK;
}

static QnStatus import_list(OnnxImporter *im, QnAttribute *to, const OnnxAttribute *from)
{
    void *numbers = NULL;
    QnString *strings;
    switch (from->kind) {
    case ONNX_FLOATS:
        QN_TRY(copy_numbers(im, &numbers, from->floats.data, from->floats.count, sizeof(float)));
        to->floats = numbers;
        to->count = (int)from->floats.count;
        return QN_OK;
    case ONNX_INTS:
        QN_TRY(copy_numbers(im, &numbers, from->ints.data, from->ints.count, sizeof(int64_t)));
        to->ints = numbers;
        to->count = (int)from->ints.count;
        return QN_OK;
    default:
        QN_TRY(copy_strings(im, &strings, from));
        to->strings = strings;
        to->count = from->strings.count;
        return QN_OK;
    }
}

static QnStatus import_sparse(OnnxImporter *im, QnAttribute *to, const OnnxSparse *from)
{
    QnTensor *tensor;
    QN_ALLOC(tensor, im->arena, 1);
    QN_TRY(onnx_decode_sparse(tensor, from, im->arena, im->external, im->in->err));
    to->kind = QN_ATTRIBUTE_TENSOR;
    to->tensor = tensor;
    return QN_OK;
}

static QnStatus import_type_attribute(OnnxImporter *im, QnAttribute *to, const OnnxType *from)
{
    QnIrType *type;
    QN_ALLOC(type, im->arena, 1);
    QN_TRY(onnx_import_type(type, from, im->module));
    to->kind = QN_ATTRIBUTE_TYPE;
    to->type = type;
    return QN_OK;
}

QnStatus onnx_import_attribute(OnnxImporter *im, const OnnxAttribute *from, QnNode *node,
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
