/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences of tensors: making, changing, reading, and to and from one tensor. */
#include <assert.h>

#include "base/checked.h"
#include "engine/ops/collection.h"

/* ---- types ---- */

/* The item type of sequence input 0; fails where it is known to be no sequence. */
static QnStatus item_of(const QnInfer *in, const QnIrType **item)
{
    const QnIrType *type = qn_infer_type(in, 0);
    if (type->kind != QN_SEQUENCE && type->kind != QN_NONE)
        return qn_infer_fail(in, "input 0 is no sequence");
    *item = type->item;
    return QN_OK;
}

/* The item type of a sequence that holds a and b: their shape where they have one. */
static QnStatus join_items(const QnInfer *in, const QnIrType *a, const QnIrType *b, QnIrType *out)
{
    *out = *a;
    if (a->kind != QN_TENSOR || b->kind != QN_TENSOR) {
        *out = a->kind == QN_TENSOR ? *a : *b;
        out->shape = qn_shape_unknown();
        return QN_OK;
    }
    if (a->element && b->element && a->element != b->element)
        return qn_infer_fail(in, "the items have types %s and %s, expected one type",
                             qn_type_name(a->element), qn_type_name(b->element));
    bool is_same = a->shape.rank == b->shape.rank;
    for (int d = 0; is_same && d < a->shape.rank; d++)
        is_same = a->shape.dims[d] == b->shape.dims[d];
    if (!is_same)
        out->shape = qn_shape_unknown();
    return QN_OK;
}

static QnStatus infer_empty(QnInfer *in)
{
    const int64_t element = qn_op_int(in->node, "dtype");
    if (element <= 0 || element >= QN_TYPE_COUNT)
        return qn_infer_fail(in, "dtype is %lld, expected an element type", (long long)element);
    const QnIrType item = {
        .kind = QN_TENSOR, .element = (QnType)element, .shape = qn_shape_unknown()};
    return qn_collection_infer(in, 0, QN_SEQUENCE, &item);
}

static QnStatus infer_construct(QnInfer *in)
{
    if (in->input_count < 1)
        return qn_infer_fail(in, "has no inputs, expected 1 at least");
    QnIrType item = *qn_infer_type(in, 0);
    for (int i = 1; i < in->input_count; i++) {
        const QnIrType before = item;
        QN_TRY(join_items(in, &before, qn_infer_type(in, i), &item));
    }
    return qn_collection_infer(in, 0, QN_SEQUENCE, &item);
}

static QnStatus infer_insert(QnInfer *in)
{
    const QnIrType *item = NULL;
    QnIrType joined;
    QN_TRY(item_of(in, &item));
    QN_TRY(join_items(in, item ? item : qn_infer_type(in, 1), qn_infer_type(in, 1), &joined));
    return qn_collection_infer(in, 0, QN_SEQUENCE, &joined);
}

static QnStatus infer_erase(QnInfer *in)
{
    const QnIrType *item;
    QN_TRY(item_of(in, &item));
    return qn_infer_output(in, 0, qn_infer_type(in, 0));
}

static QnStatus infer_at(QnInfer *in)
{
    const QnIrType *item = NULL;
    QN_TRY(item_of(in, &item));
    return qn_collection_infer_item(in, 0, item);
}

static QnStatus infer_length(QnInfer *in)
{
    const QnIrType *item;
    const QnShape scalar = {.rank = 0};
    QN_TRY(item_of(in, &item));
    return qn_infer_tensor(in, 0, QN_INT64, &scalar);
}

/* ---- making and changing ---- */

static QnStatus empty(const QnCall *call)
{
    return qn_collection_make(call, 0, QN_SEQUENCE, (QnType)qn_op_int(call->node, "dtype"), 0,
                              NULL);
}

static QnStatus construct(const QnCall *call)
{
    QnValue *items;
    QN_TRY(qn_collection_make(call, 0, QN_SEQUENCE, call->inputs[0].tensor.type, call->input_count,
                              &items));
    for (int i = 0; i < call->input_count; i++)
        QN_TRY(qn_collection_keep(call, &call->inputs[i], &items[i]));
    return QN_OK;
}

/* The position of input i, in [0, most]: negative ones count from `count`;
 * `otherwise` without it. */
