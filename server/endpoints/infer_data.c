/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The elements of a tensor from JSON: arrays nested in any way, of which only the order and the
 * number of the leaves counts.  A number that does not fit its type is refused, not wrapped.
 */
#include "base/checked.h"
#include "base/json.h"
#include "server/endpoints/infer.h"

/* A reader of leaves: puts the next one to `to`, of the type's size.
 * Failures stick to the cursor. */
typedef void ReadLeaf(QnJson *in, void *to);

#define READ_UNSIGNED(name, type, high)                                         \
    static void read_##name(QnJson *in, void *to)                               \
    {                                                                           \
        const uint64_t value = qn_json_u64(in);                                 \
        if (value > (high))                                                     \
            qn_json_fail(in, QN_BAD_TENSOR, "is out of the range of its type"); \
        *(type *)to = (type)value;                                              \
    }

#define READ_SIGNED(name, type, low, high)                                      \
    static void read_##name(QnJson *in, void *to)                               \
    {                                                                           \
        const int64_t value = qn_json_i64(in);                                  \
        if (value < (low) || value > (high))                                    \
            qn_json_fail(in, QN_BAD_TENSOR, "is out of the range of its type"); \
        *(type *)to = (type)value;                                              \
    }

READ_UNSIGNED(uint8, uint8_t, UINT8_MAX)
READ_UNSIGNED(uint16, uint16_t, UINT16_MAX)
READ_UNSIGNED(uint32, uint32_t, UINT32_MAX)
READ_SIGNED(int8, int8_t, INT8_MIN, INT8_MAX)
READ_SIGNED(int16, int16_t, INT16_MIN, INT16_MAX)
READ_SIGNED(int32, int32_t, INT32_MIN, INT32_MAX)
#undef READ_UNSIGNED
#undef READ_SIGNED

static void read_uint64(QnJson *in, void *to)
{
    *(uint64_t *)to = qn_json_u64(in);
}

static void read_int64(QnJson *in, void *to)
{
    *(int64_t *)to = qn_json_i64(in);
}

static void read_bool(QnJson *in, void *to)
{
    *(uint8_t *)to = qn_json_bool(in);
}

/* A number that is too large for its type is a number all the same. */
static void note_range(QnJson *in, QnJsonKind kind)
{
    if (kind == QN_JSON_NUMBER && qn_json_failed(in))
        in->status = QN_BAD_TENSOR;
}

static void read_fp32(QnJson *in, void *to)
{
    const QnJsonKind kind = qn_json_kind(in);
    *(float *)to = qn_json_f32(in);
    note_range(in, kind);
}

static void read_fp64(QnJson *in, void *to)
{
    const QnJsonKind kind = qn_json_kind(in);
    *(double *)to = qn_json_f64(in);
    note_range(in, kind);
}

/* How to read each type, and what a value of another kind is said not to be. */
static const struct {
    ReadLeaf *read;
    const char *kind;
} leaves[QS_DATA_TYPE_COUNT] = {
    [QS_BOOL] = {read_bool, "boolean"},
    [QS_UINT8] = {read_uint8, "unsigned-integer"},
    [QS_UINT16] = {read_uint16, "unsigned-integer"},
    [QS_UINT32] = {read_uint32, "unsigned-integer"},
    [QS_UINT64] = {read_uint64, "unsigned-integer"},
    [QS_INT8] = {read_int8, "signed-integer"},
    [QS_INT16] = {read_int16, "signed-integer"},
    [QS_INT32] = {read_int32, "signed-integer"},
    [QS_INT64] = {read_int64, "signed-integer"},
    [QS_FP32] = {read_fp32, "number"},
    [QS_FP64] = {read_fp64, "number"},
};

static QnStatus fail_count(QsInfer *infer)
{
    return qn_fail(&infer->call->err, QN_INTERNAL,
                   "Unable to parse 'data': Shape does not match true shape of 'data' field");
}

