/* SPDX-License-Identifier: Apache-2.0 */
/* ai.onnx.ml: labels to labels.  LabelEncoder maps by a list of keys and one of values,
 * CategoryMapper between strings and integers. */
#include "engine/ops/lookup.h"

/* ---- what both need ---- */

/* A mapping as a node's attributes say it. */
typedef struct Mapping {
    QnTensor keys, values, otherwise; /* otherwise: one element of the values' type */
    QnString text;    /* room for an `otherwise` that is no tensor attribute: a string, */
    uint64_t room[2]; /* or a number */
    QnLookup lookup;  /* of the keys; made by `prepare` */
} Mapping;

/* Are keys of these types comparable with elements of those? */
static bool is_comparable(QnType a, QnType b)
{
    if (a == QN_STRING || b == QN_STRING)
        return a == b;
    return qn_type_is_float(a) == qn_type_is_float(b);
}

static QnStatus infer_mapping(QnInfer *in, const Mapping *mapping)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType from = qn_infer_element(in, 0), to = mapping->values.type;
    if (qn_tensor_count(&mapping->keys) != qn_tensor_count(&mapping->values))
        return qn_infer_fail(in, "has %lld keys and %lld values",
                             (long long)qn_tensor_count(&mapping->keys),
                             (long long)qn_tensor_count(&mapping->values));
    if (from && !is_comparable(from, mapping->keys.type))
        return qn_infer_fail(in, "input 0 has type %s, the keys %s", qn_type_name(from),
                             qn_type_name(mapping->keys.type));
    if (mapping->otherwise.type != to || qn_tensor_count(&mapping->otherwise) != 1)
        return qn_infer_fail(in, "the default has type %s, the values %s",
                             qn_type_name(mapping->otherwise.type), qn_type_name(to));
    return x ? qn_infer_tensor(in, 0, to, x) : qn_infer_unknown(in, 0, to, -1);
}

/* Elements begin <= i < end. */
static QnStatus map_elements(const QnCall *call, const void *work, void *room, int64_t begin,
                             int64_t end)
{
    const Mapping *mapping = work;
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const size_t size = qn_type_size(y->type);
    (void)room;
    for (int64_t i = begin; i < end; i++) {
        const int64_t at = qn_lookup_find(&mapping->lookup, qn_key_of(x, i));
        const uint8_t *from = at < 0 ? mapping->otherwise.data
                                     : (const uint8_t *)mapping->values.data + (size_t)at * size;
        memcpy((uint8_t *)y->data + (size_t)i * size, from, size);
    }
    return QN_OK;
}

/* The reference of both; `prepare` is the operator's own. */
static QnStatus map_all(const QnCall *call)
{
    const void *mapping = call->prepared;
    if (!mapping)
        QN_TRY(call->node->def->prepare(&mapping, call->node, call->scratch, call->err));
    return qn_call_for(call, qn_tensor_count(qn_call_input(call, 0)), 20, 0, map_elements, mapping);
}

/* ---- LabelEncoder ---- */

/* The value of keys that are not in the list: a tensor, or an attribute of the values' kind. */
static void set_otherwise(const QnNode *node, Mapping *mapping)
{
    const QnType type = mapping->values.type;
    QnTensor *otherwise = &mapping->otherwise;
    if (qn_list_find(node, "default_tensor", otherwise))
        return;
    mapping->text = qn_op_string(node, "default_string");
    *otherwise = qn_tensor(type, 0, NULL, &mapping->text);
    if (type == QN_STRING)
        return;
    otherwise->data = mapping->room;
    if (qn_type_is_float(type))
        qn_tensor_set(otherwise, 0, qn_op_float(node, "default_float"));
    else
        qn_tensor_set_int(otherwise, 0, qn_op_int(node, "default_int64"));
}

static QnStatus read_labels(const QnNode *node, Mapping *mapping, QnError *err)
{
    static const char *const keys[] = {"keys_tensor", "keys_strings", "keys_int64s", "keys_floats",
                                       NULL};
    static const char *const values[] = {"values_tensor", "values_strings", "values_int64s",
                                         "values_floats", NULL};
    if (qn_list_pick(node, keys, &mapping->keys) < 0 ||
        qn_list_pick(node, values, &mapping->values) < 0)
        return qn_fail(err, QN_BAD_MODEL, "has no keys, or no values");
    set_otherwise(node, mapping);
    return QN_OK;
}

