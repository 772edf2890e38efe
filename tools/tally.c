/* SPDX-License-Identifier: Apache-2.0 */
/* A list, searched from its start: the kinds of operators in a model are some dozens. */
#include "tools/tally.h"

#include <stdlib.h>
#include <string.h>

QnStatus tally_add(Tally *tally, const char *name)
{
    for (int i = 0; i < tally->count; i++)
        if (!strcmp(tally->rows[i].name, name)) {
            tally->rows[i].count++;
            return QN_OK;
        }
    QN_GROW(tally->rows, tally->count, tally->capacity, tally->arena);
    tally->rows[tally->count++] = (TallyRow){name, 1};
    return QN_OK;
}

static int frequent_first(const void *a, const void *b)
{
    const TallyRow *x = a, *y = b;
    return x->count != y->count ? y->count - x->count : strcmp(x->name, y->name);
}

void tally_sort(Tally *tally)
{
    if (tally->count)
        qsort(tally->rows, (size_t)tally->count, sizeof *tally->rows, frequent_first);
}
