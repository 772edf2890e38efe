/* SPDX-License-Identifier: Apache-2.0 */
/* The same bits for any number of threads. */
#include <pthread.h>

#include "engine/run/session.h"
#include "tests/support/public.h"

static const struct {
    const char *name, *graph;
    int64_t size;
} nets[] = {
    {"convolutions",
     "graph main(%x: float[2,32,40,40], %k: float[48,32,3,3], %d: float[48,1,3,3]) {\n"
     "  %a = Conv(%x, %k) {pads = [1, 1, 1, 1]}\n"
     "  %b = Relu(%a)\n"
     "  %c = Conv(%b, %d) {group = 48, pads = [1, 1, 1, 1]}\n"
     "  %p = MaxPool(%c) {kernel_shape = [2, 2], strides = [2, 2]}\n"
     "  %g = GlobalAveragePool(%p)\n"
     "  return %c, %p, %g\n}",
     1},
    {"products",
     "graph main(%a: float[N,300], %b: float[300,257], %c: float[257]) {\n"
     "  %m = MatMul(%a, %b)\n"
     "  %s = Add(%m, %c)\n"
     "  %g = Gelu(%s)\n"
     "  %t = Gemm(%a, %b, %c) {alpha = 0.5}\n"
     "  %y = Softmax(%g)\n"
     "  return %y, %t\n}",
     150},
    {"reductions",
     "graph main(%x: float[N,N,N]) {\n"
     "  const %first: int64[1] = {0}\n"
     "  const %last: int64[1] = {2}\n"
     "  %a = ReduceSum(%x)\n"
     "  %b = ReduceSum(%x, %first)\n"
     "  %c = ReduceMean(%x, %last)\n"
     "  %d = ReduceL2(%x)\n"
     "  %e = ReduceLogSumExp(%x, %last)\n"
     "  %s = Softmax(%x) {axis = 1}\n"
     "  return %a, %b, %c, %d, %e, %s\n}",
     73},
};

/* What is seen of the gang while a run is at work. */
typedef struct Seen {
    QnSession *session;
    int members; /* the most at one time */
} Seen;

static void look(void *user, const QnStepEvent *event)
{
    Seen *seen = user;
    (void)event;
    if (seen->session->gang->members > seen->members)
        seen->members = seen->session->gang->members;
}

/* Runs with so many threads; the outputs lie in the session. */
static QnStatus run_with(QnSession **out, const QnPlan *plan, QnThreadPool *pool,
                         const QnValue *inputs, QnValue *outputs, int *members, QnError *err)
{
    const QnSessionOptions options = {.size = sizeof options, .pool = pool};
    QN_TRY(qn_session_create(out, plan, &options, err));
    Seen seen = {*out, 0};
    const QnRunOptions running = {.size = sizeof running, .observe = look, .user = &seen};
    for (int run = 0; run < 5; run++)
        QN_TRY(qn_session_run(*out, inputs, outputs, &running, err));
    *members = seen.members;
    return QN_OK;
}

static void compare(Test *t, const QnPlan *plan, const char *name, int64_t size)
{
    static const int counts[] = {2, 3, 7};
    QnValue inputs[PUBLIC_VALUES] = {{.kind = QN_NONE}}, alone[PUBLIC_VALUES] = {{.kind = QN_NONE}};
    QnSession *first = NULL;
    QnError err = {0};
    int members = 0;
    public_make_inputs(inputs, plan, size, 9);
    QnStatus status = run_with(&first, plan, NULL, inputs, alone, &members, &err);
    EXPECT(t, status == QN_OK && members <= 1, "%s: %d members, %s", name, members, err.message);
    for (size_t i = 0; status == QN_OK && i < sizeof counts / sizeof *counts; i++) {
        QnValue outputs[PUBLIC_VALUES] = {{.kind = QN_NONE}};
        QnSession *session = NULL;
        QnThreadPool *pool;
        status = qn_thread_pool_create(&pool, counts[i], &err);
        REQUIRE(t, status == QN_OK, "%s", err.message);
        status = run_with(&session, plan, pool, inputs, outputs, &members, &err);
        EXPECT(t, status == QN_OK, "%s: %s", name, err.message);
        EXPECT(t, members > 1 && members <= counts[i], "%s: %d members of %d worked", name, members,
               counts[i]);
        EXPECT(t, public_is_same(alone, outputs, qn_plan_output_count(plan)),
               "%s: %d threads give other bits", name, counts[i]);
        qn_session_free(session);
        qn_thread_pool_free(pool);
    }
    qn_session_free(first);
    public_free_inputs(inputs);
}

