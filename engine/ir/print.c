/* SPDX-License-Identifier: Apache-2.0 */
/* Modules as text.  The form is described in text.h; parse.c reads it. */
#include <stdio.h>
#include <string.h>

#include "engine/ir/graph.h"
#include "engine/ir/text.h"
#include "engine/ir/text_form.h"

/* Elements of a tensor that are printed; the rest is a hash. */
enum { ELEMENTS_SHOWN = 16 };

typedef struct Printer {
    QnText *text;
    const QnModule *module;
    bool *is_printed; /* [value_count] by id: constants that have been */
    int depth;        /* of nested graphs: the indentation */
} Printer;

/* --- words, names, strings --- */

static void put_quoted(QnText *text, const char *data, size_t size)
{
    qn_text_putc(text, '"');
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)data[i];
        if (c == '"' || c == '\\')
            qn_text_printf(text, "\\%c", c);
        else if (c < ' ' || c == 127)
            qn_text_printf(text, "\\x%02x", c);
        else
            qn_text_putc(text, (char)c);
    }
    qn_text_putc(text, '"');
}

static void put_word(QnText *text, const char *word)
{
    if (qn_text_is_word(word, strlen(word)))
        qn_text_puts(text, word);
    else
        put_quoted(text, word, strlen(word));
}

/* A made-up name "%12" is printed as it is, a model's own "12" quoted. */
static void put_value_name(QnText *text, const QnIrValue *value)
{
    if (!value) {
        qn_text_putc(text, '_');
    } else if (qn_value_is_made_up(value)) {
        qn_text_puts(text, value->name);
    } else {
        qn_text_putc(text, '%');
        if (qn_text_is_value_word(value->name, strlen(value->name)))
            qn_text_puts(text, value->name);
        else
            put_quoted(text, value->name, strlen(value->name));
    }
}

static void indent(const Printer *to)
{
    for (int i = 0; i < to->depth; i++)
        qn_text_puts(to->text, "  ");
}

/* --- types --- */

static void put_dims(QnText *text, const QnDims *dims, const QnShape *shape)
{
    qn_text_putc(text, '[');
    if (shape->rank < 0)
        qn_text_putc(text, '?');
    for (int i = 0; i < shape->rank; i++) {
        const int length = qn_dim_print(dims, shape->dims[i], NULL, 0);
        if (i > 0)
            qn_text_putc(text, ',');
        char *room = qn_text_reserve(text, (size_t)length);
        if (!room)
            return;
        /* The text has room for a terminator behind what is reserved. */
        qn_dim_print(dims, shape->dims[i], room, (size_t)length + 1);
        text->size += (size_t)length;
    }
    qn_text_putc(text, ']');
}

static void put_type(QnText *text, const QnDims *dims, const QnIrType *type, int depth)
{
    if (!type || depth > QN_GRAPH_DEPTH) {
        qn_text_putc(text, '?');
        return;
    }
    const char *element = type->element == QN_UNDEFINED ? "tensor" : qn_type_name(type->element);
    switch (type->kind) {
    case QN_NONE:
        qn_text_putc(text, '?');
        return;
    case QN_TENSOR:
        qn_text_puts(text, element);
        put_dims(text, dims, &type->shape);
        return;
    case QN_SEQUENCE:
        qn_text_puts(text, "sequence(");
        break;
    case QN_OPTIONAL:
        qn_text_puts(text, "optional(");
        break;
    case QN_MAP:
        qn_text_printf(text, "map(%s, ", element);
        break;
    }
    put_type(text, dims, type->item, depth + 1);
    qn_text_putc(text, ')');
}

int qn_ir_type_print(const QnDims *dims, const QnIrType *type, char *text, size_t size)
{
    QnText out = qn_text(dims->arena->allocator);
    put_type(&out, dims, type, 0);
    const int length = snprintf(text, size, "%s", out.failed ? "?" : qn_text_string(&out));
    qn_text_finish(&out);
    return length;
}

