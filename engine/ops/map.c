/* SPDX-License-Identifier: Apache-2.0 */
/* ai.onnx.ml: maps from labels to values.  ZipMap makes one for each row of scores; CastMap and
 * DictVectorizer turn one into a row. */
#include <math.h>
#include <stdio.h>

#include "base/text.h"
#include "engine/ops/collection.h"
#include "engine/ops/lookup.h"

/* ---- ZipMap ---- */

static const char *const class_labels[] = {"classlabels_strings", "classlabels_int64s", NULL};

static QnStatus infer_zip(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    QnTensor labels;
    QnIrType *value;
    if (qn_list_pick(in->node, class_labels, &labels) < 0)
        return qn_infer_fail(in, "has neither classlabels_strings nor classlabels_int64s");
    if (x && (x->rank < 1 || x->rank > 2))
        return qn_infer_fail(in, "input 0 has rank %d, expected 1 or 2", x->rank);
    if (x && qn_dim_is_known(x->dims[x->rank - 1]) &&
        x->dims[x->rank - 1] != qn_tensor_count(&labels))
        return qn_infer_fail(in, "input 0 has %lld columns, expected %lld, one for each label",
                             (long long)x->dims[x->rank - 1], (long long)qn_tensor_count(&labels));
    QN_ALLOC(value, in->arena, 1);
    *value = (QnIrType){.kind = QN_TENSOR, .element = qn_infer_element(in, 0)};
    const QnIrType map = {.kind = QN_MAP, .element = labels.type, .item = value};
    return qn_collection_infer(in, 0, QN_SEQUENCE, &map);
}

/* All maps share their keys, and one copy of the scores. */
static QnStatus zip(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor labels = {0}, row;
    QnValue *maps, keys, scores;
    if (qn_list_pick(call->node, class_labels, &labels) < 0 || x->rank < 1)
        return qn_call_fail(call, "has no labels");
    const int64_t columns = x->dims[x->rank - 1], rows = x->rank == 2 ? x->dims[0] : 1;
    const QnValue given[] = {qn_value_tensor(labels), qn_value_tensor(*x)};
    QN_TRY(qn_collection_keep(call, &given[0], &keys));
    QN_TRY(qn_collection_keep(call, &given[1], &scores));
    QN_TRY(qn_collection_make(call, 0, QN_SEQUENCE, x->type, rows, &maps));
    for (int64_t i = 0; i < rows; i++) {
        uint8_t *data =
            (uint8_t *)scores.tensor.data + (size_t)(i * columns) * qn_type_size(x->type);
        row = qn_tensor(x->type, 1, &columns, data);
        QnValue *pair = qn_arena_array(call->arena, 2, sizeof *pair);
        if (!pair)
            return qn_fail(call->err, QN_NO_MEMORY, "no memory for %lld maps", (long long)rows);
        pair[0] = keys;
        pair[1] = qn_value_tensor(row);
        maps[i] = (QnValue){.kind = QN_MAP, .type = x->type, .count = 2, .items = pair};
    }
    return qn_call_poll(call);
}

/* ---- reading maps ---- */

/* Fails unless input 0 is a map with 1-D keys and as many values, each a number or string. */
static QnStatus want_map(const QnCall *call, int64_t *count)
{
    const QnValue *map = &call->inputs[0];
    bool is_map = map->kind == QN_MAP && map->count == 2 && map->items[0].kind == QN_TENSOR &&
                  map->items[0].tensor.rank == 1 && qn_tensor_is_contiguous(&map->items[0].tensor);
    *count = is_map ? map->items[0].tensor.dims[0] : 0;
    const QnValue *values = is_map ? &map->items[1] : NULL;
    if (is_map && values->kind == QN_TENSOR) {
        is_map =
            qn_tensor_count(&values->tensor) == *count && qn_tensor_is_contiguous(&values->tensor);
    } else if (is_map) {
        is_map = values->kind == QN_SEQUENCE && values->count == *count;
        for (int64_t i = 0; is_map && i < *count; i++)
            is_map = values->items[i].kind == QN_TENSOR &&
                     qn_tensor_count(&values->items[i].tensor) == 1;
    }
    return is_map ? QN_OK : qn_call_fail(call, "input 0 is no map of single values");
}

