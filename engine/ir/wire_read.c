/* SPDX-License-Identifier: Apache-2.0 */
/* Reading modules from bytes that may say anything: wire.h. */
#include "base/checked.h"
#include "base/proto.h"
#include "engine/ir/wire.h"

typedef struct Reader {
    const QnWireReader *how;
    QnModule *module;
    QnArena scratch;
    QnIrValue **values; /* [count] by number */
    int count, capacity;
    int depth; /* of graphs and types */
    QnError *err;
} Reader;

enum { DEPTH = 64 };

static QnStatus read_graph(Reader *r, QnProto in, QnGraph *graph);

static QnStatus fail(const Reader *r, const char *what, int64_t found)
{
    return qn_fail(r->err, QN_BAD_MODEL, "the graph of the plan: %s %lld", what, (long long)found);
}

static const char *copy_string(Reader *r, QnProto *in)
{
    return qn_proto_string(in, &r->module->arena);
}

/* ---- types ---- */

static QnStatus read_type(Reader *r, QnProto in, QnIrType *type)
{
    int dims = 0;
    *type = (QnIrType){.shape = {.rank = -1}};
    if (++r->depth > DEPTH)
        return fail(r, "types are nested deeper than", DEPTH);
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            type->kind = (QnKind)qn_proto_int(&in);
        else if (in.field == 2)
            type->element = (QnType)qn_proto_int(&in);
        else if (in.field == 3)
            type->shape.rank = (int)qn_proto_int(&in) - 1;
        else if (in.field == 4) {
            const QnBytes text = qn_proto_bytes(&in);
            if (dims == QN_MAX_RANK || !qn_dim_parse(&r->module->dims, &type->shape.dims[dims++],
                                                     (const char *)text.data, text.size))
                return fail(r, "a type has a wrong dimension", dims - 1);
        } else if (in.field == 5) {
            QnIrType *item;
            QN_ALLOC(item, &r->module->arena, 1);
            QN_TRY(read_type(r, qn_proto_message(&in), item));
            type->item = item;
        }
    }
    r->depth--;
    if (type->kind > QN_MAP || (type->element != 0 && qn_type_size(type->element) == 0) ||
        type->shape.rank > QN_MAX_RANK ||
        (type->kind == QN_TENSOR && type->shape.rank >= 0 && type->shape.rank != dims))
        return fail(r, "a type contradicts itself: kind", type->kind);
    return qn_proto_finish(&in, "Type", r->err);
}

/* ---- tensors ---- */

static QnStatus read_strings(Reader *r, QnProto in, QnTensor *tensor, int64_t count)
{
    QnString *strings;
    int64_t found = 0;
    QN_ALLOC(strings, &r->module->arena, count);
    while (qn_proto_next(&in)) {
        if (in.field != 4)
            continue;
        const QnBytes text = qn_proto_bytes(&in);
        if (found == count)
            return fail(r, "a tensor has more strings than its size", count);
        strings[found++] = (QnString){(const char *)text.data, text.size};
    }
    tensor->data = strings;
    return found == count ? QN_OK : fail(r, "a tensor lacks strings: has", found);
}

/* The size of the elements; false where dims make no sense. */
static bool tensor_size(QnType type, const QnProtoList *dims, size_t *size)
{
    *size = qn_type_size(type);
    if (*size == 0 || dims->count > QN_MAX_RANK)
        return false;
    for (size_t d = 0; d < dims->count; d++)
        if (dims->i64[d] < 0 || !qn_mul_size(size, *size, (size_t)dims->i64[d]))
            return false;
    return *size <= (size_t)INT64_MAX / 2;
}

/* key: out: where its data lies outside, plus 1; 0: inside. */
static QnStatus read_tensor(Reader *r, QnProto in, QnTensor *tensor, uint64_t *key)
{
    const QnProto again = in;
    QnProtoList dims = {0};
    QnBytes data = {0};
    QnType type = QN_UNDEFINED;
    size_t size;
    *key = 0;
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            type = (QnType)qn_proto_int(&in);
        else if (in.field == 2)
            qn_proto_add_i64(&in, &dims, &r->scratch);
        else if (in.field == 3)
            data = qn_proto_bytes(&in);
        else if (in.field == 5)
            *key = qn_proto_uint(&in);
    }
    QN_TRY(qn_proto_finish(&in, "Tensor", r->err));
    if (!tensor_size(type, &dims, &size))
        return fail(r, "a tensor has a type or size that cannot be: type", type);
    *tensor = qn_tensor(type, (int)dims.count, dims.i64, (void *)(uintptr_t)data.data);
    if (type == QN_STRING) {
        if (size / sizeof(QnString) > r->how->bytes.size)
            return fail(r, "a tensor has more strings than there are bytes:",
                        (int64_t)(size / sizeof(QnString)));
        return read_strings(r, again, tensor, (int64_t)(size / sizeof(QnString)));
    }
    if (*key) {
        tensor->data =
            (void *)(uintptr_t)(r->how->outside ? r->how->outside(r->how->user, *key - 1, size)
                                                : NULL);
        return tensor->data || size == 0
                   ? QN_OK
                   : fail(r, "there is no weight of number", (int64_t)*key - 1);
    }
    return data.size == size ? QN_OK
                             : fail(r, "a tensor's data has a wrong size:", (int64_t)data.size);
}

