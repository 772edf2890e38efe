/* SPDX-License-Identifier: Apache-2.0 */
/* The small text files in which the system describes itself,
 * below a root folder that a test can put elsewhere. */
#ifndef QN_BASE_SYSFILE_H
#define QN_BASE_SYSFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * Reads the file <root><formatted path> into `text`, terminated, without spaces at its end.  False,
 * with an empty text, where it cannot be read or does not fit.  NULL for `root` is "".
 */
bool qn_sysfile_read(char *text, size_t size, const char *root, const char *format, ...)
    QN_PRINTF(4, 5);

/* Reads a decimal number at the start of `text`; false where there is none or it does not fit.
 * `end` may be NULL. */
bool qn_sysfile_number(int64_t *out, const char *text, const char **end);

/* A set of logical processors. */
enum { QN_CPU_LIMIT = 8192 };
typedef struct QnCpuSet {
    uint64_t bits[QN_CPU_LIMIT / 64];
} QnCpuSet;

static inline bool qn_cpu_set_has(const QnCpuSet *set, int cpu)
{
    return cpu >= 0 && cpu < QN_CPU_LIMIT && (set->bits[cpu / 64] >> (cpu % 64) & 1);
}

static inline void qn_cpu_set_add(QnCpuSet *set, int cpu)
{
    set->bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}

int qn_cpu_set_count(const QnCpuSet *set);

/* Reads a list of processors, "0-3,8"; false where it is none, or names one past the limit. */
bool qn_cpu_set_parse(QnCpuSet *out, const char *list);

#endif
