/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan is a small program: steps over numbered values.
 *
 * A device makes compute steps (code, and data such as packed weights); the planner makes the
 * others, orders all of them, and decides where every value lies.  At bind time a step turns the
 * shapes of its values into parameters; at run time it computes from the parameters and the values'
 * data.  Steps, once built, are immutable and shared by all sessions.
 */
#ifndef QN_ENGINE_PLAN_STEP_H
#define QN_ENGINE_PLAN_STEP_H

#include "base/arena.h"
#include "base/pool.h"
#include "engine/ir/graph.h"

typedef struct QnStep QnStep;

/*
 * How a tensor lies in memory.  The dims of a value are always in the operator's order; the layout
 * says the strides.
 */
typedef enum QnLayoutKind {
    QN_LAYOUT_PLAIN,   /* contiguous, last dimension fastest */
    QN_LAYOUT_NHWC,    /* rank >= 3: batch, spatial dims, then channels (dims[1]), each pixel at a
                          multiple of `pitch_bytes`; the lanes between the channels and the pitch
                          hold anything */
    QN_LAYOUT_STRIDED, /* any strides: a view of something else */
} QnLayoutKind;

typedef struct QnLayout {
    QnLayoutKind kind;
    int pitch_bytes; /* of NHWC: the size of a pixel is rounded up to a multiple of it: 64, or less
                        where one pixel takes less */
} QnLayout;

/* The pitch of pixels of so many bytes: they begin at cache lines, so that vectors of channels do
 * not cross these; those that take less than one follow each other without a gap. */
static inline int qn_nhwc_pitch(int64_t pixel_bytes)
{
    enum { LINE = 64 };
    return pixel_bytes > 0 && pixel_bytes < LINE ? (int)pixel_bytes : LINE;
}

/* Sets of layout kinds, for what a step accepts. */
enum { QN_ACCEPT_PLAIN = 1, QN_ACCEPT_NHWC = 2, QN_ACCEPT_STRIDED = 4, QN_ACCEPT_ANY = 7 };

/* What a step may see while it is bound: shapes and strides, and the data of what is known by then.
 * Borrowed until bind returns. */
typedef struct QnBindCall {
    QnValue *values; /* the plan's values; dims and strides of this step's are set.  Only a view
                        writes: its output's strides */
    void *params;    /* [code->params_size] to fill; keeps what it was given until the next bind */
    size_t scratch_bytes; /* out: memory that the whole step needs while it runs, 64-byte aligned */
    size_t member_scratch_bytes; /* out: the same for each member of the gang */
    QnError *err; /* NULL: a step that cannot be bound is bound again if it is reached, for this */
} QnBindCall;

/* What a step may use while it runs; borrowed until run returns.  The members of the gang may read
 * all of it and ask `is_cancelled`; the rest is for the thread of the run. */
typedef struct QnRunCall {
    QnValue *values;      /* the plan's values; inputs hold data, outputs have room */
    QnGang *gang;         /* for qn_gang_for; the calling thread is member 0 */
    void *scratch;        /* as asked for at bind */
    void *member_scratch; /* member m's begins at member_scratch + m * member_stride */
    size_t member_stride;
    /* Memory of `size` > 0 bytes, 64-byte aligned, for an output whose size is known only now:
     * plan value `value`, whose former content is lost.  NULL: no memory. */
    void *(*allocate)(void *session, int value, size_t size);
    /* Is the run to end?  Steps that may take long ask once per block of work, and give
     * QN_CANCELLED. */
    bool (*is_cancelled)(void *session);
    void *session; /* handed to both */
    QnError *err;
} QnRunCall;

/* The code of a compute step.  One constant per kind of step, in the device's lowering.  Any number
 * of sessions may be in it at once. */
typedef struct QnStepCode {
    const char *name;   /* "conv", as profiles show it */
    size_t params_size; /* bytes that bind fills; a multiple of 8 */
    /* From shapes to parameters.  Called once per shape; allocates nothing.  QN_BAD_TENSOR: the
     * step has no result for them.  NULL: there are no parameters. */
    QnStatus (*bind)(const QnStep *step, QnBindCall *call);
    /* Computes.  Allocates nothing but through `call`.  QN_BAD_TENSOR: data that the operator
     * cannot take; QN_CANCELLED; QN_NO_MEMORY.  NULL: of views, which compute nothing. */
    QnStatus (*run)(const QnStep *step, const void *params, QnRunCall *call);
    /* How many additions and multiplications of fp32 a run takes by the operator's formula, for
     * profiles; a kernel may know how to do with fewer.  NULL: they are not counted. */
    double (*operations)(const QnStep *step, const void *params);
} QnStepCode;