/* ---- values ---- */

/* Gives a new value the next number, which must be the one that stands in the file. */
static QnStatus define(Reader *r, int64_t number, QnIrValue *value)
{
    if (!value)
        return QN_NO_MEMORY;
    if (number != r->count)
        return fail(r, "a value is numbered out of order:", number);
    QN_GROW(r->values, r->count, r->capacity, &r->scratch);
    r->values[r->count++] = value;
    return QN_OK;
}

static QnStatus find(const Reader *r, int64_t number, QnIrValue **value)
{
    if (number < 0 || number >= r->count)
        return fail(r, "there is no value of number", number);
    *value = r->values[number];
    return QN_OK;
}

static QnStatus read_value(Reader *r, QnProto in, QnGraph *graph)
{
    int64_t number = -1;
    uint64_t key = 0;
    const char *name = "";
    QnIrType type = {.kind = QN_NONE};
    bool is_input = false, is_default = false, has_constant = false;
    QnTensor tensor;
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            number = qn_proto_int(&in);
        else if (in.field == 2)
            name = copy_string(r, &in);
        else if (in.field == 3)
            QN_TRY(read_type(r, qn_proto_message(&in), &type));
        else if (in.field == 4)
            is_input = qn_proto_bool(&in);
        else if (in.field == 5)
            is_default = qn_proto_bool(&in);
        else if (in.field == 6) {
            QN_TRY(read_tensor(r, qn_proto_message(&in), &tensor, &key));
            has_constant = true;
        }
    }
    QN_TRY(qn_proto_finish(&in, "Value", r->err));
    if (!is_input && !has_constant)
        return fail(r, "a value is neither input nor constant:", number);
    QnIrValue *value = is_input ? qn_value_create(graph, name, &type)
                                : qn_value_create_constant(graph, name, &tensor);
    QN_TRY(define(r, number, value));
    if (is_input)
        QN_TRY(qn_graph_add_input(graph, value));
    if (is_input && has_constant) {
        QN_TRY(qn_value_set_constant(value, &tensor));
        value->is_default = is_default;
    }
    return key && r->how->found ? r->how->found(r->how->user, key - 1, value->constant) : QN_OK;
}

/* ---- nodes ---- */

static QnStatus read_lists(Reader *r, QnAttribute *a, const QnProtoList *ints,
                           const QnProtoList *floats)
{
    if (a->kind == QN_ATTRIBUTE_INT && ints->count == 1)
        a->i = ints->i64[0];
    else if (a->kind == QN_ATTRIBUTE_FLOAT && floats->count == 1)
        a->f = floats->f64[0];
    else if (a->kind == QN_ATTRIBUTE_INTS) {
        a->ints = ints->i64;
        a->count = (int)ints->count;
    } else if (a->kind == QN_ATTRIBUTE_FLOATS) {
        float *values;
        QN_ALLOC(values, &r->module->arena, floats->count);
        for (size_t i = 0; i < floats->count; i++)
            values[i] = (float)floats->f64[i];
        a->floats = values;
        a->count = (int)floats->count;
    } else if (a->kind == QN_ATTRIBUTE_INT || a->kind == QN_ATTRIBUTE_FLOAT) {
        return fail(r, "an attribute has no value of its kind", a->kind);
    }
    return QN_OK;
}

typedef struct Parts {
    QnString *strings;
    QnTensor *tensors;
    QnGraph **graphs;
    int string_count, string_room, tensor_count, tensor_room, graph_count, graph_room;
    QnIrType *type;
} Parts;

