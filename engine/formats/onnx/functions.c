/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inlining of model-local functions: every call becomes a copy of the body.
 *
 * Versions were resolved before, so a body's nodes keep their own operator versions.  In the copy
 * every name that the body defines is new; formals become the actual names, an absent actual makes
 * its formal absent; attributes that refer to the function's take the call's value, else the
 * default, else go away.
 */
#include <assert.h>
#include <string.h>

#include "engine/formats/onnx/import.h"
#include "engine/formats/onnx/names.h"
#include "engine/formats/onnx/validate.h"

/* Calls of calls multiply: a model of a few lines could ask for any number of nodes. */
enum { INLINE_LIMIT = 1 << 20 };

typedef struct Inliner {
    QnReader *in;
    OnnxScope *used;
    int64_t copied; /* nodes so far */
} Inliner;

/* One call at work. */
typedef struct Call {
    Inliner *inliner;
    OnnxNode *node; /* the call */
    const OnnxFunction *function;
    const char *prefix; /* for new names */
} Call;

static const char absent[] = "";

static QnStatus expand_graph(Inliner *in, OnnxGraph *graph);
static QnStatus copy_graph(Call *call, const OnnxGraph *from, const OnnxScope *outer,
                           OnnxGraph **out);

/* --- names --- */

/* A name of the body, as it is called in the copy.
 * Names from nowhere were severe findings before. */
static const char *renamed(const OnnxScope *names, const char *name)
{
    const char *to = name[0] ? onnx_scope_find(names, name) : absent;
    return to ? to : absent;
}

static QnStatus rename_to(OnnxScope *names, const char *from, const char *to)
{
    return onnx_scope_put(names, from, (void *)(uintptr_t)to);
}

/* Gives a name that the body defines a new one; formal outputs have theirs already. */
static QnStatus define(Call *call, OnnxScope *names, const char *name)
{
    const char *fresh;
    if (!name[0] || onnx_scope_find_here(names, name))
        return QN_OK;
    QN_TRY(onnx_new_name(call->inliner->used, call->prefix, name, &fresh));
    return rename_to(names, name, fresh);
}

static QnStatus define_all(Call *call, const OnnxGraph *graph, OnnxScope *names)
{
    for (int i = 0; i < graph->inputs.count; i++)
        QN_TRY(define(call, names, graph->inputs.items[i].name));
    for (int i = 0; i < graph->initializers.count; i++)
        QN_TRY(define(call, names, graph->initializers.items[i]->name));
    for (int i = 0; i < graph->sparse_initializers.count; i++)
        QN_TRY(define(call, names, graph->sparse_initializers.items[i]->values.name));
    for (int i = 0; i < graph->nodes.count; i++)
        for (int k = 0; k < graph->nodes.items[i]->outputs.count; k++)
            QN_TRY(define(call, names, graph->nodes.items[i]->outputs.items[k]));
    return QN_OK;
}

/* --- copying --- */

/* The value that a reference stands for: the call's, else the default, else none. */
static const OnnxAttribute *find_actual(const Call *call, const char *name)
{
    const OnnxAttribute *actual = onnx_attribute(call->node, name);
    for (int i = 0; !actual && i < call->function->with_defaults.count; i++)
        if (!strcmp(call->function->with_defaults.items[i].name, name))
            actual = &call->function->with_defaults.items[i];
    return actual;
}

/* A call's graphs stay as they are: their names belong to the caller. */
static QnStatus copy_attribute(Call *call, const OnnxAttribute *from, const OnnxScope *names,
                               OnnxNode *to)
{
    QnArena *arena = call->inliner->in->scratch;
    OnnxAttribute copy = *from;
    if (from->ref[0]) {
        const OnnxAttribute *actual = find_actual(call, from->ref);
        if (!actual)
            return QN_OK;
        copy = *actual;
        copy.name = from->name;
    } else {
        if (from->graph)
            QN_TRY(copy_graph(call, from->graph, names, &copy.graph));
        copy.graphs.items = NULL;
        copy.graphs.count = copy.graphs.capacity = 0;
        for (int i = 0; i < from->graphs.count; i++) {
            OnnxGraph *graph;
            QN_TRY(copy_graph(call, from->graphs.items[i], names, &graph));
            ONNX_ADD(&copy.graphs, arena, graph);
        }
    }
    ONNX_ADD(&to->attributes, arena, copy);
    return QN_OK;
}

