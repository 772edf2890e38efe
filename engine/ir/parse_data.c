/* SPDX-License-Identifier: Apache-2.0 */
/* Types, tensors and attribute values, read from text. */
#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"
#include "engine/ir/text_form.h"

enum { TYPE_DEPTH = 64 };

/* --- types --- */

/* One dim, up to the ',' or ']' that is in no brackets or quotes of its own. */
static QnStatus parse_dim(QnTextCursor *in, QnDim *out)
{
    const char *start = in->at;
    int depth = 0;
    bool is_quoted = false;
    for (; in->at < in->end; in->at++) {
        const char c = *in->at;
        if (is_quoted) {
            if (c == '\\' && in->at + 1 < in->end)
                in->at++;
            is_quoted = c != '"';
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']'))
            break;
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        is_quoted = c == '"';
    }
    QnDims *dims = &in->module->dims;
    if (qn_dim_parse(dims, out, start, (size_t)(in->at - start)))
        return QN_OK;
    in->at = start;
    return dims->failed ? QN_NO_MEMORY : qn_text_fail(in, "a dimension");
}

/* "[N,3]", "[]" or "[?]" */
static QnStatus parse_shape(QnTextCursor *in, QnShape *out)
{
    *out = (QnShape){0};
    QN_TRY(qn_text_expect(in, '['));
    if (in->end - in->at >= 2 && in->at[0] == '?' && in->at[1] == ']') {
        *out = qn_shape_unknown();
        in->at += 2;
        return QN_OK;
    }
    /* Looked at as it is: "#" starts the name of a symbol here, not a comment. */
    if (in->at < in->end && *in->at == ']') {
        in->at++;
        return QN_OK;
    }
    do {
        if (out->rank == QN_MAX_RANK)
            return qn_text_fail_with(in, "a shape has more than %d dims", QN_MAX_RANK);
        QN_TRY(parse_dim(in, &out->dims[out->rank]));
        out->rank++;
    } while (qn_text_accept(in, ','));
    return qn_text_expect(in, ']');
}

/* What a collection holds, and its closing bracket. */
static QnStatus parse_item_type(QnTextCursor *in, QnIrType *out)
{
    QnIrType *item;
    QN_ALLOC(item, &in->module->arena, 1);
    if (++in->depth > TYPE_DEPTH)
        return qn_text_fail_with(in, "a type is nested more than %d deep", TYPE_DEPTH);
    QN_TRY(qn_parse_type(in, item));
    in->depth--;
    out->item = item->kind == QN_NONE ? NULL : item;
    return qn_text_expect(in, ')');
}

static QnStatus parse_element(QnTextCursor *in, QnType *out)
{
    const char *word;
    QnTextCursor start = *in;
    QN_TRY(qn_text_word(in, &word, "a type"));
    *out = qn_type_find(word);
    return *out != QN_UNDEFINED || !strcmp(word, "tensor") ? QN_OK : qn_text_fail(&start, "a type");
}

QnStatus qn_parse_type(QnTextCursor *in, QnIrType *out)
{
    *out = (QnIrType){.shape = qn_shape_unknown()};
    if (qn_text_accept(in, '?'))
        return QN_OK;
    const bool is_sequence = qn_text_accept_word(in, "sequence");
    if (is_sequence || qn_text_accept_word(in, "optional")) {
        out->kind = is_sequence ? QN_SEQUENCE : QN_OPTIONAL;
        QN_TRY(qn_text_expect(in, '('));
        return parse_item_type(in, out);
    }
    if (qn_text_accept_word(in, "map")) {
        out->kind = QN_MAP;
        QN_TRY(qn_text_expect(in, '('));
        QN_TRY(parse_element(in, &out->element));
        QN_TRY(qn_text_expect(in, ','));
        return parse_item_type(in, out);
    }
    out->kind = QN_TENSOR;
    QN_TRY(parse_element(in, &out->element));
    return qn_text_peek(in) == '[' ? parse_shape(in, &out->shape) : QN_OK;
}

/* --- tensors --- */

/* Elements on the way, in memory of the module. */
typedef struct Elements {
    uint8_t *data;
    int64_t count, capacity; /* in bytes */
} Elements;

