/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integers that several threads touch, in a form that any header can hold.  Without a word about
 * it, a load acquires, a store releases and the others do both; `relaxed` promises atomicity only.
 */
#ifndef QN_BASE_ATOMIC_H
#define QN_BASE_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

typedef struct QnAtomicU32 {
    uint32_t value;
} QnAtomicU32;

typedef struct QnAtomicI64 {
    int64_t value;
} QnAtomicI64;

static inline uint32_t qn_load_acquire_u32(const QnAtomicU32 *at)
{
    return __atomic_load_n(&at->value, __ATOMIC_ACQUIRE);
}

static inline uint32_t qn_load_relaxed_u32(const QnAtomicU32 *at)
{
    return __atomic_load_n(&at->value, __ATOMIC_RELAXED);
}

static inline void qn_store_release_u32(QnAtomicU32 *at, uint32_t value)
{
    __atomic_store_n(&at->value, value, __ATOMIC_RELEASE);
}

static inline void qn_store_relaxed_u32(QnAtomicU32 *at, uint32_t value)
{
    __atomic_store_n(&at->value, value, __ATOMIC_RELAXED);
}

/* Adds (wrapping) and returns the value before. */
static inline uint32_t qn_fetch_add_u32(QnAtomicU32 *at, uint32_t value)
{
    return __atomic_fetch_add(&at->value, value, __ATOMIC_ACQ_REL);
}

/* Stores and returns the value before. */
static inline uint32_t qn_exchange_u32(QnAtomicU32 *at, uint32_t value)
{
    return __atomic_exchange_n(&at->value, value, __ATOMIC_ACQ_REL);
}

/* Replaces `expected` by `value`; false, with nothing changed, where it was something else. */
static inline bool qn_compare_exchange_u32(QnAtomicU32 *at, uint32_t expected, uint32_t value)
{
    return __atomic_compare_exchange_n(&at->value, &expected, value, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

static inline int64_t qn_load_acquire_i64(const QnAtomicI64 *at)
{
    return __atomic_load_n(&at->value, __ATOMIC_ACQUIRE);
}

static inline int64_t qn_load_relaxed_i64(const QnAtomicI64 *at)
{
    return __atomic_load_n(&at->value, __ATOMIC_RELAXED);
}

static inline void qn_store_release_i64(QnAtomicI64 *at, int64_t value)
{
    __atomic_store_n(&at->value, value, __ATOMIC_RELEASE);
}

static inline void qn_store_relaxed_i64(QnAtomicI64 *at, int64_t value)
{
    __atomic_store_n(&at->value, value, __ATOMIC_RELAXED);
}

static inline int64_t qn_fetch_add_i64(QnAtomicI64 *at, int64_t value)
{
    return __atomic_fetch_add(&at->value, value, __ATOMIC_ACQ_REL);
}

static inline int64_t qn_fetch_add_relaxed_i64(QnAtomicI64 *at, int64_t value)
{
    return __atomic_fetch_add(&at->value, value, __ATOMIC_RELAXED);
}

static inline int64_t qn_exchange_i64(QnAtomicI64 *at, int64_t value)
{
    return __atomic_exchange_n(&at->value, value, __ATOMIC_ACQ_REL);
}

static inline bool qn_compare_exchange_i64(QnAtomicI64 *at, int64_t expected, int64_t value)
{
    return __atomic_compare_exchange_n(&at->value, &expected, value, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* What a thread does between two looks at a word that another one is about to change. */
static inline void qn_pause(void)
{
#if QN_ARCH_X86
    __builtin_ia32_pause();
#elif QN_ARCH_ARM
    __asm__ volatile("yield");
#endif
}

#endif