TEST(any_number_of_threads_gives_the_same_bits)
{
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++) {
        QnText bytes;
        QnModel *model = NULL;
        QnPlan *plan = NULL;
        QnError err = {0};
        QnStatus status = public_bytes(&bytes, nets[i].graph, &err);
        if (status == QN_OK)
            status = qn_model_read(&model, bytes.data, bytes.size, "m", NULL, NULL, &err);
        if (status == QN_OK)
            status = qn_plan_build(&plan, model, NULL, NULL, &err);
        if (EXPECT(t, status == QN_OK, "%s: %s", nets[i].name, err.message))
            compare(t, plan, nets[i].name, nets[i].size);
        qn_plan_free(plan);
        qn_model_free(model);
        qn_text_finish(&bytes);
    }
}

/* Sessions of one plan in several threads, over one pool. */
typedef struct Client {
    pthread_t thread;
    const QnPlan *plan;
    QnThreadPool *pool;
    const QnValue *inputs, *want;
    bool is_same;
} Client;

static void *serve(void *user)
{
    Client *client = user;
    QnValue outputs[PUBLIC_VALUES] = {{.kind = QN_NONE}};
    QnSession *session = NULL;
    QnError err;
    int members;
    client->is_same = run_with(&session, client->plan, client->pool, client->inputs, outputs,
                               &members, &err) == QN_OK &&
                      public_is_same(client->want, outputs, qn_plan_output_count(client->plan));
    qn_session_free(session);
    return NULL;
}

TEST(sessions_share_a_plan_and_a_pool)
{
    QnText bytes;
    QnModel *model = NULL;
    QnPlan *plan = NULL;
    QnSession *alone = NULL;
    QnThreadPool *pool;
    QnError err = {0};
    int members;
    QnValue inputs[PUBLIC_VALUES] = {{.kind = QN_NONE}}, want[PUBLIC_VALUES] = {{.kind = QN_NONE}};
    REQUIRE(t, public_bytes(&bytes, nets[0].graph, &err) == QN_OK, "%s", err.message);
    REQUIRE(t, qn_model_read(&model, bytes.data, bytes.size, "m", NULL, NULL, &err) == QN_OK, "%s",
            err.message);
    REQUIRE(t, qn_plan_build(&plan, model, NULL, NULL, &err) == QN_OK, "%s", err.message);
    public_make_inputs(inputs, plan, 1, 2);
    REQUIRE(t, run_with(&alone, plan, NULL, inputs, want, &members, &err) == QN_OK, "%s",
            err.message);
    REQUIRE(t, qn_thread_pool_create(&pool, 3, &err) == QN_OK, "%s", err.message);
    Client clients[4];
    for (int i = 0; i < 4; i++) {
        clients[i] = (Client){.plan = plan, .pool = pool, .inputs = inputs, .want = want};
        REQUIRE(t, !pthread_create(&clients[i].thread, NULL, serve, &clients[i]), "no thread");
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(clients[i].thread, NULL);
        EXPECT(t, clients[i].is_same, "client %d got other bits", i);
    }
    qn_session_free(alone);
    qn_thread_pool_free(pool);
    qn_plan_free(plan);
    qn_model_free(model);
    qn_text_finish(&bytes);
    public_free_inputs(inputs);
}

TEST_MAIN(CASE(any_number_of_threads_gives_the_same_bits), CASE(sessions_share_a_plan_and_a_pool))
