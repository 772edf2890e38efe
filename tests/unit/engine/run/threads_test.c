/* SPDX-License-Identifier: Apache-2.0 */
/* The same bits for any number of threads. */
#include <pthread.h>

#include "engine/run/session.h"
#include "tests/support/resnet.h"

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

/* Runs a few times with a pool's threads; the outputs lie in the session. */
static QnStatus run_with(QnSession **out, const QnPlan *plan, QnThreadPool *pool,
                         const QnValue *inputs, QnValue *outputs, QnError *err)
{
    const QnSessionOptions options = {.size = sizeof options, .pool = pool};
    QN_TRY(qn_session_create(out, plan, &options, err));
    for (int run = 0; run < 5; run++)
        QN_TRY(qn_session_run(*out, inputs, outputs, NULL, err));
    return QN_OK;
}

/*
 * Runs until all of the pool's workers have computed something, but not for ever: where others have
 * the processors, some may never come to it, and the first may take its time.  Gives how many have.
 */
static int run_until_all_work(QnSession *session, const QnValue *inputs, QnValue *outputs)
{
    const int workers = qn_pool_size(session->pool) - 1;
    const int64_t patience_ns = qn_clock_now(NULL) + 20 * QN_NS_PER_S;
    int worked = qn_pool_count_worked(session->pool);
    for (int run = 0; worked < workers; run++, worked = qn_pool_count_worked(session->pool)) {
        if (run >= 40 && (worked > 0 || qn_clock_now(NULL) > patience_ns))
            break;
        if (qn_session_run(session, inputs, outputs, NULL, NULL) != QN_OK)
            return -1;
    }
    return worked;
}

/* One number of threads against one thread's outputs. */
static void compare_with(Test *t, const QnPlan *plan, const char *name, int threads,
                         const QnValue *inputs, const QnValue *alone)
{
    QnValue outputs[PUBLIC_VALUES] = {{.kind = QN_NONE}};
    QnSession *session = NULL;
    QnThreadPool *pool = NULL;
    QnError err = {0};
    QnStatus status = qn_thread_pool_create(&pool, threads, &err);
    if (status == QN_OK)
        status = run_with(&session, plan, pool, inputs, outputs, &err);
    if (EXPECT(t, status == QN_OK, "%s: %s", name, err.message)) {
        EXPECT(t, public_is_same(alone, outputs, qn_plan_output_count(plan)),
               "%s: %d threads give other bits", name, threads);
        const int worked = run_until_all_work(session, inputs, outputs);
        EXPECT(t, worked >= (threads > 1) && worked < threads, "%s: %d workers of %d took part",
               name, worked, threads - 1);
        EXPECT(t, public_is_same(alone, outputs, qn_plan_output_count(plan)),
               "%s: %d threads give other bits after a while", name, threads);
    }
    qn_session_free(session);
    qn_thread_pool_free(pool);
}

static void compare(Test *t, const QnPlan *plan, const char *name, int64_t size)
{
    static const int counts[] = {1, 2, 3, 7};
    QnValue inputs[PUBLIC_VALUES] = {{.kind = QN_NONE}}, alone[PUBLIC_VALUES] = {{.kind = QN_NONE}};
    QnSession *first = NULL;
    QnError err = {0};
    public_make_inputs(inputs, plan, size, 9);
    const QnStatus status = run_with(&first, plan, NULL, inputs, alone, &err);
    if (EXPECT(t, status == QN_OK, "%s: %s", name, err.message))
        for (size_t i = 0; i < QN_COUNT_OF(counts); i++)
            compare_with(t, plan, name, counts[i], inputs, alone);
    qn_session_free(first);
    public_free_inputs(inputs);
}

static void compare_bytes(Test *t, const QnText *bytes, const char *name, int64_t size)
{
    QnModel *model = NULL;
    QnPlan *plan = NULL;
    QnError err = {0};
    QnStatus status = qn_model_read(&model, bytes->data, bytes->size, "m", NULL, NULL, &err);
    if (status == QN_OK)
        status = qn_plan_build(&plan, model, NULL, NULL, &err);
    if (EXPECT(t, status == QN_OK, "%s: %s", name, err.message))
        compare(t, plan, name, size);
    qn_plan_free(plan);
    qn_model_free(model);
}

TEST(any_number_of_threads_gives_the_same_bits)
{
    for (size_t i = 0; i < QN_COUNT_OF(nets); i++) {
        QnText bytes;
        QnError err = {0};
        if (EXPECT(t, public_bytes(&bytes, nets[i].graph, &err) == QN_OK, "%s: %s", nets[i].name,
                   err.message))
            compare_bytes(t, &bytes, nets[i].name, nets[i].size);
        qn_text_finish(&bytes);
    }
}

TEST(resnet_50_too)
{
    QnText bytes;
    QnError err = {0};
    if (EXPECT(t, resnet_bytes(&bytes, &err) == QN_OK, "%s", err.message))
        compare_bytes(t, &bytes, "ResNet-50", 1);
    qn_text_finish(&bytes);
}

TEST(nets_of_the_test_data_too)
{
    static const struct {
        const char *file;
        int64_t size;
    } files[] = {
        {"yunet_n_dynamic", 160}, {"yolox_nano", 1}, {"blazeface_front_128", 1}, {"ppocr_cls", 96}};
    for (size_t i = 0; i < QN_COUNT_OF(files); i++) {
        char path[512], name[64];
        QnModel *model = NULL;
        QnPlan *plan = NULL;
        QnError err = {0};
        snprintf(name, sizeof name, "models/onnx/%s.onnx", files[i].file);
        if (!public_data(path, sizeof path, name))
            SKIP(t, "QN_DATA names no such models");
        QnStatus status = qn_model_load(&model, path, NULL, NULL, &err);
        if (status == QN_OK)
            status = qn_plan_build(&plan, model, NULL, NULL, &err);
        if (EXPECT(t, status == QN_OK, "%s: %s", name, err.message))
            compare(t, plan, name, files[i].size);
        qn_plan_free(plan);
        qn_model_free(model);
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
    client->is_same =
        run_with(&session, client->plan, client->pool, client->inputs, outputs, &err) == QN_OK &&
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
    QnValue inputs[PUBLIC_VALUES] = {{.kind = QN_NONE}}, want[PUBLIC_VALUES] = {{.kind = QN_NONE}};
    REQUIRE(t, public_bytes(&bytes, nets[0].graph, &err) == QN_OK, "%s", err.message);
    REQUIRE(t, qn_model_read(&model, bytes.data, bytes.size, "m", NULL, NULL, &err) == QN_OK, "%s",
            err.message);
    REQUIRE(t, qn_plan_build(&plan, model, NULL, NULL, &err) == QN_OK, "%s", err.message);
    public_make_inputs(inputs, plan, 1, 2);
    REQUIRE(t, run_with(&alone, plan, NULL, inputs, want, &err) == QN_OK, "%s", err.message);
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

TEST_MAIN(CASE(any_number_of_threads_gives_the_same_bits), CASE(resnet_50_too),
          CASE(nets_of_the_test_data_too), CASE(sessions_share_a_plan_and_a_pool))
