/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the folders of a repository. */
#include "server/repository/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

bool qs_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool qs_is_file(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int by_number(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool entry_is_folder(int folder, const struct dirent *entry)
{
    struct stat info;
    if (entry->d_name[0] == '.')
        return false;
    return entry->d_type == DT_DIR ||
           (fstatat(folder, entry->d_name, &info, 0) == 0 && S_ISDIR(info.st_mode));
}

static QnStatus add_name(QsNames *out, size_t *capacity, const char *name, QnArena *arena)
{
    QN_GROW(out->names, out->count, *capacity, arena);
    out->names[out->count] = qn_arena_copy_text(arena, name, strlen(name));
    return out->names[out->count++] ? QN_OK : QN_NO_MEMORY;
}

/*
 * opendir(), in calls that the thread sanitizer sees: libuv closes descriptors by system calls that
 * it does not see, and would take a number that is used again for the connection that had it
 * before.
 */
static DIR *open_folder(const char *path)
{
    const int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = descriptor < 0 ? NULL : fdopendir(descriptor);
    if (!folder && descriptor >= 0)
        close(descriptor);
    return folder;
}

QnStatus qs_list_folders(QsNames *out, const char *path, QnArena *arena, QnError *err)
{
    QsNames found = {0};
    size_t capacity = 0;
    QnStatus status = QN_OK;
    DIR *folder = open_folder(path);
    if (!folder)
        return qn_fail(err, QN_IO, "%s: %s", path, strerror(errno));
    for (const struct dirent *entry; status == QN_OK && (entry = readdir(folder));)
        if (entry_is_folder(dirfd(folder), entry))
            status = add_name(&found, &capacity, entry->d_name, arena);
    closedir(folder);
    if (status != QN_OK)
        return qn_no_memory(err);
    if (found.count)
        qsort(found.names, found.count, sizeof *found.names, by_text);
    *out = found;
    return QN_OK;
}

QnStatus qs_list_versions(const int64_t **out, size_t *count, const char *model_folder,
                          QnArena *arena, QnError *err)
{
    QsNames folders;
    QN_TRY(qs_list_folders(&folders, model_folder, arena, err));
    int64_t *versions = qn_arena_array(arena, folders.count, sizeof *versions);
    if (!versions)
        return qn_no_memory(err);
    *count = 0;
    for (size_t i = 0; i < folders.count; i++) {
        const char *name = folders.names[i];
        if (name[0] != '0' && qn_parse_i64(&versions[*count], name, strlen(name)) &&
            versions[*count] > 0)
            ++*count;
    }
    if (*count)
        qsort(versions, *count, sizeof *versions, by_number);
    *out = versions;
    return QN_OK;
}
