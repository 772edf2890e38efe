/* SPDX-License-Identifier: Apache-2.0 */
/* Small questions about a parsed ONNX file. */
#include "engine/formats/onnx/model.h"

#include <string.h>

const char *onnx_kind_name(int64_t kind)
{
    static const char *const names[ONNX_KIND_COUNT] = {
        "UNDEFINED",      "FLOAT",      "INT",        "STRING",  "TENSOR", "GRAPH",
        "FLOATS",         "INTS",       "STRINGS",    "TENSORS", "GRAPHS", "SPARSE_TENSOR",
        "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"};
    return kind >= 0 && kind < ONNX_KIND_COUNT ? names[kind] : "an unknown kind";
}

OnnxAttribute *onnx_attribute(OnnxNode *node, const char *name)
{
    for (int i = 0; i < node->attributes.count; i++)
        if (!strcmp(node->attributes.items[i].name, name))
            return &node->attributes.items[i];
    return NULL;
}

const char *onnx_node_label(QnArena *arena, const OnnxNode *node)
{
    const char *label = NULL;
    if (node->name[0])
        label = qn_arena_printf(arena, "node '%s'", node->name);
    else if (!node->op[0])
        label = "a node without an operator";
    else if (node->outputs.count > 0 && node->outputs.items[0][0])
        label = qn_arena_printf(arena, "%s node making '%s'", node->op, node->outputs.items[0]);
    else
        label = qn_arena_printf(arena, "%s node", node->op);
    return label ? label : "a node";
}

bool onnx_has_input(const OnnxNode *node, int i)
{
    return i < node->inputs.count && node->inputs.items[i][0];
}

bool onnx_has_output(const OnnxNode *node, int i)
{
    return i < node->outputs.count && node->outputs.items[i][0];
}
