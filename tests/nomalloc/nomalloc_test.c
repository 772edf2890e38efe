/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After the first run with a bucket of shapes, a run allocates nothing.  Counted from outside, by
 * interposer.c.
 */
#include <dlfcn.h>

#include "tests/support/resnet.h"

typedef struct Subject {
    QnModel *model;
    QnPlan *plan;
    QnThreadPool *pool;
    QnSession *session;
    QnText bytes;
    QnError err;
} Subject;

static const long *counter(void)
{
    return dlsym(RTLD_DEFAULT, "qn_interposer_count");
}

/* Says which code allocated: addr2line -fe FILE OFFSET tells the function. */
static void print_callers(long before, long after)
{
    void *const *callers = dlsym(RTLD_DEFAULT, "qn_interposer_callers");
    for (long i = before; callers && i < after && i < before + 4; i++) {
        Dl_info info;
        if (dladdr(callers[i % 16], &info))
            printf("    allocation %ld by %s+0x%lx (%s)\n", i - before, info.dli_fname,
                   (unsigned long)((char *)callers[i % 16] - (char *)info.dli_fbase),
                   info.dli_sname ? info.dli_sname : "a static function");
    }
}

/* A model from a file, from a graph's text, or where both are NULL ResNet-50. */
static QnStatus prepare(Subject *s, const char *path, const char *graph)
{
    if (path) {
        QN_TRY(qn_model_load(&s->model, path, NULL, NULL, &s->err));
    } else {
        QN_TRY(graph ? public_bytes(&s->bytes, graph, &s->err) : resnet_bytes(&s->bytes, &s->err));
        QN_TRY(qn_model_read(&s->model, s->bytes.data, s->bytes.size, "m", NULL, NULL, &s->err));
    }
    QN_TRY(qn_plan_build(&s->plan, s->model, NULL, NULL, &s->err));
    QN_TRY(qn_thread_pool_create(&s->pool, 3, &s->err));
    const QnSessionOptions options = {.size = sizeof options, .pool = s->pool};
    return qn_session_create(&s->session, s->plan, &options, &s->err);
}

static void finish(Subject *s)
{
    qn_session_free(s->session);
    qn_thread_pool_free(s->pool);
    qn_plan_free(s->plan);
    qn_model_free(s->model);
    qn_text_finish(&s->bytes);
}

/* One run with open sizes of `size`, which may allocate only if it is the first. */
static void check_run(Test *t, Subject *s, int64_t size, const char *name, bool is_first)
{
    QnValue inputs[PUBLIC_VALUES] = {{.kind = QN_NONE}},
            outputs[PUBLIC_VALUES] = {{.kind = QN_NONE}};
    public_make_inputs(inputs, s->plan, size, 3);
    const long before = *counter();
    const QnStatus status = qn_session_run(s->session, inputs, outputs, NULL, &s->err);
    const long after = *counter();
    EXPECT(t, status == QN_OK, "%s with size %lld: %s", name, (long long)size, s->err.message);
    if (!is_first && !EXPECT(t, after == before, "%s with size %lld: %ld allocations", name,
                             (long long)size, after - before))
        print_callers(before, after);
    public_free_inputs(inputs);
}

/* Runs with each size after the first; `sizes` ends with 0 and lies in one bucket. */
static void expect_quiet(Test *t, Subject *s, const int64_t *sizes, const char *name)
{
    check_run(t, s, sizes[0], name, true);
    for (int round = 0; round < 2; round++)
        for (int i = 0; sizes[i]; i++)
            check_run(t, s, sizes[i], name, false);
}

static void check_file(Test *t, const char *name, const int64_t *sizes)
{
    char path[512], file[128];
    Subject s = {0};
    if (!counter())
        SKIP(t, "the interposer is not preloaded");
    snprintf(file, sizeof file, "models/onnx/%s.onnx", name);
    if (!public_data(path, sizeof path, file))
        SKIP(t, "QN_DATA names no such model");
    if (EXPECT(t, prepare(&s, path, NULL) == QN_OK, "%s: %s", name, s.err.message))
        expect_quiet(t, &s, sizes, name);
    finish(&s);
}

static void check_text(Test *t, const char *name, const char *graph, const int64_t *sizes)
{
    Subject s = {0};
    if (!counter())
        SKIP(t, "the interposer is not preloaded");
    if (EXPECT(t, prepare(&s, NULL, graph) == QN_OK, "%s: %s", name, s.err.message))
        expect_quiet(t, &s, sizes, name);
    finish(&s);
}

TEST(a_net_of_fixed_shapes)
{
    check_file(t, "mnist", (const int64_t[]){1, 0});
}

TEST(resnet_50)
{
    check_text(t, "ResNet-50", NULL, (const int64_t[]){1, 0});
}

TEST(a_net_whose_shapes_change_within_a_bucket)
{
    check_file(t, "yunet_n_dynamic", (const int64_t[]){160, 192, 160, 0});
}

