/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan: the steps that a graph became, and where each of their values lies.
 *
 * Immutable once built; shared by sessions in any threads.  It owns its module: steps refer to the
 * nodes for attributes and messages, and dimensions are rows of the module's table.
 */
#ifndef QN_ENGINE_PLAN_PLAN_H
#define QN_ENGINE_PLAN_PLAN_H

#include "base/arena.h"
#include "base/report.h"
#include "engine/devices/device.h"
#include "engine/plan/step.h"
#include "quern/plan.h"

/* Where a value's data lies. */
typedef enum QnStorage {
    QN_STORE_CONSTANT, /* in the plan, or the model's file */
    QN_STORE_INPUT,    /* the caller's memory */
    QN_STORE_SLAB,     /* in the session's slab, at an offset of the memory plan */
    QN_STORE_VIEW,     /* in the memory of value `base` */
    QN_STORE_LATE,     /* in the session's slot `slot`, which grows:
                          the size is known only while running */
    QN_STORE_CONTENT,  /* a few integers that binding computes from shapes */
    QN_STORE_REGISTER, /* 8 bytes of the session: loop counters and conditions */
    QN_STORE_ASSIGNED, /* whatever an ASSIGN or SLICE step pointed it to;
                          sequences, optionals and maps */
} QnStorage;

typedef struct QnPlanValue {
    const char *name;       /* the graph's; "" for what the planner made */
    const QnIrValue *value; /* in the plan's module; NULL for what the planner made */
    QnIrType type;
    QnLayout layout;
    QnStorage storage;
    int base;           /* of a view */
    int slot;           /* of a late value */
    int first, last;    /* the steps between which it is alive, both included; -1: never */
    int segment;        /* the LATE_BIND step that binds it; -1: bound before the run */
    bool is_late;       /* its shape holds late symbols, or no rank */
    bool is_exclusive;  /* its slot is shared with nobody: a loop swaps it */
    const void *data;   /* of a constant: contiguous, aligned */
    int content_offset; /* of CONTENT and REGISTER: in the session's small memory */
} QnPlanValue;

/* A value kept from run to run. */
typedef struct QnPlanState {
    int input, output; /* of the plan's inputs and outputs */
    int append_axis;   /* >= 0: the output is the input with rows appended along this axis */
} QnPlanState;

/* A symbol that an input's dimension gives. */
typedef struct QnInputSymbol {
    int row, input, axis;
} QnInputSymbol;

/* A packed form of a constant, in the order in which the planner asked for it. */
typedef struct QnPacked {
    const QnTensor *constant;
    const char *kind;
    size_t size;
    const void *data;
} QnPacked;

struct QnPlan {
    QnArena arena;
    QnModule *module; /* owned: the graph after all passes */
    QnDevice *device; /* owned */
    QnPlanValue *values;
    int value_count;
    QnStep *steps;
    int step_count;
    int *inputs, *outputs; /* [main->input_count], [main->output_count] numbers of values */
    int input_count, output_count;
    QnPlanState *states;
    int state_count;
    QnInputSymbol *
        symbols; /* [symbol_count]; the first of each row gives the value, the others are checked */
    int symbol_count;
    int first_late_row; /* rows before it depend on inputs only */
    size_t params_size; /* bytes of all steps' parameters */
    size_t small_size;  /* bytes of contents and registers */
    int slot_count, loop_count;
    int *input_views; /* [input_view_count] VIEW steps whose data lies in an input's memory, in
                         order */
    int input_view_count;
    const char *options;                     /* how it was made, as text */
    QnValueInfo *input_infos, *output_infos; /* for the public API */
    QnPacked *packed;                        /* [packed_count] */
    int packed_count, packed_capacity;
    int *decisions;      /* [module->node_count] the ordinal of the offer taken; -1: none */
    size_t weight_bytes; /* packed weights and constants */
    void (*release)(
        void *source); /* called with `source` when the plan is freed: the model's bytes */
    void *source;
    uint64_t model; /* of a plan from a file: the hash of the model that it was made from; else 0 */
    void *zeros;    /* of a plan from a file: stands for constants
                       that only their packed form is left of */
    size_t zeros_size;
    bool is_strict;
};

/* What a plan file knows already; see save.c. */
typedef struct QnPlanMemory {
    /* Which of the device's offers a node took, by node id;
     * -1: not the first of a group.  NULL: unknown. */
    const int *decisions;
    /* The packed form of a constant, or NULL.  *is_lost: the constant has no data to pack anew. */
    const void *(*packed)(void *user, const QnTensor *constant, const char *kind, size_t size,
                          bool *is_lost);
    void *user;
} QnPlanMemory;

typedef struct QnPlanRequest {
    QnModule *module; /* taken, also on failure */
    QnDevice *device; /* taken, also on failure */
    const QnAllocator *allocator;
    QnReport *report;          /* gets tier-1 steps as notes; may be NULL */
    const char *const *states; /* pairs of names; NULL: those that match by their names */
    bool is_strict;
    bool no_reference;
    bool keep_all;
    int64_t free_dim;           /* assumed for open dims when costs are weighed; 0: 16 */
    const QnPlanMemory *memory; /* NULL: plan anew */
} QnPlanRequest;

/* Makes a plan of a verified, resolved, inferred module after its passes. */
QnStatus qn_plan_create(QnPlan **out, const QnPlanRequest *request, QnError *err);
void qn_plan_destroy(QnPlan *plan);

/*
 * Writes a plan file (save.c).  `model` identifies what it was made from, `options` how.  QN_IO,
 * QN_NO_MEMORY.
 */
QnStatus qn_plan_write(const QnPlan *plan, const char *path, uint64_t model, const char *options,
                       const char *level, QnError *err);

/*
 * Makes a plan from a mapped plan file, which it borrows as long as it lives.  `options` and
 * `level` must be those that the plan would be made with now: QN_UNSUPPORTED says what differs and
 * what to do.  QN_BAD_MODEL: the file is damaged. The device of `request` is taken, also on
 * failure; its module is ignored.
 */
QnStatus qn_plan_read(QnPlan **out, QnBytes file, const QnPlanRequest *request, const char *options,
                      const char *level, QnError *err);

/* The bytes that a value takes with its dims evaluated; -1 where a dim is not known. */
int64_t qn_plan_value_size(const QnPlan *plan, const QnPlanValue *value, const int64_t *rows);

/* Sets the dims and strides of a tensor for a value; false where a dim is not known or negative. */
bool qn_plan_value_shape(const QnPlan *plan, const QnPlanValue *value, const int64_t *rows,
                         QnTensor *tensor);

#endif
