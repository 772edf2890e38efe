/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue: models by name, their versions by number, and the threads that load and unload
 * them.
 *
 * Loading a version is version.c's; here is who may see it and when it goes.
 */
#include "server/repository/repository.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "server/repository/folder.h"
#include "server/repository/version.h"

/* What is known of one version. */
typedef struct Slot {
    int64_t version;
    QsModelState state;
    QsServed *served; /* of state QS_READY: one reference */
} Slot;

typedef struct Model {
    const char *name, *folder; /* in the repository's arena */
    Slot *slots; /* [slot_count] ascending by version, in the arena of `slots_arena` */
    size_t slot_count;
    bool has_failed; /* it could not even be read, or no version of it could be loaded */
} Model;

struct QsRepository {
    QsRepositoryOptions options; /* set at creation */
    QsHost host;
    QnArena arena; /* names and folders; written by qs_repository_start only */
    pthread_t *threads;
    int thread_count;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* there is work, or less of it, or it is time to end */
    Model *models;          /* guarded by lock, like all below: [model_count] ascending by name */
    size_t model_count, next_model; /* the next one that a thread should load */
    size_t loaded_count;            /* models that were loaded or have failed */
    QsServed *doomed;               /* nobody holds them any more */
    bool is_started, is_stopped, is_ending;
};

static void log_line(QsRepository *repository, char level, const char *format, ...) QN_PRINTF(3, 4);

static void log_line(QsRepository *repository, char level, const char *format, ...)
{
    char line[1400];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    repository->options.log(repository->options.user, level, line);
}

/* ---- References ---- */

static QsServed *served_of(QsModelVersion *model)
{
    return (QsServed *)(void *)model;
}

void qs_model_retain(QsModelVersion *model)
{
    atomic_fetch_add_explicit(&served_of(model)->references, 1, memory_order_relaxed);
}

/* The last one to let go may be a request inside the model itself,
 * so another thread takes it apart. */
