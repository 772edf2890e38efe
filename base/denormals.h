/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How this thread's floating point treats denormals, and the rest of its control bits (rounding,
 * traps).
 *
 * A run that flushes denormals sets the mode, and restores it before it returns:
 *
 *     const QnFloatMode before = qn_denormals_flush(true);
 *     ...
 *     qn_float_mode_set(before);
 */
#ifndef QN_BASE_DENORMALS_H
#define QN_BASE_DENORMALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* MXCSR or FPCR. */
typedef struct QnFloatMode {
    uint64_t bits;
} QnFloatMode;

#if QN_ARCH_X86
#    define QN_FLUSH_BITS  UINT64_C(0x8040) /* flush to zero, denormals are zero */
#    define QN_STICKY_BITS UINT64_C(0x3f)   /* which exceptions have happened: no mode */
#else
#    define QN_FLUSH_BITS \
        (UINT64_C(1) << 24 | UINT64_C(1) << 19) /* FZ, and FZ16 for half precision */
#    define QN_STICKY_BITS UINT64_C(0)          /* they have a register of their own */
#endif

static inline QnFloatMode qn_float_mode(void)
{
#if QN_ARCH_X86
    return (QnFloatMode){__builtin_ia32_stmxcsr()};
#elif QN_ARCH_ARM
    uint64_t bits;
    __asm__ volatile("mrs %0, fpcr" : "=r"(bits));
    return (QnFloatMode){bits};
#endif
}

static inline void qn_float_mode_set(QnFloatMode mode)
{
#if QN_ARCH_X86
    __builtin_ia32_ldmxcsr((unsigned)mode.bits);
#elif QN_ARCH_ARM
    __asm__ volatile("msr fpcr, %0" : : "r"(mode.bits));
#endif
}

/* Takes over another thread's mode, but not the exceptions that happened there. */
static inline void qn_float_mode_adopt(QnFloatMode mode)
{
    const QnFloatMode own = qn_float_mode();
    const uint64_t bits = (mode.bits & ~QN_STICKY_BITS) | (own.bits & QN_STICKY_BITS);
    if (bits != own.bits) /* writing the register costs more than reading it */
        qn_float_mode_set((QnFloatMode){bits});
}

static inline bool qn_float_mode_flushes(QnFloatMode mode)
{
    return (mode.bits & QN_FLUSH_BITS) == QN_FLUSH_BITS;
}

/* Flushes denormal operands and results to zero from here on, or keeps them.
 * Returns the mode before. */
static inline QnFloatMode qn_denormals_flush(bool flush)
{
    const QnFloatMode before = qn_float_mode();
    const uint64_t rest = before.bits & ~QN_FLUSH_BITS;
    qn_float_mode_set((QnFloatMode){flush ? rest | QN_FLUSH_BITS : rest});
    return before;
}

#endif
