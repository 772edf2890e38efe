/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by table: values of any kind in structs, initial values, names. */
#include "base/message.h"

#include <assert.h>
#include <strings.h>

#include "base/checked.h"

/* What each kind is in C. */
static const struct {
    size_t size;
    uint64_t max;   /* of integers */
    uint64_t minus; /* how far below 0 they go */
    const char *range;
} kinds[] = {
    [QN_KIND_BOOL] = {sizeof(bool), 1, 0, "0 to 1"},
    [QN_KIND_INT32] = {4, INT32_MAX, UINT64_C(1) << 31, "-2147483648 to 2147483647"},
    [QN_KIND_INT64] = {8, INT64_MAX, UINT64_C(1) << 63,
                       "-9223372036854775808 to 9223372036854775807"},
    [QN_KIND_UINT32] = {4, UINT32_MAX, 0, "0 to 4294967295"},
    [QN_KIND_UINT64] = {8, UINT64_MAX, 0, "0 to 18446744073709551615"},
    [QN_KIND_FLOAT] = {4, 0, 0, ""},
    [QN_KIND_DOUBLE] = {8, 0, 0, ""},
    [QN_KIND_STRING] = {sizeof(const char *), 0, 0, ""},
    [QN_KIND_BYTES] = {sizeof(QnBytes), 0, 0, ""},
    [QN_KIND_ENUM] = {4, INT32_MAX, UINT64_C(1) << 31, "-2147483648 to 2147483647"},
    [QN_KIND_MESSAGE] = {sizeof(void *), 0, 0, ""},
};

bool qn_kind_fits(QnFieldKind kind, bool is_negative, uint64_t magnitude)
{
    return magnitude <= (is_negative ? kinds[kind].minus : kinds[kind].max);
}

const char *qn_kind_range(QnFieldKind kind)
{
    return kinds[kind].range;
}

size_t qn_field_size(const QnField *field)
{
    return field->kind == QN_KIND_MESSAGE ? field->message->size : kinds[field->kind].size;
}

/* ---- names ---- */

const QnField *qn_message_find(const QnMessage *type, QnBytes name)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (qn_bytes_is(name, type->fields[i].name))
            return &type->fields[i];
    return NULL;
}

const QnField *qn_message_find_number(const QnMessage *type, uint32_t number)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].number == number)
            return &type->fields[i];
    return NULL;
}

static const char *hint(const char *name, QnArena *arena)
{
    const char *text = name ? qn_arena_printf(arena, "; did you mean '%s'?", name) : NULL;
    return text ? text : "";
}

const char *qn_message_hint(const QnMessage *type, const char *name, QnArena *arena)
{
    const char *names[QN_FIELD_LIMIT];
    size_t count = 0;
    for (; count < type->field_count && count < QN_FIELD_LIMIT; count++)
        names[count] = type->fields[count].name;
    return hint(qn_did_you_mean(name, names, count), arena);
}

const char *qn_enum_hint(const QnEnum *type, const char *name, QnArena *arena)
{
    const char *names[QN_FIELD_LIMIT];
    size_t count = 0;
    for (; count < type->value_count && count < QN_FIELD_LIMIT; count++)
        names[count] = type->values[count].name;
    return hint(qn_did_you_mean(name, names, count), arena);
}

const QnEnumValue *qn_enum_find(const QnEnum *type, QnBytes name, bool any_case)
{
    for (size_t i = 0; i < type->value_count; i++) {
        const char *known = type->values[i].name;
        if (strlen(known) != name.size)
            continue;
        if (any_case ? !strncasecmp(known, (const char *)name.data, name.size)
                     : qn_bytes_is(name, known))
            return &type->values[i];
    }
    return NULL;
}

const QnEnumValue *qn_enum_find_number(const QnEnum *type, int64_t number)
{
    for (size_t i = 0; i < type->value_count; i++)
        if (type->values[i].number == number)
            return &type->values[i];
    return NULL;
}

/* ---- values in structs; members of unknown type are reached through memcpy ---- */

void qn_field_store(const QnField *field, void *slot, QnScalar value)
{
    assert(field->kind != QN_KIND_MESSAGE);
    const float narrow = field->kind == QN_KIND_FLOAT ? (float)value.f : 0;
    switch (field->kind) {
    case QN_KIND_BOOL:
        *(bool *)slot = value.u != 0;
        break;
    case QN_KIND_FLOAT:
        memcpy(slot, &narrow, sizeof narrow);
        break;
    default: /* integers of 4 bytes are the low half of those of 8 */
        memcpy(slot, &value, kinds[field->kind].size);
    }
}

QnScalar qn_field_load(const QnField *field, const void *slot)
{
    assert(field->kind != QN_KIND_MESSAGE);
    QnScalar value = {.bytes = {0}};
    float narrow;
    switch (field->kind) {
    case QN_KIND_BOOL:
        value.u = *(const bool *)slot;
        break;
    case QN_KIND_INT32:
    case QN_KIND_ENUM:
        value.i = (int32_t)qn_load_u32(slot);
        break;
    case QN_KIND_UINT32:
        value.u = qn_load_u32(slot);
        break;
    case QN_KIND_FLOAT:
        memcpy(&narrow, slot, sizeof narrow);
        value.f = (double)narrow;
        break;
    default:
        memcpy(&value, slot, kinds[field->kind].size);
    }
    return value;
}

