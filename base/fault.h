/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A switch that corrupts one table row, to see whether the tests would notice; debug builds only.
 *
 * Code that walks a table asks qn_fault(kind, row) where a row has done its work, and spoils the
 * result where the answer is yes:
 *
 *     if (qn_fault("op", op->name))
 *         qn_fault_spoil(data, size);
 *
 * QN_FAULT=<kind>:<row> in the environment chooses the row.  QN_FAULT_ROWS=<file> appends a line
 * "<kind>:<row> <program>" for every row that is asked about, once per process; scripts/mutants
 * takes its list from there.  In a release build all of this is nothing.
 */
#ifndef QN_BASE_FAULT_H
#define QN_BASE_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Changes the last byte so that any number becomes one far from it, also 0 of a floating-point
 * type, and a bool the other one.
 */
static inline void qn_fault_spoil(void *data, size_t size)
{
    uint8_t *bytes = data;
    if (size)
        bytes[size - 1] = (uint8_t)(bytes[size - 1] > 1 ? bytes[size - 1] ^ 0x40
                                    : bytes[size - 1]   ? 0
                                                        : 0x41);
}

#ifdef NDEBUG
static inline bool qn_fault(const char *kind, const char *row)
{
    (void)kind;
    (void)row;
    return false;
}
#else
/* Whether this row is to be spoiled.  Any thread. */
bool qn_fault(const char *kind, const char *row);
#endif

#endif
