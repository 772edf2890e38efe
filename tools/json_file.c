/* SPDX-License-Identifier: Apache-2.0 */
/* Values as JSON, and JSON files: json_file.h. */
#include "tools/json_file.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

/* ---- reading ---- */

/* A tensor while it is read: elements of one type, in row-major order. */
typedef struct Reading {
    QnJson in;
    QnType type;
    int rank;                  /* -1: no leaf was met yet */
    int64_t dims[QN_MAX_RANK]; /* -1: not known yet */
    uint8_t *data;
    int64_t count, capacity;
    QnValueStore *store;
    QnArena *arena; /* for strings with escapes */
} Reading;

static bool grow(Reading *reading)
{
    const size_t unit = qn_type_size(reading->type);
    if (reading->count < reading->capacity)
        return true;
    const int64_t room = reading->capacity ? 2 * reading->capacity : 64;
    uint8_t *data = qn_value_store_alloc(reading->store, (size_t)room * unit);
    if (!data) {
        qn_json_fail(&reading->in, QN_NO_MEMORY, "out of memory");
        return false;
    }
    if (reading->count)
        memcpy(data, reading->data, (size_t)reading->count * unit);
    reading->data = data;
    reading->capacity = room;
    return true;
}

static void read_text(Reading *reading, QnTensor *element)
{
    const QnBytes text = qn_json_text(&reading->in, reading->arena);
    char *copy = qn_value_store_alloc(reading->store, text.size + 1);
    if (!copy) {
        qn_json_fail(&reading->in, QN_NO_MEMORY, "out of memory");
        return;
    }
    if (text.size)
        memcpy(copy, text.data, text.size);
    *(QnString *)element->data = (QnString){copy, text.size};
}

static void read_leaf(Reading *reading, int depth)
{
    if (reading->rank >= 0 && reading->rank != depth) {
        qn_json_fail(&reading->in, QN_BAD_TENSOR, "lists are nested to different depths");
        return;
    }
    reading->rank = depth;
    if (!grow(reading))
        return;
    QnTensor element =
        qn_tensor(reading->type, 0, NULL,
                  reading->data + (size_t)reading->count++ * qn_type_size(reading->type));
    const int64_t i64 = reading->type == QN_INT64 ? qn_json_i64(&reading->in) : 0;
    const uint64_t u64 = reading->type == QN_UINT64 ? qn_json_u64(&reading->in) : 0;
    if (reading->type == QN_INT64)
        memcpy(element.data, &i64, sizeof i64);
    else if (reading->type == QN_UINT64)
        memcpy(element.data, &u64, sizeof u64);
    else if (reading->type == QN_STRING)
        read_text(reading, &element);
    else if (qn_json_kind(&reading->in) == QN_JSON_BOOL)
        qn_tensor_set_element(&element, 0, qn_json_bool(&reading->in));
    else
        qn_tensor_set_element(&element, 0, qn_json_f64(&reading->in));
}

/* Lists inside lists; at most QN_MAX_RANK deep. */
static void read_level(Reading *reading, int depth)
{
    QnJson *in = &reading->in;
    if (qn_json_kind(in) != QN_JSON_ARRAY) {
        read_leaf(reading, depth);
        return;
    }
    if (depth == QN_MAX_RANK) {
        qn_json_fail(in, QN_BAD_TENSOR, "lists are nested too deep for a tensor");
        return;
    }
    int64_t length = 0;
    for (qn_json_begin_array(in); qn_json_next_element(in); length++)
        read_level(reading, depth + 1);
    if (reading->dims[depth] >= 0 && reading->dims[depth] != length)
        qn_json_fail(in, QN_BAD_TENSOR, "lists side by side have different lengths");
    reading->dims[depth] = length;
    if (length == 0 && reading->rank < depth + 1)
        reading->rank = depth + 1; /* empty: nothing deeper can tell */
}

