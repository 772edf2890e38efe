/* SPDX-License-Identifier: Apache-2.0 */
/* QnPlanOptions: what is refused, what is shown, and what a plan file does not keep. */
#include <pthread.h>
#include <sys/stat.h>

#include "base/file.h"
#include "engine/devices/cpu/cpu.h"
#include "engine/plan/plan.h"
#include "quern/unstable/graph.h"
#include "quern/unstable/plan_view.h"
#include "tests/support/public.h"
#include "tests/support/tree.h"

static const char sum[] = "graph main(%h: float[2], %x: float[2]) {\n"
                          "  %a: float[2] = Add(%h, %x)\n"
                          "  %y: float[2] = Relu(%a)\n  return %y\n}";

static QnModel *read_model(Test *t, QnText *bytes, const char *graph)
{
    QnModel *model = NULL;
    QnError err = {0};
    if (public_bytes(bytes, graph, &err) == QN_OK)
        qn_model_read(&model, bytes->data, bytes->size, "m", NULL, NULL, &err);
    EXPECT(t, model, "%s", err.message);
    return model;
}

TEST(what_is_no_option_is_refused)
{
    static const char *const odd[] = {"h", NULL};
    static const char *const unknown[] = {"h", "z", NULL};
    static const char *const taken[] = {"h", "y", "x", "y", NULL};
    static const struct {
        QnPlanOptions options;
        const char *want;
    } rows[] = {
        {{.device = "abacus"}, "there is no device 'abacus', expected cpu"},
        {{.math = (QnMath)7}, "QnPlanOptions.math is 7, expected QN_MATH_NORMAL or QN_MATH_STRICT"},
        {{.states = odd}, "state h: no output is named, expected pairs"},
        {{.states = unknown}, "state h, z: there is no output 'z'"},
        {{.states = taken}, "state x, y: one of them is in another pair"},
        {{.without = "fold-constant"}, ""},
        {{.print_after = "nothing"}, ""},
    };
    QnText bytes;
    QnModel *model = read_model(t, &bytes, sum);
    for (size_t i = 0; model && i < QN_COUNT_OF(rows); i++) {
        QnPlan *plan = NULL;
        QnError err = {0};
        QnPlanOptions options = rows[i].options;
        options.size = sizeof options;
        const QnStatus status = qn_plan_build(&plan, model, &options, NULL, &err);
        EXPECT(t, status == QN_BAD_ARGUMENT && !plan, "row %zu: %s", i, err.message);
        EXPECT(t, err.status == status && *err.message, "row %zu: no error", i);
        EXPECT(t, !*rows[i].want || !strcmp(err.message, rows[i].want), "row %zu: %s", i,
               err.message);
    }
    qn_model_free(model);
    qn_text_finish(&bytes);
}

typedef struct Shown {
    int passes;
    bool has_text;
} Shown;

static void show(void *user, const char *pass, const char *text)
{
    Shown *shown = user;
    shown->passes++;
    shown->has_text = *pass && strstr(text, "graph") != NULL;
}

TEST(graphs_are_shown_after_passes)
{
    QnText bytes;
    QnPlan *plan = NULL;
    QnError err = {0};
    Shown shown = {0};
    QnModel *model = read_model(t, &bytes, sum);
    const QnPlanOptions options = {
        .size = sizeof options, .print_after = "all", .print = show, .print_user = &shown};
    REQUIRE(t, model && qn_plan_build(&plan, model, &options, NULL, &err) == QN_OK, "%s",
            err.message);
    EXPECT(t, shown.passes > 1 && shown.has_text, "%d passes", shown.passes);
    qn_plan_free(plan);
    qn_model_free(model);
    qn_text_finish(&bytes);
}

/* A device that offers nothing leaves all to the operators' references. */
static QnStatus offer_nothing(QnOfferCall *call)
{
    (void)call;
    return QN_OK;
}

TEST(steps_of_the_reference_can_be_refused)
{
    QnModule *module;
    QnDevice *device;
    QnPlan *plan = NULL;
    QnError err = {0};
    REQUIRE(t,
            qn_module_parse(&module, sum, NULL, &err) == QN_OK &&
                qn_ops_resolve(module, NULL, &err) == QN_OK &&
                qn_infer_module(module, &err) == QN_OK &&
                qn_cpu_device_create(&device, NULL, NULL, &err) == QN_OK,
            "%s", err.message);
    device->offers = offer_nothing;
    const QnPlanRequest request = {.module = module, .device = device, .no_reference = true};
    EXPECT(t, qn_plan_create(&plan, &request, &err) == QN_UNSUPPORTED, "%s", err.message);
    EXPECT(t, strstr(err.message, "(Add): only the reference computes it"), "%s", err.message);
}

