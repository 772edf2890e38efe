/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by table: the JSON form. */
#include <math.h>

#include "base/base64.h"
#include "base/message.h"

/* One parse: where to read, and what goes with every message about it. */
typedef struct Parse {
    QnJson *in;
    const char *what;
    QnArena *arena;
    QnError *err;
} Parse;

/* The status of a cursor that failed, with its sentence. */
static QnStatus failure(const Parse *p)
{
    return qn_json_finish(p->in, p->what, p->err);
}

static QnStatus no_memory(const Parse *p)
{
    qn_json_fail(p->in, QN_NO_MEMORY, "out of memory");
    return qn_no_memory(p->err);
}

/* Is the key this name, or its lowerCamelCase: "maxBatchSize" for "max_batch_size"? */
static bool is_key(QnBytes key, const char *name)
{
    if (qn_bytes_is(key, name))
        return true;
    size_t at = 0;
    for (const char *c = name; *c; c++) {
        char want = *c;
        if (*c == '_' && c[1]) {
            want = *++c;
            if (want >= 'a' && want <= 'z')
                want = (char)(want - 'a' + 'A');
        }
        if (at == key.size || (char)key.data[at++] != want)
            return false;
    }
    return at == key.size;
}

static const QnField *find_field(const QnMessage *type, const char *key)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (is_key(qn_bytes_of_text(key), type->fields[i].name))
            return &type->fields[i];
    return NULL;
}

/* An integer's digits; also 1e3 and 2.0, where the number is whole and small enough to be exact. */
static bool parse_integer(QnBytes text, bool *is_negative, uint64_t *magnitude)
{
    const char *digits = (const char *)text.data;
    *is_negative = text.size > 0 && digits[0] == '-';
    const size_t sign = *is_negative;
    if (text.size > sign && digits[sign] != '+' &&
        qn_parse_u64(magnitude, digits + sign, text.size - sign))
        return true;
    double value;
    if (!qn_parse_f64(&value, digits, text.size) || !(fabs(value) <= 0x1p53) ||
        floor(value) != value)
        return false;
    *magnitude = (uint64_t)fabs(value);
    return true;
}

/* Turns an integer's text into a value of the field's kind. */
static QnStatus set_integer(const Parse *p, const QnField *field, QnBytes text, const uint8_t *at,
                            QnScalar *value)
{
    bool is_negative;
    uint64_t magnitude;
    if (!parse_integer(text, &is_negative, &magnitude))
        return qn_json_refuse(p->in, at, p->what, p->err, "field '%s': expected an integer",
                              field->name);
    if (!qn_kind_fits(field->kind, is_negative, magnitude))
        return qn_json_refuse(p->in, at, p->what, p->err, "field '%s': %.*s is not in %s",
                              field->name, (int)(text.size < 40 ? text.size : 40),
                              (const char *)text.data, qn_kind_range(field->kind));
    value->u = is_negative ? 0 - magnitude : magnitude;
    return QN_OK;
}

static QnStatus read_integer(const Parse *p, const QnField *field, QnScalar *value)
{
    const bool is_text = qn_json_kind(p->in) == QN_JSON_STRING;
    const QnBytes text = is_text ? qn_json_text(p->in, p->arena) : qn_json_number(p->in);
    if (qn_json_failed(p->in))
        return failure(p);
    return set_integer(p, field, text, p->in->value_at, value);
}

