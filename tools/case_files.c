/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test case has half a dozen small files; an archive makes one of them.  Its members have the
 * names of the files in the folder: "model.onnx", "test_data_set_0/input_0.pb".
 */
#include "tools/case_files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"
#include "tools/archive.h"

enum { PATH_MOST = 4096 };

static const uint64_t size_most = UINT64_C(1) << 32;

bool case_files_is_archive(const char *path)
{
    const size_t size = strlen(path);
    return size > 4 && !strcmp(path + size - 4, ".zip");
}

QnStatus case_files_open(CaseFiles *out, const char *path, QnError *err)
{
    CaseFiles files = {.path = path};
    if (case_files_is_archive(path))
        QN_TRY(qn_file_map(&files.archive, path, size_most, err));
    *out = files;
    return QN_OK;
}

void case_files_close(CaseFiles *files)
{
    if (files->archive.size)
        qn_file_unmap(files->archive);
    *files = (CaseFiles){0};
}

bool case_files_has_folder(const CaseFiles *files, const char *name)
{
    char path[PATH_MOST];
    struct stat info;
    const size_t size = strlen(name);
    if (!files->archive.size) {
        snprintf(path, sizeof path, "%s/%s", files->path, name);
        return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
    }
    Archive archive = archive_open(files->archive, files->path, NULL);
    ArchiveMember member;
    while (archive_next(&archive, &member))
        if (member.name.size > size && !memcmp(member.name.data, name, size) &&
            member.name.data[size] == '/')
            return true;
    return false;
}

static QnStatus read_file(QnBytes *out, const char *path, QnValueStore *store, QnError *err)
{
    QnBytes mapped;
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return qn_fail(err, QN_NOT_FOUND, "%s: there is no such file", path);
    QN_TRY(qn_file_map(&mapped, path, size_most, err));
    uint8_t *data = qn_value_store_alloc(store, mapped.size);
    if (data && mapped.size)
        memcpy(data, mapped.data, mapped.size);
    *out = qn_bytes(data, mapped.size);
    qn_file_unmap(mapped);
    return data ? QN_OK : qn_no_memory(err);
}

QnStatus case_files_read(QnBytes *out, const CaseFiles *files, const char *name,
                         QnValueStore *store, QnError *err)
{
    char path[PATH_MOST];
    snprintf(path, sizeof path, "%s/%s", files->path, name);
    if (!files->archive.size)
        return read_file(out, path, store, err);
    Archive archive = archive_open(files->archive, files->path, err);
    ArchiveMember member;
    while (archive_next(&archive, &member))
        if (qn_bytes_is(member.name, name))
            return archive_read(out, &archive, &member, store);
    return archive.status != QN_OK ? archive.status
                                   : qn_fail(err, QN_NOT_FOUND, "%s: there is no such file", path);
}
