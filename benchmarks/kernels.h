/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the kernel benchmark, one per kind. */
#ifndef QN_BENCHMARKS_KERNELS_H
#define QN_BENCHMARKS_KERNELS_H

#include "benchmarks/bench.h"

void bench_products(Bench *bench);
void bench_convolutions(Bench *bench);
void bench_depthwise(Bench *bench);
void bench_quantized(Bench *bench);

#endif
