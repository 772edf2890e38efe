/* SPDX-License-Identifier: Apache-2.0 */
/* What the processor can do at this moment: the yardstick of what kernels do of it. */
#ifndef QN_TOOLS_PEAK_H
#define QN_TOOLS_PEAK_H

#include "base/cpu.h"

/*
 * Multiplications and additions of fp32 per nanosecond (GFLOP/s) of the calling thread, with the
 * widest vectors of the level, in some ten microseconds.  On shared machines the clock moves with
 * the neighbours: to be measured beside what is compared with it.  0: not known here.
 */
double peak_of_thread(QnIsa isa);

/* The same of so many threads at once, no more than there are processors:
 * the sum of their medians. */
double peak_of_threads(QnIsa isa, int threads);

#endif
