/* SPDX-License-Identifier: Apache-2.0 */
/* Values in files of their own: include/quern/unstable/values.h. */
#include "quern/unstable/values.h"

#include "engine/api/model.h"
#include "engine/formats/onnx/testdata.h"
#include "engine/ops/op.h"
#include "engine/run/session.h"

struct QnValueStore {
    QnArena arena;
};

QnStatus qn_value_store_create(QnValueStore **out)
{
    QnValueStore *made = qn_alloc(NULL, sizeof *made);
    if (!made)
        return QN_NO_MEMORY;
    *made = (QnValueStore){0};
    *out = made;
    return QN_OK;
}

void qn_value_store_free(QnValueStore *store)
{
    if (!store)
        return;
    qn_arena_finish(&store->arena);
    qn_free(NULL, store, sizeof *store);
}

void qn_value_store_reset(QnValueStore *store)
{
    qn_arena_reset(&store->arena);
}

void *qn_value_store_alloc(QnValueStore *store, size_t size)
{
    return qn_arena_alloc_raw(&store->arena, size, 64);
}

QnStatus qn_value_read_onnx(QnValue *out, QnValueStore *store, const QnModel *model, bool is_output,
                            int i, const void *data, size_t size, QnError *err)
{
    static const QnIrType tensor = {.kind = QN_NONE};
    const QnIrType *type = &tensor;
    if (model && (i < 0 || i >= (is_output ? model->module->main->output_count
                                           : model->module->main->input_count)))
        return qn_fail(err, QN_BAD_ARGUMENT, "there is no %s %d", is_output ? "output" : "input",
                       i);
    uint8_t *copy = qn_arena_alloc_raw(&store->arena, size, 64);
    if (!copy)
        return qn_no_memory(err);
    if (size)
        memcpy(copy, data, size);
    if (model)
        type = is_output ? &model->module->main->outputs[i].value->type
                         : &model->module->main->inputs[i]->type;
    return onnx_read_value(out, qn_bytes(copy, size), type, &store->arena, err);
}

/* Makes all tensors of a value contiguous, in copies where they are not. */
static QnStatus make_contiguous(QnValue *value, QnArena *arena)
{
    QnTensor *tensor = &value->tensor;
    if (value->kind == QN_TENSOR && !qn_tensor_is_contiguous(tensor)) {
        void *data =
            qn_arena_array(arena, (size_t)qn_tensor_count(tensor), qn_type_size(tensor->type));
        if (!data)
            return QN_NO_MEMORY;
        qn_tensor_copy_contiguous(tensor, data);
        *tensor = qn_tensor(tensor->type, tensor->rank, tensor->dims, data);
    }
    if (value->kind == QN_TENSOR || value->kind == QN_NONE || value->count == 0)
        return QN_OK;
    QnValue *items;
    QN_ALLOC(items, arena, value->count);
    memcpy(items, value->items, (size_t)value->count * sizeof *items);
    for (int64_t i = 0; i < value->count; i++)
        QN_TRY(make_contiguous(&items[i], arena));
    value->items = items;
    return QN_OK;
}

QnStatus qn_value_write_onnx(const void **out, size_t *size, QnValueStore *store, const char *name,
                             const QnValue *value, QnError *err)
{
    QnText text = qn_text(NULL);
    QnArena scratch = {0};
    QnValue plain = *value;
    QnStatus status = make_contiguous(&plain, &scratch);
    status = status == QN_OK ? onnx_write_value(&text, name, &plain, err) : qn_no_memory(err);
    uint8_t *copy = status == QN_OK ? qn_arena_alloc_raw(&store->arena, text.size, 64) : NULL;
    if (copy) {
        if (text.size)
            memcpy(copy, text.data, text.size);
        *out = copy;
        *size = text.size;
    } else if (status == QN_OK) {
        status = qn_no_memory(err);
    }
    qn_text_finish(&text);
    qn_arena_finish(&scratch);
    return status;
}

void *qn_tensor_address(const QnTensor *tensor, int64_t i)
{
    int64_t offset = 0;
    for (int d = tensor->rank - 1; d >= 0; d--) {
        offset += i % tensor->dims[d] * tensor->strides[d];
        i /= tensor->dims[d];
    }
    return (uint8_t *)tensor->data + offset;
}

double qn_tensor_element(const QnTensor *tensor, int64_t i)
{
    const QnTensor element = qn_tensor(tensor->type, 0, NULL, qn_tensor_address(tensor, i));
    return qn_tensor_get(&element, 0);
}

void qn_tensor_set_element(const QnTensor *tensor, int64_t i, double value)
{
    QnTensor element = qn_tensor(tensor->type, 0, NULL, qn_tensor_address(tensor, i));
    qn_tensor_set(&element, 0, value);
}
