/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: shapes that change, what is wrong with inputs, where outputs go, how a run is ended. */
#include <pthread.h>

#include "base/clock.h"
#include "tests/support/engine.h"
#include "tests/support/samples.h"

static const char scale_graph[] = "graph main(%x: float[N,M], %w: float[M]) {\n"
                                  "  %a = Mul(%x, %w)\n"
                                  "  %b = Relu(%a)\n"
                                  "  %y = Add(%b, %x)\n"
                                  "  return %y\n}";

static const char *run_scaled(Engine *e, int64_t n, int64_t m, float *x, float *w)
{
    const QnValue inputs[2] = {
        qn_value_tensor(qn_tensor(QN_FLOAT, 2, (int64_t[]){n, m}, x)),
        qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){m}, w)),
    };
    return engine_run_values(e, inputs, NULL);
}

/* Every shape gets its results, whatever ran before: bindings and memory plans come and go. */
TEST(shapes_may_change_with_every_run)
{
    Engine e;
    float x[400], w[20];
    REQUIRE(t, engine_open(&e, scale_graph) == QN_OK, "%s", e.err.message);
    for (int i = 0; i < 400; i++)
        x[i] = (float)(i % 11 - 5);
    for (int i = 0; i < 20; i++)
        w[i] = (float)(i % 3 - 1);
    Samples s = {7};
    for (int run = 0; run < 500; run++) {
        const int64_t n = run % 3 ? sample_below(&s, 21) : 4 + run % 2, m = sample_below(&s, 21);
        run_scaled(&e, n, m, x, w);
        REQUIRE(t, e.err.status == QN_OK, "%s", e.err.message);
        const float *y = e.outputs[0].tensor.data;
        for (int64_t i = 0; i < n * m; i++) {
            const float a = x[i] * w[i % m];
            EXPECT(t, y[i] == (a > 0 ? a : 0) + x[i], "run %d, %lldx%lld, element %lld", run,
                   (long long)n, (long long)m, (long long)i);
        }
    }
    engine_close(&e);
}

static int valid_bindings(const QnSession *session)
{
    int count = 0;
    for (int i = 0; i < QN_BINDINGS; i++)
        count += session->bindings[i].is_valid;
    return count;
}

TEST(three_shapes_that_alternate_stay_bound)
{
    Engine e;
    float x[64] = {0}, w[8] = {0};
    REQUIRE(t, engine_open(&e, scale_graph) == QN_OK, "%s", e.err.message);
    const QnBinding *bound[3];
    for (int run = 0; run < 9; run++) {
        run_scaled(&e, 1 + run % 3, 8, x, w);
        if (run >= 3 && run < 6)
            bound[run % 3] = e.session->current;
        if (run >= 6)
            EXPECT(t, bound[run % 3] == e.session->current, "run %d was bound anew", run);
    }
    EXPECT(t, valid_bindings(e.session) == 3, "%d bindings", valid_bindings(e.session));
    engine_close(&e);
}

/* The slab of a bucket (6, 8, 12, 16, ...) serves all shapes in it. */
TEST(shapes_of_a_bucket_share_a_memory_plan)
{
    static const struct {
        int64_t n, bucket;
    } rows[] = {{1, 1}, {2, 2}, {3, 3},  {4, 4},   {5, 6},
                {6, 6}, {7, 8}, {9, 12}, {13, 16}, {12, 12}};
    Engine e;
    float x[64] = {0}, w[1] = {0};
    REQUIRE(t, engine_open(&e, scale_graph) == QN_OK, "%s", e.err.message);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        run_scaled(&e, rows[i].n, 1, x, w);
        EXPECT(t, e.session->current->memory->key[0] == rows[i].bucket, "%lld is in bucket %lld",
               (long long)rows[i].n, (long long)e.session->current->memory->key[0]);
    }
    engine_close(&e);
}

