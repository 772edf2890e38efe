/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A copy of a tensor with some elements replaced by, or reduced with, updates.  Negative indices
 * count from the end of their dimension; of several updates of an element the last one wins.
 *
 *     ScatterElements  y[p with p[axis] replaced by indices[p]] = updates[p]
 *     ScatterND        y[indices[i…, :], r…] = updates[i…, r…]
 *     TensorScatter    y[b, …, start[b] + t, …] = update[b, …, t, …]      a cache's new rows
 */
#include <math.h>

#include "engine/ops/walk.h"

enum { DATA = 0, INDICES = 1, UPDATES = 2 };

/* ---- reductions ---- */

typedef struct Reduction {
    const char *name;
    double (*in_double)(double a, double b);
    int64_t (*in_int)(int64_t a, int64_t b); /* modulo 2^64; orders are those of int64_t */
} Reduction;

static double add(double a, double b)
{
    return a + b;
}

static double mul(double a, double b)
{
    return a * b;
}

/* NaN wins. */
static double max(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

static double min(double a, double b)
{
    return a < b || isnan(a) ? a : b;
}

static int64_t add_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t mul_int(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

static int64_t max_int(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t min_int(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static const Reduction reductions[] = {{"none", NULL, NULL},
                                       {"add", add, add_int},
                                       {"mul", mul, mul_int},
                                       {"max", max, max_int},
                                       {"min", min, min_int}};

static const Reduction *find_reduction(const QnNode *node)
{
    for (size_t i = 0; i < QN_COUNT_OF(reductions); i++)
        if (qn_op_string_is(node, "reduction", reductions[i].name))
            return &reductions[i];
    return NULL;
}

static QnStatus check_reduction(const QnInfer *in)
{
    const Reduction *reduction = find_reduction(in->node);
    if (!reduction)
        return qn_infer_fail(in, "reduction is none of none, add, mul, max and min");
    const QnType element = qn_infer_element(in, DATA);
    if (reduction->in_double &&
        (element == QN_STRING || element == QN_COMPLEX64 || element == QN_COMPLEX128))
        return qn_infer_fail(in, "elements of type %s cannot be reduced", qn_type_name(element));
    return QN_OK;
}

/* y[to] = y[to] op x[from], for `count` neighbours. */
static void reduce(const Reduction *reduction, QnTensor *y, int64_t to, const QnTensor *x,
                   int64_t from, int64_t count)
{
    const size_t element = qn_type_size(x->type);
    if (!reduction->in_double) {
        if (count)
            memcpy((uint8_t *)y->data + (size_t)to * element,
                   (const uint8_t *)x->data + (size_t)from * element, (size_t)count * element);
        return;
    }
    /* Orders of uint64_t are those of int64_t with the top bit turned;
     * sums and products are not. */
    const bool is_order = reduction->in_int == max_int || reduction->in_int == min_int;
    const uint64_t flip = is_order && x->type == QN_UINT64 ? UINT64_C(1) << 63 : 0;
    for (int64_t i = 0; i < count; i++) {
        if (qn_type_is_float(x->type)) {
            qn_tensor_set(
                y, to + i,
                reduction->in_double(qn_tensor_get(y, to + i), qn_tensor_get(x, from + i)));
            continue;
        }
        const int64_t a = (int64_t)((uint64_t)qn_tensor_get_int(y, to + i) ^ flip);
        const int64_t b = (int64_t)((uint64_t)qn_tensor_get_int(x, from + i) ^ flip);
        qn_tensor_set_int(y, to + i, (int64_t)((uint64_t)reduction->in_int(a, b) ^ flip));
    }
}

/* Starts from a copy of the data. */
static void copy_data(const QnTensor *x, QnTensor *y)
{
    const int64_t count = qn_tensor_count(x);
    if (count && x->data != y->data)
        memcpy(y->data, x->data, (size_t)count * qn_type_size(x->type));
}

/* Fails where dimension `a` of the updates, if both are numbers, is not the size `wanted`. */
static QnStatus want_update(const QnInfer *in, const QnShape *updates, int d, QnDim wanted)
{
    if (qn_dim_is_known(updates->dims[d]) && qn_dim_is_known(wanted) && updates->dims[d] != wanted)
        return qn_infer_fail(in, "dimension %d of updates is %lld, expected %lld", d,
                             (long long)updates->dims[d], (long long)wanted);
    return QN_OK;
}

/* ---- ScatterElements ---- */

static QnStatus infer_scatter_elements(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, DATA), *indices = qn_infer_shape(in, INDICES);
    const QnShape *updates = qn_infer_shape(in, UPDATES);
    int axis;
    QN_TRY(check_reduction(in));
    if (x) {
        QN_TRY(qn_infer_axis(in, x->rank, &axis));
        QN_TRY(qn_infer_want_rank(in, INDICES, x->rank));
        QN_TRY(qn_infer_want_rank(in, UPDATES, x->rank));
    }
    for (int d = 0; x && indices && d < x->rank; d++) {
        if (d != axis && qn_dim_is_known(x->dims[d]) && qn_dim_is_known(indices->dims[d]) &&
            indices->dims[d] > x->dims[d])
            return qn_infer_fail(in, "dimension %d of indices is %lld, expected %lld at most", d,
                                 (long long)indices->dims[d], (long long)x->dims[d]);
        if (updates)
            QN_TRY(want_update(in, updates, d, indices->dims[d]));
    }
    return qn_infer_output(in, 0, qn_infer_type(in, DATA));
}

static QnStatus scatter_elements(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, DATA), *indices = qn_call_input(call, INDICES);
    const Reduction *reduction = find_reduction(call->node);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + x->rank : given);
    const int64_t element = (int64_t)qn_type_size(x->type);
    int64_t position[QN_MAX_RANK] = {0}, to[QN_MAX_RANK];
    copy_data(x, y);
    if (qn_tensor_count(indices) == 0)
        return QN_OK;
    for (int64_t i = 0;; i++) {
        memcpy(to, position, sizeof to);
        QN_TRY(qn_walk_index(call, indices, i, x->dims[axis], &to[axis]));
        reduce(reduction, y, qn_walk_offset(y, to) / element, qn_call_input(call, UPDATES), i, 1);
        if (!qn_walk_next(position, indices->dims, indices->rank))
            return qn_call_poll(call);
    }
}

/* ---- ScatterND ---- */

static QnStatus infer_scatter_nd(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, DATA), *indices = qn_infer_shape(in, INDICES);
    const QnShape *updates = qn_infer_shape(in, UPDATES);
    QN_TRY(check_reduction(in));
    if (indices && indices->rank < 1)
        return qn_infer_fail(in, "indices is a scalar, expected index tuples");
    const QnDim size = indices ? indices->dims[indices->rank - 1] : -1;
    if (x && indices && qn_dim_is_known(size)) {
        if (size > x->rank)
            return qn_infer_fail(in, "index tuples have %lld entries, expected %d at most",
                                 (long long)size, x->rank);
        const int outer = indices->rank - 1;
        QN_TRY(qn_infer_want_rank(in, UPDATES, outer + x->rank - (int)size));
        for (int d = 0; updates && d < updates->rank; d++)
            QN_TRY(want_update(in, updates, d,
                               d < outer ? indices->dims[d] : x->dims[(int)size + d - outer]));
    }
    return qn_infer_output(in, 0, qn_infer_type(in, DATA));
}

