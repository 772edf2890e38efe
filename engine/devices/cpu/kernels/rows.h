/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of elements with any stride, copied by the size of the element alone. */
#ifndef QN_KERNELS_ROWS_H
#define QN_KERNELS_ROWS_H

#include <stdint.h>
#include <string.h>

#include "base/compiler.h"

/* One element of a constant size: memcpy, so that nothing is assumed of alignment; compilers make
 * one move of it. */
#define QN_ROW_LOOP(size)               \
    for (int64_t i = 0; i < count; i++) \
    memcpy(to + i * to_stride, from + i * from_stride, size)

/* Fills `bytes`, at least one element, with copies of the element: what is there already is doubled
 * until it is full. */
static inline void qn_repeat(char *to, const char *element, int64_t bytes, int64_t size)
{
    memcpy(to, element, (size_t)size);
    for (int64_t done = size; done < bytes; done *= 2)
        memcpy(to + done, to, (size_t)(done < bytes - done ? done : bytes - done));
}

/*
 * to[i] = from[i] for i < count; strides in bytes, 0 repeats the source.  Any element size; 1, 2,
 * 4, 8 and 16 are fast. The rows do not overlap.
 */
static inline void qn_copy_row(void *out, int64_t to_stride, const void *in, int64_t from_stride,
                               int64_t count, int64_t size)
{
    char *to = out;
    const char *from = in;
    if (to_stride == size && from_stride == size) {
        memcpy(to, from, (size_t)(count * size));
        return;
    }
    if (from_stride == 0 && to_stride == size && count > 0) {
        qn_repeat(to, from, count * size, size);
        return;
    }
    switch (size) {
    case 1:
        QN_ROW_LOOP(1);
        break;
    case 2:
        QN_ROW_LOOP(2);
        break;
    case 4:
        QN_ROW_LOOP(4);
        break;
    case 8:
        QN_ROW_LOOP(8);
        break;
    case 16:
        QN_ROW_LOOP(16);
        break;
    default:
        QN_ROW_LOOP((size_t)size);
        break;
    }
}

/* out[i] = *element for i < count, contiguous. */
static inline void qn_fill_row(void *out, const void *element, int64_t count, int64_t size)
{
    if (size == 1)
        memset(out, *(const unsigned char *)element, (size_t)count);
    else
        qn_copy_row(out, size, element, 0, count, size);
}

#endif