static QnStatus infer_label_encoder(QnInfer *in)
{
    Mapping mapping;
    QN_TRY(read_labels(in->node, &mapping, in->err));
    return infer_mapping(in, &mapping);
}

static QnStatus prepare_labels(const void **out, const QnNode *node, QnArena *arena, QnError *err)
{
    Mapping *mapping;
    QN_ALLOC(mapping, arena, 1);
    QN_TRY(read_labels(node, mapping, err));
    *out = mapping;
    return qn_lookup_init(&mapping->lookup, &mapping->keys, arena);
}

/* ---- CategoryMapper ---- */

/* From the strings to the integers, or back, as the input's type wants. */
static QnStatus read_categories(const QnNode *node, bool is_text, Mapping *mapping, QnError *err)
{
    QnTensor strings, integers;
    if (!qn_list_find(node, "cats_strings", &strings) ||
        !qn_list_find(node, "cats_int64s", &integers))
        return qn_fail(err, QN_BAD_MODEL, "has no cats_strings, or no cats_int64s");
    mapping->keys = is_text ? strings : integers;
    mapping->values = is_text ? integers : strings;
    set_otherwise(node, mapping);
    return QN_OK;
}

static QnStatus infer_category_mapper(QnInfer *in)
{
    Mapping mapping;
    if (!qn_infer_element(in, 0))
        return QN_OK;
    QN_TRY(read_categories(in->node, qn_infer_element(in, 0) == QN_STRING, &mapping, in->err));
    return infer_mapping(in, &mapping);
}

static QnStatus prepare_categories(const void **out, const QnNode *node, QnArena *arena,
                                   QnError *err)
{
    Mapping *mapping;
    QN_ALLOC(mapping, arena, 1);
    QN_TRY(read_categories(node, node->inputs[0].value->type.element == QN_STRING, mapping, err));
    *out = mapping;
    return qn_lookup_init(&mapping->lookup, &mapping->keys, arena);
}

static const QnOpAttribute category_attributes[] = {
    {"cats_int64s", QN_ATTRIBUTE_INTS},
    {"cats_strings", QN_ATTRIBUTE_STRINGS},
    {"default_int64", QN_ATTRIBUTE_INT, .i = -1},
    {"default_string", QN_ATTRIBUTE_STRING, .s = "_Unused"},
    {0}};
static const QnOpAttribute label_attributes[] = {
    {"default_float", QN_ATTRIBUTE_FLOAT, .f = -0.0},
    {"default_int64", QN_ATTRIBUTE_INT, .i = -1},
    {"default_string", QN_ATTRIBUTE_STRING, .s = "_Unused"},
    {"default_tensor", QN_ATTRIBUTE_TENSOR},
    {"keys_floats", QN_ATTRIBUTE_FLOATS},
    {"keys_int64s", QN_ATTRIBUTE_INTS},
    {"keys_strings", QN_ATTRIBUTE_STRINGS},
    {"keys_tensor", QN_ATTRIBUTE_TENSOR},
    {"values_floats", QN_ATTRIBUTE_FLOATS},
    {"values_int64s", QN_ATTRIBUTE_INTS},
    {"values_strings", QN_ATTRIBUTE_STRINGS},
    {"values_tensor", QN_ATTRIBUTE_TENSOR},
    {0}};

const QnOp qn_ops_label[] = {
    {.name = "CategoryMapper",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X: any",
     .outputs = "Y: any",
     .attributes = category_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_category_mapper,
     .reference = map_all,
     .prepare = prepare_categories},
    {.name = "LabelEncoder",
     .domain = "ai.onnx.ml",
     .since = 4,
     .inputs = "X: any",
     .outputs = "Y: any",
     .attributes = label_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_label_encoder,
     .reference = map_all,
     .prepare = prepare_labels},
    {0},
};
