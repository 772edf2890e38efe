/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A module as an ONNX file, node by node as it stands: what tests of the reader read.  With the
 * text form of modules a test says a model of any version in a line or two.
 *
 *     graph main(%x: float[2,3]) { %y = Clip(%x) {min = 0.0} return %y }
 */
#ifndef QN_TESTS_ONNX_BYTES_H
#define QN_TESTS_ONNX_BYTES_H

#include "base/proto.h"
#include "engine/ir/graph.h"

static void onnx_put_graph(QnText *out, uint32_t field, const QnGraph *graph);

static void onnx_put_dim(QnText *out, const QnDims *dims, QnDim dim)
{
    char text[256];
    const size_t mark = qn_proto_put_begin(out, 1);
    qn_dim_print(dims, dim, text, sizeof text);
    if (dim >= 0)
        qn_proto_put_int(out, 1, dim);
    else if (text[0] != '#')
        qn_proto_put_string(out, 2, text);
    qn_proto_put_end(out, mark);
}

static void onnx_put_type(QnText *out, uint32_t field, const QnDims *dims, const QnIrType *type)
{
    static const uint32_t fields[] = {
        [QN_NONE] = 0, [QN_TENSOR] = 1, [QN_SEQUENCE] = 4, [QN_OPTIONAL] = 9, [QN_MAP] = 5};
    if (type->kind == QN_NONE)
        return;
    const size_t mark = qn_proto_put_begin(out, field);
    const size_t inner = qn_proto_put_begin(out, fields[type->kind]);
    if (type->kind == QN_TENSOR || type->kind == QN_MAP)
        qn_proto_put_int(out, 1, type->element);
    if (type->kind == QN_TENSOR && type->shape.rank >= 0) {
        const size_t shape = qn_proto_put_begin(out, 2);
        for (int i = 0; i < type->shape.rank; i++)
            onnx_put_dim(out, dims, type->shape.dims[i]);
        qn_proto_put_end(out, shape);
    }
    if (type->item)
        onnx_put_type(out, type->kind == QN_MAP ? 2 : 1, dims, type->item);
    qn_proto_put_end(out, inner);
    qn_proto_put_end(out, mark);
}

static void onnx_put_info(QnText *out, uint32_t field, const char *name, const QnIrValue *value)
{
    const size_t mark = qn_proto_put_begin(out, field);
    qn_proto_put_string(out, 1, name);
    onnx_put_type(out, 2, &value->graph->module->dims, &value->type);
    qn_proto_put_end(out, mark);
}

/* Strings and values of less than a byte in typed fields, the rest as raw data. */
static void onnx_put_tensor(QnText *out, uint32_t field, const char *name, const QnTensor *tensor)
{
    const size_t mark = qn_proto_put_begin(out, field);
    const int64_t count = qn_tensor_count(tensor);
    for (int i = 0; i < tensor->rank; i++)
        qn_proto_put_int(out, 1, tensor->dims[i]);
    qn_proto_put_int(out, 2, tensor->type);
    qn_proto_put_string(out, 8, name);
    if (tensor->type == QN_STRING) {
        const QnString *strings = tensor->data;
        for (int64_t i = 0; i < count; i++)
            qn_proto_put_bytes(out, 6, qn_bytes(strings[i].data, strings[i].size));
    } else if (tensor->type == QN_INT4 || tensor->type == QN_UINT4) {
        const uint8_t *data = tensor->data;
        for (int64_t i = 0; i < count; i += 2)
            qn_proto_put_int(out, 5,
                             (data[i] & 15) | (i + 1 < count ? (data[i + 1] & 15) << 4 : 0));
    } else {
        qn_proto_put_bytes(out, 9,
                           qn_bytes(tensor->data, (size_t)count * qn_type_size(tensor->type)));
    }
    qn_proto_put_end(out, mark);
}

/* The members of a list attribute, or the only one of another. */
static void onnx_put_members(QnText *out, const QnAttribute *a)
{
    switch (a->kind) {
    case QN_ATTRIBUTE_FLOAT:
        qn_proto_put_f32(out, 2, (float)a->f);
        break;
    case QN_ATTRIBUTE_INT:
        qn_proto_put_int(out, 3, a->i);
        break;
    case QN_ATTRIBUTE_STRING:
        qn_proto_put_bytes(out, 4, qn_bytes(a->s.data, a->s.size));
        break;
    case QN_ATTRIBUTE_TENSOR:
        onnx_put_tensor(out, 5, "", a->tensor);
        break;
    case QN_ATTRIBUTE_GRAPH:
        onnx_put_graph(out, 6, a->graph);
        break;
    default:
        for (int i = 0; i < a->count; i++) {
            if (a->kind == QN_ATTRIBUTE_FLOATS)
                qn_proto_put_f32(out, 7, a->floats[i]);
            if (a->kind == QN_ATTRIBUTE_INTS)
                qn_proto_put_int(out, 8, a->ints[i]);
            if (a->kind == QN_ATTRIBUTE_STRINGS)
                qn_proto_put_bytes(out, 9, qn_bytes(a->strings[i].data, a->strings[i].size));
            if (a->kind == QN_ATTRIBUTE_GRAPHS)
                onnx_put_graph(out, 11, a->graphs[i]);
        }
    }
}

