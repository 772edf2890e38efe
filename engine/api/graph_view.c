/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at graphs: include/quern/unstable/graph.h. */
#include "quern/unstable/graph.h"

#include "engine/api/model.h"
#include "engine/ir/text.h"
#include "engine/plan/plan.h"

struct QnGraphView {
    QnArena arena;
    QnGraphNode *nodes;
    QnGraphValue *values;
    int node_count, value_count;
    int opset;
};

/* A view in the making: the module's ids as indices of the view. */
typedef struct Making {
    QnGraphView *view;
    const QnModule *module;
    int *value_of, *node_of; /* [module->value_count], [module->node_count] by id; -1: not yet */
} Making;

static QnStatus copy(const char **out, Making *making, const char *text)
{
    *out = qn_arena_copy_text(&making->view->arena, text ? text : "", text ? strlen(text) : 0);
    return *out ? QN_OK : QN_NO_MEMORY;
}

/* The index of a value, which is added where it is met first; *out -1 where it is absent. */
static QnStatus add_value(int *out, Making *making, const QnIrValue *value)
{
    QnGraphView *view = making->view;
    *out = value ? making->value_of[value->id] : -1;
    if (!value || *out >= 0)
        return QN_OK;
    char type[512];
    QnGraphValue *to = &view->values[view->value_count];
    qn_ir_type_print(&making->module->dims, &value->type, type, sizeof type);
    QN_TRY(copy(&to->name, making, value->name));
    QN_TRY(copy(&to->type_text, making, type));
    to->producer = value->node ? making->node_of[value->node->id] : -1;
    to->is_constant = value->constant && !value->is_default;
    if (value->constant) {
        to->constant_count = (uint64_t)qn_tensor_count(value->constant);
        to->constant_bytes = to->constant_count * qn_type_size(value->constant->type);
    }
    *out = making->value_of[value->id] = view->value_count++;
    return QN_OK;
}

static QnStatus add_attributes(QnGraphNode *to, Making *making, const QnNode *node)
{
    QnGraphAttribute *attributes;
    QN_ALLOC(attributes, &making->view->arena, node->attribute_count);
    for (int i = 0; i < node->attribute_count; i++) {
        QnText text = qn_text(making->view->arena.allocator);
        qn_attribute_print(making->module, &node->attributes[i], &text);
        QnStatus status = text.failed ? QN_NO_MEMORY : QN_OK;
        if (status == QN_OK)
            status = copy(&attributes[i].text, making, qn_text_string(&text));
        qn_text_finish(&text);
        QN_TRY(status);
        QN_TRY(copy(&attributes[i].name, making, node->attributes[i].name));
    }
    to->attributes = attributes;
    to->attribute_count = node->attribute_count;
    return QN_OK;
}

static QnStatus add_node(Making *making, const QnNode *node)
{
    QnGraphView *view = making->view;
    const QnNode *owner = node->graph->owner;
    QnGraphNode *to = &view->nodes[view->node_count];
    int *inputs, *outputs;
    making->node_of[node->id] = view->node_count++;
    QN_ALLOC(inputs, &view->arena, node->input_count);
    QN_ALLOC(outputs, &view->arena, node->output_count);
    for (int i = 0; i < node->input_count; i++)
        QN_TRY(add_value(&inputs[i], making, node->inputs[i].value));
    for (int i = 0; i < node->output_count; i++)
        QN_TRY(add_value(&outputs[i], making, node->outputs[i]));
    to->source_since = node->origin.since;
    to->depth = qn_graph_depth(node->graph);
    to->parent = owner ? making->node_of[owner->id] : -1;
    to->inputs = inputs;
    to->outputs = outputs;
    to->input_count = node->input_count;
    to->output_count = node->output_count;
    QN_TRY(copy(&to->name, making, node->origin.name));
    QN_TRY(copy(&to->op, making, node->op));
    QN_TRY(copy(&to->domain, making, node->domain));
    QN_TRY(copy(&to->source_op, making, node->origin.op));
    return add_attributes(to, making, node);
}

static QnStatus fill(Making *making)
{
    QnGraphView *view = making->view;
    const QnModule *module = making->module;
    QN_ALLOC(view->nodes, &view->arena, module->node_count);
    QN_ALLOC(view->values, &view->arena, module->value_count);
    QN_ALLOC(making->value_of, &view->arena, module->value_count);
    QN_ALLOC(making->node_of, &view->arena, module->node_count);
    for (int i = 0; i < module->value_count; i++)
        making->value_of[i] = -1;
    for (int i = 0; i < module->node_count; i++)
        making->node_of[i] = -1;
    for (const QnNode *node = qn_module_walk(module, NULL); node;
         node = qn_module_walk(module, node))
        QN_TRY(add_node(making, node));
    view->opset = module->opset;
    return QN_OK;
}

static QnStatus create(QnGraphView **out, const QnModule *module, QnError *err)
{
    QnGraphView *view = qn_alloc(NULL, sizeof *view);
    if (!view)
        return qn_no_memory(err);
    *view = (QnGraphView){0};
    Making making = {.view = view, .module = module};
    if (fill(&making) != QN_OK) {
        qn_graph_view_free(view);
        return qn_no_memory(err);
    }
    *out = view;
    return QN_OK;
}

QnStatus qn_graph_view_model(QnGraphView **out, const QnModel *model, QnError *err)
{
    return create(out, model->module, err);
}

QnStatus qn_graph_view_plan(QnGraphView **out, const QnPlan *plan, QnError *err)
{
    return create(out, plan->module, err);
}

void qn_graph_view_free(QnGraphView *view)
{
    if (!view)
        return;
    qn_arena_finish(&view->arena);
    qn_free(NULL, view, sizeof *view);
}

int qn_graph_view_node_count(const QnGraphView *view)
{
    return view->node_count;
}

int qn_graph_view_value_count(const QnGraphView *view)
{
    return view->value_count;
}

const QnGraphNode *qn_graph_view_node(const QnGraphView *view, int i)
{
    return i >= 0 && i < view->node_count ? &view->nodes[i] : NULL;
}

const QnGraphValue *qn_graph_view_value(const QnGraphView *view, int i)
{
    return i >= 0 && i < view->value_count ? &view->values[i] : NULL;
}

int qn_graph_view_opset(const QnGraphView *view)
{
    return view->opset;
}