TEST(a_convolution_whose_batch_changes_within_a_bucket)
{
    check_text(t, "conv",
               "graph main(%x: float[N,8,N,N]) {\n"
               "  const %one: float[] = {0.5}\n"
               "  const %size: int64[4] = {16, 8, 3, 3}\n"
               "  %w = Expand(%one, %size)\n"
               "  %c = Conv(%x, %w) {pads = [1, 1, 1, 1]}\n"
               "  %y = Relu(%c)\n"
               "  %s = Softmax(%y)\n"
               "  return %y, %s\n}",
               (const int64_t[]){9, 12, 10, 11, 0});
}

/* A chunk of sound after the other, as its users feed it:
 * the state goes round through the caller. */
TEST(a_recurrent_net_with_branches)
{
    char path[512];
    Subject s = {0};
    if (!counter())
        SKIP(t, "the interposer is not preloaded");
    if (!public_data(path, sizeof path, "models/onnx/silero_vad_v6.onnx"))
        SKIP(t, "QN_DATA names no such model");
    float sound[576], state[256] = {0}, speech;
    int64_t rate = 16000;
    for (int i = 0; i < 576; i++)
        sound[i] = (float)(i % 37) / 37 - 0.5f;
    const QnStatus status = prepare(&s, path, NULL);
    for (int run = 0; status == QN_OK && run < 5; run++) {
        const QnValue inputs[3] = {
            qn_value_tensor(qn_tensor(QN_FLOAT, 2, (int64_t[]){1, 576}, sound)),
            qn_value_tensor(qn_tensor(QN_FLOAT, 3, (int64_t[]){2, 1, 128}, state)),
            qn_value_tensor(qn_tensor(QN_INT64, 0, NULL, &rate)),
        };
        QnValue outputs[2] = {
            qn_value_tensor(qn_tensor(QN_FLOAT, 2, (int64_t[]){1, 1}, &speech)),
            qn_value_tensor(qn_tensor(QN_FLOAT, 3, (int64_t[]){2, 1, 128}, state)),
        };
        const long before = *counter();
        const QnStatus ran = qn_session_run(s.session, inputs, outputs, NULL, &s.err);
        const long after = *counter();
        EXPECT(t, ran == QN_OK && speech >= 0 && speech <= 1, "run %d: %g, %s", run, (double)speech,
               s.err.message);
        if (!EXPECT(t, run == 0 || after == before, "run %d: %ld allocations", run, after - before))
            print_callers(before, after);
    }
    EXPECT(t, status == QN_OK, "%s", s.err.message);
    finish(&s);
}

TEST(loops_states_and_sizes_found_while_running)
{
    check_text(t, "loop",
               "graph main(%m: int64[], %x: float[N], %past: float[1,N]) {\n"
               "  const %minus: int64[1] = {-1}\n"
               "  const %three: int64[] = {3}\n"
               "  %y, %s = Loop(%three, _, %x) {\n"
               "    body = graph (%i: int64[], %go: bool[], %v: float[K]) {\n"
               "    %n = Concat(%v, %x) {axis = 0}\n"
               "    %sum = ReduceSum(%n) {keepdims = 0}\n"
               "    return %go, %n, %sum\n  }}\n"
               "  %p = NonZero(%y)\n"
               "  %q = Reshape(%p, %minus)\n"
               "  %g = Gather(%y, %q) {axis = 0}\n"
               "  %present = Add(%past, %x)\n"
               "  return %g, %s, %present\n}",
               (const int64_t[]){9, 12, 10, 0});
}

/* The C library's qsort allocates for over 1,024 bytes. */
TEST(sorting)
{
    check_text(t, "sort",
               "graph main(%x: float[N], %boxes: float[1,N,4], %scores: float[1,1,N]) {\n"
               "  const %k: int64[1] = {80}\n"
               "  const %most: int64[] = {50}\n"
               "  %v, %i = TopK(%x, %k)\n"
               "  %u, %first, %back, %count = Unique(%x)\n"
               "  %n = NonMaxSuppression(%boxes, %scores, %most)\n"
               "  return %v, %i, %u, %first, %back, %count, %n\n}",
               (const int64_t[]){190, 180, 192, 0});
}

TEST(strings_and_sequences)
{
    check_text(t, "sequence",
               "graph main(%x: float[N]) {\n"
               "  const %three: int64[] = {3}\n"
               "  %e = SequenceEmpty() {dtype = 1}\n"
               "  %s = Loop(%three, _, %e) {\n"
               "    body = graph (%i: int64[], %go: bool[], %q: sequence(float[?])) {\n"
               "    %n = SequenceInsert(%q, %x)\n"
               "    return %go, %n\n  }}\n"
               "  %y = ConcatFromSequence(%s) {axis = 0}\n"
               "  %t = Cast(%y) {to = 8}\n"
               "  return %y, %s, %t\n}",
               (const int64_t[]){12, 9, 10, 0});
}

TEST_MAIN(CASE(a_net_of_fixed_shapes), CASE(resnet_50), CASE(sorting),
          CASE(a_net_whose_shapes_change_within_a_bucket),
          CASE(a_convolution_whose_batch_changes_within_a_bucket),
          CASE(a_recurrent_net_with_branches), CASE(loops_states_and_sizes_found_while_running),
          CASE(strings_and_sequences))
