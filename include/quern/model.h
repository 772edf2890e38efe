/* SPDX-License-Identifier: Apache-2.0 */
/* Models: what a file says, before it is compiled. */
#ifndef QUERN_MODEL_H
#define QUERN_MODEL_H

#include "quern/allocator.h"
#include "quern/value.h"

#ifdef __cplusplus
extern "C" {
#endif

/** A trained network with its weights.  Immutable once loaded: any number of threads may build
 * plans from it. */
typedef struct QnModel QnModel;

/** All that is wrong with something: a list of findings.  One thread at a time. */
typedef struct QnFindings QnFindings;

/** How bad a finding is. */
typedef enum QnFindingSeverity {
    QN_FINDING_NOTE,
    QN_FINDING_WARNING,
    QN_FINDING_ERROR
} QnFindingSeverity;

/** One finding.  Texts are terminated, "" where one does not apply, and borrowed from their list.
 */
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

/** Makes an empty list.  The caller frees it.  @return QN_OK or QN_NO_MEMORY. */
QN_API QnStatus qn_findings_create(QnFindings **out);
QN_API void qn_findings_free(QnFindings *findings);
QN_API int qn_findings_count(const QnFindings *findings);
/** The i-th finding, 0 <= i < count. */
QN_API QnFindingInfo qn_findings_get(const QnFindings *findings, int i);

/** How a model is read.  {sizeof(QnModelOptions)} is a full set of defaults. */
typedef struct QnModelOptions {
    size_t size;                  /**< sizeof(QnModelOptions) */
    const QnAllocator *allocator; /**< NULL: the C library's; must outlive the model */
    const char
        *folder; /**< where external data lies; NULL: beside the file (none for models in memory) */
    bool copy;   /**< read the file into memory instead of mapping it: for files that others may
                    truncate */
    bool allow_overrides; /**< initializers that are also inputs may be given by the caller;
                             default: they are constants */
    uint64_t limit_bytes; /**< refuse larger files; 0: 64 GiB */
} QnModelOptions;

/**
 * Reads and checks a model file of any known format.
 *
 * @param findings  NULL, or a list that gets all findings, also warnings of a model that loads.
 * @return QN_IO, QN_BAD_MODEL, QN_UNSUPPORTED (unknown format or operators), QN_NO_MEMORY; *out is
 * then unchanged and `err` names the file, the node, what was found and what was expected.
 */
QN_API QnStatus qn_model_load(QnModel **out, const char *path, const QnModelOptions *options,
                              QnFindings *findings, QnError *err);

/** The same from memory, which is borrowed until the model is freed.  `name` stands for the path in
 * messages. */
QN_API QnStatus qn_model_read(QnModel **out, const void *data, size_t size, const char *name,
                              const QnModelOptions *options, QnFindings *findings, QnError *err);

/** Frees a model; plans built from it stay valid.  NULL is fine. */
QN_API void qn_model_free(QnModel *model);

/** An input or output as the model declares it. */
typedef struct QnValueInfo {
    const char *name;
    QnKind kind; /**< for other kinds than tensors: type_text says the rest */
    QnType type; /**< of a tensor's elements, or of what the collection holds in the end */
    int rank;    /**< -1: unknown */
    int64_t dims[QN_MAX_RANK];        /**< -1: any size */
    const char *symbols[QN_MAX_RANK]; /**< the name of an open dimension, "N"; NULL: none */
    const char *type_text;            /**< "float[N,3]", "sequence(map(int64, float))" */
    bool is_optional;                 /**< has a default and may be left out */
} QnValueInfo;

/** How many inputs (those a caller gives) and outputs the model has, and what they are.  Texts are
 * borrowed from the model.  Where there is no i-th one: kind QN_NONE and empty texts. */
QN_API int qn_model_input_count(const QnModel *model);
QN_API int qn_model_output_count(const QnModel *model);
QN_API QnValueInfo qn_model_input(const QnModel *model, int i);
QN_API QnValueInfo qn_model_output(const QnModel *model, int i);

/** Free key/value text of the model (metadata, producer, …): the i-th pair, or false past the last.
 */
QN_API bool qn_model_property(const QnModel *model, int i, const char **key, const char **value);

#ifdef __cplusplus
}
#endif
#endif
