/* SPDX-License-Identifier: Apache-2.0 */
/* What runs promise: errors and statuses, pools, observers, seeds, memory. */
#include "tests/support/public.h"

/* ---- errors ---- */

/* The graph makes passes and steps try things in vain: a product that cannot be folded, a branch
 * that does not fit. */
TEST(a_call_that_works_writes_no_error)
{
    static const char graph[] = "graph main(%x: float[N]) {\n"
                                "  const %a: int64[2] = {1, 2}\n"
                                "  const %b: int64[2] = {0, 1}\n"
                                "  %d = Div(%a, %b)\n"
                                "  %y: float[N] = Neg(%x)\n  return %y, %d\n}";
    PublicWorld w;
    float x[2] = {1, 2};
    QnFindings *findings;
    QnPlan *plan = NULL;
    REQUIRE(t, qn_findings_create(&findings) == QN_OK, "no memory");
    if (!public_open(t, &w, graph, NULL))
        return;
    const QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, x));
    QnValue outputs[2] = {{.kind = QN_NONE}};
    const QnStatus built = qn_plan_build(&plan, w.model, NULL, findings, &w.err);
    const QnStatus ran = qn_session_run(w.session, &input, outputs, NULL, &w.err);
    EXPECT(t, built == QN_OK, "%s", w.err.message);
    EXPECT(t, ran == QN_OK || w.err.status == ran, "%s", w.err.message);
    EXPECT(t, ran != QN_OK || (w.err.status == QN_OK && !*w.err.message), "%s", w.err.message);
    qn_plan_free(plan);
    qn_findings_free(findings);
    public_close(&w);
}

/* Whatever is wrong with data, the model is not to blame: a server answers for one or the other. */
TEST(data_that_does_not_fit_is_a_bad_tensor)
{
    static const struct {
        const char *graph;
        int64_t given[2];
    } rows[] = {
        {"graph main(%x: float[4], %s: int64[2]) { %y = Reshape(%x, %s) return %y }", {3, 3}},
        {"graph main(%x: float[4], %s: int64[2]) { %y = Reshape(%x, %s) return %y }", {-1, -1}},
        {"graph main(%x: float[4], %s: int64[2]) { %y = Expand(%x, %s) return %y }", {2, 3}},
        {"graph main(%x: float[4], %s: int64[2]) { %y = Pad(%x, %s) return %y }", {-9, -9}},
        {"graph main(%x: float[4], %s: int64[2]) {\n"
         "  %y = Gather(%x, %s) {axis = 0}\n  return %y\n}",
         {0, 4}},
        {"graph main(%x: float[4], %s: int64[2]) { %y = Tile(%x, %s) return %y }", {1, 1}},
        {"graph main(%x: float[4], %s: int64[2]) {\n"
         "  %y, %z = Split(%x, %s) {axis = 0}\n  return %y, %z\n}",
         {1, 1}},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        PublicWorld w;
        float x[4] = {1, 2, 3, 4};
        int64_t given[2] = {rows[i].given[0], rows[i].given[1]};
        QnValue outputs[2] = {{.kind = QN_NONE}};
        const QnValue inputs[2] = {qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){4}, x)),
                                   qn_value_tensor(qn_tensor(QN_INT64, 1, (int64_t[]){2}, given))};
        if (!public_open(t, &w, rows[i].graph, NULL))
            continue;
        const QnStatus status = qn_session_run(w.session, inputs, outputs, NULL, &w.err);
        EXPECT(t, status == QN_BAD_TENSOR && w.err.status == status, "row %zu: %s: %s", i,
               qn_status_name(status), w.err.message);
        EXPECT(t, qn_session_run(w.session, inputs, outputs, NULL, NULL) == status, "row %zu", i);
        public_close(&w);
    }
}

/* ---- inputs ---- */

