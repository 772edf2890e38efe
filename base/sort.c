/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heapsort: the items are a heap with the last one on top, which goes to the end again and again.
 */
#include "base/sort.h"

#include <stdint.h>
#include <string.h>

static void swap(uint8_t *a, uint8_t *b, size_t size)
{
    uint8_t block[64];
    while (size > 0) {
        const size_t part = size < sizeof block ? size : sizeof block;
        memcpy(block, a, part);
        memcpy(a, b, part);
        memcpy(b, block, part);
        a += part;
        b += part;
        size -= part;
    }
}

/* Lets an item sink below those that come after it. */
static void sink(uint8_t *items, size_t at, size_t count, size_t size, QnCompareFn *compare)
{
    while (at < count / 2) {
        size_t child = 2 * at + 1;
        if (child + 1 < count && compare(items + child * size, items + (child + 1) * size) < 0)
            child++;
        if (compare(items + at * size, items + child * size) >= 0)
            return;
        swap(items + at * size, items + child * size, size);
        at = child;
    }
}

void qn_sort(void *items, size_t count, size_t size, QnCompareFn *compare)
{
    uint8_t *bytes = items;
    for (size_t i = count / 2; i-- > 0;)
        sink(bytes, i, count, size, compare);
    while (count > 1) {
        swap(bytes, bytes + --count * size, size);
        sink(bytes, 0, count, size, compare);
    }
}
