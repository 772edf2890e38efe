/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation of loading, planning and running fails once: the answer is QN_NO_MEMORY or
 * success, and nothing leaks.  Where there are very many, some are left out.
 */
#include "tests/support/alloc_fault.h"
#include "tests/support/public.h"

enum { MOST_TRIES = 1500 };

/* What a model is read from: a file of the data folder, or a graph's text. */
typedef struct Subject {
    const char *path;
    QnText bytes;
    int64_t size; /* of open dimensions */
} Subject;

typedef struct Life {
    QnModel *model;
    QnPlan *plan;
    QnSession *session;
    QnValue inputs[PUBLIC_VALUES];
} Life;

/* From the model to a second run; what was made is in `life`, also after a failure. */
static QnStatus live(Life *life, const Subject *subject, const QnAllocator *allocator, QnError *err)
{
    const QnModelOptions reading = {.size = sizeof reading, .allocator = allocator, .copy = true};
    const QnPlanOptions planning = {.size = sizeof planning, .allocator = allocator};
    const QnSessionOptions running = {.size = sizeof running, .allocator = allocator};
    if (subject->path)
        QN_TRY(qn_model_load(&life->model, subject->path, &reading, NULL, err));
    else
        QN_TRY(qn_model_read(&life->model, subject->bytes.data, subject->bytes.size, "m", &reading,
                             NULL, err));
    QN_TRY(qn_plan_build(&life->plan, life->model, &planning, NULL, err));
    QN_TRY(qn_session_create(&life->session, life->plan, &running, err));
    public_make_inputs(life->inputs, life->plan, subject->size, 1);
    for (int run = 0; run < 2; run++) {
        QnValue outputs[PUBLIC_VALUES] = {{.kind = QN_NONE}};
        QN_TRY(qn_session_run(life->session, life->inputs, outputs, NULL, err));
    }
    return QN_OK;
}

static void end(Life *life)
{
    qn_session_free(life->session);
    qn_plan_free(life->plan);
    qn_model_free(life->model);
    public_free_inputs(life->inputs);
}

static void torture(Test *t, const Subject *subject, const char *name)
{
    AllocFault fault;
    QnError err = {0};
    alloc_fault_init(&fault, 0);
    Life life = {0};
    const QnStatus whole = live(&life, subject, &fault.allocator, &err);
    end(&life);
    REQUIRE(t, whole == QN_OK, "%s: %s", name, err.message);
    EXPECT(t, alloc_fault_live_bytes(&fault) == 0, "%s leaks %lld bytes", name,
           (long long)alloc_fault_live_bytes(&fault));
    const int64_t count = fault.count.value;
    const int64_t step = 1 + count / MOST_TRIES;
    for (int64_t n = 1; n <= count; n += step) {
        alloc_fault_init(&fault, n);
        life = (Life){0};
        err = (QnError){0};
        const QnStatus status = live(&life, subject, &fault.allocator, &err);
        end(&life);
        EXPECT(t, alloc_fault_live_bytes(&fault) == 0 && fault.live_count.value == 0,
               "%s: without allocation %lld of %lld it leaks %lld bytes", name, (long long)n,
               (long long)count, (long long)alloc_fault_live_bytes(&fault));
        EXPECT(t, status == QN_NO_MEMORY || status == QN_OK,
               "%s: without allocation %lld of %lld: status %d, %s", name, (long long)n,
               (long long)count, (int)status, err.message);
        EXPECT(t, err.status == status, "%s: allocation %lld: the error says '%s'", name,
               (long long)n, err.message);
    }
}

static void torture_text(Test *t, const char *graph, const char *name)
{
    QnError err = {0};
    Subject subject = {.size = 3};
    EXPECT(t, public_bytes(&subject.bytes, graph, &err) == QN_OK, "%s", err.message);
    torture(t, &subject, name);
    qn_text_finish(&subject.bytes);
}

TEST(a_convolution_net_survives)
{
    char path[512];
    Subject subject = {.size = 1};
    subject.path = public_data(path, sizeof path, "models/onnx/mnist.onnx");
    if (!subject.path)
        SKIP(t, "QN_DATA names no such model");
    torture(t, &subject, "mnist");
}

TEST(control_flow_survives)
{
    torture_text(
        t,
        "graph main(%m: int64[], %c: bool[], %x: float[N], %past: float[1,L]) {\n"
        "  const %minus: int64[1] = {-1}\n"
        "  const %row: int64[2] = {1, -1}\n"
        "  %y, %s = Loop(%m, _, %x) {body = graph (%i: int64[], %go: bool[], %v: float[K]) {\n"
        "    %n = Concat(%v, %x) {axis = 0}\n"
        "    %sum = ReduceSum(%n) {keepdims = 0}\n"
        "    return %go, %n, %sum\n  }}\n"
        "  %z = If(%c) {then_branch = graph () {\n"
        "    %p = NonZero(%y)\n"
        "    %q = Reshape(%p, %minus)\n"
        "    %g = Gather(%y, %q) {axis = 0}\n"
        "    return %g\n"
        "  }, else_branch = graph () { %e = Exp(%y) return %e }}\n"
        "  %w = Relu(%z)\n"
        "  %r = Reshape(%x, %row)\n"
        "  %present = Concat(%past, %r) {axis = 1}\n"
        "  return %w, %s, %present\n}",
        "control flow");
}

TEST(strings_and_sequences_survive)
{
    torture_text(
        t,
        "graph main(%m: int64[], %x: float[N]) {\n"
        "  const %text: string[2] = {\"some words that are long\", \"more\"}\n"
        "  const %zero: int64[] = {0}\n"
        "  %e = SequenceEmpty() {dtype = 1}\n"
        "  %s = Loop(%m, _, %e) {body = graph (%i: int64[], %go: bool[], %q: sequence(float[?])) {\n"
        "    %f = Cast(%i) {to = 1}\n"
        "    %a = Add(%x, %f)\n"
        "    %n = SequenceInsert(%q, %a)\n"
        "    return %go, %n\n  }}\n"
        "  %y = ConcatFromSequence(%s) {axis = 0}\n"
        "  %t = SequenceConstruct(%text, %text)\n"
        "  %u = SequenceAt(%t, %zero)\n"
        "  %n = Cast(%y) {to = 8}\n"
        "  return %y, %s, %u, %t, %n\n}",
        "strings and sequences");
}

TEST_MAIN(CASE(a_convolution_net_survives), CASE(control_flow_survives),
          CASE(strings_and_sequences_survive))
