/* SPDX-License-Identifier: Apache-2.0 */
/* The promises of include/quern/: options that grow, what may be NULL, who owns what is given. */
#include "tests/support/public.h"

static const char negate[] = "graph main(%x: float[N]) { %y = Neg(%x) return %y }";

/* ---- options ---- */

/* Each function that takes options, called with some of the given size. */
static QnStatus read_with(PublicWorld *w, void *options)
{
    QnModel *model = NULL;
    const QnStatus status =
        qn_model_read(&model, w->bytes.data, w->bytes.size, "m", options, NULL, &w->err);
    qn_model_free(model);
    return status;
}

static QnStatus build_with(PublicWorld *w, void *options)
{
    QnPlan *plan = NULL;
    const QnStatus status = qn_plan_build(&plan, w->model, options, NULL, &w->err);
    qn_plan_free(plan);
    return status;
}

static QnStatus create_with(PublicWorld *w, void *options)
{
    QnSession *session = NULL;
    const QnStatus status = qn_session_create(&session, w->plan, options, &w->err);
    qn_session_free(session);
    return status;
}

static QnStatus run_with(PublicWorld *w, void *options)
{
    float x[2] = {1, 2};
    const QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, x));
    QnValue output = {.kind = QN_NONE};
    return qn_session_run(w->session, &input, &output, options, &w->err);
}

/* Older callers know fewer options, newer ones more: fine, as long as those are not set. */
TEST(options_of_any_size_are_taken_as_far_as_they_are_known)
{
    static const struct {
        const char *name;
        size_t size;
        QnStatus (*call)(PublicWorld *w, void *options);
    } rows[] = {
        {"QnModelOptions", sizeof(QnModelOptions), read_with},
        {"QnPlanOptions", sizeof(QnPlanOptions), build_with},
        {"QnSessionOptions", sizeof(QnSessionOptions), create_with},
        {"QnRunOptions", sizeof(QnRunOptions), run_with},
    };
    union {
        size_t size;
        unsigned char bytes[512];
    } options = {0};
    PublicWorld w;
    if (!public_open(t, &w, negate, NULL))
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *name = rows[i].name;
        char want[128];
        EXPECT(t, rows[i].call(&w, NULL) == QN_OK, "%s NULL: %s", name, w.err.message);
        for (options.size = sizeof(size_t); options.size <= rows[i].size + 64; options.size += 8)
            EXPECT(t, rows[i].call(&w, &options) == QN_OK, "%s of %zu bytes: %s", name,
                   options.size, w.err.message);
        options.size = rows[i].size + 64;
        options.bytes[rows[i].size + 63] = 1;
        EXPECT(t, rows[i].call(&w, &options) == QN_BAD_ARGUMENT, "%s with one more", name);
        snprintf(want, sizeof want, "%s has options that this version does not know", name);
        EXPECT(t, !strcmp(w.err.message, want), "%s", w.err.message);
        options.bytes[rows[i].size + 63] = 0;
        options.size = 0;
        EXPECT(t, rows[i].call(&w, &options) == QN_BAD_ARGUMENT, "%s of no size", name);
        snprintf(want, sizeof want, "%s.size is 0, expected sizeof(%s)", name, name);
        EXPECT(t, !strcmp(w.err.message, want), "%s", w.err.message);
    }
    public_close(&w);
}

/* ---- what may be NULL, and what is left unchanged ---- */

TEST(nothing_may_be_freed)
{
    (void)t; /* it would crash */
    qn_model_free(NULL);
    qn_plan_free(NULL);
    qn_session_free(NULL);
    qn_findings_free(NULL);
    qn_thread_pool_free(NULL);
}

TEST(a_failed_call_leaves_out_unchanged)
{
    PublicWorld w;
    if (!public_open(t, &w, negate, NULL))
        return;
    QnModel *model = w.model;
    QnPlan *plan = w.plan;
    const QnPlanOptions nowhere = {.size = sizeof nowhere, .device = "abacus"};
    EXPECT(t, qn_model_read(&model, "junk", 4, "junk", NULL, NULL, NULL) != QN_OK, "junk");
    EXPECT(t, qn_model_load(&model, "/nonexistent", NULL, NULL, &w.err) == QN_IO, "%s",
           w.err.message);
    EXPECT(t, model == w.model, "the model changed");
    EXPECT(t, qn_plan_build(&plan, w.model, &nowhere, NULL, &w.err) == QN_BAD_ARGUMENT, "device");
    EXPECT(t, !strcmp(w.err.message, "there is no device 'abacus', expected cpu"), "%s",
           w.err.message);
    EXPECT(t, qn_plan_load(&plan, "/nonexistent", NULL, &w.err) == QN_IO, "%s", w.err.message);
    EXPECT(t, plan == w.plan, "the plan changed");
    public_close(&w);
}

