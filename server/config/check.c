/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is wrong with a configuration, in the words that users of the protocol know.
 *
 * Only what can be said without the model's file: whether tensors exist in it, and with which
 * shapes, the backend checks when it has read it.
 */
#include "server/config/model_config.h"

static bool is_text(const char *a, const char *b)
{
    return a && strcmp(a, b) == 0;
}

static bool is_empty(const char *text)
{
    return !text || !*text;
}

/* ---- What the model is ---- */

/* The platforms of backends that have their own. */
static const struct {
    const char *platform, *backend;
} platforms[] = {
    {"tensorflow_savedmodel", "tensorflow"}, {"tensorflow_graphdef", "tensorflow"},
    {"tensorrt_plan", "tensorrt"},           {"onnxruntime_onnx", "onnxruntime"},
    {"pytorch_libtorch", "pytorch"},         {"torch_aoti", "pytorch"},
};

static bool is_pair(const QsModelConfig *config)
{
    bool has_platforms = false;
    for (size_t i = 0; i < QN_COUNT_OF(platforms); i++) {
        if (!is_text(config->backend, platforms[i].backend))
            continue;
        has_platforms = true;
        if (is_text(config->platform, platforms[i].platform))
            return true;
    }
    return !has_platforms;
}

static QnStatus check_kind(const QsModelConfig *config, QnError *err)
{
    const bool is_ensemble = is_text(config->platform, "ensemble");
    if (is_empty(config->name))
        return qn_fail(err, QN_BAD_MODEL, "model configuration must specify 'name'");
    if (is_empty(config->backend) && !is_ensemble)
        return qn_fail(err, QN_BAD_MODEL, "unexpected platform type '%s' for %s",
                       is_empty(config->platform) ? "" : config->platform, config->name);
    if (!is_empty(config->backend) && is_ensemble)
        return qn_fail(err, QN_BAD_MODEL, "Ensemble model '%s' must have platform type 'ensemble'",
                       config->name);
    if (!is_empty(config->platform) && !is_ensemble && !is_pair(config))
        return qn_fail(err, QN_BAD_MODEL, "unexpected 'platform' and 'backend' pair, got:%s, %s",
                       config->platform, config->backend);
    if (config->max_batch_size < 0)
        return qn_fail(err, QN_BAD_MODEL, "'max_batch_size' must be non-negative value for %s",
                       config->name);
    if (config->ensemble_scheduling && !is_ensemble)
        return qn_fail(
            err, QN_BAD_MODEL,
            "ensemble scheduling cannot be set for model '%s' whose platform is not ensemble",
            config->name);
    if (!config->ensemble_scheduling && is_ensemble)
        return qn_fail(err, QN_BAD_MODEL,
                       "ensemble scheduling must be set for ensemble %s whose platform is ensemble",
                       config->name);
    return QN_OK;
}

static QnStatus check_cache(const QsModelConfig *config, QnError *err)
{
    if (!config->response_cache || !config->response_cache->enable)
        return QN_OK;
    if (config->sequence_batching)
        return qn_fail(
            err, QN_BAD_MODEL,
            "Response Cache does not currently support model %s with sequence batching scheduler. "
            "Please disable the response cache.",
            config->name);
    if (config->model_transaction_policy && config->model_transaction_policy->decoupled)
        return qn_fail(
            err, QN_BAD_MODEL,
            "Response Cache does not currently support model %s with 'decoupled' transaction policy. "
            "Please disable the response cache.",
            config->name);
    return QN_OK;
}

/* ---- Batching ---- */

static QnStatus check_preferred(const QsModelConfig *config, const char *who,
                                const QsInt32List *preferred, QnError *err)
{
    for (size_t i = 0; i < preferred->count; i++) {
        if (preferred->items[i] <= 0)
            return qn_fail(err, QN_BAD_MODEL, "%s preferred size must be positive for %s", who,
                           config->name);
        if (preferred->items[i] > config->max_batch_size)
            return qn_fail(err, QN_BAD_MODEL, "%s preferred size must be <= max batch size for %s",
                           who, config->name);
    }
    return QN_OK;
}

/* Delaying past a timeout reorders, which preserve_ordering rules out. */
static bool delays(const QsModelQueuePolicy *policy)
{
    return policy && policy->timeout_action == QS_TIMEOUT_DELAY &&
           (policy->default_timeout_microseconds || policy->allow_timeout_override);
}

