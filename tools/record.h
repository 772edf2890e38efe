/* SPDX-License-Identifier: Apache-2.0 */
/* What a run made: copies of the outputs and, where asked for, of every tensor on the way. */
#ifndef QN_TOOLS_RECORD_H
#define QN_TOOLS_RECORD_H

#include "tools/loaded.h"

#include "base/arena.h"

typedef struct RecordRow {
    const char *name;
    const char *node, *op, *kernel; /* what made it, borrowed from the plan; "" for outputs */
    bool is_output;
    QnValue value;
} RecordRow;

/* {0} is an empty one. */
typedef struct Record {
    RecordRow *rows; /* [count] in the order in which they were made; outputs last */
    int count, capacity;
    QnArena arena; /* names and data */
} Record;

/* Runs once.  A tensor that is made more than once (in a loop) is kept as it was at last. */
QnStatus record_run(Record *out, const Loaded *loaded, const QnValue *inputs, bool wants_layers,
                    QnError *err);

/* The row of an output, or of a tensor on the way; NULL where there is none. */
const RecordRow *record_find(const Record *record, const char *name, bool is_output);

void record_free(Record *record);

#endif