/* A bucket that does not fit into the limit is no reason to refuse a shape that does. */
TEST(a_limit_is_for_the_shapes_given)
{
    Engine e;
    float x[4096] = {0}, w[1] = {0};
    const EngineOptions options = {.session = {.limit_bytes = 65 * 64 + 2 * 1024 * 4}};
    REQUIRE(t, engine_open_with(&e, scale_graph, &options) == QN_OK, "%s", e.err.message);
    run_scaled(&e, 1025, 1, x, w);
    EXPECT(t, e.err.status == QN_OK, "%s", e.err.message);
    run_scaled(&e, 4096, 1, x, w);
    EXPECT(t, e.err.status == QN_NO_MEMORY, "%s", e.err.message);
    EXPECT(t,
           !strcmp(e.err.message, "no memory for 16384 bytes of activations") ||
               strstr(e.err.message, "no memory"),
           "%s", e.err.message);
    run_scaled(&e, 2, 1, x, w);
    EXPECT(t, e.err.status == QN_OK, "%s", e.err.message);
    engine_close(&e);
}

TEST(wrong_inputs_are_refused_by_name)
{
    static const char graph[] = "graph main(%x: float[N,3], %w: float[N], %o: optional(float[1]), "
                                "%e: float[\"2*N\"], %u: tensor[?]) {\n"
                                "  %y = Identity(%x)\n  return %y\n}";
    static const struct {
        const char *inputs[ENGINE_VALUES], *want;
    } rows[] = {
        {{"_", "float[1] = {1}"}, "input 'x' is missing"},
        {{"double[1,3] = {1, 2, 3}", "float[1] = {1}", "_", "float[1] = {1}", "float[1] = {1}"},
         "input 'x' has type double, expected float"},
        {{"float[3] = {1, 2, 3}", "float[1] = {1}", "_", "float[1] = {1}", "float[1] = {1}"},
         "input 'x' has rank 1, expected 2"},
        {{"float[1,2] = {1, 2}", "float[1] = {1}", "_", "float[1] = {1}", "float[1] = {1}"},
         "input 'x': dimension 1 is 2, expected 3"},
        {{"float[1,3] = {1, 2, 3}", "float[2] = {1, 2}", "_", "float[1] = {1}", "float[1] = {1}"},
         "input 'w': dimension 0 is 2, but 'N' is 1 elsewhere"},
        {{"float[1,3] = {1, 2, 3}", "float[1] = {1}", "float[1] = {1}", "float[1] = {1}",
          "float[1] = {1}"},
         "input 'o' is a tensor, expected an optional"},
    };
    Engine e;
    REQUIRE(t, engine_open(&e, graph) == QN_OK, "%s", e.err.message);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const char *got = engine_run(&e, rows[i].inputs);
        EXPECT(t, e.err.status == QN_BAD_TENSOR && !strcmp(got + 7, rows[i].want), "row %zu: %s", i,
               got);
    }
    engine_close(&e);
}

/* A caller's struct may hold anything. */
TEST(tensors_that_cannot_be_are_refused)
{
    Engine e;
    REQUIRE(t,
            engine_open(&e, "graph main(%x: float[N], %u: tensor[?]) { %y = Neg(%x) return %y }") ==
                QN_OK,
            "%s", e.err.message);
    float data[2] = {1, 2};
    const QnTensor good = qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, data);
    QnTensor bad[] = {good, good, good};
    static const char *const wants[] = {
        "error: input 'x': dimension 0 is -1, expected a size",
        "error: input 'x' has no data, expected 8 bytes",
        "error: input 'x': dimension 0 is 9223372036854775807, expected a size",
    };
    bad[0].dims[0] = -1;
    bad[1].data = NULL;
    bad[2].dims[0] = INT64_MAX;
    for (size_t i = 0; i < QN_COUNT_OF(bad); i++) {
        const QnValue inputs[2] = {qn_value_tensor(bad[i]), qn_value_tensor(good)};
        const char *got = engine_run_values(&e, inputs, NULL);
        EXPECT(t, !strcmp(got, wants[i]), "%s", got);
    }
    QnTensor deep = good;
    deep.rank = 17;
    const QnValue inputs[2] = {qn_value_tensor(good), qn_value_tensor(deep)};
    const char *got = engine_run_values(&e, inputs, NULL);
    EXPECT(t, !strcmp(got, "error: input 'u' has rank 17, expected 0 to 16"), "%s", got);
    engine_close(&e);
}