static QnStatus append(Elements *elements, QnArena *arena, const void *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        QN_GROW(elements->data, elements->count, elements->capacity, arena);
        elements->data[elements->count++] = ((const uint8_t *)data)[i];
    }
    return QN_OK;
}

/* Text up to what may stand behind a number. */
static QnString number_text(QnTextCursor *in)
{
    qn_text_skip(in);
    const char *start = in->at;
    while (in->at < in->end &&
           (isalnum((unsigned char)*in->at) || (*in->at && strchr("+-.", *in->at))))
        in->at++;
    return (QnString){start, (size_t)(in->at - start)};
}

static bool parse_hex(uint64_t *out, const char *text, size_t size)
{
    uint64_t bits = 0;
    if (size < 3 || size > 18 || text[0] != '0' || text[1] != 'x')
        return false;
    for (size_t i = 2; i < size; i++) {
        if (!isxdigit((unsigned char)text[i]))
            return false;
        const int c = tolower((unsigned char)text[i]);
        bits = 16 * bits + (uint64_t)(isdigit(c) ? c - '0' : c - 'a' + 10);
    }
    *out = bits;
    return true;
}

/* One number in memory's form; false where it is none or does not fit. */
static bool parse_number(uint8_t *out, const QnElementForm *form, QnString text)
{
    const int bits_count = 8 * (int)form->size;
    uint64_t bits = 0;
    int64_t number;
    double f64;
    float f32;
    switch (form->kind) {
    case QN_FORM_FLOAT:
        if (!qn_parse_f32(&f32, text.data, text.size))
            return false;
        memcpy(out, &f32, sizeof f32);
        return true;
    case QN_FORM_DOUBLE:
        if (!qn_parse_f64(&f64, text.data, text.size))
            return false;
        memcpy(out, &f64, sizeof f64);
        return true;
    case QN_FORM_SIGNED:
        if (!qn_parse_i64(&number, text.data, text.size))
            return false;
        bits = (uint64_t)number;
        memcpy(out, &bits, form->size);
        return qn_sign_extend(bits, form->size) == number;
    case QN_FORM_UNSIGNED:
    case QN_FORM_BITS:
        if (form->kind == QN_FORM_BITS ? !parse_hex(&bits, text.data, text.size)
                                       : !qn_parse_u64(&bits, text.data, text.size))
            return false;
        memcpy(out, &bits, form->size);
        return bits_count == 64 || bits >> bits_count == 0;
    case QN_FORM_NONE:
    case QN_FORM_STRING:
        break;
    }
    return false;
}

/* A string of its own, out of scratch memory. */
static QnStatus keep_string(QnTextCursor *in, QnString *out)
{
    QN_TRY(qn_text_quoted(in, out));
    out->data = qn_arena_copy_text(&in->module->arena, out->data, out->size);
    return out->data ? QN_OK : QN_NO_MEMORY;
}

static QnStatus parse_one(QnTextCursor *in, Elements *elements, QnType type)
{
    QnArena *arena = &in->module->arena;
    const QnElementForm *form = &qn_element_forms[type];
    uint8_t number[8];
    if (form->kind == QN_FORM_STRING) {
        QnString string;
        QN_TRY(keep_string(in, &string));
        return append(elements, arena, &string, sizeof string);
    }
    const QnTextCursor start = *in;
    const QnString text = number_text(in);
    if (text.size >= 3 && !memcmp(text.data, "...", 3))
        return qn_text_fail_with(in, "a constant was cut short when it was printed");
    if (!parse_number(number, form, text)) {
        char expected[40];
        (void)snprintf(expected, sizeof expected, "a number of type %s", qn_type_name(type));
        return qn_text_fail(&start, expected);
    }
    return append(elements, arena, number, form->size);
}

/* The bytes that a tensor of the type takes;
 * false where a dim is no number, or they are too many. */
