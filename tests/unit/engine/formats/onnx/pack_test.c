/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real files: the models and the ONNX test cases that QN_DATA names read without severe findings,
 * and make well-formed modules.  Its folders models/ and onnx-backend-tests/ (the unpacked archive)
 * are walked.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "base/file.h"
#include "engine/formats/format.h"
#include "tests/support/test.h"

typedef struct Walk {
    Test *t;
    int read;
} Walk;

static void read_model(Walk *walk, const char *path)
{
    QnArena arena = {0};
    QnReport report = qn_report(&arena);
    QnModule *module = NULL;
    QnError err = {0};
    QnBytes bytes;
    if (!EXPECT(walk->t, qn_file_map(&bytes, path, 1 << 30, &err) == QN_OK, "%s", err.message))
        return;
    const QnStatus status = qn_format_read(&module, path, bytes, NULL, &report, &err);
    EXPECT(walk->t, status == QN_OK, "%s", err.message);
    if (status == QN_OK)
        EXPECT(walk->t, qn_module_verify(module, &err) == QN_OK, "%s: %s", path, err.message);
    qn_module_free(module);
    qn_file_unmap(bytes);
    qn_arena_finish(&arena);
    walk->read++;
}

static bool is_model(const char *name)
{
    const size_t size = strlen(name);
    return size > 5 && !strcmp(name + size - 5, ".onnx");
}

static void walk_folder(Walk *walk, const char *path)
{
    char inner[4096];
    struct stat info;
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] == '.' || stat(inner, &info) != 0)
            continue;
        if (S_ISDIR(info.st_mode))
            walk_folder(walk, inner);
        else if (is_model(entry->d_name))
            read_model(walk, inner);
    }
    if (folder)
        closedir(folder);
}

static void read_all_below(Test *t, const char *folder)
{
    char path[4096];
    Walk walk = {.t = t};
    const char *data = getenv("QN_DATA");
    snprintf(path, sizeof path, "%s/%s", data ? data : "../shared/data", folder);
    walk_folder(&walk, path);
    if (walk.read == 0)
        t->skipped = "QN_DATA names no such models";
}

TEST(real_models_read)
{
    read_all_below(t, "models");
}

TEST(the_test_cases_of_onnx_read)
{
    read_all_below(t, "onnx-backend-tests");
}

TEST_MAIN(CASE(real_models_read), CASE(the_test_cases_of_onnx_read))
