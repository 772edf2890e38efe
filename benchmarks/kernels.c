/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the CPU kernels on one thread and prints one table:
 *
 *     bench-kernels [--cpu=LEVEL] [--json=FILE] [FILTER]
 *
 * FILTER selects the rows whose kind or name contains it.
 */
#include "benchmarks/kernels.h"

#include <string.h>

#include "base/cpu.h"

typedef struct Options {
    const char *level, *json, *filter;
} Options;

static bool parse(Options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "--cpu=", 6))
            options->level = argv[i] + 6;
        else if (!strncmp(argv[i], "--json=", 7))
            options->json = argv[i] + 7;
        else if (argv[i][0] == '-' || options->filter)
            return false;
        else
            options->filter = argv[i];
    }
    return true;
}

int main(int argc, char **argv)
{
    Options options = {0};
    QnCpu cpu;
    QnError err;
    if (!parse(&options, argc, argv)) {
        fprintf(stderr, "usage: bench-kernels [--cpu=LEVEL] [--json=FILE] [FILTER]\n");
        return 2;
    }
    if (qn_cpu_detect(&cpu, NULL, options.level, &err) != QN_OK) {
        fprintf(stderr, "bench-kernels: %s\n", err.message);
        return 2;
    }
    Bench bench = {.isa = cpu.isa, .filter = options.filter};
    if (options.json && !(bench.json = fopen(options.json, "w"))) {
        fprintf(stderr, "bench-kernels: %s cannot be written\n", options.json);
        return 1;
    }
    printf("%s, %s, 1 thread\n", cpu.model, qn_isa_level_name(cpu.isa));
    if (bench.json)
        fprintf(bench.json, "{\"cpu\": \"%s\", \"level\": \"%s\", \"threads\": 1, \"rows\": [",
                cpu.model, qn_isa_level_name(cpu.isa));
    bench_products(&bench);
    bench_convolutions(&bench);
    bench_depthwise(&bench);
    bench_quantized(&bench);
    if (bench.json) {
        fprintf(bench.json, "\n]}\n");
        if (fclose(bench.json)) {
            fprintf(stderr, "bench-kernels: %s cannot be written\n", options.json);
            return 1;
        }
    }
    return 0;
}
