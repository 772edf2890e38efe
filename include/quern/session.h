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
 * once.  The plan it runs is immutable: any number of sessions may share it.
 */
typedef struct QnSession QnSession;

/** The threads that runs are computed on.  Shared by any number of sessions in any threads. */
typedef struct QnThreadPool QnThreadPool;

/** Makes a pool of `count` threads, the caller of a run included; 0: as many as this process may
 * use.  @return QN_NO_MEMORY. */
QN_API QnStatus qn_thread_pool_create(QnThreadPool **out, int count, QnError *err);
/** Ends the threads.  No session that uses the pool may exist any more.  NULL is fine. */
QN_API void qn_thread_pool_free(QnThreadPool *pool);
QN_API int qn_thread_pool_size(const QnThreadPool *pool);

/** How a session is made.  {sizeof(QnSessionOptions)} is a full set of defaults. */
typedef struct QnSessionOptions {
    size_t size;                  /**< sizeof(QnSessionOptions) */
    const QnAllocator *allocator; /**< NULL: the C library's; must outlive the session */
    QnThreadPool *pool;           /**< borrowed; NULL: runs use the calling thread only */
    int64_t max_iterations;       /**< of each loop in a run; 0: 2^31 */
    int64_t max_steps;            /**< that one run may execute; 0: 2^40 */
    uint64_t limit_bytes;         /**< activations, scratch and states in all; 0: no limit */
} QnSessionOptions;

/** Makes a session.  The plan must outlive it.  @return QN_OK or QN_NO_MEMORY. */
QN_API QnStatus qn_session_create(QnSession **out, const QnPlan *plan,
                                  const QnSessionOptions *options, QnError *err);

/** Frees a session and the outputs that are its memory.  NULL is fine. */
QN_API void qn_session_free(QnSession *session);

/**
 * A wish that runs end.  {0} is one that was not uttered; qn_cancel() utters it, from any thread,
 * for all runs that the token was given to: each returns QN_CANCELLED after the block of work that
 * it is in.  It must outlive these runs.  To use it again, set it to {0} when none of them is left.
 */
typedef struct QnCancel {
    volatile int is_cancelled; /**< read and written as an atomic, by qn_cancel() and runs */
} QnCancel;

/** Ends the runs that have this token.  Any thread, any number of times, also before a run. */
QN_API void qn_cancel(QnCancel *cancel);

/** What an observer learns about one step, right after it ran. */
typedef struct QnStepEvent {
    int step;            /**< its index in the plan */
    const char *name;    /**< the node's name in the model */
    const char *op;      /**< its operator */
    const char *kernel;  /**< which kernel computed it */
    int tier;            /**< 1 reference, 2 portable, 3 tuned */
    int64_t nanoseconds; /**< wall time */
    const char *const
        *output_names;      /**< [output_count] the values it made, "" where one has no name */
    const QnValue *outputs; /**< [output_count] valid only during the call */
    int output_count;
} QnStepEvent;

/** How one run is done.  {sizeof(QnRunOptions)} is a full set of defaults. */
typedef struct QnRunOptions {
    size_t size;            /**< sizeof(QnRunOptions) */
    const QnCancel *cancel; /**< borrowed; NULL: not cancellable */
    int64_t deadline_ns;    /**< CLOCK_MONOTONIC; 0: none */
    int threads;            /**< at most so many of the pool; 0: all of it */
    /** Called after each step.  NULL: not (and then no clock is read). */
    void (*observe)(void *user, const QnStepEvent *event);
    /**
     * Gives the memory for the data of output tensor i, `size` > 0 bytes, aligned to at least the
     * element; NULL refuses (QN_NO_MEMORY). Without it outputs are memory of the session.  Not
     * called for outputs whose data the caller gave.
     */
    void *(*allocate)(void *user, int output, const QnTensor *shape, size_t size);
    void *user;
    uint64_t seed; /**< for random operators; 0: the session's own sequence */
    /** [qn_plan_output_count] true: nobody wants that output, whose value becomes QN_NONE; NULL:
     * all are wanted.  States are kept all the same. */
    const bool *skip;
} QnRunOptions;

/**
 * Runs the plan once.  After the first run with a shape bucket it allocates nothing.
 *
 * @param inputs  [qn_plan_input_count] one value (tensor, sequence, optional, map) per input, in
 * order; borrowed until the call returns.  Where the model's dimension is -1, any size
 *                >= 0 will do.  Any alignment and strides will do.  Kind QN_NONE: left out, for an
 * input with a default or a state.
 * @param outputs [qn_plan_output_count] where a tensor's data is NULL (or the kind QN_NONE), it
 * comes from the options' output allocator or, without one, is memory of the session that stays
 *                valid until the next run; else `size_bytes` must be large enough and the data
 * becomes contiguous.  The bytes of strings, and the items of collections, are memory of the
 * session or of the inputs, valid until the next run.
 * @param options NULL: defaults.
 * @return QN_BAD_TENSOR if an input does not fit the model (nothing was run) or an operator met
 * data it cannot take; QN_CANCELLED; QN_NO_MEMORY; QN_UNSUPPORTED.  After a failure outputs are
 * unspecified; the session is usable.
 */
QN_API QnStatus qn_session_run(QnSession *session, const QnValue *inputs, QnValue *outputs,
                               const QnRunOptions *options, QnError *err);

/** Forgets the states (caches, recurrent values): the next run begins anew. */
QN_API void qn_session_reset(QnSession *session);

/** Memory of the session after the last run, in bytes. */
typedef struct QnMemoryInfo {
    uint64_t activation_bytes; /**< the slab of planned values */
    uint64_t
        lower_bound_bytes; /**< the largest sum of bytes alive at one step: no plan can need less */
    uint64_t
        dynamic_bytes; /**< values whose size is known only while running, and the run's arena */
    uint64_t scratch_bytes;
    uint64_t weight_bytes; /**< of the plan: packed weights and constants */
} QnMemoryInfo;
QN_API QnMemoryInfo qn_session_memory(const QnSession *session);

#ifdef __cplusplus
}
#endif
#endif