/* A convolution that is worth transforming, where the processor's kernels can. */
static const char image[] = "graph main(%x: float[1,32,56,56]) {\n"
                            "  const %one: float[] = {0.5}\n"
                            "  const %size: int64[4] = {32, 32, 3, 3}\n"
                            "  %w = Expand(%one, %size)\n"
                            "  %y: float[1,32,54,54] = Conv(%x, %w)\n  return %y\n}";

static bool has_kernel(const QnPlan *plan, const char *part)
{
    bool has = false;
    for (int i = 0; i < plan->step_count; i++)
        has |= plan->steps[i].kernel && strstr(plan->steps[i].kernel, part);
    return has;
}

TEST(strict_arithmetic_transforms_no_convolutions)
{
    QnText bytes;
    QnPlan *normal = NULL, *strict = NULL;
    QnError err = {0};
    QnModel *model = read_model(t, &bytes, image);
    const QnPlanOptions options = {.size = sizeof options, .math = QN_MATH_STRICT};
    REQUIRE(t,
            model && qn_plan_build(&normal, model, NULL, NULL, &err) == QN_OK &&
                qn_plan_build(&strict, model, &options, NULL, &err) == QN_OK,
            "%s", err.message);
    EXPECT(t, !has_kernel(strict, "winograd"), "it does");
    if (!has_kernel(normal, "winograd"))
        t->skipped = "this processor transforms none";
    qn_plan_free(strict);
    qn_plan_free(normal);
    qn_model_free(model);
    qn_text_finish(&bytes);
}

/* ---- threads ---- */

/* One of several threads that use a model at once. */
typedef struct Builder {
    pthread_t thread;
    const QnModel *model;
    int step_count, node_count; /* -1: it failed */
} Builder;

static void *build(void *user)
{
    Builder *builder = user;
    QnPlan *plan = NULL;
    QnPlanView *steps = NULL;
    QnGraphView *graph = NULL;
    builder->step_count = builder->node_count = -1;
    if (qn_plan_build(&plan, builder->model, NULL, NULL, NULL) == QN_OK &&
        qn_plan_view_create(&steps, plan, NULL) == QN_OK &&
        qn_graph_view_model(&graph, builder->model, NULL) == QN_OK) {
        builder->step_count = qn_plan_view_step_count(steps);
        builder->node_count = qn_graph_view_node_count(graph);
    }
    qn_graph_view_free(graph);
    qn_plan_view_free(steps);
    qn_plan_free(plan);
    return NULL;
}

/* Also with graphs inside, whose shapes passes and planner look at. */
TEST(threads_build_plans_of_one_model_at_once)
{
    static const char graph[] =
        "graph main(%c: bool[], %x: float[N,3]) {\n"
        "  const %w: float[3] = {1, 2, 3}\n"
        "  %a = Mul(%x, %w)\n"
        "  %y = If(%c) {then_branch = graph () { %p = Exp(%a) return %p },\n"
        "               else_branch = graph () { %q = Neg(%a) return %q }}\n"
        "  return %y\n}";
    QnText bytes;
    Builder builders[4];
    QnModel *model = read_model(t, &bytes, graph);
    REQUIRE(t, model, "no model");
    for (int i = 0; i < 4; i++) {
        builders[i] = (Builder){.model = model};
        REQUIRE(t, !pthread_create(&builders[i].thread, NULL, build, &builders[i]), "no thread");
    }
    for (int i = 0; i < 4; i++)
        pthread_join(builders[i].thread, NULL);
    for (int i = 0; i < 4; i++)
        EXPECT(t, builders[i].node_count == 4 && builders[i].step_count == builders[0].step_count,
               "thread %d: %d nodes, %d steps", i, builders[i].node_count, builders[i].step_count);
    qn_model_free(model);
    qn_text_finish(&bytes);
}

/* ---- plan files ---- */

static bool is_same_file(const char *a, const char *b)
{
    QnBytes x = {0}, y = {0};
    const bool is_same = qn_file_read(&x, a, UINT64_MAX, NULL, NULL) == QN_OK &&
                         qn_file_read(&y, b, UINT64_MAX, NULL, NULL) == QN_OK && x.size == y.size &&
                         memcmp(x.data, y.data, x.size) == 0;
    qn_free(NULL, (void *)(uintptr_t)x.data, x.size);
    qn_free(NULL, (void *)(uintptr_t)y.data, y.size);
    return is_same;
}

static const char product[] = "graph main(%x: float[N,96]) {\n"
                              "  const %one: float[] = {1}\n"
                              "  const %size: int64[2] = {96, 48}\n"
                              "  %w = Expand(%one, %size)\n"
                              "  %m = MatMul(%x, %w)\n"
                              "  %y: float[N,48] = Tanh(%m)\n  return %y\n}";

