/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elements, or slices, picked by indices.  Negative indices count from the end of their dimension.
 *
 *     Gather          y[o…, i…, r…] = x[o…, indices[i…], r…]          along one axis
 *     GatherElements  y[p] = x[p with p[axis] replaced by indices[p]]
 *     GatherND        y[b…, i…, r…] = x[b…, indices[b…, i…, :], r…]   whole index tuples
 */
#include "engine/ops/walk.h"

/* ---- Gather ---- */

/* The picked dims of a shape: how shape arithmetic takes a tensor's sizes apart. */
static QnStatus gather_content(QnInfer *in)
{
    QnDim content[QN_CONTENT_LIMIT], picked[QN_CONTENT_LIMIT];
    int64_t indices[QN_CONTENT_LIMIT];
    const int size = qn_infer_ints(in, 0, content, QN_CONTENT_LIMIT);
    const int count = qn_infer_constants(in, 1, indices, QN_CONTENT_LIMIT);
    if (size < 0 || count < 0)
        return QN_OK;
    for (int i = 0; i < count; i++) {
        const int64_t at = indices[i] < 0 ? indices[i] + size : indices[i];
        if (at < 0 || at >= size)
            return qn_infer_fail(in, "index %lld is outside a dimension of %d",
                                 (long long)indices[i], size);
        picked[i] = content[at];
    }
    return qn_infer_content(in, 0, picked, count);
}

/* Fails where the result would have more dimensions than a tensor may have. */
static QnStatus check_rank(const QnInfer *in, int rank)
{
    if (rank > QN_MAX_RANK)
        return qn_infer_fail(in, "the result would have %d dimensions, expected %d at most", rank,
                             QN_MAX_RANK);
    return QN_OK;
}

static QnStatus infer_gather(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *indices = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    int axis;
    if (!x || !indices)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(qn_infer_axis(in, x->rank, &axis));
    QN_TRY(check_rank(in, x->rank - 1 + indices->rank));
    QnShape y = {0};
    for (int d = 0; d < axis; d++)
        y.dims[y.rank++] = x->dims[d];
    for (int d = 0; d < indices->rank; d++)
        y.dims[y.rank++] = indices->dims[d];
    for (int d = axis + 1; d < x->rank; d++)
        y.dims[y.rank++] = x->dims[d];
    QN_TRY(qn_infer_tensor(in, 0, element, &y));
    return x->rank == 1 && y.rank <= 1 ? gather_content(in) : QN_OK;
}

static QnStatus gather(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *indices = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t axis = qn_op_int(call->node, "axis"), count = qn_tensor_count(indices);
    const QnBox box = qn_box(x, (int)(axis < 0 ? axis + x->rank : axis));
    const size_t block = (size_t)box.inner * qn_type_size(x->type);
    uint8_t *to = y->data;
    for (int64_t outer = 0; outer < box.outer; outer++) {
        QN_TRY(qn_call_poll(call));
        for (int64_t i = 0; i < count; i++, to += block) {
            int64_t at;
            QN_TRY(qn_walk_index(call, indices, i, box.length, &at));
            if (block)
                memcpy(to, (const uint8_t *)x->data + (size_t)(outer * box.length + at) * block,
                       block);
        }
    }
    return QN_OK;
}

/* ---- GatherElements ---- */

static QnStatus infer_gather_elements(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *indices = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    int axis;
    if (x) {
        QN_TRY(qn_infer_axis(in, x->rank, &axis));
        QN_TRY(qn_infer_want_rank(in, 1, x->rank));
    }
    if (!indices)
        return qn_infer_unknown(in, 0, element, x ? x->rank : -1);
    for (int d = 0; x && d < x->rank; d++)
        if (d != axis && qn_dim_is_known(x->dims[d]) && qn_dim_is_known(indices->dims[d]) &&
            indices->dims[d] > x->dims[d])
            return qn_infer_fail(in, "dimension %d of indices is %lld, expected %lld at most", d,
                                 (long long)indices->dims[d], (long long)x->dims[d]);
    return qn_infer_tensor(in, 0, element, indices);
}

static QnStatus gather_elements(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *indices = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const size_t element = qn_type_size(x->type);
    const int64_t given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + x->rank : given);
    int64_t position[QN_MAX_RANK] = {0}, from[QN_MAX_RANK];
    if (qn_tensor_count(y) == 0)
        return QN_OK;
    for (int64_t i = 0;; i++) {
        memcpy(from, position, sizeof from);
        QN_TRY(qn_walk_index(call, indices, i, x->dims[axis], &from[axis]));
        memcpy((uint8_t *)y->data + (size_t)i * element,
               (const uint8_t *)x->data + qn_walk_offset(x, from), element);
        if (!qn_walk_next(position, y->dims, y->rank))
            return qn_call_poll(call);
    }
}

