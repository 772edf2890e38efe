/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/clock.h"

/* A read larger than this is cut by the kernel anyway. */
enum { PART_BYTES = 1 << 30, FIRST_BUFFER_BYTES = 64 << 10 };

static QnStatus fail_errno(QnError *err, const char *path, const char *doing)
{
    return qn_fail(err, QN_IO, "%s: %s%s%s", path, doing, *doing ? ": " : "", strerror(errno));
}

/* Up to `size` bytes, fewer only at the end; -1 on failure. */
static ssize_t read_some(int fd, uint8_t *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        const ssize_t got =
            read(fd, to + done, size - done < PART_BYTES ? size - done : PART_BYTES);
        if (got == 0)
            break;
        if (got < 0 && errno != EINTR)
            return -1;
        if (got > 0)
            done += (size_t)got;
    }
    return (ssize_t)done;
}

/*
 * Opens a regular file and tells its size.  Nothing else is ever waited for: a pipe in the place of
 * a model would hold up whoever loads it.
 */
static QnStatus open_regular(int *out, size_t *size, const char *path, uint64_t limit_bytes,
                             QnError *err)
{
    struct stat info;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
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

static QnStatus read_regular(QnBytes *out, int fd, const char *path, size_t size,
                             const QnAllocator *allocator, QnError *err)
{
    uint8_t *data = qn_alloc(allocator, size);
    uint8_t beyond;
    if (!data)
        return qn_no_memory(err);
    const ssize_t got = read_some(fd, data, size);
    const ssize_t more = got == (ssize_t)size ? read_some(fd, &beyond, 1) : 0;
    if (got == (ssize_t)size && more == 0) {
        *out = qn_bytes(data, size);
        return QN_OK;
    }
    qn_free(allocator, data, size);
    if (got < 0 || more < 0)
        return fail_errno(err, path, "reading");
    return qn_fail(err, QN_IO, "%s: changed its size while it was read", path);
}

/* A buffer of exactly `size` for the first `used` bytes of `data`, which is given back;
 * NULL without memory. */
static uint8_t *resize(const QnAllocator *allocator, uint8_t *data, size_t used, size_t old_size,
                       size_t size)
{
    uint8_t *moved = qn_alloc(allocator, size);
    if (moved && used)
        memcpy(moved, data, used);
    qn_free(allocator, data, old_size);
    return moved;
}

QnStatus qn_file_read_stream(QnBytes *out, int fd, const char *name, uint64_t limit_bytes,
                             const QnAllocator *allocator, QnError *err)
{
    size_t size = FIRST_BUFFER_BYTES, used = 0;
    uint8_t *data = qn_alloc(allocator, size);
    while (data) {
        const ssize_t got = read_some(fd, data + used, size - used);
        if (got < 0 || used + (size_t)got > limit_bytes) {
            const QnStatus status =
                got < 0 ? fail_errno(err, name, "reading")
                        : qn_fail(err, QN_IO, "%s: has more bytes, expected at most %llu", name,
                                  (unsigned long long)limit_bytes);
            qn_free(allocator, data, size);
            return status;
        }
        used += (size_t)got;
        if (used < size)
            break;
        data = resize(allocator, data, used, size, 2 * size); /* far from wrapping: it was given */
        size *= 2;
    }
    if (data && used == 0)
        qn_free(allocator, data, size);
    else if (data)
        data = resize(allocator, data, used, size, used);
    if (!data)
        return qn_no_memory(err);
    *out = used ? qn_bytes(data, used) : (QnBytes){0};
    return QN_OK;
}

QnStatus qn_file_read(QnBytes *out, const char *path, uint64_t limit_bytes,
                      const QnAllocator *allocator, QnError *err)
{
    int fd;
    size_t size;
    QN_TRY(open_regular(&fd, &size, path, limit_bytes, err));
    /* The files of /proc have a size of 0 and a content. */
    const QnStatus status = size ? read_regular(out, fd, path, size, allocator, err)
                                 : qn_file_read_stream(out, fd, path, limit_bytes, allocator, err);
    close(fd);
    return status;
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
    close(fd); /* the mapping holds the file by itself */
    return status;
}

void qn_file_unmap(QnBytes bytes)
{
    if (bytes.size)
        munmap((void *)(uintptr_t)bytes.data, bytes.size);
}

QnStatus qn_file_read_at(void *to, size_t size, int fd, uint64_t offset, const char *name,
                         QnError *err)
{
    uint8_t *data = to;
    if (!qn_is_range(offset, size, INT64_MAX))
        return qn_fail(err, QN_IO, "%s: %zu bytes at %llu are past any file", name, size,
                       (unsigned long long)offset);
    for (size_t done = 0; done < size;) {
        const size_t part = size - done < PART_BYTES ? size - done : PART_BYTES;
        const ssize_t got = pread(fd, data + done, part, (off_t)(offset + done));
        if (got == 0)
            return qn_fail(err, QN_IO, "%s: ends at %llu, within the %zu bytes at %llu", name,
                           (unsigned long long)(offset + done), size, (unsigned long long)offset);
        if (got < 0 && errno != EINTR)
            return fail_errno(err, name, "reading");
        if (got > 0)
            done += (size_t)got;
    }
    return QN_OK;
}

/* The length of a path's folder with its slash, 0 for the current one. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

QnStatus qn_file_writer_begin(QnFileWriter *writer, const char *path, mode_t mode, QnError *err)
{
    enum { ATTEMPTS = 100 };
    const size_t folder = folder_length(path);
    *writer = (QnFileWriter){.fd = -1, .path = path};
    if (!path[folder])
        return qn_fail(err, QN_IO, "%s: names a folder, expected a file", path);
    /* Other processes and threads may write the same file: the last one to finish wins. */
    for (int i = 0; i < ATTEMPTS && writer->fd < 0; i++) {
        const int length =
            snprintf(writer->temporary, sizeof writer->temporary, "%.*s.%lld-%lld-%d.tmp",
                     (int)folder, path, (long long)getpid(), (long long)qn_clock_now(NULL), i);
        if (length < 0 || (size_t)length >= sizeof writer->temporary) {
            errno = ENAMETOOLONG;
            break;
        }
        writer->fd =
            open(writer->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (writer->fd < 0 && errno != EEXIST)
            break;
    }
    if (writer->fd < 0)
        return fail_errno(err, path, "making a file beside it");
    if (fchmod(writer->fd, mode) == 0)
        return QN_OK;
    const QnStatus status = fail_errno(err, path, "setting its permissions");
    qn_file_writer_abandon(writer);
    return status;
}

QnStatus qn_file_writer_put(QnFileWriter *writer, QnBytes bytes, QnError *err)
{
    for (size_t done = 0; done < bytes.size;) {
        const size_t part = bytes.size - done < PART_BYTES ? bytes.size - done : PART_BYTES;
        const ssize_t put = write(writer->fd, bytes.data + done, part);
        if (put < 0 && errno != EINTR)
            return fail_errno(err, writer->path, "writing");
        if (put > 0)
            done += (size_t)put;
    }
    writer->size += bytes.size;
    return QN_OK;
}

/* The rename itself has to reach the disk, too.
 * Some file systems cannot do that, and it is no failure then. */
static void sync_folder(const char *path)
{
    char folder[4096];
    const size_t length = folder_length(path);
    if (length >= sizeof folder)
        return;
    snprintf(folder, sizeof folder, "%.*s", length ? (int)length : 1, length ? path : ".");
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

QnStatus qn_file_writer_commit(QnFileWriter *writer, QnError *err)
{
    const char *failed = NULL;
    if (fsync(writer->fd) != 0)
        failed = "writing it to disk";
    else if (rename(writer->temporary, writer->path) != 0)
        failed = "putting it in place";
    if (failed) {
        const QnStatus status = fail_errno(err, writer->path, failed);
        qn_file_writer_abandon(writer);
        return status;
    }
    close(writer->fd);
    writer->fd = -1;
    sync_folder(writer->path);
    return QN_OK;
}

void qn_file_writer_abandon(QnFileWriter *writer)
{
    if (writer->fd < 0)
        return;
    close(writer->fd);
    unlink(writer->temporary);
    writer->fd = -1;
}

QnStatus qn_file_write(const char *path, QnBytes bytes, mode_t mode, QnError *err)
{
    QnFileWriter writer;
    QN_TRY(qn_file_writer_begin(&writer, path, mode, err));
    const QnStatus status = qn_file_writer_put(&writer, bytes, err);
    if (status == QN_OK)
        return qn_file_writer_commit(&writer, err);
    qn_file_writer_abandon(&writer);
    return status;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static QnStatus add_name(QnFileNames *names, size_t *capacity, const char *name, QnArena *arena)
{
    QN_GROW(names->items, names->count, *capacity, arena);
    names->items[names->count] = qn_arena_copy_text(arena, name, strlen(name));
    return names->items[names->count++] ? QN_OK : QN_NO_MEMORY;
}

static QnStatus list_names(QnFileNames *names, DIR *folder, const char *path, size_t limit,
                           QnArena *arena, QnError *err)
{
    size_t capacity = 0;
    for (;;) {
        errno = 0; /* the only way to tell the end from a failure */
        const struct dirent *entry = readdir(folder);
        if (!entry)
            return errno ? fail_errno(err, path, "listing") : QN_OK;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (names->count == limit)
            return qn_fail(err, QN_IO, "%s: has more entries, expected at most %zu", path, limit);
        if (add_name(names, &capacity, entry->d_name, arena) != QN_OK)
            return qn_no_memory(err);
    }
}

QnStatus qn_file_list(QnFileNames *out, const char *path, size_t limit, QnArena *arena,
                      QnError *err)
{
    QnFileNames names = {0};
    DIR *folder = opendir(path);
    if (!folder)
        return fail_errno(err, path, "");
    const QnStatus status = list_names(&names, folder, path, limit, arena, err);
    closedir(folder);
    if (status != QN_OK)
        return status;
    if (names.count)
        qsort(names.items, names.count, sizeof *names.items, compare_names);
    *out = names;
    return QN_OK;
}