TEST(a_loaded_plan_can_be_saved_again)
{
    Tree tree = tree_make();
    QnText bytes;
    QnPlan *plan = NULL, *loaded = NULL;
    QnError err = {0};
    char first[256], second[256];
    struct stat info = {0};
    QnModel *model = read_model(t, &bytes, product);
    snprintf(first, sizeof first, "%s", tree_path(&tree, "first.plan"));
    snprintf(second, sizeof second, "%s", tree_path(&tree, "second.plan"));
    REQUIRE(t,
            model && qn_plan_build(&plan, model, NULL, NULL, &err) == QN_OK &&
                qn_plan_save(plan, first, &err) == QN_OK &&
                qn_plan_load(&loaded, first, NULL, &err) == QN_OK &&
                qn_plan_save(loaded, second, &err) == QN_OK,
            "%s", err.message);
    EXPECT(t, is_same_file(first, second), "the files differ");
    EXPECT(t, stat(first, &info) == 0 && (info.st_mode & 0777) == 0600, "mode %o",
           (unsigned)info.st_mode & 0777);
    EXPECT(t, qn_plan_save(plan, "/nonexistent/x.plan", &err) == QN_IO, "%s", err.message);
    qn_plan_free(loaded);
    qn_plan_free(plan);
    qn_model_free(model);
    qn_text_finish(&bytes);
    tree_remove(&tree);
}

/* Some kernels have weights of another form, which the file of another level does not hold. */
TEST(a_plan_for_another_processor_loads_or_says_what_to_do)
{
    Tree tree = tree_make();
    QnText bytes;
    QnPlan *plan = NULL, *loaded = NULL;
    QnError err = {0};
    char level[64];
    const char *given = getenv("QN_CPU");
    snprintf(level, sizeof level, "%s", given ? given : "");
    QnModel *model = read_model(t, &bytes, image);
    const char *path = tree_path(&tree, "m.plan");
    REQUIRE(t,
            model && qn_plan_build(&plan, model, NULL, NULL, &err) == QN_OK &&
                qn_plan_save(plan, path, &err) == QN_OK,
            "%s", err.message);
    setenv("QN_CPU", "none", 1);
    const QnStatus status = qn_plan_load(&loaded, path, NULL, &err);
    given ? setenv("QN_CPU", level, 1) : unsetenv("QN_CPU");
    EXPECT(t, status == QN_OK || status == QN_UNSUPPORTED, "%s", err.message);
    EXPECT(t, status == QN_OK || strstr(err.message, "build it again from the model"), "%s",
           err.message);
    EXPECT(t, (status == QN_OK) == (loaded != NULL), "*out");
    qn_plan_free(loaded);
    qn_plan_free(plan);
    qn_model_free(model);
    qn_text_finish(&bytes);
    tree_remove(&tree);
}

TEST(states_are_named_anew_where_a_plan_is_loaded)
{
    static const char *const states[] = {"h", "y", NULL};
    const QnPlanOptions options = {.size = sizeof options, .states = states};
    Tree tree = tree_make();
    QnText bytes;
    QnPlan *plan = NULL, *with = NULL, *without = NULL;
    QnError err = {0};
    QnModel *model = read_model(t, &bytes, sum);
    const char *path = tree_path(&tree, "m.plan");
    REQUIRE(t,
            model && qn_plan_build(&plan, model, &options, NULL, &err) == QN_OK &&
                qn_plan_save(plan, path, &err) == QN_OK &&
                qn_plan_load(&with, path, &options, &err) == QN_OK &&
                qn_plan_load(&without, path, NULL, &err) == QN_OK,
            "%s", err.message);
    EXPECT(t, qn_plan_state_count(plan) == 1, "%d", qn_plan_state_count(plan));
    EXPECT(t, qn_plan_state_count(with) == 1, "%d", qn_plan_state_count(with));
    EXPECT(t, qn_plan_state_count(without) == 0, "%d", qn_plan_state_count(without));
    const QnStateInfo state = qn_plan_state(with, 0);
    EXPECT(t, !strcmp(state.input, "h") && !strcmp(state.output, "y") && !state.grows, "%s, %s",
           state.input, state.output);
    qn_plan_free(without);
    qn_plan_free(with);
    qn_plan_free(plan);
    qn_model_free(model);
    qn_text_finish(&bytes);
    tree_remove(&tree);
}

TEST_MAIN(CASE(what_is_no_option_is_refused), CASE(graphs_are_shown_after_passes),
          CASE(steps_of_the_reference_can_be_refused),
          CASE(strict_arithmetic_transforms_no_convolutions),
          CASE(a_plan_for_another_processor_loads_or_says_what_to_do),
          CASE(threads_build_plans_of_one_model_at_once), CASE(a_loaded_plan_can_be_saved_again),
          CASE(states_are_named_anew_where_a_plan_is_loaded))
