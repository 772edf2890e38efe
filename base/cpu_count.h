/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many threads suit this process: what the affinity mask, the control groups and the person
 * allow.
 *
 * The host's number of processors is never the answer in a container: a quota of 1.5 processors
 * means 2 threads, on any host.
 */
#ifndef QN_BASE_CPU_COUNT_H
#define QN_BASE_CPU_COUNT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct QnCpuCount {
    int count;    /* the answer, at least 1 */
    int affinity; /* logical processors that this thread may run on (cpusets included) */
    int cores;    /* physical cores among them; equal to `affinity` where siblings cannot be seen */
    int64_t quota_percent; /* the tightest quota of the process's control groups,
                              rounded up; -1: none */
    int asked;             /* what the person asked for; 0: nothing */
} QnCpuCount;

/*
 * count = min(affinity, quota rounded up to whole processors, asked); where nobody asked, one
 * thread per physical core instead of per logical processor, since siblings share the units that
 * kernels keep busy.
 *
 * `root` is put in front of /proc and /sys paths; NULL is "".  What cannot be read limits nothing.
 * `asked` is the text of QN_THREADS or of an option; NULL, "" and "0" ask for nothing;
 * QN_BAD_ARGUMENT where it is no number. Cheap enough (tens of microseconds) to be called again
 * every few seconds, since limits change.
 */
QnStatus qn_cpu_count(QnCpuCount *out, const char *root, const char *asked, QnError *err);

/* The decision and its reasons as one line:
 * "2 threads: affinity 8, 4 cores, quota 150 %, asked for 6". */
void qn_cpu_count_print(char *text, size_t size, const QnCpuCount *count);

#endif
