/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of a graph or a function's body: its names, the types it declares, its nodes and outputs.
 */
#include <string.h>

#include "engine/formats/onnx/validate.h"

const char *onnx_label(const OnnxChecker *c, const OnnxNode *node)
{
    const char *text = onnx_node_label(c->in->scratch, node);
    return c->function ? onnx_say(c->in, "%s in function '%s'", text, c->function->name) : text;
}

void onnx_complain(const OnnxChecker *c, OnnxNode *node, QnFinding finding)
{
    if (finding.severity == QN_SEVERE)
        node->is_broken = true;
    if (qn_report_has_room(c->in->report, finding.severity))
        finding.node = onnx_label(c, node);
    onnx_add_finding(c->in, finding);
}

static void fail(const OnnxChecker *c, const char *rule, const char *node, const char *found,
                 const char *expected)
{
    onnx_add_finding(c->in, (QnFinding){.severity = QN_SEVERE,
                                        .rule = rule,
                                        .node = node,
                                        .found = found,
                                        .expected = expected});
}

static void breach(const OnnxChecker *c, const char *rule, const char *node, const char *found,
                   const char *expected)
{
    onnx_add_finding(c->in, (QnFinding){.severity = QN_BREACH,
                                        .rule = rule,
                                        .node = node,
                                        .found = found,
                                        .expected = expected});
}

/* --- names --- */

static const char *value_label(const OnnxChecker *c, const char *name)
{
    return c->function ? onnx_say(c->in, "value '%s' in function '%s'", name, c->function->name)
                       : onnx_say(c->in, "value '%s'", name);
}

/* Adds a name that the graph defines; a second definition is severe, one that hides an outer name a
 * breach. */
static QnStatus define(OnnxChecker *c, OnnxScope *names, const char *name, OnnxHint hint)
{
    if (!name[0])
        return QN_OK;
    if (onnx_scope_find_here(names, name))
        fail(c, "onnx-duplicate-name", value_label(c, name), "it is defined twice", "once");
    else if (onnx_scope_find(names->parent, name))
        breach(c, "onnx-shadowed-name", value_label(c, name), "it hides one of the graph around it",
               "a name of its own");
    return onnx_hint_put(names, name, hint);
}

/* Before IR 4 every initializer is the default of an input, and has to be among them. */
static void check_default(const OnnxChecker *c, const char *name, bool is_input, bool is_main)
{
    const char *owner = onnx_say(c->in, "initializer '%s'", name);
    if (!c->is_checking || !is_main)
        return;
    if (!is_input && c->model->ir_version < 4)
        breach(c, "onnx-initializer-input", owner,
               onnx_say(c->in, "it is no input, in a model of ir_version %lld",
                        (long long)c->model->ir_version),
               "an input of its name, or ir_version 4 or more");
    if (is_input && c->model->ir_version >= 4)
        onnx_add_finding(c->in, (QnFinding){.severity = QN_NOTE,
                                            .rule = "onnx-initializer-input",
                                            .node = owner,
                                            .found = "it is an input, too",
                                            .remedy = "where callers do not override it, take it "
                                                      "out of the inputs: then it is a constant"});
}

static QnStatus define_initializers(OnnxChecker *c, OnnxGraph *graph, OnnxScope *names)
{
    OnnxScope seen = onnx_scope(c->in->scratch, NULL);
    const int dense = graph->initializers.count;
    for (int i = 0; i < dense + graph->sparse_initializers.count; i++) {
        OnnxTensor *tensor = i < dense ? graph->initializers.items[i]
                                       : &graph->sparse_initializers.items[i - dense]->values;
        const char *owner = onnx_say(c->in, "initializer '%s'", tensor->name);
        if (!tensor->name[0])
            fail(c, "onnx-initializer-name", owner, "it has no name", "one");
        const bool is_second = onnx_scope_find_here(&seen, tensor->name) != NULL;
        if (is_second)
            fail(c, "onnx-duplicate-name", owner, "it is defined twice", "once");
        QN_TRY(onnx_scope_put(&seen, tensor->name, tensor));
        if (i < dense)
            onnx_check_tensor(c->in, tensor, owner);
        else
            onnx_check_sparse(c->in, graph->sparse_initializers.items[i - dense], owner);
        const bool is_input = onnx_scope_find_here(names, tensor->name) != NULL;
        if (!is_second)
            check_default(c, tensor->name, is_input, !names->parent);
        if (!is_input)
            QN_TRY(define(c, names, tensor->name, onnx_hint_of_tensor(tensor)));
    }
    return QN_OK;
}

/* --- declared types --- */