TEST(sizes_declared_as_expressions_are_checked)
{
    Engine e;
    REQUIRE(t,
            engine_open(&e, "graph main(%x: float[N], %w: float[2*N]) {\n"
                            "  %a = Concat(%x, %x) {axis = 0}\n"
                            "  %y = Add(%a, %w)\n  return %y\n}") == QN_OK,
            "%s", e.err.message);
    const char *got = ENGINE_RUN(&e, "float[1] = {1}", "float[2] = {1, 2}");
    EXPECT(t, !strcmp(got, "float[2] {2, 3}"), "%s", got);
    got = ENGINE_RUN(&e, "float[1] = {1}", "float[3] = {1, 2, 3}");
    EXPECT(t, !strcmp(got, "error: input 'w': dimension 0 is 3, expected 2*N"), "%s", got);
    engine_close(&e);
}

TEST(inputs_may_have_any_alignment_and_strides)
{
    Engine e;
    char bytes[64];
    const float values[6] = {1, 2, 3, 4, 5, 6};
    REQUIRE(t, engine_open(&e, "graph main(%x: float[2,3]) { %y = Neg(%x) return %y }") == QN_OK,
            "%s", e.err.message);
    memcpy(bytes + 1, values, sizeof values);
    QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 2, (int64_t[]){2, 3}, bytes + 1));
    const char *got = engine_run_values(&e, &input, NULL);
    EXPECT(t, !strcmp(got, "float[2,3] {-1, -2, -3, -4, -5, -6}"), "%s", got);
    input.tensor.strides[0] = 4; /* transposed */
    input.tensor.strides[1] = 8;
    got = engine_run_values(&e, &input, NULL);
    EXPECT(t, !strcmp(got, "float[2,3] {-1, -3, -5, -2, -4, -6}"), "%s", got);
    input.tensor.data = bytes + 1 + 20; /* backwards */
    input.tensor.strides[0] = -12;
    input.tensor.strides[1] = -4;
    got = engine_run_values(&e, &input, NULL);
    EXPECT(t, !strcmp(got, "float[2,3] {-6, -5, -4, -3, -2, -1}"), "%s", got);
    input.tensor.data = bytes + 1;
    input.tensor.strides[0] = input.tensor.strides[1] = 0; /* one element for all */
    got = engine_run_values(&e, &input, NULL);
    EXPECT(t, !strcmp(got, "float[2,3] {-1, -1, -1, -1, -1, -1}"), "%s", got);
    engine_close(&e);
}

/* ---- outputs ---- */

TEST(outputs_go_where_the_caller_says)
{
    Engine e;
    REQUIRE(t,
            engine_open(&e, "graph main(%x: float[2]) { %y = Neg(%x) return %y, z = %x }") == QN_OK,
            "%s", e.err.message);
    float x[2] = {1, 2}, y[4] = {0, 0, 9, 9}, z[1];
    const QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, x));
    QnValue outputs[2] = {qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){4}, y)),
                          {.kind = QN_NONE}};
    QnStatus status = qn_session_run(e.session, &input, outputs, NULL, &e.err);
    EXPECT(t, status == QN_OK && y[0] == -1 && y[1] == -2 && y[2] == 9, "%s", e.err.message);
    EXPECT(t, outputs[0].tensor.data == y && outputs[0].tensor.dims[0] == 2, "another tensor");
    /* What passes through is no view of the caller's input. */
    EXPECT(t, outputs[1].tensor.data != x && *(float *)outputs[1].tensor.data == 1, "output z");
    outputs[1] = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){1}, z));
    status = qn_session_run(e.session, &input, outputs, NULL, &e.err);
    EXPECT(t,
           status == QN_BAD_TENSOR &&
               !strcmp(e.err.message, "output 'z' takes 8 bytes, but 4 were given"),
           "%s", e.err.message);
    engine_close(&e);
}

