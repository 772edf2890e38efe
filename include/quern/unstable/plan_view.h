/* SPDX-License-Identifier: Apache-2.0 */
/* UNSTABLE, no ABI promise.  The steps of a plan. */
#ifndef QUERN_UNSTABLE_PLAN_VIEW_H
#define QUERN_UNSTABLE_PLAN_VIEW_H

#include "quern/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A value of a plan. */
typedef struct QnPlanValueInfo {
    const char *name;      /**< "" for what the planner made */
    const char *type_text; /**< "float[N,3]" */
    const char *layout;    /**< "plain", "nhwc", "strided" */
    const char *storage;   /**< where it lies: "slab", "view", "constant", "input", … */
    int base;              /**< of a view: the value in whose memory it lies; -1: none */
    int first, last;       /**< the steps between which it is alive, both included; -1: never */
} QnPlanValueInfo;

/** A step of a plan. */
typedef struct QnPlanStepInfo {
    const char *kind;            /**< "compute", "view", "call", "jump", … */
    const char *name, *op;       /**< of the (first) node it computes; "" where there is none */
    const char *kernel;          /**< which kernel computes it; "": none */
    int tier;                    /**< 0 none, 1 reference, 2 portable, 3 tuned */
    int node_count;              /**< how many nodes it computes */
    double cost_ns;              /**< predicted time on one thread */
    const int *inputs, *outputs; /**< [input_count], [output_count] indices of values; -1: absent */
    int input_count, output_count;
    int target; /**< of jumps: the step they go to; -1: it is none */
} QnPlanStepInfo;

/** The steps and values of a plan.  Immutable; any number of threads may read it.  Texts and lists
 * that it gives are valid as long as the view. */
typedef struct QnPlanView QnPlanView;

/** Looks at a plan, which must outlive the view.  The caller frees the view.  @return QN_NO_MEMORY;
 * *out is then unchanged. */
QN_API QnStatus qn_plan_view_create(QnPlanView **out, const QnPlan *plan, QnError *err);

/** Frees a view.  NULL is fine. */
QN_API void qn_plan_view_free(QnPlanView *view);

/** How many steps there are. */
QN_API int qn_plan_view_step_count(const QnPlanView *view);

/** How many values there are. */
QN_API int qn_plan_view_value_count(const QnPlanView *view);

/** The i-th step, 0 <= i < count. */
QN_API QnPlanStepInfo qn_plan_view_step(const QnPlanView *view, int i);

/** The i-th value, 0 <= i < count. */
QN_API QnPlanValueInfo qn_plan_view_value(const QnPlanView *view, int i);

/** Bytes of packed weights and constants that the plan keeps. */
QN_API uint64_t qn_plan_view_weight_bytes(const QnPlanView *view);

#ifdef __cplusplus
}
#endif
#endif
