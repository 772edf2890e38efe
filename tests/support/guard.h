/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory between pages that may not be touched: a kernel that reads or writes outside its buffers
 * faults.
 *
 *     Guard g;
 *     float *x = guard_end(&g, n * sizeof *x);    // x[n] is in the next page, which faults
 *     float *y = guard_start(&g2, n * sizeof *y); // y[-1] is
 *     guard_free(&g);
 */
#ifndef QN_TESTS_GUARD_H
#define QN_TESTS_GUARD_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct Guard {
    char *base;
    size_t mapped;
} Guard;

enum { GUARD_PAGE = 4096 };

/* A page that faults, room for `size` bytes filled with 0x7b, a page that faults. */
static inline char *guard_map(Guard *guard, size_t size)
{
    const size_t room = (size + GUARD_PAGE - 1) / GUARD_PAGE * GUARD_PAGE;
    guard->mapped = room + 2 * (size_t)GUARD_PAGE;
    void *base = mmap(NULL, guard->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED ||
        (room && mprotect((char *)base + GUARD_PAGE, room, PROT_READ | PROT_WRITE))) {
        perror("guard_map");
        exit(2);
    }
    guard->base = base;
    memset(guard->base + GUARD_PAGE, 0x7b, room);
    return guard->base + GUARD_PAGE;
}

/* `size` bytes that end where the faulting page begins; aligned as `size` is. */
static inline void *guard_end(Guard *guard, size_t size)
{
    char *start = guard_map(guard, size);
    const size_t room = guard->mapped - 2 * (size_t)GUARD_PAGE;
    return start + (room - size);
}

/* `size` bytes that start where the faulting page ends. */
static inline void *guard_start(Guard *guard, size_t size)
{
    return guard_map(guard, size);
}

static inline void guard_free(Guard *guard)
{
    munmap(guard->base, guard->mapped);
    *guard = (Guard){0};
}

#endif
