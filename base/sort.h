/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting without memory of its own: the C library's qsort may allocate, and a run must not.
 */
#ifndef QN_BASE_SORT_H
#define QN_BASE_SORT_H

#include <stddef.h>

/* Below 0: a comes before b; 0: either way.  Items are not kept in their order where it is 0. */
typedef int QnCompareFn(const void *a, const void *b);

/* Sorts items[count] of `size` bytes each, in place, in O(count log count) whatever their order. */
void qn_sort(void *items, size_t count, size_t size, QnCompareFn *compare);

#endif