static QnStatus fail_leaf(QsInfer *infer, const QsTensor *tensor, const QnJson *in)
{
    QnError *err = &infer->call->err;
    const char *kind = leaves[tensor->type].kind;
    if (in->status == QN_BAD_TENSOR)
        return qn_fail(err, QN_BAD_ARGUMENT, "a number in 'data' of input '%s' does not fit %s",
                       tensor->name, qs_data_type_name(tensor->type));
    if (tensor->type == QS_BYTES)
        return qn_fail(
            err, QN_INTERNAL,
            "Unable to parse JSON bytes array: attempt to access JSON non-string as string");
    return qn_fail(err, QN_INTERNAL, "Unable to parse 'data': attempt to access JSON non-%s as %s",
                   kind, strcmp(kind, "number") == 0 ? "double" : kind);
}

static QnStatus read_numbers(QsInfer *infer, QsTensor *tensor, QnJson *in, int64_t count)
{
    const size_t size = qs_data_type_size(tensor->type);
    ReadLeaf *read = leaves[tensor->type].read;
    uint8_t *to = tensor->data, *end = to + (size_t)count * size;
    const int depth = in->depth;
    while (qn_json_next_leaf(in, depth)) {
        if (to == end)
            return fail_count(infer);
        read(in, to);
        to += size;
    }
    if (qn_json_failed(in))
        return fail_leaf(infer, tensor, in);
    tensor->size_bytes = (size_t)(to - tensor->data);
    return to == end ? QN_OK : fail_count(infer);
}

/* Each string becomes its length and its bytes. */
static QnStatus read_strings(QsInfer *infer, QsTensor *tensor, QnJson *in, int64_t count)
{
    uint8_t *to = tensor->data;
    const int depth = in->depth;
    int64_t found = 0;
    for (; qn_json_next_leaf(in, depth); found++) {
        const QnBytes text = qn_json_text(in, &infer->call->arena);
        if (qn_json_failed(in))
            break;
        if (found == count)
            return fail_count(infer);
        memcpy(to, &(uint32_t){(uint32_t)text.size}, 4);
        if (text.size)
            memcpy(to + 4, text.data, text.size);
        to += 4 + text.size;
    }
    if (qn_json_failed(in))
        return fail_leaf(infer, tensor, in);
    tensor->size_bytes = (size_t)(to - tensor->data);
    return found == count ? QN_OK : fail_count(infer);
}

QnStatus qs_infer_read_data(QsInfer *infer, QsTensor *tensor, QnBytes json)
{
    QnError *err = &infer->call->err;
    const char *type = qs_data_type_name(tensor->type);
    QnJson in = qn_json(json);
    int64_t count;
    in.allow_nan = true;
    if (qn_json_kind(&in) != QN_JSON_ARRAY)
        return qn_fail(err, QN_INTERNAL,
                       "Unable to parse 'data': attempt to access JSON non-array as array");
    if (tensor->type == QS_FP16 || tensor->type == QS_BF16)
        return qn_fail(
            err, QN_BAD_ARGUMENT,
            "receiving %s data via JSON is not supported. Please use the binary data format for input %s",
            type, tensor->name);
    if (tensor->rank == 0 && infer->model->config->max_batch_size > 0)
        return QN_OK; /* the check refuses it for its shape, whatever the data are */
    /* Every element takes a byte of text at least, so a shape that lies costs no memory. */
    if (!qs_count_elements(&count, tensor->dims, tensor->rank) || (uint64_t)count > json.size)
        return fail_count(infer);
    const size_t size = tensor->type == QS_BYTES ? json.size + 2 * (size_t)count
                                                 : (size_t)count * qs_data_type_size(tensor->type);
    tensor->data = qn_arena_alloc_raw(&infer->call->arena, size ? size : 1, 64);
    if (!tensor->data)
        return qn_no_memory(err);
    qn_json_begin_array(&in);
    return tensor->type == QS_BYTES ? read_strings(infer, tensor, &in, count)
                                    : read_numbers(infer, tensor, &in, count);
}