TEST(an_optional_may_be_left_out)
{
    PublicWorld w;
    if (!public_open(t, &w,
                     "graph main(%o: optional(float[2])) {\n"
                     "  %y: bool[] = OptionalHasElement(%o)\n  return %y\n}",
                     NULL))
        return;
    const QnValue input = {.kind = QN_NONE};
    QnValue output = {.kind = QN_NONE};
    const QnStatus status = qn_session_run(w.session, &input, &output, NULL, &w.err);
    if (EXPECT(t, status == QN_OK, "%s", w.err.message))
        EXPECT(t, !*(const bool *)output.tensor.data, "it has an element");
    public_close(&w);
}

TEST(only_memory_of_the_host_is_read)
{
    PublicWorld w;
    float x[2] = {1, 2};
    if (!public_open(t, &w, "graph main(%x: float[N]) { %y = Neg(%x) return %y }", NULL))
        return;
    QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, x));
    QnValue output = {.kind = QN_NONE};
    input.tensor.place.device = 1;
    EXPECT(t, qn_session_run(w.session, &input, &output, NULL, &w.err) == QN_BAD_TENSOR, "device");
    EXPECT(t, !strcmp(w.err.message, "input 'x' lies in memory 0 of device 1, expected the host's"),
           "%s", w.err.message);
    public_close(&w);
}

/* ---- pools ---- */

TEST(a_pool_has_the_threads_it_was_asked_for)
{
    QnThreadPool *pool = NULL;
    QnError err = {0};
    char asked[32];
    const char *given = getenv("QN_THREADS");
    snprintf(asked, sizeof asked, "%s", given ? given : "");
    REQUIRE(t, qn_thread_pool_create(&pool, 3, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_thread_pool_size(pool) == 3, "%d threads", qn_thread_pool_size(pool));
    QnThreadPool *other = pool;
    EXPECT(t, qn_thread_pool_create(&other, 5000, &err) == QN_BAD_ARGUMENT, "%s", err.message);
    setenv("QN_THREADS", "many", 1);
    EXPECT(t, qn_thread_pool_create(&other, 0, &err) == QN_BAD_ARGUMENT, "%s", err.message);
    EXPECT(t, other == pool, "*out changed");
    setenv("QN_THREADS", "1", 1);
    REQUIRE(t, qn_thread_pool_create(&other, 0, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_thread_pool_size(other) == 1, "%d threads", qn_thread_pool_size(other));
    given ? setenv("QN_THREADS", asked, 1) : unsetenv("QN_THREADS");
    qn_thread_pool_free(other);
    qn_thread_pool_free(pool);
}

/* ---- observers ---- */

enum { PARTS = 40 };

static void count_outputs(void *user, const QnStepEvent *event)
{
    int *most = user;
    for (int i = 0; i < event->output_count; i++)
        if (event->outputs[i].kind != QN_TENSOR || !event->output_names[i])
            return;
    *most = event->output_count > *most ? event->output_count : *most;
}

TEST(an_observer_sees_all_outputs_of_a_step)
{
    PublicWorld w;
    char graph[1024];
    float x[PARTS] = {0};
    int most = 0;
    size_t used = (size_t)snprintf(graph, sizeof graph, "graph main(%%x: float[%d]) { ", PARTS);
    for (int i = 0; i < PARTS; i++)
        used += (size_t)snprintf(graph + used, sizeof graph - used, "%s%%y%d", i ? ", " : "", i);
    used += (size_t)snprintf(graph + used, sizeof graph - used,
                             " = Split(%%x) {axis = 0, num_outputs = %d} return ", PARTS);
    for (int i = 0; i < PARTS; i++)
        used += (size_t)snprintf(graph + used, sizeof graph - used, "%s%%y%d", i ? ", " : "", i);
    snprintf(graph + used, sizeof graph - used, " }");
    if (!public_open(t, &w, graph, NULL))
        return;
    const QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){PARTS}, x));
    QnValue outputs[PARTS] = {{.kind = QN_NONE}};
    const QnRunOptions options = {.size = sizeof options, .observe = count_outputs, .user = &most};
    const QnStatus status = qn_session_run(w.session, &input, outputs, &options, &w.err);
    EXPECT(t, status == QN_OK && most == PARTS, "%d outputs: %s", most, w.err.message);
    public_close(&w);
}

