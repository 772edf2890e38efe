/* SPDX-License-Identifier: Apache-2.0 */
/* The names that are visible while one goes through nested graphs. */
#ifndef QN_ENGINE_IR_SCOPE_H
#define QN_ENGINE_IR_SCOPE_H

#include "engine/ir/graph.h"

typedef struct QnScope {
    QnArena *arena; /* borrowed */
    struct QnScopeSlot {
        const char *name; /* NULL: free */
        QnIrValue *value; /* NULL: out of sight */
    } * slots;            /* [slot_count] open hash table, at most half full */
    int count, slot_count;
    QnIrValue **visible; /* [visible_count] in the order in which they came */
    int visible_count, visible_capacity;
} QnScope;

/* The visible value of that name, or NULL. */
QnIrValue *qn_scope_find(const QnScope *scope, const char *name);

/* Makes a value visible.  QN_NO_MEMORY; QN_BAD_MODEL where another one of that name is. */
QnStatus qn_scope_enter(QnScope *scope, QnIrValue *value);

/* Takes all out of sight but the first `visible_count`. */
void qn_scope_leave(QnScope *scope, int visible_count);

#endif