TEST(what_there_is_not_is_described_as_nothing)
{
    PublicWorld w;
    const char *key = NULL, *value = NULL;
    if (!public_open(t, &w, negate, NULL))
        return;
    const QnValueInfo rows[] = {qn_model_input(w.model, 1), qn_model_output(w.model, -1),
                                qn_plan_input(w.plan, -1), qn_plan_output(w.plan, 1)};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        EXPECT(t, rows[i].kind == QN_NONE && !*rows[i].name && !*rows[i].type_text, "row %zu", i);
    EXPECT(t, !qn_model_property(&key, &value, w.model, -1) && !key, "property -1");
    const QnStateInfo state = qn_plan_state(w.plan, 0);
    EXPECT(t, !*state.input && !*state.output && !state.grows, "state 0 of none");
    public_close(&w);
}

/* ---- lifetimes ---- */

TEST(a_plan_needs_its_model_no_more)
{
    PublicWorld w;
    if (!public_open(t, &w, negate, NULL))
        return;
    qn_model_free(w.model);
    w.model = NULL;
    EXPECT(t, run_with(&w, NULL) == QN_OK, "%s", w.err.message);
    public_close(&w);
}

/* Does `data` lie in [from, from + size)? */
static bool is_within(const void *data, const void *from, size_t size)
{
    return (const char *)data >= (const char *)from &&
           (const char *)data < (const char *)from + size;
}

TEST(outputs_are_no_views_of_the_callers_sequences)
{
    PublicWorld w;
    float data[4] = {1, 2, 3, 4};
    if (!public_open(t, &w,
                     "graph main(%s: sequence(float[2]), %i: int64[]) {\n"
                     "  %item = SequenceAt(%s, %i)\n"
                     "  %longer = SequenceInsert(%s, %item)\n"
                     "  return %longer, same = %s, %item\n}",
                     NULL))
        return;
    QnValue items[2] = {qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, data)),
                        qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, data + 1))};
    items[1].tensor.strides[0] = 8; /* elements 1 and 3: items may have any strides, too */
    int64_t index = 1;
    const QnValue inputs[2] = {
        {.kind = QN_SEQUENCE, .type = QN_FLOAT, .count = 2, .items = items},
        qn_value_tensor(qn_tensor(QN_INT64, 0, NULL, &index)),
    };
    QnValue outputs[3] = {{.kind = QN_NONE}};
    const QnStatus status = qn_session_run(w.session, inputs, outputs, NULL, &w.err);
    if (EXPECT(t, status == QN_OK, "%s", w.err.message)) {
        for (int o = 0; o < 2; o++)
            for (int64_t i = 0; i < outputs[o].count; i++)
                EXPECT(t, !is_within(outputs[o].items[i].tensor.data, data, sizeof data),
                       "output %d, item %d", o, (int)i);
        const float *item = outputs[2].tensor.data, *last = outputs[0].items[2].tensor.data;
        EXPECT(t, !is_within(item, data, sizeof data) && item[0] == 2 && item[1] == 4, "item");
        EXPECT(t, last[0] == 2 && last[1] == 4, "last %g %g", (double)last[0], (double)last[1]);
    }
    public_close(&w);
}

TEST(strings_of_outputs_are_no_bytes_of_the_callers)
{
    PublicWorld w;
    char bytes[] = "hello";
    QnString given = {bytes, 5}, mine = {NULL, 0};
    if (!public_open(t, &w, "graph main(%x: string[1]) { %y = Identity(%x) return %y, z = %x }",
                     NULL))
        return;
    const QnValue input = qn_value_tensor(qn_tensor(QN_STRING, 1, (int64_t[]){1}, &given));
    QnValue outputs[2] = {{.kind = QN_NONE},
                          qn_value_tensor(qn_tensor(QN_STRING, 1, (int64_t[]){1}, &mine))};
    const QnStatus status = qn_session_run(w.session, &input, outputs, NULL, &w.err);
    memset(bytes, 'x', 5);
    if (EXPECT(t, status == QN_OK, "%s", w.err.message)) {
        const QnString *theirs = outputs[0].tensor.data;
        EXPECT(t, theirs->size == 5 && !memcmp(theirs->data, "hello", 5), "session's");
        EXPECT(t, mine.size == 5 && !memcmp(mine.data, "hello", 5), "caller's");
    }
    public_close(&w);
}

