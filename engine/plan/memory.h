/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets in one slab for blocks with lifetimes. */
#ifndef QN_ENGINE_PLAN_MEMORY_H
#define QN_ENGINE_PLAN_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

/* A block that is alive from step `first` to step `last`, both included. */
typedef struct QnBlock {
    int64_t size; /* bytes, a multiple of 64; 0 takes no room */
    int first, last;
    int64_t offset; /* out: a multiple of 64 */
} QnBlock;

/*
 * Sets the offsets so that no two blocks alive at one step overlap: the best of several greedy
 * orders. *total: bytes of the slab.  *lower_bound: the largest sum of sizes alive at one step,
 * which no plan can undercut.
 */
QnStatus qn_memory_plan(QnBlock *blocks, int count, int64_t *total, int64_t *lower_bound,
                        QnArena *scratch);

#endif
