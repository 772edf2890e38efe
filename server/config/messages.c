/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The form of model configurations: every message, field, number and enum, once.
 *
 * The order of the fields is that of the printed form.
 */
#include "server/config/model_config.h"

#include "base/prototext.h"

/* clang-format off: a table, one field a row */

#define FIELDS(message) message, QN_COUNT_OF(message)
#define SCALAR(n, type, member, k)                            \
    {                                                         \
        .number = n, QN_AT(type, member), .kind = QN_KIND_##k \
    }
#define LIST(n, type, member, k)                                                    \
    {                                                                               \
        .number = n, QN_AT(type, member), .kind = QN_KIND_##k, .shape = QN_REPEATED \
    }
#define ENUM(n, type, member, e)                                             \
    {                                                                        \
        .number = n, QN_AT(type, member), .kind = QN_KIND_ENUM, .values = &e \
    }
#define PART(n, type, member, m)                                                 \
    {                                                                            \
        .number = n, QN_AT(type, member), .kind = QN_KIND_MESSAGE, .message = &m \
    }
#define PARTS(n, type, member, m)                                                        \
    {                                                                                    \
        .number = n, QN_AT(type, member), .kind = QN_KIND_MESSAGE, .shape = QN_REPEATED, \
        .message = &m                                                                    \
    }
#define MAP(n, type, member, m)                                                        \
    {                                                                                  \
        .number = n, QN_AT(type, member), .kind = QN_KIND_MESSAGE, .shape = QN_MAPPED, \
        .message = &m                                                                  \
    }
#define CHOICE(type, group) .oneof = #group, .case_offset = offsetof(type, group)
#define CHOSEN_PART(n, type, member, m, group)                                    \
    {                                                                             \
        .number = n, QN_AT(type, member), .kind = QN_KIND_MESSAGE, .message = &m, \
        CHOICE(type, group)                                                       \
    }
#define CHOSEN_SCALAR(n, type, member, k, group)                                   \
    {                                                                              \
        .number = n, QN_AT(type, member), .kind = QN_KIND_##k, CHOICE(type, group) \
    }