static QnStatus copy_node(Call *call, const OnnxNode *from, const OnnxScope *names, OnnxNode **out)
{
    QnArena *arena = call->inliner->in->scratch;
    OnnxNode *to;
    QN_ALLOC(to, arena, 1);
    to->op = from->op, to->domain = from->domain, to->overload = from->overload;
    to->origin_op = from->origin_op, to->origin_domain = from->origin_domain;
    to->schema = from->schema, to->function = from->function, to->since = from->since;
    to->is_broken = from->is_broken;
    to->name =
        from->name[0] ? qn_arena_printf(arena, "%s/%s", call->prefix, from->name) : call->prefix;
    if (!to->name)
        return QN_NO_MEMORY;
    for (int i = 0; i < from->inputs.count; i++)
        ONNX_ADD(&to->inputs, arena, renamed(names, from->inputs.items[i]));
    for (int i = 0; i < from->outputs.count; i++)
        ONNX_ADD(&to->outputs, arena, renamed(names, from->outputs.items[i]));
    for (int i = 0; i < from->attributes.count; i++)
        QN_TRY(copy_attribute(call, &from->attributes.items[i], names, to));
    if (++call->inliner->copied > INLINE_LIMIT)
        return qn_fail(call->inliner->in->err, QN_BAD_MODEL,
                       "its functions expand to over %d nodes", INLINE_LIMIT);
    *out = to;
    return QN_OK;
}

static QnStatus copy_infos(Call *call, const OnnxValueInfo *from, int count, const OnnxScope *names,
                           OnnxGraph *to, bool are_inputs)
{
    QnArena *arena = call->inliner->in->scratch;
    for (int i = 0; i < count; i++) {
        const OnnxValueInfo info = {renamed(names, from[i].name), from[i].type};
        if (are_inputs)
            ONNX_ADD(&to->inputs, arena, info);
        else
            ONNX_ADD(&to->outputs, arena, info);
    }
    return QN_OK;
}

static QnStatus copy_initializers(Call *call, const OnnxGraph *from, const OnnxScope *names,
                                  OnnxGraph *to)
{
    QnArena *arena = call->inliner->in->scratch;
    for (int i = 0; i < from->initializers.count; i++) {
        OnnxTensor *tensor;
        QN_ALLOC(tensor, arena, 1);
        *tensor = *from->initializers.items[i];
        tensor->name = renamed(names, tensor->name);
        ONNX_ADD(&to->initializers, arena, tensor);
    }
    for (int i = 0; i < from->sparse_initializers.count; i++) {
        OnnxSparse *sparse;
        QN_ALLOC(sparse, arena, 1);
        *sparse = *from->sparse_initializers.items[i];
        sparse->values.name = renamed(names, sparse->values.name);
        ONNX_ADD(&to->sparse_initializers, arena, sparse);
    }
    return QN_OK;
}

/* A sub-graph inside a body, with all that it defines renamed. */
static QnStatus copy_graph(Call *call, const OnnxGraph *from, const OnnxScope *outer,
                           OnnxGraph **out)
{
    OnnxScope names = onnx_scope(call->inliner->in->scratch, outer);
    OnnxGraph *to;
    QN_ALLOC(to, call->inliner->in->scratch, 1);
    to->name = from->name;
    QN_TRY(define_all(call, from, &names));
    QN_TRY(copy_infos(call, from->inputs.items, from->inputs.count, &names, to, true));
    QN_TRY(copy_infos(call, from->outputs.items, from->outputs.count, &names, to, false));
    QN_TRY(copy_initializers(call, from, &names, to));
    for (int i = 0; i < from->nodes.count; i++) {
        OnnxNode *node;
        QN_TRY(copy_node(call, from->nodes.items[i], &names, &node));
        ONNX_ADD(&to->nodes, call->inliner->in->scratch, node);
    }
    *out = to;
    return QN_OK;
}

/* --- calls --- */

static QnStatus add_identity(Call *call, OnnxGraph *to, const char *from_name, const char *to_name)
{
    QnArena *arena = call->inliner->in->scratch;
    OnnxNode *node;
    QN_ALLOC(node, arena, 1);
    node->name = call->prefix;
    node->op = node->origin_op = "Identity";
    node->domain = node->origin_domain = node->overload = "";
    node->schema = onnx_schema_find("", "Identity", INT64_MAX);
    node->since = node->schema->since;
    ONNX_ADD(&node->inputs, arena, from_name);
    ONNX_ADD(&node->outputs, arena, to_name);
    ONNX_ADD(&to->nodes, arena, node);
    return QN_OK;
}

