/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of stored tensors: a known type, sane dims, exactly one storage of exactly the right size.
 */
#include "base/checked.h"
#include "engine/formats/onnx/tensor.h"
#include "engine/formats/onnx/validate.h"

#include <string.h>

/* Bytes of an element in memory.  Strides, which are in bytes, must fit also where a dimension is 0
 * and there are no elements. */
enum { ELEMENT_MOST = 16 };

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
        else if (!qn_mul_i64(&count, count, dims->i64[i]) || count > INT64_MAX / ELEMENT_MOST)
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

/* --- external data: what its keys say; the file itself is looked at when it is read --- */

enum { PAGE_BYTES = 4096 };

static void remark(const QnReader *in, QnSeverity severity, const char *owner, const char *key,
                   const char *found, const char *remedy)
{
    onnx_add_finding(in, (QnFinding){.severity = severity,
                                     .rule = "onnx-external-data",
                                     .node = owner,
                                     .field = onnx_say(in, "external_data '%s'", key),
                                     .found = found,
                                     .remedy = remedy});
}

static void check_offset(const QnReader *in, const OnnxTensor *tensor, const OnnxEntry *entry,
                         const char *owner)
{
    uint64_t offset;
    const size_t element = qn_type_size((QnType)tensor->type);
    if (!qn_parse_u64(&offset, entry->value, strlen(entry->value)))
        return; /* reading says so */
    if (element && offset % element != 0)
        remark(in, QN_WARNING, owner, entry->key,
               onnx_say(in, "%llu is no multiple of an element's %zu bytes",
                        (unsigned long long)offset, element),
               "align it: every program has to copy the values");
    else if (offset % PAGE_BYTES != 0)
        remark(in, QN_NOTE, owner, entry->key,
               onnx_say(in, "%llu is no multiple of %d", (unsigned long long)offset, PAGE_BYTES),
               "align large tensors to pages: then they can be mapped");
}

static void check_external(const QnReader *in, const OnnxTensor *tensor, const char *owner)
{
    static const char *const known[] = {"location", "offset", "length", "checksum", "basepath"};
    uint32_t seen = 0;
    for (int i = 0; i < tensor->external.count; i++) {
        const OnnxEntry *entry = &tensor->external.items[i];
        size_t k = 0;
        while (k < QN_COUNT_OF(known) && strcmp(known[k], entry->key) != 0)
            k++;
        if (k == QN_COUNT_OF(known))
            remark(in, QN_WARNING, owner, entry->key, "no such key is known", "it is ignored");
        else if (seen & 1u << k)
            remark(in, QN_WARNING, owner, entry->key, "it is there twice", "the last one counts");
        else if (!strcmp(entry->key, "offset"))
            check_offset(in, tensor, entry, owner);
        seen |= k < QN_COUNT_OF(known) ? 1u << k : 0;
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
            onnx_say(in, "at most %d, none negative, whose product fits 59 bits", QN_MAX_RANK));
        return false;
    }
    return true;
}

static int count_severe(const QnReader *in)
{
    return in->report ? in->report->counts[QN_SEVERE] : 0;
}

void onnx_check_tensor(const QnReader *in, OnnxTensor *tensor, const char *owner)
{
    const int before = count_severe(in);
    if (check_type_and_dims(in, tensor, owner)) {
        if (tensor->has_segment)
            complain(in, "onnx-tensor-segment", owner, "it is stored in segments",
                     "a whole tensor");
        check_storage(in, tensor, onnx_count_elements(&tensor->dims), owner);
        if (tensor->is_external && in->options->is_checking)
            check_external(in, tensor, owner);
    }
    tensor->is_broken = count_severe(in) > before;
}

/* --- sparse ones --- */

static bool check_sparse_shape(const QnReader *in, const OnnxSparse *sparse, const char *owner)
{
    const QnProtoList *values = &sparse->values.dims, *indices = &sparse->indices.dims;
    if (onnx_count_elements(&sparse->dims) < 0)
        complain(in, "onnx-sparse-dims", owner,
                 onnx_say(in, "dims %s", dims_text(in, &sparse->dims)),
                 "some whose product fits 59 bits");
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

static void check_sparse(const QnReader *in, OnnxSparse *sparse, const char *owner)
{
    const int before = count_severe(in);
    if (sparse->indices.is_external) {
        complain(in, "onnx-sparse-indices", owner, "its indices are external data",
                 "indices in the file");
        return;
    }
    onnx_check_tensor(in, &sparse->values, owner);
    onnx_check_tensor(in, &sparse->indices, owner);
    if (check_sparse_shape(in, sparse, owner) && count_severe(in) == before)
        check_sparse_order(in, sparse, owner);
}

void onnx_check_sparse(const QnReader *in, OnnxSparse *sparse, const char *owner)
{
    const int before = count_severe(in);
    check_sparse(in, sparse, owner);
    sparse->values.is_broken = count_severe(in) > before;
}
