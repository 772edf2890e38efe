/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the opaque handles of the public API. */
#ifndef QN_ENGINE_API_MODEL_H
#define QN_ENGINE_API_MODEL_H

#include "base/bytes.h"
#include "base/refcount.h"
#include "base/report.h"
#include "engine/ir/graph.h"
#include "quern/plan.h"

/* A model file's bytes, which weights are views of, and the module, whose constants plans borrow;
 * counted, since plans outlive their model. */
typedef struct QnSource {
    QnRefcount refs;
    const QnAllocator *allocator;
    QnBytes bytes;
    QnModule *module; /* resolved and inferred; never changed after loading */
    enum { QN_SOURCE_BORROWED, QN_SOURCE_MAPPED, QN_SOURCE_OWNED } kind;
} QnSource;

/* Opens a file: mapped, or (copy) read.  The caller releases it. */
QnStatus qn_source_open(QnSource **out, const char *path, const QnAllocator *allocator, bool copy,
                        uint64_t limit_bytes, QnError *err);

void qn_source_acquire(QnSource *source);
void qn_source_release(void *source);

struct QnModel {
    const QnAllocator *allocator;
    QnSource *source;
    QnModule *module; /* the source's */
    QnArena texts;    /* for what qn_model_input and kin point to */
    QnValueInfo *inputs, *outputs;
    int input_count;
};

struct QnFindings {
    QnArena arena;
    QnReport report;
};

/* Describes a value of a graph; texts are copied to the arena. */
QnStatus qn_value_info(QnValueInfo *out, const QnModule *module, const QnIrValue *value,
                       const char *name, QnArena *arena);

/* The i-th of a list; what is outside of it has an empty name and kind QN_NONE. */
QnValueInfo qn_value_info_at(const QnValueInfo *infos, int count, int i);

/* Fills a plan's descriptions of inputs and outputs.  QN_NO_MEMORY. */
QnStatus qn_plan_describe(QnPlan *plan);

#endif
