/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loops of the portable strip functions.  A macro's `value` is an expression in x, y, z, the
 * operands' elements.
 *
 * Operands with step 0 are repeated over 64 bytes, so the inner loop over a block of 64 bytes walks
 * every operand alike; its length is constant, which lets compilers turn it into vectors.
 */
#ifndef QN_KERNELS_POINTWISE_LOOPS_H
#define QN_KERNELS_POINTWISE_LOOPS_H

#include "engine/devices/cpu/kernels/pointwise.h"

/* One body serves types that have no negative values or no NaN, where such tests are constant. */
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wtautological-compare"

/* Elements of a strip may be written where they were read,
 * so there are no dependences between them. */
#if defined(__clang__)
#    define STRIP_INDEPENDENT /* finds out by itself, at run time */
#else
#    define STRIP_INDEPENDENT _Pragma("GCC ivdep")
#endif

#define STRIP_BLOCKS(BLOCK, start, store)                       \
    for (int64_t i = 0; i < n; i += (BLOCK)) {                  \
        start;                                                  \
        if (n - i >= (BLOCK)) {                                 \
            STRIP_INDEPENDENT for (int k = 0; k < (BLOCK); k++) \
            {                                                   \
                store;                                          \
            }                                                   \
        } else {                                                \
            for (int k = 0; k < (int)(n - i); k++) {            \
                store;                                          \
            }                                                   \
        }                                                       \
    }

/* How many elements every operand can be walked for at a stretch. */
#define STRIP_BLOCK(T) (64 / (int)sizeof(T))

#define STRIP_UNARY(name, T, R, value)                                                          \
    static void name(int64_t n, void *out, const QnStripOperand *operands)                      \
    {                                                                                           \
        R *to = out;                                                                            \
        const T *const a = operands[0].data;                                                    \
        STRIP_BLOCKS(STRIP_BLOCK(T), const T *pa = a + i * operands[0].step, const T x = pa[k]; \
                     to[i + k] = (R)(value))                                                    \
    }

#define STRIP_BINARY(name, T, R, value)                                                            \
    static void name(int64_t n, void *out, const QnStripOperand *operands)                         \
    {                                                                                              \
        R *to = out;                                                                               \
        const T *const a = operands[0].data, *const b = operands[1].data;                          \
        STRIP_BLOCKS(STRIP_BLOCK(T), const T *pa = a + i * operands[0].step;                       \
                     const T *pb = b + i * operands[1].step, const T x = pa[k]; const T y = pb[k]; \
                     to[i + k] = (R)(value))                                                       \
    }

#define STRIP_TERNARY(name, C, T, value)                                                           \
    static void name(int64_t n, void *out, const QnStripOperand *operands)                         \
    {                                                                                              \
        T *to = out;                                                                               \
        const C *const a = operands[0].data;                                                       \
        const T *const b = operands[1].data, *const c = operands[2].data;                          \
        STRIP_BLOCKS(STRIP_BLOCK(T), const C *pa = a + i * operands[0].step;                       \
                     const T *pb = b + i * operands[1].step;                                       \
                     const T *pc = c + i * operands[2].step, const C x = pa[k]; const T y = pb[k]; \
                     const T z = pc[k]; to[i + k] = (T)(value))                                    \
    }

#endif
