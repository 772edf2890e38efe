/* SPDX-License-Identifier: Apache-2.0 */
#include "benchmarks/bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "tools/peak.h"

enum { SAMPLES = 21, SAMPLE_NS = 300000 };

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, SAMPLES, sizeof *values, compare);
    return values[SAMPLES / 2];
}

bool bench_wants(const Bench *bench, const char *kind, const char *name)
{
    return !bench->filter || strstr(kind, bench->filter) || strstr(name, bench->filter);
}

/* How many runs make a sample that the clock can see. */
static int count_runs(const BenchCase *row)
{
    const double start = now_ns();
    row->run(row->user); /* also the warm-up */
    const double once = now_ns() - start;
    return once >= SAMPLE_NS ? 1 : 1 + (int)(SAMPLE_NS / (once + 1));
}

double bench_row(Bench *bench, const BenchCase *row)
{
    double ns[SAMPLES], share[SAMPLES];
    const int runs = count_runs(row);
    for (int i = 0; i < SAMPLES; i++) {
        const double peak = peak_of_thread(row->isa);
        const double start = now_ns();
        for (int r = 0; r < runs; r++)
            row->run(row->user);
        ns[i] = (now_ns() - start) / runs;
        const double mean_peak = (peak + peak_of_thread(row->isa)) / 2;
        share[i] = mean_peak > 0 ? 100 * row->operations / ns[i] / mean_peak : 0;
    }
    const double time = median(ns), percent = median(share), rate = row->operations / time;
    printf("%-10s %-36s %12.0f ns %8.1f GFLOP/s %5.1f %%\n", row->kind, row->name, time, rate,
           percent);
    fflush(stdout);
    if (!bench->json)
        return time;
    fprintf(bench->json,
            "%s\n    {\"kind\": \"%s\", \"name\": \"%s\", \"median_ns\": %.0f, "
            "\"gflops\": %.2f, \"peak_percent\": %.1f}",
            bench->has_rows ? "," : "", row->kind, row->name, time, rate, percent);
    bench->has_rows = true;
    return time;
}

void *bench_bytes(size_t size)
{
    void *data = aligned_alloc(64, qn_round_up(size + 1, 64));
    if (!data) {
        fprintf(stderr, "kernels: no memory for %zu bytes\n", size);
        exit(1);
    }
    memset(data, 0, size);
    return data;
}

float *bench_floats(size_t count)
{
    float *data = bench_bytes(count * sizeof *data);
    unsigned state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        data[i] = (float)(int)(state >> 16) / 65536 - 0.5f;
    }
    return data;
}
