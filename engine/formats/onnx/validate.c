/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the model, its functions and its graphs; nodes and tensors have files of their own. */
#include "engine/formats/onnx/validate.h"

#include <stdio.h>
#include <string.h>

void onnx_add_finding(const QnReader *in, QnFinding finding)
{
    finding.file = in->file;
    qn_report_add(in->report, &finding);
}

const char *onnx_say(const QnReader *in, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : qn_arena_alloc(in->scratch, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text ? text : "";
}

static void warn(const QnReader *in, const char *rule, const char *field, const char *found,
                 const char *remedy)
{
    onnx_add_finding(in, (QnFinding){.severity = QN_WARNING,
                                     .rule = rule,
                                     .field = field,
                                     .found = found,
                                     .remedy = remedy});
}

static void fail(const QnReader *in, const char *rule, const char *node, const char *found,
                 const char *expected)
{
    onnx_add_finding(in, (QnFinding){.severity = QN_SEVERE,
                                     .rule = rule,
                                     .node = node,
                                     .found = found,
                                     .expected = expected});
}

/* --- the model --- */

static void check_versions(const OnnxModel *model, const QnReader *in)
{
    if (model->ir_version < 1)
        warn(in, "onnx-ir-version", "ir_version",
             onnx_say(in, "%lld", (long long)model->ir_version), "it is read as 1");
    if (model->ir_version > onnx_newest_ir())
        warn(in, "onnx-ir-version", "ir_version",
             onnx_say(in, "%lld is newer than %d, the newest known", (long long)model->ir_version,
                      onnx_newest_ir()),
             "what is new in it is not seen");
    if (model->ir_version >= 3 && model->imports.count == 0)
        warn(in, "onnx-opset-import", "opset_import", "it is not there",
             "the newest versions are assumed");
}

static void check_imports(const OnnxImport *imports, int count, const QnReader *in)
{
    for (int i = 0; i < count; i++) {
        const char *name = imports[i].domain[0] ? imports[i].domain : "ai.onnx";
        const int newest = onnx_domain_newest(imports[i].domain);
        for (int k = 0; k < i; k++)
            if (!strcmp(imports[i].domain, imports[k].domain))
                warn(in, "onnx-opset-import", "opset_import",
                     onnx_say(in, "%s is there twice", name), "the first one counts");
        if (newest && imports[i].version > newest)
            warn(in, "onnx-opset-version", "opset_import",
                 onnx_say(in, "version %lld of %s is newer than %d, the newest known",
                          (long long)imports[i].version, name, newest),
                 "operators are read as of the newest known version");
        if (imports[i].version < 1)
            fail(
                in, "onnx-opset-version", NULL,
                onnx_say(in, "version %lld of %s is imported", (long long)imports[i].version, name),
                "1 or more");
    }
}

static void check_metadata(const OnnxModel *model, const QnReader *in)
{
    OnnxScope keys = onnx_scope(in->scratch, NULL);
    for (int i = 0; i < model->metadata.count; i++) {
        OnnxEntry *entry = &model->metadata.items[i];
        if (onnx_scope_find_here(&keys, entry->key))
            warn(in, "onnx-metadata-key", "metadata_props",
                 onnx_say(in, "the key '%s' is there twice", entry->key), NULL);
        else if (onnx_scope_put(&keys, entry->key, entry) != QN_OK)
            return; /* no memory: the steps to come say so */
    }
}

/* --- graphs --- */

static QnStatus check_graph(OnnxChecker *c, OnnxGraph *graph, const OnnxScope *outer);

static const char *value_label(const OnnxChecker *c, const char *name)
{
    return c->function ? onnx_say(c->in, "value '%s' in function '%s'", name, c->function->name)
                       : onnx_say(c->in, "value '%s'", name);
}

/* Adds a name that the graph defines; a second definition is severe, one that hides an outer name a
 * warning. */
static QnStatus define(OnnxChecker *c, OnnxScope *names, const char *name, OnnxHint hint)
{
    if (!name[0])
        return QN_OK;
    if (onnx_scope_find_here(names, name))
        fail(c->in, "onnx-duplicate-name", value_label(c, name), "it is defined twice", "once");
    else if (onnx_scope_find(names->parent, name))
        onnx_add_finding(c->in, (QnFinding){.severity = QN_WARNING,
                                            .rule = "onnx-shadowed-name",
                                            .node = value_label(c, name),
                                            .found = "it hides one of the graph around it"});
    return onnx_hint_put(names, name, hint);
}

/* An initializer may repeat a graph input: it is its default. */
static QnStatus define_initializers(OnnxChecker *c, OnnxGraph *graph, OnnxScope *names)
{
    OnnxScope seen = onnx_scope(c->in->scratch, NULL);
    const int dense = graph->initializers.count;
    for (int i = 0; i < dense + graph->sparse_initializers.count; i++) {
        OnnxTensor *tensor = i < dense ? graph->initializers.items[i]
                                       : &graph->sparse_initializers.items[i - dense]->values;
        const char *owner = onnx_say(c->in, "initializer '%s'", tensor->name);
        if (!tensor->name[0])
            fail(c->in, "onnx-initializer-name", owner, "it has no name", "one");
        if (onnx_scope_find_here(&seen, tensor->name))
            fail(c->in, "onnx-duplicate-name", owner, "it is defined twice", "once");
        QN_TRY(onnx_scope_put(&seen, tensor->name, tensor));
        if (i < dense)
            onnx_check_tensor(c->in, tensor, owner);
        else
            onnx_check_sparse(c->in, graph->sparse_initializers.items[i - dense], owner);
        if (!onnx_scope_find_here(names, tensor->name))
            QN_TRY(define(c, names, tensor->name, onnx_hint_of_tensor(tensor)));
    }
    return QN_OK;
}

static void check_type(const OnnxChecker *c, const OnnxValueInfo *info, const char *what)
{
    const OnnxType *leaf = &info->type;
    while (leaf->item)
        leaf = leaf->item;
    const char *label = onnx_say(c->in, "%s '%s'", what, info->name);
    if (leaf->kind == ONNX_TYPE_OPAQUE || leaf->kind == ONNX_TYPE_SPARSE)
        fail(c->in, "onnx-value-type", label,
             leaf->kind == ONNX_TYPE_SPARSE ? "its type is a sparse tensor" : "its type is opaque",
             "a tensor, sequence, optional or map");
    if (leaf->kind == ONNX_TYPE_TENSOR && (leaf->element < 0 || leaf->element >= QN_TYPE_COUNT))
        fail(c->in, "onnx-value-type", label, onnx_say(c->in, "element type %d", leaf->element),
             onnx_say(c->in, "1 to %d", QN_TYPE_COUNT - 1));
    if (leaf->kind == ONNX_TYPE_TENSOR && leaf->dims.count > QN_MAX_RANK)
        fail(c->in, "onnx-value-rank", label, onnx_say(c->in, "rank %d", leaf->dims.count),
             onnx_say(c->in, "at most %d", QN_MAX_RANK));
}

/* All that the graph defines, before any node is looked at: then order does not matter. */
static QnStatus define_all(OnnxChecker *c, OnnxGraph *graph, OnnxScope *names)
{
    for (int i = 0; i < graph->inputs.count; i++) {
        check_type(c, &graph->inputs.items[i], "input");
        if (!graph->inputs.items[i].name[0] && !names->parent)
            fail(c->in, "onnx-value-name", onnx_say(c->in, "input %d", i), "it has no name", "one");
        QN_TRY(define(c, names, graph->inputs.items[i].name,
                      onnx_hint_of_type(&graph->inputs.items[i].type)));
    }
    QN_TRY(define_initializers(c, graph, names));
    for (int i = 0; i < graph->nodes.count; i++)
        for (int k = 0; k < graph->nodes.items[i]->outputs.count; k++)
            QN_TRY(define(c, names, graph->nodes.items[i]->outputs.items[k], onnx_hint_unknown()));
    return QN_OK;
}

static void check_uses(OnnxChecker *c, const OnnxNode *node, const OnnxScope *names)
{
    for (int i = 0; i < node->inputs.count; i++)
        if (node->inputs.items[i][0] && !onnx_scope_find(names, node->inputs.items[i]))
            fail(c->in, "onnx-missing-value", onnx_node_label(c->in->scratch, node),
                 onnx_say(c->in, "input %d '%s' is made nowhere", i, node->inputs.items[i]),
                 "an input, an initializer or a node's output");
}

static void check_outputs(OnnxChecker *c, const OnnxGraph *graph, const OnnxScope *names)
{
    for (int i = 0; i < graph->outputs.count; i++) {
        check_type(c, &graph->outputs.items[i], "output");
        if (!onnx_scope_find(names, graph->outputs.items[i].name))
            fail(c->in, "onnx-missing-value",
                 onnx_say(c->in, "output '%s'", graph->outputs.items[i].name),
                 onnx_say(c->in, "graph '%s' makes no such value", graph->name),
                 "one that it makes");
    }
}

static QnStatus check_subgraphs(OnnxChecker *c, OnnxNode *node, const OnnxScope *names)
{
    for (int i = 0; i < node->attributes.count; i++) {
        OnnxAttribute *attribute = &node->attributes.items[i];
        if (attribute->graph)
            QN_TRY(check_graph(c, attribute->graph, names));
        for (int k = 0; k < attribute->graphs.count; k++)
            QN_TRY(check_graph(c, attribute->graphs.items[k], names));
    }
    return QN_OK;
}

static QnStatus check_nodes(OnnxChecker *c, OnnxGraph *graph, OnnxScope *names)
{
    for (int i = 0; i < graph->nodes.count; i++) {
        OnnxNode *node = graph->nodes.items[i];
        QN_TRY(onnx_resolve_node(c, node));
        check_uses(c, node, names);
        QN_TRY(onnx_check_node(c, node, names));
        QN_TRY(check_subgraphs(c, node, names));
        QN_TRY(onnx_hints_of_node(names, node));
    }
    return QN_OK;
}

static QnStatus check_graph(OnnxChecker *c, OnnxGraph *graph, const OnnxScope *outer)
{
    OnnxScope names = onnx_scope(c->in->scratch, outer);
    QN_TRY(define_all(c, graph, &names));
    QN_TRY(check_nodes(c, graph, &names));
    check_outputs(c, graph, &names);
    return QN_OK;
}

/* --- functions --- */

static QnStatus check_function(OnnxModel *model, OnnxFunction *function, QnReader *in)
{
    OnnxChecker c = {in, model, function, function->imports.items, function->imports.count};
    OnnxScope names = onnx_scope(in->scratch, NULL);
    check_imports(function->imports.items, function->imports.count, in);
    for (int i = 0; i < function->inputs.count; i++)
        QN_TRY(define(&c, &names, function->inputs.items[i], onnx_hint_unknown()));
    QN_TRY(define_all(&c, &function->body, &names));
    QN_TRY(check_nodes(&c, &function->body, &names));
    for (int i = 0; i < function->outputs.count; i++)
        if (!onnx_scope_find(&names, function->outputs.items[i]))
            fail(in, "onnx-missing-value", onnx_say(in, "function '%s'", function->name),
                 onnx_say(in, "it makes no output '%s'", function->outputs.items[i]),
                 "one that it makes");
    return QN_OK;
}

static int find_height(OnnxFunction *function, int depth);

/* The greatest height of the functions that a graph's nodes call, plus one; INT_MAX / 2 where a
 * call comes back. */
static int find_height_of_graph(OnnxGraph *graph, int depth)
{
    int height = 0;
    for (int i = 0; i < graph->nodes.count; i++) {
        OnnxNode *node = graph->nodes.items[i];
        int h = node->function ? 1 + find_height(node->function, depth + 1) : 0;
        for (int k = 0; k < node->attributes.count; k++) {
            OnnxAttribute *a = &node->attributes.items[k];
            const int inner = a->graph ? find_height_of_graph(a->graph, depth) : 0;
            h = inner > h ? inner : h;
            for (int g = 0; g < a->graphs.count; g++) {
                const int one = find_height_of_graph(a->graphs.items[g], depth);
                h = one > h ? one : h;
            }
        }
        height = h > height ? h : height;
    }
    return height;
}

enum { CALL_LIMIT = 100, UNKNOWN = -1, AT_WORK = -2 };

/* Height of a function; more than CALL_LIMIT where its calls come back to it or nest too deep. */
static int find_height(OnnxFunction *function, int depth)
{
    if (function->height == AT_WORK || depth > CALL_LIMIT)
        return CALL_LIMIT + 1;
    if (function->height != UNKNOWN)
        return function->height;
    function->height = AT_WORK;
    const int height = find_height_of_graph(&function->body, depth);
    function->height = height > CALL_LIMIT ? CALL_LIMIT + 1 : height;
    return function->height;
}

static QnStatus check_functions(OnnxModel *model, QnReader *in)
{
    for (int i = 0; i < model->functions.count; i++)
        QN_TRY(check_function(model, model->functions.items[i], in));
    for (int i = 0; i < model->functions.count; i++)
        if (find_height(model->functions.items[i], 0) > CALL_LIMIT)
            fail(in, "onnx-function-depth",
                 onnx_say(in, "function '%s'", model->functions.items[i]->name),
                 "it calls itself, or calls nest too deep",
                 onnx_say(in, "at most %d levels", CALL_LIMIT));
    return QN_OK;
}

QnStatus onnx_validate(OnnxModel *model, QnReader *in)
{
    OnnxChecker c = {in, model, NULL, model->imports.items, model->imports.count};
    if (!model->has_graph)
        fail(in, "onnx-no-graph", NULL, "the model has no graph", "one");
    check_versions(model, in);
    check_imports(model->imports.items, model->imports.count, in);
    check_metadata(model, in);
    QN_TRY(check_functions(model, in));
    return check_graph(&c, &model->graph, NULL);
}