static bool find_size(int64_t *out, const QnIrType *type)
{
    int64_t size = (int64_t)qn_type_size(type->element);
    if (type->kind != QN_TENSOR || type->element == QN_UNDEFINED || type->shape.rank < 0)
        return false;
    for (int i = 0; i < type->shape.rank; i++)
        if (type->shape.dims[i] < 0 || !qn_mul_i64(&size, size, type->shape.dims[i]))
            return false;
    *out = size;
    return true;
}

QnStatus qn_parse_elements(QnTextCursor *in, QnTensor *out, const QnIrType *type)
{
    Elements elements = {0};
    int64_t size;
    if (!find_size(&size, type))
        return qn_text_fail_with(in, "a constant needs a tensor type with numbers as dims");
    QN_TRY(qn_text_expect(in, '{'));
    while (qn_text_peek(in) != '}') {
        if (elements.count > 0)
            QN_TRY(qn_text_expect(in, ','));
        QN_TRY(parse_one(in, &elements, type->element));
    }
    QN_TRY(qn_text_expect(in, '}'));
    if (elements.count != size)
        return qn_text_fail_with(in, "a constant has %lld bytes of elements, its type %lld",
                                 (long long)elements.count, (long long)size);
    if (!elements.data)
        QN_ALLOC(elements.data, &in->module->arena, 1);
    *out = qn_tensor(type->element, type->shape.rank, type->shape.dims, elements.data);
    return QN_OK;
}

/* --- attribute values --- */

static QnStatus parse_tensor(QnTextCursor *in, QnAttribute *out)
{
    QnIrType type;
    QnTensor *tensor;
    QN_ALLOC(tensor, &in->module->arena, 1);
    QN_TRY(qn_parse_type(in, &type));
    out->kind = QN_ATTRIBUTE_TENSOR;
    out->tensor = tensor;
    return qn_parse_elements(in, tensor, &type);
}

static QnStatus parse_type_value(QnTextCursor *in, QnAttribute *out)
{
    QnIrType *type;
    QN_ALLOC(type, &in->module->arena, 1);
    out->kind = QN_ATTRIBUTE_TYPE;
    out->type = type;
    return qn_parse_type(in, type);
}

static QnStatus parse_graph_value(QnTextCursor *in, QnAttribute *out)
{
    out->kind = QN_ATTRIBUTE_GRAPH;
    out->graph = qn_graph_create(in->module, "");
    return out->graph ? qn_parse_graph(in, out->graph) : QN_NO_MEMORY;
}

/* Floats are such as a file holds, of 32 bits, but for those with a "d". */
static QnStatus parse_number_value(QnTextCursor *in, QnAttribute *out)
{
    const QnTextCursor start = *in;
    const QnString text = number_text(in);
    float f32;
    out->kind = QN_ATTRIBUTE_INT;
    if (qn_parse_i64(&out->i, text.data, text.size))
        return QN_OK;
    out->kind = QN_ATTRIBUTE_FLOAT;
    if (text.size && text.data[text.size - 1] == 'd' &&
        qn_parse_f64(&out->f, text.data, text.size - 1))
        return QN_OK;
    if (!qn_parse_f32(&f32, text.data, text.size))
        return qn_text_fail(&start, "an attribute's value");
    out->f = (double)f32;
    return QN_OK;
}

/* Anything but a list. */
static QnStatus parse_item(QnTextCursor *in, QnAttribute *out)
{
    *out = (QnAttribute){.count = 1};
    if (qn_text_peek(in) == '"') {
        out->kind = QN_ATTRIBUTE_STRING;
        return keep_string(in, &out->s);
    }
    if (qn_text_accept_word(in, "tensor"))
        return parse_tensor(in, out);
    if (qn_text_accept_word(in, "type"))
        return parse_type_value(in, out);
    if (qn_text_accept_word(in, "graph"))
        return parse_graph_value(in, out);
    return parse_number_value(in, out);
}

/* Integers among floats are floats. */
static double float_of(const QnAttribute *item)
{
    return item->kind == QN_ATTRIBUTE_INT ? (double)item->i : item->f;
}

