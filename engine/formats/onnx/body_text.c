/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the text of a body: words, conditions, values.  The texts are constants of the program,
 * so what is wrong in one is a bug. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"
#include "engine/formats/onnx/body.h"
#include "engine/formats/onnx/validate.h"

static void skip_blanks(OnnxBody *b)
{
    b->at += strspn(b->at, " ");
}

bool onnx_body_take(OnnxBody *b, char c)
{
    skip_blanks(b);
    if (*b->at != c || !c)
        return false;
    b->at++;
    skip_blanks(b);
    return true;
}

bool onnx_body_more(OnnxBody *b, char closer, int *count)
{
    if (onnx_body_take(b, closer))
        return false;
    if ((*count)++ > 0) {
        const bool is_comma = onnx_body_take(b, ',');
        assert(is_comma), (void)is_comma;
    }
    return true;
}

static bool is_word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

const char *onnx_body_word(OnnxBody *b)
{
    size_t size = 0;
    skip_blanks(b);
    while (is_word_character(b->at[size]))
        size++;
    b->at += size;
    return qn_arena_copy_text(b->up->in->scratch, b->at - size, size);
}

bool onnx_body_next(OnnxBody *b)
{
    b->at += strspn(b->at, " ;\n");
    return *b->at != 0;
}

void onnx_body_skip(OnnxBody *b)
{
    b->at += strcspn(b->at, ";\n");
}

/* --- attributes of the call --- */

static OnnxAttribute of_kind(const char *name, int kind)
{
    return (OnnxAttribute){.name = name, .ref = "", .kind = kind, .filled = 1u << kind};
}

/* The default that the schema has; kind UNDEFINED: none. */
static OnnxAttribute find_default(const OnnxNode *node, const char *name)
{
    const OnnxAttributeSchema *row =
        node->schema ? onnx_schema_attribute(node->schema, name) : NULL;
    if (!row || !(row->flags & ONNX_ATTRIBUTE_HAS_DEFAULT))
        return of_kind(name, ONNX_UNDEFINED);
    OnnxAttribute made = of_kind(name, row->kind);
    if (row->kind == ONNX_FLOAT)
        made.f = row->value.f;
    else if (row->kind == ONNX_INT)
        made.i = row->value.i;
    else if (row->kind == ONNX_STRING)
        made.s = qn_bytes_of_text(onnx_schema_text(row->value.s));
    else
        made.kind = ONNX_UNDEFINED; /* lists default to nothing */
    return made;
}

static OnnxAttribute find_attribute(const OnnxBody *b, const char *name)
{
    const OnnxAttribute *own = onnx_attribute(b->call, name);
    return own ? *own : find_default(b->call, name);
}

bool onnx_body_holds(const OnnxBody *b, const char *attribute)
{
    const OnnxAttribute a = find_attribute(b, attribute);
    switch (a.kind) {
    case ONNX_FLOAT:
        return a.f != 0;
    case ONNX_INT:
        return a.i != 0;
    case ONNX_STRING:
        return a.s.size > 0;
    case ONNX_FLOATS:
        return a.floats.count > 0;
    case ONNX_INTS:
        return a.ints.count > 0;
    default:
        return a.kind != ONNX_UNDEFINED;
    }
}

bool onnx_body_equals(const OnnxBody *b, const char *attribute, const char *word)
{
    const OnnxAttribute a = find_attribute(b, attribute);
    if (a.kind == ONNX_INT)
        return a.i == strtoll(word, NULL, 10);
    if (a.kind == ONNX_FLOAT)
        return a.f == strtof(word, NULL);
    return a.kind == ONNX_STRING && a.s.size ? qn_bytes_is(a.s, word) : !strcmp(word, "none");
}

/* The difference between an attribute and a number; 0 where it is no number. */
static double difference(const OnnxBody *b, const char *attribute, const char *number)
{
    const OnnxAttribute a = find_attribute(b, attribute);
    if (a.kind != ONNX_FLOAT && a.kind != ONNX_INT)
        return 0;
    return (a.kind == ONNX_FLOAT ? (double)a.f : (double)a.i) - strtod(number, NULL);
}

