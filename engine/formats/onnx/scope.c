/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of names. */
#include "engine/formats/onnx/scope.h"

#include <string.h>

/* FNV-1a, and a mix that brings the high bits down. */
static uint64_t hash(const char *name)
{
    uint64_t h = 0xcbf29ce484222325u;
    for (; *name; name++)
        h = (h ^ (unsigned char)*name) * 0x100000001b3u;
    return h ^ h >> 29;
}

/* The slot that holds `name`, or the free one where it would go.  There is always a free one. */
static OnnxSlot *find_slot(const OnnxScope *scope, const char *name)
{
    const uint64_t mask = (uint64_t)scope->capacity - 1;
    for (uint64_t i = hash(name) & mask;; i = (i + 1) & mask) {
        OnnxSlot *slot = &scope->slots[i];
        if (!slot->name || !strcmp(slot->name, name))
            return slot;
    }
}

static QnStatus grow(OnnxScope *scope)
{
    const OnnxScope old = *scope;
    OnnxSlot *slots;
    const int capacity = old.capacity ? 2 * old.capacity : 16;
    QN_ALLOC(slots, scope->arena, capacity);
    scope->slots = slots;
    scope->capacity = capacity;
    for (int i = 0; i < old.capacity; i++)
        if (old.slots[i].name)
            *find_slot(scope, old.slots[i].name) = old.slots[i];
    return QN_OK;
}

QnStatus onnx_scope_put(OnnxScope *scope, const char *name, void *thing)
{
    if (4 * (int64_t)(scope->count + 1) > 3 * (int64_t)scope->capacity)
        QN_TRY(grow(scope));
    OnnxSlot *slot = find_slot(scope, name);
    if (!slot->name)
        scope->count++;
    *slot = (OnnxSlot){name, thing};
    return QN_OK;
}

void *onnx_scope_find_here(const OnnxScope *scope, const char *name)
{
    return scope->capacity ? find_slot(scope, name)->thing : NULL;
}

void *onnx_scope_find(const OnnxScope *scope, const char *name)
{
    for (; scope; scope = scope->parent) {
        void *thing = onnx_scope_find_here(scope, name);
        if (thing)
            return thing;
    }
    return NULL;
}