/* Formal inputs become actual names, formal outputs those of the call; what the body has beside
 * gets new ones. */
static QnStatus bind_formals(Call *call, OnnxScope *names)
{
    const OnnxNode *node = call->node;
    const OnnxFunction *function = call->function;
    for (int i = 0; i < function->inputs.count; i++)
        QN_TRY(rename_to(names, function->inputs.items[i],
                         onnx_has_input(node, i) ? node->inputs.items[i] : absent));
    for (int i = 0; i < function->outputs.count; i++)
        if (onnx_has_output(node, i) && !onnx_scope_find_here(names, function->outputs.items[i]))
            QN_TRY(rename_to(names, function->outputs.items[i], node->outputs.items[i]));
    return define_all(call, &function->body, names);
}

/* Outputs that are inputs, or the same value twice, need a node of their own. */
static QnStatus pass_through(Call *call, const OnnxScope *names, OnnxGraph *to)
{
    for (int i = 0; i < call->function->outputs.count; i++) {
        const char *made = renamed(names, call->function->outputs.items[i]);
        if (onnx_has_output(call->node, i) && strcmp(made, call->node->outputs.items[i]) != 0)
            QN_TRY(add_identity(call, to, made, call->node->outputs.items[i]));
    }
    return QN_OK;
}

/* Is the node a call that its body can stand for?  Of a broken function, which only checking goes
 * past, the call is broken, too. */
static bool is_expandable(OnnxNode *node)
{
    node->is_broken |= node->function && node->function->is_broken;
    return node->function && !node->is_broken;
}

/* Appends the body of the node's function to `to`, calls inside it expanded too.
 * Depth was checked before. */
static QnStatus expand_call(Inliner *in, OnnxNode *node, OnnxGraph *to)
{
    QnArena *arena = in->in->scratch;
    Call call = {in, node, node->function, NULL};
    call.prefix = node->name[0] ? node->name : node->function->name;
    OnnxScope names = onnx_scope(arena, NULL);
    QN_TRY(bind_formals(&call, &names));
    for (int i = 0; i < node->function->body.nodes.count; i++) {
        OnnxNode *copy = NULL;
        QN_TRY(copy_node(&call, node->function->body.nodes.items[i], &names, &copy));
        assert(copy);
        if (is_expandable(copy))
            QN_TRY(expand_call(in, copy, to));
        else
            ONNX_ADD(&to->nodes, arena, copy);
    }
    return pass_through(&call, &names, to);
}

static QnStatus expand_subgraphs(Inliner *in, OnnxNode *node)
{
    for (int i = 0; i < node->attributes.count; i++) {
        OnnxAttribute *attribute = &node->attributes.items[i];
        if (attribute->graph)
            QN_TRY(expand_graph(in, attribute->graph));
        for (int k = 0; k < attribute->graphs.count; k++)
            QN_TRY(expand_graph(in, attribute->graphs.items[k]));
    }
    return QN_OK;
}

static QnStatus expand_graph(Inliner *in, OnnxGraph *graph)
{
    OnnxGraph made = {0};
    for (int i = 0; i < graph->nodes.count; i++) {
        if (is_expandable(graph->nodes.items[i]))
            QN_TRY(expand_call(in, graph->nodes.items[i], &made));
        else
            ONNX_ADD(&made.nodes, in->in->scratch, graph->nodes.items[i]);
    }
    graph->nodes.items = made.nodes.items;
    graph->nodes.count = made.nodes.count;
    graph->nodes.capacity = made.nodes.capacity;
    for (int i = 0; i < graph->nodes.count; i++)
        QN_TRY(expand_subgraphs(in, graph->nodes.items[i]));
    return QN_OK;
}

QnStatus onnx_inline_functions(OnnxModel *model, QnReader *in)
{
    OnnxScope used = onnx_scope(in->scratch, NULL);
    Inliner inliner = {in, &used, 0};
    if (model->functions.count == 0)
        return QN_OK;
    QN_TRY(onnx_collect_names(&used, model));
    return expand_graph(&inliner, &model->graph);
}
