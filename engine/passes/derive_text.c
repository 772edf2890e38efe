/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the text of a derivative and making its nodes; derive.h has the language. */
#include "engine/passes/derive_text.h"

#include <ctype.h>

static QnDeriveTerm read_expression(QnDerive *d);

/* ---- calls ---- */

typedef struct Call {
    QnIrValue *arguments[QN_DERIVE_ARGUMENTS];
    int count;
    QnIrValue **all; /* in the place of the arguments, where these are all gradients */
} Call;

static void read_gradients(QnDerive *d, Call *call)
{
    QnArena *arena = &d->node->graph->module->arena;
    call->count = d->gradient_count;
    call->all = qn_arena_array(arena, (size_t)call->count, sizeof *call->all);
    if (!call->all && d->build.status == QN_OK)
        d->build.status = QN_NO_MEMORY;
    for (int i = 0; d->build.status == QN_OK && i < call->count; i++)
        call->all[i] = qn_derive_gradient(d, i);
    qn_derive_take(d, ')');
}

static void read_arguments(QnDerive *d, Call *call)
{
    static const char gradients[] = "gradients)";
    QnDeriveTerm terms[QN_DERIVE_ARGUMENTS];
    *call = (Call){0};
    if (!strncmp(d->at, gradients, sizeof gradients - 1)) {
        d->at += sizeof gradients - 2;
        read_gradients(d, call);
        return;
    }
    while (qn_derive_more(d, ')', &call->count)) {
        assert(call->count <= QN_DERIVE_ARGUMENTS);
        terms[call->count - 1] = qn_derive_take(d, '_') ? (QnDeriveTerm){0} : read_expression(d);
    }
    for (int i = 0; i < call->count; i++)
        call->arguments[i] = qn_derive_value_of(d, terms[i], NULL);
    while (call->count > 0 && !call->arguments[call->count - 1])
        call->count--;
}

static void set(QnDerive *d, QnNode *node, const QnAttribute *attribute)
{
    if (d->build.status == QN_OK)
        d->build.status = qn_node_set(node, attribute);
}

static void copy_attributes(QnDerive *d, QnNode *node)
{
    for (int i = 0; i < d->node->attribute_count; i++)
        if (qn_derive_find_row(node->def, d->node->attributes[i].name))
            set(d, node, &d->node->attributes[i]);
}

/* name = @alpha: the attribute with its kind, or its default, under another name. */
static void copy_attribute(QnDerive *d, QnNode *node, const char *name)
{
    const QnDeriveSpelled from = qn_derive_read_spelled(d);
    const QnAttribute *there = qn_node_attribute(d->node, from.text);
    const QnOpAttribute *row = qn_derive_find_row(d->node->def, from.text);
    QnAttribute attribute = {.kind = QN_ATTRIBUTE_INT, .count = 1};
    if (there)
        attribute = *there;
    else if (row && row->kind == QN_ATTRIBUTE_INT)
        attribute.i = row->i;
    else
        return;
    attribute.name = name;
    set(d, node, &attribute);
}

static void read_setting(QnDerive *d, QnNode *node, const char *name)
{
    int64_t list[QN_DERIVE_ARGUMENTS];
    QnStatus status = QN_OK;
    if (qn_derive_take(d, '@')) {
        copy_attribute(d, node, name);
        return;
    }
    if (qn_derive_take(d, '['))
        status = qn_node_set_ints(node, name, list, qn_derive_read_list(d, list));
    else if (isdigit((unsigned char)*d->at) || *d->at == '-')
        status = qn_node_set_int(node, name, (int64_t)qn_derive_read_number(d));
    else
        status = qn_node_set_text(node, name, qn_derive_read_spelled(d).text);
    if (d->build.status == QN_OK)
        d->build.status = status;
}

static void read_settings(QnDerive *d, QnNode *node)
{
    int count = 0;
    if (!qn_derive_take(d, '{'))
        return;
    while (qn_derive_more(d, '}', &count)) {
        if (qn_derive_take(d, '*')) {
            copy_attributes(d, node);
            continue;
        }
        const QnDeriveSpelled name = qn_derive_read_spelled(d);
        qn_derive_take(d, '=');
        read_setting(d, node, name.text);
    }
}

/* Past the attributes of a node that is not made. */
static void skip_settings(QnDerive *d)
{
    if (*d->at == '{')
        d->at += strcspn(d->at, "}") + 1;
    d->at += strspn(d->at, " ");
}

/* A call of an operator from behind its parenthesis on. */
static QnNode *read_node(QnDerive *d, QnDeriveToken op, int output_count)
{
    Call call;
    read_arguments(d, &call);
    const QnOp *row = qn_op_find("", qn_derive_spell(op).text);
    assert(row);
    QnNode *made = qn_build_node(&d->build, row->name, call.all ? call.all : call.arguments,
                                 call.count, output_count);
    if (!made) {
        skip_settings(d);
        return NULL;
    }
    made->def = row;
    read_settings(d, made);
    qn_derive_settle(d, made->outputs[0]);
    return made;
}

