/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Running a plan: the session, and what binding and executing share.
 *
 * A session keeps a few bindings (a plan's geometry for exact shapes) and a few memory plans (for
 * shapes rounded up to buckets), one slab, growing slots for values whose size only running tells,
 * and an arena for strings and sequences.  All of it is kept from run to run, so that a run with
 * known shapes allocates nothing.
 */
#ifndef QN_ENGINE_RUN_SESSION_H
#define QN_ENGINE_RUN_SESSION_H

#include "base/arena.h"
#include "base/pool.h"
#include "engine/plan/plan.h"
#include "quern/session.h"

enum { QN_BINDINGS = 3, QN_MEMORY_PLANS = 6 };

/* Offsets in the slab for shapes up to a bucket. */
typedef struct QnMemoryPlan {
    bool is_valid;
    uint64_t last_use;
    int64_t *key;     /* [symbol_count] the sizes of the input symbols it was made for */
    int64_t *offsets; /* [value_count] */
    int64_t *sizes;   /* [value_count] bytes that each value has room for */
    int64_t total_bytes, lower_bound_bytes;
    size_t scratch_bytes, member_scratch_bytes; /* of the steps bound before the run */
} QnMemoryPlan;

/* The geometry of a plan for exact shapes. */
typedef struct QnBinding {
    bool is_valid;
    uint64_t last_use;
    int64_t *key;    /* [symbol_count] */
    int64_t *rows;   /* [dims.count] the module's dims, evaluated */
    QnValue *values; /* [value_count] */
    uint8_t *params; /* [plan->params_size] */
    uint8_t *small;  /* [plan->small_size] contents and registers */
    uint8_t *poison; /* [step_count] a QnStatus: why a step could not be bound; an error only if
                        the step is reached */
    const QnMemoryPlan *memory;
} QnBinding;

/* Memory for one value at a time, which grows and is kept. */
typedef struct QnSlot {
    void *data;
    size_t capacity;
} QnSlot;

/* Where a state lies. */
typedef struct QnStateBuffer {
    QnSlot memory;
    QnSlot spare; /* takes the next content while `memory` may still be read; then they change */
    int64_t capacity; /* rows along the axis that grows */
} QnStateBuffer;

typedef struct QnLoopState {
    int64_t iteration, limit; /* limit -1: none */
    bool goes_on;
} QnLoopState;

struct QnSession {
    const QnPlan *plan;
    const QnAllocator *allocator;
    QnPool *pool;
    QnSessionOptions options;
    QnBinding bindings[QN_BINDINGS];
    QnMemoryPlan memories[QN_MEMORY_PLANS];
    QnBinding *current;
    uint64_t use_count;
    uint8_t *slab;
    size_t slab_capacity;
    uint8_t *scratch;
    size_t scratch_capacity;
    size_t scratch_needed, member_scratch_needed; /* of what is bound for the run at work */
    size_t held_bytes; /* of the slab, the scratch and all slots: options.limit_bytes bounds it */
    QnSlot *slots;     /* [slot_count] */
    QnSlot *staging;   /* [input_count] copies of inputs that are not as kernels want them */
    QnStateBuffer *states; /* [state_count] */
    QnValue *state_values; /* [state_count] kind QN_NONE: not set yet */
    QnLoopState *loops;    /* [loop_count] */
    QnArena arena;         /* the structures above */
    QnArena run_arena;     /* strings, sequences, maps of the last run */
    QnArena temporary;     /* of one step */
    uint64_t random[4];
    /* The run at work. */
    const QnRunOptions *run_options;
    QnGang *gang;
    int gang_size;
    int64_t steps_left;
    QnError *err;
};

/* ---- bind.c ---- */

/* Chooses or makes the binding for the inputs' shapes: session->current.
 * QN_BAD_TENSOR names the input. */
QnStatus qn_session_bind(QnSession *session, const QnValue *inputs, QnError *err);

/* Binds steps [first, end): shapes and addresses of what they make, and their parameters.  Those
 * that cannot be bound are poisoned. */
void qn_bind_steps(QnSession *session, QnBinding *binding, int first, int end);

/* Gives values to symbols that were found, evaluates what depends on them,
 * and binds the step's segment. */
void qn_bind_late(QnSession *session, QnBinding *binding, int step);

/* Binds a poisoned step again, for its error. */
QnStatus qn_bind_error(QnSession *session, QnBinding *binding, int step, QnError *err);

/* ---- inputs.c ---- */

/* Kinds, types, ranks and known sizes against the declared ones.  QN_BAD_TENSOR. */
QnStatus qn_inputs_check(const QnPlan *plan, const QnValue *inputs, QnError *err);

/* Sets the rows of the inputs' symbols; equal symbols must have equal sizes.  QN_BAD_TENSOR. */
QnStatus qn_inputs_read_symbols(const QnPlan *plan, const QnValue *inputs, int64_t *rows,
                                QnError *err);

/* Sizes that are declared as expressions of symbols ("2*N") follow from these, so they are not
 * free.  `rows`: evaluated.  QN_BAD_TENSOR. */
QnStatus qn_inputs_check_expressions(const QnPlan *plan, const QnValue *inputs, const int64_t *rows,
                                     QnError *err);

/* ---- bucket.c ---- */

/* Chooses or makes the memory plan for a binding whose rows are evaluated, and the slab for it.
 * QN_NO_MEMORY. */
QnStatus qn_session_find_memory(QnSession *session, QnBinding *binding, bool *is_new, QnError *err);

/* Are two lists of the input symbols' sizes equal? */
bool qn_session_is_key(const QnSession *session, const int64_t *a, const int64_t *b);

/* ---- execute.c ---- */

/* Runs the program on the current binding. */
QnStatus qn_session_execute(QnSession *session, QnError *err);

/* ---- state.c ---- */

/* Appends rows to a state along its axis:
 * *out is a view of past and rows together, in the state's buffer. */
QnStatus qn_session_extend(QnSession *session, int state, const QnTensor *past,
                           const QnTensor *rows, QnTensor *out, QnError *err);

/* What a state is before the first run;
 * `inputs` are the others, of kind QN_NONE where they are left out. */
QnStatus qn_session_begin_state(QnSession *session, int state, const QnValue *inputs, QnValue *out,
                                QnError *err);

/* Keeps the states that a run has made. */
QnStatus qn_session_keep_states(QnSession *session, QnError *err);

/* ---- slots ---- */

/* Memory that counts against the session's limit.  NULL: there is none, or the limit is reached. */
void *qn_session_take(QnSession *session, size_t size);
void qn_session_give_back(QnSession *session, void *data, size_t size);

/* Memory of at least `size` bytes in a slot; what was in it is lost unless `keep` bytes are asked
 * for.  NULL: no memory; the slot is then unchanged. */
void *qn_slot_reserve(QnSession *session, QnSlot *slot, size_t size, size_t keep);

/* Storage for a value whose size is known only now. */
void *qn_session_allocate(void *session, int value, size_t size);

/* Copies a tensor of any strides into contiguous memory. */
void qn_tensor_copy_contiguous(const QnTensor *from, void *to);

#endif
