/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quern test: runs cases in the layout of ONNX's backend tests and compares.
 *
 *     <case>/model.onnx, <case>/test_data_set_N/{input_K.pb, output_K.pb}
 *     <case>.zip: the same in an archive, also with data.json: {rtol, atol}
 *     <dir>/light_NAME.onnx with light_NAME_output_0.pb: one input, arange(n) / n
 *     <real>/test_NAME/data.json: {model_name, rtol, atol} of ../../light/light_<model_name>.onnx
 *
 * Folders are searched for cases.  Bounds and skips come from one table, tools/test_table.h; a
 * skipped case that passes fails the run.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/file.h"
#include "quern/quern.h"
#include "quern/unstable/values.h"
#include "tools/case_files.h"
#include "tools/commands.h"
#include "tools/compare_values.h"
#include "tools/json_file.h"
#include "tools/progress.h"
#include "tools/test_table.h"

typedef struct Values {
    bool verbose;
    const char *without, *json;
    int64_t threads;
    double rtol, atol;
} Values;

typedef struct Run {
    const Command *command;
    Values values;
    QnThreadPool *pool;
    QnValueStore *store;
    QnArena arena; /* names of cases */
    const char **cases;
    int case_count, case_capacity;
    int passed, failed, skipped;
    QnText json; /* what --json writes */
    QnJsonWriter to;
    Progress progress;
} Run;

/* ---- finding cases ---- */

