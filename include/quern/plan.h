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
    /** fp32 results with the error of fp32 arithmetic; any order of sums, Winograd allowed. */
    QN_MATH_NORMAL,
    /** No kernel whose error grows beyond that of plain sums. */
    QN_MATH_STRICT,
} QnMath;

/** How a plan is built.  {.size = sizeof(QnPlanOptions)} is a full set of defaults.  All texts are
 * terminated; all pointers but the allocator are borrowed until the call returns. */
typedef struct QnPlanOptions {
    /** sizeof(QnPlanOptions); see QnModelOptions. */
    size_t size;
    /** NULL: the C library's; must outlive the plan. */
    const QnAllocator *allocator;
    /** "cpu", the one there is; NULL: the best there is. */
    const char *device;
    QnMath math;
    /** Passes to leave out, "fold-constants,cse"; "all": every one; NULL: none.  Those that are
     * required (see qn_pass_info()) run all the same. */
    const char *without;
    /** A step that only the reference can compute is an error (QN_UNSUPPORTED). */
    bool no_reference;
    /** The pass after which `print` is called, or "all"; NULL: none. */
    const char *print_after;
    /** Gets the graph's text after a pass, on the thread that builds; `pass` and `text` are
     * terminated and valid during the call.  It must not use the model.  NULL: nobody does. */
    void (*print)(void *user, const char *pass, const char *text);
    void *print_user; /**< handed to `print` */
    /**
     * What sessions keep from run to run: (input name, output name) pairs, {"past", "present", …,
     * NULL}, of tensors that are no strings.  {NULL}: nothing.  NULL: the model's own variables or,
     * where it has none, inputs named past… with the outputs named present… that end alike.
     */
    const char *const *states;
    /** Every tensor of the model survives, for comparing layer by layer:
     * no fusion across named values. */
    bool keep_all;
    /** The size assumed for open dimensions when costs are weighed, in elements; 0: 16.  Results
     * do not depend on it. */
    int64_t free_dim;
} QnPlanOptions;

/**
 * Compiles a model.  Any thread.
 *
 * The environment variable QN_CPU, the name of a level ("none", "avx2", …), takes the CPU's
 * instruction sets above that away.
 *
 * @param out      the caller frees it.
 * @param model    may be freed afterwards; the bytes that it was read from stay in use as long as
 *                 the plan lives, and so does its allocator.
 * @param options  NULL: defaults.
 * @param findings NULL, or a list that gets what is worth knowing of the plan.
 * @return QN_BAD_MODEL; QN_UNSUPPORTED: a step of the reference where `no_reference` is set, or a
 *         state that cannot be kept; QN_BAD_ARGUMENT: an unknown pass, device, state or option, or
 *         QN_CPU names no level; QN_NO_MEMORY.  *out is then unchanged.
 */
QN_API QnStatus qn_plan_build(QnPlan **out, const QnModel *model, const QnPlanOptions *options,
                              QnFindings *findings, QnError *err);

/** Frees a plan.  No session or view of it may exist any more.  NULL is fine. */
QN_API void qn_plan_free(QnPlan *plan);

/**
 * Writes a plan file: created beside `path` and renamed, mode 0600, so that nobody ever sees half
 * of it.  Also of a plan that was loaded.  Any thread.
 *
 * @param path terminated; borrowed until the call returns.
 * @return QN_IO, QN_NO_MEMORY; what `path` named before is then unchanged.
 */
QN_API QnStatus qn_plan_save(const QnPlan *plan, const char *path, QnError *err);

/**
 * Maps a plan file and makes its plan.  The weights are not read until a run needs them; the file
 * must not be truncated as long as the plan lives (replacing it by a rename is fine).  Any thread.
 *
 * @param out     the caller frees it.
 * @param path    terminated; borrowed until the call returns.
 * @param options as the plan was built with: `device`, `math`, `without` and `keep_all` must agree.
 *                `states` and `no_reference` are not in the file: what is said here holds.  No pass
 *                runs, so `print` is not called.  NULL: defaults.
 * @return QN_IO; QN_BAD_MODEL: damaged; QN_UNSUPPORTED: made by another version or for other
 *         options or CPU levels: the message says what differs and what to do; QN_BAD_ARGUMENT: an
 *         unknown device, state or option, or QN_CPU names no level; QN_NO_MEMORY.  *out is then
 *         unchanged.
 */
QN_API QnStatus qn_plan_load(QnPlan **out, const char *path, const QnPlanOptions *options,
                             QnError *err);

/** How many inputs a run is given.  Any thread. */
QN_API int qn_plan_input_count(const QnPlan *plan);

/** How many outputs a run gives.  Any thread. */
QN_API int qn_plan_output_count(const QnPlan *plan);

/** The i-th input, as for a model, with texts borrowed from the plan.  Any thread. */
QN_API QnValueInfo qn_plan_input(const QnPlan *plan, int i);

/** The i-th output, in the same way.  Any thread. */
QN_API QnValueInfo qn_plan_output(const QnPlan *plan, int i);

/** A value that sessions keep from run to run: the output of one run is the input of the next where
 * that is left out.  Names are borrowed from the plan. */
typedef struct QnStateInfo {
    const char *input;  /**< the name of the input */
    const char *output; /**< the name of the output */
    /** The output is the input with rows appended, which copies nothing: see qn_session_run(). */
    bool grows;
} QnStateInfo;

/** How many states sessions keep.  Any thread. */
QN_API int qn_plan_state_count(const QnPlan *plan);

/** The i-th state; where there is none: empty names.  Any thread. */
QN_API QnStateInfo qn_plan_state(const QnPlan *plan, int i);

#ifdef __cplusplus
}
#endif
#endif
