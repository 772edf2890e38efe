/* SPDX-License-Identifier: Apache-2.0 */
/* The compiler extensions that quern uses, each wrapped once. */
#ifndef QN_BASE_COMPILER_H
#define QN_BASE_COMPILER_H

#define QN_PRINTF(string, first) __attribute__((format(printf, string, first)))
#define QN_ALIGNED(n)            __attribute__((aligned(n)))
#define QN_ALWAYS_INLINE         inline __attribute__((always_inline))
#define QN_NOINLINE              __attribute__((noinline))
/* Tells the compiler what holds; a bug if it does not. */
#define QN_ASSUME(x)   ((x) ? (void)0 : __builtin_unreachable())
#define QN_LIKELY(x)   __builtin_expect(!!(x), 1)
#define QN_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define QN_UNUSED      __attribute__((unused))
#define QN_WARN_UNUSED __attribute__((warn_unused_result))

#if defined(__x86_64__)
#    define QN_ARCH_X86 1
#else
#    define QN_ARCH_X86 0
#endif
#if defined(__aarch64__)
#    define QN_ARCH_ARM 1
#else
#    define QN_ARCH_ARM 0
#endif

/* Products of two 64-bit numbers. */
__extension__ typedef unsigned __int128 QnU128;

/* Before a loop with a small constant count:
 * unrolled whole, so that arrays indexed by it become registers. */
#if defined(__clang__)
#    define QN_UNROLL _Pragma("clang loop unroll(full)")
#else
#    define QN_UNROLL _Pragma("GCC unroll 32")
#endif

/* Asks for the cache line at p; never faults, whatever p is. */
#define QN_PREFETCH(p) __builtin_prefetch(p)

#define QN_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
