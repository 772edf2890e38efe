/* SPDX-License-Identifier: Apache-2.0 */
/* QnModelOptions, and what a model says of itself. */
#include <math.h>

#include "base/file.h"
#include "tests/support/alloc_fault.h"
#include "tests/support/public.h"
#include "tests/support/tree.h"

static const char scale[] = "graph main(%x: float[N,3], %k: float[] = {2}) {\n"
                            "  %y: float[N,3] = Mul(%x, %k)\n  return %y\n}";

/* A file of a graph, in a folder of its own. */
typedef struct File {
    Tree tree;
    char path[256];
    size_t size;
} File;

static File file_make(const char *graph)
{
    File file = {.tree = tree_make()};
    QnText bytes;
    QnError err = {0};
    snprintf(file.path, sizeof file.path, "%s", tree_path(&file.tree, "m.onnx"));
    if (public_bytes(&bytes, graph, &err) == QN_OK)
        qn_file_write(file.path, qn_bytes(bytes.data, bytes.size), 0600, &err);
    file.size = bytes.size;
    qn_text_finish(&bytes);
    return file;
}

/* Runs a model of one input; the first element of its output, NaN where it fails. */
static double run_once(const QnModel *model)
{
    QnPlan *plan = NULL;
    QnSession *session = NULL;
    float x[3] = {1, 2, 3};
    double first = (double)NAN;
    QnValue inputs[2] = {qn_value_tensor(qn_tensor(QN_FLOAT, 2, (int64_t[]){1, 3}, x))};
    QnValue output = {.kind = QN_NONE};
    if (qn_plan_build(&plan, model, NULL, NULL, NULL) == QN_OK &&
        qn_session_create(&session, plan, NULL, NULL) == QN_OK &&
        qn_session_run(session, inputs, &output, NULL, NULL) == QN_OK)
        first = (double)*(const float *)output.tensor.data;
    qn_session_free(session);
    qn_plan_free(plan);
    return first;
}

TEST(a_default_is_an_input_only_where_that_is_asked_for)
{
    for (int overrides = 0; overrides < 2; overrides++) {
        QnText bytes;
        QnModel *model = NULL;
        QnError err = {0};
        const QnModelOptions options = {.size = sizeof options, .allow_overrides = overrides != 0};
        REQUIRE(t, public_bytes(&bytes, scale, &err) == QN_OK, "%s", err.message);
        REQUIRE(t,
                qn_model_read(&model, bytes.data, bytes.size, "m", &options, NULL, &err) == QN_OK,
                "%s", err.message);
        EXPECT(t, qn_model_input_count(model) == 1 + overrides, "%d inputs",
               qn_model_input_count(model));
        EXPECT(t, !qn_model_input(model, 0).is_optional, "x is optional");
        EXPECT(t, qn_model_input(model, 1).is_optional == (overrides != 0), "k");
        EXPECT(t, run_once(model) == 2, "the default is not used: %g", run_once(model));
        qn_model_free(model);
        qn_text_finish(&bytes);
    }
}

TEST(a_model_says_what_it_takes_and_gives)
{
    QnText bytes;
    QnModel *model = NULL;
    QnError err = {0};
    const char *key = NULL, *value = NULL;
    REQUIRE(t, public_bytes(&bytes, scale, &err) == QN_OK, "%s", err.message);
    REQUIRE(t, qn_model_read(&model, bytes.data, bytes.size, NULL, NULL, NULL, &err) == QN_OK, "%s",
            err.message);
    const QnValueInfo x = qn_model_input(model, 0), y = qn_model_output(model, 0);
    EXPECT(t, x.kind == QN_TENSOR && x.type == QN_FLOAT && x.rank == 2, "%s", x.type_text);
    EXPECT(t, x.dims[0] == -1 && x.dims[1] == 3, "%lld, %lld", (long long)x.dims[0],
           (long long)x.dims[1]);
    EXPECT(t, x.symbols[0] && !strcmp(x.symbols[0], "N") && !x.symbols[1], "symbols");
    EXPECT(t, !strcmp(x.type_text, "float[N,3]") && !strcmp(x.name, "x"), "%s", x.type_text);
    EXPECT(t, qn_model_output_count(model) == 1 && !strcmp(y.name, "y"), "%s", y.name);
    EXPECT(t, qn_model_property(&key, &value, model, 0) && key && value, "no property");
    qn_model_free(model);
    qn_text_finish(&bytes);
}

