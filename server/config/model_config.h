/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a model's config.pbtxt says, as plain structures.
 *
 * Their form is described once, by the tables of messages.c, which read and print every text and
 * wire form; the comments here say what fields mean where the name does not.  complete.c fills in
 * what is left out, check.c says what is wrong.  A sub-message that was not given is NULL.  All
 * memory is an arena's.
 */
#ifndef QS_CONFIG_MODEL_CONFIG_H
#define QS_CONFIG_MODEL_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/message.h"
#include "server/config/data_type.h"

/* clang-format off: one field a line */

/* Repeated fields; maps are lists of pairs. */
#define QS_LIST_OF(name, type) typedef QN_LIST(type) name

QS_LIST_OF(QsTextList, const char *);
QS_LIST_OF(QsBoolList, bool);
QS_LIST_OF(QsInt32List, int32_t);
QS_LIST_OF(QsInt64List, int64_t);
QS_LIST_OF(QsFloatList, float);
QS_LIST_OF(QsDoubleList, double);

typedef struct QsTextPair {
    const char *key;
    const char *value;
} QsTextPair;
QS_LIST_OF(QsTextMap, QsTextPair);

typedef struct QsLatest {
    uint32_t num_versions;
} QsLatest;
typedef struct QsSpecific {
    QsInt64List versions;
} QsSpecific;
typedef struct QsNothing {
    char unused;
} QsNothing;

/* The choice is the number of the field that is given, as in every oneof here; 0: none. */
typedef struct QsVersionPolicy {
    uint32_t policy_choice;
    QsLatest *latest;
    QsNothing *all;
    QsSpecific *specific;
} QsVersionPolicy;

typedef struct QsShape {
    QsInt64List shape;
} QsShape;

typedef struct QsModelInput {
    const char *name;
    int32_t data_type; /* QsDataType */
    int32_t format;    /* QS_FORMAT_… */
    QsInt64List dims;  /* without the batch dimension; -1: any size */
    QsShape *reshape;  /* what the backend sees instead */
    bool is_shape_tensor;
    bool allow_ragged_batch;
    bool optional;
    bool is_non_linear_format_io;
} QsModelInput;
QS_LIST_OF(QsModelInputs, QsModelInput);

enum { QS_FORMAT_NONE, QS_FORMAT_NHWC, QS_FORMAT_NCHW };

typedef struct QsModelOutput {
    const char *name;
    int32_t data_type;
    QsInt64List dims;
    const char *label_filename; /* in the model's folder; one label a line */
    QsShape *reshape;           /* what the backend gives instead */
    bool is_shape_tensor;
    bool is_non_linear_format_io;
} QsModelOutput;
QS_LIST_OF(QsModelOutputs, QsModelOutput);

typedef struct QsResource {
    const char *name;
    bool global;
    uint32_t count;
} QsResource;
QS_LIST_OF(QsResources, QsResource);
typedef struct QsRateLimiter {
    QsResources resources;
    uint32_t priority;
} QsRateLimiter;
typedef struct QsSecondaryDevice {
    int32_t kind;
    int64_t device_id;
} QsSecondaryDevice;
QS_LIST_OF(QsSecondaryDevices, QsSecondaryDevice);

enum { QS_KIND_AUTO, QS_KIND_GPU, QS_KIND_CPU, QS_KIND_MODEL };

typedef struct QsInstanceGroup {
    const char *name;
    int32_t kind; /* QS_KIND_… */
    int32_t count;
    QsRateLimiter *rate_limiter;
    QsInt32List gpus;
    QsSecondaryDevices secondary_devices;
    QsTextList profile;
    bool passive; /* made, but gets no requests */
    const char *host_policy;
} QsInstanceGroup;
QS_LIST_OF(QsInstanceGroups, QsInstanceGroup);

enum { QS_TIMEOUT_REJECT, QS_TIMEOUT_DELAY };

typedef struct QsModelQueuePolicy {
    int32_t timeout_action;                /* QS_TIMEOUT_… */
    uint64_t default_timeout_microseconds; /* 0: none */
    bool allow_timeout_override;
    uint32_t max_queue_size; /* 0: any number */
} QsModelQueuePolicy;

typedef struct QsPriorityPolicy {
    uint64_t key;
    QsModelQueuePolicy *value;
} QsPriorityPolicy;
QS_LIST_OF(QsPriorityPolicies, QsPriorityPolicy);

typedef struct QsDynamicBatching {
    QsInt32List preferred_batch_size;
    uint64_t max_queue_delay_microseconds;
    bool preserve_ordering;
    uint64_t priority_levels; /* 0: none; 1 comes first */
    uint64_t default_priority_level;
    QsModelQueuePolicy *default_queue_policy;
    QsPriorityPolicies priority_queue_policy;
} QsDynamicBatching;