TEST(collections_are_checked_to_the_last_item)
{
    PublicWorld w;
    float data[2] = {1, 2};
    if (!public_open(t, &w,
                     "graph main(%s: sequence(float[N])) {\n"
                     "  %n = SequenceLength(%s)\n  return %n\n}",
                     NULL))
        return;
    const QnValue good = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, data));
    const QnValue ints = qn_value_tensor(qn_tensor(QN_INT32, 1, (int64_t[]){2}, data));
    const QnValue empty = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){2}, NULL));
    const struct {
        QnValue items[2];
        int64_t count;
        bool is_null;
        const char *want;
    } rows[] = {
        {{good, good}, 2, false, ""},
        {{good, ints}, 2, false, "input 's' has type int32, expected float"},
        {{good, empty}, 2, false, "input 's' has no data, expected 8 bytes"},
        {{good, {.kind = QN_NONE}}, 2, false, "input 's' is nothing, expected a tensor"},
        {{good}, -1, false, "input 's' holds a sequence with -1 items"},
        {{good}, 1, true, "input 's' holds a sequence with 1 items, but no memory of them"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnValue items[2] = {rows[i].items[0], rows[i].items[1]}, output = {.kind = QN_NONE};
        const QnValue input = {.kind = QN_SEQUENCE,
                               .type = QN_FLOAT,
                               .count = rows[i].count,
                               .items = rows[i].is_null ? NULL : items};
        w.err = (QnError){0};
        const QnStatus status = qn_session_run(w.session, &input, &output, NULL, &w.err);
        EXPECT(t, status == (*rows[i].want ? QN_BAD_TENSOR : QN_OK), "row %zu", i);
        EXPECT(t, !strcmp(w.err.message, rows[i].want), "row %zu: %s", i, w.err.message);
    }
    public_close(&w);
}

/* ---- options of runs ---- */

TEST(a_seed_begins_the_random_numbers_anew)
{
    PublicWorld w;
    float first[4], second[4];
    if (!public_open(t, &w, "graph main() { %y = RandomUniform() {shape = [4]} return %y }", NULL))
        return;
    QnValue output = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){4}, first));
    const QnRunOptions options = {.size = sizeof options, .seed = 7};
    qn_session_run(w.session, NULL, &output, &options, &w.err);
    output.tensor.data = second;
    qn_session_run(w.session, NULL, &output, NULL, &w.err);
    EXPECT(t, memcmp(first, second, sizeof first) != 0, "the sequence does not go on");
    const QnStatus status = qn_session_run(w.session, NULL, &output, &options, &w.err);
    EXPECT(t, status == QN_OK && !memcmp(first, second, sizeof first), "%s", w.err.message);
    public_close(&w);
}

TEST(outputs_that_nobody_wants_are_skipped)
{
    PublicWorld w;
    float x[1] = {3}, y[1] = {0};
    const bool skip[2] = {true, false};
    if (!public_open(t, &w,
                     "graph main(%x: float[1]) {\n"
                     "  %y = Neg(%x)\n  %z = Neg(%y)\n  return %y, %z\n}",
                     NULL))
        return;
    const QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){1}, x));
    QnValue outputs[2] = {qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){1}, y)),
                          {.kind = QN_NONE}};
    const QnRunOptions options = {.size = sizeof options, .skip = skip};
    const QnStatus status = qn_session_run(w.session, &input, outputs, &options, &w.err);
    EXPECT(t, status == QN_OK && outputs[0].kind == QN_NONE && y[0] == 0, "%s", w.err.message);
    EXPECT(t, outputs[1].kind == QN_TENSOR && *(float *)outputs[1].tensor.data == 3, "z");
    public_close(&w);
}

/* ---- states ---- */

/* Runs a cache of one row at a time; 0: it failed, else the sum of all rows. */
static float append(PublicWorld *w, float row, QnValue *outputs)
{
    const QnValue inputs[2] = {{.kind = QN_NONE},
                               qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){1}, &row))};
    if (qn_session_run(w->session, inputs, outputs, NULL, &w->err) != QN_OK)
        return 0;
    return *(float *)outputs[1].tensor.data;
}

/* Also where the failure comes after the state had to move to larger memory. */
TEST(a_run_that_cannot_deliver_changes_no_state)
{
    PublicWorld w;
    float little;
    if (!public_open(t, &w,
                     "graph main(%past: float[L], %x: float[1]) {\n"
                     "  %present = Concat(%past, %x) {axis = 0}\n"
                     "  %sum = ReduceSum(%present)\n"
                     "  return %present, %sum\n}",
                     NULL))
        return;
    EXPECT(t, qn_plan_state_count(w.plan) == 1 && qn_plan_state(w.plan, 0).grows, "no state");
    for (int run = 1; run <= 200; run++) {
        QnValue outputs[2] = {{.kind = QN_NONE}};
        const float sum = append(&w, 1, outputs);
        EXPECT(t, sum == (float)run, "run %d: %g: %s", run, (double)sum, w.err.message);
        memset(outputs, 0, sizeof outputs);
        outputs[1] = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){0}, &little));
        EXPECT(t, append(&w, 5, outputs) == 0, "run %d had room", run);
    }
    public_close(&w);
}

TEST_MAIN(CASE(options_of_any_size_are_taken_as_far_as_they_are_known), CASE(nothing_may_be_freed),
          CASE(a_failed_call_leaves_out_unchanged), CASE(what_there_is_not_is_described_as_nothing),
          CASE(a_plan_needs_its_model_no_more), CASE(outputs_are_no_views_of_the_callers_sequences),
          CASE(strings_of_outputs_are_no_bytes_of_the_callers),
          CASE(collections_are_checked_to_the_last_item),
          CASE(a_seed_begins_the_random_numbers_anew), CASE(outputs_that_nobody_wants_are_skipped),
          CASE(a_run_that_cannot_deliver_changes_no_state))