/* ---- words in small letters ---- */

static const QnDeriveWord *find_word(QnDeriveToken word)
{
    for (const QnDeriveWord *at = qn_derive_words; at->name; at++)
        if (qn_derive_is(word, at->name))
            return at;
    return NULL;
}

static void run_text(QnDerive *d, const char *text);

static QnIrValue *run_word(QnDerive *d, const QnDeriveWord *word, const Call *call)
{
    static const char result[] = "result";
    const char *at = d->at;
    const int names = d->name_count, frame = d->frame;
    if (!word->text)
        return d->build.status == QN_OK ? word->make(d, call->arguments) : NULL;
    d->at = word->parameters;
    d->frame = names;
    for (int i = 0; *d->at; i++)
        qn_derive_give_name(d, qn_derive_read_word(d), call->arguments[i]);
    run_text(d, word->text);
    QnIrValue *made = d->build.status == QN_OK
                          ? qn_derive_look_up(d, (QnDeriveToken){result, (int)sizeof result - 1})
                          : NULL;
    d->at = at;
    d->name_count = names;
    d->frame = frame;
    return made;
}

static QnDeriveTerm read_call(QnDerive *d, QnDeriveToken word)
{
    Call call;
    const QnDeriveWord *small = find_word(word);
    if (small) {
        read_arguments(d, &call);
        return (QnDeriveTerm){.value = run_word(d, small, &call)};
    }
    QnNode *made = read_node(d, word, 1);
    return (QnDeriveTerm){.value = made ? made->outputs[0] : NULL};
}

/* ---- expressions ---- */

static QnDeriveTerm read_primary(QnDerive *d)
{
    int64_t list[QN_DERIVE_ARGUMENTS];
    if (qn_derive_take(d, '(')) {
        const QnDeriveTerm inside = read_expression(d);
        qn_derive_take(d, ')');
        return inside;
    }
    if (qn_derive_take(d, '[')) {
        const int count = qn_derive_read_list(d, list);
        return (QnDeriveTerm){.value = qn_derive_vector(d, list, count)};
    }
    if (qn_derive_take(d, '@'))
        return qn_derive_read_attribute(d);
    if (isdigit((unsigned char)*d->at)) {
        const QnDeriveTerm number = {.number = qn_derive_read_number(d), .is_number = true};
        d->at += strspn(d->at, " ");
        return number;
    }
    const QnDeriveToken word = qn_derive_read_word(d);
    if (qn_derive_take(d, '('))
        return read_call(d, word);
    if (qn_derive_is(word, "N"))
        return (QnDeriveTerm){.number = d->node->input_count, .is_number = true};
    return (QnDeriveTerm){.value = qn_derive_look_up(d, word)};
}

static QnDeriveTerm read_factor(QnDerive *d)
{
    if (!qn_derive_take(d, '-'))
        return read_primary(d);
    const QnDeriveTerm term = read_factor(d);
    if (term.is_number)
        return (QnDeriveTerm){.number = -term.number, .is_number = true};
    return (QnDeriveTerm){.value = QN_DERIVE(d, "Neg", term.value)};
}

static QnDeriveTerm combine(QnDerive *d, char sign, QnDeriveTerm a, QnDeriveTerm b)
{
    static const char signs[] = "+-*/<>=";
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div", "Less", "Greater", "Equal"};
    if (a.is_number && b.is_number) {
        assert(sign == '-'); /* what rules need: @p - 1 */
        return (QnDeriveTerm){.number = a.number - b.number, .is_number = true};
    }
    QnIrValue *left = qn_derive_value_of(d, a, b.value), *right = qn_derive_value_of(d, b, a.value);
    return (QnDeriveTerm){.value = QN_DERIVE(d, ops[strchr(signs, sign) - signs], left, right)};
}

/* Operands joined by any of the signs, from left to right. */
static QnDeriveTerm read_joined(QnDerive *d, const char *signs, QnDeriveTerm (*read)(QnDerive *d))
{
    QnDeriveTerm term = read(d);
    while (*d->at && strchr(signs, *d->at)) {
        const char sign = *d->at;
        qn_derive_take(d, sign);
        term = combine(d, sign, term, read(d));
    }
    return term;
}

static QnDeriveTerm read_product(QnDerive *d)
{
    return read_joined(d, "*/", read_factor);
}

static QnDeriveTerm read_sum(QnDerive *d)
{
    return read_joined(d, "+-", read_product);
}