#define MESSAGE(id, name, type) \
    static const QnMessage id = {name, sizeof(type), FIELDS(id##_fields)}
#define VALUES(id, name) static const QnEnum id = {name, FIELDS(id##_values)}

/* ---- Enums ---- */

static const QnEnumValue data_type_values[] = {{"TYPE_INVALID", 0},
#define ROW(name, number, config, bytes, type) {config, number},
                                               QS_DATA_TYPE_MAP(ROW)
#undef ROW
};
VALUES(data_type, "DataType");

static const QnEnumValue format_values[] = {
    {"FORMAT_NONE", QS_FORMAT_NONE},
    {"FORMAT_NHWC", QS_FORMAT_NHWC},
    {"FORMAT_NCHW", QS_FORMAT_NCHW},
};
VALUES(format, "Format");

static const QnEnumValue kind_values[] = {
    {"KIND_AUTO", QS_KIND_AUTO},
    {"KIND_GPU", QS_KIND_GPU},
    {"KIND_CPU", QS_KIND_CPU},
    {"KIND_MODEL", QS_KIND_MODEL},
};
VALUES(kind, "Kind");

static const QnEnumValue secondary_kind_values[] = {{"KIND_NVDLA", 0}};
VALUES(secondary_kind, "SecondaryDeviceKind");

static const QnEnumValue timeout_action_values[] = {{"REJECT", QS_TIMEOUT_REJECT},
                                                    {"DELAY", QS_TIMEOUT_DELAY}};
VALUES(timeout_action, "TimeoutAction");

static const QnEnumValue control_kind_values[] = {
    {"CONTROL_SEQUENCE_START", QS_CONTROL_START},
    {"CONTROL_SEQUENCE_READY", QS_CONTROL_READY},
    {"CONTROL_SEQUENCE_END", QS_CONTROL_END},
    {"CONTROL_SEQUENCE_CORRID", QS_CONTROL_CORRID},
};
VALUES(control_kind, "Kind");

static const QnEnumValue priority_values[] = {
    {"PRIORITY_DEFAULT", 0}, {"PRIORITY_MAX", 1}, {"PRIORITY_MIN", 2}};
VALUES(priority, "ModelPriority");

static const QnEnumValue batch_input_kind_values[] = {
    {"BATCH_ELEMENT_COUNT", 0},
    {"BATCH_ACCUMULATED_ELEMENT_COUNT", 1},
    {"BATCH_ACCUMULATED_ELEMENT_COUNT_WITH_ZERO", 2},
    {"BATCH_MAX_ELEMENT_COUNT_AS_SHAPE", 3},
    {"BATCH_ITEM_SHAPE", 4},
    {"BATCH_ITEM_SHAPE_FLATTEN", 5},
};
VALUES(batch_input_kind, "Kind");

static const QnEnumValue batch_output_kind_values[] = {{"BATCH_SCATTER_WITH_INPUT_SHAPE", 0}};
VALUES(batch_output_kind, "Kind");

/* ---- Maps and small parts ---- */

static const QnField text_pair_fields[] = {
    SCALAR(1, QsTextPair, key, STRING),
    SCALAR(2, QsTextPair, value, STRING),
};
MESSAGE(text_pair, "MapEntry", QsTextPair);

static const QnField switch_fields[] = {SCALAR(1, QsSwitch, enable, BOOL)};
static const QnMessage pinned_memory = {"PinnedMemoryBuffer", sizeof(QsSwitch),
                                        FIELDS(switch_fields)};
static const QnMessage response_cache = {"ModelResponseCache", sizeof(QsSwitch),
                                         FIELDS(switch_fields)};

static const QnField latest_fields[] = {SCALAR(1, QsLatest, num_versions, UINT32)};
MESSAGE(latest, "Latest", QsLatest);
static const QnMessage all = {"All", sizeof(QsNothing), NULL, 0};
static const QnField specific_fields[] = {LIST(1, QsSpecific, versions, INT64)};
MESSAGE(specific, "Specific", QsSpecific);

static const QnField version_policy_fields[] = {
    CHOSEN_PART(1, QsVersionPolicy, latest, latest, policy_choice),
    CHOSEN_PART(2, QsVersionPolicy, all, all, policy_choice),
    CHOSEN_PART(3, QsVersionPolicy, specific, specific, policy_choice),
};
MESSAGE(version_policy, "ModelVersionPolicy", QsVersionPolicy);

/* ---- Tensors ---- */

static const QnField shape_fields[] = {LIST(1, QsShape, shape, INT64)};
MESSAGE(shape, "ModelTensorReshape", QsShape);

static const QnField input_fields[] = {
    SCALAR(1, QsModelInput, name, STRING),
    ENUM(2, QsModelInput, data_type, data_type),
    ENUM(3, QsModelInput, format, format),
    LIST(4, QsModelInput, dims, INT64),
    PART(5, QsModelInput, reshape, shape),
    SCALAR(6, QsModelInput, is_shape_tensor, BOOL),
    SCALAR(7, QsModelInput, allow_ragged_batch, BOOL),
    SCALAR(8, QsModelInput, optional, BOOL),
    SCALAR(9, QsModelInput, is_non_linear_format_io, BOOL),
};
MESSAGE(input, "ModelInput", QsModelInput);

static const QnField output_fields[] = {
    SCALAR(1, QsModelOutput, name, STRING),
    ENUM(2, QsModelOutput, data_type, data_type),
    LIST(3, QsModelOutput, dims, INT64),
    PART(5, QsModelOutput, reshape, shape),
    SCALAR(4, QsModelOutput, label_filename, STRING),
    SCALAR(6, QsModelOutput, is_shape_tensor, BOOL),
    SCALAR(7, QsModelOutput, is_non_linear_format_io, BOOL),
};
MESSAGE(output, "ModelOutput", QsModelOutput);

static const QnField batch_input_fields[] = {
    ENUM(1, QsBatchInput, kind, batch_input_kind),
    LIST(2, QsBatchInput, target_name, STRING),
    ENUM(3, QsBatchInput, data_type, data_type),
    LIST(4, QsBatchInput, source_input, STRING),
};
MESSAGE(batch_input, "BatchInput", QsBatchInput);

static const QnField batch_output_fields[] = {
    LIST(1, QsBatchOutput, target_name, STRING),
    ENUM(2, QsBatchOutput, kind, batch_output_kind),
    LIST(3, QsBatchOutput, source_input, STRING),
};
MESSAGE(batch_output, "BatchOutput", QsBatchOutput);

/* ---- Instances ---- */

static const QnField resource_fields[] = {
    SCALAR(1, QsResource, name, STRING),
    SCALAR(2, QsResource, global, BOOL),
    SCALAR(3, QsResource, count, UINT32),
};
MESSAGE(resource, "Resource", QsResource);

static const QnField rate_limiter_fields[] = {
    PARTS(1, QsRateLimiter, resources, resource),
    SCALAR(2, QsRateLimiter, priority, UINT32),
};
MESSAGE(rate_limiter, "ModelRateLimiter", QsRateLimiter);

static const QnField secondary_device_fields[] = {
    ENUM(1, QsSecondaryDevice, kind, secondary_kind),
    SCALAR(2, QsSecondaryDevice, device_id, INT64),
};
MESSAGE(secondary_device, "SecondaryDevice", QsSecondaryDevice);

static const QnField instance_group_fields[] = {
    SCALAR(1, QsInstanceGroup, name, STRING),
    ENUM(4, QsInstanceGroup, kind, kind),
    SCALAR(2, QsInstanceGroup, count, INT32),
    PART(6, QsInstanceGroup, rate_limiter, rate_limiter),
    LIST(3, QsInstanceGroup, gpus, INT32),
    PARTS(8, QsInstanceGroup, secondary_devices, secondary_device),
    LIST(5, QsInstanceGroup, profile, STRING),
    SCALAR(7, QsInstanceGroup, passive, BOOL),
    SCALAR(9, QsInstanceGroup, host_policy, STRING),
};
MESSAGE(instance_group, "ModelInstanceGroup", QsInstanceGroup);

/* ---- Dynamic batching ---- */

static const QnField queue_policy_fields[] = {
    ENUM(1, QsModelQueuePolicy, timeout_action, timeout_action),
    SCALAR(2, QsModelQueuePolicy, default_timeout_microseconds, UINT64),
    SCALAR(3, QsModelQueuePolicy, allow_timeout_override, BOOL),
    SCALAR(4, QsModelQueuePolicy, max_queue_size, UINT32),
};
MESSAGE(queue_policy, "ModelQueuePolicy", QsModelQueuePolicy);

static const QnField priority_policy_fields[] = {
    SCALAR(1, QsPriorityPolicy, key, UINT64),
    PART(2, QsPriorityPolicy, value, queue_policy),
};
MESSAGE(priority_policy, "PriorityQueuePolicyEntry", QsPriorityPolicy);

static const QnField dynamic_batching_fields[] = {
    LIST(1, QsDynamicBatching, preferred_batch_size, INT32),
    SCALAR(2, QsDynamicBatching, max_queue_delay_microseconds, UINT64),
    SCALAR(3, QsDynamicBatching, preserve_ordering, BOOL),
    SCALAR(4, QsDynamicBatching, priority_levels, UINT64),
    SCALAR(5, QsDynamicBatching, default_priority_level, UINT64),
    PART(6, QsDynamicBatching, default_queue_policy, queue_policy),
    MAP(7, QsDynamicBatching, priority_queue_policy, priority_policy),
};
MESSAGE(dynamic_batching, "ModelDynamicBatching", QsDynamicBatching);

/* ---- Sequence batching ---- */

static const QnField control_fields[] = {
    ENUM(1, QsControl, kind, control_kind),     LIST(2, QsControl, int32_false_true, INT32),
    LIST(3, QsControl, fp32_false_true, FLOAT), LIST(5, QsControl, bool_false_true, BOOL),
    ENUM(4, QsControl, data_type, data_type),
};
MESSAGE(control, "Control", QsControl);

static const QnField control_input_fields[] = {
    SCALAR(1, QsControlInput, name, STRING),
    PARTS(2, QsControlInput, control, control),
};
MESSAGE(control_input, "ControlInput", QsControlInput);

static const QnField initial_state_fields[] = {
    ENUM(1, QsInitialState, data_type, data_type),
    {.number = 2,
     QN_AT(QsInitialState, dims),
     .kind = QN_KIND_INT64,
     .shape = QN_REPEATED,
     .is_text_in_json = true},
    CHOSEN_SCALAR(3, QsInitialState, zero_data, BOOL, state_data),
    CHOSEN_SCALAR(4, QsInitialState, data_file, STRING, state_data),
    SCALAR(5, QsInitialState, name, STRING),
};
MESSAGE(initial_state, "InitialState", QsInitialState);

static const QnField state_fields[] = {
    SCALAR(1, QsSequenceState, input_name, STRING),
    SCALAR(2, QsSequenceState, output_name, STRING),
    ENUM(3, QsSequenceState, data_type, data_type),
    LIST(4, QsSequenceState, dims, INT64),
    PARTS(5, QsSequenceState, initial_state, initial_state),
    SCALAR(6, QsSequenceState, use_same_buffer_for_input_output, BOOL),
    SCALAR(7, QsSequenceState, use_growable_memory, BOOL),
};
MESSAGE(state, "State", QsSequenceState);

static const QnField direct_fields[] = {
    SCALAR(1, QsDirect, max_queue_delay_microseconds, UINT64),
    SCALAR(2, QsDirect, minimum_slot_utilization, FLOAT),
};
MESSAGE(direct, "StrategyDirect", QsDirect);

static const QnField oldest_fields[] = {
    SCALAR(1, QsOldest, max_candidate_sequences, INT32),
    LIST(2, QsOldest, preferred_batch_size, INT32),
    SCALAR(3, QsOldest, max_queue_delay_microseconds, UINT64),
    SCALAR(4, QsOldest, preserve_ordering, BOOL),
};
MESSAGE(oldest, "StrategyOldest", QsOldest);

static const QnField sequence_batching_fields[] = {
    CHOSEN_PART(3, QsSequenceBatching, direct, direct, strategy_choice),
    CHOSEN_PART(4, QsSequenceBatching, oldest, oldest, strategy_choice),
    SCALAR(1, QsSequenceBatching, max_sequence_idle_microseconds, UINT64),
    PARTS(2, QsSequenceBatching, control_input, control_input),
    PARTS(5, QsSequenceBatching, state, state),
    SCALAR(6, QsSequenceBatching, iterative_sequence, BOOL),
};
MESSAGE(sequence_batching, "ModelSequenceBatching", QsSequenceBatching);

/* ---- Ensembles ---- */

static const QnField step_fields[] = {
    SCALAR(1, QsEnsembleStep, model_name, STRING),
    SCALAR(2, QsEnsembleStep, model_version, INT64),
    MAP(3, QsEnsembleStep, input_map, text_pair),
    MAP(4, QsEnsembleStep, output_map, text_pair),
    SCALAR(5, QsEnsembleStep, model_namespace, STRING),
};
MESSAGE(step, "Step", QsEnsembleStep);

static const QnField ensemble_fields[] = {
    PARTS(1, QsEnsemble, step, step),
    SCALAR(2, QsEnsemble, max_inflight_requests, UINT32),
};
MESSAGE(ensemble, "ModelEnsembling", QsEnsemble);

/* ---- Optimization ---- */

static const QnField graph_level_fields[] = {SCALAR(1, QsGraphLevel, level, INT32)};
MESSAGE(graph_level, "Graph", QsGraphLevel);

static const QnField dim_list_fields[] = {
    {.number = 1,
     QN_AT(QsDimList, dim),
     .kind = QN_KIND_INT64,
     .shape = QN_REPEATED,
     .is_text_in_json = true},
};
MESSAGE(dim_list, "Shape", QsDimList);

static const QnField named_shape_fields[] = {
    SCALAR(1, QsNamedShape, key, STRING),
    PART(2, QsNamedShape, value, dim_list),
};
MESSAGE(named_shape, "InputEntry", QsNamedShape);

static const QnField lower_bound_fields[] = {
    SCALAR(1, QsLowerBound, batch_size, INT32),
    MAP(2, QsLowerBound, input, named_shape),
};
MESSAGE(lower_bound, "LowerBound", QsLowerBound);

static const QnField graph_spec_fields[] = {
    SCALAR(1, QsGraphSpec, batch_size, INT32),
    MAP(2, QsGraphSpec, input, named_shape),
    PART(3, QsGraphSpec, graph_lower_bound, lower_bound),
};
MESSAGE(graph_spec, "GraphSpec", QsGraphSpec);

static const QnField cuda_fields[] = {
    SCALAR(1, QsCuda, graphs, BOOL),
    SCALAR(2, QsCuda, busy_wait_events, BOOL),
    PARTS(3, QsCuda, graph_spec, graph_spec),
    SCALAR(4, QsCuda, output_copy_stream, BOOL),
};
MESSAGE(cuda, "Cuda", QsCuda);

static const QnField accelerator_fields[] = {
    SCALAR(1, QsAccelerator, name, STRING),
    MAP(2, QsAccelerator, parameters, text_pair),
};
MESSAGE(accelerator, "Accelerator", QsAccelerator);

static const QnField execution_accelerators_fields[] = {
    PARTS(1, QsExecutionAccelerators, gpu_execution_accelerator, accelerator),
    PARTS(2, QsExecutionAccelerators, cpu_execution_accelerator, accelerator),
};
MESSAGE(execution_accelerators, "ExecutionAccelerators", QsExecutionAccelerators);

static const QnField optimization_fields[] = {
    PART(1, QsOptimization, graph, graph_level),
    ENUM(2, QsOptimization, priority, priority),
    PART(3, QsOptimization, cuda, cuda),
    PART(4, QsOptimization, execution_accelerators, execution_accelerators),
    PART(5, QsOptimization, input_pinned_memory, pinned_memory),
    PART(6, QsOptimization, output_pinned_memory, pinned_memory),
    SCALAR(7, QsOptimization, gather_kernel_buffer_threshold, UINT32),
    SCALAR(8, QsOptimization, eager_batching, BOOL),
};
MESSAGE(optimization, "ModelOptimizationPolicy", QsOptimization);

/* ---- Warm-up, parameters, metrics, agents ---- */

static const QnField warmup_input_fields[] = {
    ENUM(1, QsWarmupInput, data_type, data_type),
    LIST(2, QsWarmupInput, dims, INT64),
    CHOSEN_SCALAR(3, QsWarmupInput, zero_data, BOOL, input_data_type),
    CHOSEN_SCALAR(4, QsWarmupInput, random_data, BOOL, input_data_type),
    CHOSEN_SCALAR(5, QsWarmupInput, input_data_file, STRING, input_data_type),
};
MESSAGE(warmup_input, "Input", QsWarmupInput);

static const QnField named_warmup_fields[] = {
    SCALAR(1, QsNamedWarmup, key, STRING),
    PART(2, QsNamedWarmup, value, warmup_input),
};
MESSAGE(named_warmup, "InputsEntry", QsNamedWarmup);

static const QnField warmup_fields[] = {
    SCALAR(1, QsWarmup, name, STRING),
    SCALAR(2, QsWarmup, batch_size, UINT32),
    MAP(3, QsWarmup, inputs, named_warmup),
    SCALAR(4, QsWarmup, count, UINT32),
};
MESSAGE(warmup, "ModelWarmup", QsWarmup);

static const QnField parameter_fields[] = {SCALAR(1, QsModelParameter, string_value, STRING)};
MESSAGE(parameter, "ModelParameter", QsModelParameter);

static const QnField named_parameter_fields[] = {
    SCALAR(1, QsNamedParameter, key, STRING),
    PART(2, QsNamedParameter, value, parameter),
};
MESSAGE(named_parameter, "ParametersEntry", QsNamedParameter);

static const QnField operations_fields[] = {LIST(1, QsOperations, op_library_filename, STRING)};
MESSAGE(operations, "ModelOperations", QsOperations);

static const QnField transaction_policy_fields[] = {
    SCALAR(1, QsTransactionPolicy, decoupled, BOOL)};
MESSAGE(transaction_policy, "ModelTransactionPolicy", QsTransactionPolicy);

static const QnField agent_fields[] = {
    SCALAR(1, QsAgent, name, STRING),
    MAP(2, QsAgent, parameters, text_pair),
};
MESSAGE(agent, "Agent", QsAgent);

static const QnField repository_agents_fields[] = {PARTS(1, QsRepositoryAgents, agents, agent)};
MESSAGE(repository_agents, "ModelRepositoryAgents", QsRepositoryAgents);

static const QnField metric_identifier_fields[] = {SCALAR(1, QsMetricIdentifier, family, STRING)};
MESSAGE(metric_identifier, "MetricIdentifier", QsMetricIdentifier);

static const QnField histogram_options_fields[] = {LIST(1, QsHistogramOptions, buckets, DOUBLE)};
MESSAGE(histogram_options, "HistogramOptions", QsHistogramOptions);

static const QnField metric_control_fields[] = {
    PART(1, QsMetricControl, metric_identifier, metric_identifier),
    CHOSEN_PART(2, QsMetricControl, histogram_options, histogram_options, metric_options),
};
MESSAGE(metric_control, "MetricControl", QsMetricControl);

static const QnField model_metrics_fields[] = {
    PARTS(1, QsModelMetrics, metric_control, metric_control)};
MESSAGE(model_metrics, "ModelMetrics", QsModelMetrics);

/* ---- The whole ---- */

static const QnField config_fields[] = {
    SCALAR(1, QsModelConfig, name, STRING),
    SCALAR(2, QsModelConfig, platform, STRING),
    SCALAR(17, QsModelConfig, backend, STRING),
    SCALAR(25, QsModelConfig, runtime, STRING),
    PART(3, QsModelConfig, version_policy, version_policy),
    SCALAR(4, QsModelConfig, max_batch_size, INT32),
    PARTS(5, QsModelConfig, input, input),
    PARTS(6, QsModelConfig, output, output),
    PARTS(20, QsModelConfig, batch_input, batch_input),
    PARTS(21, QsModelConfig, batch_output, batch_output),
    PART(12, QsModelConfig, optimization, optimization),
    CHOSEN_PART(QS_CHOOSE_DYNAMIC, QsModelConfig, dynamic_batching, dynamic_batching,
                scheduling_choice),
    CHOSEN_PART(QS_CHOOSE_SEQUENCE, QsModelConfig, sequence_batching, sequence_batching,
                scheduling_choice),
    CHOSEN_PART(QS_CHOOSE_ENSEMBLE, QsModelConfig, ensemble_scheduling, ensemble,
                scheduling_choice),
    PARTS(7, QsModelConfig, instance_group, instance_group),
    SCALAR(8, QsModelConfig, default_model_filename, STRING),
    MAP(9, QsModelConfig, cc_model_filenames, text_pair),
    MAP(10, QsModelConfig, metric_tags, text_pair),
    MAP(14, QsModelConfig, parameters, named_parameter),
    PARTS(16, QsModelConfig, model_warmup, warmup),
    PART(18, QsModelConfig, model_operations, operations),
    PART(19, QsModelConfig, model_transaction_policy, transaction_policy),
    PART(23, QsModelConfig, model_repository_agents, repository_agents),
    PART(24, QsModelConfig, response_cache, response_cache),
    PART(26, QsModelConfig, model_metrics, model_metrics),
};
MESSAGE(config, "ModelConfig", QsModelConfig);

/* clang-format on */

QnStatus qs_config_parse(QsModelConfig *out, QnBytes text, const char *path, QnArena *arena,
                         QnError *err)
{
    qn_message_init(out, &config);
    return qn_prototext_parse(out, &config, text, path, arena, NULL, err);
}

void qs_config_print_json(QnText *to, const QsModelConfig *message)
{
    const QnMessageJson options = {.with_zeros = true, .int64_as_numbers = true};
    QnJsonWriter writer = qn_json_writer(to);
    qn_message_print_json(&writer, &config, message, &options);
}
