/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: a model compiled for the machine at hand. */
#ifndef QUERN_PLAN_H
#define QUERN_PLAN_H

#include "quern/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A compiled model.  Immutable: any number of sessions in any threads may share it. */
typedef struct QnPlan QnPlan;

/** How exact arithmetic has to be. */
typedef enum QnMath {
    QN_MATH_NORMAL, /**< fp32 results with the error of fp32 arithmetic; any order of sums, Winograd
                       allowed */
    QN_MATH_STRICT, /**< no kernel whose error grows beyond that of plain sums */
} QnMath;

/** How a plan is built.  {sizeof(QnPlanOptions)} is a full set of defaults. */
typedef struct QnPlanOptions {
    size_t size;                  /**< sizeof(QnPlanOptions) */
    const QnAllocator *allocator; /**< NULL: the C library's; must outlive the plan */
    const char *device;           /**< "cpu"; NULL: the best there is */
    QnMath math;
    const char
        *without; /**< passes to leave out, "fold-constants,cse"; "all": every one; NULL: none */
    bool no_reference; /**< a step that only the reference can compute is an error (QN_UNSUPPORTED)
                        */
    /** Called with the graph's text after a pass; NULL: not.  `print_after`: the pass's name, or
     * "all". */
    const char *print_after;
    void (*print)(void *user, const char *pass, const char *text);
    void *print_user;
    /** (input name, output name) pairs that are state, {"past", "present", …, NULL}; NULL: none. */
    const char *const *states;
    bool keep_all; /**< every tensor of the model survives, for comparing layer by layer: no fusion
                      across named values */
    int64_t free_dim; /**< the size assumed for open dimensions when costs are weighed; 0: the
                         default */
} QnPlanOptions;

/**
 * Compiles a model.
 *
 * The model may be freed afterwards; its file's bytes stay in use as long as the plan lives.
 * @return QN_BAD_MODEL, QN_UNSUPPORTED, QN_BAD_ARGUMENT (an unknown pass or device), QN_NO_MEMORY;
 * *out is then unchanged.
 */
QN_API QnStatus qn_plan_build(QnPlan **out, const QnModel *model, const QnPlanOptions *options,
                              QnFindings *findings, QnError *err);

/** Frees a plan.  No session of it may exist any more.  NULL is fine. */
QN_API void qn_plan_free(QnPlan *plan);

/** Writes a plan file: created beside `path` and renamed, mode 0600.  @return QN_IO, QN_NO_MEMORY.
 */
QN_API QnStatus qn_plan_save(const QnPlan *plan, const char *path, QnError *err);

/**
 * Maps a plan file and makes its plan.  The weights are not read.
 *
 * @return QN_IO; QN_BAD_MODEL: damaged; QN_UNSUPPORTED: made by another version or for other
 * options or CPU levels: the message says what differs and what to do.  *out is then unchanged.
 */
QN_API QnStatus qn_plan_load(QnPlan **out, const char *path, const QnPlanOptions *options,
                             QnError *err);

/** Inputs and outputs, as for a model. */
QN_API int qn_plan_input_count(const QnPlan *plan);
QN_API int qn_plan_output_count(const QnPlan *plan);
QN_API QnValueInfo qn_plan_input(const QnPlan *plan, int i);
QN_API QnValueInfo qn_plan_output(const QnPlan *plan, int i);

/** A value that sessions keep from run to run: the output of one run is the input of the next where
 * that is left out.  Names are borrowed from the plan. */
typedef struct QnStateInfo {
    const char *input, *output;
    bool grows; /**< the output is the input with rows appended, which copies nothing */
} QnStateInfo;

/** How many states sessions keep, and what the i-th, 0 <= i < count, is. */
QN_API int qn_plan_state_count(const QnPlan *plan);
QN_API QnStateInfo qn_plan_state(const QnPlan *plan, int i);

#ifdef __cplusplus
}
#endif
#endif