static QnStatus scatter_nd(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, DATA), *indices = qn_call_input(call, INDICES);
    const Reduction *reduction = find_reduction(call->node);
    QnTensor *y = qn_call_result(call, 0);
    const int size = (int)indices->dims[indices->rank - 1];
    const int64_t element = (int64_t)qn_type_size(x->type);
    int64_t tuples = 1, block = 1;
    for (int d = 0; d < indices->rank - 1; d++)
        tuples *= indices->dims[d];
    for (int d = size; d < x->rank; d++)
        block *= x->dims[d];
    copy_data(x, y);
    for (int64_t i = 0; i < tuples; i++) {
        int64_t offset = 0, at;
        for (int k = 0; k < size; k++) {
            QN_TRY(qn_walk_index(call, indices, i * size + k, x->dims[k], &at));
            offset += at * x->strides[k];
        }
        reduce(reduction, y, offset / element, qn_call_input(call, UPDATES), i * block, block);
    }
    return qn_call_poll(call);
}

/* ---- TensorScatter ---- */

static QnStatus infer_tensor_scatter(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *update = qn_infer_shape(in, 1);
    const QnShape *starts = qn_infer_shape(in, 2);
    int axis;
    if (!qn_op_string_is(in->node, "mode", "linear") &&
        !qn_op_string_is(in->node, "mode", "circular"))
        return qn_infer_fail(in, "mode is neither linear nor circular");
    QN_TRY(qn_infer_want_rank(in, 2, 1));
    if (x) {
        QN_TRY(qn_infer_axis(in, x->rank, &axis));
        QN_TRY(qn_infer_want_rank(in, 1, x->rank));
        if (axis == 0)
            return qn_infer_fail(in, "axis is 0, which is the batch");
        for (int d = 0; update && d < x->rank; d++)
            if (d != axis)
                QN_TRY(want_update(in, update, d, x->dims[d]));
        if (starts && qn_dim_is_known(starts->dims[0]) && qn_dim_is_known(x->dims[0]) &&
            starts->dims[0] != x->dims[0])
            return qn_infer_fail(in, "write_indices has %lld entries, expected %lld",
                                 (long long)starts->dims[0], (long long)x->dims[0]);
    }
    return qn_infer_output(in, 0, qn_infer_type(in, 0));
}

