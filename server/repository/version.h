/* SPDX-License-Identifier: Apache-2.0 */
/* Making one version of a model out of its folder, and unmaking it.  Only for server/repository. */
#ifndef QS_REPOSITORY_VERSION_H
#define QS_REPOSITORY_VERSION_H

#include <stdatomic.h>

#include "server/repository/repository.h"

/* A version and what only the repository sees of it. */
typedef struct QsServed {
    QsModelVersion version; /* first: what is handed out */
    QsRepository *repository;
    atomic_int references;
    QnArena arena; /* the configuration, and what the backend puts there */
    QsModelConfig config;
    struct QsServed *next; /* among those nobody holds any more */
} QsServed;

typedef struct QsVersionSource {
    QsRepository *repository;
    const QsRepositoryOptions *options;
    const QsHost *host;
    const char *name, *folder; /* of the model; both outlive the version */
    int64_t version;
} QsVersionSource;

/* The versions of a model that its policy chooses, ascending. */
QnStatus qs_versions_choose(const int64_t **out, size_t *count, const char *name,
                            const char *folder, const QsRepositoryOptions *options, QnArena *arena,
                            QnError *err);

/* Loads a version; the caller holds the first reference. */
QnStatus qs_version_load(QsServed **out, const QsVersionSource *source, QnError *err);

/* Nobody holds it any more. */
void qs_version_free(QsServed *served);

#endif
