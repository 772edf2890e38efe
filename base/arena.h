/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that belongs to a lifetime: allocate forward, free at once.
 *
 * An arena takes blocks from its allocator and hands out pieces of them.  It has no per-piece free.
 * One thread at a time.
 */
#ifndef QN_BASE_ARENA_H
#define QN_BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "quern/allocator.h"

typedef struct QnArenaBlock QnArenaBlock;

typedef struct QnArena {
    const QnAllocator *allocator; /* borrowed; NULL: the C library's */
    QnArenaBlock *first, *current;
    size_t used_bytes;  /* handed out, with padding */
    size_t block_bytes; /* held from the allocator */
    size_t limit_bytes; /* an allocation that would pass it fails; 0: none */
} QnArena;

/* {0} is a valid empty arena too; this one has an allocator. */
void qn_arena_init(QnArena *arena, const QnAllocator *allocator);

/* Gives all blocks back.  The arena is empty and usable after. */
void qn_arena_finish(QnArena *arena);

/* Forgets all pieces but keeps the blocks for the next ones. */
void qn_arena_reset(QnArena *arena);

/* Zeroed memory aligned to 16 bytes, or NULL.  Size 0 gives a valid pointer. */
void *qn_arena_alloc(QnArena *arena, size_t size);

/* The same with an alignment (a power of two), not zeroed. */
void *qn_arena_alloc_raw(QnArena *arena, size_t size, size_t alignment);

/* count * size bytes, zeroed, or NULL: also where the product does not fit. */
void *qn_arena_array(QnArena *arena, size_t count, size_t size);

/* A terminated copy of `size` bytes, or NULL. */
char *qn_arena_copy_text(QnArena *arena, const void *text, size_t size);

/* A formatted string, or NULL. */
char *qn_arena_printf(QnArena *arena, const char *format, ...) QN_PRINTF(2, 3);

/* The C library's allocator where `allocator` is NULL.  Alignment 64. */
void *qn_alloc(const QnAllocator *allocator, size_t size);
void qn_free(const QnAllocator *allocator, void *data, size_t size);

/* Allocates `count` zeroed elements for the pointer `out`;
 * returns QN_NO_MEMORY from the caller on failure. */
#define QN_ALLOC(out, arena, count)                                      \
    do {                                                                 \
        (out) = qn_arena_array((arena), (size_t)(count), sizeof *(out)); \
        if (!(out))                                                      \
            return QN_NO_MEMORY;                                         \
    } while (0)

/*
 * Makes room in an arena's growing array for one more element: doubles `capacity` and copies when
 * it is full. `items` is a pointer to T, `count` and `capacity` are lvalues of one integer type.
 * Returns QN_NO_MEMORY from the caller on failure.
 */
#define QN_GROW(items, count, capacity, arena)                                            \
    do {                                                                                  \
        if ((count) == (capacity)) {                                                      \
            const size_t qn_grow_room_ = (capacity) ? 2 * (size_t)(capacity) : 8;         \
            void *qn_grow_new_ = qn_arena_array((arena), qn_grow_room_, sizeof *(items)); \
            if (!qn_grow_new_)                                                            \
                return QN_NO_MEMORY;                                                      \
            if (count)                                                                    \
                memcpy(qn_grow_new_, (items), (size_t)(count) * sizeof *(items));         \
            (items) = qn_grow_new_;                                                       \
            (capacity) = (capacity) ? 2 * (capacity) : 8;                                 \
        }                                                                                 \
    } while (0)

#endif
