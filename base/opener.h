/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way to open a file whose name comes from a model, a configuration or a request.
 *
 * An opener belongs to a folder and opens regular files below it, and nothing else: no absolute
 * names, no "..", no symbolic links in any part, no second hard link to something elsewhere, no
 * devices.  Names are bytes, with their length; what is refused is said in one sentence in which
 * they are escaped.
 */
#ifndef QN_BASE_OPENER_H
#define QN_BASE_OPENER_H

#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/error.h"

typedef struct QnOpenerOptions {
    bool trusts_links;  /* the person said so: links below the folder may lead anywhere (download
                           caches are made so) */
    bool is_old_kernel; /* for tests: go component by component, as where openat2 is missing */
} QnOpenerOptions;

/* Any number of threads may use it at once. */
typedef struct QnOpener {
    int folder_fd;
    QnOpenerOptions options;
} QnOpener;

/* An opener below `folder`, a path of the person's.  NULL options: the strict ones. */
QnStatus qn_opener_init(QnOpener *out, const char *folder, const QnOpenerOptions *options,
                        QnError *err);
void qn_opener_finish(QnOpener *opener);

/*
 * Would the name be looked for at all?  Without touching a file: QN_BAD_ARGUMENT where it is empty,
 * absolute, or has a zero byte, a backslash, a drive letter or a ".." component.
 */
QnStatus qn_opener_check_name(QnBytes name, QnError *err);

/*
 * Opens a regular file for reading; the caller closes *fd.  *size_bytes is its size.
 * QN_BAD_ARGUMENT where the name or the file is refused, QN_NOT_FOUND, QN_IO.
 */
QnStatus qn_opener_open(int *fd, uint64_t *size_bytes, const QnOpener *opener, QnBytes name,
                        QnError *err);

#define QN_TO_THE_END UINT64_MAX

/*
 * Reads `length` bytes (QN_TO_THE_END: all that follow) at `offset`, which must lie within the file
 * and be at most `limit_bytes`: checked before memory is taken.  The caller gives it back by
 * qn_free(allocator, data, size).
 */
QnStatus qn_opener_read(QnBytes *out, const QnOpener *opener, QnBytes name, uint64_t offset,
                        uint64_t length, uint64_t limit_bytes, const QnAllocator *allocator,
                        QnError *err);

#endif
