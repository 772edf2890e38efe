/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/lookup.h"

#include <math.h>

#include "base/hash.h"

/* ---- keys ---- */

QnKey qn_key_of(const QnTensor *tensor, int64_t i)
{
    if (tensor->type == QN_STRING) {
        QnString text;
        memcpy(&text, (const uint8_t *)tensor->data + (size_t)i * sizeof text, sizeof text);
        return (QnKey){.text = text, .is_text = true};
    }
    if (!qn_type_is_float(tensor->type))
        return qn_key_of_int(qn_tensor_get_int(tensor, i));
    double value = qn_tensor_get(tensor, i);
    QnKey key = {.number = 0};
    value = isnan(value) ? (double)NAN : value == 0 ? 0 : value;
    memcpy(&key.number, &value, sizeof key.number);
    return key;
}

static bool is_same(QnKey a, QnKey b)
{
    if (a.is_text != b.is_text)
        return false;
    if (!a.is_text)
        return a.number == b.number;
    return a.text.size == b.text.size &&
           (a.text.size == 0 || memcmp(a.text.data, b.text.data, a.text.size) == 0);
}

static uint64_t hash_of(QnKey key)
{
    return key.is_text ? qn_hash(qn_bytes(key.text.data, key.text.size), 0)
                       : qn_hash_u64((uint64_t)key.number, 0);
}

/* ---- lists of attributes ---- */

bool qn_list_find(const QnNode *node, const char *name, QnTensor *out)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    if (!list)
        return false;
    const int64_t count = list->count;
    switch (list->kind) {
    case QN_ATTRIBUTE_FLOATS:
        *out = qn_tensor(QN_FLOAT, 1, &count, (void *)list->floats);
        return true;
    case QN_ATTRIBUTE_INTS:
        *out = qn_tensor(QN_INT64, 1, &count, (void *)list->ints);
        return true;
    case QN_ATTRIBUTE_STRINGS:
        *out = qn_tensor(QN_STRING, 1, &count, (void *)list->strings);
        return true;
    case QN_ATTRIBUTE_TENSOR:
        *out = *list->tensor;
        return true;
    default:
        return false;
    }
}

int qn_list_pick(const QnNode *node, const char *const *names, QnTensor *out)
{
    for (int i = 0; names[i]; i++)
        if (qn_list_find(node, names[i], out))
            return i;
    return -1;
}

/* ---- lookup ---- */

/* The slot that holds the key, or the free one where it would go. */
static int64_t *slot_of(const QnLookup *lookup, QnKey key)
{
    const uint64_t mask = (uint64_t)lookup->slot_count - 1;
    uint64_t at = hash_of(key) & mask;
    while (lookup->slots[at] && !is_same(key, qn_key_of(&lookup->keys, lookup->slots[at] - 1)))
        at = (at + 1) & mask;
    return &lookup->slots[at];
}

QnStatus qn_lookup_init(QnLookup *lookup, const QnTensor *keys, QnArena *arena)
{
    const int64_t count = qn_tensor_count(keys);
    *lookup = (QnLookup){.keys = *keys, .slot_count = 8};
    while (lookup->slot_count < 2 * count)
        lookup->slot_count *= 2;
    QN_ALLOC(lookup->slots, arena, lookup->slot_count);
    for (int64_t i = 0; i < count; i++)
        *slot_of(lookup, qn_key_of(keys, i)) = i + 1;
    return QN_OK;
}

int64_t qn_lookup_find(const QnLookup *lookup, QnKey key)
{
    return *slot_of(lookup, key) - 1;
}
