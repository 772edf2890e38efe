/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a configuration need not say because it follows from the rest.
 *
 * Everything here fills in only what is missing, so that doing it twice is doing it once.
 */
#include <sys/stat.h>

#include "server/config/model_config.h"

/* The kinds of models that are known by the files they are made of,
 * in the order in which they are looked for. */
static const struct {
    const char *platform, *backend, *filename;
} kinds[] = {
    {"tensorflow_savedmodel", "tensorflow", "model.savedmodel"},
    {"tensorflow_graphdef", "tensorflow", "model.graphdef"},
    {"tensorrt_plan", "tensorrt", "model.plan"},
    {"onnxruntime_onnx", "onnxruntime", "model.onnx"},
    {"", "openvino", "model.xml"},
    {"pytorch_libtorch", "pytorch", "model.pt"},
    {"torch_aoti", "pytorch", "model.pt2"},
    {"", "python", "model.py"},
};

static bool is_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static bool is_empty(const char *text)
{
    return !text || !*text;
}

/* Sets what is not set. */
static void fill(const char **field, const char *value)
{
    if (is_empty(*field))
        *field = value;
}

static bool exists(const char *folder, const char *name, QnArena *arena)
{
    struct stat info;
    const char *path = folder ? qn_arena_printf(arena, "%s/%s", folder, name) : NULL;
    return path && stat(path, &info) == 0;
}

/* Does a row of the table fit what is given, or what lies in the folder where nothing is? */
static bool fits(const QsModelConfig *config, size_t i, const QsCompletion *known, QnArena *arena)
{
    if (!is_empty(config->platform))
        return is_text(config->platform, kinds[i].platform);
    if (!is_empty(config->backend))
        return is_text(config->backend, kinds[i].backend);
    if (!is_empty(config->default_model_filename))
        return is_text(config->default_model_filename, kinds[i].filename);
    return exists(known->version_folder, kinds[i].filename, arena);
}

/* A name of the form "anything.backend" stands for the backend where nothing else does. */
static QnStatus take_backend_from_name(QsModelConfig *config, QnArena *arena, QnError *err)
{
    const char *dot = strchr(config->name, '.');
    if (!dot || !dot[1])
        return qn_fail(
            err, QN_BAD_MODEL,
            "Invalid model name: Could not determine backend for model '%s' with no backend in model "
            "configuration. Expected model name of the form 'model.<backend_name>'.",
            config->name);
    config->backend = dot + 1;
    config->default_model_filename = qn_arena_printf(arena, "model.%s", dot + 1);
    return config->default_model_filename ? QN_OK : qn_no_memory(err);
}

static QnStatus complete_kind(QsModelConfig *config, const QsCompletion *known, QnArena *arena,
                              QnError *err)
{
    const bool is_unknown = is_empty(config->platform) && is_empty(config->backend) &&
                            is_empty(config->default_model_filename);
    for (size_t i = 0; i < QN_COUNT_OF(kinds); i++) {
        if (!fits(config, i, known, arena))
            continue;
        fill(&config->platform, kinds[i].platform);
        fill(&config->backend, kinds[i].backend);
        fill(&config->default_model_filename, kinds[i].filename);
        return QN_OK;
    }
    return is_unknown ? take_backend_from_name(config, arena, err) : QN_OK;
}

static QnStatus complete_version_policy(QsModelConfig *config, QnArena *arena)
{
    if (config->version_policy)
        return QN_OK;
    QN_ALLOC(config->version_policy, arena, 1);
    QN_ALLOC(config->version_policy->latest, arena, 1);
    config->version_policy->latest->num_versions = 1;
    config->version_policy->policy_choice = 1;
    return QN_OK;
}

/* A batcher that was not told which sizes it should try for tries for the largest. */
static QnStatus complete_preferred(QsInt32List *preferred, int32_t max_batch_size, QnArena *arena)
{
    if (preferred->count || max_batch_size <= 0)
        return QN_OK;
    QN_ALLOC(preferred->items, arena, 1);
    preferred->items[0] = max_batch_size;
    preferred->count = preferred->capacity = 1;
    return QN_OK;
}

static QnStatus complete_batching(QsModelConfig *config, QnArena *arena)
{
    QsSequenceBatching *sequence = config->sequence_batching;
    if (config->dynamic_batching)
        QN_TRY(complete_preferred(&config->dynamic_batching->preferred_batch_size,
                                  config->max_batch_size, arena));
    if (!sequence)
        return QN_OK;
    if (sequence->max_sequence_idle_microseconds == 0)
        sequence->max_sequence_idle_microseconds = 1000000;
    if (!sequence->oldest)
        return QN_OK;
    return complete_preferred(&sequence->oldest->preferred_batch_size, config->max_batch_size,
                              arena);
}

static QnStatus complete_switch(QsSwitch **field, QnArena *arena)
{
    if (*field)
        return QN_OK;
    QN_ALLOC(*field, arena, 1);
    (*field)->enable = true;
    return QN_OK;
}

static QnStatus complete_optimization(QsModelConfig *config, QnArena *arena)
{
    if (!config->optimization)
        QN_ALLOC(config->optimization, arena, 1);
    QN_TRY(complete_switch(&config->optimization->input_pinned_memory, arena));
    return complete_switch(&config->optimization->output_pinned_memory, arena);
}

/* These two compute on CPUs with threads of their own,
 * so a second instance fills the gaps of the first. */
static int32_t default_instances(const QsModelConfig *config, const QsInstanceGroup *group)
{
    const bool overlaps =
        is_text(config->backend, "onnxruntime") || is_text(config->backend, "tensorflow");
    return group->kind == QS_KIND_CPU && overlaps ? 2 : 1;
}

static QnStatus complete_instances(QsModelConfig *config, const QsCompletion *known, QnArena *arena)
{
    QsInstanceGroups *groups = &config->instance_group;
    const bool is_own = groups->count == 0;
    if (is_own) {
        QN_ALLOC(groups->items, arena, 1);
        groups->items[0].host_policy = "";
        groups->count = groups->capacity = 1;
    }
    for (size_t i = 0; i < groups->count; i++) {
        QsInstanceGroup *group = &groups->items[i];
        if (is_empty(group->name))
            group->name = is_own ? config->name : qn_arena_printf(arena, "%s_%zu", config->name, i);
        if (!group->name)
            return QN_NO_MEMORY;
        if (group->kind == QS_KIND_AUTO)
            group->kind = known->has_gpus ? QS_KIND_GPU : QS_KIND_CPU;
        if (group->count < 1)
            group->count = default_instances(config, group);
    }
    return QN_OK;
}

QnStatus qs_config_complete(QsModelConfig *config, const QsCompletion *known, QnArena *arena,
                            QnError *err)
{
    if (is_empty(config->name))
        config->name = qn_arena_copy_text(arena, known->name, strlen(known->name));
    if (!config->name)
        return qn_no_memory(err);
    QN_TRY(complete_kind(config, known, arena, err));
    QnStatus status = complete_version_policy(config, arena);
    if (status == QN_OK)
        status = complete_batching(config, arena);
    if (status == QN_OK && !is_text(config->platform, "ensemble")) {
        status = complete_optimization(config, arena);
        if (status == QN_OK)
            status = complete_instances(config, known, arena);
    }
    return status == QN_OK ? QN_OK : qn_no_memory(err);
}