/* ---- GatherND ---- */

/* The number of dimensions that an index tuple names; -1: not known. */
static QnStatus tuple_size(const QnInfer *in, const QnShape *x, const QnShape *indices, int batch,
                           int *size)
{
    if (indices->rank < 1 || batch >= indices->rank || batch > x->rank || batch < 0)
        return qn_infer_fail(in, "batch_dims is %d, with inputs of rank %d and %d", batch, x->rank,
                             indices->rank);
    const QnDim last = indices->dims[indices->rank - 1];
    *size = -1;
    if (!qn_dim_is_known(last))
        return QN_OK;
    if (last < 1 || last > x->rank - batch)
        return qn_infer_fail(in, "index tuples have %lld entries, expected 1 to %d",
                             (long long)last, x->rank - batch);
    *size = (int)last;
    return QN_OK;
}

static QnStatus infer_gather_nd(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *indices = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    const int64_t given = qn_op_int(in->node, "batch_dims");
    const int batch = (int)(given > QN_MAX_RANK ? QN_MAX_RANK : given < 0 ? -1 : given);
    int size = -1;
    if (!x || !indices)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(tuple_size(in, x, indices, batch, &size));
    for (int d = 0; d < batch; d++)
        if (qn_dim_is_known(x->dims[d]) && qn_dim_is_known(indices->dims[d]) &&
            x->dims[d] != indices->dims[d])
            return qn_infer_fail(in, "batch dimension %d is %lld in one input, %lld in the other",
                                 d, (long long)x->dims[d], (long long)indices->dims[d]);
    if (size < 0)
        return qn_infer_unknown(in, 0, element, -1);
    QN_TRY(check_rank(in, indices->rank - 1 + x->rank - batch - size));
    QnShape y = {0};
    for (int d = 0; d < indices->rank - 1; d++)
        y.dims[y.rank++] = indices->dims[d];
    for (int d = batch + size; d < x->rank; d++)
        y.dims[y.rank++] = x->dims[d];
    return qn_infer_tensor(in, 0, element, &y);
}

/* Where the slice of a tuple begins, in bytes from the batch's first element. */
static QnStatus tuple_offset(const QnCall *call, const QnTensor *x, const QnTensor *indices,
                             int64_t first, int size, int batch, int64_t *offset)
{
    *offset = 0;
    for (int k = 0; k < size; k++) {
        int64_t at;
        QN_TRY(qn_walk_index(call, indices, first + k, x->dims[batch + k], &at));
        *offset += at * x->strides[batch + k];
    }
    return QN_OK;
}

static QnStatus gather_nd(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *indices = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const int batch = (int)qn_op_int(call->node, "batch_dims");
    const int size = (int)indices->dims[indices->rank - 1];
    int64_t batches = 1, tuples = 1;
    size_t block = qn_type_size(x->type), batch_bytes = qn_type_size(x->type);
    for (int d = 0; d < batch; d++)
        batches *= x->dims[d];
    for (int d = batch; d < indices->rank - 1; d++)
        tuples *= indices->dims[d];
    for (int d = batch; d < x->rank; d++)
        batch_bytes *= (size_t)x->dims[d];
    for (int d = batch + size; d < x->rank; d++)
        block *= (size_t)x->dims[d];
    uint8_t *to = y->data;
    for (int64_t i = 0; i < batches * tuples; i++, to += block) {
        int64_t offset;
        QN_TRY(tuple_offset(call, x, indices, i * size, size, batch, &offset));
        if (block)
            memcpy(to, (const uint8_t *)x->data + (size_t)(i / tuples) * batch_bytes + offset,
                   block);
    }
    return qn_call_poll(call);
}

static const QnOpAttribute axis_attributes[] = {{"axis", QN_ATTRIBUTE_INT}, {0}};
static const QnOpAttribute batch_attributes[] = {{"batch_dims", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_gather[] = {
    {.name = "Gather",
     .since = 13,
     .inputs = "data: any, indices: integer",
     .outputs = "output: T",
     .attributes = axis_attributes,
     .infer = infer_gather,
     .reference = gather},
    {.name = "GatherElements",
     .since = 13,
     .inputs = "data: any, indices: integer",
     .outputs = "output: T",
     .attributes = axis_attributes,
     .infer = infer_gather_elements,
     .reference = gather_elements},
    {.name = "GatherND",
     .since = 13,
     .inputs = "data: any, indices: int64",
     .outputs = "output: T",
     .attributes = batch_attributes,
     .infer = infer_gather_nd,
     .reference = gather_nd},
    {0},
};
