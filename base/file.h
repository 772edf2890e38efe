/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files: read, mapped, replaced at once, listed.
 *
 * Paths are taken as they are: from the person at the command line.  A path that comes out of a
 * file or a request goes through base/opener.h.
 */
#ifndef QN_BASE_FILE_H
#define QN_BASE_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

/*
 * Reads a regular file of at most `limit_bytes` into memory that the caller gives back by
 * qn_free(allocator, data, size); an empty one is NULL and 0.  QN_IO names the file and why, also
 * where it changes its size meanwhile; QN_NO_MEMORY.
 */
QnStatus qn_file_read(QnBytes *out, const char *path, uint64_t limit_bytes,
                      const QnAllocator *allocator, QnError *err);

/* The same from an open descriptor to its end, for what has no size beforehand:
 * standard input, pipes, devices. */
QnStatus qn_file_read_stream(QnBytes *out, int fd, const char *name, uint64_t limit_bytes,
                             const QnAllocator *allocator, QnError *err);

/*
 * Maps a regular file of at most `limit_bytes` for reading; the caller gives it back by
 * qn_file_unmap.  Whoever shortens the file while it is mapped ends the process: to be used only
 * where that is the person's own doing.
 */
QnStatus qn_file_map(QnBytes *out, const char *path, uint64_t limit_bytes, QnError *err);
void qn_file_unmap(QnBytes bytes);

/* Reads exactly `size` bytes at `offset` of an open file; `name` is for messages.  QN_IO where
 * there are fewer. */
QnStatus qn_file_read_at(void *to, size_t size, int fd, uint64_t offset, const char *name,
                         QnError *err);

/*
 * A file in the making: written beside its final place under another name, and renamed when it is
 * complete and on disk.  So readers find the old file or the new one, never a part.
 */
typedef struct QnFileWriter {
    int fd;
    const char *path; /* borrowed until the end */
    char temporary[4096];
    uint64_t size; /* written so far */
} QnFileWriter;

/* Begins one at `path`, with permissions as in `mode` (0600, 0644). */
QnStatus qn_file_writer_begin(QnFileWriter *writer, const char *path, mode_t mode, QnError *err);

/* Appends bytes. */
QnStatus qn_file_writer_put(QnFileWriter *writer, QnBytes bytes, QnError *err);

/* Puts the file in its place.  Where that fails nothing is left behind.
 * The writer is finished in either case. */
QnStatus qn_file_writer_commit(QnFileWriter *writer, QnError *err);

/* Forgets the file.  Does nothing after a commit. */
void qn_file_writer_abandon(QnFileWriter *writer);

/* All of the above at once. */
QnStatus qn_file_write(const char *path, QnBytes bytes, mode_t mode, QnError *err);

/* The names in a folder. */
typedef struct QnFileNames {
    const char **items; /* [count], sorted by their bytes, without "." and ".." */
    size_t count;
} QnFileNames;

/* Lists a folder into an arena.  QN_IO where it has more than `limit` names. */
QnStatus qn_file_list(QnFileNames *out, const char *path, size_t limit, QnArena *arena,
                      QnError *err);

#endif