static QnStatus read_part(Reader *r, QnProto *in, Parts *p)
{
    QnArena *arena = &r->module->arena;
    if (in->field == 5) {
        const QnBytes text = qn_proto_bytes(in);
        QN_GROW(p->strings, p->string_count, p->string_room, arena);
        p->strings[p->string_count++] = (QnString){(const char *)text.data, text.size};
    } else if (in->field == 6) {
        uint64_t key;
        QN_GROW(p->tensors, p->tensor_count, p->tensor_room, arena);
        QN_TRY(read_tensor(r, qn_proto_message(in), &p->tensors[p->tensor_count], &key));
        p->tensor_count++;
        return key ? fail(r, "an attribute's tensor lies outside:", (int64_t)key) : QN_OK;
    } else if (in->field == 7) {
        if (++r->depth > DEPTH)
            return fail(r, "graphs are nested deeper than", DEPTH);
        QN_GROW(p->graphs, p->graph_count, p->graph_room, arena);
        QnGraph *graph = qn_graph_create(r->module, "");
        if (!graph)
            return QN_NO_MEMORY;
        p->graphs[p->graph_count++] = graph;
        QN_TRY(read_graph(r, qn_proto_message(in), graph));
        r->depth--;
    } else if (in->field == 8) {
        QN_ALLOC(p->type, arena, 1);
        return read_type(r, qn_proto_message(in), p->type);
    }
    return QN_OK;
}

/* Puts the parts of an attribute where its kind wants them. */
static QnStatus take_parts(Reader *r, QnAttribute *a, const Parts *p)
{
    bool fits = true;
    switch (a->kind) {
    case QN_ATTRIBUTE_STRING:
        fits = p->string_count == 1;
        a->s = fits ? p->strings[0] : (QnString){0};
        break;
    case QN_ATTRIBUTE_STRINGS:
        a->strings = p->strings;
        a->count = p->string_count;
        break;
    case QN_ATTRIBUTE_TENSOR:
    case QN_ATTRIBUTE_TENSORS:
        fits = a->kind == QN_ATTRIBUTE_TENSORS || p->tensor_count == 1;
        a->tensor = p->tensors;
        a->count = p->tensor_count;
        break;
    case QN_ATTRIBUTE_GRAPH:
        fits = p->graph_count == 1;
        a->graph = fits ? p->graphs[0] : NULL;
        break;
    case QN_ATTRIBUTE_GRAPHS:
        a->graphs = p->graphs;
        a->count = p->graph_count;
        break;
    case QN_ATTRIBUTE_TYPE:
        fits = p->type != NULL;
        a->type = p->type;
        break;
    default:
        break;
    }
    return fits ? QN_OK : fail(r, "an attribute has no value of its kind", a->kind);
}

static QnStatus read_attribute(Reader *r, QnProto in, QnNode *node)
{
    QnAttribute a = {.name = "", .count = 1};
    QnProtoList ints = {0}, floats = {0};
    Parts parts = {0};
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            a.name = copy_string(r, &in);
        else if (in.field == 2)
            a.kind = (QnAttributeKind)qn_proto_int(&in);
        else if (in.field == 3)
            qn_proto_add_i64(&in, &ints, &r->module->arena);
        else if (in.field == 4)
            qn_proto_add_f64(&in, &floats, &r->scratch);
        else
            QN_TRY(read_part(r, &in, &parts));
    }
    QN_TRY(qn_proto_finish(&in, "Attribute", r->err));
    if (a.kind <= QN_ATTRIBUTE_NONE || a.kind > QN_ATTRIBUTE_TYPE)
        return fail(r, "an attribute has the unknown kind", a.kind);
    QN_TRY(read_lists(r, &a, &ints, &floats));
    QN_TRY(take_parts(r, &a, &parts));
    return qn_node_set(node, &a);
}

static QnStatus read_origin(Reader *r, QnProto in, QnOrigin *origin)
{
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            origin->name = copy_string(r, &in);
        else if (in.field == 2)
            origin->op = copy_string(r, &in);
        else if (in.field == 3)
            origin->domain = copy_string(r, &in);
        else if (in.field == 4)
            origin->since = (int)qn_proto_int(&in);
    }
    return qn_proto_finish(&in, "Origin", r->err);
}

/* What must be known to make a node: its operator and counts. */
typedef struct NodeHead {
    const char *op, *domain;
    QnProtoList inputs;
    int output_count;
} NodeHead;

static QnStatus read_head(Reader *r, QnProto in, NodeHead *head)
{
    *head = (NodeHead){.op = "", .domain = ""};
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            head->op = copy_string(r, &in);
        else if (in.field == 2)
            head->domain = copy_string(r, &in);
        else if (in.field == 3)
            qn_proto_add_i64(&in, &head->inputs, &r->scratch);
        else if (in.field == 4)
            head->output_count++;
    }
    return qn_proto_finish(&in, "Node", r->err);
}

static QnStatus read_output(Reader *r, QnProto in, QnNode *node, int i)
{
    int64_t number = 0;
    const char *name = "";
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            number = qn_proto_int(&in);
        else if (in.field == 2)
            name = copy_string(r, &in);
    }
    QN_TRY(qn_proto_finish(&in, "Node.output", r->err));
    if (number == 0) {
        node->outputs[i] = NULL;
        return QN_OK;
    }
    QN_TRY(define(r, number - 1, node->outputs[i]));
    return qn_value_set_name(node->outputs[i], name);
}

