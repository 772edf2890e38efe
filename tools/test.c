/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quern test: runs cases in the layout of ONNX's backend tests and compares.
 *
 * Folders are searched for cases (tools/test_cases.h), one after the other is run
 * (tools/test_run.h), all in one process.  Bounds and skips come from one table,
 * tools/test_table.h; a skipped case that passes fails the run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tools/commands.h"
#include "tools/json_file.h"
#include "tools/progress.h"
#include "tools/test_run.h"

typedef struct Values {
    bool verbose, skip_unsupported;
    const char *without, *cpu, *json;
    int64_t threads;
    double rtol, atol;
} Values;

typedef struct Run {
    const Command *command;
    Values values;
    TestSetup setup;
    TestCases cases;
    int counts[TEST_SKIPPED + 1]; /* by result */
    QnText json;                  /* what --json writes */
    QnJsonWriter to;
    Progress progress;
} Run;

static const char *const result_names[] = {
    [TEST_PASSED] = "passed", [TEST_FAILED] = "failed", [TEST_SKIPPED] = "skipped"};

/* Is stdout the JSON's? */
static bool is_quiet(const Run *run)
{
    return run->values.json && !strcmp(run->values.json, "-");
}

/* Counts a case, and says what became of it. */
static void tell(Run *run, const TestCase *test, TestResult result, const char *why)
{
    run->counts[result]++;
    if (run->values.json) {
        qn_json_put_begin(&run->to, '{');
        json_put_text(&run->to, "name", test->name);
        json_put_text(&run->to, "path", test->path);
        json_put_text(&run->to, "result", result_names[result]);
        json_put_text(&run->to, "why", why);
        qn_json_put_end(&run->to, '}');
    }
    if ((result == TEST_PASSED && !run->values.verbose) || is_quiet(run))
        return;
    progress_clear(&run->progress);
    if (result == TEST_PASSED)
        printf("passed  %s\n", test->name);
    else if (result == TEST_SKIPPED)
        printf("skipped %s: %s\n", test->path, why);
    else
        printf("FAILED  %s: %s\n", test->path, why);
    fflush(stdout);
}

static void run_cases(Run *run)
{
    char why[sizeof((QnError){0}).message];
    run->progress = progress_begin("testing");
    for (int i = 0; i < run->cases.count; i++) {
        const TestCase *test = &run->cases.items[i];
        const TestResult result = test_case_run(&run->setup, test, why, sizeof why);
        tell(run, test, result, why);
        progress_show(&run->progress, (i + 1.0) / run->cases.count);
    }
    progress_clear(&run->progress);
}

/* ---- the command ---- */

static const Option options[] = {
    {"verbose", 'v', OPTION_FLAG, offsetof(Values, verbose), NULL, "name the cases that pass too",
     0, 0},
    {"without", 0, OPTION_TEXT, offsetof(Values, without), "PASSES",
     "leave out these passes; all: every one", 0, 0},
    {"cpu", 0, OPTION_TEXT, offsetof(Values, cpu), "LEVEL",
     "use no instruction sets above this level, as QN_CPU does", 0, 0},
    {"threads", 't', OPTION_INT, offsetof(Values, threads), "N",
     "threads; default: as many as allowed", 1, 1024},
    {"skip-unsupported", 0, OPTION_FLAG, offsetof(Values, skip_unsupported), NULL,
     "skip models with operators that quern does not have", 0, 0},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE",
     "write each case's result as JSON; -: stdout", 0, 0},
    {"rtol", 0, OPTION_REAL, offsetof(Values, rtol), "X", "relative bound; default 1e-3", 0, 0},
    {"atol", 0, OPTION_REAL, offsetof(Values, atol), "X", "absolute bound; default 1e-7", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static QnStatus find_cases(Run *run, const Arguments *arguments, QnError *err)
{
    for (int i = 0; i < arguments->count; i++) {
        const int before = run->cases.count;
        if (test_cases_find(&run->cases, arguments->items[i]) != QN_OK)
            return qn_no_memory(err);
        if (run->cases.count == before)
            return qn_fail(err, QN_NOT_FOUND, "%s: there is no case in it", arguments->items[i]);
    }
    test_cases_drop_models(&run->cases);
    return QN_OK;
}

static void begin_json(Run *run)
{
    run->to = qn_json_writer(&run->json);
    qn_json_put_begin(&run->to, '{');
    qn_json_put_key(&run->to, "cases");
    qn_json_put_begin(&run->to, '[');
}

/* The counts, in the file and as the last line. */
static QnStatus report(Run *run, QnError *err)
{
    if (run->values.json) {
        qn_json_put_end(&run->to, ']');
        for (int i = 0; i <= TEST_SKIPPED; i++)
            json_put_int(&run->to, result_names[i], run->counts[i]);
        qn_json_put_end(&run->to, '}');
        QN_TRY(json_save(&run->json, run->values.json, err));
    }
    if (!is_quiet(run))
        printf("%d passed, %d failed, %d skipped\n", run->counts[TEST_PASSED],
               run->counts[TEST_FAILED], run->counts[TEST_SKIPPED]);
    return QN_OK;
}

static QnStatus run_all(Run *run, const Arguments *arguments, QnError *err)
{
    QN_TRY(find_cases(run, arguments, err));
    if (run->values.cpu && setenv("QN_CPU", run->values.cpu, 1) != 0)
        return qn_no_memory(err);
    QN_TRY(qn_thread_pool_create(&run->setup.pool, (int)run->values.threads, err));
    if (qn_value_store_create(&run->setup.store) != QN_OK)
        return qn_no_memory(err);
    begin_json(run);
    run_cases(run);
    return report(run, err);
}

static int run_command(const Command *command, int argc, char **argv)
{
    Run run = {.command = command, .values = {.rtol = 1e-3, .atol = 1e-7}};
    Arguments arguments;
    QnError err = {0};
    bool is_done;
    int code = options_parse(command, &run.values, &arguments, argc, argv, &is_done);
    if (code != EXIT_DONE || is_done)
        return code;
    if (arguments.count == 0)
        return tool_usage(command, "which folders? expected DIR");
    run.setup = (TestSetup){.without = run.values.without,
                            .skips_unsupported = run.values.skip_unsupported,
                            .bounds = {run.values.rtol, run.values.atol}};
    if (run_all(&run, &arguments, &err) != QN_OK)
        code = tool_fail(command, &err);
    else if (run.counts[TEST_FAILED])
        code = EXIT_FAILED;
    qn_value_store_free(run.setup.store);
    qn_thread_pool_free(run.setup.pool);
    qn_arena_finish(&run.cases.arena);
    qn_text_finish(&run.json);
    return code;
}

const Command command_test = {
    .name = "test",
    .what = "run test cases in the layout of ONNX's backend tests",
    .usage = "DIR... [OPTION]...",
    .examples =
        "  quern test onnx-backend-tests/newest/node\n  quern test case1 case2 --without=all\n"
        "  quern test onnx-backend-tests --cpu=avx2 --json results.json\n",
    .options = options,
    .run = run_command,
};