typedef struct Given {
    float data[8];
    int calls, refused; /* refuse the output of that number */
} Given;

static void *give(void *user, int output, const QnTensor *shape, size_t size)
{
    Given *given = user;
    given->calls++;
    if (given->refused == output || shape->rank != 1 || size != 8)
        return NULL;
    return given->data + 2 * output;
}

TEST(an_output_allocator_is_asked_once_per_output)
{
    Engine e;
    REQUIRE(t,
            engine_open(&e, "graph main(%x: float[N]) { %y = Neg(%x) return %y, z = %x }") == QN_OK,
            "%s", e.err.message);
    float x[2] = {1, 2};
    Given given = {.refused = -1};
    QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, x));
    const QnRunOptions options = {.size = sizeof options, .allocate = give, .user = &given};
    engine_run_values(&e, &input, &options);
    EXPECT(t, e.err.status == QN_OK && given.calls == 2, "%d calls, %s", given.calls,
           e.err.message);
    EXPECT(t, given.data[1] == -2 && given.data[3] == 2, "%g %g", (double)given.data[1],
           (double)given.data[3]);
    given.refused = 1;
    engine_run_values(&e, &input, &options);
    EXPECT(t, e.err.status == QN_NO_MEMORY, "%s", e.err.message);
    EXPECT(t, !strcmp(e.err.message, "no memory for the 8 bytes of output 'z'"), "%s",
           e.err.message);
    given = (Given){.refused = -1};
    input.tensor.dims[0] = 0; /* nothing to give */
    engine_run_values(&e, &input, &options);
    EXPECT(t, e.err.status == QN_OK && given.calls == 0, "%d calls, %s", given.calls,
           e.err.message);
    engine_close(&e);
}

/* Whoever writes into an output must not change the plan. */
TEST(constant_outputs_are_copies)
{
    Engine e;
    REQUIRE(t,
            engine_open(&e, "graph main(%x: float[1]) {\n"
                            "  const %c: float[2] = {1, 2}\n"
                            "  %y = Neg(%x)\n  return %c, %y\n}") == QN_OK,
            "%s", e.err.message);
    for (int run = 0; run < 2; run++) {
        const char *got = ENGINE_RUN(&e, "float[1] = {3}");
        EXPECT(t, !strcmp(got, "float[2] {1, 2}; float[1] {-3}"), "%s", got);
        *(float *)e.outputs[0].tensor.data = 99;
    }
    engine_close(&e);
}

/* ---- ending a run ---- */

static const char endless_graph[] =
    "graph main(%x: float[]) {\n"
    "  %y = Loop(_, _, %x) {body = graph (%i: int64[], %go: bool[], %v: float[]) {\n"
    "    %n = Add(%v, %v)\n"
    "    return %go, %n\n  }}\n"
    "  return %y\n}";

static void *cancel_soon(void *user)
{
    struct timespec pause = {.tv_nsec = 5000000};
    nanosleep(&pause, NULL);
    qn_cancel(user);
    return NULL;
}

TEST(runs_are_cancelled_from_other_threads)
{
    Engine e;
    float x = 0;
    pthread_t thread;
    QnCancel cancel = {0};
    const QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 0, NULL, &x));
    const QnRunOptions options = {.size = sizeof options, .cancel = &cancel};
    REQUIRE(t, engine_open(&e, endless_graph) == QN_OK, "%s", e.err.message);
    REQUIRE(t, !pthread_create(&thread, NULL, cancel_soon, &cancel), "no thread");
    const char *got = engine_run_values(&e, &input, &options);
    pthread_join(thread, NULL);
    EXPECT(t, e.err.status == QN_CANCELLED, "%s", got);
    EXPECT(t, !strcmp(got, "error: cancelled or past its deadline"), "%s", got);
    engine_close(&e);
}

