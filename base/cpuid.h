/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meaning of x86 CPUID leaves, apart from the instruction that reads them, so that tests can
 * describe any processor on any machine.
 */
#ifndef QN_BASE_CPUID_H
#define QN_BASE_CPUID_H

#include "base/cpu.h"

typedef struct QnCpuidRegs {
    uint32_t eax, ebx, ecx, edx;
} QnCpuidRegs;

/* Where leaves come from.  A leaf past the largest one is never asked for. */
typedef struct QnCpuid {
    void *user;
    QnCpuidRegs (*leaf)(void *user, uint32_t leaf, uint32_t subleaf);
    uint64_t (*xcr0)(void *user); /* asked for only if OSXSAVE is set */
} QnCpuid;

/* Fills all of `cpu` but `isa`.  Caches that no leaf describes stay 0. */
void qn_cpuid_decode(QnCpu *cpu, const QnCpuid *cpuid);

#endif