static bool is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static bool is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static QnStatus add_case(Run *run, const char *path)
{
    QN_GROW(run->cases, run->case_count, run->case_capacity, &run->arena);
    run->cases[run->case_count] = qn_arena_copy_text(&run->arena, path, strlen(path));
    return run->cases[run->case_count++] ? QN_OK : QN_NO_MEMORY;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Is it a model whose expected output lies beside it? */
static bool is_light(const char *path)
{
    const size_t size = strlen(path);
    char beside[4096];
    if (size < 5 || strcmp(path + size - 5, ".onnx") != 0)
        return false;
    snprintf(beside, sizeof beside, "%.*s_output_0.pb", (int)size - 5, path);
    return is_file(beside);
}

/* A folder that names a light model and its bounds. */
static bool is_real(const char *path)
{
    char inner[4096];
    snprintf(inner, sizeof inner, "%s/data.json", path);
    return is_file(inner);
}

static QnStatus find_cases(Run *run, const char *path, int depth)
{
    char inner[4096];
    snprintf(inner, sizeof inner, "%s/model.onnx", path);
    if (is_file(inner) || is_light(path) || is_real(path) ||
        (case_files_is_archive(path) && is_file(path)))
        return add_case(run, path);
    if (!is_folder(path) || depth == 0)
        return QN_OK;
    struct dirent **entries;
    const int count = scandir(path, &entries, NULL, by_name);
    QnStatus status = QN_OK;
    for (int i = 0; i < count; i++) {
        if (status == QN_OK && entries[i]->d_name[0] != '.') {
            snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
            status = find_cases(run, inner, depth - 1);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return status;
}

/* ---- one case ---- */

typedef struct Case {
    const char *path, *name;
    CaseFiles files;
    QnModel *model;
    QnPlan *plan;
    QnSession *session;
    Bounds bounds;
} Case;

/* The last part of a path. */
static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Reads a .pb file of the case as input or output i; QN_NOT_FOUND where there is none. */
static QnStatus read_value(Run *run, Case *c, const char *name, bool is_output, int i, QnValue *out,
                           QnError *err)
{
    QnBytes bytes;
    QN_TRY(case_files_read(&bytes, &c->files, name, run->store, err));
    return qn_value_read_onnx(out, run->store, c->model, is_output, i, bytes.data, bytes.size, err);
}

/* Makes the model ready to run: from its file, or, where `bytes` are not empty, from them. */
static QnStatus load(Run *run, Case *c, const char *path, QnBytes bytes, QnError *err)
{
    const QnModelOptions reading = {.size = sizeof reading, .allow_overrides = false};
    const QnPlanOptions planning = {.size = sizeof planning, .without = run->values.without};
    const QnSessionOptions running = {.size = sizeof running, .pool = run->pool};
    if (bytes.size)
        QN_TRY(qn_model_read(&c->model, bytes.data, bytes.size, path, &reading, NULL, err));
    else
        QN_TRY(qn_model_load(&c->model, path, &reading, NULL, err));
    QN_TRY(qn_plan_build(&c->plan, c->model, &planning, NULL, err));
    return qn_session_create(&c->session, c->plan, &running, err);
}

static QnStatus compare_outputs(Run *run, Case *c, const char *folder, const QnValue *outputs,
                                QnError *err)
{
    char name[64];
    for (int i = 0; i < qn_plan_output_count(c->plan); i++) {
        QnValue want;
        snprintf(name, sizeof name, "%s/output_%d.pb", folder, i);
        QN_TRY(read_value(run, c, name, true, i, &want, err));
        char why[512];
        if (!compare_values(&outputs[i], &want, &c->bounds, why, sizeof why))
            return qn_fail(err, QN_BAD_TENSOR, "output '%s': %s", qn_plan_output(c->plan, i).name,
                           why);
    }
    return QN_OK;
}

static QnStatus run_set(Run *run, Case *c, const char *folder, QnError *err)
{
    QnValue inputs[LIST_MOST] = {{.kind = QN_NONE}}, outputs[LIST_MOST] = {{.kind = QN_NONE}};
    char name[64];
    if (qn_plan_input_count(c->plan) > LIST_MOST || qn_plan_output_count(c->plan) > LIST_MOST)
        return qn_fail(err, QN_UNSUPPORTED, "the model has over %d inputs or outputs", LIST_MOST);
    for (int i = 0; i < qn_plan_input_count(c->plan); i++) {
        snprintf(name, sizeof name, "%s/input_%d.pb", folder, i);
        const QnStatus status = read_value(run, c, name, false, i, &inputs[i], err);
        if (status != QN_OK &&
            status != QN_NOT_FOUND) /* what is left out has a default, or the run says so */
            return status;
    }
    QN_TRY(qn_session_run(c->session, inputs, outputs, NULL, err));
    return compare_outputs(run, c, folder, outputs, err);
}

/* Every set of data, with the model that was loaded. */
static QnStatus run_sets(Run *run, Case *c, QnError *err)
{
    char name[32];
    for (int set = 0;; set++) {
        snprintf(name, sizeof name, "test_data_set_%d", set);
        if (!case_files_has_folder(&c->files, name))
            return set > 0 ? QN_OK : qn_fail(err, QN_NOT_FOUND, "%s: there is no data", c->path);
        QN_TRY(run_set(run, c, name, err));
    }
}

static QnStatus run_folder(Run *run, Case *c, QnError *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/model.onnx", c->path);
    QN_TRY(case_files_open(&c->files, c->path, err));
    QN_TRY(load(run, c, path, (QnBytes){0}, err));
    return run_sets(run, c, err);
}

/* A light model: the input's element k is k / n. */
static QnStatus run_light(Run *run, Case *c, const char *model, QnError *err)
{
    char folder[4096], name[256];
    QnValue outputs[LIST_MOST] = {{.kind = QN_NONE}}, want;
    QN_TRY(load(run, c, model, (QnBytes){0}, err));
    const QnValueInfo info = qn_plan_input(c->plan, 0);
    int64_t count = 1;
    for (int d = 0; d < info.rank; d++)
        count *= info.dims[d];
    float *data = qn_value_store_alloc(run->store, (size_t)count * sizeof *data);
    if (!data)
        return qn_fail(err, QN_NO_MEMORY, "out of memory");
    for (int64_t k = 0; k < count; k++)
        data[k] = (float)k / (float)count;
    const QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, info.rank, info.dims, data));
    QN_TRY(qn_session_run(c->session, &input, outputs, NULL, err));
    const char *last = name_of(model);
    snprintf(folder, sizeof folder, "%.*s.", (int)(last - model), model);
    snprintf(name, sizeof name, "%.*s_output_0.pb", (int)strlen(last) - 5, last);
    c->files = (CaseFiles){.path = folder};
    const QnStatus status = read_value(run, c, name, true, 0, &want, err);
    c->files = (CaseFiles){0}; /* the path is this function's */
    QN_TRY(status);
    char why[512];
    if (!compare_values(&outputs[0], &want, &c->bounds, why, sizeof why))
        return qn_fail(err, QN_BAD_TENSOR, "output '%s': %s", qn_plan_output(c->plan, 0).name, why);
    return QN_OK;
}

/* What data.json says: the light model's name, and the bounds of the case. */
static QnStatus read_json(Run *run, Case *c, char *name, size_t size, QnError *err)
{
    QnBytes bytes;
    QnArena arena = {0};
    QN_TRY(case_files_read(&bytes, &c->files, "data.json", run->store, err));
    QnJson in = qn_json(bytes);
    *name = '\0';
    qn_json_begin_object(&in);
    while (qn_json_next_member(&in)) {
        if (qn_json_key_is(&in, "model_name"))
            snprintf(name, size, "%s", qn_json_string(&in, &arena));
        else if (qn_json_key_is(&in, "rtol"))
            c->bounds.rtol = qn_json_f64(&in);
        else if (qn_json_key_is(&in, "atol"))
            c->bounds.atol = qn_json_f64(&in);
    }
    const QnStatus status = qn_json_finish(&in, c->path, err);
    qn_arena_finish(&arena);
    return status;
}

/* An archive holds its case's bounds beside the model, where they are not the usual ones. */
static QnStatus run_archive(Run *run, Case *c, QnError *err)
{
    char name[256];
    QnBytes bytes;
    QN_TRY(case_files_open(&c->files, c->path, err));
    const QnStatus status = read_json(run, c, name, sizeof name, err);
    if (status != QN_OK && status != QN_NOT_FOUND)
        return status;
    QN_TRY(case_files_read(&bytes, &c->files, "model.onnx", run->store, err));
    QN_TRY(load(run, c, c->path, bytes, err));
    return run_sets(run, c, err);
}

static QnStatus run_real(Run *run, Case *c, QnError *err)
{
    char name[256], path[4096];
    QN_TRY(case_files_open(&c->files, c->path, err));
    QN_TRY(read_json(run, c, name, sizeof name, err));
    if (!*name || strchr(name, '/'))
        return qn_fail(err, QN_BAD_TENSOR,
                       "%s/data.json: model_name is '%s', expected a model of light/", c->path,
                       name);
    snprintf(path, sizeof path, "%s/../../light/light_%s.onnx", c->path, name);
    if (!is_file(path))
        return qn_fail(err, QN_NOT_FOUND, "%s: there is no such file", path);
    return run_light(run, c, path, err);
}

static QnStatus run_any(Run *run, Case *c, QnError *err)
{
    if (is_real(c->path))
        return run_real(run, c, err);
    if (case_files_is_archive(c->path))
        return run_archive(run, c, err);
    return is_folder(c->path) ? run_folder(run, c, err) : run_light(run, c, c->path, err);
}

/* Counts a case, and says what became of it. */
static void tell(Run *run, const Case *c, const char *result, const char *why)
{
    const bool is_passed = !strcmp(result, "passed");
    if (run->values.json) {
        qn_json_put_begin(&run->to, '{');
        json_put_text(&run->to, "name", c->name);
        json_put_text(&run->to, "path", c->path);
        json_put_text(&run->to, "result", result);
        json_put_text(&run->to, "why", why);
        qn_json_put_end(&run->to, '}');
    }
    if ((is_passed && !run->values.verbose) || (run->values.json && !strcmp(run->values.json, "-")))
        return;
    progress_clear(&run->progress);
    if (is_passed)
        printf("passed  %s\n", c->name);
    else if (!strcmp(result, "skipped"))
        printf("skipped %s: %s\n", c->name, why);
    else
        printf("FAILED  %s: %s\n", c->path, why);
    fflush(stdout);
}

static void run_case(Run *run, const char *path)
{
    QnError err = {0};
    Case c = {.path = path, .name = name_of(path)};
    const TestRow *row = test_table_find(c.path);
    c.bounds = row && row->rtol > 0 ? (Bounds){row->rtol, row->atol}
                                    : (Bounds){run->values.rtol, run->values.atol};
    const QnStatus status = run_any(run, &c, &err);
    const char *skip = row ? row->skip : NULL;
    if (status == QN_OK && !skip) {
        run->passed++;
        tell(run, &c, "passed", "");
    } else if (status != QN_OK && skip) {
        run->skipped++;
        tell(run, &c, "skipped", skip);
    } else if (status == QN_UNSUPPORTED &&
               !c.model) { /* an operator or type that is not there yet */
        run->skipped++;
        tell(run, &c, "skipped", err.message);
    } else {
        run->failed++;
        tell(run, &c, "failed", skip ? "is to be skipped, but passes" : err.message);
    }
    qn_session_free(c.session);
    qn_plan_free(c.plan);
    qn_model_free(c.model);
    case_files_close(&c.files);
    qn_value_store_reset(run->store);
}

/* ---- the command ---- */

static const Option options[] = {
    {"verbose", 'v', OPTION_FLAG, offsetof(Values, verbose), NULL, "name the cases that pass too",
     0, 0},
    {"without", 0, OPTION_TEXT, offsetof(Values, without), "PASSES",
     "leave out these passes; all: every one", 0, 0},
    {"threads", 't', OPTION_INT, offsetof(Values, threads), "N",
     "threads; default: as many as allowed", 1, 1024},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE",
     "write each case's result as JSON; -: stdout", 0, 0},
    {"rtol", 0, OPTION_REAL, offsetof(Values, rtol), "X", "relative bound; default 1e-3", 0, 0},
    {"atol", 0, OPTION_REAL, offsetof(Values, atol), "X", "absolute bound; default 1e-5", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* The last line, and the file. */
static int report(Run *run, QnError *err)
{
    if (run->values.json) {
        qn_json_put_end(&run->to, ']');
        json_put_int(&run->to, "passed", run->passed);
        json_put_int(&run->to, "failed", run->failed);
        json_put_int(&run->to, "skipped", run->skipped);
        qn_json_put_end(&run->to, '}');
        if (json_save(&run->json, run->values.json, err) != QN_OK)
            return tool_fail(run->command, err);
    }
    if (!run->values.json || strcmp(run->values.json, "-") != 0)
        printf("%d passed, %d failed, %d skipped\n", run->passed, run->failed, run->skipped);
    return run->failed ? EXIT_FAILED : EXIT_DONE;
}

static int run_all(Run *run, const Arguments *arguments, QnError *err)
{
    run->to = qn_json_writer(&run->json);
    qn_json_put_begin(&run->to, '{');
    qn_json_put_key(&run->to, "cases");
    qn_json_put_begin(&run->to, '[');
    for (int i = 0; i < arguments->count; i++) {
        const int before = run->case_count;
        if (find_cases(run, arguments->items[i], 6) != QN_OK) {
            qn_fail(err, QN_NO_MEMORY, "out of memory");
            return tool_fail(run->command, err);
        }
        if (run->case_count == before) {
            qn_fail(err, QN_NOT_FOUND, "%s: there is no case in it", arguments->items[i]);
            return tool_fail(run->command, err);
        }
    }
    run->progress = progress_begin("testing");
    for (int i = 0; i < run->case_count; i++) {
        run_case(run, run->cases[i]);
        progress_show(&run->progress, (i + 1.0) / run->case_count);
    }
    progress_clear(&run->progress);
    return report(run, err);
}

static int run_command(const Command *command, int argc, char **argv)
{
    Run run = {.command = command, .values = {.rtol = 1e-3, .atol = 1e-5}};
    Arguments arguments;
    QnError err = {0};
    bool is_done;
    int code = options_parse(command, &run.values, &arguments, argc, argv, &is_done);
    if (code != EXIT_DONE || is_done)
        return code;
    if (arguments.count == 0)
        return tool_usage(command, "which folders? expected DIR");
    if (qn_thread_pool_create(&run.pool, (int)run.values.threads, &err) != QN_OK ||
        qn_value_store_create(&run.store) != QN_OK)
        code = tool_fail(command, &err);
    else
        code = run_all(&run, &arguments, &err);
    qn_value_store_free(run.store);
    qn_thread_pool_free(run.pool);
    qn_arena_finish(&run.arena);
    qn_text_finish(&run.json);
    return code;
}

const Command command_test = {
    .name = "test",
    .what = "run test cases in the layout of ONNX's backend tests",
    .usage = "DIR... [OPTION]...",
    .examples =
        "  quern test onnx-backend-tests/newest/node\n  quern test case1 case2 --without=all\n",
    .options = options,
    .run = run_command,
};
