/* SPDX-License-Identifier: Apache-2.0 */
/* Expanding the text of a body into nodes. */
#include "engine/formats/onnx/body.h"

#include <assert.h>
#include <string.h>

#include "engine/formats/onnx/names.h"
#include "engine/formats/onnx/validate.h"

/* --- conditions --- */

static bool is_wanted(const OnnxBody *b, const char *formal)
{
    for (int i = 0; b->call->schema && i < b->call->schema->output_count; i++)
        if (!strcmp(onnx_schema_text(onnx_schema_output(b->call->schema, i)->name), formal))
            return onnx_has_output(b->call, i);
    return false;
}

static bool is_there(const OnnxBody *b, const char *name)
{
    const char *value = onnx_scope_find_here(&b->names, name);
    return value ? *value != 0 : is_wanted(b, name);
}

static const struct {
    char sign;
    bool (*compare)(const OnnxBody *b, const char *attribute, const char *word);
} comparisons[] = {{'=', onnx_body_equals}, {'<', onnx_body_is_below}, {'>', onnx_body_is_above}};

/* One condition; NULL names mean that there is no memory, which later steps notice. */
static bool read_condition(OnnxBody *b)
{
    const bool is_negated = onnx_body_take(b, '!'), is_attribute = onnx_body_take(b, '@');
    const char *name = onnx_body_word(b);
    if (!name)
        return false;
    if (!is_attribute)
        return is_there(b, name) != is_negated;
    for (size_t i = 0; i < QN_COUNT_OF(comparisons); i++) {
        if (!onnx_body_take(b, comparisons[i].sign))
            continue;
        const char *word = onnx_body_word(b);
        return word && comparisons[i].compare(b, name, word) != is_negated;
    }
    return onnx_body_holds(b, name) != is_negated;
}

static bool read_conditions(OnnxBody *b)
{
    bool holds = true;
    int count = 0;
    if (!onnx_body_take(b, '['))
        return true;
    while (onnx_body_more(b, ']', &count))
        holds = read_condition(b) && holds;
    return holds;
}

/* --- arguments --- */

/* A constant argument; `like`: what a scalar has its element type from, "" for float. */
static QnStatus make_constant(OnnxBody *b, const OnnxAttribute *value, const char *like,
                              const char **out)
{
    switch (value->kind) {
    case ONNX_FLOAT:
        return *like ? onnx_make_scalar(b->up, "value", (double)value->f, like, out)
                     : onnx_make_floats(b->up, "value", &value->f, 1, 0, out);
    case ONNX_INT:
        return onnx_make_ints(b->up, "value", &value->i, 1, 0, out);
    case ONNX_INTS:
        return onnx_make_ints(b->up, "values", value->ints.i64, (int)value->ints.count, 1, out);
    case ONNX_FLOATS:
        return onnx_make_floats(b->up, "values", value->floats.f32, (int)value->floats.count, 1,
                                out);
    default:
        *out = "";
        return QN_OK;
    }
}

typedef struct Arguments {
    const char *names[16];
    OnnxAttribute values[16]; /* constants, until the first named argument is known */
    int count;
} Arguments;

static bool is_value(const char *at)
{
    return strchr("0123456789+-.[@\"", *at) != NULL;
}

static QnStatus read_argument(OnnxBody *b, Arguments *args)
{
    const int i = args->count - 1;
    assert(i < (int)QN_COUNT_OF(args->names));
    if (is_value(b->at))
        return onnx_body_value(b, &args->values[i]);
    const char *word = onnx_body_word(b);
    if (!word)
        return QN_NO_MEMORY;
    args->names[i] = strcmp(word, "_") != 0 ? onnx_scope_find_here(&b->names, word) : "";
    assert(args->names[i]);
    return QN_OK;
}

static QnStatus read_arguments(OnnxBody *b, Arguments *args)
{
    const char *like = "";
    *args = (Arguments){0};
    while (onnx_body_more(b, ')', &args->count))
        QN_TRY(read_argument(b, args));
    for (int i = args->count - 1; i >= 0; i--)
        if (args->names[i] && *args->names[i])
            like = args->names[i];
    for (int i = 0; i < args->count; i++)
        if (!args->names[i])
            QN_TRY(make_constant(b, &args->values[i], like, &args->names[i]));
    while (args->count > 0 && !*args->names[args->count - 1])
        args->count--;
    return QN_OK;
}

/* --- attributes --- */

static QnStatus set_attribute(OnnxBody *b, OnnxNode *node, const char *name,
                              const OnnxAttribute *value)
{
    OnnxAttribute *there = onnx_attribute(node, name), copy = *value;
    copy.name = name;
    if (value->kind == ONNX_UNDEFINED)
        return QN_OK;
    if (there)
        *there = copy;
    else
        ONNX_ADD(&node->attributes, b->up->in->scratch, copy);
    return QN_OK;
}

static QnStatus copy_attributes(OnnxBody *b, OnnxNode *node)
{
    for (int i = 0; node->schema && i < b->call->attributes.count; i++) {
        const OnnxAttribute *a = &b->call->attributes.items[i];
        if (onnx_schema_attribute(node->schema, a->name))
            QN_TRY(set_attribute(b, node, a->name, a));
    }
    return QN_OK;
}

static QnStatus read_attributes(OnnxBody *b, OnnxNode *node)
{
    OnnxAttribute value;
    int count = 0;
    if (!onnx_body_take(b, '{'))
        return QN_OK;
    while (onnx_body_more(b, '}', &count)) {
        if (onnx_body_take(b, '*')) {
            QN_TRY(copy_attributes(b, node));
            continue;
        }
        const char *name = onnx_body_word(b);
        if (!name)
            return QN_NO_MEMORY;
        onnx_body_take(b, '=');
        QN_TRY(onnx_body_value(b, &value));
        QN_TRY(set_attribute(b, node, name, &value));
    }
    return QN_OK;
}

