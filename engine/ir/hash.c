/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that stand for tensors and modules.  Not against an attacker: equal ones are compared
 * where it matters. */
#include <string.h>

#include "engine/ir/text.h"

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *data, size_t size)
{
    hash = mix(hash, size);
    for (; size >= 8; data += 8, size -= 8)
        hash = mix(hash, qn_load_u64(data));
    uint64_t last = 0;
    if (size)
        memcpy(&last, data, size);
    return mix(hash, last);
}

static QnString string_at(const QnTensor *tensor, int64_t i)
{
    QnString string;
    memcpy(&string, (const uint8_t *)tensor->data + (size_t)i * sizeof string, sizeof string);
    return string;
}

static size_t data_size(const QnTensor *tensor)
{
    return (size_t)qn_tensor_count(tensor) * qn_type_size(tensor->type);
}

uint64_t qn_tensor_hash(const QnTensor *tensor)
{
    uint64_t hash = mix((uint64_t)tensor->type, (uint64_t)tensor->rank);
    for (int i = 0; i < tensor->rank; i++)
        hash = mix(hash, (uint64_t)tensor->dims[i]);
    if (tensor->type != QN_STRING)
        return hash_bytes(hash, tensor->data, data_size(tensor));
    for (int64_t i = 0; i < qn_tensor_count(tensor); i++) {
        const QnString string = string_at(tensor, i);
        hash = hash_bytes(hash, (const uint8_t *)string.data, string.size);
    }
    return hash;
}

bool qn_tensor_is_same(const QnTensor *a, const QnTensor *b)
{
    if (a->type != b->type || a->rank != b->rank)
        return false;
    for (int i = 0; i < a->rank; i++)
        if (a->dims[i] != b->dims[i])
            return false;
    if (a->type != QN_STRING)
        return data_size(a) == 0 || memcmp(a->data, b->data, data_size(a)) == 0;
    for (int64_t i = 0; i < qn_tensor_count(a); i++) {
        const QnString x = string_at(a, i), y = string_at(b, i);
        if (!qn_bytes_equal(qn_bytes(x.data, x.size), qn_bytes(y.data, y.size)))
            return false;
    }
    return true;
}

QnStatus qn_module_hash(uint64_t *out, const QnModule *module, QnError *err)
{
    QnText text = qn_text(module->arena.allocator);
    qn_module_print(module, &text);
    const bool failed = text.failed;
    if (!failed)
        *out = hash_bytes(1, (const uint8_t *)qn_text_string(&text), text.size);
    qn_text_finish(&text);
    return failed ? qn_no_memory(err) : QN_OK;
}
