/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving a sub-graph's nodes into another graph: what it defines gets new names, since sub-graphs
 * next to each other may use the same ones.  Graphs inside it keep theirs, which hide those around.
 */
#include "engine/formats/onnx/splice.h"

#include "engine/formats/onnx/names.h"

static QnStatus put(OnnxScope *names, const char *from, const char *to)
{
    return onnx_scope_put(names, from, (void *)(uintptr_t)to);
}

static const char *renamed(const OnnxScope *names, const char *name)
{
    const char *to = name[0] ? onnx_scope_find(names, name) : NULL;
    return to ? to : name;
}

/* A new name for what the sub-graph defines; its inputs have theirs already. */
static QnStatus define(OnnxUpgrade *up, OnnxScope *names, const char *name)
{
    const char *base = up->origin->name[0] ? up->origin->name : up->origin->op, *fresh;
    if (!name[0] || onnx_scope_find_here(names, name))
        return QN_OK;
    QN_TRY(onnx_new_name(up->used, base, name, &fresh));
    return put(names, name, fresh);
}

/* --- graphs inside --- */

static QnStatus rename_graph(OnnxGraph *graph, const OnnxScope *outer);

static QnStatus rename_node(OnnxNode *node, const OnnxScope *names)
{
    for (int i = 0; i < node->inputs.count; i++)
        node->inputs.items[i] = renamed(names, node->inputs.items[i]);
    for (int i = 0; i < node->outputs.count; i++)
        node->outputs.items[i] = renamed(names, node->outputs.items[i]);
    for (int i = 0; i < node->attributes.count; i++) {
        OnnxAttribute *attribute = &node->attributes.items[i];
        if (attribute->graph)
            QN_TRY(rename_graph(attribute->graph, names));
        for (int k = 0; k < attribute->graphs.count; k++)
            QN_TRY(rename_graph(attribute->graphs.items[k], names));
    }
    return QN_OK;
}

/* What the graph defines hides what is called so around it. */
static QnStatus rename_graph(OnnxGraph *graph, const OnnxScope *outer)
{
    OnnxScope names = onnx_scope(outer->arena, outer);
    for (int i = 0; i < graph->inputs.count; i++)
        if (graph->inputs.items[i].name[0])
            QN_TRY(put(&names, graph->inputs.items[i].name, graph->inputs.items[i].name));
    for (int i = 0; i < graph->initializers.count; i++)
        QN_TRY(put(&names, graph->initializers.items[i]->name, graph->initializers.items[i]->name));
    for (int i = 0; i < graph->sparse_initializers.count; i++) {
        const char *name = graph->sparse_initializers.items[i]->values.name;
        QN_TRY(put(&names, name, name));
    }
    for (int i = 0; i < graph->nodes.count; i++)
        for (int k = 0; k < graph->nodes.items[i]->outputs.count; k++)
            if (graph->nodes.items[i]->outputs.items[k][0])
                QN_TRY(put(&names, graph->nodes.items[i]->outputs.items[k],
                           graph->nodes.items[i]->outputs.items[k]));
    for (int i = 0; i < graph->nodes.count; i++)
        QN_TRY(rename_node(graph->nodes.items[i], &names));
    for (int i = 0; i < graph->outputs.count; i++)
        graph->outputs.items[i].name = renamed(&names, graph->outputs.items[i].name);
    return QN_OK;
}

/* --- the sub-graph --- */

static QnStatus move_constants(OnnxUpgrade *up, OnnxGraph *graph, OnnxScope *names)
{
    for (int i = 0; i < graph->initializers.count; i++) {
        OnnxTensor *tensor = graph->initializers.items[i];
        if (onnx_scope_find_here(names, tensor->name))
            continue; /* the default of an input, which is given */
        QN_TRY(define(up, names, tensor->name));
        tensor->name = renamed(names, tensor->name);
        ONNX_ADD(&up->graph->initializers, up->in->scratch, tensor);
        QN_TRY(onnx_hint_put(up->hints, tensor->name, onnx_hint_of_tensor(tensor)));
    }
    for (int i = 0; i < graph->sparse_initializers.count; i++) {
        OnnxSparse *sparse = graph->sparse_initializers.items[i];
        QN_TRY(define(up, names, sparse->values.name));
        sparse->values.name = renamed(names, sparse->values.name);
        ONNX_ADD(&up->graph->sparse_initializers, up->in->scratch, sparse);
    }
    return QN_OK;
}

QnStatus onnx_splice(OnnxUpgrade *up, OnnxGraph *graph, OnnxScope *names)
{
    QN_TRY(move_constants(up, graph, names));
    for (int i = 0; i < graph->nodes.count; i++)
        for (int k = 0; k < graph->nodes.items[i]->outputs.count; k++)
            QN_TRY(define(up, names, graph->nodes.items[i]->outputs.items[k]));
    for (int i = 0; i < graph->nodes.count; i++) {
        QN_TRY(rename_node(graph->nodes.items[i], names));
        QN_TRY(onnx_emit(up, graph->nodes.items[i]));
    }
    return QN_OK;
}

const char *onnx_spliced_output(const OnnxGraph *graph, int i, const OnnxScope *names)
{
    return renamed(names, graph->outputs.items[i].name);
}