static QnStatus check_ordering(const QsModelConfig *config, QnError *err)
{
    const QsDynamicBatching *batching = config->dynamic_batching;
    if (!batching->preserve_ordering)
        return QN_OK;
    if (batching->priority_levels > 1)
        return qn_fail(err, QN_BAD_MODEL,
                       "Only one priority level is allowed when 'preserve_ordering' is true for %s",
                       config->name);
    bool is_delaying = delays(batching->default_queue_policy);
    for (size_t i = 0; i < batching->priority_queue_policy.count; i++)
        is_delaying = is_delaying || delays(batching->priority_queue_policy.items[i].value);
    if (is_delaying)
        return qn_fail(
            err, QN_BAD_MODEL,
            "Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true for %s",
            config->name);
    return QN_OK;
}

static QnStatus check_priorities(const QsModelConfig *config, QnError *err)
{
    const QsDynamicBatching *batching = config->dynamic_batching;
    const uint64_t levels = batching->priority_levels, chosen = batching->default_priority_level;
    if (levels && (chosen < 1 || chosen > levels))
        return qn_fail(err, QN_BAD_MODEL,
                       "default priority level must be in range [1, %llu] for %s",
                       (unsigned long long)levels, config->name);
    for (size_t i = 0; levels && i < batching->priority_queue_policy.count; i++) {
        const uint64_t key = batching->priority_queue_policy.items[i].key;
        if (key < 1 || key > levels)
            return qn_fail(
                err, QN_BAD_MODEL,
                "priority queue policy must have priority level in range [1, %llu] for %s",
                (unsigned long long)levels, config->name);
    }
    return QN_OK;
}

static QnStatus check_dynamic_batching(const QsModelConfig *config, QnError *err)
{
    if (!config->dynamic_batching)
        return QN_OK;
    QN_TRY(check_preferred(config, "dynamic batching",
                           &config->dynamic_batching->preferred_batch_size, err));
    QN_TRY(check_priorities(config, err));
    return check_ordering(config, err);
}

/* ---- Sequences ---- */

static const char *const control_names[] = {"CONTROL_SEQUENCE_START", "CONTROL_SEQUENCE_READY",
                                            "CONTROL_SEQUENCE_END", "CONTROL_SEQUENCE_CORRID"};

static QnStatus check_correlation(const QsModelConfig *config, const QsControl *control,
                                  QnError *err)
{
    switch (control->data_type) {
    case QS_UINT64:
    case QS_INT64:
    case QS_UINT32:
    case QS_INT32:
    case QS_BYTES:
        break;
    default:
        return qn_fail(
            err, QN_BAD_MODEL,
            "unexpected data type for control CONTROL_SEQUENCE_CORRID for %s. Allowed data types are "
            "TYPE_UINT64, TYPE_INT64, TYPE_UINT32, TYPE_INT32 and TYPE_STRING",
            config->name);
    }
    if (control->int32_false_true.count || control->fp32_false_true.count ||
        control->bool_false_true.count)
        return qn_fail(
            err, QN_BAD_MODEL,
            "sequence batching must not specify either 'int32_false_true', 'fp32_false_true' or "
            "'bool_false_true' for CONTROL_SEQUENCE_CORRID for %s",
            config->name);
    return QN_OK;
}

/* A flag has its two values in exactly one of three lists. */
static QnStatus check_flag(const QsModelConfig *config, const QsControl *control, QnError *err)
{
    const struct {
        const char *name;
        size_t count;
    } lists[] = {{"int32_false_true", control->int32_false_true.count},
                 {"fp32_false_true", control->fp32_false_true.count},
                 {"bool_false_true", control->bool_false_true.count}};
    const char *kind = control_names[control->kind];
    int given = 0;
    for (size_t i = 0; i < QN_COUNT_OF(lists); i++)
        given += lists[i].count > 0;
    if (given == 0)
        return qn_fail(
            err, QN_BAD_MODEL,
            "sequence batching must specify either 'int32_false_true', 'fp32_false_true' or "
            "'bool_false_true' for %s for %s",
            kind, config->name);
    if (given > 1)
        return qn_fail(
            err, QN_BAD_MODEL,
            "sequence batching specifies more than one from 'int32_false_true', 'fp32_false_true' and "
            "'bool_false_true' for %s for %s",
            kind, config->name);
    for (size_t i = 0; i < QN_COUNT_OF(lists); i++)
        if (lists[i].count && lists[i].count != 2)
            return qn_fail(
                err, QN_BAD_MODEL,
                "sequence batching control '%s' must have exactly 2 entries for %s for %s",
                lists[i].name, kind, config->name);
    return QN_OK;
}

