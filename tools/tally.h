/* SPDX-License-Identifier: Apache-2.0 */
/* How often names occur. */
#ifndef QN_TOOLS_TALLY_H
#define QN_TOOLS_TALLY_H

#include "base/arena.h"

typedef struct TallyRow {
    const char *name; /* borrowed */
    int count;
} TallyRow;

typedef struct Tally {
    QnArena *arena; /* borrowed */
    TallyRow *rows; /* [count] */
    int count, capacity;
} Tally;

QnStatus tally_add(Tally *tally, const char *name);

/* The most frequent first, then by name. */
void tally_sort(Tally *tally);

#endif
