/* SPDX-License-Identifier: Apache-2.0 */
/* Modules read from text: graphs, nodes, names.  The form is described in text.h. */
#include <string.h>

#include "base/text.h"
#include "engine/ir/text.h"
#include "engine/ir/text_form.h"

/* A name with its type, as it stands in front of a node or in the brackets of a graph. */
typedef struct Declared {
    const char *name; /* NULL: absent */
    QnIrType type;
} Declared;

/* --- values --- */

/* "%name", "%\"a b\"" or "%12", which is "%12" itself; *out is NULL for "_". */
static QnStatus parse_name(QnTextCursor *in, const char **out)
{
    *out = NULL;
    if (qn_text_accept_word(in, "_"))
        return QN_OK;
    if (!qn_text_accept(in, '%'))
        return qn_text_fail(in, "a value");
    const bool is_quoted = qn_text_peek(in) == '"';
    QN_TRY(qn_text_word(in, out, "a name"));
    if (is_quoted || qn_text_is_value_word(*out, strlen(*out)))
        return QN_OK;
    *out = qn_arena_printf(in->scratch, "%%%s", *out);
    return *out ? QN_OK : QN_NO_MEMORY;
}

static QnStatus parse_declared(QnTextCursor *in, Declared *out)
{
    *out = (Declared){.type = {.shape = qn_shape_unknown()}};
    QN_TRY(parse_name(in, &out->name));
    return qn_text_accept(in, ':') ? qn_parse_type(in, &out->type) : QN_OK;
}

static QnStatus enter(QnTextCursor *in, QnIrValue *value)
{
    const QnStatus status = qn_scope_enter(&in->scope, value);
    return status == QN_BAD_MODEL ? qn_text_fail_with(in, "'%s' is made twice", value->name)
                                  : status;
}

/* A value that is read; NULL: absent. */
static QnStatus parse_read(QnTextCursor *in, QnIrValue **out)
{
    const char *name;
    QN_TRY(parse_name(in, &name));
    *out = name ? qn_scope_find(&in->scope, name) : NULL;
    return name && !*out ? qn_text_fail_with(in, "nothing before makes '%s'", name) : QN_OK;
}

/* A declared value with its elements, where there are any:
 * an input, or a constant, which has some. */
static QnStatus parse_value(QnTextCursor *in, QnGraph *graph, bool is_input)
{
    Declared declared;
    QN_TRY(parse_declared(in, &declared));
    if (!declared.name)
        return qn_text_fail_with(in, "an input or constant must have a name");
    QnIrValue *value = qn_value_create(graph, declared.name, &declared.type);
    if (!value)
        return QN_NO_MEMORY;
    QN_TRY(enter(in, value));
    if (qn_text_accept(in, '=')) {
        QnTensor tensor;
        QN_TRY(qn_parse_elements(in, &tensor, &declared.type));
        QN_TRY(qn_value_set_constant(value, &tensor));
    } else if (!is_input) {
        return qn_text_fail(in, "'= {' and the elements of a constant");
    }
    value->is_default = is_input && value->constant;
    return is_input ? qn_graph_add_input(graph, value) : QN_OK;
}

/* --- nodes --- */

/* "Relu", "ms.Gelu", "\"my domain\".Op": what stands before the last point, and behind it. */
static QnStatus parse_operator(QnTextCursor *in, const char **domain, const char **op)
{
    const bool is_quoted = qn_text_peek(in) == '"';
    const char *word;
    QN_TRY(qn_text_word(in, &word, "an operator"));
    *domain = "";
    *op = word;
    if (is_quoted) {
        if (!qn_text_accept(in, '.'))
            return QN_OK;
        *domain = word;
        return qn_text_word(in, op, "an operator");
    }
    const char *point = strrchr(word, '.');
    if (!point)
        return QN_OK;
    *domain = qn_arena_copy_text(in->scratch, word, (size_t)(point - word));
    if (!*domain)
        return QN_NO_MEMORY;
    for (int i = 0; qn_domain_words[i].word; i++)
        if (!strcmp(*domain, qn_domain_words[i].word))
            *domain = qn_domain_words[i].domain;
    *op = point + 1;
    return point[1] ? QN_OK : qn_text_word(in, op, "an operator");
}

