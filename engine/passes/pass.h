/* SPDX-License-Identifier: Apache-2.0 */
/* A pass: graph to better graph.  One constant per file; pipeline.c holds the order. */
#ifndef QN_ENGINE_PASSES_PASS_H
#define QN_ENGINE_PASSES_PASS_H

#include "base/report.h"
#include "engine/ir/graph.h"

/* What a pass works with. */
typedef struct QnPassCall {
    QnModule *module;
    const struct QnPassOptions *options;
    int changes; /* out: how much it changed; 0: nothing */
    QnError *err;
} QnPassCall;

typedef struct QnPass {
    const char *name; /* as in --without=NAME */
    const char
        *what; /* one sentence, with whether results stay bit-equal or within an arithmetic bound */
    bool keeps_onnx;   /* the graph stays expressible in ONNX */
    bool is_exact;     /* results stay bit-equal */
    bool keeps_values; /* what the model names survives with its data; passes that do not promise it
                          are left out where all is to be seen (keep_all) */
    bool is_required;  /* the planner relies on it: --without does not leave it out */
    QnStatus (*run)(QnPassCall *call);
} QnPass;

/* How the pipeline is run.  {0} is a full set of defaults. */
typedef struct QnPassOptions {
    const char
        *without; /* names, comma-separated; "all": every one that is not required; NULL: none */
    const char *print_after; /* a name, or "all"; NULL: none */
    const char *stop_after;  /* a name; NULL: run all */
    void (*print)(void *user, const char *pass, const char *text);
    void *print_user;
    bool keep_all;     /* every named value survives with its data */
    bool only_onnx;    /* leave out passes that do not keep the graph expressible in ONNX */
    size_t fold_bytes; /* the most that one folded constant may take; 0: the default */
    int64_t fold_ns;   /* the most time that folding may take in all; 0: the default */
} QnPassOptions;

/* Every pass in its order; ends with a NULL name. */
extern const QnPass *const qn_passes[];
extern const int qn_pass_count;

/* Checks the names in the options:
 * QN_BAD_ARGUMENT says which is none and what it may have meant. */
QnStatus qn_passes_check(const QnPassOptions *options, QnError *err);

/*
 * Runs one pass, verifies the graph in debug builds, and infers shapes again where the pass changed
 * something.  Does not ask the options' lists whether the pass is wanted.
 */
QnStatus qn_pass_run(QnModule *module, const QnPass *pass, const QnPassOptions *options,
                     int *changes, QnError *err);

/*
 * Runs the pipeline on a resolved, inferred module, and verifies the graph after each pass in debug
 * builds.  Shapes are inferred again after each pass that changed something.
 */
QnStatus qn_passes_run(QnModule *module, const QnPassOptions *options, QnError *err);

#endif
