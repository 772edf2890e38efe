/* SPDX-License-Identifier: Apache-2.0 */
/* engine/passes/pipeline.c: the switches of the passes, and the whole pipeline on large graphs. */
#include "base/clock.h"
#include "tests/support/pass.h"

static const char shortened[] = "graph main(%x: float[3]) {\n"
                                "  const %w: float[3] = {1, 2, 3}\n"
                                "  %a = Neg(%w)\n"
                                "  %b = Identity(%x)\n"
                                "  %c = Relu(%b)\n"
                                "  %d = Relu(%x)\n"
                                "  %e = Add(%c, %d)\n"
                                "  %f = Exp(%x)\n"
                                "  %y = Add(%e, %a)\n"
                                "  return %y\n"
                                "}\n";

/* The graph after the whole pipeline; freed by the caller. */
static char *run_all(Test *t, const char *text, const QnPassOptions *options)
{
    QnModule *module = NULL;
    QnError err = {0};
    QnStatus status = pass_read(&module, text, NULL, &err);
    if (status == QN_OK)
        status = qn_passes_run(module, options, &err);
    EXPECT(t, status == QN_OK, "%s", err.message);
    char *printed = status == QN_OK ? pass_print(module) : NULL;
    qn_module_free(module);
    return printed;
}

static void expect_nodes(Test *t, const QnPassOptions *options, const char *wanted)
{
    char found[256] = "";
    char *text = run_all(t, shortened, options);
    REQUIRE(t, text, "the pipeline failed");
    for (const char *at = strstr(text, " = "); at; at = strstr(at + 1, " = ")) {
        const size_t length = strcspn(at + 3, "(");
        if (at[3] >= 'A' && at[3] <= 'Z' && strlen(found) + length + 2 < sizeof found)
            snprintf(found + strlen(found), sizeof found - strlen(found), "%s%.*s",
                     *found ? " " : "", (int)length, at + 3);
    }
    EXPECT(t, !strcmp(found, wanted), "the nodes are %s, expected %s", found, wanted);
    free(text);
}

TEST(passes_have_switches)
{
    expect_nodes(t, &(QnPassOptions){0}, "Relu Add Add");
    expect_nodes(t, &(QnPassOptions){.without = "all"}, "Neg Identity Relu Relu Add Exp Add");
    expect_nodes(t, &(QnPassOptions){.without = "cse,dead-code"}, "Relu Relu Add Exp Add");
    expect_nodes(t, &(QnPassOptions){.without = "fold-constants"}, "Neg Relu Add Add");
    expect_nodes(t, &(QnPassOptions){.stop_after = "dead-code"}, "Neg Identity Relu Relu Add Add");
}

/* Folded values are still there under their names, and what nobody reads is there too. */
TEST(all_named_values_may_be_kept)
{
    expect_nodes(t, &(QnPassOptions){.keep_all = true}, "Identity Relu Relu Add Exp Add");
}

TEST(wrong_names_are_refused)
{
    static const struct {
        QnPassOptions options;
        const char *message;
    } rows[] = {
        {{.without = "cse,identitys"},
         "without: there is no pass 'identitys'; did you mean 'identities'?"},
        {{.stop_after = "zzzzzzzz"}, "stop-after: there is no pass 'zzzzzzzz'"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnError err = {0};
        const QnStatus status = qn_passes_check(&rows[i].options, &err);
        EXPECT(t, status == QN_BAD_ARGUMENT && !strcmp(err.message, rows[i].message), "%s",
               err.message);
    }
}

/* A graph of `count` lines, each of the same operator; %p is what the line before makes. */
static char *make_chain(int count, const char *operation)
{
    QnText text = qn_text(NULL);
    qn_text_printf(&text, "graph main(%%v0: float[4]) {\n  const %%one: float[] = {1.5}\n");
    for (int i = 0; i < count; i++) {
        qn_text_printf(&text, "  %%v%d = ", i + 1);
        for (const char *at = operation; *at; at++) {
            if (at[0] == '%' && at[1] == 'p')
                qn_text_printf(&text, "%%v%d", i);
            else
                qn_text_printf(&text, "%c", *at);
            at += at[0] == '%' && at[1] == 'p';
        }
        qn_text_printf(&text, "\n");
    }
    qn_text_printf(&text, "  return %%v%d\n}\n", count);
    char *copy = malloc(text.size + 1);
    memcpy(copy, qn_text_string(&text), text.size + 1);
    qn_text_finish(&text);
    return copy;
}

/* Twenty times the nodes take little more than twenty times as long, whatever there is to do. */
TEST(large_graphs_take_linear_time)
{
    static const char *const operations[] = {"Add(%p, %p)", "Mul(%p, %one)", "Identity(%p)",
                                             "Neg(%p)",     "Relu(%v0)",     "Mul(%one, %one)"};
    for (size_t i = 0; i < QN_COUNT_OF(operations); i++) {
        int64_t ns[2];
        for (int large = 0; large < 2; large++) {
            char *text = make_chain(large ? 20000 : 1000, operations[i]);
            const int64_t start = qn_clock_now(NULL);
            free(run_all(t, text, &(QnPassOptions){0}));
            ns[large] = qn_clock_now(NULL) - start;
            free(text);
        }
        EXPECT(t, ns[1] < 60 * ns[0] + QN_NS_PER_S, "%s: %lld and %lld ns", operations[i],
               (long long)ns[0], (long long)ns[1]);
    }
}

TEST_MAIN(CASE(passes_have_switches), CASE(all_named_values_may_be_kept),
          CASE(wrong_names_are_refused), CASE(large_graphs_take_linear_time))