/* A value that callers see needs a whole type; a shape may leave out its sizes. */
static void check_whole_type(const OnnxChecker *c, const OnnxType *type, const char *label)
{
    if (type->kind == ONNX_TYPE_NONE)
        breach(c, "onnx-value-type", label, "it has no type", "one");
    else if (type->kind == ONNX_TYPE_TENSOR && type->element == 0)
        breach(c, "onnx-value-type", label, "it has no element type",
               onnx_say(c->in, "1 to %d", QN_TYPE_COUNT - 1));
    else if (type->kind == ONNX_TYPE_TENSOR && !type->has_shape)
        breach(c, "onnx-value-shape", label, "it has no shape",
               "one, if only with sizes that are not said");
    else if (type->kind != ONNX_TYPE_TENSOR && type->kind != ONNX_TYPE_OPAQUE && !type->item &&
             type->kind != ONNX_TYPE_SPARSE)
        breach(c, "onnx-value-type", label, "its type does not say what it holds",
               "a type of items");
}

/* A size that is not known is left out or has a name; -1 is what other formats write. */
static void check_sizes(const OnnxChecker *c, const OnnxType *type, const char *label)
{
    for (int i = 0; i < type->dims.count; i++)
        if (type->dims.items[i].is_number && type->dims.items[i].value < 0) {
            breach(c, "onnx-value-shape", label,
                   onnx_say(c->in, "dimension %d has size %lld", i,
                            (long long)type->dims.items[i].value),
                   "0 or more, or none where it is not known");
            return;
        }
}

static void check_type(const OnnxChecker *c, const OnnxValueInfo *info, const char *what,
                       bool is_main)
{
    const OnnxType *leaf = &info->type;
    while (leaf->item)
        leaf = leaf->item;
    const char *label = onnx_say(c->in, "%s '%s'", what, info->name);
    if (leaf->kind == ONNX_TYPE_OPAQUE || leaf->kind == ONNX_TYPE_SPARSE)
        fail(c, "onnx-value-type", label,
             leaf->kind == ONNX_TYPE_SPARSE ? "its type is a sparse tensor" : "its type is opaque",
             "a tensor, sequence, optional or map");
    if (leaf->kind == ONNX_TYPE_TENSOR && (leaf->element < 0 || leaf->element >= QN_TYPE_COUNT))
        fail(c, "onnx-value-type", label, onnx_say(c->in, "element type %d", leaf->element),
             onnx_say(c->in, "1 to %d", QN_TYPE_COUNT - 1));
    if (leaf->kind == ONNX_TYPE_TENSOR && leaf->dims.count > QN_MAX_RANK)
        fail(c, "onnx-value-rank", label, onnx_say(c->in, "rank %d", leaf->dims.count),
             onnx_say(c->in, "at most %d", QN_MAX_RANK));
    if (c->is_checking)
        check_sizes(c, leaf, label);
    if (c->is_checking && is_main)
        check_whole_type(c, &info->type, label);
}

/* Hints must be about something. */
static void check_value_infos(const OnnxChecker *c, const OnnxGraph *graph, const OnnxScope *names)
{
    for (int i = 0; c->is_checking && i < graph->values.count; i++) {
        const OnnxValueInfo *info = &graph->values.items[i];
        check_type(c, info, "value", false);
        if (!onnx_scope_find_here(names, info->name))
            onnx_add_finding(c->in, (QnFinding){.severity = QN_NOTE,
                                                .rule = "onnx-value-info",
                                                .node = value_label(c, info->name),
                                                .field = "value_info",
                                                .found = "it is declared, and nothing makes it",
                                                .remedy = "it is ignored"});
    }
}

/* --- nodes and outputs --- */

/* All that the graph defines, before any node is looked at: then order does not matter. */
static QnStatus define_all(OnnxChecker *c, OnnxGraph *graph, OnnxScope *names)
{
    const bool is_main = !names->parent && !c->function;
    for (int i = 0; i < graph->inputs.count; i++) {
        check_type(c, &graph->inputs.items[i], "input", is_main);
        if (!graph->inputs.items[i].name[0] && !names->parent)
            fail(c, "onnx-value-name", onnx_say(c->in, "input %d", i), "it has no name", "one");
        QN_TRY(define(c, names, graph->inputs.items[i].name,
                      onnx_hint_of_type(&graph->inputs.items[i].type)));
    }
    QN_TRY(define_initializers(c, graph, names));
    for (int i = 0; i < graph->nodes.count; i++)
        for (int k = 0; k < graph->nodes.items[i]->outputs.count; k++)
            QN_TRY(define(c, names, graph->nodes.items[i]->outputs.items[k], onnx_hint_unknown()));
    check_value_infos(c, graph, names);
    return QN_OK;
}

static void check_uses(OnnxChecker *c, OnnxNode *node, const OnnxScope *names)
{
    for (int i = 0; i < node->inputs.count; i++)
        if (node->inputs.items[i][0] && !onnx_scope_find(names, node->inputs.items[i]))
            onnx_complain(c, node,
                          (QnFinding){.severity = QN_SEVERE,
                                      .rule = "onnx-missing-value",
                                      .found = onnx_say(c->in, "input %d '%s' is made nowhere", i,
                                                        node->inputs.items[i]),
                                      .expected = "an input, an initializer or a node's output"});
}

