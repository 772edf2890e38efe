/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the planner share while a plan is made. */
#ifndef QN_ENGINE_PLAN_PLANNER_H
#define QN_ENGINE_PLAN_PLANNER_H

#include "engine/plan/plan.h"

typedef struct QnPlanner {
    QnPlan *plan;
    const QnPlanRequest *request;
    QnArena scratch;
    QnArena *arena; /* the plan's */
    int *of_value;  /* [module->value_count] IR value id -> plan value; -1: none yet */
    int *converted; /* [value_capacity][2]: the same value in PLAIN and in NHWC; -1: not made */
    int value_capacity, step_capacity;
    const QnOffer *
        *chosen;      /* [module->node_count] the offer that computes a node; NULL: none yet */
    int64_t *sizes;   /* [dims.count] planning values of the rows */
    bool *is_defined; /* [dims.count] late symbols that a LATE_BIND made so far gives values to */
    int *visited;     /* [dims.count] for the walk of qn_planner_is_defined: the walk's number */
    int walk;
    int since_bind;        /* the step behind the last LATE_BIND */
    int segment;           /* the LATE_BIND step that binds what is made now; -1: none */
    const char *lost_kind; /* a packing that a plan file should have and has not; NULL: none */
    QnError *err;
} QnPlanner;

/* The size assumed for a dimension that is not known. */
static inline int64_t qn_planner_free_dim(const QnPlanner *p)
{
    return p->request->free_dim > 0 ? p->request->free_dim : 16;
}

/* Makes a plan value.  -1 where there is no memory. */
int qn_planner_add_value(QnPlanner *p, const QnIrValue *value, const QnIrType *type,
                         QnStorage storage);

/* The number of an IR value: a constant or content is made on demand.  -1 where it has none (never
 * computed) or there is no memory. */
int qn_planner_value(QnPlanner *p, const QnIrValue *value);

/* Says why a value has no number: no memory, or nothing makes it before it is read. */
QnStatus qn_planner_fail_value(const QnPlanner *p, const QnIrValue *value);

/* Appends a step with copies of the lists; NULL where there is no memory.
 * Valid until the next is added. */
QnStep *qn_planner_add_step(QnPlanner *p, QnStepKind kind, const QnNode *node, const int *inputs,
                            int input_count, const int *outputs, int output_count);

/*
 * Appends a LATE_BIND that reads the late symbols among the shapes of what the steps since the last
 * one made, and of `values` (value -1: skipped).
 */
QnStatus qn_planner_late_bind(QnPlanner *p, const int *values, int count);

/* A value's number in a layout that `accepts` allows: itself, or a conversion, appended now. */
QnStatus qn_planner_in_layout(QnPlanner *p, int value, unsigned accepts, int *out);

/* Notes a packed constant for sharing and for the plan file. */
QnStatus qn_planner_keep_packed(QnPlanner *p, const QnTensor *constant, const char *kind,
                                size_t size, const void *data);

/* Lowers all nodes of a graph, in order. */
QnStatus qn_planner_lower_graph(QnPlanner *p, QnGraph *graph);

/* Lowers If, Loop or Scan: control.c. */
QnStatus qn_planner_lower_control(QnPlanner *p, const QnNode *node);

/* Which inputs and outputs are state; the growing state that a node appends to, -1: none; that
 * node's step: state.c. */
QnStatus qn_planner_find_states(QnPlanner *p);
int qn_planner_growing_state(const QnPlanner *p, const QnNode *node);
QnStatus qn_planner_lower_extend(QnPlanner *p, const QnNode *node, int state);

/* Lifetimes, storage, slots, in-place; drops steps that nothing needs: lifetime.c. */
QnStatus qn_planner_drop_dead(QnPlanner *p);
QnStatus qn_planner_place(QnPlanner *p);

/* Are all dims of a type given by inputs and by what the LATE_BINDs made so far read? */
bool qn_planner_is_defined(QnPlanner *p, const QnIrType *type);

/* Does a type have late dims, or no rank, or is it no tensor? */
bool qn_planner_is_late(const QnPlanner *p, const QnIrType *type);

#endif
