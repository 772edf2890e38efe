/* SPDX-License-Identifier: Apache-2.0 */
/* Running one test case. */
#include "tools/test_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/image/image.h"
#include "base/library.h"
#include "base/regex.h"
#include "tools/case_files.h"
#include "tools/options.h"
#include "tools/test_table.h"

/* A case at work. */
typedef struct Case {
    const TestSetup *setup;
    const TestCase *test;
    const TestRow *row; /* of the table; NULL: judged like most */
    CaseFiles files;
    QnModel *model;
    QnPlan *plan;
    QnSession *session;
    Bounds bounds;
    bool differs; /* the outputs have other elements than expected, and nothing else is wrong */
} Case;

/* Reads a .pb file of the case as input or output i; QN_NOT_FOUND where there is none. */
static QnStatus read_value(const Case *c, const char *name, bool is_output, int i, QnValue *out,
                           QnError *err)
{
    QnBytes bytes;
    QN_TRY(case_files_read(&bytes, &c->files, name, c->setup->store, err));
    const QnStatus status = qn_value_read_onnx(out, c->setup->store, c->model, is_output, i,
                                               bytes.data, bytes.size, err);
    return status == QN_OK ? QN_OK : qn_wrap(err, "%s", name);
}

/* Makes the model ready to run: from its file, or, where `bytes` are not empty, from them. */
static QnStatus load(Case *c, const char *path, QnBytes bytes, QnError *err)
{
    const QnModelOptions reading = {.size = sizeof reading, .allow_overrides = false};
    const QnPlanOptions planning = {.size = sizeof planning, .without = c->setup->without};
    const QnSessionOptions running = {.size = sizeof running, .pool = c->setup->pool};
    if (bytes.size)
        QN_TRY(qn_model_read(&c->model, bytes.data, bytes.size, path, &reading, NULL, err));
    else
        QN_TRY(qn_model_load(&c->model, path, &reading, NULL, err));
    QN_TRY(qn_plan_build(&c->plan, c->model, &planning, NULL, err));
    return qn_session_create(&c->session, c->plan, &running, err);
}

/* ---- what the table says of the data ---- */

/* Lets the element that the standard leaves open be what was found. */
static void open_element(const Case *c, const QnValue *got, QnValue *want)
{
    const int64_t i = c->row ? (int64_t)c->row->open - 1 : -1;
    if (i < 0 || got->kind != QN_TENSOR || !compare_forms(got, want) ||
        i >= qn_tensor_count(&want->tensor))
        return;
    memcpy(qn_tensor_address(&want->tensor, i), qn_tensor_address(&got->tensor, i),
           qn_type_size(want->tensor.type));
}

/* Are these the elements that the table accepts, too? */
static bool is_accepted(const Case *c, const QnValue *got)
{
    const float *also = c->row ? c->row->also : NULL;
    if (!also || got->kind != QN_TENSOR)
        return false;
    const int64_t count = qn_tensor_count(&got->tensor);
    if (count != c->row->also_count)
        return false;
    for (int64_t i = 0; i < count; i++)
        if (!compare_numbers(qn_tensor_element(&got->tensor, i), (double)also[i], &c->bounds))
            return false;
    return true;
}

/* Gives an input the shape that the model declares, filled with its first element. */
static QnStatus fill_input(const Case *c, int i, QnValue *value, QnError *err)
{
    const QnValueInfo info = qn_plan_input(c->plan, i);
    if (!c->row || c->row->fill != i + 1 || value->kind != QN_TENSOR ||
        qn_tensor_count(&value->tensor) == 0 || info.rank < 0)
        return QN_OK;
    QnTensor filled = qn_tensor(value->tensor.type, info.rank, info.dims, NULL);
    const size_t size = qn_type_size(filled.type);
    filled.data = qn_value_store_alloc(c->setup->store, filled.size_bytes);
    if (!filled.data)
        return qn_no_memory(err);
    for (int64_t k = 0; k < qn_tensor_count(&filled); k++)
        memcpy((char *)filled.data + (size_t)k * size, value->tensor.data, size);
    *value = qn_value_tensor(filled);
    return QN_OK;
}

/* ---- the data sets ---- */

static QnStatus compare_output(Case *c, int i, const QnValue *got, QnValue *want, QnError *err)
{
    char why[512];
    open_element(c, got, want);
    if (compare_values(got, want, &c->bounds, why, sizeof why) || is_accepted(c, got))
        return QN_OK;
    c->differs = compare_forms(got, want);
    return qn_fail(err, QN_BAD_TENSOR, "output '%s': %s", qn_plan_output(c->plan, i).name, why);
}

