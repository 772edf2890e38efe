/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ir/scope.h"

#include <string.h>

typedef struct QnScopeSlot Slot;

static Slot *find_slot(const QnScope *scope, const char *name)
{
    uint64_t hash = 1;
    for (const char *c = name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x9e3779b97f4a7c15);
    const uint64_t mask = (uint64_t)scope->slot_count - 1;
    uint64_t at = (hash ^ hash >> 32) & mask;
    while (scope->slots[at].name && strcmp(scope->slots[at].name, name) != 0)
        at = (at + 1) & mask;
    return &scope->slots[at];
}

static QnStatus grow(QnScope *scope)
{
    QnScope larger = *scope;
    if (2 * (scope->count + 1) <= scope->slot_count)
        return QN_OK;
    larger.slot_count = scope->slot_count ? 2 * scope->slot_count : 64;
    QN_ALLOC(larger.slots, scope->arena, larger.slot_count);
    for (int i = 0; i < scope->slot_count; i++)
        if (scope->slots[i].name)
            *find_slot(&larger, scope->slots[i].name) = scope->slots[i];
    *scope = larger;
    return QN_OK;
}

QnIrValue *qn_scope_find(const QnScope *scope, const char *name)
{
    return scope->slot_count ? find_slot(scope, name)->value : NULL;
}

QnStatus qn_scope_enter(QnScope *scope, QnIrValue *value)
{
    QN_TRY(grow(scope));
    QN_GROW(scope->visible, scope->visible_count, scope->visible_capacity, scope->arena);
    Slot *slot = find_slot(scope, value->name);
    if (slot->value)
        return QN_BAD_MODEL;
    scope->count += slot->name == NULL;
    *slot = (Slot){value->name, value};
    scope->visible[scope->visible_count++] = value;
    return QN_OK;
}

void qn_scope_leave(QnScope *scope, int visible_count)
{
    while (scope->visible_count > visible_count)
        find_slot(scope, scope->visible[--scope->visible_count]->name)->value = NULL;
}
