/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: read, mapped, and written so that nobody ever sees half of one. */
#ifndef QN_BASE_FILE_H
#define QN_BASE_FILE_H

#include "base/bytes.h"
#include "base/error.h"
#include "quern/allocator.h"

/*
 * Reads a regular file of at most `limit_bytes`.  Gives memory of `allocator` (NULL: the C
 * library's), of the size that *out says, to be freed by qn_free; an empty file gives NULL and 0.
 * QN_IO names the file and why.
 */
QnStatus qn_file_read(QnBytes *out, const char *path, uint64_t limit_bytes,
                      const QnAllocator *allocator, QnError *err);

/* Maps a regular file of at most `limit_bytes` for reading.  Given back by qn_file_unmap.  An empty
 * file gives NULL and 0. */
QnStatus qn_file_map(QnBytes *out, const char *path, uint64_t limit_bytes, QnError *err);
void qn_file_unmap(QnBytes bytes);

/*
 * Replaces the file at `path`, or makes it: writes beside it, syncs, and renames.  `mode`: its
 * permissions (0600, …). QN_IO: nothing was changed and nothing is left behind.
 */
QnStatus qn_file_write(const char *path, QnBytes bytes, unsigned mode, QnError *err);

#endif