/* A symbol found while running: row `row` is dimension `axis` of plan value `value`. */
typedef struct QnLateSymbol {
    int row, value, axis;
} QnLateSymbol;

/* Which tier computes (DESIGN: reference, portable, tuned). */
typedef enum QnTier { QN_TIER_NONE, QN_TIER_REFERENCE, QN_TIER_PORTABLE, QN_TIER_TUNED } QnTier;

typedef enum QnStepKind {
    QN_STEP_COMPUTE, /* code->run */
    QN_STEP_VIEW, /* output 0 is input 0's data: code->bind sets strides and offset, nothing runs */
    QN_STEP_CALL, /* the operator's reference on values whose shapes may be known only now; makes
                     its outputs */
    QN_STEP_RESOLVE,   /* infers the shapes of the node's outputs from the data of its inputs;
                          computes nothing */
    QN_STEP_LATE_BIND, /* gives values to symbols found by the steps before, and binds the steps up
                          to segment_end */
    QN_STEP_ASSIGN,    /* output 0 becomes input 0: the same data, no copy */
    QN_STEP_COPY,      /* output 0 gets a copy of input 0 in storage of its own */
    QN_STEP_JUMP,      /* to `target` */
    QN_STEP_JUMP_IF_NOT, /* input 0, a bool scalar, is false: to `target` */
    QN_STEP_SWAP, /* output 0 and input 0 exchange their slots; output 0 becomes what input 0 was */
    QN_STEP_LOOP_BEGIN, /* sets loop `loop`'s counter to 0; inputs: trip count?, condition?, a
                           tensor whose axis `axis` gives the trip count? */
    QN_STEP_LOOP_TEST,  /* over: to `target`; else outputs: iteration number, condition */
    QN_STEP_LOOP_NEXT,  /* input 0: the condition?; counts and jumps to `target` */
    QN_STEP_SLICE,      /* output 0: element `iteration` of input 0 along `axis`, a view */
    QN_STEP_APPEND, /* output 0, a growing tensor, gets input 0 as the element of this iteration in
                       front */
    QN_STEP_FINISH, /* output 0: what was appended to input 0, its first axis moved to `axis` */
    QN_STEP_EXTEND, /* output 0: state `loop` (input 0) with input 1 appended in place */
} QnStepKind;

struct QnStep {
    QnStepKind kind;
    QnTier tier;
    const QnStepCode *code; /* of COMPUTE and VIEW */
    const char *kernel;     /* which variant: "gemm_f32_6x64_avx512"; for profiles */
    const QnNode *node; /* the (first) node it computes: attributes, names, messages.  NULL: none */
    int node_count;     /* how many nodes it computes */
    const int *inputs;  /* [input_count] numbers of plan values; -1: absent */
    int input_count;
    const int *outputs; /* [output_count]; -1: not wanted */
    int output_count;
    const void *data;     /* what the device keeps for it: programs, attributes, packed weights */
    size_t params_offset; /* in a binding's parameters; set by the planner */
    int target;           /* of jumps: the step's index */
    int segment_end;      /* of LATE_BIND: the step behind the last one it binds */
    const struct QnLateSymbol *symbols; /* [symbol_count] of LATE_BIND: what it reads */
    int symbol_count;
    int loop;          /* of the loop steps and SLICE, APPEND, FINISH: the loop's number; of EXTEND:
                          the state's */
    int axis;          /* of LOOP_BEGIN, SLICE and FINISH */
    bool is_reversed;  /* SLICE and FINISH: the last element belongs to the first iteration */
    int in_place;      /* 1 + the input whose memory output 0 may take over; 0: none */
    bool gives_shapes; /* of COMPUTE: the run makes the outputs whose shapes are not known before */
    double cost;       /* predicted nanoseconds, from the offer */
};

/* Input i of a step as a tensor, borrowed from `values`; NULL where it is absent. */
static inline const QnTensor *qn_step_input(const QnStep *step, const QnValue *values, int i)
{
    return i < step->input_count && step->inputs[i] >= 0 ? &values[step->inputs[i]].tensor : NULL;
}

/* Output i in the same way; its data may be written.  NULL where it is not wanted. */
static inline const QnTensor *qn_step_output(const QnStep *step, const QnValue *values, int i)
{
    return i < step->output_count && step->outputs[i] >= 0 ? &values[step->outputs[i]].tensor
                                                           : NULL;
}

#endif