TEST(deadlines_end_runs)
{
    Engine e;
    float x = 0;
    const QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 0, NULL, &x));
    REQUIRE(t, engine_open(&e, endless_graph) == QN_OK, "%s", e.err.message);
    const int64_t begin = qn_clock_now(NULL);
    const QnRunOptions options = {.size = sizeof options, .deadline_ns = begin + 5 * QN_NS_PER_MS};
    const char *got = engine_run_values(&e, &input, &options);
    EXPECT(t, e.err.status == QN_CANCELLED, "%s", got);
    EXPECT(t, qn_clock_now(NULL) >= options.deadline_ns, "ended before its deadline");
    engine_close(&e);
}

/* ---- watching ---- */

static void note_step(void *user, const QnStepEvent *event)
{
    QnText *text = user;
    if (event->output_count)
        qn_text_printf(text, "%s:%s ", event->op, event->output_names[0]);
}

TEST(an_observer_sees_what_each_step_made)
{
    Engine e;
    float x[6] = {-1, 2, 3, 4, 5, 6}, w[3] = {1, 1, 1};
    QnText text = qn_text(NULL);
    const QnValue inputs[2] = {qn_value_tensor(qn_tensor(QN_FLOAT, 2, (int64_t[]){2, 3}, x)),
                               qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){3}, w))};
    const QnRunOptions options = {.size = sizeof options, .observe = note_step, .user = &text};
    REQUIRE(t, engine_open_with(&e, scale_graph, &(EngineOptions){.by_reference = true}) == QN_OK,
            "%s", e.err.message);
    engine_run_values(&e, inputs, &options);
    EXPECT(t, !strcmp(qn_text_string(&text), "Mul:a Relu:b Add:y "), "%s", qn_text_string(&text));
    qn_text_finish(&text);
    engine_close(&e);
}

static void sum_operations(void *user, const QnStepEvent *event)
{
    *(double *)user += event->operations;
}

/* By the formulas: a multiply-add is two, and biases and activations are none. */
TEST(an_observer_is_told_how_many_operations_a_step_takes)
{
    static const struct {
        const char *graph;
        double want;
    } rows[] = {
        {"graph main(%x: float[1,2,4,4], %w: float[3,2,3,3]) {\n"
         "%c = Conv(%x, %w)\n%y = Relu(%c)\nreturn %y\n}",
         2 * (3 * 2 * 2) * (2 * 3 * 3)},
        {"graph main(%x: float[1,4,4,4], %w: float[4,1,2,2]) {\n"
         "%y = Conv(%x, %w) {group = 4, strides = [2, 2]}\nreturn %y\n}",
         2 * (4 * 2 * 2) * (2 * 2)},
        {"graph main(%x: float[1,2,3,3], %w: float[2,5,2,2]) {\n"
         "%y = ConvTranspose(%x, %w)\nreturn %y\n}",
         2 * (2 * 3 * 3) * (5 * 2 * 2)},
        {"graph main(%x: float[6,2,3], %w: float[3,4]) {\n%y = MatMul(%x, %w)\nreturn %y\n}",
         2 * (6 * 2 * 4) * 3},
        {"graph main(%x: float[5,2,3], %w: float[1,16,3], %r: float[1,16,4]) {\n"
         "%y, %h, %c = LSTM(%x, %w, %r) {hidden_size = 4}\nreturn %y\n}",
         2 * (5 * 2 * 16) * (3 + 4)},
        {"graph main(%x: float[9]) {\n%y = Exp(%x)\nreturn %y\n}", 0},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        Engine e;
        float zeros[128] = {0};
        double operations = 0;
        QnValue inputs[ENGINE_VALUES] = {{.kind = QN_NONE}};
        const QnRunOptions options = {
            .size = sizeof options, .observe = sum_operations, .user = &operations};
        REQUIRE(t, engine_open(&e, rows[i].graph) == QN_OK, "%s", e.err.message);
        for (int k = 0; k < e.plan->input_count; k++) {
            const QnShape *shape = &e.plan->values[e.plan->inputs[k]].type.shape;
            inputs[k] = qn_value_tensor(qn_tensor(QN_FLOAT, shape->rank, shape->dims, zeros));
        }
        const char *got = engine_run_values(&e, inputs, &options);
        EXPECT(t, operations == rows[i].want, "%s: %g operations, not %g (%.40s)", rows[i].graph,
               operations, rows[i].want, got);
        engine_close(&e);
    }
}