bool onnx_body_is_below(const OnnxBody *b, const char *attribute, const char *number)
{
    return difference(b, attribute, number) < 0;
}

bool onnx_body_is_above(const OnnxBody *b, const char *attribute, const char *number)
{
    return difference(b, attribute, number) > 0;
}

const char *onnx_body_show(const OnnxBody *b, const char *attribute)
{
    const OnnxAttribute a = find_attribute(b, attribute);
    if (a.kind == ONNX_STRING)
        return onnx_say(b->up->in, "%s is '%.*s'", attribute,
                        (int)qn_min_i64((int64_t)a.s.size, 80), (const char *)a.s.data);
    return onnx_say(b->up->in, "%s is %lld", attribute, (long long)a.i);
}

/* Element i of a list. */
static OnnxAttribute pick_element(OnnxBody *b, const OnnxAttribute *list, int64_t i)
{
    OnnxAttribute made = of_kind(list->name, list->kind == ONNX_INTS ? ONNX_INT : ONNX_FLOAT);
    const size_t count = list->kind == ONNX_INTS     ? list->ints.count
                         : list->kind == ONNX_FLOATS ? list->floats.count
                                                     : 0;
    if ((uint64_t)i >= count)
        onnx_refuse(b->up, b->call, "onnx-attribute-value",
                    onnx_say(b->up->in, "attribute '%s' holds %zu numbers", list->name, count),
                    onnx_say(b->up->in, "%lld or more", (long long)i + 1));
    else if (list->kind == ONNX_INTS)
        made.i = list->ints.i64[i];
    else
        made.f = list->floats.f32[i];
    return made;
}

/* --- values --- */

/* 2 is an integer, 2.0 and 1e-5 are not. */
static OnnxAttribute read_number(OnnxBody *b)
{
    const size_t size = strspn(b->at, "+-.0123456789e");
    double value = 0;
    OnnxAttribute made = of_kind("", ONNX_INT);
    assert(size > 0);
    if (!qn_parse_i64(&made.i, b->at, size)) {
        const bool is_number = qn_parse_f64(&value, b->at, size);
        assert(is_number), (void)is_number;
        made = of_kind("", ONNX_FLOAT);
        made.f = (float)value;
    }
    b->at += size;
    return made;
}

static QnStatus read_list(OnnxBody *b, OnnxAttribute *out)
{
    enum { MOST = QN_MAX_RANK };
    int count = 0;
    *out = of_kind("", ONNX_INTS);
    QN_ALLOC(out->ints.i64, b->up->in->scratch, MOST);
    while (onnx_body_more(b, ']', &count)) {
        assert(count <= MOST);
        out->ints.i64[count - 1] = read_number(b).i;
    }
    out->ints.count = out->ints.capacity = (size_t)count;
    return QN_OK;
}

static OnnxAttribute read_text(OnnxBody *b)
{
    OnnxAttribute made = of_kind("", ONNX_STRING);
    made.s = qn_bytes(b->at, strcspn(b->at, "\""));
    b->at += made.s.size + 1;
    return made;
}

QnStatus onnx_body_value(OnnxBody *b, OnnxAttribute *out)
{
    if (onnx_body_take(b, '[')) {
        QN_TRY(read_list(b, out));
    } else if (onnx_body_take(b, '"')) {
        *out = read_text(b);
    } else if (onnx_body_take(b, '@')) {
        const char *name = onnx_body_word(b);
        if (!name)
            return QN_NO_MEMORY;
        *out = find_attribute(b, name);
        if (*b->at == '[') {
            b->at++;
            *out = pick_element(b, out, read_number(b).i);
            onnx_body_take(b, ']');
        }
    } else {
        *out = read_number(b);
    }
    return QN_OK;
}