enum { QS_CONTROL_START, QS_CONTROL_READY, QS_CONTROL_END, QS_CONTROL_CORRID };

typedef struct QsControl {
    int32_t kind;                 /* QS_CONTROL_… */
    QsInt32List int32_false_true; /* one of the three has the values for no and yes */
    QsFloatList fp32_false_true;
    QsBoolList bool_false_true;
    int32_t data_type; /* of a correlation id */
} QsControl;
QS_LIST_OF(QsControls, QsControl);
typedef struct QsControlInput {
    const char *name;
    QsControls control;
} QsControlInput;
QS_LIST_OF(QsControlInputs, QsControlInput);

typedef struct QsInitialState {
    const char *name;
    int32_t data_type;
    QsInt64List dims;
    uint32_t state_data;
    bool zero_data;
    const char *data_file;
} QsInitialState;
QS_LIST_OF(QsInitialStates, QsInitialState);

typedef struct QsSequenceState {
    const char *input_name;
    const char *output_name;
    int32_t data_type;
    QsInt64List dims;
    QsInitialStates initial_state; /* at most one */
    bool use_same_buffer_for_input_output;
    bool use_growable_memory;
} QsSequenceState;
QS_LIST_OF(QsSequenceStates, QsSequenceState);

typedef struct QsDirect {
    uint64_t max_queue_delay_microseconds;
    float minimum_slot_utilization;
} QsDirect;

typedef struct QsOldest {
    int32_t max_candidate_sequences;
    QsInt32List preferred_batch_size;
    uint64_t max_queue_delay_microseconds;
    bool preserve_ordering;
} QsOldest;

typedef struct QsSequenceBatching {
    uint32_t strategy_choice; /* none is as good as direct */
    QsDirect *direct;
    QsOldest *oldest;
    uint64_t max_sequence_idle_microseconds;
    QsControlInputs control_input;
    QsSequenceStates state;
    bool iterative_sequence;
} QsSequenceBatching;

typedef struct QsGraphLevel {
    int32_t level;
} QsGraphLevel;
typedef struct QsDimList {
    QsInt64List dim;
} QsDimList;
typedef struct QsNamedShape {
    const char *key;
    QsDimList *value;
} QsNamedShape;
QS_LIST_OF(QsNamedShapes, QsNamedShape);
typedef struct QsLowerBound {
    int32_t batch_size;
    QsNamedShapes input;
} QsLowerBound;

typedef struct QsGraphSpec {
    int32_t batch_size;
    QsNamedShapes input;
    QsLowerBound *graph_lower_bound;
} QsGraphSpec;
QS_LIST_OF(QsGraphSpecs, QsGraphSpec);

typedef struct QsCuda {
    bool graphs;
    bool busy_wait_events;
    QsGraphSpecs graph_spec;
    bool output_copy_stream;
} QsCuda;

typedef struct QsAccelerator {
    const char *name;
    QsTextMap parameters;
} QsAccelerator;
QS_LIST_OF(QsAccelerators, QsAccelerator);

typedef struct QsExecutionAccelerators {
    QsAccelerators gpu_execution_accelerator;
    QsAccelerators cpu_execution_accelerator;
} QsExecutionAccelerators;

typedef struct QsSwitch {
    bool enable;
} QsSwitch;

typedef struct QsOptimization {
    QsGraphLevel *graph;
    int32_t priority;
    QsCuda *cuda;
    QsExecutionAccelerators *execution_accelerators;
    QsSwitch *input_pinned_memory;
    QsSwitch *output_pinned_memory;
    uint32_t gather_kernel_buffer_threshold;
    bool eager_batching;
} QsOptimization;

typedef struct QsEnsembleStep {
    const char *model_name;
    int64_t model_version; /* -1: the newest */
    QsTextMap input_map;   /* the model's input to the ensemble's tensor */
    QsTextMap output_map;  /* the model's output to the ensemble's tensor */
    const char *model_namespace;
} QsEnsembleStep;
QS_LIST_OF(QsEnsembleSteps, QsEnsembleStep);
typedef struct QsEnsemble {
    QsEnsembleSteps step;
    uint32_t max_inflight_requests;
} QsEnsemble;

typedef struct QsWarmupInput {
    int32_t data_type;
    QsInt64List dims;
    uint32_t input_data_type;
    bool zero_data;
    bool random_data;
    const char *input_data_file;
} QsWarmupInput;

typedef struct QsNamedWarmup {
    const char *key;
    QsWarmupInput *value;
} QsNamedWarmup;
QS_LIST_OF(QsNamedWarmups, QsNamedWarmup);
typedef struct QsWarmup {
    const char *name;
    uint32_t batch_size;
    QsNamedWarmups inputs;
    uint32_t count;
} QsWarmup;
QS_LIST_OF(QsWarmups, QsWarmup);