TEST(too_large_files_are_refused)
{
    File file = file_make(scale);
    QnModel *model = NULL;
    QnError err = {0};
    QnModelOptions options = {.size = sizeof options, .limit_bytes = file.size};
    for (int copy = 0; copy < 2; copy++) {
        options.copy = copy != 0;
        options.limit_bytes = file.size;
        EXPECT(t, qn_model_load(&model, file.path, &options, NULL, &err) == QN_OK, "%s",
               err.message);
        qn_model_free(model);
        model = NULL;
        options.limit_bytes = file.size - 1;
        EXPECT(t, qn_model_load(&model, file.path, &options, NULL, &err) == QN_IO, "%s",
               err.message);
        EXPECT(t, strstr(err.message, "expected at most") && !model, "%s", err.message);
    }
    tree_remove(&file.tree);
}

/* A copied file may be truncated while the model lives: nothing of it is mapped. */
TEST(a_copied_file_may_be_overwritten)
{
    File file = file_make(scale);
    QnModel *model = NULL;
    QnError err = {0};
    const QnModelOptions options = {.size = sizeof options, .copy = true};
    REQUIRE(t, qn_model_load(&model, file.path, &options, NULL, &err) == QN_OK, "%s", err.message);
    REQUIRE(t, truncate(file.path, 0) == 0, "cannot truncate");
    EXPECT(t, run_once(model) == 2, "%g", run_once(model));
    qn_model_free(model);
    tree_remove(&file.tree);
}

/* Model, plan and session give back all that they take from the allocators they were given. */
TEST(what_an_allocator_gave_it_gets_back)
{
    File file = file_make(scale);
    QnModel *model = NULL;
    QnPlan *plan = NULL;
    QnSession *session = NULL;
    AllocFault faults[3];
    QnError err = {0};
    for (int i = 0; i < 3; i++)
        alloc_fault_init(&faults[i], 0);
    const QnModelOptions reading = {
        .size = sizeof reading, .copy = true, .allocator = &faults[0].allocator};
    const QnPlanOptions planning = {.size = sizeof planning, .allocator = &faults[1].allocator};
    const QnSessionOptions running = {.size = sizeof running, .allocator = &faults[2].allocator};
    REQUIRE(t,
            qn_model_load(&model, file.path, &reading, NULL, &err) == QN_OK &&
                qn_plan_build(&plan, model, &planning, NULL, &err) == QN_OK &&
                qn_session_create(&session, plan, &running, &err) == QN_OK,
            "%s", err.message);
    for (int i = 0; i < 3; i++)
        EXPECT(t, alloc_fault_live_bytes(&faults[i]) > 0, "allocator %d was not asked", i);
    qn_session_free(session);
    EXPECT(t, alloc_fault_live_bytes(&faults[2]) == 0, "the session leaks");
    qn_model_free(model);
    qn_plan_free(plan);
    EXPECT(t, alloc_fault_live_bytes(&faults[1]) == 0, "the plan leaks");
    EXPECT(t, alloc_fault_live_bytes(&faults[0]) == 0, "the model leaks");
    tree_remove(&file.tree);
}

TEST(the_version_is_one_number_in_two_forms)
{
    char text[32];
    const int version = qn_version();
    snprintf(text, sizeof text, "%d.%d.%d", version / 1000000, version / 1000 % 1000,
             version % 1000);
    EXPECT(t, version == QN_VERSION_NUMBER, "%d", version);
    EXPECT(t, !strcmp(text, qn_version_text()), "%s and %s", text, qn_version_text());
    EXPECT(t, !strcmp(text, PROJECT_VERSION), "%s, but the build is of %s", text, PROJECT_VERSION);
}

TEST(types_are_found_by_their_names)
{
    for (int type = QN_UNDEFINED + 1; type < QN_TYPE_COUNT; type++) {
        const char *name = qn_type_name((QnType)type);
        EXPECT(t, qn_type_find(name) == (QnType)type, "%s", name);
        EXPECT(t, qn_type_size((QnType)type) > 0, "%s", name);
    }
    EXPECT(t, qn_type_find("float33") == QN_UNDEFINED, "float33");
    EXPECT(t, !strcmp(qn_type_name((QnType)99), "undefined") && qn_type_size((QnType)99) == 0,
           "type 99");
}

TEST_MAIN(CASE(a_default_is_an_input_only_where_that_is_asked_for),
          CASE(a_model_says_what_it_takes_and_gives), CASE(too_large_files_are_refused),
          CASE(a_copied_file_may_be_overwritten), CASE(what_an_allocator_gave_it_gets_back),
          CASE(the_version_is_one_number_in_two_forms), CASE(types_are_found_by_their_names))