/* A name from outside as it may stand in a message, which goes into logs. */
static const char *printable(const Parse *p, const char *name)
{
    char *copy = qn_arena_copy_text(p->arena, name, strlen(name));
    for (char *c = copy; c && *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            *c = '?';
    return copy ? copy : "";
}

static QnStatus read_enum(const Parse *p, const QnField *field, QnScalar *value)
{
    if (qn_json_kind(p->in) != QN_JSON_STRING)
        return read_integer(p, field, value);
    const char *name = qn_json_string(p->in, p->arena);
    if (qn_json_failed(p->in))
        return failure(p);
    const QnEnumValue *known = qn_enum_find(field->values, qn_bytes_of_text(name), true);
    if (!known)
        return qn_json_refuse(p->in, p->in->value_at, p->what, p->err,
                              "field '%s': '%.80s' is not a %s%s", field->name, printable(p, name),
                              field->values->name, qn_enum_hint(field->values, name, p->arena));
    value->i = known->number;
    return QN_OK;
}

static QnStatus read_bytes(const Parse *p, const QnField *field, QnScalar *value)
{
    bool is_out_of_memory;
    const QnBytes text = qn_json_text(p->in, p->arena);
    if (qn_json_failed(p->in))
        return failure(p);
    if (qn_base64_parse(&value->bytes, text, p->arena, &is_out_of_memory))
        return QN_OK;
    if (is_out_of_memory)
        return no_memory(p);
    return qn_json_refuse(p->in, p->in->value_at, p->what, p->err, "field '%s': expected base64",
                          field->name);
}

static QnStatus read_scalar(const Parse *p, const QnField *field, QnScalar *value)
{
    *value = (QnScalar){.bytes = {0}};
    switch (field->kind) {
    case QN_KIND_BOOL:
        value->u = qn_json_bool(p->in);
        break;
    case QN_KIND_FLOAT:
        value->f = (double)qn_json_f32(p->in);
        break;
    case QN_KIND_DOUBLE:
        value->f = qn_json_f64(p->in);
        break;
    case QN_KIND_STRING:
        value->text = qn_json_string(p->in, p->arena);
        break;
    case QN_KIND_BYTES:
        return read_bytes(p, field, value);
    case QN_KIND_ENUM:
        return read_enum(p, field, value);
    default:
        return read_integer(p, field, value);
    }
    return qn_json_failed(p->in) ? failure(p) : QN_OK;
}

static QnStatus read_message(const Parse *p, const QnMessage *type, void *message);

/* One value, or element, at the cursor.  The cursor's depth limit bounds the recursion. */
static QnStatus read_value(const Parse *p, const QnField *field, void *message)
{
    if (field->kind == QN_KIND_MESSAGE) {
        void *child = qn_field_slot(field, message, p->arena);
        return child ? read_message(p, field->message, child) : no_memory(p);
    }
    QnScalar value;
    QN_TRY(read_scalar(p, field, &value));
    void *slot = qn_field_slot(field, message, p->arena);
    if (!slot)
        return no_memory(p);
    qn_field_store(field, slot, value);
    return QN_OK;
}

/* The key of a map's entry, which JSON has as a string of any kind's text. */
static QnStatus read_map_key(const Parse *p, const QnField *key, void *entry)
{
    const char *text = qn_json_key(p->in, p->arena);
    if (qn_json_failed(p->in))
        return failure(p);
    const QnBytes bytes = qn_bytes_of_text(text);
    QnScalar value = {.bytes = {0}};
    if (key->kind == QN_KIND_STRING)
        value.text = text;
    else if (key->kind == QN_KIND_BOOL)
        value.u = qn_bytes_is(bytes, "true");
    else
        QN_TRY(set_integer(p, key, bytes, p->in->key.raw.data, &value));
    qn_field_store(key, (char *)entry + key->offset, value);
    return QN_OK;
}

static QnStatus read_map(const Parse *p, const QnField *field, void *message)
{
    const QnField *key = qn_message_find_number(field->message, 1);
    const QnField *value = qn_message_find_number(field->message, 2);
    for (qn_json_begin_object(p->in); qn_json_next_member(p->in);) {
        void *entry = qn_field_slot(field, message, p->arena);
        if (!entry)
            return no_memory(p);
        QN_TRY(read_map_key(p, key, entry));
        QN_TRY(read_value(p, value, entry));
        if (!qn_field_settle_entry(field, message))
            return qn_json_refuse(p->in, p->in->value_at, p->what, p->err,
                                  "field '%s' has more than %d entries", field->name, QN_MAP_LIMIT);
    }
    return qn_json_failed(p->in) ? failure(p) : QN_OK;
}

static QnStatus read_field(const Parse *p, const QnField *field, void *message)
{
    if (qn_json_null(p->in))
        return QN_OK;
    if (field->shape == QN_MAPPED)
        return read_map(p, field, message);
    if (field->shape == QN_REPEATED) {
        for (qn_json_begin_array(p->in); qn_json_next_element(p->in);)
            QN_TRY(read_value(p, field, message));
        return qn_json_failed(p->in) ? failure(p) : QN_OK;
    }
    const uint32_t chosen = qn_field_case(field, message);
    if (chosen && chosen != field->number)
        return qn_json_refuse(p->in, p->in->key.raw.data, p->what, p->err,
                              "field '%s': another member of '%s' is set already", field->name,
                              field->oneof);
    return read_value(p, field, message);
}

static QnStatus refuse_key(const Parse *p, const QnMessage *type, const char *key)
{
    return qn_json_refuse(p->in, p->in->key.raw.data, p->what, p->err, "%s has no field '%.80s'%s",
                          type->name, printable(p, key), qn_message_hint(type, key, p->arena));
}

static QnStatus read_message(const Parse *p, const QnMessage *type, void *message)
{
    for (qn_json_begin_object(p->in); qn_json_next_member(p->in);) {
        const char *key = qn_json_key(p->in, p->arena);
        if (qn_json_failed(p->in))
            return failure(p);
        const QnField *field = find_field(type, key);
        if (!field)
            return refuse_key(p, type, key);
        QN_TRY(read_field(p, field, message));
    }
    return qn_json_failed(p->in) ? failure(p) : QN_OK;
}

QnStatus qn_message_parse_json(void *out, const QnMessage *type, QnJson *in, const char *what,
                               QnArena *arena, QnError *err)
{
    const Parse parse = {in, what, arena, err};
    return read_message(&parse, type, out);
}

/* ---- printing ---- */

static void put_integer(QnJsonWriter *to, const QnField *field, QnScalar value,
                        const QnMessageJson *options)
{
    const bool is_unsigned = field->kind == QN_KIND_UINT32 || field->kind == QN_KIND_UINT64;
    const bool is_64 = field->kind == QN_KIND_INT64 || field->kind == QN_KIND_UINT64;
    if (is_64 && (!options->int64_as_numbers || field->is_text_in_json)) {
        char text[32];
        if (is_unsigned)
            qn_print_u64(text, value.u);
        else
            qn_print_i64(text, value.i);
        qn_json_put_string(to, text);
    } else if (is_unsigned) {
        qn_json_put_u64(to, value.u);
    } else {
        qn_json_put_i64(to, value.i);
    }
}

static void put_bytes(QnJsonWriter *to, QnBytes bytes)
{
    qn_json_put_raw(to, qn_bytes_of_text("\""));
    qn_base64_print(to->out, bytes);
    qn_text_putc(to->out, '"');
}

static void put_value(QnJsonWriter *to, const QnField *field, const void *slot,
                      const QnMessageJson *options)
{
    if (field->kind == QN_KIND_MESSAGE) {
        qn_message_print_json(to, field->message, slot, options);
        return;
    }
    const QnScalar value = qn_field_load(field, slot);
    const QnEnumValue *known =
        field->kind == QN_KIND_ENUM ? qn_enum_find_number(field->values, value.i) : NULL;
    switch (field->kind) {
    case QN_KIND_BOOL:
        qn_json_put_bool(to, value.u != 0);
        break;
    case QN_KIND_FLOAT:
        qn_json_put_f32(to, (float)value.f);
        break;
    case QN_KIND_DOUBLE:
        qn_json_put_f64(to, value.f);
        break;
    case QN_KIND_STRING:
        qn_json_put_string(to, value.text);
        break;
    case QN_KIND_BYTES:
        put_bytes(to, value.bytes);
        break;
    default:
        if (known)
            qn_json_put_string(to, known->name);
        else
            put_integer(to, field, value, options);
    }
}

static void put_map_key(QnJsonWriter *to, const QnField *key, const void *entry)
{
    const QnScalar value = qn_field_load(key, (const char *)entry + key->offset);
    char text[32];
    if (key->kind == QN_KIND_STRING)
        qn_json_put_key(to, value.text);
    else if (key->kind == QN_KIND_BOOL)
        qn_json_put_key(to, value.u ? "true" : "false");
    else if (key->kind == QN_KIND_UINT32 || key->kind == QN_KIND_UINT64)
        qn_json_put_key(to, (qn_print_u64(text, value.u), text));
    else
        qn_json_put_key(to, (qn_print_i64(text, value.i), text));
}

static void put_map(QnJsonWriter *to, const QnField *field, const void *entries, size_t count,
                    const QnMessageJson *options)
{
    const QnField *key = qn_message_find_number(field->message, 1);
    const QnField *value = qn_message_find_number(field->message, 2);
    qn_json_put_begin(to, '{');
    for (size_t i = 0; i < count; i++) {
        const void *entry = (const char *)entries + i * qn_field_size(field), *slot;
        put_map_key(to, key, entry);
        if (qn_field_values(value, entry, &slot)) {
            put_value(to, value, slot, options);
        } else { /* a message that was never set */
            qn_json_put_begin(to, '{');
            qn_json_put_end(to, '}');
        }
    }
    qn_json_put_end(to, '}');
}

/* Is a field left out?  Members of a oneof and messages are where they are set, others where they
 * are not zero. */
static bool is_left_out(const QnField *field, const void *values, size_t count,
                        const QnMessageJson *options)
{
    if (field->shape != QN_SINGLE)
        return count == 0 && !options->with_zeros;
    if (count == 0 || field->kind == QN_KIND_MESSAGE || field->oneof)
        return count == 0;
    return !options->with_zeros && !field->initial && qn_field_is_zero(field, values);
}

void qn_message_print_json(QnJsonWriter *to, const QnMessage *type, const void *message,
                           const QnMessageJson *options)
{
    qn_json_put_begin(to, '{');
    for (size_t f = 0; f < type->field_count; f++) {
        const QnField *field = &type->fields[f];
        const void *values;
        const size_t count = qn_field_values(field, message, &values);
        if (is_left_out(field, values, count, options))
            continue;
        qn_json_put_key(to, field->name);
        if (field->shape == QN_MAPPED) {
            put_map(to, field, values, count, options);
        } else if (field->shape == QN_REPEATED) {
            qn_json_put_begin(to, '[');
            for (size_t i = 0; i < count; i++)
                put_value(to, field, (const char *)values + i * qn_field_size(field), options);
            qn_json_put_end(to, ']');
        } else {
            put_value(to, field, values, options);
        }
    }
    qn_json_put_end(to, '}');
}
