/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of cases that are judged otherwise: by exact name, with the reason.  `skip`: why
 * the data of a case cannot be met; a skipped case that passes is a failure.  rtol > 0: wider
 * bounds than the default.
 */
#ifndef QN_TOOLS_TEST_TABLE_H
#define QN_TOOLS_TEST_TABLE_H

#include <stddef.h>
#include <string.h>

typedef struct TestRow {
    const char *name;   /* of the case; "opset22/…" where only one release's data is meant */
    const char *skip;   /* NULL: run */
    double rtol, atol;  /* 0: the defaults */
    const char *reason; /* of the wider bounds */
} TestRow;

static const TestRow test_rows[] = {
    {"test_bernoulli", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_double", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_double_expanded", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_expanded", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_seed", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_seed_expanded", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_training_dropout", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_training_dropout_default", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_training_dropout_default_mask", "no generator of random numbers is prescribed", 0, 0,
     NULL},
    {"test_training_dropout_mask", "no generator of random numbers is prescribed", 0, 0, NULL},
    {NULL, NULL, 0, 0, NULL},
};

/* The row for a case's path, or NULL: its last part, or its last parts where the row names more. */
static inline const TestRow *test_table_find(const char *path)
{
    const size_t size = strlen(path);
    for (const TestRow *row = test_rows; row->name; row++) {
        const size_t length = strlen(row->name);
        if (length <= size && !strcmp(path + size - length, row->name) &&
            (length == size || path[size - length - 1] == '/'))
            return row;
    }
    return NULL;
}

#endif
