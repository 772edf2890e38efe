/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of values and what is known by them: one table per graph, chained to that of the graph
 * around it.
 *
 * What a name stands for is up to the user: a hint, a value of the IR, another name.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_SCOPE_H
#define QN_ENGINE_FORMATS_ONNX_SCOPE_H

#include "base/arena.h"

typedef struct OnnxSlot {
    const char *name; /* borrowed; NULL: free */
    void *thing;
} OnnxSlot;

typedef struct OnnxScope {
    const struct OnnxScope *parent; /* NULL: the outermost */
    QnArena *arena;
    OnnxSlot *slots; /* [capacity], a power of two; open addressing */
    int count, capacity;
} OnnxScope;

static inline OnnxScope onnx_scope(QnArena *arena, const OnnxScope *parent)
{
    return (OnnxScope){.parent = parent, .arena = arena};
}

/* Puts a name, or replaces what it stands for.  `thing` must not be NULL. */
QnStatus onnx_scope_put(OnnxScope *scope, const char *name, void *thing);

/* What a name stands for in this scope alone; in this or the nearest one outwards.
 * NULL: nothing. */
void *onnx_scope_find_here(const OnnxScope *scope, const char *name);
void *onnx_scope_find(const OnnxScope *scope, const char *name);

#endif