static QnStatus read_position(const QnCall *call, int i, int64_t count, int64_t most,
                              int64_t otherwise, int64_t *out)
{
    const QnTensor *position = qn_call_input(call, i);
    *out = otherwise;
    if (position && qn_tensor_count(position) != 1)
        return qn_call_fail(call, "the position has %lld elements, expected 1",
                            (long long)qn_tensor_count(position));
    const int64_t given = position ? qn_tensor_get_int(position, 0) : otherwise;
    *out = given < 0 && position ? given + count : given;
    if (given < -count || *out < 0 || *out > most)
        return qn_call_fail(call, "position %lld is outside a sequence of %lld", (long long)given,
                            (long long)count);
    return QN_OK;
}

static QnStatus want_sequence(const QnCall *call)
{
    return call->inputs[0].kind == QN_SEQUENCE ? QN_OK
                                               : qn_call_fail(call, "input 0 is no sequence");
}

static QnStatus insert(const QnCall *call)
{
    const QnValue *from = &call->inputs[0];
    const QnTensor *tensor = qn_call_input(call, 1);
    QnValue *items;
    int64_t at;
    QN_TRY(want_sequence(call));
    QN_TRY(read_position(call, 2, from->count, from->count, from->count, &at));
    if (!tensor || (from->type && tensor->type != from->type))
        return qn_call_fail(call, "the item has type %s, the sequence %s",
                            qn_type_name(tensor ? tensor->type : QN_UNDEFINED),
                            qn_type_name(from->type));
    QN_TRY(qn_collection_make(call, 0, QN_SEQUENCE, tensor->type, from->count + 1, &items));
    if (at)
        memcpy(items, from->items, (size_t)at * sizeof *items);
    if (at < from->count)
        memcpy(items + at + 1, from->items + at, (size_t)(from->count - at) * sizeof *items);
    return qn_collection_keep(call, &call->inputs[1], &items[at]);
}

static QnStatus erase(const QnCall *call)
{
    const QnValue *from = &call->inputs[0];
    QnValue *items;
    int64_t at;
    QN_TRY(want_sequence(call));
    QN_TRY(read_position(call, 1, from->count, from->count - 1, from->count - 1, &at));
    QN_TRY(qn_collection_make(call, 0, QN_SEQUENCE, from->type, from->count - 1, &items));
    if (at)
        memcpy(items, from->items, (size_t)at * sizeof *items);
    if (at < from->count - 1)
        memcpy(items + at, from->items + at + 1, (size_t)(from->count - 1 - at) * sizeof *items);
    return QN_OK;
}

static QnStatus at_position(const QnCall *call)
{
    const QnValue *from = &call->inputs[0];
    int64_t at;
    QN_TRY(want_sequence(call));
    QN_TRY(read_position(call, 1, from->count, from->count - 1, -1, &at));
    return qn_collection_give(call, &from->items[at], 0);
}

static QnStatus length(const QnCall *call)
{
    QN_TRY(want_sequence(call));
    qn_tensor_set_int(qn_call_result(call, 0), 0, call->inputs[0].count);
    return QN_OK;
}

/* ---- to and from one tensor ---- */

/* The size of the parts along a dim, where it is the same for all. */
static QnDim part_size(QnInfer *in, QnDim size)
{
    const QnTensor *split = qn_infer_has(in, 1) ? in->inputs[1].constant : NULL;
    if (!qn_infer_has(in, 1))
        return 1;
    const int64_t count = split ? qn_tensor_count(split) : 0;
    if (count == 0)
        return qn_infer_fresh(in);
    const int64_t first = qn_tensor_get_int(split, 0);
    bool is_even = first > 0 && (split->rank == 1 || (qn_dim_is_known(size) && size % first == 0));
    for (int64_t i = 1; i < count; i++)
        is_even = is_even && qn_tensor_get_int(split, i) == first;
    return is_even ? first : qn_infer_fresh(in);
}

