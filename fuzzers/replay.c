/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in for libFuzzer where the compiler has none: calls the fuzz target once with nothing and
 * once with every file named, folders included.  It ends with `N passed, N failed, N skipped`, a
 * crash being its own message.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Replay {
    int passed, failed;
} Replay;

static void fail(Replay *replay, const char *path)
{
    printf("FAILED %s: %s\n", path, strerror(errno));
    replay->failed++;
}

/* The bytes of a file in memory of exactly their size,
 * so that a sanitizer sees a read past the end. */
static uint8_t *read_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = file ? malloc(size ? size : 1) : NULL;
    if (data && fread(data, 1, size, file) != size) {
        free(data);
        data = NULL;
    }
    if (file)
        fclose(file);
    return data;
}

static void replay_file(Replay *replay, const char *path, size_t size)
{
    uint8_t *data = read_file(path, size);
    if (!data) {
        fail(replay, path);
        return;
    }
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    replay->passed++;
}

static void replay_folder(Replay *replay, const char *path)
{
    DIR *folder = opendir(path);
    if (!folder) {
        fail(replay, path);
        return;
    }
    char child[4096];
    for (const struct dirent *entry; (entry = readdir(folder));) {
        struct stat info;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (stat(child, &info) == 0 && S_ISREG(info.st_mode))
            replay_file(replay, child, (size_t)info.st_size);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    Replay replay = {0};
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    replay.passed++;
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) != 0)
            fail(&replay, argv[i]);
        else if (S_ISDIR(info.st_mode))
            replay_folder(&replay, argv[i]);
        else
            replay_file(&replay, argv[i], (size_t)info.st_size);
    }
    printf("%d passed, %d failed, 0 skipped\n", replay.passed, replay.failed);
    return replay.failed ? 1 : 0;
}
