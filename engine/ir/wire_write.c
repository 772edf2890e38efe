/* SPDX-License-Identifier: Apache-2.0 */
/* Writing modules as bytes: wire.h. */
#include "base/proto.h"
#include "engine/ir/wire.h"

typedef struct Writer {
    QnText *out;
    const QnWireWriter *how;
    const QnModule *module;
    int *numbers; /* [value_count] of values by id, plus 1; 0: not defined yet */
    int count;
} Writer;

static void put_graph(Writer *w, uint32_t field, const QnGraph *graph);

static void put_type(Writer *w, uint32_t field, const QnIrType *type)
{
    const size_t mark = qn_proto_put_begin(w->out, field);
    qn_proto_put_int(w->out, 1, type->kind);
    qn_proto_put_int(w->out, 2, type->element);
    if (type->kind == QN_TENSOR) {
        qn_proto_put_int(w->out, 3, type->shape.rank + 1);
        for (int d = 0; d < type->shape.rank; d++) {
            char text[1024];
            qn_dim_print(&w->module->dims, type->shape.dims[d], text, sizeof text);
            qn_proto_put_string(w->out, 4, text);
        }
    }
    if (type->item)
        put_type(w, 5, type->item);
    qn_proto_put_end(w->out, mark);
}

/* value: whose constant it is; NULL for tensors of attributes, which never lie outside. */
static void put_tensor(Writer *w, uint32_t field, const QnTensor *tensor, const QnIrValue *value)
{
    uint64_t key;
    const int64_t count = qn_tensor_count(tensor);
    const size_t mark = qn_proto_put_begin(w->out, field);
    qn_proto_put_int(w->out, 1, tensor->type);
    qn_proto_put_packed_i64(w->out, 2, tensor->dims, (size_t)tensor->rank);
    if (tensor->type == QN_STRING) {
        for (int64_t i = 0; i < count; i++) {
            QnString s;
            memcpy(&s, (const char *)tensor->data + (size_t)i * sizeof s, sizeof s);
            qn_proto_put_bytes(w->out, 4, qn_bytes(s.data, s.size));
        }
    } else if (value && w->how->outside && w->how->outside(w->how->user, value, &key)) {
        qn_proto_put_uint(w->out, 5, key + 1);
    } else {
        qn_proto_put_bytes(w->out, 3,
                           qn_bytes(tensor->data, (size_t)count * qn_type_size(tensor->type)));
    }
    qn_proto_put_end(w->out, mark);
}

static int define(Writer *w, const QnIrValue *value)
{
    w->numbers[value->id] = ++w->count;
    return w->count - 1;
}

/* An input or a constant. */
static void put_value(Writer *w, const QnIrValue *value, bool is_input)
{
    const size_t mark = qn_proto_put_begin(w->out, 2);
    qn_proto_put_int(w->out, 1, define(w, value));
    qn_proto_put_string(w->out, 2, value->name);
    if (is_input)
        put_type(w, 3, &value->type);
    qn_proto_put_bool(w->out, 4, is_input);
    qn_proto_put_bool(w->out, 5, value->is_default);
    if (value->constant)
        put_tensor(w, 6, value->constant, value);
    qn_proto_put_end(w->out, mark);
}

static void put_attribute(Writer *w, const QnAttribute *a)
{
    const size_t mark = qn_proto_put_begin(w->out, 5);
    qn_proto_put_string(w->out, 1, a->name);
    qn_proto_put_int(w->out, 2, a->kind);
    switch (a->kind) {
    case QN_ATTRIBUTE_INT:
        qn_proto_put_int(w->out, 3, a->i);
        break;
    case QN_ATTRIBUTE_FLOAT:
        qn_proto_put_f64(w->out, 4, a->f);
        break;
    case QN_ATTRIBUTE_STRING:
        qn_proto_put_bytes(w->out, 5, qn_bytes(a->s.data, a->s.size));
        break;
    case QN_ATTRIBUTE_INTS:
        qn_proto_put_packed_i64(w->out, 3, a->ints, (size_t)a->count);
        break;
    case QN_ATTRIBUTE_FLOATS:
        for (int i = 0; i < a->count; i++)
            qn_proto_put_f64(w->out, 4, (double)a->floats[i]);
        break;
    case QN_ATTRIBUTE_STRINGS:
        for (int i = 0; i < a->count; i++)
            qn_proto_put_bytes(w->out, 5, qn_bytes(a->strings[i].data, a->strings[i].size));
        break;
    case QN_ATTRIBUTE_TENSOR:
    case QN_ATTRIBUTE_TENSORS:
        for (int i = 0; i < a->count; i++)
            put_tensor(w, 6, &a->tensor[i], NULL);
        break;
    case QN_ATTRIBUTE_GRAPH:
        put_graph(w, 7, a->graph);
        break;
    case QN_ATTRIBUTE_GRAPHS:
        for (int i = 0; i < a->count; i++)
            put_graph(w, 7, a->graphs[i]);
        break;
    case QN_ATTRIBUTE_TYPE:
        put_type(w, 8, a->type);
        break;
    case QN_ATTRIBUTE_NONE:
        break;
    }
    qn_proto_put_end(w->out, mark);
}

