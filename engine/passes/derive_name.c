/* SPDX-License-Identifier: Apache-2.0 */
/* Words, names and numbers in the text of a derivative. */
#include "engine/passes/derive_text.h"

#include <ctype.h>
#include <stdlib.h>

/* ---- characters and words ---- */

bool qn_derive_take(QnDerive *d, char c)
{
    d->at += strspn(d->at, " ");
    if (*d->at != c || !c)
        return false;
    d->at++;
    d->at += strspn(d->at, " ");
    return true;
}

/* Is there another item of a list?  As in any list of the language. */
bool qn_derive_more(QnDerive *d, char closer, int *count)
{
    if (qn_derive_take(d, closer))
        return false;
    if ((*count)++ > 0) {
        const bool is_comma = qn_derive_take(d, ',');
        assert(is_comma), (void)is_comma;
    }
    return true;
}

static bool is_letter(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

QnDeriveToken qn_derive_read_word(QnDerive *d)
{
    QnDeriveToken word = {d->at + strspn(d->at, " "), 0};
    while (is_letter(word.text[word.size]))
        word.size++;
    d->at = word.text + word.size;
    d->at += strspn(d->at, " ");
    return word;
}

bool qn_derive_is(QnDeriveToken word, const char *text)
{
    return (int)strlen(text) == word.size && !memcmp(text, word.text, (size_t)word.size);
}

QnDeriveSpelled qn_derive_spell(QnDeriveToken word)
{
    QnDeriveSpelled spelled = {{0}};
    assert(word.size < (int)sizeof spelled.text);
    memcpy(spelled.text, word.text, (size_t)word.size);
    return spelled;
}

QnDeriveSpelled qn_derive_read_spelled(QnDerive *d)
{
    return qn_derive_spell(qn_derive_read_word(d));
}

/* ---- names ---- */

QnDeriveName *qn_derive_find_name(QnDerive *d, QnDeriveToken word)
{
    for (int i = d->name_count - 1; i >= d->frame; i--)
        if (d->names[i].size == word.size &&
            !memcmp(d->names[i].text, word.text, (size_t)word.size))
            return &d->names[i];
    return NULL;
}

void qn_derive_give_name(QnDerive *d, QnDeriveToken word, QnIrValue *value)
{
    QnDeriveName *name = qn_derive_find_name(d, word);
    if (!name) {
        assert(d->name_count < QN_DERIVE_NAMES);
        name = &d->names[d->name_count++];
    }
    *name = (QnDeriveName){word.text, word.size, value};
}

/* The number in "Y1", 0 in "Y"; -1 where the word is another. */
int qn_derive_index_behind(QnDeriveToken word, char letter)
{
    if (word.text[0] != letter || word.size > 3)
        return -1;
    int index = 0;
    for (int i = 1; i < word.size; i++) {
        if (!isdigit((unsigned char)word.text[i]))
            return -1;
        index = 10 * index + word.text[i] - '0';
    }
    return index;
}

/* The input that a capital letter stands for; -1: it is none. */
int qn_derive_input_of(const QnDerive *d, QnDeriveToken word)
{
    if (word.size != 1 || word.text[0] < 'A' || word.text[0] > 'F')
        return -1;
    return d->rule->is_each ? d->input : word.text[0] - 'A';
}

/* An output, made where the node has none yet. */
static QnIrValue *output(QnDerive *d, int i)
{
    QnNode *node = d->node;
    if (i < node->output_count && node->outputs[i])
        return node->outputs[i];
    if (d->build.status == QN_OK && i >= node->output_count)
        d->build.status = qn_node_resize_outputs(node, i + 1);
    if (d->build.status != QN_OK)
        return NULL;
    if (!node->outputs[i]) {
        QnIrValue *made = qn_value_create(node->graph, NULL, NULL);
        if (!made) {
            d->build.status = QN_NO_MEMORY;
            return NULL;
        }
        made->node = node;
        made->output = i;
        node->outputs[i] = made;
    }
    d->build.status = qn_infer_node(node, d->build.err);
    return d->build.status == QN_OK ? node->outputs[i] : NULL;
}

static QnIrValue *fill(QnDerive *d, QnIrValue *number, QnIrValue *like)
{
    return QN_DERIVE(d, "Expand", number, QN_DERIVE(d, "Shape", like));
}

/* What flows into output i; the outputs that were there when the work began have a place. */
QnIrValue *qn_derive_gradient(QnDerive *d, int i)
{
    assert(i < d->gradient_count);
    if (d->gradients[i]) {
        d->is_read[i] = true;
        return d->gradients[i];
    }
    QnIrValue *like = output(d, i);
    if (!like)
        return NULL;
    return fill(d, qn_build_scalar(&d->build, like->type.element, 0), like);
}

/* What a name stands for; NULL: an absent input. */
QnIrValue *qn_derive_look_up(QnDerive *d, QnDeriveToken word)
{
    const QnDeriveName *name = qn_derive_find_name(d, word);
    int i;
    if (name)
        return name->value;
    if ((i = qn_derive_input_of(d, word)) >= 0)
        return qn_node_input(d->node, i);
    if ((i = qn_derive_index_behind(word, 'Y')) >= 0)
        return output(d, i);
    i = qn_derive_index_behind(word, 'G');
    assert(i >= 0);
    return qn_derive_gradient(d, i);
}

/* ---- numbers ---- */

/* The type of what flows: that of the first output that anything flows into. */
static QnType flow_type(const QnDerive *d)
{
    int i = 0;
    while (!d->gradients[i])
        i++;
    return d->gradients[i]->type.element;
}

static QnIrValue *scalar(QnDerive *d, QnType type, double number)
{
    const int64_t integer = (int64_t)number;
    if (type == QN_INT64)
        return qn_build_ints(&d->build, &integer, 1, 0);
    return qn_build_scalar(&d->build, type, number);
}

/* A term as a value, next to one that says the type; NULL: what flows does. */
QnIrValue *qn_derive_value_of(QnDerive *d, QnDeriveTerm term, const QnIrValue *next)
{
    if (!term.is_number)
        return term.value;
    return scalar(d, next ? next->type.element : flow_type(d), term.number);
}

const QnOpAttribute *qn_derive_find_row(const QnOp *op, const char *name)
{
    for (const QnOpAttribute *row = op->attributes; row && row->name; row++)
        if (!strcmp(row->name, name))
            return row;
    return NULL;
}

/* @name: a number, or a vector. */
QnDeriveTerm qn_derive_read_attribute(QnDerive *d)
{
    const QnDeriveSpelled name = qn_derive_read_spelled(d);
    const QnAttribute *there = qn_node_attribute(d->node, name.text);
    const QnOpAttribute *row = qn_derive_find_row(d->node->def, name.text);
    const QnAttributeKind kind = there ? there->kind : row ? row->kind : QN_ATTRIBUTE_NONE;
    if (kind == QN_ATTRIBUTE_INTS)
        return (QnDeriveTerm){
            .value = qn_derive_vector(d, there ? there->ints : NULL, there ? there->count : 0)};
    return (QnDeriveTerm){.is_number = true,
                          .number = kind == QN_ATTRIBUTE_INT ? (double)qn_op_int(d->node, name.text)
                                                             : qn_op_float(d->node, name.text)};
}

double qn_derive_read_number(QnDerive *d)
{
    char *end;
    const double number = strtod(d->at, &end);
    d->at = end;
    return number;
}

/* [1, @axis] from behind the bracket on; the count. */
int qn_derive_read_list(QnDerive *d, int64_t *list)
{
    int count = 0;
    while (qn_derive_more(d, ']', &count)) {
        assert(count <= QN_DERIVE_ARGUMENTS);
        list[count - 1] = (int64_t)(qn_derive_take(d, '@') ? qn_derive_read_attribute(d).number
                                                           : qn_derive_read_number(d));
    }
    return count;
}