/* ": float[N]", where anything is known. */
static void put_typed(const Printer *to, const QnIrValue *value)
{
    put_value_name(to->text, value);
    if (!value || value->type.kind == QN_NONE)
        return;
    qn_text_puts(to->text, ": ");
    put_type(to->text, &to->module->dims, &value->type, 0);
}

/* --- tensors --- */

/* One number of an element; complex ones have two.  The data is of any alignment. */
static void put_element(QnText *text, QnType type, const uint8_t *at)
{
    const QnElementForm *form = &qn_element_forms[type];
    uint64_t bits = 0;
    double f64;
    float f32;
    char number[32];
    memcpy(&bits, at, form->size);
    switch (form->kind) {
    case QN_FORM_FLOAT:
        memcpy(&f32, at, sizeof f32);
        qn_text_put(text, number, (size_t)qn_print_f32(number, f32));
        break;
    case QN_FORM_DOUBLE:
        memcpy(&f64, at, sizeof f64);
        qn_text_put(text, number, (size_t)qn_print_f64(number, f64));
        break;
    case QN_FORM_SIGNED:
        qn_text_printf(text, "%lld", (long long)qn_sign_extend(bits, form->size));
        break;
    case QN_FORM_UNSIGNED:
        qn_text_printf(text, "%llu", (unsigned long long)bits);
        break;
    default: /* bits of narrow floats */
        qn_text_printf(text, "0x%0*llx", (int)(2 * form->size), (unsigned long long)bits);
    }
}

static void put_elements(QnText *text, const QnTensor *tensor)
{
    const QnElementForm *form = &qn_element_forms[tensor->type];
    const int64_t count = qn_tensor_count(tensor) * form->lanes;
    qn_text_putc(text, '{');
    for (int64_t i = 0; i < count && i < ELEMENTS_SHOWN; i++) {
        if (i > 0)
            qn_text_puts(text, ", ");
        if (tensor->type == QN_STRING) {
            QnString string;
            memcpy(&string, (const uint8_t *)tensor->data + (size_t)i * sizeof string,
                   sizeof string);
            put_quoted(text, string.data, string.size);
        } else {
            put_element(text, tensor->type, (const uint8_t *)tensor->data + (size_t)i * form->size);
        }
    }
    if (count > ELEMENTS_SHOWN)
        qn_text_printf(text, ", ...#%016llx", (unsigned long long)qn_tensor_hash(tensor));
    qn_text_putc(text, '}');
}

static void put_tensor(const Printer *to, const QnTensor *tensor)
{
    QnShape shape = {.rank = tensor->rank};
    for (int i = 0; i < tensor->rank; i++)
        shape.dims[i] = tensor->dims[i];
    qn_text_printf(to->text, "tensor %s", qn_type_name(tensor->type));
    put_dims(to->text, &to->module->dims, &shape);
    qn_text_putc(to->text, ' ');
    put_elements(to->text, tensor);
}

/* --- attributes --- */

static void put_graph(Printer *to, const QnGraph *graph);

/* Told from an integer by its point; from a float's by a "d" where it is no float. */
static void put_float(QnText *text, double value)
{
    char number[32];
    const bool is_float = (double)(float)value == value || value != value;
    const int length = is_float ? qn_print_f32(number, (float)value) : qn_print_f64(number, value);
    qn_text_put(text, number, (size_t)length);
    if (!memchr(number, '.', (size_t)length) && !memchr(number, 'e', (size_t)length) &&
        !memchr(number, 'n', (size_t)length))
        qn_text_puts(text, ".0");
    if (!is_float)
        qn_text_putc(text, 'd');
}