/* The tensor that holds value i of a map, and where in it. */
static const QnTensor *value_of(const QnValue *map, int64_t i, int64_t *at)
{
    const QnValue *values = &map->items[1];
    *at = values->kind == QN_TENSOR ? i : 0;
    return values->kind == QN_TENSOR ? &values->tensor : &values->items[i].tensor;
}

/* The type of a map's values, where it is known. */
static QnType value_type(const QnInfer *in)
{
    const QnIrType *type = qn_infer_type(in, 0);
    while (type && type->kind != QN_TENSOR)
        type = type->item;
    return type ? type->element : QN_UNDEFINED;
}

/* ---- DictVectorizer ---- */

static const char *const vocabularies[] = {"string_vocabulary", "int64_vocabulary", NULL};

static QnStatus infer_vectorizer(QnInfer *in)
{
    QnTensor words;
    if (qn_list_pick(in->node, vocabularies, &words) < 0)
        return qn_infer_fail(in, "has neither string_vocabulary nor int64_vocabulary");
    const QnShape y = {.rank = 2, .dims = {1, qn_tensor_count(&words)}};
    return value_type(in) ? qn_infer_tensor(in, 0, value_type(in), &y) : QN_OK;
}

static QnStatus vectorizer(const QnCall *call)
{
    const QnValue *map = &call->inputs[0];
    QnTensor words = {0}, *y;
    QnLookup lookup;
    int64_t count, at;
    QN_TRY(want_map(call, &count));
    qn_list_pick(call->node, vocabularies, &words);
    const QnType type = count ? value_of(map, 0, &at)->type : map->type;
    const size_t element = qn_type_size(type);
    QN_TRY(qn_call_output(call, 0, type, 2, (const int64_t[]){1, qn_tensor_count(&words)}, &y));
    memset(y->data, 0, (size_t)qn_tensor_count(y) * element);
    QN_TRY(qn_lookup_init(&lookup, &words, call->scratch));
    for (int64_t i = 0; i < count; i++) {
        const QnTensor *value = value_of(map, i, &at);
        const int64_t place = qn_lookup_find(&lookup, qn_key_of(&map->items[0].tensor, i));
        if (value->type != type)
            return qn_call_fail(call, "the map's values have several types");
        if (place >= 0)
            memcpy((uint8_t *)y->data + (size_t)place * element,
                   (const uint8_t *)value->data + (size_t)at * element, element);
    }
    return qn_call_poll(call);
}

/* ---- CastMap ---- */

/* The element type that cast_to names, QN_UNDEFINED: none. */
static QnType cast_type(const QnNode *node)
{
    static const struct {
        const char *name;
        QnType type;
    } rows[] = {{"TO_FLOAT", QN_FLOAT}, {"TO_STRING", QN_STRING}, {"TO_INT64", QN_INT64}};
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        if (qn_op_string_is(node, "cast_to", rows[i].name))
            return rows[i].type;
    return QN_UNDEFINED;
}

static QnStatus infer_cast(QnInfer *in)
{
    const bool is_sparse = qn_op_string_is(in->node, "map_form", "SPARSE");
    const int64_t most = qn_op_int(in->node, "max_map");
    if (!cast_type(in->node))
        return qn_infer_fail(in, "cast_to is none of TO_FLOAT, TO_STRING and TO_INT64");
    if (!is_sparse && !qn_op_string_is(in->node, "map_form", "DENSE"))
        return qn_infer_fail(in, "map_form is neither DENSE nor SPARSE");
    if (is_sparse && most < 1)
        return qn_infer_fail(in, "max_map is %lld, expected 1 at least", (long long)most);
    const QnShape y = {.rank = 2, .dims = {1, is_sparse ? most : qn_infer_fresh(in)}};
    return qn_infer_tensor(in, 0, cast_type(in->node), &y);
}

/* A number with six decimals, as ONNX Runtime writes it, whatever the locale. */
static int print_fixed(char *to, size_t size, double value)
{
    if (!isfinite(value) || fabs(value) >= 1 << 24) /* floats of that size are integers */
        return snprintf(to, size, isfinite(value) ? "%.0f.000000" : "%.0f", value);
    const long long millionths = llrint(fabs(value) * 1e6);
    return snprintf(to, size, "%s%lld.%06lld", signbit(value) ? "-" : "", millionths / 1000000,
                    millionths % 1000000);
}