static void onnx_put_node(QnText *out, const QnNode *node, const QnDims *dims)
{
    const size_t mark = qn_proto_put_begin(out, 1);
    for (int i = 0; i < node->input_count; i++)
        qn_proto_put_string(out, 1, node->inputs[i].value ? node->inputs[i].value->name : "");
    for (int i = 0; i < node->output_count; i++)
        qn_proto_put_string(out, 2, node->outputs[i] ? node->outputs[i]->name : "");
    qn_proto_put_string(out, 4, node->op);
    qn_proto_put_string(out, 7, node->domain);
    for (int i = 0; i < node->attribute_count; i++) {
        const QnAttribute *a = &node->attributes[i];
        const size_t inner = qn_proto_put_begin(out, 5);
        qn_proto_put_string(out, 1, a->name);
        qn_proto_put_int(out, 20, a->kind == QN_ATTRIBUTE_TYPE ? 13 : (int64_t)a->kind);
        onnx_put_members(out, a);
        if (a->kind == QN_ATTRIBUTE_TYPE)
            onnx_put_type(out, 14, dims, a->type);
        qn_proto_put_end(out, inner);
    }
    qn_proto_put_end(out, mark);
}

/* A constant stands in the graph that defines it; `mark` of the value says that it was written. */
static void onnx_put_constant(QnText *out, QnIrValue *value, const QnGraph *graph)
{
    if (!value || !value->constant || value->graph != graph || value->mark == out ||
        value->is_default)
        return;
    value->mark = out;
    onnx_put_tensor(out, 5, value->name, value->constant);
}

static void onnx_put_constants_of(QnText *out, const QnGraph *inside, const QnGraph *graph)
{
    QnGraph *nested;
    for (const QnNode *node = inside->first; node; node = node->next) {
        for (int i = 0; i < node->input_count; i++)
            onnx_put_constant(out, node->inputs[i].value, graph);
        for (int i = 0; (nested = qn_node_graph(node, i)); i++)
            onnx_put_constants_of(out, nested, graph);
    }
    for (int i = 0; i < inside->output_count; i++)
        onnx_put_constant(out, inside->outputs[i].value, graph);
}

/* An output under another name than its value's needs a node of its own. */
static void onnx_put_output(QnText *out, const QnGraph *graph, int i)
{
    const QnIrValue *value = graph->outputs[i].value;
    onnx_put_info(out, 12, graph->output_names[i], value);
    if (!strcmp(value->name, graph->output_names[i]))
        return;
    const size_t mark = qn_proto_put_begin(out, 1);
    qn_proto_put_string(out, 1, value->name);
    qn_proto_put_string(out, 2, graph->output_names[i]);
    qn_proto_put_string(out, 4, "Identity");
    qn_proto_put_end(out, mark);
}

static void onnx_put_graph(QnText *out, uint32_t field, const QnGraph *graph)
{
    const size_t mark = qn_proto_put_begin(out, field);
    qn_proto_put_string(out, 2, graph->name ? graph->name : "graph");
    for (const QnNode *node = graph->first; node; node = node->next)
        onnx_put_node(out, node, &graph->module->dims);
    onnx_put_constants_of(out, graph, graph);
    for (int i = 0; i < graph->input_count; i++) {
        onnx_put_info(out, 11, graph->inputs[i]->name, graph->inputs[i]);
        if (graph->inputs[i]->is_default)
            onnx_put_tensor(out, 5, graph->inputs[i]->name, graph->inputs[i]->constant);
    }
    for (int i = 0; i < graph->output_count; i++)
        onnx_put_output(out, graph, i);
    qn_proto_put_end(out, mark);
}

static inline void onnx_put_import(QnText *out, const char *domain, int64_t version)
{
    const size_t mark = qn_proto_put_begin(out, 8);
    qn_proto_put_string(out, 1, domain);
    qn_proto_put_int(out, 2, version);
    qn_proto_put_end(out, mark);
}

/* Appends the file's bytes. */
static inline void onnx_bytes(QnText *out, const QnModule *module, int64_t ir_version,
                              int64_t opset, int64_t ml)
{
    qn_proto_put_int(out, 1, ir_version);
    qn_proto_put_string(out, 2, "test");
    onnx_put_graph(out, 7, module->main);
    onnx_put_import(out, "", opset);
    onnx_put_import(out, "ai.onnx.ml", ml);
    onnx_put_import(out, "com.microsoft", 1);
    onnx_put_import(out, "com.microsoft.nchwc", 1);
}

#endif
