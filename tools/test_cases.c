/* SPDX-License-Identifier: Apache-2.0 */
/* Finding test cases below folders. */
#include "tools/test_cases.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tools/case_files.h"

enum { DEPTH_MOST = 6 }; /* how deep cases lie below the folder that was named */

bool test_is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool test_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Is it a model whose expected output lies beside it? */
static bool is_light(const char *path)
{
    const size_t size = strlen(path);
    char beside[TEST_PATH_MOST];
    if (size < 5 || strcmp(path + size - 5, ".onnx") != 0)
        return false;
    snprintf(beside, sizeof beside, "%.*s_output_0.pb", (int)size - 5, path);
    return test_is_file(beside);
}

/* Is there a file of that name in the folder? */
static bool holds(const char *folder, const char *name)
{
    char inner[TEST_PATH_MOST];
    snprintf(inner, sizeof inner, "%s/%s", folder, name);
    return test_is_file(inner);
}

static QnStatus add_case(TestCases *cases, const char *path, TestLayout layout)
{
    const char *kept = qn_arena_copy_text(&cases->arena, path, strlen(path));
    if (!kept)
        return QN_NO_MEMORY;
    const char *slash = strrchr(kept, '/');
    QN_GROW(cases->items, cases->count, cases->capacity, &cases->arena);
    cases->items[cases->count++] = (TestCase){kept, slash ? slash + 1 : kept, layout};
    return QN_OK;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static QnStatus find(TestCases *cases, const char *path, int depth);

static QnStatus find_inside(TestCases *cases, const char *path, int depth)
{
    struct dirent **entries;
    const int count = scandir(path, &entries, NULL, by_name);
    QnStatus status = QN_OK;
    for (int i = 0; i < count; i++) {
        char inner[TEST_PATH_MOST];
        if (status == QN_OK && entries[i]->d_name[0] != '.') {
            snprintf(inner, sizeof inner, "%s/%s", path, entries[i]->d_name);
            status = find(cases, inner, depth);
        }
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return status;
}

static QnStatus find(TestCases *cases, const char *path, int depth)
{
    if (holds(path, "model.onnx"))
        return add_case(cases, path, TEST_FOLDER);
    if (holds(path, "data.json"))
        return add_case(cases, path, TEST_REAL);
    if (is_light(path))
        return add_case(cases, path, TEST_LIGHT);
    if (case_files_is_archive(path) && test_is_file(path))
        return add_case(cases, path, TEST_ARCHIVE);
    return depth > 0 && test_is_folder(path) ? find_inside(cases, path, depth - 1) : QN_OK;
}

QnStatus test_cases_find(TestCases *cases, const char *path)
{
    size_t size = strlen(path);
    while (size > 1 && path[size - 1] == '/') /* so that the last part is a name */
        size--;
    const char *plain = qn_arena_copy_text(&cases->arena, path, size);
    return plain ? find(cases, plain, DEPTH_MOST) : QN_NO_MEMORY;
}

/* ---- cases that name a light model ---- */

QnStatus test_case_parse_data(QnBytes bytes, const char *what, char *name, size_t size,
                              Bounds *bounds, QnError *err)
{
    QnArena arena = {0};
    QnJson in = qn_json(bytes);
    *name = '\0';
    qn_json_begin_object(&in);
    while (qn_json_next_member(&in)) {
        if (qn_json_key_is(&in, "model_name"))
            snprintf(name, size, "%s", qn_json_string(&in, &arena));
        else if (qn_json_key_is(&in, "rtol"))
            bounds->rtol = qn_json_f64(&in);
        else if (qn_json_key_is(&in, "atol"))
            bounds->atol = qn_json_f64(&in);
    }
    const QnStatus status = qn_json_finish(&in, what, err);
    qn_arena_finish(&arena);
    return status;
}

QnStatus test_case_read_real(const TestCase *test, char *model, size_t size, Bounds *bounds,
                             QnError *err)
{
    char path[TEST_PATH_MOST], name[256];
    snprintf(path, sizeof path, "%s/data.json", test->path);
    QnBytes bytes;
    QN_TRY(qn_file_map(&bytes, path, 1 << 20, err));
    const QnStatus status = test_case_parse_data(bytes, path, name, sizeof name, bounds, err);
    qn_file_unmap(bytes);
    QN_TRY(status);
    if (!*name || strchr(name, '/'))
        return qn_fail(err, QN_BAD_TENSOR, "%s: model_name is '%s', expected a model of light/",
                       path, name);
    snprintf(model, size, "%s/../../light/light_%s.onnx", test->path, name);
    return test_is_file(model) ? QN_OK
                               : qn_fail(err, QN_NOT_FOUND, "%s: there is no such file", model);
}

/* Do both paths lead to one file? */
static bool is_same_file(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

static void drop_model(TestCases *cases, const char *model)
{
    for (int i = 0; i < cases->count; i++) {
        if (cases->items[i].layout != TEST_LIGHT || !is_same_file(cases->items[i].path, model))
            continue;
        cases->count--;
        memmove(&cases->items[i], &cases->items[i + 1],
                (size_t)(cases->count - i) * sizeof cases->items[0]);
        return;
    }
}

void test_cases_drop_models(TestCases *cases)
{
    char model[TEST_PATH_MOST];
    Bounds bounds = {0};
    QnError err;
    for (int i = 0; i < cases->count; i++) {
        const TestCase test = cases->items[i];
        if (test.layout != TEST_REAL ||
            test_case_read_real(&test, model, sizeof model, &bounds, &err) != QN_OK)
            continue; /* running the case says what is wrong with it */
        const int before = cases->count;
        drop_model(cases, model);
        /* What stood behind a dropped model has moved up, this case perhaps too. */
        if (cases->count < before && cases->items[i].path != test.path)
            i--;
    }
}