typedef struct QsModelParameter {
    const char *string_value;
} QsModelParameter;
typedef struct QsNamedParameter {
    const char *key;
    QsModelParameter *value;
} QsNamedParameter;
QS_LIST_OF(QsNamedParameters, QsNamedParameter);

typedef struct QsBatchInput {
    int32_t kind;
    QsTextList target_name;
    int32_t data_type;
    QsTextList source_input;
} QsBatchInput;
QS_LIST_OF(QsBatchInputs, QsBatchInput);

typedef struct QsBatchOutput {
    QsTextList target_name;
    int32_t kind;
    QsTextList source_input;
} QsBatchOutput;
QS_LIST_OF(QsBatchOutputs, QsBatchOutput);

typedef struct QsOperations {
    QsTextList op_library_filename;
} QsOperations;
typedef struct QsTransactionPolicy {
    bool decoupled;
} QsTransactionPolicy;

typedef struct QsAgent {
    const char *name;
    QsTextMap parameters;
} QsAgent;
QS_LIST_OF(QsAgents, QsAgent);
typedef struct QsRepositoryAgents {
    QsAgents agents;
} QsRepositoryAgents;

typedef struct QsMetricIdentifier {
    const char *family;
} QsMetricIdentifier;
typedef struct QsHistogramOptions {
    QsDoubleList buckets;
} QsHistogramOptions;
typedef struct QsMetricControl {
    QsMetricIdentifier *metric_identifier;
    uint32_t metric_options;
    QsHistogramOptions *histogram_options;
} QsMetricControl;
QS_LIST_OF(QsMetricControls, QsMetricControl);
typedef struct QsModelMetrics {
    QsMetricControls metric_control;
} QsModelMetrics;

typedef struct QsModelConfig {
    const char *name;
    const char *platform;
    const char *backend;
    const char *runtime;
    QsVersionPolicy *version_policy;
    int32_t max_batch_size; /* 0: the model has no batch dimension */
    QsModelInputs input;
    QsModelOutputs output;
    QsBatchInputs batch_input;
    QsBatchOutputs batch_output;
    QsOptimization *optimization;
    uint32_t scheduling_choice;
    QsDynamicBatching *dynamic_batching;
    QsSequenceBatching *sequence_batching;
    QsEnsemble *ensemble_scheduling;
    QsInstanceGroups instance_group;
    const char *default_model_filename;
    QsTextMap cc_model_filenames;
    QsTextMap metric_tags;
    QsNamedParameters parameters;
    QsWarmups model_warmup;
    QsOperations *model_operations;
    QsTransactionPolicy *model_transaction_policy;
    QsRepositoryAgents *model_repository_agents;
    QsSwitch *response_cache;
    QsModelMetrics *model_metrics;
} QsModelConfig;

/* clang-format on */

/* Reads config.pbtxt.  QN_BAD_MODEL, with the line, where it is none;
 * the message begins with `path`. */
QnStatus qs_config_parse(QsModelConfig *out, QnBytes text, const char *path, QnArena *arena,
                         QnError *err);

/* What is known about a model's folder when its configuration is completed. */
typedef struct QsCompletion {
    const char *name;           /* of the folder */
    const char *version_folder; /* the first one, or NULL */
    bool has_gpus;
} QsCompletion;

/*
 * Fills in what follows from the rest: name, platform, backend, file name, version policy,
 * preferred batch sizes, instance groups.  To be called again after a backend has added inputs and
 * outputs: what is there stays.
 */
QnStatus qs_config_complete(QsModelConfig *config, const QsCompletion *known, QnArena *arena,
                            QnError *err);

/* Says what contradicts the rules, but for inputs and outputs if these are yet to be completed. */
QnStatus qs_config_check(const QsModelConfig *config, bool with_tensors, QnError *err);

/* Appends the configuration as the JSON of GET …/config. */
void qs_config_print_json(QnText *to, const QsModelConfig *config);

/* The numbers of the fields that choose a scheduler. */
enum { QS_CHOOSE_DYNAMIC = 11, QS_CHOOSE_SEQUENCE = 13, QS_CHOOSE_ENSEMBLE = 15 };

/* The shape a client sees: dims, behind a -1 where the model has a batch dimension. */
int qs_config_shape(int64_t dims[QN_MAX_RANK], const QsModelConfig *config,
                    const QsInt64List *declared);

/* The input or output of that name, or NULL. */
const QsModelInput *qs_config_find_input(const QsModelConfig *config, const char *name);
const QsModelOutput *qs_config_find_output(const QsModelConfig *config, const char *name);

/* The text of a model parameter, or NULL. */
const char *qs_config_parameter(const QsModelConfig *config, const char *key);

/* Instances that get requests: at least one,
 * at most QS_INSTANCE_LIMIT whatever a configuration says. */
enum { QS_INSTANCE_LIMIT = 1024 };
int qs_config_instance_count(const QsModelConfig *config);

#endif