static QnStatus read_tensor(QnTensor *out, QnBytes bytes, QnType type, const char *name,
                            QnValueStore *store, QnError *err)
{
    QnArena arena = {0};
    Reading reading = {
        .in = qn_json(bytes), .type = type, .rank = -1, .store = store, .arena = &arena};
    reading.in.allow_nan = true;
    reading.in.malformed = QN_BAD_TENSOR;
    for (int d = 0; d < QN_MAX_RANK; d++)
        reading.dims[d] = -1;
    if (type == QN_COMPLEX64 || type == QN_COMPLEX128 || qn_type_size(type) == 0)
        return qn_fail(err, QN_UNSUPPORTED, "%s: JSON cannot hold elements of type %s", name,
                       qn_type_name(type));
    read_level(&reading, 0);
    const QnStatus status = qn_json_finish(&reading.in, name, err);
    qn_arena_finish(&arena);
    if (status == QN_OK)
        *out = qn_tensor(type, reading.rank, reading.dims, reading.data);
    return status;
}

/* The elements of a sequence, each a tensor. */
static QnStatus read_sequence(QnValue *out, QnBytes bytes, QnType type, const char *name,
                              QnValueStore *store, QnError *err)
{
    QnJson in = qn_json(bytes);
    in.allow_nan = true;
    in.malformed = QN_BAD_TENSOR;
    int64_t count = 0;
    for (qn_json_begin_array(&in); qn_json_next_element(&in); count++)
        qn_json_skip(&in);
    QN_TRY(qn_json_finish(&in, name, err));
    *out = (QnValue){.kind = QN_SEQUENCE, .type = type, .count = count};
    out->items = qn_value_store_alloc(store, (size_t)(count ? count : 1) * sizeof *out->items);
    if (!out->items)
        return qn_no_memory(err);
    in = qn_json(bytes);
    in.allow_nan = true;
    qn_json_begin_array(&in);
    for (int64_t i = 0; qn_json_next_element(&in); i++) {
        QnTensor item;
        QN_TRY(read_tensor(&item, qn_json_skip(&in), type, name, store, err));
        out->items[i] = qn_value_tensor(item);
    }
    return QN_OK;
}

QnStatus json_read_value(QnValue *out, QnBytes bytes, const QnValueInfo *info, const char *name,
                         QnValueStore *store, QnError *err)
{
    QnTensor tensor;
    QnJson in = qn_json(bytes);
    switch (info->kind) {
    case QN_TENSOR:
        QN_TRY(read_tensor(&tensor, bytes, info->type, name, store, err));
        *out = qn_value_tensor(tensor);
        return QN_OK;
    case QN_SEQUENCE:
        return read_sequence(out, bytes, info->type, name, store, err);
    case QN_OPTIONAL:
        *out = (QnValue){.kind = QN_OPTIONAL, .type = info->type};
        if (qn_json_null(&in))
            return qn_json_finish(&in, name, err);
        QN_TRY(read_tensor(&tensor, bytes, info->type, name, store, err));
        out->count = 1;
        out->items = qn_value_store_alloc(store, sizeof *out->items);
        if (!out->items)
            return qn_no_memory(err);
        out->items[0] = qn_value_tensor(tensor);
        return QN_OK;
    default:
        return qn_fail(err, QN_UNSUPPORTED, "%s: input '%s' is of type %s, which JSON cannot give",
                       name, info->name, info->type_text);
    }
}

/* ---- writing ---- */

static void put_element(QnJsonWriter *to, const QnTensor *tensor, int64_t i)
{
    const void *at = qn_tensor_address(tensor, i);
    int64_t i64;
    uint64_t u64;
    QnString s;
    switch (tensor->type) {
    case QN_STRING:
        memcpy(&s, at, sizeof s);
        qn_json_put_text(to, qn_bytes(s.data, s.size));
        break;
    case QN_BOOL:
        qn_json_put_bool(to, *(const uint8_t *)at != 0);
        break;
    case QN_INT64:
        memcpy(&i64, at, sizeof i64);
        qn_json_put_i64(to, i64);
        break;
    case QN_UINT64:
        memcpy(&u64, at, sizeof u64);
        qn_json_put_u64(to, u64);
        break;
    case QN_DOUBLE:
        qn_json_put_f64(to, qn_tensor_element(tensor, i));
        break;
    default: /* what float holds exactly, and integers of up to 32 bits */
        if (tensor->type == QN_INT32 || tensor->type == QN_UINT32)
            qn_json_put_i64(to, (int64_t)qn_tensor_element(tensor, i));
        else
            qn_json_put_f32(to, (float)qn_tensor_element(tensor, i));
    }
}