static QnStatus read_node(Reader *r, QnProto in, QnGraph *graph)
{
    NodeHead head;
    QnIrValue **inputs;
    int output = 0;
    QN_TRY(read_head(r, in, &head));
    QN_ALLOC(inputs, &r->scratch, head.inputs.count);
    for (size_t i = 0; i < head.inputs.count; i++)
        if (head.inputs.i64[i] != 0)
            QN_TRY(find(r, head.inputs.i64[i] - 1, &inputs[i]));
    QnNode *node = qn_node_create(graph, NULL, head.op, head.domain, inputs, (int)head.inputs.count,
                                  head.output_count);
    if (!node)
        return QN_NO_MEMORY;
    while (qn_proto_next(&in)) {
        if (in.field == 4)
            QN_TRY(read_output(r, qn_proto_message(&in), node, output++));
        else if (in.field == 5)
            QN_TRY(read_attribute(r, qn_proto_message(&in), node));
        else if (in.field == 6)
            QN_TRY(read_origin(r, qn_proto_message(&in), &node->origin));
    }
    return qn_proto_finish(&in, "Node", r->err);
}

/* ---- graphs and the module ---- */

static QnStatus read_result(Reader *r, QnProto in, QnGraph *graph)
{
    int64_t number = -1;
    const char *name = "";
    QnIrValue *value = NULL;
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            number = qn_proto_int(&in);
        else if (in.field == 2)
            name = copy_string(r, &in);
    }
    QN_TRY(qn_proto_finish(&in, "Graph.output", r->err));
    QN_TRY(find(r, number, &value));
    return qn_graph_add_output(graph, value, name);
}

static QnStatus read_graph(Reader *r, QnProto in, QnGraph *graph)
{
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            graph->name = copy_string(r, &in);
        else if (in.field == 2)
            QN_TRY(read_value(r, qn_proto_message(&in), graph));
        else if (in.field == 3)
            QN_TRY(read_node(r, qn_proto_message(&in), graph));
        else if (in.field == 4)
            QN_TRY(read_result(r, qn_proto_message(&in), graph));
    }
    return qn_proto_finish(&in, "Graph", r->err);
}

static QnStatus read_property(Reader *r, QnProto in, QnProperty *property)
{
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            property->key = copy_string(r, &in);
        else if (in.field == 2)
            property->value = copy_string(r, &in);
    }
    return qn_proto_finish(&in, "Property", r->err);
}

static QnStatus read_variable(Reader *r, QnProto in, QnVariable *variable)
{
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            variable->name = copy_string(r, &in);
        else if (in.field == 2)
            variable->input = (int)qn_proto_int(&in);
        else if (in.field == 3)
            variable->output = (int)qn_proto_int(&in);
    }
    const QnGraph *main = r->module->main;
    if (variable->input < 0 || variable->input >= main->input_count || variable->output < 0 ||
        variable->output >= main->output_count)
        return fail(r, "a variable names no input or output:", variable->input);
    return qn_proto_finish(&in, "Variable", r->err);
}

static QnStatus read_module(Reader *r)
{
    QnModule *module = r->module;
    QnProto in = qn_proto(r->how->bytes);
    int property_room = 0, variable_room = 0;
    while (qn_proto_next(&in)) {
        if (in.field == 1) {
            QN_TRY(read_graph(r, qn_proto_message(&in), module->main));
        } else if (in.field == 2) {
            QN_GROW(module->properties, module->property_count, property_room, &module->arena);
            module->properties[module->property_count] = (QnProperty){"", ""};
            QN_TRY(read_property(r, qn_proto_message(&in),
                                 &module->properties[module->property_count++]));
        } else if (in.field == 3) {
            QN_GROW(module->variables, module->variable_count, variable_room, &module->arena);
            module->variables[module->variable_count] = (QnVariable){"", -1, -1};
            QN_TRY(read_variable(r, qn_proto_message(&in),
                                 &module->variables[module->variable_count++]));
        } else if (in.field == 4) {
            module->opset = (int)qn_proto_int(&in);
        }
    }
    QN_TRY(qn_proto_finish(&in, "Module", r->err));
    return qn_module_verify(module, r->err);
}

QnStatus qn_module_read(QnModule **out, const QnWireReader *reader, const QnAllocator *allocator,
                        QnError *err)
{
    Reader r = {.how = reader, .err = err};
    QN_TRY(qn_module_create(&r.module, allocator, err));
    qn_arena_init(&r.scratch, allocator);
    const QnStatus status = read_module(&r);
    qn_arena_finish(&r.scratch);
    if (status != QN_OK) {
        qn_module_free(r.module);
        return status == QN_NO_MEMORY ? qn_no_memory(err) : status;
    }
    *out = r.module;
    return QN_OK;
}
