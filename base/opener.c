/* SPDX-License-Identifier: Apache-2.0 */
#include "base/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/file.h"
#include "base/log.h"

/* Without waiting for the other end of a pipe, and without getting a terminal. */
enum { OPEN_FLAGS = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };

enum { NAME_TEXT_BYTES = 256 };

static QnStatus refuse(QnError *err, QnBytes name, const char *why)
{
    char text[NAME_TEXT_BYTES];
    qn_escape(text, sizeof text, name);
    return qn_fail(err, QN_BAD_ARGUMENT, "file name '%s' %s", text, why);
}

QnStatus qn_opener_init(QnOpener *out, const char *folder, const QnOpenerOptions *options,
                        QnError *err)
{
    const int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return qn_fail(err, errno == ENOENT ? QN_NOT_FOUND : QN_IO, "%s: %s", folder,
                       strerror(errno));
    *out = (QnOpener){.folder_fd = fd, .options = options ? *options : (QnOpenerOptions){0}};
    return QN_OK;
}

void qn_opener_finish(QnOpener *opener)
{
    if (opener->folder_fd >= 0)
        close(opener->folder_fd);
    opener->folder_fd = -1;
}

/* Is one of the components, which slashes separate, ".."? */
static bool climbs(QnBytes name)
{
    size_t start = 0;
    for (size_t i = 0; i <= name.size; i++) {
        if (i < name.size && name.data[i] != '/')
            continue;
        if (qn_bytes_is(qn_bytes(name.data + start, i - start), ".."))
            return true;
        start = i + 1;
    }
    return false;
}

static bool has_drive(QnBytes name)
{
    return name.size >= 2 && name.data[1] == ':' &&
           ((name.data[0] | 0x20) >= 'a' && (name.data[0] | 0x20) <= 'z');
}

QnStatus qn_opener_check_name(QnBytes name, QnError *err)
{
    if (name.size == 0)
        return refuse(err, name, "is empty");
    if (name.size >= PATH_MAX)
        return refuse(err, name, "is too long");
    if (memchr(name.data, 0, name.size))
        return refuse(err, name, "has a zero byte");
    if (memchr(name.data, '\\', name.size))
        return refuse(err, name, "has a backslash, expected '/' between folders");
    if (name.data[0] == '/')
        return refuse(err, name, "is absolute, expected one below the folder");
    if (has_drive(name))
        return refuse(err, name, "has a drive letter, expected one below the folder");
    if (climbs(name))
        return refuse(err, name, "has a '..' component and may leave the folder");
    return QN_OK;
}

/* Opens `name` below the folder in one call of the system's;
 * -1 and ENOSYS on kernels before Linux 5.6. */
