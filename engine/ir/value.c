/* SPDX-License-Identifier: Apache-2.0 */
/* Element types and tensors: include/quern/value.h. */
#include "quern/value.h"

#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[QN_TYPE_COUNT] = {
#define ROW(name, number, text, bits, bytes) [number] = {text, bytes},
    QN_TYPE_MAP(ROW)
#undef ROW
};

const char *qn_type_name(QnType type)
{
    return (unsigned)type < QN_TYPE_COUNT && types[type].name ? types[type].name : "undefined";
}

QnType qn_type_find(const char *name)
{
    for (int i = 1; i < QN_TYPE_COUNT; i++)
        if (!strcmp(types[i].name, name))
            return (QnType)i;
    return QN_UNDEFINED;
}

size_t qn_type_size(QnType type)
{
    return (unsigned)type < QN_TYPE_COUNT ? types[type].size : 0;
}

int64_t qn_tensor_count(const QnTensor *tensor)
{
    int64_t count = 1;
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->dims[i];
    return count;
}

bool qn_tensor_is_contiguous(const QnTensor *tensor)
{
    int64_t stride = (int64_t)qn_type_size(tensor->type);
    if (qn_tensor_count(tensor) == 0)
        return true;
    for (int i = tensor->rank - 1; i >= 0; i--) {
        if (tensor->dims[i] != 1 && tensor->strides[i] != stride)
            return false;
        stride *= tensor->dims[i];
    }
    return true;
}

QnTensor qn_tensor(QnType type, int rank, const int64_t *dims, void *data)
{
    QnTensor tensor = {.type = type, .rank = rank, .data = data};
    uint64_t stride = qn_type_size(type); /* dims may be what no memory holds: it wraps */
    for (int i = rank - 1; i >= 0; i--) {
        tensor.dims[i] = dims[i];
        tensor.strides[i] = (int64_t)stride;
        stride *= (uint64_t)dims[i];
    }
    tensor.size_bytes = (size_t)stride;
    return tensor;
}

QnValue qn_value_tensor(QnTensor tensor)
{
    return (QnValue){.kind = QN_TENSOR, .type = tensor.type, .tensor = tensor};
}