static void put_origin(Writer *w, const QnOrigin *origin)
{
    const size_t mark = qn_proto_put_begin(w->out, 6);
    qn_proto_put_string(w->out, 1, origin->name ? origin->name : "");
    qn_proto_put_string(w->out, 2, origin->op ? origin->op : "");
    qn_proto_put_string(w->out, 3, origin->domain ? origin->domain : "");
    qn_proto_put_int(w->out, 4, origin->since);
    qn_proto_put_end(w->out, mark);
}

static void put_constant(Writer *w, const QnIrValue *value, const QnGraph *graph)
{
    if (value && value->constant && value->graph == graph && !w->numbers[value->id])
        put_value(w, value, false);
}

/* Constants have no place in a graph's order: each is written before its first reader, which may
 * stand in a graph inside. */
static void put_constants(Writer *w, const QnNode *node)
{
    QnGraph *inner;
    for (int i = 0; i < node->input_count; i++)
        put_constant(w, node->inputs[i].value, node->graph);
    for (int g = 0; (inner = qn_node_graph(node, g)); g++) {
        for (const QnNode *at = NULL; (at = qn_graph_walk(inner, at));) {
            QnGraph *deeper;
            for (int i = 0; i < at->input_count; i++)
                put_constant(w, at->inputs[i].value, node->graph);
            for (int d = 0; (deeper = qn_node_graph(at, d)); d++)
                for (int o = 0; o < deeper->output_count; o++)
                    put_constant(w, deeper->outputs[o].value, node->graph);
        }
        for (int o = 0; o < inner->output_count; o++)
            put_constant(w, inner->outputs[o].value, node->graph);
    }
}

static void put_node(Writer *w, const QnNode *node)
{
    const size_t mark = qn_proto_put_begin(w->out, 3);
    qn_proto_put_string(w->out, 1, node->op);
    qn_proto_put_string(w->out, 2, node->domain);
    for (int i = 0; i < node->input_count; i++)
        qn_proto_put_int(w->out, 3,
                         node->inputs[i].value ? w->numbers[node->inputs[i].value->id] : 0);
    for (int i = 0; i < node->attribute_count; i++)
        put_attribute(w, &node->attributes[i]);
    for (int i = 0; i < node->output_count; i++) {
        const QnIrValue *value = node->outputs[i];
        const size_t inner = qn_proto_put_begin(w->out, 4);
        qn_proto_put_int(w->out, 1, value ? define(w, value) + 1 : 0);
        qn_proto_put_string(w->out, 2, value ? value->name : "");
        qn_proto_put_end(w->out, inner);
    }
    put_origin(w, &node->origin);
    qn_proto_put_end(w->out, mark);
}

static void put_graph(Writer *w, uint32_t field, const QnGraph *graph)
{
    const size_t mark = qn_proto_put_begin(w->out, field);
    qn_proto_put_string(w->out, 1, graph->name ? graph->name : "");
    for (int i = 0; i < graph->input_count; i++)
        put_value(w, graph->inputs[i], true);
    for (const QnNode *node = graph->first; node; node = node->next) {
        put_constants(w, node);
        put_node(w, node);
    }
    for (int i = 0; i < graph->output_count; i++) {
        const QnIrValue *value = graph->outputs[i].value;
        if (value->constant && !w->numbers[value->id])
            put_value(w, value, false);
        const size_t inner = qn_proto_put_begin(w->out, 4);
        qn_proto_put_int(w->out, 1, w->numbers[value->id] - 1);
        qn_proto_put_string(w->out, 2, graph->output_names[i] ? graph->output_names[i] : "");
        qn_proto_put_end(w->out, inner);
    }
    qn_proto_put_end(w->out, mark);
}

static void put_module(Writer *w)
{
    put_graph(w, 1, w->module->main);
    for (int i = 0; i < w->module->property_count; i++) {
        const size_t mark = qn_proto_put_begin(w->out, 2);
        qn_proto_put_string(w->out, 1, w->module->properties[i].key);
        qn_proto_put_string(w->out, 2, w->module->properties[i].value);
        qn_proto_put_end(w->out, mark);
    }
    for (int i = 0; i < w->module->variable_count; i++) {
        const size_t mark = qn_proto_put_begin(w->out, 3);
        qn_proto_put_string(w->out, 1, w->module->variables[i].name);
        qn_proto_put_int(w->out, 2, w->module->variables[i].input);
        qn_proto_put_int(w->out, 3, w->module->variables[i].output);
        qn_proto_put_end(w->out, mark);
    }
    qn_proto_put_int(w->out, 4, w->module->opset);
}

QnStatus qn_module_write(const QnModule *module, const QnWireWriter *writer, QnError *err)
{
    QnArena scratch;
    qn_arena_init(&scratch, module->arena.allocator);
    Writer w = {.out = writer->out, .how = writer, .module = module};
    w.numbers = qn_arena_array(&scratch, (size_t)module->value_count + 1, sizeof *w.numbers);
    if (w.numbers)
        put_module(&w);
    const bool failed = !w.numbers || writer->out->failed;
    qn_arena_finish(&scratch);
    return failed ? qn_no_memory(err) : QN_OK;
}