static QnStatus parse_inputs(QnTextCursor *in, QnIrValue ***out, int *count)
{
    QnIrValue **inputs = NULL;
    int capacity = 0;
    *count = 0;
    QN_TRY(qn_text_expect(in, '('));
    while (!qn_text_accept(in, ')')) {
        if (*count > 0)
            QN_TRY(qn_text_expect(in, ','));
        QN_GROW(inputs, *count, capacity, in->scratch);
        QN_TRY(parse_read(in, &inputs[*count]));
        ++*count;
    }
    *out = inputs;
    return QN_OK;
}

static QnStatus parse_attributes(QnTextCursor *in, QnNode *node)
{
    if (!qn_text_accept(in, '{'))
        return QN_OK;
    do {
        const char *name;
        QnAttribute attribute;
        QN_TRY(qn_text_word(in, &name, "an attribute"));
        QN_TRY(qn_text_expect(in, '='));
        QN_TRY(qn_parse_attribute(in, &attribute));
        attribute.name = name;
        QN_TRY(qn_node_set(node, &attribute));
    } while (qn_text_accept(in, ','));
    return qn_text_expect(in, '}');
}

/* Outputs are entered last: the node's own graphs do not see them. */
static QnStatus set_outputs(QnTextCursor *in, QnNode *node, const Declared *outputs)
{
    for (int i = 0; i < node->output_count; i++) {
        QnIrValue *value = node->outputs[i];
        if (!outputs[i].name) {
            value->node = NULL;
            node->outputs[i] = NULL;
            continue;
        }
        QN_TRY(qn_value_set_name(value, outputs[i].name));
        value->type = outputs[i].type;
        QN_TRY(enter(in, value));
    }
    return QN_OK;
}

static QnStatus parse_node(QnTextCursor *in, QnGraph *graph)
{
    Declared *outputs = NULL;
    QnIrValue **inputs;
    const char *domain, *op;
    int output_count = 0, capacity = 0, input_count;
    if (qn_text_peek(in) == '%' || qn_text_peek(in) == '_') {
        do {
            QN_GROW(outputs, output_count, capacity, in->scratch);
            QN_TRY(parse_declared(in, &outputs[output_count]));
            output_count++;
        } while (qn_text_accept(in, ','));
        QN_TRY(qn_text_expect(in, '='));
    }
    QN_TRY(parse_operator(in, &domain, &op));
    QN_TRY(parse_inputs(in, &inputs, &input_count));
    QnNode *node = qn_node_create(graph, NULL, op, domain, inputs, input_count, output_count);
    if (!node)
        return QN_NO_MEMORY;
    QN_TRY(parse_attributes(in, node));
    return set_outputs(in, node, outputs);
}

/* --- graphs --- */

/* Behind "return": "%b, y = %c". */
static QnStatus parse_return(QnTextCursor *in, QnGraph *graph)
{
    if (qn_text_peek(in) == '}')
        return QN_OK;
    do {
        const char *name = NULL;
        QnIrValue *value;
        if (qn_text_peek(in) != '%') {
            QN_TRY(qn_text_word(in, &name, "an output"));
            QN_TRY(qn_text_expect(in, '='));
        }
        QN_TRY(parse_read(in, &value));
        QN_TRY(qn_graph_add_output(graph, value, name));
    } while (qn_text_accept(in, ','));
    return QN_OK;
}

static QnStatus parse_graph_inputs(QnTextCursor *in, QnGraph *graph)
{
    QN_TRY(qn_text_expect(in, '('));
    while (!qn_text_accept(in, ')')) {
        if (graph->input_count > 0)
            QN_TRY(qn_text_expect(in, ','));
        QN_TRY(parse_value(in, graph, true));
    }
    return QN_OK;
}

