/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"

static QnStatus fail_errno(QnError *err, const char *path, const char *doing)
{
    return qn_fail(err, QN_IO, "%s: %s%s%s", path, doing, *doing ? ": " : "", strerror(errno));
}

/* Opens a regular file and tells its size. */
static QnStatus open_regular(int *out, size_t *size, const char *path, uint64_t limit_bytes,
                             QnError *err)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(err, path, "");
    QnStatus status = QN_OK;
    if (fstat(fd, &info) != 0)
        status = fail_errno(err, path, "");
    else if (!S_ISREG(info.st_mode))
        status = qn_fail(err, QN_IO, "%s: is %s, expected a regular file", path,
                         S_ISDIR(info.st_mode) ? "a folder" : "no regular file");
    else if ((uint64_t)info.st_size > limit_bytes)
        status = qn_fail(err, QN_IO, "%s: has %lld bytes, expected at most %llu", path,
                         (long long)info.st_size, (unsigned long long)limit_bytes);
    if (status != QN_OK) {
        close(fd);
        return status;
    }
    *out = fd;
    *size = (size_t)info.st_size;
    return QN_OK;
}

/* Reads exactly `size` bytes; a file that shrank meanwhile is an error. */
static QnStatus read_all(int fd, uint8_t *to, size_t size, const char *path, QnError *err)
{
    for (size_t done = 0; done < size;) {
        const ssize_t count = read(fd, to + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_errno(err, path, "reading");
        if (count == 0)
            return qn_fail(err, QN_IO, "%s: ended after %zu of %zu bytes", path, done, size);
        done += (size_t)count;
    }
    return QN_OK;
}

QnStatus qn_file_read(QnBytes *out, const char *path, uint64_t limit_bytes,
                      const QnAllocator *allocator, QnError *err)
{
    int fd;
    size_t size;
    QN_TRY(open_regular(&fd, &size, path, limit_bytes, err));
    uint8_t *data = size ? qn_alloc(allocator, size) : NULL;
    QnStatus status = QN_OK;
    if (size && !data)
        status = qn_fail(err, QN_NO_MEMORY, "%s: no memory for its %zu bytes", path, size);
    else
        status = read_all(fd, data, size, path, err);
    close(fd);
    if (status != QN_OK) {
        qn_free(allocator, data, size);
        return status;
    }
    *out = qn_bytes(data, size);
    return QN_OK;
}

QnStatus qn_file_map(QnBytes *out, const char *path, uint64_t limit_bytes, QnError *err)
{
    int fd;
    size_t size;
    QN_TRY(open_regular(&fd, &size, path, limit_bytes, err));
    void *data = size ? mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
    QnStatus status = QN_OK;
    if (data == MAP_FAILED)
        status = fail_errno(err, path, "mapping");
    else
        *out = qn_bytes(data, size);
    close(fd);
    return status;
}

void qn_file_unmap(QnBytes bytes)
{
    if (bytes.size)
        munmap((void *)(uintptr_t)bytes.data, bytes.size);
}

static QnStatus write_all(int fd, QnBytes bytes, const char *path, QnError *err)
{
    for (size_t done = 0; done < bytes.size;) {
        const ssize_t count = write(fd, bytes.data + done, bytes.size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_errno(err, path, "writing");
        done += (size_t)count;
    }
    return fsync(fd) == 0 ? QN_OK : fail_errno(err, path, "writing");
}

QnStatus qn_file_write(const char *path, QnBytes bytes, unsigned mode, QnError *err)
{
    char beside[4096];
    if (snprintf(beside, sizeof beside, "%s.XXXXXX", path) >= (int)sizeof beside)
        return qn_fail(err, QN_IO, "%s: the path is too long", path);
    const int fd = mkstemp(beside);
    if (fd < 0)
        return fail_errno(err, path, "making a file beside it");
    QnStatus status = write_all(fd, bytes, path, err);
    if (status == QN_OK && fchmod(fd, (mode_t)mode) != 0)
        status = fail_errno(err, path, "setting its mode");
    if (close(fd) != 0 && status == QN_OK)
        status = fail_errno(err, path, "writing");
    if (status == QN_OK && rename(beside, path) != 0)
        status = fail_errno(err, path, "renaming");
    if (status != QN_OK)
        unlink(beside);
    return status;
}
