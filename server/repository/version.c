/* SPDX-License-Identifier: Apache-2.0 */
/* One version of a model: its configuration, its backend's model, its scheduler. */
#include "server/repository/version.h"

#include <stdlib.h>

#include "base/file.h"
#include "server/repository/folder.h"

enum { CONFIG_LIMIT = 16 << 20 };

static const char *version_folder(const char *folder, int64_t version, QnArena *arena)
{
    return qn_arena_printf(arena, "%s/%lld", folder, (long long)version);
}

/* ---- Configuration ---- */

/* The configuration as written.  Without a file it is empty, if it may be completed. */
static QnStatus read_config(QsModelConfig *config, const char *name, const char *folder,
                            bool may_complete, QnArena *arena, QnError *err)
{
    QnBytes text = {0};
    const char *path = qn_arena_printf(arena, "%s/config.pbtxt", folder);
    if (!path)
        return qn_no_memory(err);
    if (qs_is_file(path) || !may_complete)
        QN_TRY(qn_file_read(&text, path, CONFIG_LIMIT, NULL, err));
    const QnStatus status = qs_config_parse(config, text, path, arena, err);
    qn_free(NULL, (void *)(uintptr_t)text.data, text.size);
    if (status == QN_OK && *config->name && strcmp(config->name, name) != 0)
        return qn_fail(
            err, QN_BAD_MODEL,
            "unexpected directory name '%s' for model '%s', directory name must equal model name",
            name, config->name);
    return status;
}

static QnStatus read_and_complete(QsModelConfig *config, const char *name, const char *folder,
                                  const int64_t *versions, size_t version_count, bool may_complete,
                                  QnArena *arena, QnError *err)
{
    QN_TRY(read_config(config, name, folder, may_complete, arena, err));
    const char *first = version_count ? version_folder(folder, versions[0], arena) : NULL;
    QN_TRY(qs_config_complete(config, &(QsCompletion){.name = name, .version_folder = first}, arena,
                              err));
    return qs_config_check(config, !may_complete, err);
}

/* ---- Versions ---- */

static bool is_specified(const QsSpecific *specific, int64_t version)
{
    for (size_t i = 0; i < specific->versions.count; i++)
        if (specific->versions.items[i] == version)
            return true;
    return false;
}

/* Keeps those of versions[count], ascending, that the policy wants; returns how many. */
static size_t apply_policy(int64_t *kept, const int64_t *versions, size_t count,
                           const QsVersionPolicy *policy)
{
    size_t kept_count = 0;
    const size_t newest = policy->latest ? policy->latest->num_versions : 1;
    for (size_t i = 0; i < count; i++) {
        const bool is_wanted = policy->all        ? true
                               : policy->specific ? is_specified(policy->specific, versions[i])
                                                  : count - i <= newest;
        if (is_wanted)
            kept[kept_count++] = versions[i];
    }
    return kept_count;
}

QnStatus qs_versions_choose(const int64_t **out, size_t *count, const char *name,
                            const char *folder, const QsRepositoryOptions *options, QnArena *arena,
                            QnError *err)
{
    QsModelConfig config;
    const int64_t *versions;
    size_t found;
    QN_TRY(qs_list_versions(&versions, &found, folder, arena, err));
    QN_TRY(read_and_complete(&config, name, folder, versions, found, options->may_complete, arena,
                             err));
    int64_t *kept = qn_arena_array(arena, found, sizeof *kept);
    if (!kept)
        return qn_no_memory(err);
    *count = apply_policy(kept, versions, found, config.version_policy);
    if (*count == 0)
        return qn_fail(
            err, QN_BAD_MODEL,
            "at least one version must be available under the version policy of model '%s'", name);
    *out = kept;
    return QN_OK;
}

/* ---- Loading ---- */

static QsQueuePolicy queue_policy(const QsModelConfig *config)
{
    const QsModelQueuePolicy *policy =
        config->dynamic_batching ? config->dynamic_batching->default_queue_policy : NULL;
    if (!policy)
        return (QsQueuePolicy){0};
    return (QsQueuePolicy){.size_limit = policy->max_queue_size,
                           .timeout_us = policy->timeout_action == QS_TIMEOUT_REJECT
                                             ? policy->default_timeout_microseconds
                                             : 0,
                           .timeout_can_be_shortened = policy->allow_timeout_override};
}

static QnStatus load_backend(QsServed *served, const QsVersionSource *source, QnError *err)
{
    QsModelVersion *version = &served->version;
    const char *folder = version_folder(source->folder, source->version, &served->arena);
    if (!folder)
        return qn_no_memory(err);
    version->backend = source->options->find_backend(served->config.backend);
    if (!version->backend)
        return qn_fail(
            err, QN_BAD_MODEL,
            "unable to find backend library for backend '%s', try specifying runtime on the model "
            "configuration.",
            served->config.backend);
    const QsModelSource model = {.name = source->name,
                                 .version = source->version,
                                 .folder = source->folder,
                                 .version_folder = folder,
                                 .may_complete = source->options->may_complete,
                                 .default_max_batch_size = source->options->default_max_batch_size,
                                 .host = source->host};
    return version->backend->load(&version->model, &model, &served->config, &served->arena, err);
}

/* What the backend has added may make more follow, and must be right too. */
static QnStatus complete_again(QsServed *served, const QsVersionSource *source, QnError *err)
{
    const QsCompletion known = {.name = source->name};
    QN_TRY(qs_config_complete(&served->config, &known, &served->arena, err));
    return qs_config_check(&served->config, true, err);
}

static QnStatus open_scheduler(QsServed *served, const QsVersionSource *source, QnError *err)
{
    const QsSchedulerOptions options = {.model_name = source->name,
                                        .backend = served->version.backend,
                                        .model = served->version.model,
                                        .instance_count = qs_config_instance_count(&served->config),
                                        .direct_limit_ns = source->options->direct_limit_ns,
                                        .queue = queue_policy(&served->config),
                                        .stats = &served->version.stats};
    return qs_scheduler_create(&served->version.scheduler, &options, err);
}

static QnStatus load(QsServed *served, const QsVersionSource *source, QnError *err)
{
    const int64_t *versions;
    size_t count;
    QN_TRY(qs_list_versions(&versions, &count, source->folder, &served->arena, err));
    QN_TRY(read_and_complete(&served->config, source->name, source->folder, versions, count,
                             source->options->may_complete, &served->arena, err));
    QN_TRY(load_backend(served, source, err));
    QN_TRY(complete_again(served, source, err));
    return open_scheduler(served, source, err);
}

QnStatus qs_version_load(QsServed **out, const QsVersionSource *source, QnError *err)
{
    QsServed *served = calloc(1, sizeof *served);
    if (!served)
        return qn_no_memory(err);
    qn_arena_init(&served->arena, NULL);
    served->repository = source->repository;
    atomic_init(&served->references, 1);
    served->version.name = source->name;
    served->version.version = source->version;
    served->version.config = &served->config;
    const QnStatus status = load(served, source, err);
    if (status == QN_OK)
        *out = served;
    else
        qs_version_free(served);
    return status;
}

void qs_version_free(QsServed *served)
{
    qs_scheduler_free(served->version.scheduler);
    if (served->version.model)
        served->version.backend->unload(served->version.model);
    qn_arena_finish(&served->arena);
    free(served);
}