bool qn_field_is_zero(const QnField *field, const void *slot)
{
    const QnScalar value = qn_field_load(field, slot);
    if (field->kind == QN_KIND_STRING)
        return value.text[0] == 0;
    if (field->kind == QN_KIND_BYTES)
        return value.bytes.size == 0;
    return value.u == 0; /* of a float too: -0 is not left out */
}

static void load_list(QnListHead *list, const void *member)
{
    memcpy(list, member, sizeof *list);
}

size_t qn_field_values(const QnField *field, const void *message, const void **value)
{
    const char *member = (const char *)message + field->offset;
    if (field->shape != QN_SINGLE) {
        QnListHead list;
        load_list(&list, member);
        *value = list.items;
        return list.count;
    }
    *value = member;
    if (field->oneof && qn_field_case(field, message) != field->number)
        return 0;
    if (field->kind == QN_KIND_MESSAGE)
        memcpy(value, member, sizeof *value);
    return *value != NULL;
}

uint32_t qn_field_case(const QnField *field, const void *message)
{
    return field->oneof ? qn_load_u32((const char *)message + field->case_offset) : 0;
}

/* Sets a number from the `initial` text of a field. */
static bool parse_initial(QnScalar *value, const QnField *field)
{
    const char *text = field->initial;
    const size_t size = strlen(text);
    const QnEnumValue *known;
    switch (field->kind) {
    case QN_KIND_FLOAT:
    case QN_KIND_DOUBLE:
        return qn_parse_f64(&value->f, text, size);
    case QN_KIND_BOOL:
        value->u = !strcmp(text, "true");
        return true;
    case QN_KIND_UINT32:
    case QN_KIND_UINT64:
        return qn_parse_u64(&value->u, text, size);
    case QN_KIND_ENUM:
        known = qn_enum_find(field->values, qn_bytes(text, size), false);
        value->i = known ? known->number : 0;
        return known != NULL;
    default:
        return qn_parse_i64(&value->i, text, size);
    }
}

static QnScalar initial_value(const QnField *field)
{
    QnScalar value = {.bytes = {0}};
    if (field->kind == QN_KIND_STRING) {
        value.text = field->initial ? field->initial : "";
    } else if (field->kind == QN_KIND_BYTES) {
        value.bytes = qn_bytes_of_text(field->initial);
    } else {
        const bool is_right = parse_initial(&value, field);
        assert(is_right); /* tables are ours: a wrong one is a bug */
        (void)is_right;
    }
    return value;
}

void qn_message_init(void *out, const QnMessage *type)
{
    assert(type->field_count <= QN_FIELD_LIMIT);
    memset(out, 0, type->size);
    for (size_t i = 0; i < type->field_count; i++) {
        const QnField *field = &type->fields[i];
        const bool has_initial = field->initial || field->kind == QN_KIND_STRING;
        /* Members of a oneof may share their place: each is set when it is chosen. */
        if (has_initial && field->shape == QN_SINGLE && !field->oneof)
            qn_field_store(field, (char *)out + field->offset, initial_value(field));
    }
}

/* A new element at the end of a list, or NULL. */
static void *add_element(const QnField *field, void *member, QnArena *arena)
{
    QnListHead list;
    load_list(&list, member);
    const size_t size = qn_field_size(field);
    if (list.count == list.capacity) {
        size_t capacity = 4;
        if (list.capacity && !qn_mul_size(&capacity, list.capacity, 2))
            return NULL;
        void *items = qn_arena_array(arena, capacity, size);
        if (!items)
            return NULL;
        if (list.count)
            memcpy(items, list.items, list.count * size);
        list.items = items;
        list.capacity = capacity;
    }
    void *slot = (char *)list.items + list.count * size;
    list.count++;
    memcpy(member, &list, sizeof list);
    if (field->kind == QN_KIND_MESSAGE)
        qn_message_init(slot, field->message);
    return slot;
}

void *qn_field_slot(const QnField *field, void *message, QnArena *arena)
{
    char *member = (char *)message + field->offset;
    if (field->shape != QN_SINGLE)
        return add_element(field, member, arena);
    const bool is_chosen = !field->oneof || qn_field_case(field, message) == field->number;
    if (!is_chosen) {
        memcpy((char *)message + field->case_offset, &field->number, sizeof field->number);
        memset(member, 0, kinds[field->kind].size);
    }
    if (field->kind != QN_KIND_MESSAGE)
        return member;
    void *child;
    memcpy(&child, member, sizeof child);
    if (!child) {
        child = qn_arena_alloc(arena, field->message->size);
        if (!child)
            return NULL;
        qn_message_init(child, field->message);
        memcpy(member, &child, sizeof child);
    }
    return child;
}

static bool is_same_key(const QnField *key, const void *a, const void *b)
{
    const QnScalar left = qn_field_load(key, (const char *)a + key->offset);
    const QnScalar right = qn_field_load(key, (const char *)b + key->offset);
    return key->kind == QN_KIND_STRING ? !strcmp(left.text, right.text) : left.u == right.u;
}

bool qn_field_settle_entry(const QnField *field, void *message)
{
    QnListHead list;
    void *member = (char *)message + field->offset;
    load_list(&list, member);
    const size_t size = qn_field_size(field);
    const QnField *key = qn_message_find_number(field->message, 1);
    char *last = (char *)list.items + (list.count - 1) * size;
    for (char *entry = list.items; entry < last; entry += size) {
        if (!is_same_key(key, entry, last))
            continue;
        memcpy(entry, last, size);
        list.count--;
        memcpy(member, &list, sizeof list);
        return true;
    }
    return list.count <= QN_MAP_LIMIT;
}