static QnStatus parse_body(QnTextCursor *in, QnGraph *graph)
{
    QN_TRY(qn_text_expect(in, '{'));
    while (!qn_text_accept_word(in, "return"))
        if (qn_text_accept_word(in, "const"))
            QN_TRY(parse_value(in, graph, false));
        else
            QN_TRY(parse_node(in, graph));
    QN_TRY(parse_return(in, graph));
    return qn_text_expect(in, '}');
}

QnStatus qn_parse_graph(QnTextCursor *in, QnGraph *graph)
{
    const int outside = in->scope.visible_count;
    const char *name = "";
    if (in->depth++ > QN_GRAPH_DEPTH)
        return qn_text_fail_with(in, "graphs are nested more than %d deep", QN_GRAPH_DEPTH);
    if (qn_text_peek(in) != '(')
        QN_TRY(qn_text_word(in, &name, "a graph's name"));
    graph->name = qn_arena_copy_text(&in->module->arena, name, strlen(name));
    if (!graph->name)
        return QN_NO_MEMORY;
    QN_TRY(parse_graph_inputs(in, graph));
    QN_TRY(parse_body(in, graph));
    qn_scope_leave(&in->scope, outside);
    in->depth--;
    return QN_OK;
}

static QnStatus parse_index(QnTextCursor *in, int *out, int count)
{
    const char *word;
    int64_t index;
    QN_TRY(qn_text_word(in, &word, "a number"));
    if (!qn_parse_i64(&index, word, strlen(word)) || index < 0 || index >= count)
        return qn_text_fail_with(in, "a variable's index is %s, of %d", word, count);
    *out = (int)index;
    return QN_OK;
}

/* "variable name = 1 -> 2" */
static QnStatus parse_variable(QnTextCursor *in, QnVariable *out)
{
    QnModule *module = in->module;
    const char *name;
    QN_TRY(qn_text_word(in, &name, "a variable"));
    QN_TRY(qn_text_expect(in, '='));
    QN_TRY(parse_index(in, &out->output, module->main->output_count));
    qn_text_skip(in);
    if (in->end - in->at < 2 || memcmp(in->at, "->", 2) != 0)
        return qn_text_fail(in, "'->'");
    in->at += 2;
    QN_TRY(parse_index(in, &out->input, module->main->input_count));
    out->name = qn_arena_copy_text(&module->arena, name, strlen(name));
    return out->name ? QN_OK : QN_NO_MEMORY;
}

static QnStatus parse_module(QnTextCursor *in)
{
    QnModule *module = in->module;
    int capacity = 0;
    if (!qn_text_accept_word(in, "graph"))
        return qn_text_fail(in, "'graph'");
    QN_TRY(qn_parse_graph(in, module->main));
    while (qn_text_accept_word(in, "variable")) {
        QN_GROW(module->variables, module->variable_count, capacity, &module->arena);
        QN_TRY(parse_variable(in, &module->variables[module->variable_count]));
        module->variable_count++;
    }
    return qn_text_peek(in) ? qn_text_fail(in, "the end") : QN_OK;
}

QnStatus qn_module_parse(QnModule **out, const char *text, const QnAllocator *allocator,
                         QnError *err)
{
    QnArena scratch;
    QnModule *module;
    qn_arena_init(&scratch, allocator);
    QN_TRY(qn_module_create(&module, allocator, err));
    QnTextCursor in = {.start = text,
                       .at = text,
                       .end = text + strlen(text),
                       .module = module,
                       .scratch = &scratch,
                       .scope = {.arena = &scratch},
                       .err = err};
    const QnStatus status = parse_module(&in);
    qn_arena_finish(&scratch);
    if (status == QN_OK)
        *out = module;
    else
        qn_module_free(module);
    return status == QN_NO_MEMORY ? qn_no_memory(err) : status;
}