static QnStatus check_control_input(const QsModelConfig *config, const QsControlInput *input,
                                    int *seen, QnError *err)
{
    if (is_empty(input->name))
        return qn_fail(err, QN_BAD_MODEL,
                       "sequence batching control tensor must have a name for %s", config->name);
    if (input->control.count == 0)
        return qn_fail(err, QN_BAD_MODEL,
                       "sequence batching control tensor '%s' is unexpected for %s", input->name,
                       config->name);
    for (size_t i = 0; i < input->control.count; i++) {
        const QsControl *control = &input->control.items[i];
        if (*seen >> control->kind & 1)
            return qn_fail(err, QN_BAD_MODEL,
                           "sequence batching specifies multiple %s tensors for %s",
                           control_names[control->kind], config->name);
        *seen |= 1 << control->kind;
        QN_TRY(control->kind == QS_CONTROL_CORRID ? check_correlation(config, control, err)
                                                  : check_flag(config, control, err));
    }
    return QN_OK;
}

static QnStatus check_initial_state(const QsModelConfig *config, const QsSequenceState *state,
                                    QnError *err)
{
    if (state->initial_state.count > 1)
        return qn_fail(
            err, QN_BAD_MODEL,
            "initial_state field for state input '%s' must contain exactly one or zero element for %s",
            state->input_name, config->name);
    if (state->initial_state.count == 0)
        return QN_OK;
    const QsInitialState *initial = &state->initial_state.items[0];
    if (is_empty(initial->name))
        return qn_fail(
            err, QN_BAD_MODEL,
            "field 'name' must be set when using initial_state for state input '%s' for %s",
            state->input_name, config->name);
    if (initial->data_type != state->data_type)
        return qn_fail(
            err, QN_BAD_MODEL,
            "the data type used for 'initial_state' field of state '%s' does not match the state's for %s",
            state->input_name, config->name);
    if (!initial->state_data)
        return qn_fail(
            err, QN_BAD_MODEL,
            "initial_state of state '%s' must specify one of 'zero_data' and 'data_file' for %s",
            state->input_name, config->name);
    if (initial->dims.count != state->dims.count)
        return qn_fail(err, QN_BAD_MODEL,
                       "initial_state of state '%s' has %zu dimensions, expected %zu for %s",
                       state->input_name, initial->dims.count, state->dims.count, config->name);
    for (size_t i = 0; i < initial->dims.count; i++)
        if (initial->dims.items[i] < 0 ||
            (state->dims.items[i] >= 0 && state->dims.items[i] != initial->dims.items[i]))
            return qn_fail(err, QN_BAD_MODEL,
                           "initial_state of state '%s' has dimension %lld, expected %lld for %s",
                           state->input_name, (long long)initial->dims.items[i],
                           (long long)state->dims.items[i], config->name);
    return QN_OK;
}

static QnStatus check_sequence_batching(const QsModelConfig *config, QnError *err)
{
    const QsSequenceBatching *batching = config->sequence_batching;
    if (!batching)
        return QN_OK;
    int seen = 0;
    for (size_t i = 0; i < batching->control_input.count; i++)
        QN_TRY(check_control_input(config, &batching->control_input.items[i], &seen, err));
    for (size_t i = 0; i < batching->state.count; i++)
        QN_TRY(check_initial_state(config, &batching->state.items[i], err));
    if (batching->direct && !(batching->direct->minimum_slot_utilization >= 0 &&
                              batching->direct->minimum_slot_utilization <= 1))
        return qn_fail(
            err, QN_BAD_MODEL,
            "sequence batching minimum slot utilization must be in range [0.0, 1.0] for %s",
            config->name);
    return batching->oldest ? check_preferred(config, "sequence batching",
                                              &batching->oldest->preferred_batch_size, err)
                            : QN_OK;
}

/* ---- Instances ---- */

static QnStatus check_instances(const QsModelConfig *config, QnError *err)
{
    static const char *const kind_names[] = {"KIND_AUTO", "KIND_GPU", "KIND_CPU", "KIND_MODEL"};
    if (config->ensemble_scheduling && config->instance_group.count)
        return qn_fail(err, QN_BAD_MODEL,
                       "instance group should not be specified for ensemble '%s'", config->name);
    for (size_t i = 0; i < config->instance_group.count; i++) {
        const QsInstanceGroup *group = &config->instance_group.items[i];
        if (group->kind == QS_KIND_GPU)
            return qn_fail(
                err, QN_BAD_MODEL,
                "instance group %s of model %s has kind KIND_GPU but no GPUs are available",
                group->name, config->name);
        if (group->gpus.count)
            return qn_fail(
                err, QN_BAD_MODEL,
                "instance group %s of model %s has kind %s but specifies one or more GPUs",
                group->name, config->name, kind_names[group->kind]);
        if (group->profile.count && !is_text(config->platform, "tensorrt_plan"))
            return qn_fail(
                err, QN_BAD_MODEL,
                "instance group %s of model %s and platform %s specifies profile field which is only "
                "supported when using TensorRT models",
                group->name, config->name, config->platform);
    }
    return QN_OK;
}