static QnStatus tensor_scatter(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *update = qn_call_input(call, 1);
    const QnTensor *starts = qn_call_input(call, 2);
    QnTensor *y = qn_call_result(call, 0);
    const bool is_circular = qn_op_string_is(call->node, "mode", "circular");
    const int64_t given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + x->rank : given);
    const QnBox box = qn_box(x, axis);
    const int64_t count = update->dims[axis];
    const size_t block = (size_t)box.inner * qn_type_size(x->type);
    copy_data(x, y);
    for (int64_t outer = 0; outer < box.outer && block; outer++) {
        const int64_t batch = outer / (box.outer / x->dims[0]);
        const int64_t start = starts ? qn_tensor_get_int(starts, batch) : 0;
        const bool fits =
            is_circular ? count <= box.length : count <= box.length && start <= box.length - count;
        if (start < 0 || !fits)
            return qn_call_fail(call, "%lld rows at %lld do not fit a cache of %lld",
                                (long long)count, (long long)start, (long long)box.length);
        for (int64_t t = 0; t < count; t++) {
            const int64_t row = is_circular ? (start % box.length + t) % box.length : start + t;
            memcpy((uint8_t *)y->data + (size_t)(outer * box.length + row) * block,
                   (const uint8_t *)update->data + (size_t)(outer * count + t) * block, block);
        }
        QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

static const QnOpAttribute element_attributes[] = {
    {"axis", QN_ATTRIBUTE_INT}, {"reduction", QN_ATTRIBUTE_STRING, .s = "none"}, {0}};
static const QnOpAttribute nd_attributes[] = {{"reduction", QN_ATTRIBUTE_STRING, .s = "none"}, {0}};
static const QnOpAttribute tensor_attributes[] = {
    {"axis", QN_ATTRIBUTE_INT, .i = -2}, {"mode", QN_ATTRIBUTE_STRING, .s = "linear"}, {0}};

const QnOp qn_ops_scatter[] = {
    {.name = "ScatterElements",
     .since = 18,
     .inputs = "data: any, indices: integer, updates: T",
     .outputs = "output: T",
     .attributes = element_attributes,
     .infer = infer_scatter_elements,
     .reference = scatter_elements},
    {.name = "ScatterND",
     .since = 18,
     .inputs = "data: any, indices: int64, updates: T",
     .outputs = "output: T",
     .attributes = nd_attributes,
     .infer = infer_scatter_nd,
     .reference = scatter_nd},
    {.name = "TensorScatter",
     .since = 24,
     .inputs = "past_cache: any, update: T, write_indices?: int64",
     .outputs = "present_cache: T",
     .attributes = tensor_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_tensor_scatter,
     .reference = tensor_scatter},
    {0},
};
