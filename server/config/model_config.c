/* SPDX-License-Identifier: Apache-2.0 */
/* Looking things up in a configuration. */
#include "server/config/model_config.h"

int qs_config_shape(int64_t dims[QN_MAX_RANK], const QsModelConfig *config,
                    const QsInt64List *declared)
{
    int rank = 0;
    if (config->max_batch_size > 0)
        dims[rank++] = -1;
    for (size_t i = 0; i < declared->count && rank < QN_MAX_RANK; i++)
        dims[rank++] = declared->items[i];
    return rank;
}

const QsModelInput *qs_config_find_input(const QsModelConfig *config, const char *name)
{
    for (size_t i = 0; i < config->input.count; i++)
        if (strcmp(config->input.items[i].name, name) == 0)
            return &config->input.items[i];
    return NULL;
}

const QsModelOutput *qs_config_find_output(const QsModelConfig *config, const char *name)
{
    for (size_t i = 0; i < config->output.count; i++)
        if (strcmp(config->output.items[i].name, name) == 0)
            return &config->output.items[i];
    return NULL;
}

const char *qs_config_parameter(const QsModelConfig *config, const char *key)
{
    for (size_t i = 0; i < config->parameters.count; i++)
        if (strcmp(config->parameters.items[i].key, key) == 0)
            return config->parameters.items[i].value
                       ? config->parameters.items[i].value->string_value
                       : "";
    return NULL;
}

int qs_config_instance_count(const QsModelConfig *config)
{
    int64_t count = 0;
    for (size_t i = 0; i < config->instance_group.count; i++)
        if (!config->instance_group.items[i].passive)
            count += config->instance_group.items[i].count;
    return count < 1 ? 1 : count > QS_INSTANCE_LIMIT ? QS_INSTANCE_LIMIT : (int)count;
}