/* The i-th item of an attribute that is a list, or the only one of another. */
static void put_item(Printer *to, const QnAttribute *at, int i)
{
    switch (at->kind) {
    case QN_ATTRIBUTE_FLOAT:
        put_float(to->text, at->f);
        break;
    case QN_ATTRIBUTE_FLOATS:
        put_float(to->text, (double)at->floats[i]);
        break;
    case QN_ATTRIBUTE_INT:
    case QN_ATTRIBUTE_INTS:
        qn_text_printf(to->text, "%lld",
                       (long long)(at->kind == QN_ATTRIBUTE_INT ? at->i : at->ints[i]));
        break;
    case QN_ATTRIBUTE_STRING:
        put_quoted(to->text, at->s.data, at->s.size);
        break;
    case QN_ATTRIBUTE_STRINGS:
        put_quoted(to->text, at->strings[i].data, at->strings[i].size);
        break;
    case QN_ATTRIBUTE_TENSOR:
    case QN_ATTRIBUTE_TENSORS:
        put_tensor(to, &at->tensor[i]);
        break;
    case QN_ATTRIBUTE_GRAPH:
    case QN_ATTRIBUTE_GRAPHS:
        put_graph(to, at->kind == QN_ATTRIBUTE_GRAPH ? at->graph : at->graphs[i]);
        break;
    case QN_ATTRIBUTE_TYPE:
        qn_text_puts(to->text, "type ");
        put_type(to->text, &to->module->dims, at->type, 0);
        break;
    case QN_ATTRIBUTE_NONE:
        qn_text_putc(to->text, '_');
    }
}

/* Lists stand in brackets; an empty one says of what it is empty, but for integers. */
static void put_attribute_value(Printer *to, const QnAttribute *at)
{
    const bool is_list = at->kind >= QN_ATTRIBUTE_FLOATS && at->kind <= QN_ATTRIBUTE_GRAPHS;
    const int count = is_list ? at->count : 1;
    if (is_list && count == 0)
        qn_text_puts(to->text, qn_list_words[at->kind]);
    if (is_list)
        qn_text_putc(to->text, '[');
    for (int i = 0; i < count; i++) {
        if (i > 0)
            qn_text_puts(to->text, ", ");
        put_item(to, at, i);
    }
    if (is_list)
        qn_text_putc(to->text, ']');
}

static void put_attribute(Printer *to, const QnAttribute *at)
{
    put_word(to->text, at->name);
    qn_text_puts(to->text, " = ");
    put_attribute_value(to, at);
}

void qn_attribute_print(const QnModule *module, const QnAttribute *attribute, QnText *text)
{
    Printer to = {.text = text, .module = module};
    if (attribute->kind != QN_ATTRIBUTE_GRAPH && attribute->kind != QN_ATTRIBUTE_GRAPHS) {
        put_attribute_value(&to, attribute);
        return;
    }
    for (int i = 0; i < attribute->count; i++) {
        const QnGraph *graph =
            attribute->kind == QN_ATTRIBUTE_GRAPH ? attribute->graph : attribute->graphs[i];
        qn_text_printf(text, "%sgraph %s", i ? ", " : "", graph->name ? graph->name : "");
    }
}

/* --- nodes and graphs --- */

static void put_operator(QnText *text, const QnNode *node)
{
    const char *domain = node->domain;
    for (int i = 0; qn_domain_words[i].word; i++)
        if (!strcmp(domain, qn_domain_words[i].domain))
            domain = qn_domain_words[i].word;
    /* A domain that is really called as a short form is quoted. */
    bool is_quoted = !qn_text_is_word(domain, strlen(domain));
    for (int i = 0; domain == node->domain && qn_domain_words[i].word; i++)
        is_quoted = is_quoted || !strcmp(domain, qn_domain_words[i].word);
    if (*domain && is_quoted)
        put_quoted(text, domain, strlen(domain));
    else
        qn_text_puts(text, domain);
    if (*domain)
        qn_text_putc(text, '.');
    if (strchr(node->op, '.'))
        put_quoted(text, node->op, strlen(node->op));
    else
        put_word(text, node->op);
}

static void put_node(Printer *to, const QnNode *node)
{
    indent(to);
    for (int i = 0; i < node->output_count; i++) {
        if (i > 0)
            qn_text_puts(to->text, ", ");
        put_typed(to, node->outputs[i]);
    }
    if (node->output_count)
        qn_text_puts(to->text, " = ");
    put_operator(to->text, node);
    qn_text_putc(to->text, '(');
    for (int i = 0; i < node->input_count; i++) {
        if (i > 0)
            qn_text_puts(to->text, ", ");
        put_value_name(to->text, node->inputs[i].value);
    }
    qn_text_putc(to->text, ')');
    for (int i = 0; i < node->attribute_count; i++) {
        qn_text_puts(to->text, i ? ", " : " {");
        put_attribute(to, &node->attributes[i]);
    }
    qn_text_puts(to->text, node->attribute_count ? "}\n" : "\n");
}

