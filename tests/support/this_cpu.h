/* SPDX-License-Identifier: Apache-2.0 */
/* What this processor can run, as far as QN_CPU lets it:
 * checks of kernels skip the variants that need more. */
#ifndef QN_TESTS_THIS_CPU_H
#define QN_TESTS_THIS_CPU_H

#include <stdlib.h>

#include "base/cpu.h"

static inline QnIsa this_cpu(void)
{
    QnCpu cpu;
    return qn_cpu_detect(&cpu, NULL, getenv("QN_CPU"), NULL) == QN_OK ? cpu.isa : QN_ISA_NONE;
}

static inline bool runs_here(QnIsa needs)
{
    return (needs & this_cpu()) == needs;
}

#endif