/* Items of one kind as the array of numbers that the list's kind has. */
static QnStatus pack_numbers(QnTextCursor *in, QnAttribute *out, const QnAttribute *items)
{
    float *floats;
    int64_t *ints;
    QN_ALLOC(floats, &in->module->arena, out->count);
    QN_ALLOC(ints, &in->module->arena, out->count);
    for (int i = 0; i < out->count; i++) {
        floats[i] = (float)float_of(&items[i]);
        ints[i] = items[i].i;
    }
    if (out->kind == QN_ATTRIBUTE_FLOATS)
        out->floats = floats;
    else
        out->ints = ints;
    return QN_OK;
}

static QnStatus pack_strings(QnTextCursor *in, QnAttribute *out, const QnAttribute *items)
{
    QnString *strings;
    QN_ALLOC(strings, &in->module->arena, out->count);
    for (int i = 0; i < out->count; i++)
        strings[i] = items[i].s;
    out->strings = strings;
    return QN_OK;
}

static QnStatus pack_tensors(QnTextCursor *in, QnAttribute *out, const QnAttribute *items)
{
    QnTensor *tensors;
    QN_ALLOC(tensors, &in->module->arena, out->count);
    for (int i = 0; i < out->count; i++)
        tensors[i] = *items[i].tensor;
    out->tensor = tensors;
    return QN_OK;
}

static QnStatus pack_graphs(QnTextCursor *in, QnAttribute *out, const QnAttribute *items)
{
    QN_ALLOC(out->graphs, &in->module->arena, out->count);
    for (int i = 0; i < out->count; i++)
        out->graphs[i] = items[i].graph;
    return QN_OK;
}

static QnStatus pack(QnTextCursor *in, QnAttribute *out, const QnAttribute *items)
{
    assert(items || out->count == 0);
    switch (out->kind) {
    case QN_ATTRIBUTE_STRINGS:
        return pack_strings(in, out, items);
    case QN_ATTRIBUTE_TENSORS:
        return pack_tensors(in, out, items);
    case QN_ATTRIBUTE_GRAPHS:
        return pack_graphs(in, out, items);
    default:
        return pack_numbers(in, out, items);
    }
}

/* The kind of a list with one more item in it;
 * QN_ATTRIBUTE_NONE where that does not go together. */
static QnAttributeKind list_kind(QnAttributeKind list, QnAttributeKind item)
{
    const QnAttributeKind one = item == QN_ATTRIBUTE_TYPE ? QN_ATTRIBUTE_NONE : item + 5;
    const bool is_number = one == QN_ATTRIBUTE_INTS || one == QN_ATTRIBUTE_FLOATS;
    if (list == QN_ATTRIBUTE_NONE || list == one)
        return one;
    if (is_number && (list == QN_ATTRIBUTE_INTS || list == QN_ATTRIBUTE_FLOATS))
        return QN_ATTRIBUTE_FLOATS;
    return QN_ATTRIBUTE_NONE;
}

static QnStatus parse_list(QnTextCursor *in, QnAttribute *out)
{
    QnAttribute *items = NULL;
    int capacity = 0;
    QN_TRY(qn_text_expect(in, '['));
    while (qn_text_peek(in) != ']') {
        if (out->count > 0)
            QN_TRY(qn_text_expect(in, ','));
        QN_GROW(items, out->count, capacity, in->scratch);
        assert(items);
        QN_TRY(parse_item(in, &items[out->count]));
        out->kind = list_kind(out->kind, items[out->count++].kind);
        if (out->kind == QN_ATTRIBUTE_NONE)
            return qn_text_fail_with(in, "the items of a list are of different kinds");
    }
    if (out->kind == QN_ATTRIBUTE_NONE)
        out->kind = QN_ATTRIBUTE_INTS;
    QN_TRY(qn_text_expect(in, ']'));
    return pack(in, out, items);
}

QnStatus qn_parse_attribute(QnTextCursor *in, QnAttribute *out)
{
    *out = (QnAttribute){0};
    for (int kind = 1; kind <= QN_ATTRIBUTE_TYPE; kind++)
        if (qn_list_words[kind] && *qn_list_words[kind] &&
            qn_text_accept_word(in, qn_list_words[kind]))
            out->kind = (QnAttributeKind)kind;
    return qn_text_peek(in) == '[' ? parse_list(in, out) : parse_item(in, out);
}
