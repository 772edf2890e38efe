/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations as text: what they say, what they leave to be completed,
 * and what is wrong with them. */
#include "server/config/model_config.h"
#include "tests/support/test.h"

/* What becomes of a text for model "m": "" where it is right, else what is wrong with it. */
static const char *verdict(const char *text, bool with_tensors)
{
    static QnError err;
    QnArena arena = {0};
    QsModelConfig config;
    const QsCompletion known = {.name = "m"};
    err = (QnError){0};
    if (qs_config_parse(&config, qn_bytes_of_text(text), "m/config.pbtxt", &arena, &err) == QN_OK &&
        qs_config_complete(&config, &known, &arena, &err) == QN_OK)
        qs_config_check(&config, with_tensors, &err);
    qn_arena_finish(&arena);
    return err.message;
}

#define ONNX           "platform: \"onnxruntime_onnx\" "
#define INPUT(rest)    ONNX "input { name: \"X\" data_type: TYPE_FP32 " rest " } "
#define SEQUENCE(rest) ONNX "max_batch_size: 4 sequence_batching { " rest " } "

TEST(what_contradicts_the_rules_is_said)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {ONNX, ""},
        {"",
         "Invalid model name: Could not determine backend for model 'm' with no backend in model configuration. "
         "Expected model name of the form 'model.<backend_name>'."},
        {"platform: \"no_such_platform\"", "unexpected platform type 'no_such_platform' for m"},
        {"platform: \"tensorflow_graphdef\" backend: \"onnxruntime\"",
         "unexpected 'platform' and 'backend' pair, got:tensorflow_graphdef, onnxruntime"},
        {ONNX "max_batch_size: -1", "'max_batch_size' must be non-negative value for m"},
        {"platform: \"ensemble\"",
         "ensemble scheduling must be set for ensemble m whose platform is ensemble"},
        {ONNX "ensemble_scheduling { }",
         "ensemble scheduling cannot be set for model 'm' whose platform is not ensemble"},
        /* batching */
        {ONNX "max_batch_size: 4 dynamic_batching { preferred_batch_size: [ 2, 4 ] }", ""},
        {ONNX "max_batch_size: 4 dynamic_batching { preferred_batch_size: 0 }",
         "dynamic batching preferred size must be positive for m"},
        {ONNX "max_batch_size: 4 dynamic_batching { preferred_batch_size: 5 }",
         "dynamic batching preferred size must be <= max batch size for m"},
        {ONNX "max_batch_size: 4 dynamic_batching { priority_levels: 2 }",
         "default priority level must be in range [1, 2] for m"},
        {ONNX "max_batch_size: 4 dynamic_batching { priority_levels: 2 default_priority_level: 1 "
              "priority_queue_policy { key: 3 value { max_queue_size: 1 } } }",
         "priority queue policy must have priority level in range [1, 2] for m"},
        {ONNX "max_batch_size: 4 dynamic_batching { preserve_ordering: true priority_levels: 2 "
              "default_priority_level: 1 }",
         "Only one priority level is allowed when 'preserve_ordering' is true for m"},
        {ONNX
         "dynamic_batching { } response_cache { enable: true } model_transaction_policy { decoupled: true }",
         "Response Cache does not currently support model m with 'decoupled' transaction policy. Please disable the "
         "response cache."},
        /* sequences */
        {SEQUENCE(
             "control_input { name: \"S\" control { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } }"),
         ""},
        {SEQUENCE("control_input { name: \"S\" control { kind: CONTROL_SEQUENCE_START } }"),
         "sequence batching must specify either 'int32_false_true', 'fp32_false_true' or 'bool_false_true' for "
         "CONTROL_SEQUENCE_START for m"},
        {SEQUENCE(
             "control_input { name: \"S\" control { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1, 2 ] } }"),
         "sequence batching control 'int32_false_true' must have exactly 2 entries for CONTROL_SEQUENCE_START for m"},
        {SEQUENCE(
             "control_input { name: \"S\" control { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] "
             "fp32_false_true: [ 0, 1 ] } }"),
         "sequence batching specifies more than one from 'int32_false_true', 'fp32_false_true' and 'bool_false_true' "
         "for CONTROL_SEQUENCE_START for m"},
        {SEQUENCE(
             "control_input { name: \"C\" control { kind: CONTROL_SEQUENCE_CORRID data_type: TYPE_FP32 } }"),
         "unexpected data type for control CONTROL_SEQUENCE_CORRID for m. Allowed data types are TYPE_UINT64, "
         "TYPE_INT64, TYPE_UINT32, TYPE_INT32 and TYPE_STRING"},
        /* tensors */
        {INPUT("dims: [ -1, 3 ]"), ""},
        {INPUT(""), "model input 'X' must specify 'dims' for m"},
        {ONNX "input { name: \"X\" dims: 1 }", "model input 'X' must specify 'data_type' for m"},
        {ONNX "input { data_type: TYPE_FP32 dims: 1 }", "model input must specify 'name' for m"},
        {INPUT("dims: 0"),
         "model input 'X' dimension must be integer >= 1, or -1 to indicate a variable-size "
         "dimension for m"},
        {INPUT("dims: [ 4, 4 ] reshape { shape: [ 2, 8 ] }"), ""},
        {INPUT("dims: [ 4, -1, 4 ] reshape { shape: [ 4, -1, 2, 2 ] }"), ""},
        {INPUT("dims: [ 4, 4 ] reshape { shape: [ 3, 5 ] }"),
         "model input 'X' has different size for dims and reshape for m"},
        {INPUT("dims: [ 4, -1 ] reshape { shape: [ 2, -1, 2 ] }"),
         "model input 'X' has different size for dims and reshape for m"},
        {INPUT("dims: [ 4, -1 ] reshape { shape: [ 4, 4 ] }"),
         "model input 'X' has different number of variable-size dimensions for dims and reshape for m"},
        {INPUT("dims: [ 9223372036854775807, 2 ] reshape { shape: [ 1 ] }"),
         "model input 'X' has different size for dims and reshape for m"},
        {INPUT("dims: 1 ") "input { name: \"X\" data_type: TYPE_FP32 dims: 1 }",
         "model input 'X' is given twice for m"},
        {ONNX "instance_group { kind: KIND_GPU }",
         "instance group m_0 of model m has kind KIND_GPU but no GPUs are available"},
        {ONNX "instance_group { kind: KIND_CPU gpus: 0 }",
         "instance group m_0 of model m has kind KIND_CPU but specifies one or more GPUs"},
        {ONNX
         "batch_input { kind: BATCH_ELEMENT_COUNT target_name: \"B\" data_type: TYPE_FP32 source_input: \"NOPE\" }",
         "unknown source input name 'NOPE' for m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = verdict(rows[i].text, true);
        EXPECT(t, !strcmp(got, rows[i].want), "%s gave: %s", rows[i].text, got);
    }
}

