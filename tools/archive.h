/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives: NumPy's .npz files, test cases. */
#ifndef QN_TOOLS_ARCHIVE_H
#define QN_TOOLS_ARCHIVE_H

#include "base/bytes.h"
#include "quern/unstable/values.h"

/* A member of an archive. */
typedef struct ArchiveMember {
    QnBytes name;
    QnBytes stored; /* as it lies in the file */
    uint64_t size;  /* of the member itself */
    int method;     /* 0: stored; 8: deflated */
    uint32_t crc;   /* CRC-32 of the member itself */
} ArchiveMember;

/* Walks an archive's directory. {0} but for the first three is a walk's beginning. */
typedef struct Archive {
    const char *name; /* of the file, for messages */
    QnBytes bytes;
    QnError *err;
    QnBytes directory; /* what was not walked yet */
    int left;          /* members */
    QnStatus status;
} Archive;

/* Finds the directory at the end.
 * Failures stick to `status` (QN_BAD_TENSOR), as those of archive_next do. */
Archive archive_open(QnBytes bytes, const char *name, QnError *err);

/* The next member; false at the end, and after a failure. */
bool archive_next(Archive *archive, ArchiveMember *member);

/* The member's bytes: of the archive where it is stored, else memory of the store.  Checked against
 * its checksum. QN_UNSUPPORTED names a method that this build lacks. */
QnStatus archive_read(QnBytes *out, const Archive *archive, const ArchiveMember *member,
                      QnValueStore *store);

#endif
