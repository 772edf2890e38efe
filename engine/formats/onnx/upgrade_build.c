/* SPDX-License-Identifier: Apache-2.0 */
/* What rewrites are made of: new constants, new nodes, changed attributes. */
#include <string.h>

#include "engine/formats/onnx/names.h"
#include "engine/formats/onnx/upgrade.h"
#include "engine/formats/onnx/validate.h"

/* What new things are named after. */
static const char *base_name(const OnnxUpgrade *up)
{
    if (up->origin->name[0])
        return up->origin->name;
    for (int i = 0; i < up->origin->outputs.count; i++)
        if (up->origin->outputs.items[i][0])
            return up->origin->outputs.items[i];
    return up->origin->op;
}

/* --- constants --- */

static QnStatus add_tensor(OnnxUpgrade *up, const char *suffix, int type, int count, int rank,
                           OnnxTensor **out)
{
    QnArena *arena = up->in->scratch;
    OnnxTensor *tensor;
    QN_ALLOC(tensor, arena, 1);
    QN_TRY(onnx_new_name(up->used, base_name(up), suffix, &tensor->name));
    tensor->type = type;
    if (rank == 1) {
        QN_ALLOC(tensor->dims.i64, arena, 1);
        tensor->dims.i64[0] = count;
        tensor->dims.count = tensor->dims.capacity = 1;
    }
    ONNX_ADD(&up->graph->initializers, arena, tensor);
    *out = tensor;
    return QN_OK;
}

/* Room for `count` values of `size` bytes in a typed field. */
static QnStatus make_room(OnnxUpgrade *up, QnProtoList *list, int count, size_t size)
{
    list->data = qn_arena_array(up->in->scratch, (size_t)count, size);
    if (!list->data)
        return QN_NO_MEMORY;
    list->count = list->capacity = (size_t)count;
    return QN_OK;
}

static QnStatus note_tensor(OnnxUpgrade *up, const OnnxTensor *tensor, const char **out)
{
    *out = tensor->name;
    return onnx_hint_put(up->hints, tensor->name, onnx_hint_of_tensor(tensor));
}

QnStatus onnx_make_ints(OnnxUpgrade *up, const char *suffix, const int64_t *values, int count,
                        int rank, const char **out)
{
    OnnxTensor *tensor;
    QN_TRY(add_tensor(up, suffix, QN_INT64, count, rank, &tensor));
    QN_TRY(make_room(up, &tensor->ints64, count, sizeof *values));
    if (count > 0)
        memcpy(tensor->ints64.data, values, (size_t)count * sizeof *values);
    return note_tensor(up, tensor, out);
}

QnStatus onnx_make_floats(OnnxUpgrade *up, const char *suffix, const float *values, int count,
                          int rank, const char **out)
{
    OnnxTensor *tensor;
    QN_TRY(add_tensor(up, suffix, QN_FLOAT, count, rank, &tensor));
    QN_TRY(make_room(up, &tensor->floats, count, sizeof *values));
    if (count > 0)
        memcpy(tensor->floats.data, values, (size_t)count * sizeof *values);
    return note_tensor(up, tensor, out);
}

static QnStatus make_double(OnnxUpgrade *up, const char *suffix, double value, const char **out)
{
    OnnxTensor *tensor;
    QN_TRY(add_tensor(up, suffix, QN_DOUBLE, 1, 0, &tensor));
    QN_TRY(make_room(up, &tensor->doubles, 1, sizeof value));
    tensor->doubles.f64[0] = value;
    return note_tensor(up, tensor, out);
}

/* A cast that folding does away with. */
static QnStatus cast_constant(OnnxUpgrade *up, const char *constant, int type, const char **out)
{
    OnnxNode *node;
    QN_TRY(onnx_make_node(up, "Cast", ONNX_INPUTS(constant), out, &node));
    QN_TRY(onnx_set_int(up, node, "to", type));
    return onnx_emit(up, node);
}

QnStatus onnx_make_scalar(OnnxUpgrade *up, const char *suffix, double value, const char *like,
                          const char **out)
{
    const OnnxHint hint = onnx_hint(up->hints, like);
    const float narrow = (float)value;
    const char *plain;
    if (hint.kind == ONNX_TYPE_TENSOR && hint.element == QN_DOUBLE)
        return make_double(up, suffix, value, out);
    QN_TRY(onnx_make_floats(up, suffix, &narrow, 1, 0, &plain));
    if (hint.kind != ONNX_TYPE_TENSOR || hint.element == 0)
        return onnx_emit_new(up, "CastLike", ONNX_INPUTS(plain, like), out);
    if (hint.element != QN_FLOAT)
        return cast_constant(up, plain, hint.element, out);
    *out = plain;
    return QN_OK;
}

/* --- nodes --- */

QnStatus onnx_make_node(OnnxUpgrade *up, const char *op, const char *const *inputs, int input_count,
                        const char **out, OnnxNode **node)
{
    QnArena *arena = up->in->scratch;
    OnnxNode *made;
    QN_ALLOC(made, arena, 1);
    made->op = op;
    made->domain = made->overload = "";
    made->name = up->origin->name;
    made->origin_op = up->origin->origin_op;
    made->origin_domain = up->origin->origin_domain;
    made->since = up->origin->since;
    made->schema = onnx_schema_find("", op, INT64_MAX);
    for (int i = 0; i < input_count; i++)
        ONNX_ADD(&made->inputs, arena, inputs[i]);
    QN_TRY(onnx_new_name(up->used, base_name(up), op, out));
    ONNX_ADD(&made->outputs, arena, *out);
    *node = made;
    return QN_OK;
}