/* ---- Tensors ---- */

/* An input or output, as far as the rules are the same for both. */
typedef struct Tensor {
    const char *kind, *name;
    int32_t data_type;
    const QsInt64List *dims;
    const QsShape *reshape;
    bool is_shape_tensor, is_non_linear;
} Tensor;

/* The product of the sizes from `i` up to the next variable one, and leaves `i` there. */
static int64_t segment_product(const QsInt64List *dims, size_t *i)
{
    int64_t product = 1;
    for (; *i < dims->count && dims->items[*i] >= 0; ++*i)
        if (__builtin_mul_overflow(product, dims->items[*i], &product))
            product = -1; /* no product of sizes; two of them are not worth telling apart */
    return product;
}

static size_t variable_count(const QsInt64List *dims)
{
    size_t count = 0;
    for (size_t i = 0; i < dims->count; i++)
        count += dims->items[i] < 0;
    return count;
}

/* Between the dimensions of any size, both shapes have as many elements. */
static bool have_equal_segments(const QsInt64List *a, const QsInt64List *b)
{
    size_t i = 0, k = 0;
    for (size_t left = variable_count(a) + 1; left; left--, i++, k++)
        if (segment_product(a, &i) != segment_product(b, &k))
            return false;
    return true;
}

static QnStatus check_dims(const QsModelConfig *config, const Tensor *tensor,
                           const QsInt64List *dims, const char *what, QnError *err)
{
    if (dims->count >= QN_MAX_RANK)
        return qn_fail(err, QN_BAD_MODEL,
                       "model %s '%s' has %zu dimensions, expected fewer than %d for %s",
                       tensor->kind, tensor->name, dims->count, QN_MAX_RANK, config->name);
    for (size_t i = 0; i < dims->count; i++)
        if (dims->items[i] < 1 && dims->items[i] != -1)
            return qn_fail(
                err, QN_BAD_MODEL,
                "model %s '%s' %s must be integer >= 1, or -1 to indicate a variable-size dimension for %s",
                tensor->kind, tensor->name, what, config->name);
    return QN_OK;
}

static QnStatus check_reshape(const QsModelConfig *config, const Tensor *tensor, QnError *err)
{
    const QsInt64List *dims = tensor->dims, *shape = &tensor->reshape->shape;
    QN_TRY(check_dims(config, tensor, shape, "reshape dimension", err));
    if (shape->count == 0 && config->max_batch_size == 0)
        return qn_fail(
            err, QN_BAD_MODEL,
            "model %s '%s' cannot have empty reshape for non-batching model as scalar tensors are not supported for %s",
            tensor->kind, tensor->name, config->name);
    if (variable_count(dims) != variable_count(shape))
        return qn_fail(
            err, QN_BAD_MODEL,
            "model %s '%s' has different number of variable-size dimensions for dims and reshape for %s",
            tensor->kind, tensor->name, config->name);
    if (!have_equal_segments(dims, shape))
        return qn_fail(err, QN_BAD_MODEL,
                       "model %s '%s' has different size for dims and reshape for %s", tensor->kind,
                       tensor->name, config->name);
    return QN_OK;
}

static QnStatus check_tensor(const QsModelConfig *config, const Tensor *tensor, QnError *err)
{
    if (is_empty(tensor->name))
        return qn_fail(err, QN_BAD_MODEL, "model %s must specify 'name' for %s", tensor->kind,
                       config->name);
    if (tensor->data_type == QS_INVALID)
        return qn_fail(err, QN_BAD_MODEL, "model %s '%s' must specify 'data_type' for %s",
                       tensor->kind, tensor->name, config->name);
    if (tensor->dims->count == 0)
        return qn_fail(err, QN_BAD_MODEL, "model %s '%s' must specify 'dims' for %s", tensor->kind,
                       tensor->name, config->name);
    QN_TRY(check_dims(config, tensor, tensor->dims, "dimension", err));
    if (tensor->reshape)
        QN_TRY(check_reshape(config, tensor, err));
    if ((tensor->is_shape_tensor || tensor->is_non_linear) &&
        !is_text(config->platform, "tensorrt_plan"))
        return qn_fail(
            err, QN_BAD_MODEL,
            "%s are only supported for TensorRT models, but is set for model %s '%s' of %s",
            tensor->is_shape_tensor ? "shape tensors" : "non-linear formats", tensor->kind,
            tensor->name, config->name);
    return QN_OK;
}

