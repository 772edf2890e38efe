/* SPDX-License-Identifier: Apache-2.0 */
/* The set of names in use, and new ones. */
#include "engine/formats/onnx/names.h"

#include <string.h>

static QnStatus collect(OnnxScope *used, OnnxGraph *graph);

/* What a name in use stands for: the number to try next behind it, so that the many names that the
 * copies of one function ask for are not looked through from the first one each time. */
static void *number(uintptr_t next)
{
    return (void *)next;
}

static QnStatus note(OnnxScope *used, const char *name)
{
    return name[0] ? onnx_scope_put(used, name, number(1)) : QN_OK;
}

static QnStatus collect_node(OnnxScope *used, OnnxNode *node)
{
    for (int i = 0; i < node->inputs.count; i++)
        QN_TRY(note(used, node->inputs.items[i]));
    for (int i = 0; i < node->outputs.count; i++)
        QN_TRY(note(used, node->outputs.items[i]));
    for (int i = 0; i < node->attributes.count; i++) {
        OnnxAttribute *attribute = &node->attributes.items[i];
        if (attribute->graph)
            QN_TRY(collect(used, attribute->graph));
        for (int k = 0; k < attribute->graphs.count; k++)
            QN_TRY(collect(used, attribute->graphs.items[k]));
    }
    return QN_OK;
}

static QnStatus collect(OnnxScope *used, OnnxGraph *graph)
{
    for (int i = 0; i < graph->inputs.count; i++)
        QN_TRY(note(used, graph->inputs.items[i].name));
    for (int i = 0; i < graph->initializers.count; i++)
        QN_TRY(note(used, graph->initializers.items[i]->name));
    for (int i = 0; i < graph->sparse_initializers.count; i++)
        QN_TRY(note(used, graph->sparse_initializers.items[i]->values.name));
    for (int i = 0; i < graph->nodes.count; i++)
        QN_TRY(collect_node(used, graph->nodes.items[i]));
    return QN_OK;
}

QnStatus onnx_collect_names(OnnxScope *used, OnnxModel *model)
{
    for (int i = 0; i < model->functions.count; i++)
        QN_TRY(collect(used, &model->functions.items[i]->body));
    return collect(used, &model->graph);
}

QnStatus onnx_new_name(OnnxScope *used, const char *base, const char *suffix, const char **out)
{
    const char *plain = qn_arena_printf(used->arena, "%s.%s", base, suffix), *name = plain;
    if (!plain)
        return QN_NO_MEMORY;
    uintptr_t next = (uintptr_t)onnx_scope_find_here(used, plain);
    if (next) {
        do
            name = qn_arena_printf(used->arena, "%s.%d", plain, (int)next++);
        while (name && onnx_scope_find_here(used, name));
        if (!name)
            return QN_NO_MEMORY;
        QN_TRY(onnx_scope_put(used, plain, number(next)));
    }
    *out = name;
    return onnx_scope_put(used, name, number(1));
}