/* All outputs, so that one that differs does not hide another that is damaged. */
static QnStatus compare_outputs(Case *c, const char *folder, const QnValue *outputs, QnError *err)
{
    const int count = qn_plan_output_count(c->plan);
    char name[64];
    QnStatus status = QN_OK;
    bool differs = true;
    for (int i = 0; i < count; i++) {
        QnValue want;
        QnError why = {0};
        snprintf(name, sizeof name, "%s/output_%d.pb", folder, i);
        c->differs = false;
        QnStatus one = read_value(c, name, true, i, &want, &why);
        if (one == QN_OK)
            one = compare_output(c, i, &outputs[i], &want, &why);
        differs &= one == QN_OK || c->differs;
        if (one != QN_OK && (status == QN_OK || !c->differs)) {
            status = one;
            *err = why;
        }
    }
    c->differs = differs;
    QnBytes spare;
    snprintf(name, sizeof name, "%s/output_%d.pb", folder, count);
    if (case_files_read(&spare, &c->files, name, c->setup->store, NULL) == QN_NOT_FOUND)
        return status;
    c->differs = false;
    return qn_fail(err, QN_BAD_TENSOR, "%s: the model has %d outputs", name, count);
}

static QnStatus run_set(Case *c, const char *folder, QnError *err)
{
    QnValue inputs[LIST_MOST] = {{.kind = QN_NONE}}, outputs[LIST_MOST] = {{.kind = QN_NONE}};
    char name[64];
    if (qn_plan_input_count(c->plan) > LIST_MOST || qn_plan_output_count(c->plan) > LIST_MOST)
        return qn_fail(err, QN_UNSUPPORTED, "the model has over %d inputs or outputs", LIST_MOST);
    for (int i = 0; i < qn_plan_input_count(c->plan); i++) {
        snprintf(name, sizeof name, "%s/input_%d.pb", folder, i);
        const QnStatus status = read_value(c, name, false, i, &inputs[i], err);
        if (status != QN_OK &&
            status != QN_NOT_FOUND) /* what is left out has a default, or the run says so */
            return status;
        QN_TRY(fill_input(c, i, &inputs[i], err));
    }
    QN_TRY(qn_session_run(c->session, inputs, outputs, NULL, err));
    return compare_outputs(c, folder, outputs, err);
}

/* Every set of data, with the model that was loaded. */
static QnStatus run_sets(Case *c, QnError *err)
{
    char name[32];
    for (int set = 0;; set++) {
        snprintf(name, sizeof name, "test_data_set_%d", set);
        if (!case_files_has_folder(&c->files, name))
            return set > 0 ? QN_OK
                           : qn_fail(err, QN_NOT_FOUND, "%s: there is no data", c->test->path);
        QN_TRY(run_set(c, name, err));
    }
}

static QnStatus run_folder(Case *c, QnError *err)
{
    char path[TEST_PATH_MOST];
    snprintf(path, sizeof path, "%s/model.onnx", c->test->path);
    QN_TRY(case_files_open(&c->files, c->test->path, err));
    QN_TRY(load(c, path, (QnBytes){0}, err));
    return run_sets(c, err);
}

/* An archive holds its case's bounds beside the model, where they are not the usual ones. */
static QnStatus run_archive(Case *c, QnError *err)
{
    char name[256];
    QnBytes bytes;
    QN_TRY(case_files_open(&c->files, c->test->path, err));
    const QnStatus status = case_files_read(&bytes, &c->files, "data.json", c->setup->store, err);
    if (status == QN_OK)
        QN_TRY(test_case_parse_data(bytes, c->test->path, name, sizeof name, &c->bounds, err));
    else if (status != QN_NOT_FOUND)
        return status;
    QN_TRY(case_files_read(&bytes, &c->files, "model.onnx", c->setup->store, err));
    QN_TRY(load(c, c->test->path, bytes, err));
    return run_sets(c, err);
}