void qs_model_release(QsModelVersion *model)
{
    QsServed *served = served_of(model);
    QsRepository *repository = served->repository;
    if (atomic_fetch_sub_explicit(&served->references, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_lock(&repository->lock);
    served->next = repository->doomed;
    repository->doomed = served;
    pthread_cond_broadcast(&repository->changed);
    pthread_mutex_unlock(&repository->lock);
}

bool qs_model_is_ready(const QsModelVersion *model)
{
    return !model->backend->is_healthy || model->backend->is_healthy(model->model);
}

/* ---- Finding ---- */

static int by_name(const void *name, const void *model)
{
    return strcmp(name, ((const Model *)model)->name);
}

/* The lock is held. */
static Model *find_model(QsRepository *repository, const char *name)
{
    return repository->model_count ? bsearch(name, repository->models, repository->model_count,
                                             sizeof *repository->models, by_name)
                                   : NULL;
}

/* The version asked for, or the newest that is ready.  The lock is held. */
static const Slot *find_slot(const Model *model, int64_t version)
{
    for (size_t i = model->slot_count; i-- > 0;)
        if (version < 0 ? model->slots[i].state == QS_READY : model->slots[i].version == version)
            return &model->slots[i];
    return NULL;
}

static QnStatus parse_version(int64_t *out, const char *text, QnError *err)
{
    *out = -1;
    if (!*text)
        return QN_OK;
    if (!qn_parse_i64(out, text, strlen(text)))
        return qn_fail(
            err, QN_BAD_ARGUMENT,
            "failed to get model version from specified version string '%s' (details: stol), version "
            "should be an integral value > 0",
            text);
    if (*out < 0)
        return qn_fail(
            err, QN_BAD_ARGUMENT,
            "invalid model version specified '%s' , version should be an integral value > 0", text);
    return QN_OK;
}

/* The lock is held. */
static QnStatus acquire(QsModelVersion **out, QsRepository *repository, const char *name,
                        int64_t version, QnError *err)
{
    const Model *model = find_model(repository, name);
    const Slot *slot = model ? find_slot(model, version) : NULL;
    if (!model || (model->slot_count == 0 && model->has_failed) ||
        (!slot && model->has_failed && version < 0))
        return qn_fail(err, QN_NOT_FOUND, "Request for unknown model: '%s' is not found", name);
    if (!slot && version < 0)
        return qn_fail(err, QN_NOT_FOUND,
                       "Request for unknown model: '%s' has no available versions", name);
    if (!slot)
        return qn_fail(err, QN_NOT_FOUND,
                       "Request for unknown model: '%s' version %lld is not found", name,
                       (long long)version);
    if (slot->state != QS_READY)
        return qn_fail(err, QN_UNAVAILABLE,
                       "Request for unknown model: '%s' version %lld is not at ready state", name,
                       (long long)version);
    *out = &slot->served->version;
    qs_model_retain(*out);
    return QN_OK;
}

QnStatus qs_model_acquire(QsModelVersion **out, QsRepository *repository, const char *name,
                          const char *version, QnError *err)
{
    int64_t number;
    QN_TRY(parse_version(&number, version, err));
    pthread_mutex_lock(&repository->lock);
    const QnStatus status = acquire(out, repository, name, number, err);
    pthread_mutex_unlock(&repository->lock);
    return status;
}

QnStatus qs_model_versions(const int64_t **out, size_t *count, QsRepository *repository,
                           const char *name, QnArena *arena, QnError *err)
{
    QnStatus status = QN_OK;
    int64_t *versions = NULL;
    *count = 0;
    pthread_mutex_lock(&repository->lock);
    const Model *model = find_model(repository, name);
    if (model) {
        versions = qn_arena_array(arena, model->slot_count, sizeof *versions);
        if (!versions)
            status = qn_no_memory(err);
        for (size_t i = 0; versions && i < model->slot_count; i++)
            if (model->slots[i].state == QS_READY)
                versions[(*count)++] = model->slots[i].version;
    }
    pthread_mutex_unlock(&repository->lock);
    *out = versions;
    return status;
}

/* ---- Loading ---- */

static void set_slot(QsRepository *repository, Model *model, size_t i, QsModelState state,
                     QsServed *served)
{
    pthread_mutex_lock(&repository->lock);
    model->slots[i].state = state;
    model->slots[i].served = served;
    model->has_failed = model->has_failed || state == QS_UNAVAILABLE;
    pthread_mutex_unlock(&repository->lock);
}

static QnStatus load_version(QsRepository *repository, Model *model, size_t i)
{
    const QsVersionSource source = {.repository = repository,
                                    .options = &repository->options,
                                    .host = &repository->host,
                                    .name = model->name,
                                    .folder = model->folder,
                                    .version = model->slots[i].version};
    QsServed *served = NULL;
    QnError err = {0};
    QnStatus status = QN_NOT_FOUND;
    for (int attempt = 0; status != QN_OK && attempt <= repository->options.load_retries; attempt++)
        status = qs_version_load(&served, &source, &err);
    set_slot(repository, model, i, status == QN_OK ? QS_READY : QS_UNAVAILABLE, served);
    if (status != QN_OK)
        log_line(repository, 'E', "failed to load '%s' version %lld: %s", model->name,
                 (long long)model->slots[i].version, err.message);
    return status;
}

/* Shows the versions of a model as loading. */
static QnStatus add_slots(QsRepository *repository, Model *model, const int64_t *versions,
                          size_t count)
{
    Slot *slots = calloc(count, sizeof *slots);
    if (!slots)
        return QN_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        slots[i] = (Slot){.version = versions[i], .state = QS_LOADING};
    pthread_mutex_lock(&repository->lock);
    model->slots = slots;
    model->slot_count = count;
    pthread_mutex_unlock(&repository->lock);
    return QN_OK;
}

static QnStatus load_versions(QsRepository *repository, Model *model, QnArena *arena, QnError *err)
{
    const int64_t *versions;
    size_t count, ready = 0;
    QN_TRY(qs_versions_choose(&versions, &count, model->name, model->folder, &repository->options,
                              arena, err));
    if (add_slots(repository, model, versions, count) != QN_OK)
        return qn_no_memory(err);
    for (size_t i = 0; i < count; i++)
        log_line(repository, 'I', "loading: %s:%lld", model->name, (long long)versions[i]);
    for (size_t i = 0; i < count; i++)
        ready += load_version(repository, model, i) == QN_OK;
    if (ready == count)
        log_line(repository, 'I', "successfully loaded '%s'", model->name);
    return QN_OK;
}

static void load_model(QsRepository *repository, Model *model)
{
    QnArena arena;
    QnError err = {0};
    qn_arena_init(&arena, NULL);
    if (load_versions(repository, model, &arena, &err) != QN_OK) {
        log_line(repository, 'E', "failed to load '%s': %s", model->name, err.message);
        pthread_mutex_lock(&repository->lock);
        model->has_failed = true;
        pthread_mutex_unlock(&repository->lock);
    }
    qn_arena_finish(&arena);
}

/* The lock is held. */
static bool has_work(const QsRepository *repository)
{
    return repository->doomed ||
           (repository->next_model < repository->model_count && !repository->is_stopped);
}

/* One thing to do.  The lock is held before and after. */
static void do_work(QsRepository *repository)
{
    if (repository->doomed) {
        QsServed *served = repository->doomed;
        repository->doomed = served->next;
        pthread_mutex_unlock(&repository->lock);
        qs_version_free(served);
        pthread_mutex_lock(&repository->lock);
        return;
    }
    Model *model = &repository->models[repository->next_model++];
    pthread_mutex_unlock(&repository->lock);
    load_model(repository, model);
    pthread_mutex_lock(&repository->lock);
    repository->loaded_count++;
    pthread_cond_broadcast(&repository->changed);
}

static void *work(void *user)
{
    QsRepository *repository = user;
    pthread_mutex_lock(&repository->lock);
    for (;;) {
        if (has_work(repository))
            do_work(repository);
        else if (repository->is_ending)
            break;
        else
            pthread_cond_wait(&repository->changed, &repository->lock);
    }
    pthread_mutex_unlock(&repository->lock);
    return NULL;
}

/* ---- The whole ---- */

static int by_model_name(const void *a, const void *b)
{
    return strcmp(((const Model *)a)->name, ((const Model *)b)->name);
}

static QnStatus submit_to(void *user, const char *name, int64_t version, QsRequest *request,
                          QnError *err)
{
    QsRepository *repository = user;
    QsModelVersion *model;
    pthread_mutex_lock(&repository->lock);
    const QnStatus status = acquire(&model, repository, name, version, err);
    pthread_mutex_unlock(&repository->lock);
    if (status != QN_OK)
        return status;
    qs_scheduler_submit(model->scheduler, request);
    qs_model_release(model);
    return QN_OK;
}

QnStatus qs_repository_create(QsRepository **out, const QsRepositoryOptions *options, QnError *err)
{
    for (size_t i = 0; i < options->folder_count; i++)
        if (!qs_is_folder(options->folders[i]))
            return qn_fail(err, QN_BAD_ARGUMENT, "repository path is not a valid directory: %s",
                           options->folders[i]);
    QsRepository *repository = calloc(1, sizeof *repository);
    pthread_t *threads = calloc((size_t)options->load_threads, sizeof *threads);
    if (!repository || !threads) {
        free(repository);
        free(threads);
        return qn_no_memory(err);
    }
    repository->options = *options;
    repository->threads = threads;
    repository->host = (QsHost){
        .user = repository, .pool = options->pool, .submit = submit_to, .log = options->log};
    qn_arena_init(&repository->arena, NULL);
    pthread_mutex_init(&repository->lock, NULL);
    pthread_cond_init(&repository->changed, NULL);
    *out = repository;
    return QN_OK;
}

/* Models as they are found: an array that is the repository's in the end. */
typedef struct Catalogue {
    Model *models;
    size_t count;
} Catalogue;

/* Adds the models of one folder. */
static QnStatus scan(QsRepository *repository, Catalogue *catalogue, const char *folder,
                     QnError *err)
{
    QsNames found;
    QN_TRY(qs_list_folders(&found, folder, &repository->arena, err));
    Model *grown = realloc(catalogue->models, (catalogue->count + found.count + 1) * sizeof *grown);
    if (!grown)
        return qn_no_memory(err);
    catalogue->models = grown;
    for (size_t i = 0; i < found.count; i++) {
        const char *path = qn_arena_printf(&repository->arena, "%s/%s", folder, found.names[i]);
        if (!path)
            return qn_no_memory(err);
        grown[catalogue->count++] = (Model){.name = found.names[i], .folder = path};
    }
    return QN_OK;
}

/* A name in two folders means neither of them: which one was meant cannot be known. */
static void drop_duplicates(QsRepository *repository, Catalogue *catalogue)
{
    size_t kept = 0;
    for (size_t i = 0, end; i < catalogue->count; i = end) {
        const char *name = catalogue->models[i].name;
        for (end = i + 1; end < catalogue->count && strcmp(catalogue->models[end].name, name) == 0;)
            end++;
        if (end == i + 1)
            catalogue->models[kept++] = catalogue->models[i];
        else
            log_line(repository, 'E',
                     "failed to poll model '%s': not unique across all model repositories", name);
    }
    catalogue->count = kept;
}

/* Everybody may see the models now. */
static void publish(QsRepository *repository, const Catalogue *catalogue)
{
    pthread_mutex_lock(&repository->lock);
    repository->models = catalogue->models;
    repository->model_count = catalogue->count;
    repository->is_started = true;
    pthread_mutex_unlock(&repository->lock);
}

static QnStatus start_threads(QsRepository *repository, QnError *err)
{
    for (int i = 0; i < repository->options.load_threads; i++) {
        if (pthread_create(&repository->threads[i], NULL, work, repository) != 0)
            break;
        repository->thread_count++;
    }
    if (repository->thread_count)
        return QN_OK;
    return qn_fail(err, QN_NO_MEMORY, "no thread can be made to load models");
}

QnStatus qs_repository_start(QsRepository *repository, QnError *err)
{
    Catalogue catalogue = {0};
    QnStatus status = QN_OK;
    for (size_t i = 0; i < repository->options.folder_count && status == QN_OK; i++)
        status = scan(repository, &catalogue, repository->options.folders[i], err);
    if (status != QN_OK) {
        free(catalogue.models);
        return status;
    }
    if (catalogue.count)
        qsort(catalogue.models, catalogue.count, sizeof *catalogue.models, by_model_name);
    drop_duplicates(repository, &catalogue);
    publish(repository, &catalogue);
    return start_threads(repository, err);
}

bool qs_repository_wait(QsRepository *repository)
{
    pthread_mutex_lock(&repository->lock);
    while (repository->loaded_count < repository->model_count && !repository->is_stopped)
        pthread_cond_wait(&repository->changed, &repository->lock);
    bool is_ready = true;
    for (size_t i = 0; i < repository->model_count; i++)
        is_ready = is_ready && !repository->models[i].has_failed;
    pthread_mutex_unlock(&repository->lock);
    return is_ready;
}

bool qs_repository_is_ready(QsRepository *repository, bool failed_too)
{
    pthread_mutex_lock(&repository->lock);
    bool is_ready = repository->is_started && repository->loaded_count == repository->model_count;
    for (size_t i = 0; i < repository->model_count && is_ready && !failed_too; i++) {
        const Model *model = &repository->models[i];
        is_ready = !model->has_failed;
        for (size_t k = 0; k < model->slot_count && is_ready; k++)
            is_ready = model->slots[k].state == QS_READY &&
                       qs_model_is_ready(&model->slots[k].served->version);
    }
    pthread_mutex_unlock(&repository->lock);
    return is_ready;
}

/* The schedulers that there are, each with a reference that the caller drops. */
static size_t list_ready(QsRepository *repository, QsModelVersion ***out)
{
    size_t capacity = 0, count = 0;
    pthread_mutex_lock(&repository->lock);
    for (size_t i = 0; i < repository->model_count; i++)
        capacity += repository->models[i].slot_count;
    QsModelVersion **list = calloc(capacity + 1, sizeof(QsModelVersion *));
    for (size_t i = 0; list && i < repository->model_count; i++)
        for (size_t k = 0; k < repository->models[i].slot_count; k++) {
            if (repository->models[i].slots[k].state != QS_READY)
                continue;
            list[count] = &repository->models[i].slots[k].served->version;
            qs_model_retain(list[count++]);
        }
    pthread_mutex_unlock(&repository->lock);
    *out = list;
    return count;
}

void qs_repository_tick(QsRepository *repository)
{
    QsModelVersion **list;
    const size_t count = list_ready(repository, &list);
    for (size_t i = 0; i < count; i++) {
        qs_scheduler_expire(list[i]->scheduler);
        qs_model_release(list[i]);
    }
    free(list);
}

void qs_repository_stop(QsRepository *repository)
{
    QsModelVersion **list;
    pthread_mutex_lock(&repository->lock);
    repository->is_stopped = true;
    pthread_cond_broadcast(&repository->changed);
    pthread_mutex_unlock(&repository->lock);
    const size_t count = list_ready(repository, &list);
    for (size_t i = 0; i < count; i++) {
        qs_scheduler_stop(list[i]->scheduler);
        qs_model_release(list[i]);
    }
    free(list);
}

int qs_repository_busy_count(QsRepository *repository)
{
    QsModelVersion **list;
    int busy = 0;
    const size_t count = list_ready(repository, &list);
    for (size_t i = 0; i < count; i++) {
        busy += qs_scheduler_busy_count(list[i]->scheduler);
        qs_model_release(list[i]);
    }
    free(list);
    return busy;
}

/* Drops the repository's own references; the threads take apart what that leaves. */
static void unload_all(QsRepository *repository)
{
    for (size_t i = 0; i < repository->model_count; i++) {
        Model *model = &repository->models[i];
        for (size_t k = 0; k < model->slot_count; k++)
            if (model->slots[k].state == QS_READY)
                qs_model_release(&model->slots[k].served->version);
        free(model->slots);
    }
}

void qs_repository_free(QsRepository *repository)
{
    if (!repository)
        return;
    pthread_mutex_lock(&repository->lock);
    repository->is_stopped = repository->is_ending = true;
    pthread_cond_broadcast(&repository->changed);
    pthread_mutex_unlock(&repository->lock);
    for (int i = 0; i < repository->thread_count; i++)
        pthread_join(repository->threads[i], NULL);
    unload_all(repository);
    while (repository->doomed) {
        QsServed *served = repository->doomed;
        repository->doomed = served->next;
        qs_version_free(served);
    }
    pthread_cond_destroy(&repository->changed);
    pthread_mutex_destroy(&repository->lock);
    qn_arena_finish(&repository->arena);
    free(repository->models);
    free(repository->threads);
    free(repository);
}
