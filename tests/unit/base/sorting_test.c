/* SPDX-License-Identifier: Apache-2.0 */
/* base/sort.c against the C library's sort,
 * on random items and on orders that are hard for some. */
#include "base/sort.h"

#include <stdlib.h>
#include <string.h>

#include "base/compiler.h"
#include "base/random.h"
#include "tests/support/test.h"

/* Items of any size that begin with their key. */
static int by_key(const void *a, const void *b)
{
    return memcmp(a, b, 1);
}

static int by_int(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

TEST(items_of_any_size_end_up_in_order)
{
    static const size_t sizes[] = {1, 3, 16, 63, 64, 65, 200};
    QnRandom random = qn_random(4);
    for (size_t s = 0; s < QN_COUNT_OF(sizes); s++)
        for (size_t count = 0; count < 70; count++) {
            uint8_t items[70 * 200], want[sizeof items];
            const size_t size = sizes[s], bytes = count * size;
            /* All of an item's bytes are its key, so that one torn apart is seen. */
            for (size_t i = 0; i < count; i++)
                memset(items + i * size, (int)qn_random_below(&random, 40), size);
            memcpy(want, items, bytes);
            qsort(want, count, size, by_key);
            qn_sort(items, count, size, by_key);
            EXPECT(t, !memcmp(items, want, bytes), "%zu items of %zu bytes", count, size);
        }
}

TEST(orders_that_are_there_already_stay)
{
    enum { COUNT = 1000 };
    static int items[COUNT];
    for (int order = 0; order < 4; order++) {
        for (int i = 0; i < COUNT; i++)
            items[i] = order == 0 ? i : order == 1 ? COUNT - i : order == 2 ? 7 : i % 2 * COUNT - i;
        qn_sort(items, COUNT, sizeof *items, by_int);
        for (int i = 1; i < COUNT; i++)
            EXPECT(t, items[i - 1] <= items[i], "order %d: %d in front of %d", order, items[i - 1],
                   items[i]);
    }
}

TEST_MAIN(CASE(items_of_any_size_end_up_in_order), CASE(orders_that_are_there_already_stay))
