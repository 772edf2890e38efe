/* SPDX-License-Identifier: Apache-2.0 */
/* What lies in the folders of a repository. */
#ifndef QS_REPOSITORY_FOLDER_H
#define QS_REPOSITORY_FOLDER_H

#include "base/arena.h"
#include "base/error.h"

/* Names of folders in a folder, in byte order. */
typedef struct QsNames {
    const char **names; /* [count] in the arena */
    size_t count;
} QsNames;

bool qs_is_folder(const char *path);
bool qs_is_file(const char *path);

/* The folders in `path`, without hidden ones. */
QnStatus qs_list_folders(QsNames *out, const char *path, QnArena *arena, QnError *err);

/*
 * The versions of a model: its folders whose names are numbers, ascending.  Other names are none;
 * nor are those with leading zeros, which would stand beside the same number without.
 */
QnStatus qs_list_versions(const int64_t **out, size_t *count, const char *model_folder,
                          QnArena *arena, QnError *err);

#endif
