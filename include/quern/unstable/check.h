/* SPDX-License-Identifier: Apache-2.0 */
/* UNSTABLE, no ABI promise.  All that is wrong with a model file. */
#ifndef QUERN_UNSTABLE_CHECK_H
#define QUERN_UNSTABLE_CHECK_H

#include "quern/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a model is checked.  {.size = sizeof(QnCheckOptions)} is a full set of defaults. */
typedef struct QnCheckOptions {
    /** sizeof(QnCheckOptions); see QnModelOptions. */
    size_t size;
    /** Where external data lies; NULL: beside the file.  Borrowed until the call returns. */
    const char *folder;
    /** Do not compile the model: nothing is said of how it would run. */
    bool no_plan;
    /** Memory for all but the findings; NULL: malloc and free.  Borrowed until the call returns. */
    const QnAllocator *allocator;
} QnCheckOptions;

/**
 * Looks for all that is wrong with a model, at once.
 *
 * Where qn_model_load() stops at what keeps it from going on, this goes on without it: the file
 * against the schemas of its operators and the rules of its format, the declared types and shapes
 * against the inferred ones, the data in other files, and, of a model that would load, what
 * compiling it finds, such as nodes that only the slow reference computes.  Any thread, but one at
 * a time for a list.
 *
 * @param findings gets what is found, in the order in which it is; at most 1,000 of each model.
 * @param path     terminated; borrowed until the call returns.
 * @param options  NULL: defaults.
 * @return QN_OK, also where findings are errors; QN_IO: the file cannot be read; QN_BAD_ARGUMENT:
 *         options that this version does not know; QN_NO_MEMORY.
 */
QN_API QnStatus qn_model_check(QnFindings *findings, const char *path,
                               const QnCheckOptions *options, QnError *err);

#ifdef __cplusplus
}
#endif
#endif
