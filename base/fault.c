/* SPDX-License-Identifier: Apache-2.0 */
/* The fault switch: what the environment says, and which rows were asked about. */
#include "base/fault.h"

#ifndef NDEBUG
#    include <errno.h>
#    include <fcntl.h>
#    include <stdatomic.h>
#    include <stdio.h>
#    include <stdlib.h>
#    include <string.h>
#    include <unistd.h>

enum { WORDS = 2048 };

/* A bit per hash of a row that was written down; two rows that share one cost us a line. */
static atomic_uint_fast32_t written[WORDS];

static uint32_t hash(const char *text)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (; *text; text++)
        h = (h ^ (uint8_t)*text) * 16777619u;
    return h;
}

/* Appends the row to the file, in one write, so that lines of several processes do not mix. */
static void write_down(const char *path, const char *name)
{
    const uint32_t h = hash(name);
    const uint_fast32_t bit = (uint_fast32_t)1 << (h & 31);
    if (atomic_fetch_or(&written[(h >> 5) % WORDS], bit) & bit)
        return;
    char line[512];
    const int length = snprintf(line, sizeof line, "%s %s\n", name, program_invocation_short_name);
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return;
    /* A lost line is a row that no mutant is made of; nothing to be done about it here. */
    if (length > 0 && (size_t)length < sizeof line) {
        const ssize_t sent = write(fd, line, (size_t)length);
        (void)sent;
    }
    close(fd);
}

bool qn_fault(const char *kind, const char *row)
{
    const char *wanted = getenv("QN_FAULT");
    const char *rows = getenv("QN_FAULT_ROWS");
    if (!row || (!wanted && !rows))
        return false;
    char name[256];
    const int length = snprintf(name, sizeof name, "%s:%s", kind, row);
    if (length < 0 || (size_t)length >= sizeof name)
        return false;
    if (rows)
        write_down(rows, name);
    return wanted && !strcmp(wanted, name);
}
#endif
