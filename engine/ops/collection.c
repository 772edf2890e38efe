/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/collection.h"

#include "base/checked.h"

/* ---- values ---- */

QnStatus qn_collection_make(const QnCall *call, int i, QnKind kind, QnType type, int64_t count,
                            QnValue **items)
{
    QnValue *made = qn_arena_array(call->arena, count ? (size_t)count : 1, sizeof *made);
    if (!made)
        return qn_fail(call->err, QN_NO_MEMORY, "no memory for a collection of %lld items",
                       (long long)count);
    call->outputs[i] = (QnValue){.kind = kind, .type = type, .count = count, .items = made};
    if (items)
        *items = made;
    return QN_OK;
}

QnStatus qn_collection_tensor(const QnCall *call, QnType type, int rank, const int64_t *dims,
                              QnTensor *out)
{
    size_t size = qn_type_size(type);
    for (int d = 0; d < rank; d++)
        if (dims[d] < 0 || !qn_mul_size(&size, size, (size_t)dims[d]))
            return qn_call_fail(call, "an item has a size that no memory holds");
    void *data = qn_arena_alloc_raw(call->arena, size ? size : 1, 64);
    if (!data)
        return qn_fail(call->err, QN_NO_MEMORY, "no memory for %zu bytes of an item", size);
    *out = qn_tensor(type, rank, dims, data);
    return QN_OK;
}

QnStatus qn_collection_keep(const QnCall *call, const QnValue *from, QnValue *item)
{
    *item = *from;
    if (from->kind != QN_TENSOR)
        return QN_OK;
    QN_TRY(qn_collection_tensor(call, from->tensor.type, from->tensor.rank, from->tensor.dims,
                                &item->tensor));
    item->type = from->tensor.type;
    return qn_call_copy(call, &from->tensor, &item->tensor);
}

QnStatus qn_collection_give(const QnCall *call, const QnValue *item, int i)
{
    QnTensor *y;
    if (item->kind != QN_TENSOR) {
        call->outputs[i] = *item;
        return QN_OK;
    }
    QN_TRY(qn_call_output(call, i, item->tensor.type, item->tensor.rank, item->tensor.dims, &y));
    return qn_call_copy(call, &item->tensor, y);
}

/* ---- types ---- */

QnStatus qn_collection_infer_item(QnInfer *in, int i, const QnIrType *item)
{
    if (!item)
        return QN_OK;
    QnIrType type = *item;
    for (int d = 0; type.kind == QN_TENSOR && d < type.shape.rank; d++)
        if (qn_dim_is_late(in->dims, type.shape.dims[d]))
            type.shape.dims[d] = qn_infer_fresh(in);
    return qn_infer_output(in, i, &type);
}

QnStatus qn_collection_infer(QnInfer *in, int i, QnKind kind, const QnIrType *item)
{
    QnIrType *copy, type = {.kind = kind};
    QN_ALLOC(copy, in->arena, 1);
    *copy = *item;
    type.item = copy;
    return qn_infer_output(in, i, &type);
}