/* --- statements --- */

enum { MOST_TARGETS = 10 };

QnStatus onnx_body_name(OnnxBody *b, const char *name, const char *value)
{
    return onnx_scope_put(&b->names, name, (void *)(uintptr_t)value);
}

const char *onnx_body_named(const OnnxBody *b, const char *name)
{
    return onnx_scope_find_here(&b->names, name);
}

static QnStatus rename(OnnxBody *b, const char *name, const char *value)
{
    return strcmp(name, "_") != 0 ? onnx_body_name(b, name, value) : QN_OK;
}

static QnStatus emit_operator(OnnxBody *b, const char *op, const char *const *targets, int count)
{
    Arguments args;
    const char *value;
    OnnxNode *node;
    QN_TRY(read_arguments(b, &args));
    if (onnx_body_is_permutation(op)) {
        QN_TRY(onnx_body_permute(b, op, args.names[0], &value));
        return rename(b, targets[0], value);
    }
    QN_TRY(onnx_make_node(b->up, op, args.names, args.count, &value, &node));
    if (!node->schema) {
        node->domain = b->call->domain;
        node->schema = onnx_schema_find(node->domain, op, INT64_MAX);
        if (!node->schema)
            node->domain = "quern";
    }
    QN_TRY(rename(b, targets[0], value));
    const char *base = value;
    for (int i = 1; i < count; i++) {
        QN_TRY(onnx_new_name(b->up->used, base, targets[i], &value));
        ONNX_ADD(&node->outputs, b->up->in->scratch, value);
        QN_TRY(rename(b, targets[i], value));
    }
    QN_TRY(read_attributes(b, node));
    return onnx_emit(b->up, node);
}

/* "a, b = Op(...)" or "a = b" from the comma or the sign on. */
static QnStatus read_assignment(OnnxBody *b, const char *first)
{
    const char *targets[MOST_TARGETS] = {first};
    int count = 1;
    while (onnx_body_take(b, ',')) {
        assert(count < MOST_TARGETS);
        targets[count] = onnx_body_word(b);
        if (!targets[count++])
            return QN_NO_MEMORY;
    }
    onnx_body_take(b, '=');
    const char *word = onnx_body_word(b);
    if (!word)
        return QN_NO_MEMORY;
    if (onnx_body_take(b, '('))
        return emit_operator(b, word, targets, count);
    const char *value = onnx_scope_find_here(&b->names, word);
    assert(value);
    return rename(b, first, value);
}

/* "@activation in Relu | Tanh": the sentence has the list as it stands. */
static QnStatus read_check(OnnxBody *b)
{
    onnx_body_take(b, '@');
    const char *name = onnx_body_word(b), *in = onnx_body_word(b), *word;
    const char *start = b->at + strspn(b->at, " ");
    bool is_among = false;
    if (!name || !in)
        return QN_NO_MEMORY;
    do {
        if (!(word = onnx_body_word(b)))
            return QN_NO_MEMORY;
        is_among = is_among || onnx_body_equals(b, name, word);
    } while (onnx_body_take(b, '|'));
    if (!is_among)
        onnx_refuse(b->up, b->call, "onnx-attribute-value", onnx_body_show(b, name),
                    onnx_say(b->up->in, "%.*s", (int)(b->at - start), start));
    return QN_OK;
}

static QnStatus read_refusal(OnnxBody *b)
{
    OnnxAttribute found, expected;
    QN_TRY(onnx_body_value(b, &found));
    QN_TRY(onnx_body_value(b, &expected));
    b->is_refused = true;
    onnx_refuse(b->up, b->call, "onnx-not-supported",
                onnx_say(b->up->in, "%.*s", (int)found.s.size, (const char *)found.s.data),
                onnx_say(b->up->in, "%.*s", (int)expected.s.size, (const char *)expected.s.data));
    return QN_OK;
}

static QnStatus read_statement(OnnxBody *b)
{
    if (!read_conditions(b)) {
        onnx_body_skip(b);
        return QN_OK;
    }
    const char *word = onnx_body_word(b);
    if (!word)
        return QN_NO_MEMORY;
    if (!strcmp(word, "check"))
        return read_check(b);
    if (!strcmp(word, "refuse"))
        return read_refusal(b);
    return read_assignment(b, word);
}

QnStatus onnx_body_name_inputs(OnnxBody *b)
{
    const OnnxSchema *schema = b->call->schema;
    for (int i = 0; schema && i < schema->input_count; i++)
        QN_TRY(rename(b, onnx_schema_text(onnx_schema_input(schema, i)->name),
                      onnx_has_input(b->call, i) ? b->call->inputs.items[i] : ""));
    return QN_OK;
}

QnStatus onnx_body_run(OnnxBody *b, const char *text)
{
    b->at = text;
    while (onnx_body_next(b))
        QN_TRY(read_statement(b));
    return QN_OK;
}

QnStatus onnx_expand_body(OnnxUpgrade *up, OnnxNode **node, const char *text)
{
    OnnxBody b = {.up = up, .call = *node};
    OnnxGraph *made = up->made;
    b.names = onnx_scope(up->in->scratch, NULL);
    up->made = &b.made;
    QnStatus status = onnx_body_name_inputs(&b);
    if (status == QN_OK)
        status = onnx_body_run(&b, text);
    if (status == QN_OK)
        status = onnx_body_finish(&b);
    up->made = made;
    for (int i = 0; status == QN_OK && i < b.made.nodes.count; i++) {
        *node = b.made.nodes.items[i];
        if (i + 1 < b.made.nodes.count)
            ONNX_ADD(&made->nodes, up->in->scratch, *node);
    }
    return status;
}
