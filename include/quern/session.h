/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: running plans. */
#ifndef QUERN_SESSION_H
#define QUERN_SESSION_H

#include "quern/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * One thread's way to run a plan.
 *
 * A session owns the activation memory of one run, so it must not be used by two threads at
 * once (by one after the other it may).  The plan it runs is immutable: any number of sessions may
 * share it.
 */
typedef struct QnSession QnSession;

/** The threads that runs are computed on.  Shared by any number of sessions in any threads. */
typedef struct QnThreadPool QnThreadPool;

/**
 * Makes a pool of threads.
 *
 * @param out   the caller frees it.
 * @param count how many, the caller of a run included, at most 4,096; 0 or less: as many as this
 *              process may use, by its affinity, its control groups' quota and the environment
 *              variable QN_THREADS.
 * @return QN_BAD_ARGUMENT: too many, or QN_THREADS is no number; QN_IO: the system refuses a
 *         thread; QN_NO_MEMORY.  *out is then unchanged.
 */
QN_API QnStatus qn_thread_pool_create(QnThreadPool **out, int count, QnError *err);

/** Ends the threads.  No session that uses the pool may exist any more.  NULL is fine. */
QN_API void qn_thread_pool_free(QnThreadPool *pool);

/** How many threads compute, the caller of a run included.  Any thread. */
QN_API int qn_thread_pool_size(const QnThreadPool *pool);

/** How a session is made.  {.size = sizeof(QnSessionOptions)} is a full set of defaults. */
typedef struct QnSessionOptions {
    size_t size;                  /**< sizeof(QnSessionOptions); see QnModelOptions */
    const QnAllocator *allocator; /**< NULL: the C library's; must outlive the session */
    QnThreadPool *pool;           /**< borrowed as long as the session lives; NULL: runs use the
                                     calling thread only */
    int64_t max_iterations;       /**< of each loop in a run; 0: 2^31 */
    int64_t max_steps;            /**< that one run may execute; 0: 2^40 */
    /** Bytes of activations, scratch and states together, and again of strings, sequences and
     * maps; a run that needs more gives QN_NO_MEMORY.  0: no limit. */
    uint64_t limit_bytes;
} QnSessionOptions;

/**
 * Makes a session.  Any thread.
 *
 * @param out     the caller frees it.
 * @param plan    must outlive the session.
 * @param options borrowed until the call returns; NULL: defaults.
 * @return QN_BAD_ARGUMENT: options that this version does not know; QN_NO_MEMORY.  *out is then
 *         unchanged.
 */
QN_API QnStatus qn_session_create(QnSession **out, const QnPlan *plan,
                                  const QnSessionOptions *options, QnError *err);

/** Frees a session and the outputs that are its memory.  NULL is fine. */
QN_API void qn_session_free(QnSession *session);

/**
 * A wish that runs end.  {0} is one that was not uttered; qn_cancel() utters it, from any thread,
 * for all runs that the token was given to: each returns QN_CANCELLED after the step, or the part
 * of a long step, that it is in.  It must outlive these runs.  To use it again, set it to {0} when
 * none of them is left.
 */
typedef struct QnCancel {
    volatile int is_cancelled; /**< read and written as an atomic, by qn_cancel() and runs */
} QnCancel;

/** Ends the runs that have this token.  Any thread, any number of times, also before a run. */
QN_API void qn_cancel(QnCancel *cancel);

/** What an observer learns about one step, right after it ran.  Texts are terminated, "" where one
 * does not apply, and valid as long as the plan. */
typedef struct QnStepEvent {
    int step;           /**< its index in the plan; a step of a loop comes more than once */
    const char *name;   /**< the name in the model of the (first) node that it computes; of what the
                           planner added, the value's that it makes */
    const char *op;     /**< the node's operator in the model; "" of what the planner added */
    const char *kernel; /**< which kernel computed it */
    int tier;           /**< 0 none, 1 reference, 2 portable, 3 tuned */
    int64_t nanoseconds; /**< wall time */
    double operations;   /**< additions and multiplications of fp32, by the operators' formulas; 0:
                            not counted */
    const char *const *output_names; /**< [output_count] the values it made, "" where one has no
                                        name; valid during the call */
    const QnValue *outputs; /**< [output_count] of any strides; valid during the call, not to be
                               written */
    int output_count;
} QnStepEvent;

/** How one run is done.  {.size = sizeof(QnRunOptions)} is a full set of defaults.  All that it
 * points to is borrowed until the run returns; its functions are called on the thread of the run.
 */