/* Of lines without elements there may be any number, which nothing walks. */
TEST(results_without_elements_cost_nothing)
{
#define LINES "1099511627776"
#define GRAPH(shape, call)                                             \
    "graph main(%x: float[" shape "]) {\n%y = " call "\nreturn %y\n}", \
    {                                                                  \
        "float[" shape "] = {}"                                        \
    }
    static const RunRow rows[] = {
        {GRAPH(LINES ",0", "Softmax(%x) {axis = 1}"), "float[" LINES ",0] {}"},
        {GRAPH(LINES ",3,0", "ArgMax(%x) {axis = 1}"), "int64[" LINES ",1,0] {}"},
        {GRAPH("1,2,0", "Attention(%x, %x, %x) {q_num_heads = " LINES ", kv_num_heads = 1}"),
         "float[1,2,0] {}"},
        {"graph main(%b: float[" LINES ",0,4], %s: float[" LINES ",1,0]) {\n"
         "%y = NonMaxSuppression(%b, %s)\nreturn %y\n}",
         {"float[" LINES ",0,4] = {}", "float[" LINES ",1,0] = {}"},
         "int64[0,3] {}"},
    };
#undef GRAPH
#undef LINES
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        engine_check(t, &rows[i], false);
}

TEST(memory_is_accounted)
{
    Engine e;
    float x[64] = {0}, w[1] = {0};
    REQUIRE(t, engine_open_with(&e, scale_graph, &(EngineOptions){.by_reference = true}) == QN_OK,
            "%s", e.err.message);
    QnMemoryInfo info = qn_session_memory(e.session);
    EXPECT(t, info.activation_bytes == 0, "%llu", (unsigned long long)info.activation_bytes);
    run_scaled(&e, 64, 1, x, w);
    info = qn_session_memory(e.session);
    EXPECT(t, info.lower_bound_bytes == 512, "%llu", (unsigned long long)info.lower_bound_bytes);
    EXPECT(t, info.activation_bytes == 512, "%llu", (unsigned long long)info.activation_bytes);
    engine_close(&e);
}

TEST_MAIN(CASE(shapes_may_change_with_every_run), CASE(three_shapes_that_alternate_stay_bound),
          CASE(shapes_of_a_bucket_share_a_memory_plan), CASE(a_limit_is_for_the_shapes_given),
          CASE(wrong_inputs_are_refused_by_name), CASE(tensors_that_cannot_be_are_refused),
          CASE(sizes_declared_as_expressions_are_checked),
          CASE(inputs_may_have_any_alignment_and_strides), CASE(outputs_go_where_the_caller_says),
          CASE(an_output_allocator_is_asked_once_per_output), CASE(constant_outputs_are_copies),
          CASE(runs_are_cancelled_from_other_threads), CASE(deadlines_end_runs),
          CASE(an_observer_sees_what_each_step_made),
          CASE(an_observer_is_told_how_many_operations_a_step_takes),
          CASE(results_without_elements_cost_nothing), CASE(memory_is_accounted))