static QnStatus infer_split(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const bool keeps = qn_infer_has(in, 1) || qn_op_int(in->node, "keepdims");
    QnIrType item = {
        .kind = QN_TENSOR, .element = qn_infer_element(in, 0), .shape = qn_shape_unknown()};
    int axis;
    if (x) {
        QN_TRY(qn_infer_axis(in, x->rank, &axis));
        item.shape.rank = 0;
        for (int d = 0; d < x->rank; d++)
            if (d != axis || keeps)
                item.shape.dims[item.shape.rank++] =
                    d == axis ? part_size(in, x->dims[d]) : x->dims[d];
    }
    return qn_collection_infer(in, 0, QN_SEQUENCE, &item);
}

/* How many parts `split` makes of `size` elements. */
static QnStatus part_count(const QnCall *call, const QnTensor *split, int64_t size, int64_t *count)
{
    *count = split ? qn_tensor_count(split) : size;
    if (!split || split->rank == 1)
        return QN_OK;
    const int64_t each = *count == 1 ? qn_tensor_get_int(split, 0) : 0;
    if (each < 1)
        return qn_call_fail(call, "split is %lld, expected 1 at least", (long long)each);
    *count = qn_ceil_div(size, each);
    return QN_OK;
}

static QnStatus split_to_sequence(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *split = qn_call_input(call, 1);
    const int64_t given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + x->rank : given);
    const bool keeps = split || qn_op_int(call->node, "keepdims");
    int64_t count, at = 0;
    QnValue *items;
    QN_TRY(part_count(call, split, x->dims[axis], &count));
    QN_TRY(qn_collection_make(call, 0, QN_SEQUENCE, x->type, count, &items));
    for (int64_t i = 0; i < count; i++) {
        const int64_t left = x->dims[axis] - at;
        const int64_t size = !split ? 1 : qn_tensor_get_int(split, split->rank == 1 ? i : 0);
        QnTensor part = *x;
        part.dims[axis] = split && split->rank == 0 ? qn_min_i64(size, left) : size;
        if (part.dims[axis] < 0 || part.dims[axis] > left)
            return qn_call_fail(call, "part %lld has %lld elements, %lld are left", (long long)i,
                                (long long)size, (long long)left);
        part.data = (uint8_t *)x->data + at * x->strides[axis];
        at += part.dims[axis];
        for (int d = axis; !keeps && d + 1 < x->rank; d++) {
            part.dims[d] = x->dims[d + 1];
            part.strides[d] = x->strides[d + 1];
        }
        part.rank = keeps ? x->rank : x->rank - 1;
        const QnValue value = qn_value_tensor(part);
        QN_TRY(qn_collection_keep(call, &value, &items[i]));
    }
    return at == x->dims[axis] ? QN_OK
                               : qn_call_fail(call, "the parts have %lld elements, the input %lld",
                                              (long long)at, (long long)x->dims[axis]);
}

static QnStatus infer_concat(QnInfer *in)
{
    const QnIrType *item = NULL;
    const bool is_new = qn_op_int(in->node, "new_axis") != 0;
    int axis;
    QN_TRY(item_of(in, &item));
    if (!item || item->kind != QN_TENSOR)
        return QN_OK;
    if (item->shape.rank < 0)
        return qn_infer_unknown(in, 0, item->element, -1);
    const QnShape *x = &item->shape;
    QnShape y = {.rank = x->rank + is_new};
    if (y.rank > QN_MAX_RANK)
        return qn_infer_fail(in, "the result would have over %d dimensions", QN_MAX_RANK);
    QN_TRY(qn_infer_axis(in, y.rank, &axis));
    for (int d = 0; d < y.rank; d++) {
        y.dims[d] = d == axis ? qn_infer_fresh(in) : x->dims[is_new && d > axis ? d - 1 : d];
        if (qn_dim_is_late(in->dims, y.dims[d]))
            y.dims[d] = qn_infer_fresh(in);
    }
    return qn_infer_tensor(in, 0, item->element, &y);
}

/* An item as it lies in the result: with a dimension of 1 at a new axis. */
static QnTensor as_part(const QnTensor *item, int axis, bool is_new)
{
    QnTensor part = *item;
    if (!is_new)
        return part;
    part.rank++;
    for (int d = part.rank - 1; d > axis; d--) {
        part.dims[d] = item->dims[d - 1];
        part.strides[d] = item->strides[d - 1];
    }
    part.dims[axis] = 1;
    return part;
}