static QnDeriveTerm read_expression(QnDerive *d)
{
    return read_joined(d, "<>=", read_sum);
}

/* ---- conditions ---- */

static bool holds_attribute(QnDerive *d)
{
    const QnDeriveSpelled name = qn_derive_read_spelled(d);
    const QnAttribute *there = qn_node_attribute(d->node, name.text);
    if (qn_derive_take(d, '?'))
        return there != NULL;
    if (qn_derive_take(d, '='))
        return qn_op_string_is(d->node, name.text, qn_derive_read_spelled(d).text);
    if (there && there->kind != QN_ATTRIBUTE_INT && there->kind != QN_ATTRIBUTE_FLOAT)
        return there->count > 0;
    return qn_op_int(d->node, name.text) != 0;
}

static bool holds_name(QnDerive *d)
{
    const QnDeriveToken word = qn_derive_read_word(d);
    const QnDeriveName *name = qn_derive_find_name(d, word);
    int i;
    if (name)
        return name->value != NULL;
    if (word.size == 2 && word.text[0] == 'd')
        return (i = qn_derive_input_of(d, (QnDeriveToken){word.text + 1, 1})) <
                   d->node->input_count &&
               d->wanted[i];
    if ((i = qn_derive_input_of(d, word)) >= 0) {
        const QnIrValue *input = qn_node_input(d->node, i);
        if (qn_derive_take(d, ':'))
            return input && qn_derive_rank(d, input) == (int)qn_derive_read_number(d);
        return input != NULL;
    }
    if ((i = qn_derive_index_behind(word, 'Y')) >= 0)
        return qn_node_output(d->node, i) != NULL;
    i = qn_derive_index_behind(word, 'G');
    return i >= 0 && i < d->gradient_count && d->gradients[i];
}

static bool read_conditions(QnDerive *d)
{
    bool holds = true;
    int count = 0;
    if (!qn_derive_take(d, '['))
        return true;
    while (qn_derive_more(d, ']', &count)) {
        const bool is_negated = qn_derive_take(d, '!');
        const bool is_so = qn_derive_take(d, '@') ? holds_attribute(d) : holds_name(d);
        holds = holds && is_so != is_negated;
    }
    return holds;
}

/* ---- statements ---- */

static void skip(QnDerive *d)
{
    d->at += strcspn(d->at, ";\n");
}

/* "dA = …": what flows into an input. */
static void read_result(QnDerive *d, int input)
{
    if (input >= d->node->input_count || !d->wanted[input]) {
        skip(d);
        return;
    }
    const QnDeriveTerm term = read_expression(d);
    d->is_said[input] = true;
    d->results[input] =
        term.is_number && term.number == 0 ? NULL : qn_derive_value_of(d, term, NULL);
}

/* "a, b = Op(…)" from the comma on. */
static void read_targets(QnDerive *d, QnDeriveToken first)
{
    QnDeriveToken targets[QN_DERIVE_ARGUMENTS] = {first};
    int count = 1;
    while (qn_derive_take(d, ',')) {
        assert(count < QN_DERIVE_ARGUMENTS);
        targets[count++] = qn_derive_read_word(d);
    }
    qn_derive_take(d, '=');
    const QnDeriveToken op = qn_derive_read_word(d);
    qn_derive_take(d, '(');
    QnNode *made = read_node(d, op, count);
    for (int i = 0; made && i < count; i++)
        if (!qn_derive_is(targets[i], "_"))
            qn_derive_give_name(d, targets[i], made->outputs[i]);
}

static void read_statement(QnDerive *d)
{
    if (!read_conditions(d)) {
        skip(d);
        return;
    }
    const QnDeriveToken word = qn_derive_read_word(d);
    const int input = word.size == 2 && word.text[0] == 'd'
                          ? qn_derive_input_of(d, (QnDeriveToken){word.text + 1, 1})
                          : -1;
    if (*d->at == ',') {
        read_targets(d, word);
        return;
    }
    qn_derive_take(d, '=');
    if (input >= 0)
        read_result(d, input);
    else
        qn_derive_give_name(d, word, qn_derive_value_of(d, read_expression(d), NULL));
}

static void run_text(QnDerive *d, const char *text)
{
    for (d->at = text; d->build.status == QN_OK; read_statement(d)) {
        d->at += strspn(d->at, " ;\n");
        if (!*d->at)
            return;
    }
}

QnStatus qn_derive(QnDerive *d)
{
    const int count = d->rule->is_each ? d->node->input_count : 1;
    for (d->input = 0; d->input < count; d->input++)
        run_text(d, d->rule->text);
    for (int i = 0; d->rule->broadcasts && i < d->node->input_count; i++)
        if (d->results[i])
            d->results[i] = qn_derive_sum_to(d, d->results[i], d->node->inputs[i].value);
    return d->build.status;
}
