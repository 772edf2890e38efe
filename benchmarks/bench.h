/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timing of kernels beside the peak of the machine, measured in the same second: on shared machines
 * the clock moves with the neighbours, and only the quotient means something from one day to the
 * next.
 */
#ifndef QN_BENCHMARKS_BENCH_H
#define QN_BENCHMARKS_BENCH_H

#include <stdbool.h>
#include <stdio.h>

#include "base/cpu.h"

typedef struct Bench {
    QnIsa isa;          /* what the processor has, after --cpu */
    const char *filter; /* only rows whose kind or name contains it; NULL: all */
    FILE *json;         /* NULL: text only */
    bool has_rows;      /* the JSON array is not empty */
    int failures;
} Bench;

/* One row of the table. */
typedef struct BenchCase {
    const char *kind;  /* "product" */
    const char *name;  /* the variant or the layer */
    QnIsa isa;         /* the level whose peak it is compared with */
    double operations; /* of one run; a multiply-add is two */
    void (*run)(void *user);
    void *user;
} BenchCase;

/* Is the row wanted?  To be asked before its operands are made. */
bool bench_wants(const Bench *bench, const char *kind, const char *name);

/* Runs the case repeatedly and prints its row: median time, GFLOP/s, percent of the peak of the
 * same moments.  Gives the median in nanoseconds. */
double bench_row(Bench *bench, const BenchCase *row);

/* `count` floats aligned to 64 bytes, filled with small random numbers; ends the program where
 * there is no memory. */
float *bench_floats(size_t count);
void *bench_bytes(size_t size);

#endif