/* Element k of the input of a light model is k / n. */
static QnStatus make_input(const Case *c, QnValue *input, QnError *err)
{
    const QnValueInfo info = qn_plan_input(c->plan, 0);
    int64_t count = 1;
    for (int d = 0; d < info.rank; d++)
        count *= info.dims[d];
    float *data = qn_value_store_alloc(c->setup->store, (size_t)count * sizeof *data);
    if (!data)
        return qn_no_memory(err);
    for (int64_t k = 0; k < count; k++)
        data[k] = (float)k / (float)count;
    *input = qn_value_tensor(qn_tensor(QN_FLOAT, info.rank, info.dims, data));
    return QN_OK;
}

static QnStatus run_model(Case *c, const char *model, QnError *err)
{
    char folder[TEST_PATH_MOST], name[256];
    QnValue input, outputs[LIST_MOST] = {{.kind = QN_NONE}}, want;
    QN_TRY(load(c, model, (QnBytes){0}, err));
    QN_TRY(make_input(c, &input, err));
    QN_TRY(qn_session_run(c->session, &input, outputs, NULL, err));
    const char *last = strrchr(model, '/') ? strrchr(model, '/') + 1 : model;
    snprintf(folder, sizeof folder, "%.*s.", (int)(last - model), model);
    snprintf(name, sizeof name, "%.*s_output_0.pb", (int)strlen(last) - 5, last);
    c->files = (CaseFiles){.path = folder};
    const QnStatus status = read_value(c, name, true, 0, &want, err);
    c->files = (CaseFiles){0}; /* the path is this function's */
    QN_TRY(status);
    return compare_output(c, 0, &outputs[0], &want, err);
}

static QnStatus run_light(Case *c, QnError *err)
{
    return run_model(c, c->test->path, err);
}

static QnStatus run_real(Case *c, QnError *err)
{
    char model[TEST_PATH_MOST];
    QN_TRY(test_case_read_real(c->test, model, sizeof model, &c->bounds, err));
    return run_model(c, model, err);
}

/* ---- judging ---- */

/* The table's row for a case: by its whole path, however it was named. */
static const TestRow *find_row(const TestCase *test)
{
    char *whole = realpath(test->path, NULL);
    const TestRow *row = test_table_find(whole ? whole : test->path);
    free(whole);
    return row;
}

typedef const char *VersionFn(const char **file);

/* Is a library absent, from the build or from this machine, and named in the message? */
static bool is_absent(VersionFn *version, const char *library, const char *message)
{
    const char *file = NULL;
    if (!version || !version(&file))
        return strstr(message, library) != NULL;
    return strstr(message, file) && !qn_library_is_there(file);
}

/* Did it fail for nothing but an optional library that is not there? */
static bool lacks_library(QnStatus status, const char *message)
{
    if (status != QN_UNSUPPORTED)
        return false;
    for (const QnImageFormat *format = qn_image_formats; format->name; format++)
        if (format->library && is_absent(format->version, format->library, message))
            return true;
    return is_absent(qn_regex_version, "PCRE2", message);
}

static TestResult judge(const Case *c, QnStatus status, const QnError *err, char *why, size_t size)
{
    const char *skip = c->row ? c->row->skip : NULL;
    *why = '\0';
    if (status == QN_OK && !skip)
        return TEST_PASSED;
    if (status != QN_OK && skip && c->differs) {
        snprintf(why, size, "%s", skip);
        return TEST_SKIPPED;
    }
    if (lacks_library(status, err->message) ||
        (status == QN_UNSUPPORTED && !c->model && c->setup->skips_unsupported)) {
        snprintf(why, size, "%s", err->message);
        return TEST_SKIPPED;
    }
    snprintf(why, size, "%s", status == QN_OK ? "is to be skipped, but passes" : err->message);
    return TEST_FAILED;
}

TestResult test_case_run(const TestSetup *setup, const TestCase *test, char *why, size_t size)
{
    static QnStatus (*const layouts[])(Case *, QnError *) = {

        [TEST_FOLDER] = run_folder,
        [TEST_ARCHIVE] = run_archive,
        [TEST_LIGHT] = run_light,
        [TEST_REAL] = run_real,
    };
    QnError err = {0};
    Case c = {.setup = setup, .test = test, .row = find_row(test), .bounds = setup->bounds};
    if (c.row && c.row->rtol > 0)
        c.bounds = (Bounds){c.row->rtol, c.row->atol};
    const QnStatus status = layouts[test->layout](&c, &err);
    const TestResult result = judge(&c, status, &err, why, size);
    qn_session_free(c.session);
    qn_plan_free(c.plan);
    qn_model_free(c.model);
    case_files_close(&c.files);
    qn_value_store_reset(setup->store);
    return result;
}
