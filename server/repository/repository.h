/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The models that are served: found in folders, loaded in parallel beside open ports, counted while
 * in use.
 *
 *     <repository>/<model>/config.pbtxt and <version>/<model file>
 *
 * What is handed out is a model version, one counted object.  A version that is no longer wanted
 * goes when its last request has gone, on a thread of the repository's, never on the one that
 * happened to be the last.
 */
#ifndef QS_REPOSITORY_REPOSITORY_H
#define QS_REPOSITORY_REPOSITORY_H

#include "base/arena.h"
#include "base/error.h"
#include "server/backends/backend.h"
#include "server/config/model_config.h"
#include "server/metrics/model_stats.h"
#include "server/schedule/scheduler.h"

typedef struct QsRepository QsRepository;

typedef enum QsModelState { QS_UNAVAILABLE, QS_LOADING, QS_READY, QS_UNLOADING } QsModelState;

/* One version of a model.  Constant once it is ready; shared by any threads. */
typedef struct QsModelVersion {
    const char *name;
    int64_t version;
    const QsModelConfig *config; /* complete and checked */
    const QsBackend *backend;
    void *model; /* the backend's */
    QsScheduler *scheduler;
    QsModelStats stats;
} QsModelVersion;

typedef struct QsRepositoryOptions {
    const char *const *folders; /* [folder_count] */
    size_t folder_count;
    int load_threads;  /* models that load at once */
    int load_retries;  /* further attempts for a version that fails */
    bool may_complete; /* configurations may be completed from the models' files */
    int default_max_batch_size;
    int64_t direct_limit_ns; /* of QsSchedulerOptions */
    const QsBackend *(*find_backend)(const char *name);
    QnThreadPool *pool; /* for computing; outlives the repository */
    /* One line for the log; any thread. */
    void (*log)(void *user, char level, const char *message);
    void *user;
} QsRepositoryOptions;

/* Makes an empty repository.  QN_BAD_ARGUMENT where a folder is none. */
QnStatus qs_repository_create(QsRepository **out, const QsRepositoryOptions *options, QnError *err);

/* Begins to load every model of every folder, and returns.  Once. */
QnStatus qs_repository_start(QsRepository *repository, QnError *err);

/* Waits until everything that was begun is loaded or has failed.  True: all of it is ready. */
bool qs_repository_wait(QsRepository *repository);

/* Is every model that was found loaded?  `failed_too`: or has failed to. */
bool qs_repository_is_ready(QsRepository *repository, bool failed_too);

/* Refuses requests whose time is over; to be called a few times per second. */
void qs_repository_tick(QsRepository *repository);

/* Refuses new requests, and counts those that are still under way. */
void qs_repository_stop(QsRepository *repository);
int qs_repository_busy_count(QsRepository *repository);

/* Unloads everything.  No version may be in use any more.  NULL is fine. */
void qs_repository_free(QsRepository *repository);

/*
 * A reference to a version that is ready: the one of `version`, decimal, or the newest where that
 * is "". QN_NOT_FOUND: no such model or version; QN_UNAVAILABLE: it is there but not ready;
 * QN_BAD_ARGUMENT: no number.
 */
QnStatus qs_model_acquire(QsModelVersion **out, QsRepository *repository, const char *name,
                          const char *version, QnError *err);

/* One more reference, and one less.  Any thread. */
void qs_model_retain(QsModelVersion *model);
void qs_model_release(QsModelVersion *model);

/* Does its backend say that it is well? */
bool qs_model_is_ready(const QsModelVersion *model);

/* The versions of a model that are ready, ascending, in the arena. */
QnStatus qs_model_versions(const int64_t **out, size_t *count, QsRepository *repository,
                           const char *name, QnArena *arena, QnError *err);

#endif