/* ---- seeds, states, memory ---- */

TEST(every_session_begins_with_the_same_random_numbers)
{
    PublicWorld w[2];
    float y[2][4];
    for (int i = 0; i < 2; i++) {
        if (!public_open(t, &w[i], "graph main() { %y = RandomNormal() {shape = [4]} return %y }",
                         NULL))
            return;
        QnValue output = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){4}, y[i]));
        const QnStatus status = qn_session_run(w[i].session, NULL, &output, NULL, &w[i].err);
        EXPECT(t, status == QN_OK, "%s", w[i].err.message);
    }
    EXPECT(t, !memcmp(y[0], y[1], sizeof y[0]), "%g and %g", (double)y[0][0], (double)y[1][0]);
    public_close(&w[0]);
    public_close(&w[1]);
}

TEST(forgetting_states_leaves_outputs_valid)
{
    PublicWorld w;
    float x[1] = {5};
    if (!public_open(t, &w,
                     "graph main(%past: float[L], %x: float[1]) {\n"
                     "  %present = Concat(%past, %x) {axis = 0}\n  return %present\n}",
                     NULL))
        return;
    const QnValue inputs[2] = {{.kind = QN_NONE},
                               qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){1}, x))};
    QnValue output = {.kind = QN_NONE};
    qn_session_run(w.session, inputs, &output, NULL, &w.err);
    qn_session_reset(w.session);
    EXPECT(t, *(const float *)output.tensor.data == 5, "the output changed");
    output = (QnValue){.kind = QN_NONE};
    qn_session_run(w.session, inputs, &output, NULL, &w.err);
    EXPECT(t, output.tensor.dims[0] == 1, "%lld rows", (long long)output.tensor.dims[0]);
    public_close(&w);
}

/* The limit holds for the arena of strings and collections, too. */
TEST(sequences_count_against_the_limit)
{
    const QnSessionOptions options = {.size = sizeof options, .limit_bytes = 1 << 20};
    PublicWorld w;
    float x[4096] = {0};
    int64_t trips = 10;
    if (!public_open(t, &w,
                     "graph main(%m: int64[], %x: float[N]) {\n"
                     "  %e = SequenceEmpty() {dtype = 1}\n"
                     "  %s = Loop(%m, _, %e) {body = graph (%i: int64[], %go: bool[], "
                     "%q: sequence(float[?])) {\n"
                     "    %f = Cast(%i) {to = 1}\n"
                     "    %a = Add(%x, %f)\n"
                     "    %n = SequenceInsert(%q, %a)\n"
                     "    return %go, %n\n  }}\n"
                     "  %y = SequenceLength(%s)\n  return %y\n}",
                     &options))
        return;
    const QnValue inputs[2] = {qn_value_tensor(qn_tensor(QN_INT64, 0, NULL, &trips)),
                               qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){4096}, x))};
    QnValue output = {.kind = QN_NONE};
    EXPECT(t, qn_session_run(w.session, inputs, &output, NULL, &w.err) == QN_OK, "%s",
           w.err.message);
    trips = 1000;
    EXPECT(t, qn_session_run(w.session, inputs, &output, NULL, &w.err) == QN_NO_MEMORY, "%s",
           w.err.message);
    trips = 10;
    EXPECT(t, qn_session_run(w.session, inputs, &output, NULL, &w.err) == QN_OK, "%s",
           w.err.message);
    public_close(&w);
}

TEST_MAIN(CASE(a_call_that_works_writes_no_error), CASE(data_that_does_not_fit_is_a_bad_tensor),
          CASE(an_optional_may_be_left_out), CASE(only_memory_of_the_host_is_read),
          CASE(a_pool_has_the_threads_it_was_asked_for),
          CASE(an_observer_sees_all_outputs_of_a_step),
          CASE(every_session_begins_with_the_same_random_numbers),
          CASE(forgetting_states_leaves_outputs_valid), CASE(sequences_count_against_the_limit))