QnStatus onnx_emit(OnnxUpgrade *up, OnnxNode *node)
{
    ONNX_ADD(&up->made->nodes, up->in->scratch, node);
    return onnx_hints_of_node(up->hints, node);
}

QnStatus onnx_emit_new(OnnxUpgrade *up, const char *op, const char *const *inputs, int input_count,
                       const char **out)
{
    OnnxNode *node;
    QN_TRY(onnx_make_node(up, op, inputs, input_count, out, &node));
    return onnx_emit(up, node);
}

QnStatus onnx_emit_ones(OnnxUpgrade *up, const char *count, const char **out)
{
    static const int64_t one = 1;
    const char *unit;
    QN_TRY(onnx_make_ints(up, "unit", &one, 1, 1, &unit));
    return onnx_emit_new(up, "Expand", ONNX_INPUTS(unit, count), out);
}

QnStatus onnx_take_output(OnnxUpgrade *up, OnnxNode *node, OnnxNode *last, const char **fresh)
{
    QN_TRY(onnx_new_name(up->used, base_name(up), "inner", fresh));
    last->outputs.items[0] = node->outputs.items[0];
    node->outputs.items[0] = *fresh;
    return QN_OK;
}

/* --- changing a node --- */

QnStatus onnx_set_input(OnnxUpgrade *up, OnnxNode *node, int i, const char *name)
{
    while (node->inputs.count <= i)
        ONNX_ADD(&node->inputs, up->in->scratch, "");
    node->inputs.items[i] = name;
    return QN_OK;
}

/* The attribute of that name, emptied, made where there was none. */
static QnStatus renew(OnnxUpgrade *up, OnnxNode *node, const char *name, int kind,
                      OnnxAttribute **out)
{
    *out = onnx_attribute(node, name);
    if (!*out) {
        ONNX_ADD(&node->attributes, up->in->scratch, (OnnxAttribute){0});
        *out = &node->attributes.items[node->attributes.count - 1];
    }
    **out = (OnnxAttribute){.name = name, .ref = "", .kind = kind, .filled = 1u << kind};
    return QN_OK;
}

QnStatus onnx_set_int(OnnxUpgrade *up, OnnxNode *node, const char *name, int64_t value)
{
    OnnxAttribute *attribute;
    QN_TRY(renew(up, node, name, ONNX_INT, &attribute));
    attribute->i = value;
    return QN_OK;
}

QnStatus onnx_set_float(OnnxUpgrade *up, OnnxNode *node, const char *name, float value)
{
    OnnxAttribute *attribute;
    QN_TRY(renew(up, node, name, ONNX_FLOAT, &attribute));
    attribute->f = value;
    return QN_OK;
}

QnStatus onnx_set_text(OnnxUpgrade *up, OnnxNode *node, const char *name, const char *value)
{
    OnnxAttribute *attribute;
    QN_TRY(renew(up, node, name, ONNX_STRING, &attribute));
    attribute->s = qn_bytes_of_text(value);
    return QN_OK;
}

QnStatus onnx_set_ints(OnnxUpgrade *up, OnnxNode *node, const char *name, const int64_t *values,
                       int count)
{
    OnnxAttribute *attribute;
    int64_t *copy;
    QN_ALLOC(copy, up->in->scratch, count);
    if (count > 0)
        memcpy(copy, values, (size_t)count * sizeof *copy);
    QN_TRY(renew(up, node, name, ONNX_INTS, &attribute));
    attribute->ints.i64 = copy;
    attribute->ints.count = attribute->ints.capacity = (size_t)count;
    return QN_OK;
}

void onnx_unset(OnnxNode *node, const char *name)
{
    int kept = 0;
    for (int i = 0; i < node->attributes.count; i++)
        if (strcmp(node->attributes.items[i].name, name) != 0)
            node->attributes.items[kept++] = node->attributes.items[i];
    node->attributes.count = kept;
}

/* --- asking a node --- */

int64_t onnx_get_int(OnnxNode *node, const char *name, int64_t otherwise)
{
    const OnnxAttribute *attribute = onnx_attribute(node, name);
    return attribute && attribute->kind == ONNX_INT ? attribute->i : otherwise;
}

float onnx_get_float(OnnxNode *node, const char *name, float otherwise)
{
    const OnnxAttribute *attribute = onnx_attribute(node, name);
    return attribute && attribute->kind == ONNX_FLOAT ? attribute->f : otherwise;
}

bool onnx_text_is(OnnxNode *node, const char *name, const char *otherwise, const char *wanted)
{
    const OnnxAttribute *attribute = onnx_attribute(node, name);
    if (!attribute || attribute->kind != ONNX_STRING)
        return !strcmp(otherwise, wanted);
    return qn_bytes_is(attribute->s, wanted);
}

const OnnxAttribute *onnx_get_ints(OnnxNode *node, const char *name)
{
    const OnnxAttribute *attribute = onnx_attribute(node, name);
    return attribute && attribute->kind == ONNX_INTS ? attribute : NULL;
}

QnStatus onnx_ints_to_input(OnnxUpgrade *up, OnnxNode *node, const char *name, int i)
{
    const OnnxAttribute *ints = onnx_get_ints(node, name);
    const char *constant;
    if (!ints)
        return QN_OK;
    QN_TRY(onnx_make_ints(up, name, ints->ints.i64, (int)ints->ints.count, 1, &constant));
    onnx_unset(node, name);
    return onnx_set_input(up, node, i, constant);
}

void onnx_refuse(OnnxUpgrade *up, const OnnxNode *node, const char *rule, const char *found,
                 const char *expected)
{
    onnx_add_finding(up->in, (QnFinding){.severity = QN_SEVERE,
                                         .rule = rule,
                                         .node = onnx_node_label(up->in->scratch, node),
                                         .found = found,
                                         .expected = expected});
}