static void check_outputs(OnnxChecker *c, const OnnxGraph *graph, const OnnxScope *names)
{
    const bool is_main = !names->parent;
    OnnxScope seen = onnx_scope(c->in->scratch, NULL);
    for (int i = 0; i < graph->outputs.count; i++) {
        OnnxValueInfo *info = &graph->outputs.items[i];
        check_type(c, info, "output", is_main);
        if (!onnx_scope_find(names, info->name))
            fail(c, "onnx-missing-value", onnx_say(c->in, "output '%s'", info->name),
                 onnx_say(c->in, "graph '%s' makes no such value", graph->name),
                 "one that it makes");
        if (!c->is_checking || !is_main)
            continue;
        if (onnx_scope_find_here(&seen, info->name))
            onnx_add_finding(c->in, (QnFinding){.severity = QN_WARNING,
                                                .rule = "onnx-duplicate-output",
                                                .node = onnx_say(c->in, "output '%s'", info->name),
                                                .found = "it is an output twice"});
        if (onnx_scope_put(&seen, info->name, info) != QN_OK)
            return; /* no memory: the steps to come say so */
    }
}

static QnStatus check_subgraphs(OnnxChecker *c, OnnxNode *node, const OnnxScope *names)
{
    for (int i = 0; i < node->attributes.count; i++) {
        OnnxAttribute *attribute = &node->attributes.items[i];
        if (attribute->graph)
            QN_TRY(onnx_check_graph(c, attribute->graph, names));
        for (int k = 0; k < attribute->graphs.count; k++)
            QN_TRY(onnx_check_graph(c, attribute->graphs.items[k], names));
    }
    return QN_OK;
}

/* Names of nodes are for people: two with one name make messages ambiguous, no more. */
static QnStatus check_node_name(OnnxChecker *c, OnnxNode *node, OnnxScope *node_names)
{
    if (!c->is_checking || !node->name[0])
        return QN_OK;
    if (onnx_scope_find_here(node_names, node->name))
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_WARNING,
                                  .rule = "onnx-duplicate-node-name",
                                  .field = "name",
                                  .found = "another node has it, too",
                                  .remedy = "messages cannot tell them apart"});
    return onnx_scope_put(node_names, node->name, node);
}

static QnStatus check_nodes(OnnxChecker *c, OnnxGraph *graph, OnnxScope *names)
{
    OnnxScope node_names = onnx_scope(c->in->scratch, NULL);
    for (int i = 0; i < graph->nodes.count; i++) {
        OnnxNode *node = graph->nodes.items[i];
        QN_TRY(onnx_resolve_node(c, node));
        check_uses(c, node, names);
        QN_TRY(check_node_name(c, node, &node_names));
        QN_TRY(onnx_check_node(c, node, names));
        QN_TRY(onnx_name_gradient(c, node, names));
        QN_TRY(check_subgraphs(c, node, names));
        QN_TRY(onnx_hints_of_node(names, node));
    }
    return QN_OK;
}

QnStatus onnx_check_graph(OnnxChecker *c, OnnxGraph *graph, const OnnxScope *outer)
{
    OnnxScope names = onnx_scope(c->in->scratch, outer);
    QN_TRY(define_all(c, graph, &names));
    QN_TRY(check_nodes(c, graph, &names));
    check_outputs(c, graph, &names);
    if (!c->is_checking)
        return QN_OK;
    const char **outputs;
    QN_ALLOC(outputs, c->in->scratch, graph->outputs.count);
    for (int i = 0; i < graph->outputs.count; i++)
        outputs[i] = graph->outputs.items[i].name;
    return onnx_check_usage(c, graph, outputs, graph->outputs.count);
}

QnStatus onnx_check_body(OnnxChecker *c, OnnxFunction *function)
{
    OnnxScope names = onnx_scope(c->in->scratch, NULL);
    for (int i = 0; i < function->inputs.count; i++)
        QN_TRY(define(c, &names, function->inputs.items[i], onnx_hint_unknown()));
    QN_TRY(define_all(c, &function->body, &names));
    QN_TRY(check_nodes(c, &function->body, &names));
    for (int i = 0; i < function->outputs.count; i++)
        if (!onnx_scope_find(&names, function->outputs.items[i]))
            fail(c, "onnx-missing-value", onnx_say(c->in, "function '%s'", function->name),
                 onnx_say(c->in, "it makes no output '%s'", function->outputs.items[i]),
                 "one that it makes");
    return c->is_checking ? onnx_check_usage(c, &function->body, function->outputs.items,
                                             function->outputs.count)
                          : QN_OK;
}
