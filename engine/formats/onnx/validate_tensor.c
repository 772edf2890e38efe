/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of stored tensors: a known type, sane dims, exactly one storage of exactly the right size.
 */
#include "base/checked.h"
#include "engine/formats/onnx/tensor.h"
#include "engine/formats/onnx/validate.h"

#include <string.h>

int64_t onnx_count_elements(const QnProtoList *dims)
{
    int64_t count = 1;
    bool is_empty = false;
    if (dims->count > QN_MAX_RANK)
        return -1;
    for (size_t i = 0; i < dims->count; i++) {
        if (dims->i64[i] < 0)
            return -1;
        if (dims->i64[i] == 0)
            is_empty = true;
        else if (!qn_mul_i64(&count, count, dims->i64[i]))
            return -1;
    }
    return is_empty ? 0 : count;
}

static void complain(const QnReader *in, const char *rule, const char *owner, const char *found,
                     const char *expected)
{
    onnx_add_finding(in, (QnFinding){.severity = QN_SEVERE,
                                     .rule = rule,
                                     .node = owner,
                                     .found = found,
                                     .expected = expected});
}

static const char *dims_text(const QnReader *in, const QnProtoList *dims)
{
    const char *text = "[";
    for (size_t i = 0; i < dims->count && i < 2 * QN_MAX_RANK; i++)
        text = onnx_say(in, "%s%s%lld", text, i ? ", " : "", (long long)dims->i64[i]);
    return onnx_say(in, "%s]", text);
}

/* The typed fields that hold something, and raw data: at most one may. */
static int count_storages(const OnnxTensor *tensor)
{
    return (tensor->floats.count > 0) + (tensor->ints32.count > 0) + (tensor->ints64.count > 0) +
           (tensor->doubles.count > 0) + (tensor->uints64.count > 0) + (tensor->strings.count > 0) +
           (tensor->has_raw && tensor->raw.size > 0) + tensor->is_external;
}

static void check_storage(const QnReader *in, const OnnxTensor *tensor, int64_t count,
                          const char *owner)
{
    const OnnxStorage storage = onnx_tensor_storage(tensor);
    if (count_storages(tensor) > 1) {
        complain(in, "onnx-tensor-storage", owner, "its values are stored in more than one field",
                 "one");
    } else if (tensor->type == QN_STRING && (tensor->has_raw || tensor->is_external) && count > 0) {
        complain(in, "onnx-tensor-storage", owner, "its strings are stored as bytes",
                 "string_data");
    } else if (tensor->is_external) {
        return; /* checked where the file is opened */
    } else if (tensor->has_raw && tensor->type != QN_STRING) {
        const uint64_t want = onnx_storage_size((QnType)tensor->type, count);
        if (tensor->raw.size != want)
            complain(in, "onnx-tensor-size", owner,
                     onnx_say(in, "raw_data has %zu bytes", tensor->raw.size),
                     onnx_say(in, "%llu for %s %s", (unsigned long long)want,
                              qn_type_name((QnType)tensor->type), dims_text(in, &tensor->dims)));
    } else if (storage.count != storage.wanted(count)) {
        complain(in, "onnx-tensor-size", owner,
                 onnx_say(in, "%s has %zu entries", storage.field, storage.count),
                 onnx_say(in, "%llu for %s %s", (unsigned long long)storage.wanted(count),
                          qn_type_name((QnType)tensor->type), dims_text(in, &tensor->dims)));
    }
}

static bool check_type_and_dims(const QnReader *in, const OnnxTensor *tensor, const char *owner)
{
    if (tensor->type <= 0 || tensor->type >= QN_TYPE_COUNT) {
        complain(in, "onnx-tensor-type", owner, onnx_say(in, "element type %d", tensor->type),
                 onnx_say(in, "1 to %d", QN_TYPE_COUNT - 1));
        return false;
    }
    if (onnx_count_elements(&tensor->dims) < 0) {
        complain(
            in, "onnx-tensor-dims", owner, onnx_say(in, "dims %s", dims_text(in, &tensor->dims)),
            onnx_say(in, "at most %d, none negative, whose product fits 63 bits", QN_MAX_RANK));
        return false;
    }
    return true;
}

void onnx_check_tensor(const QnReader *in, const OnnxTensor *tensor, const char *owner)
{
    if (!check_type_and_dims(in, tensor, owner))
        return;
    if (tensor->has_segment)
        complain(in, "onnx-tensor-segment", owner, "it is stored in segments", "a whole tensor");
    check_storage(in, tensor, onnx_count_elements(&tensor->dims), owner);
}

/* --- sparse ones --- */

static bool check_sparse_shape(const QnReader *in, const OnnxSparse *sparse, const char *owner)
{
    const QnProtoList *values = &sparse->values.dims, *indices = &sparse->indices.dims;
    if (onnx_count_elements(&sparse->dims) < 0)
        complain(in, "onnx-sparse-dims", owner,
                 onnx_say(in, "dims %s", dims_text(in, &sparse->dims)),
                 "some whose product fits 63 bits");
    else if (values->count != 1)
        complain(in, "onnx-sparse-values", owner, onnx_say(in, "values of rank %zu", values->count),
                 "1");
    else if (sparse->indices.type != QN_INT64)
        complain(in, "onnx-sparse-indices", owner,
                 onnx_say(in, "indices of type %s", qn_type_name((QnType)sparse->indices.type)),
                 "int64");
    else if ((indices->count != 1 && indices->count != 2) || indices->i64[0] != values->i64[0] ||
             (indices->count == 2 && indices->i64[1] != (int64_t)sparse->dims.count))
        complain(in, "onnx-sparse-indices", owner,
                 onnx_say(in, "indices of shape %s", dims_text(in, indices)),
                 onnx_say(in, "[%lld] or [%lld, %zu]", (long long)values->i64[0],
                          (long long)values->i64[0], sparse->dims.count));
    else
        return true;
    return false;
}

static void check_sparse_order(const QnReader *in, const OnnxSparse *sparse, const char *owner)
{
    int64_t before = -1;
    for (int64_t i = 0; i < sparse->values.dims.i64[0]; i++) {
        const int64_t at = onnx_sparse_position(sparse, i);
        if (at < 0 || at >= onnx_count_elements(&sparse->dims)) {
            complain(in, "onnx-sparse-indices", owner,
                     onnx_say(in, "index %lld lies outside", (long long)i),
                     dims_text(in, &sparse->dims));
            return;
        }
        if (at <= before) {
            complain(in, "onnx-sparse-order", owner,
                     onnx_say(in, "index %lld is not past the one before it", (long long)i),
                     "ascending indices without repetition");
            return;
        }
        before = at;
    }
}

void onnx_check_sparse(const QnReader *in, const OnnxSparse *sparse, const char *owner)
{
    const int severe = in->report ? in->report->counts[QN_SEVERE] : 0;
    if (sparse->indices.is_external) {
        complain(in, "onnx-sparse-indices", owner, "its indices are external data",
                 "indices in the file");
        return;
    }
    onnx_check_tensor(in, &sparse->values, owner);
    onnx_check_tensor(in, &sparse->indices, owner);
    if (check_sparse_shape(in, sparse, owner) &&
        (!in->report || in->report->counts[QN_SEVERE] == severe))
        check_sparse_order(in, sparse, owner);
}