/* Value i of a map as element `place` of y. */
static QnStatus put_value(const QnCall *call, const QnTensor *from, int64_t at, QnTensor *y,
                          int64_t place)
{
    QnString *to = (QnString *)y->data + place;
    if (from->type != QN_STRING && y->type != QN_STRING) {
        qn_tensor_set(y, place, qn_tensor_get(from, at));
        return QN_OK;
    }
    if (from->type == QN_STRING && y->type == QN_STRING) {
        *to = ((const QnString *)from->data)[at];
        return QN_OK;
    }
    if (from->type == QN_STRING) {
        const QnString text = ((const QnString *)from->data)[at];
        double number;
        if (!qn_parse_f64(&number, text.data, text.size))
            return qn_call_fail(call, "value '%.*s' is no number",
                                text.size < 64 ? (int)text.size : 64, text.data);
        qn_tensor_set(y, place, number);
        return QN_OK;
    }
    char text[336]; /* the largest double has 309 digits before the point */
    const int size = qn_type_is_float(from->type)
                         ? print_fixed(text, sizeof text, qn_tensor_get(from, at))
                         : qn_print_i64(text, qn_tensor_get_int(from, at));
    to->data = qn_arena_copy_text(call->arena, text, (size_t)size);
    to->size = (size_t)size;
    return to->data ? QN_OK : QN_NO_MEMORY;
}

/* The values' order: rank by key, found by counting the smaller ones. */
static int64_t rank_of(const QnTensor *keys, int64_t i)
{
    const int64_t key = qn_tensor_get_int(keys, i);
    int64_t rank = 0;
    for (int64_t k = 0; k < keys->dims[0]; k++) {
        const int64_t other = qn_tensor_get_int(keys, k);
        rank += other < key || (other == key && k < i);
    }
    return rank;
}

static QnStatus cast(const QnCall *call)
{
    const QnValue *map = &call->inputs[0];
    const bool is_sparse = qn_op_string_is(call->node, "map_form", "SPARSE");
    const QnType type = cast_type(call->node);
    int64_t count, at;
    QnTensor *y;
    QN_TRY(want_map(call, &count));
    const QnTensor *keys = &map->items[0].tensor;
    const int64_t length = is_sparse ? qn_op_int(call->node, "max_map") : count;
    if (keys->type == QN_STRING)
        return qn_call_fail(call, "the map's keys are strings, expected integers");
    QN_TRY(qn_call_output(call, 0, type, 2, (const int64_t[]){1, length}, &y));
    memset(y->data, 0, (size_t)length * qn_type_size(type));
    for (int64_t i = 0; i < count; i++) {
        const int64_t place = is_sparse ? qn_tensor_get_int(keys, i) : rank_of(keys, i);
        const QnTensor *value = value_of(map, i, &at);
        if (place < 0 || place >= length)
            return qn_call_fail(call, "key %lld is outside of 0 to %lld", (long long)place,
                                (long long)length - 1);
        QN_TRY(put_value(call, value, at, y, place));
        QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

static const QnOpAttribute zip_attributes[] = {
    {"classlabels_int64s", QN_ATTRIBUTE_INTS}, {"classlabels_strings", QN_ATTRIBUTE_STRINGS}, {0}};
static const QnOpAttribute vectorizer_attributes[] = {
    {"int64_vocabulary", QN_ATTRIBUTE_INTS}, {"string_vocabulary", QN_ATTRIBUTE_STRINGS}, {0}};
static const QnOpAttribute cast_attributes[] = {{"cast_to", QN_ATTRIBUTE_STRING, .s = "TO_FLOAT"},
                                                {"map_form", QN_ATTRIBUTE_STRING, .s = "DENSE"},
                                                {"max_map", QN_ATTRIBUTE_INT, .i = 1},
                                                {0}};

const QnOp qn_ops_map[] = {
    {.name = "CastMap",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X: map",
     .outputs = "Y: any",
     .attributes = cast_attributes,
     .traits = QN_OP_COLLECTIONS,
     .infer = infer_cast,
     .reference = cast},
    {.name = "DictVectorizer",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X: map",
     .outputs = "Y: any",
     .attributes = vectorizer_attributes,
     .traits = QN_OP_COLLECTIONS,
     .infer = infer_vectorizer,
     .reference = vectorizer},
    {.name = "ZipMap",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X: any",
     .outputs = "Z: sequence",
     .attributes = zip_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_zip,
     .reference = zip},
    {0},
};