static void put_constant(Printer *to, const QnGraph *graph, const QnIrValue *value)
{
    if (!value || !value->constant || value->graph != graph || to->is_printed[value->id])
        return;
    to->is_printed[value->id] = true;
    indent(to);
    qn_text_puts(to->text, "const ");
    put_typed(to, value);
    qn_text_puts(to->text, " = ");
    put_elements(to->text, value->constant);
    qn_text_putc(to->text, '\n');
}

static void put_output_constants(Printer *to, const QnGraph *home, const QnGraph *graph)
{
    for (int i = 0; i < graph->output_count; i++)
        put_constant(to, home, graph->outputs[i].value);
}

/* The constants that a graph defines, in the order in which they are first read,
 * by the graph or inside it. */
static void put_constants(Printer *to, const QnGraph *graph)
{
    for (const QnNode *node = NULL; (node = qn_graph_walk(graph, node));) {
        const QnGraph *inner;
        for (int i = 0; i < node->input_count; i++)
            put_constant(to, graph, node->inputs[i].value);
        for (int i = 0; (inner = qn_node_graph(node, i)); i++)
            put_output_constants(to, graph, inner);
    }
    put_output_constants(to, graph, graph);
}

static void put_inputs(Printer *to, const QnGraph *graph)
{
    qn_text_putc(to->text, '(');
    for (int i = 0; i < graph->input_count; i++) {
        const QnIrValue *input = graph->inputs[i];
        if (i > 0)
            qn_text_puts(to->text, ", ");
        put_typed(to, input);
        if (!input->constant)
            continue;
        to->is_printed[input->id] = true;
        qn_text_puts(to->text, " = ");
        put_elements(to->text, input->constant);
    }
    qn_text_puts(to->text, ") {\n");
}

/* "return %b, y = %c": the name where it is not the value's. */
static void put_return(Printer *to, const QnGraph *graph)
{
    indent(to);
    qn_text_puts(to->text, "return");
    for (int i = 0; i < graph->output_count; i++) {
        const QnIrValue *value = graph->outputs[i].value;
        qn_text_puts(to->text, i ? ", " : " ");
        if (!value || strcmp(value->name, graph->output_names[i]) != 0) {
            put_word(to->text, graph->output_names[i]);
            qn_text_puts(to->text, " = ");
        }
        put_value_name(to->text, value);
    }
    qn_text_putc(to->text, '\n');
}

static void put_graph(Printer *to, const QnGraph *graph)
{
    qn_text_puts(to->text, "graph ");
    if (*graph->name)
        put_word(to->text, graph->name);
    if (to->depth > QN_GRAPH_DEPTH) {
        qn_text_puts(to->text, "...");
        return;
    }
    put_inputs(to, graph);
    to->depth++;
    put_constants(to, graph);
    for (const QnNode *node = graph->first; node; node = node->next)
        put_node(to, node);
    put_return(to, graph);
    to->depth--;
    indent(to);
    qn_text_putc(to->text, '}');
}

void qn_module_print(const QnModule *module, QnText *text)
{
    Printer to = {.text = text, .module = module};
    QnArena scratch;
    qn_arena_init(&scratch, module->arena.allocator);
    to.is_printed = qn_arena_array(&scratch, (size_t)module->value_count, sizeof *to.is_printed);
    text->failed = text->failed || !to.is_printed;
    if (!text->failed) {
        put_graph(&to, module->main);
        qn_text_putc(text, '\n');
        for (int i = 0; i < module->variable_count; i++) {
            qn_text_puts(text, "variable ");
            put_word(text, module->variables[i].name);
            qn_text_printf(text, " = %d -> %d\n", module->variables[i].output,
                           module->variables[i].input);
        }
    }
    qn_arena_finish(&scratch);
}
