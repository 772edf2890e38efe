/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sysfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"

/* Fills `text` from a descriptor;
 * the length, or -1 where it fails or does not fit with a terminator. */
static ssize_t read_all(int fd, char *text, size_t size)
{
    size_t length = 0;
    while (length < size) {
        const ssize_t got = read(fd, text + length, size - length);
        if (got == 0)
            return (ssize_t)length;
        if (got < 0 && errno != EINTR)
            return -1;
        if (got > 0)
            length += (size_t)got;
    }
    return -1;
}

bool qn_sysfile_read(char *text, size_t size, const char *root, const char *format, ...)
{
    char path[PATH_MAX];
    text[0] = 0;
    const int start = snprintf(path, sizeof path, "%s", root ? root : "");
    if (start < 0 || (size_t)start >= sizeof path)
        return false;
    va_list args;
    va_start(args, format);
    const int rest = vsnprintf(path + start, sizeof path - (size_t)start, format, args);
    va_end(args);
    if (rest < 0 || (size_t)rest >= sizeof path - (size_t)start)
        return false;

    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t length = read_all(fd, text, size);
    close(fd);
    while (length > 0 && strchr(" \n\t", text[length - 1]))
        length--;
    text[length < 0 ? 0 : length] = 0;
    return length >= 0;
}

bool qn_sysfile_number(int64_t *out, const char *text, const char **end)
{
    const bool is_negative = *text == '-';
    const char *at = text + is_negative;
    if (*at < '0' || *at > '9')
        return false;
    int64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        if (!qn_mul_i64(&value, value, 10) || !qn_add_i64(&value, value, *at - '0'))
            return false;
    *out = is_negative ? -value : value;
    if (end)
        *end = at;
    return true;
}

int qn_cpu_set_count(const QnCpuSet *set)
{
    int count = 0;
    for (size_t i = 0; i < QN_COUNT_OF(set->bits); i++)
        count += __builtin_popcountll(set->bits[i]);
    return count;
}

bool qn_cpu_set_parse(QnCpuSet *out, const char *list)
{
    QnCpuSet set = {0};
    for (const char *at = list; *at; at += *at == ',') {
        int64_t first, last;
        if (!qn_sysfile_number(&first, at, &at))
            return false;
        last = first;
        if (*at == '-' && !qn_sysfile_number(&last, at + 1, &at))
            return false;
        if (first < 0 || last < first || last >= QN_CPU_LIMIT || (*at && *at != ','))
            return false;
        for (int64_t cpu = first; cpu <= last; cpu++)
            qn_cpu_set_add(&set, (int)cpu);
    }
    *out = set;
    return true;
}