static QnStatus check_inputs(const QsModelConfig *config, QnError *err)
{
    for (size_t i = 0; i < config->input.count; i++) {
        const QsModelInput *input = &config->input.items[i];
        QN_TRY(check_tensor(config,
                            &(Tensor){"input", input->name, input->data_type, &input->dims,
                                      input->reshape, input->is_shape_tensor,
                                      input->is_non_linear_format_io},
                            err));
        if (input->format != QS_FORMAT_NONE && input->dims.count != 3)
            return qn_fail(err, QN_BAD_MODEL,
                           "model input '%s' has format that needs 3 dims, but has %zu for %s",
                           input->name, input->dims.count, config->name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(config->input.items[k].name, input->name) == 0)
                return qn_fail(err, QN_BAD_MODEL, "model input '%s' is given twice for %s",
                               input->name, config->name);
    }
    return QN_OK;
}

static QnStatus check_outputs(const QsModelConfig *config, QnError *err)
{
    for (size_t i = 0; i < config->output.count; i++) {
        const QsModelOutput *output = &config->output.items[i];
        QN_TRY(check_tensor(config,
                            &(Tensor){"output", output->name, output->data_type, &output->dims,
                                      output->reshape, output->is_shape_tensor,
                                      output->is_non_linear_format_io},
                            err));
        for (size_t k = 0; k < i; k++)
            if (strcmp(config->output.items[k].name, output->name) == 0)
                return qn_fail(err, QN_BAD_MODEL, "model output '%s' is given twice for %s",
                               output->name, config->name);
    }
    return QN_OK;
}

/* Batch inputs and outputs are made from exactly one input that exists. */
static QnStatus check_source(const QsModelConfig *config, const char *kind,
                             const QsTextList *source, QnError *err)
{
    if (source->count != 1)
        return qn_fail(err, QN_BAD_MODEL, "%s must have exactly one source input, got %zu for %s",
                       kind, source->count, config->name);
    if (!qs_config_find_input(config, source->items[0]))
        return qn_fail(err, QN_BAD_MODEL, "unknown source input name '%s' for %s", source->items[0],
                       config->name);
    return QN_OK;
}

static QnStatus check_batch_tensors(const QsModelConfig *config, QnError *err)
{
    for (size_t i = 0; i < config->batch_input.count; i++) {
        const QsBatchInput *input = &config->batch_input.items[i];
        if (input->target_name.count == 0)
            return qn_fail(err, QN_BAD_MODEL,
                           "batch input must have at least one target name for %s", config->name);
        if (input->data_type != QS_INT32 && input->data_type != QS_FP32)
            return qn_fail(err, QN_BAD_MODEL,
                           "batch input data type must be TYPE_INT32 or TYPE_FP32, got %s for %s",
                           qs_data_type_config_name((QsDataType)input->data_type), config->name);
        QN_TRY(check_source(config, "batch input", &input->source_input, err));
    }
    for (size_t i = 0; i < config->batch_output.count; i++) {
        const QsBatchOutput *output = &config->batch_output.items[i];
        for (size_t k = 0; k < output->target_name.count; k++)
            if (!qs_config_find_output(config, output->target_name.items[k]))
                return qn_fail(err, QN_BAD_MODEL, "unknown output name '%s' of batch output for %s",
                               output->target_name.items[k], config->name);
        QN_TRY(check_source(config, "batch output", &output->source_input, err));
    }
    return QN_OK;
}

QnStatus qs_config_check(const QsModelConfig *config, bool with_tensors, QnError *err)
{
    QN_TRY(check_kind(config, err));
    QN_TRY(check_cache(config, err));
    QN_TRY(check_dynamic_batching(config, err));
    QN_TRY(check_sequence_batching(config, err));
    if (!with_tensors)
        return QN_OK;
    QN_TRY(check_inputs(config, err));
    QN_TRY(check_outputs(config, err));
    QN_TRY(check_batch_tensors(config, err));
    return check_instances(config, err);
}