static int open_beneath(int folder_fd, const char *name)
{
    const struct open_how how = {.flags = OPEN_FLAGS,
                                 .resolve =
                                     RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long fd;
    do
        fd = syscall(SYS_openat2, folder_fd, name, &how, sizeof how);
    while (fd < 0 && errno == EAGAIN); /* somebody renames folders on the way */
    return (int)fd;
}

/* The same one component after the other, each opened as no link.  `name` is cut at its slashes. */
static int open_by_component(int folder_fd, char *name)
{
    int at = dup(folder_fd);
    char *component = name;
    for (char *slash; at >= 0 && (slash = strchr(component, '/')); component = slash + 1) {
        *slash = 0;
        if (!*component) /* "a//b" */
            continue;
        const int next = openat(at, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        /* A link is reported as no directory: say what it is. */
        struct stat info;
        const int code = next < 0 && errno == ENOTDIR &&
                                 fstatat(at, component, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                                 S_ISLNK(info.st_mode)
                             ? ELOOP
                             : errno;
        close(at);
        at = next;
        errno = code;
    }
    if (at < 0)
        return -1;
    const int fd = openat(at, *component ? component : ".", OPEN_FLAGS | O_NOFOLLOW);
    const int code = errno;
    close(at);
    errno = code;
    return fd;
}

static int open_strictly(const QnOpener *opener, char *name)
{
    if (!opener->options.is_old_kernel) {
        const int fd = open_beneath(opener->folder_fd, name);
        /* Sandboxes written before the call existed refuse it with EPERM. */
        if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
            return fd;
    }
    return open_by_component(opener->folder_fd, name);
}

/* What the system refused, as a sentence. */
static QnStatus fail_open(QnError *err, QnBytes name, int code)
{
    char text[NAME_TEXT_BYTES];
    qn_escape(text, sizeof text, name);
    switch (code) {
    case ELOOP:
    case EXDEV:
        return refuse(err, name,
                      "is or passes through a symbolic link, which may leave the folder");
    case ENXIO: /* a socket, or a device that is not there */
        return refuse(err, name, "is no regular file");
    case ENOENT:
    case ENOTDIR:
        return qn_fail(err, QN_NOT_FOUND, "there is no file '%s' in the folder", text);
    default:
        return qn_fail(err, QN_IO, "opening '%s': %s", text, strerror(code));
    }
}

QnStatus qn_opener_open(int *fd, uint64_t *size_bytes, const QnOpener *opener, QnBytes name,
                        QnError *err)
{
    char path[PATH_MAX];
    struct stat info;
    QN_TRY(qn_opener_check_name(name, err));
    memcpy(path, name.data, name.size);
    path[name.size] = 0;
    const int opened = opener->options.trusts_links ? openat(opener->folder_fd, path, OPEN_FLAGS)
                                                    : open_strictly(opener, path);
    if (opened < 0)
        return fail_open(err, name, errno);
    QnStatus status = QN_OK;
    if (fstat(opened, &info) != 0)
        status = fail_open(err, name, errno);
    else if (!S_ISREG(info.st_mode))
        status = refuse(err, name, "is no regular file");
    else if (info.st_nlink > 1 && !opener->options.trusts_links)
        status = refuse(err, name, "has more than one hard link, and may be a file from elsewhere");
    if (status != QN_OK) {
        close(opened);
        return status;
    }
    *fd = opened;
    *size_bytes = (uint64_t)info.st_size;
    return QN_OK;
}

/* Where the range lies in a file of `size` bytes. */
static QnStatus check_range(uint64_t *length, uint64_t size, QnBytes name, uint64_t offset,
                            uint64_t limit_bytes, QnError *err)
{
    char text[NAME_TEXT_BYTES];
    qn_escape(text, sizeof text, name);
    if (offset <= size && *length == QN_TO_THE_END)
        *length = size - offset;
    if (offset > size)
        return qn_fail(err, QN_BAD_ARGUMENT,
                       "file '%s' has %llu bytes, expected some at offset %llu", text,
                       (unsigned long long)size, (unsigned long long)offset);
    if (!qn_is_range(offset, *length, size))
        return qn_fail(
            err, QN_BAD_ARGUMENT, "file '%s' has %llu bytes, expected %llu at offset %llu", text,
            (unsigned long long)size, (unsigned long long)*length, (unsigned long long)offset);
    if (*length > limit_bytes || *length > SIZE_MAX)
        return qn_fail(err, QN_BAD_ARGUMENT,
                       "%llu bytes of file '%s' are more than the limit of %llu",
                       (unsigned long long)*length, text, (unsigned long long)limit_bytes);
    return QN_OK;
}

static QnStatus read_range(QnBytes *out, int fd, QnBytes name, uint64_t offset, size_t size,
                           const QnAllocator *allocator, QnError *err)
{
    char text[NAME_TEXT_BYTES];
    if (size == 0) {
        *out = (QnBytes){0};
        return QN_OK;
    }
    void *data = qn_alloc(allocator, size);
    if (!data)
        return qn_no_memory(err);
    qn_escape(text, sizeof text, name);
    const QnStatus status = qn_file_read_at(data, size, fd, offset, text, err);
    if (status == QN_OK)
        *out = qn_bytes(data, size);
    else
        qn_free(allocator, data, size);
    return status;
}

QnStatus qn_opener_read(QnBytes *out, const QnOpener *opener, QnBytes name, uint64_t offset,
                        uint64_t length, uint64_t limit_bytes, const QnAllocator *allocator,
                        QnError *err)
{
    int fd;
    uint64_t size;
    QN_TRY(qn_opener_open(&fd, &size, opener, name, err));
    QnStatus status = check_range(&length, size, name, offset, limit_bytes, err);
    if (status == QN_OK)
        status = read_range(out, fd, name, offset, (size_t)length, allocator, err);
    close(fd);
    return status;
}
