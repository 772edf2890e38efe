/* SPDX-License-Identifier: Apache-2.0 */
/* Models: what a file says, before it is compiled. */
#ifndef QUERN_MODEL_H
#define QUERN_MODEL_H

#include "quern/allocator.h"
#include "quern/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A trained network with its weights.
 *
 * Immutable once loaded: any number of threads may read it and build plans from it at once.
 */
typedef struct QnModel QnModel;

/** All that is wrong with something: a list of findings, which grows with every call that it is
 * given to, by 1,000 at most.  What it holds already makes no difference to a call.  One thread at
 * a time. */
typedef struct QnFindings QnFindings;

/** How bad a finding is. */
typedef enum QnFindingSeverity {
    QN_FINDING_NOTE,    /**< worth knowing */
    QN_FINDING_WARNING, /**< works, but probably not as was meant */
    QN_FINDING_BREACH,  /**< breaks a rule of the file's format; works all the same */
    QN_FINDING_ERROR    /**< does not work */
} QnFindingSeverity;

/** One finding.  Texts are terminated, "" where one does not apply,
 * and valid as long as their list. */
typedef struct QnFindingInfo {
    QnFindingSeverity severity;
    const char *rule;     /**< a stable short name, "unknown-operator" */
    const char *file;     /**< the file, or what stands for it */
    const char *node;     /**< the node or value that is meant */
    const char *field;    /**< its attribute, input or member */
    const char *found;    /**< what is */
    const char *expected; /**< what should be */
    const char *remedy;   /**< what a person can do */
} QnFindingInfo;

/** Makes an empty list.  The caller frees it.  @return QN_NO_MEMORY; *out is then unchanged. */
QN_API QnStatus qn_findings_create(QnFindings **out);

/** Frees a list and the texts of its findings.  NULL is fine. */
QN_API void qn_findings_free(QnFindings *findings);

/** How many findings there are. */
QN_API int qn_findings_count(const QnFindings *findings);

/** The i-th finding, in the order in which they were made;
 * where there is none, all texts are "". */
QN_API QnFindingInfo qn_findings_get(const QnFindings *findings, int i);

/** How a model is read.  {.size = sizeof(QnModelOptions)} is a full set of defaults. */
typedef struct QnModelOptions {
    /** sizeof(QnModelOptions) of the caller's header; in C++ set it in one that is {}.  A newer
     * library takes what is behind as the defaults; an older one refuses what it does not know and
     * is not 0. */
    size_t size;
    /** NULL: the C library's; must outlive the model and the plans built from it. */
    const QnAllocator *allocator;
    /** Where external data lies; NULL: beside the file, and none for models in memory.  Borrowed
     * until the call returns. */
    const char *folder;
    /** Read the file into memory instead of mapping it.  A mapped file must not be truncated as
     * long as the model and its plans live, so set this for files that others may write. */
    bool copy;
    /** Initializers that are also inputs may be given by the caller;
     * else they are constants and no inputs. */
    bool allow_overrides;
    /** Refuse larger files; 0: 64 GiB.  Of models that are files. */
    uint64_t limit_bytes;
} QnModelOptions;

/**
 * Reads and checks a model file of any known format.  Any thread.
 *
 * @param out      the caller frees it.
 * @param path     terminated; borrowed until the call returns.
 * @param options  borrowed until the call returns; NULL: defaults.
 * @param findings NULL, or a list that gets all findings, also warnings of a model that loads.
 * @return QN_IO: the file or its external data cannot be read, or is too large; QN_BAD_MODEL: it is
 *         no model of a known format, breaks the rules of its format, or has an operator that
 *         nobody defines; QN_UNSUPPORTED: valid, but with something that this version does not
 *         compute; QN_BAD_ARGUMENT: options that this version does not know; QN_NO_MEMORY.  *out is
 *         then unchanged, and `err` names the file, the node, what was found and what was expected.
 */
QN_API QnStatus qn_model_load(QnModel **out, const char *path, const QnModelOptions *options,
                              QnFindings *findings, QnError *err);

/**
 * The same from memory.  Any thread.
 *
 * @param data [size] the bytes of a file, any alignment; borrowed, and not to be changed, until the
 *             model and all plans that were built from it are freed.
 * @param name stands for the path in messages and findings, terminated; borrowed until the call
 *             returns; NULL: "model".
 */
QN_API QnStatus qn_model_read(QnModel **out, const void *data, size_t size, const char *name,
                              const QnModelOptions *options, QnFindings *findings, QnError *err);

/** Frees a model and the texts that it gave; plans built from it stay valid.  NULL is fine. */
QN_API void qn_model_free(QnModel *model);

/** An input or output as the model declares it.  Texts are terminated and borrowed from the model
 * or plan that was asked. */
typedef struct QnValueInfo {
    const char *name;
    QnKind kind; /**< for other kinds than tensors: type_text says the rest */
    QnType type; /**< of a tensor's elements, or of what the collection holds in the end */
    int rank;    /**< -1: unknown */
    int64_t dims[QN_MAX_RANK];        /**< [rank] in elements; -1: any size */
    const char *symbols[QN_MAX_RANK]; /**< [rank] the name of an open dimension, "N", which has one
                                         size in all inputs of a run; NULL: none */
    const char *type_text;            /**< "float[N,3]", "sequence(map(int64, float))" */
    bool is_optional; /**< an input with a default, which may be left out; so may inputs of kind
                         QN_OPTIONAL, and what a plan keeps as states */
} QnValueInfo;

/** How many inputs (those a caller gives) the model has.  Any thread. */
QN_API int qn_model_input_count(const QnModel *model);

/** How many outputs the model has.  Any thread. */
QN_API int qn_model_output_count(const QnModel *model);

/** The i-th input; where there is none: kind QN_NONE, rank -1 and empty texts.  Any thread. */
QN_API QnValueInfo qn_model_input(const QnModel *model, int i);

/** The i-th output, in the same way.  Any thread. */
QN_API QnValueInfo qn_model_output(const QnModel *model, int i);

/** The i-th pair of the model's free text (metadata, producer, …), borrowed from the model; false
 * where there is none: *key and *value are then unchanged.  Any thread. */
QN_API bool qn_model_property(const char **key, const char **value, const QnModel *model, int i);

#ifdef __cplusplus
}
#endif
#endif