/* Nested lists from dimension `depth` on; returns the element behind the last one written. */
static int64_t put_level(QnJsonWriter *to, const QnTensor *tensor, int depth, int64_t i)
{
    if (depth == tensor->rank) {
        put_element(to, tensor, i);
        return i + 1;
    }
    qn_json_put_begin(to, '[');
    for (int64_t k = 0; k < tensor->dims[depth]; k++)
        i = put_level(to, tensor, depth + 1, i);
    qn_json_put_end(to, ']');
    return i;
}

/* A map's key as a member's name: JSON has only text for them. */
static void put_key(QnJsonWriter *to, const QnTensor *keys, int64_t i)
{
    if (keys->type == QN_STRING) {
        QnString s;
        memcpy(&s, qn_tensor_address(keys, i), sizeof s);
        char *copy = malloc(s.size + 1);
        if (copy) {
            if (s.size)
                memcpy(copy, s.data, s.size);
            copy[s.size] = '\0';
            qn_json_put_key(to, copy);
        } else {
            to->out->failed = true;
        }
        free(copy);
        return;
    }
    char number[32];
    int64_t key = 0;
    if (qn_type_size(keys->type) == sizeof key)
        memcpy(&key, qn_tensor_address(keys, i), sizeof key);
    else
        key = (int64_t)qn_tensor_element(keys, i);
    qn_print_i64(number, key);
    qn_json_put_key(to, number);
}

static void put_map(QnJsonWriter *to, const QnValue *map)
{
    const QnTensor *keys = &map->items[0].tensor;
    const QnValue *values = &map->items[1];
    qn_json_put_begin(to, '{');
    for (int64_t i = 0; i < qn_tensor_count(keys); i++) {
        put_key(to, keys, i);
        if (values->kind == QN_TENSOR)
            put_element(to, &values->tensor, i);
        else
            json_put_value(to, &values->items[i]);
    }
    qn_json_put_end(to, '}');
}

void json_put_value(QnJsonWriter *to, const QnValue *value)
{
    switch (value->kind) {
    case QN_TENSOR:
        put_level(to, &value->tensor, 0, 0);
        break;
    case QN_SEQUENCE:
        qn_json_put_begin(to, '[');
        for (int64_t i = 0; i < value->count; i++)
            json_put_value(to, &value->items[i]);
        qn_json_put_end(to, ']');
        break;
    case QN_OPTIONAL:
        if (value->count)
            json_put_value(to, &value->items[0]);
        else
            qn_json_put_null(to);
        break;
    case QN_MAP:
        put_map(to, value);
        break;
    default:
        qn_json_put_null(to);
    }
}

void json_put_text(QnJsonWriter *to, const char *key, const char *value)
{
    qn_json_put_key(to, key);
    qn_json_put_string(to, value);
}

void json_put_count(QnJsonWriter *to, const char *key, uint64_t value)
{
    qn_json_put_key(to, key);
    qn_json_put_u64(to, value);
}

void json_put_int(QnJsonWriter *to, const char *key, int64_t value)
{
    qn_json_put_key(to, key);
    qn_json_put_i64(to, value);
}

void json_put_real(QnJsonWriter *to, const char *key, double value)
{
    qn_json_put_key(to, key);
    qn_json_put_f64(to, value);
}

void json_put_flag(QnJsonWriter *to, const char *key, bool value)
{
    qn_json_put_key(to, key);
    qn_json_put_bool(to, value);
}

QnStatus json_save(const QnText *text, const char *path, QnError *err)
{
    if (text->failed)
        return qn_no_memory(err);
    if (strcmp(path, "-") == 0) {
        printf("%s\n", qn_text_string(text));
        return QN_OK;
    }
    QnFileWriter writer;
    QN_TRY(qn_file_writer_begin(&writer, path, 0644, err));
    QnStatus status = qn_file_writer_put(&writer, qn_bytes(text->data, text->size), err);
    if (status == QN_OK)
        status = qn_file_writer_put(&writer, qn_bytes("\n", 1), err);
    if (status != QN_OK) {
        qn_file_writer_abandon(&writer);
        return status;
    }
    return qn_file_writer_commit(&writer, err);
}