typedef struct QnRunOptions {
    size_t size;            /**< sizeof(QnRunOptions); see QnModelOptions */
    const QnCancel *cancel; /**< NULL: not cancellable */
    int64_t deadline_ns;    /**< CLOCK_MONOTONIC; past it the run ends with QN_CANCELLED; 0: none */
    int threads;            /**< at most so many of the pool; 0: all of it */
    /** Called after each step that makes values.  NULL: not (and then no step is timed).  It must
     * not use the session. */
    void (*observe)(void *user, const QnStepEvent *event);
    /**
     * Gives the memory for the data of output tensor number `output`, `size` > 0 bytes, aligned to
     * at least the element; NULL refuses (QN_NO_MEMORY).  It stays the giver's; `shape` is valid
     * during the call, and its data is not to be used.  Without it outputs are memory of the
     * session.  Not called for outputs whose data the caller gave, nor for those that are skipped,
     * without elements or no tensors.
     */
    void *(*allocate)(void *user, int output, const QnTensor *shape, size_t size);
    void *user;    /**< handed to `observe` and `allocate` */
    uint64_t seed; /**< the random operators' sequence begins anew from it; 0: it goes on from run
                      to run, from the same beginning in every session */
    /** [qn_plan_output_count] true: nobody wants that output, whose value becomes QN_NONE; NULL:
     * all are wanted.  States are kept all the same. */
    const bool *skip;
} QnRunOptions;

/**
 * Runs the plan once.  After the first run with a shape bucket it allocates nothing.
 *
 * A state that grows is kept where it lies.  Its output is then a view with strides, since there is
 * room behind each row, unless the caller or the allocator gives memory for it.  Leave the input
 * out and the rows of this run are appended to all that came before; or give the output of the last
 * run back, cut short (a smaller dims[axis]) if need be, which copies nothing either.
 *
 * @param inputs  [qn_plan_input_count] one value (tensor, sequence, optional, map) per input, in
 *                order; borrowed until the call returns.  Where the model's dimension is -1, any
 *                size >= 0 will do.  Any alignment and strides will do.  Kind QN_NONE: left out,
 *                for an input with a default, a state (which begins as zeros) or an optional (which
 *                is then empty).  Memory of the session is no input, except for the output of a
 *                state that grows.  NULL is fine where there are none.
 * @param outputs [qn_plan_output_count] in: where a tensor's data is NULL (or the kind QN_NONE),
 *                it comes from the options' output allocator or, without one, is memory of the
 *                session that stays valid until its next run or its end; else `data` is aligned to
 *                the element, overlaps neither inputs nor other outputs, and has room for
 *                `size_bytes`.  Type, rank and dims are not looked at.  out: the values; those in
 *                memory that was given are contiguous, and their `size_bytes` stays the room that
 *                there is.  The items of collections and the bytes of strings are always memory of
 *                the session.  Nothing of an output is shared with inputs or with the plan.
 * @param options NULL: defaults.
 * @return QN_BAD_TENSOR if an input does not fit the model (nothing was run), an operator met data
 *         it cannot take, memory for an output is too small, or the run takes more iterations or
 *         steps than it may; QN_CANCELLED; QN_NO_MEMORY; QN_UNSUPPORTED: an operator met data that
 *         this version does not compute; QN_BAD_ARGUMENT: options that this version does not know.
 *         After a failure outputs are unspecified, the session is usable and its states are as they
 *         were before, but for a state that grows and whose input was given: it may be forgotten.
 */
QN_API QnStatus qn_session_run(QnSession *session, const QnValue *inputs, QnValue *outputs,
                               const QnRunOptions *options, QnError *err);

/** Forgets the states (caches, recurrent values): the next run begins anew.  Outputs of the last
 * run stay valid. */
QN_API void qn_session_reset(QnSession *session);

/** Memory of a session, in bytes, as the last run left it. */
typedef struct QnMemoryInfo {
    uint64_t activation_bytes;  /**< planned values; the slab they lie in is as large as the largest
                                   run since the session was made needed it */
    uint64_t lower_bound_bytes; /**< the largest sum of their bytes alive at one step: no plan can
                                   need less */
    uint64_t dynamic_bytes;     /**< states, copies of inputs, values whose size is known only while
                                   running, and the run's arena */
    uint64_t scratch_bytes;     /**< what kernels need while they run */
    uint64_t weight_bytes;      /**< of the plan, shared by its sessions: packed weights and
                                   constants */
} QnMemoryInfo;

/** How much memory the last run took; zeros before the first one, but for the weights. */
QN_API QnMemoryInfo qn_session_memory(const QnSession *session);

#ifdef __cplusplus
}
#endif
#endif
