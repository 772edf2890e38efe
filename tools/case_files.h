/* SPDX-License-Identifier: Apache-2.0 */
/* The files of one test case: a folder, or a .zip archive that holds what the folder would. */
#ifndef QN_TOOLS_CASE_FILES_H
#define QN_TOOLS_CASE_FILES_H

#include "base/bytes.h"
#include "quern/unstable/values.h"

typedef struct CaseFiles {
    const char *path; /* of the folder or the archive; borrowed */
    QnBytes archive;  /* mapped; empty: path is a folder */
} CaseFiles;

/* Is this the name of an archive? */
bool case_files_is_archive(const char *path);

/* QN_IO where an archive cannot be read.  The caller closes it. */
QnStatus case_files_open(CaseFiles *out, const char *path, QnError *err);

/* {0} is fine. */
void case_files_close(CaseFiles *files);

/* Is there anything in this folder of the case? */
bool case_files_has_folder(const CaseFiles *files, const char *name);

/* A file's bytes, which live in the store; QN_NOT_FOUND where the case has no such file. */
QnStatus case_files_read(QnBytes *out, const CaseFiles *files, const char *name,
                         QnValueStore *store, QnError *err);

#endif