TEST(tensors_are_not_checked_before_they_are_complete)
{
    EXPECT(t, !*verdict(ONNX "input { name: \"X\" }", false), "%s",
           verdict(ONNX "input { name: \"X\" }", false));
}

TEST(texts_that_are_no_configuration_say_where)
{
    static const char *const texts[] = {"max_batch_size: \"3\"",
                                        "max_batch_sise: 3",
                                        "name: \"a",
                                        "input { ",
                                        "max_batch_size: 1 max_batch_size: 2",
                                        "max_batch_size: 99999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *got = verdict(texts[i], true);
        EXPECT(t, !strncmp(got, "m/config.pbtxt: line 1", 22), "%s gave: %s", texts[i], got);
    }
}

/* The configuration as JSON, after completion. */
static void print_completed(QnText *to, const char *text, QnArena *arena)
{
    QsModelConfig config;
    QnError err = {0};
    qs_config_parse(&config, qn_bytes_of_text(text), "m/config.pbtxt", arena, &err);
    qs_config_complete(&config, &(QsCompletion){.name = "m"}, arena, &err);
    qs_config_complete(&config, &(QsCompletion){.name = "m"}, arena, &err); /* twice is once */
    qs_config_print_json(to, &config);
}

TEST(what_is_left_out_is_completed)
{
    static const struct {
        const char *text, *want; /* a piece of the JSON */
    } rows[] = {
        {ONNX, "\"name\":\"m\",\"platform\":\"onnxruntime_onnx\",\"backend\":\"onnxruntime\""},
        {"backend: \"onnxruntime\"", "\"platform\":\"onnxruntime_onnx\""},
        {"default_model_filename: \"model.onnx\"", "\"backend\":\"onnxruntime\""},
        {ONNX, "\"version_policy\":{\"latest\":{\"num_versions\":1}}"},
        {ONNX "version_policy { all { } }", "\"version_policy\":{\"all\":{}}"},
        {ONNX "max_batch_size: 6 dynamic_batching { }", "\"preferred_batch_size\":[6]"},
        {ONNX "dynamic_batching { }", "\"preferred_batch_size\":[]"},
        {ONNX, "\"instance_group\":[{\"name\":\"m\",\"kind\":\"KIND_CPU\",\"count\":2,"},
        {ONNX "instance_group { count: 3 }",
         "\"instance_group\":[{\"name\":\"m_0\",\"kind\":\"KIND_CPU\",\"count\":3,"},
        {ONNX, "\"input_pinned_memory\":{\"enable\":true}"},
        {SEQUENCE("oldest { }"), "\"preferred_batch_size\":[4]"},
        {SEQUENCE(""), "\"max_sequence_idle_microseconds\":1000000"},
        {ONNX "parameters { key: \"k\" value { string_value: \"v\" } }",
         "\"parameters\":{\"k\":{\"string_value\":\"v\"}}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnArena arena = {0};
        QnText json = qn_text(NULL);
        print_completed(&json, rows[i].text, &arena);
        EXPECT(t, strstr(qn_text_string(&json), rows[i].want), "%s gave: %s", rows[i].text,
               qn_text_string(&json));
        qn_text_finish(&json);
        qn_arena_finish(&arena);
    }
}

TEST(data_types_have_three_names)
{
    EXPECT(t, qs_data_type_find(qn_bytes_of_text("BYTES")) == QS_BYTES, "BYTES");
    EXPECT(t, qs_data_type_find(qn_bytes_of_text("STRING")) == QS_INVALID, "STRING");
    EXPECT(t, !strcmp(qs_data_type_config_name(QS_BYTES), "TYPE_STRING"), "%s",
           qs_data_type_config_name(QS_BYTES));
    for (int i = 1; i < QS_DATA_TYPE_COUNT; i++) {
        const QsDataType type = (QsDataType)i;
        EXPECT(t, qs_data_type_of_engine(qs_data_type_to_engine(type)) == type, "%s",
               qs_data_type_name(type));
        EXPECT(t, qs_data_type_find(qn_bytes_of_text(qs_data_type_name(type))) == type, "%s",
               qs_data_type_name(type));
    }
}

TEST_MAIN(CASE(what_contradicts_the_rules_is_said),
          CASE(tensors_are_not_checked_before_they_are_complete),
          CASE(texts_that_are_no_configuration_say_where), CASE(what_is_left_out_is_completed),
          CASE(data_types_have_three_names))