/* Checks the items and makes the output that takes them all. */
static QnStatus make_joined(const QnCall *call, int *axis, bool is_new, QnTensor **y)
{
    const QnValue *from = &call->inputs[0];
    const int64_t given = qn_op_int(call->node, "axis");
    QN_TRY(want_sequence(call));
    if (from->count == 0 || from->items[0].kind != QN_TENSOR)
        return qn_call_fail(call, "the sequence has no tensors");
    const int rank = from->items[0].tensor.rank + is_new;
    if (rank > QN_MAX_RANK || given < -rank || given >= rank)
        return qn_call_fail(call, "axis is %lld, expected %d to %d", (long long)given, -rank,
                            rank - 1);
    *axis = (int)(given < 0 ? given + rank : given);
    QnTensor whole = as_part(&from->items[0].tensor, *axis, is_new);
    for (int64_t i = 1; i < from->count; i++) {
        const QnTensor *item = &from->items[i].tensor;
        if (from->items[i].kind != QN_TENSOR || item->rank != rank - is_new ||
            item->type != whole.type)
            return qn_call_fail(call, "item %lld has another rank or type than the first",
                                (long long)i);
        if (!qn_add_i64(&whole.dims[*axis], whole.dims[*axis], is_new ? 1 : item->dims[*axis]))
            return qn_call_fail(call, "the result would be too long");
    }
    return qn_call_output(call, 0, whole.type, rank, whole.dims, y);
}

static QnStatus concat_from_sequence(const QnCall *call)
{
    const bool is_new = qn_op_int(call->node, "new_axis") != 0;
    const QnValue *from = &call->inputs[0];
    int64_t at = 0;
    int axis = 0;
    QnTensor *y = NULL;
    QN_TRY(make_joined(call, &axis, is_new, &y));
    assert(y);
    for (int64_t i = 0; i < from->count; i++) {
        const QnTensor part = as_part(&from->items[i].tensor, axis, is_new);
        QnTensor to = *y;
        to.dims[axis] = part.dims[axis];
        to.data = (uint8_t *)y->data + at * y->strides[axis];
        QN_TRY(qn_call_copy(call, &part, &to));
        at += part.dims[axis];
    }
    return QN_OK;
}

static const QnOpAttribute empty_attributes[] = {{"dtype", QN_ATTRIBUTE_INT, .i = QN_FLOAT}, {0}};
static const QnOpAttribute split_attributes[] = {
    {"axis", QN_ATTRIBUTE_INT}, {"keepdims", QN_ATTRIBUTE_INT, .i = 1}, {0}};
static const QnOpAttribute concat_attributes[] = {
    {"axis", QN_ATTRIBUTE_INT, .is_required = true}, {"new_axis", QN_ATTRIBUTE_INT}, {0}};

#define ROW(text, version, ins, outs, list, infers, computes)                                \
    {                                                                                        \
        .name = text, .since = version, .inputs = ins, .outputs = outs, .attributes = list,  \
        .traits = QN_OP_COLLECTIONS | QN_OP_PORTABLE, .infer = infers, .reference = computes \
    }

/* clang-format off */
const QnOp qn_ops_sequence[] = {
    ROW("ConcatFromSequence", 11, "input_sequence: sequence", "concat_result: any",
        concat_attributes, infer_concat, concat_from_sequence),
    ROW("SequenceAt", 11, "input_sequence: sequence, position: integer", "tensor: any", NULL,
        infer_at, at_position),
    ROW("SequenceConstruct", 11, "inputs*: any", "output_sequence: sequence", NULL,
        infer_construct, construct),
    ROW("SequenceEmpty", 11, "", "output: sequence", empty_attributes, infer_empty, empty),
    ROW("SequenceErase", 11, "input_sequence: sequence, position?: integer",
        "output_sequence: T", NULL, infer_erase, erase),
    ROW("SequenceInsert", 11, "input_sequence: sequence, tensor: any, position?: integer",
        "output_sequence: T", NULL, infer_insert, insert),
    ROW("SequenceLength", 11, "input_sequence: sequence", "length: int64", NULL, infer_length,
        length),
    ROW("SplitToSequence", 24, "input: any, split?: integer", "output_sequence: sequence",
        split_attributes, infer_split, split_to_sequence),
    {0},
};
/* clang-format on */
