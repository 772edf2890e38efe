/* SPDX-License-Identifier: Apache-2.0 */
/* Arenas: a list of blocks that double in size up to a bound, filled forward and freed at once. */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"

struct QnArenaBlock {
    QnArenaBlock *next;
    size_t size, used; /* of data, in bytes */
    QN_ALIGNED(64) uint8_t data[];
};

enum { FIRST_BLOCK_BYTES = 4096, LARGEST_BLOCK_BYTES = 1 << 20, ALIGNMENT = 64 };

void *qn_alloc(const QnAllocator *allocator, size_t size)
{
    if (allocator)
        return allocator->alloc(allocator->user, size, ALIGNMENT);
    if (size > SIZE_MAX - ALIGNMENT)
        return NULL;
    return aligned_alloc(ALIGNMENT, qn_round_up(size, ALIGNMENT));
}

void qn_free(const QnAllocator *allocator, void *data, size_t size)
{
    if (!data)
        return;
    if (allocator)
        allocator->free(allocator->user, data, size);
    else
        free(data);
}

void qn_arena_init(QnArena *arena, const QnAllocator *allocator)
{
    *arena = (QnArena){.allocator = allocator};
}

void qn_arena_finish(QnArena *arena)
{
    for (QnArenaBlock *block = arena->first, *next; block; block = next) {
        next = block->next;
        qn_free(arena->allocator, block, sizeof *block + block->size);
    }
    *arena = (QnArena){.allocator = arena->allocator, .limit_bytes = arena->limit_bytes};
}

void qn_arena_reset(QnArena *arena)
{
    for (QnArenaBlock *block = arena->first; block; block = block->next)
        block->used = 0;
    arena->current = arena->first;
    arena->used_bytes = 0;
}

/* The room in a block from its first byte at `alignment`; blocks are aligned to 64 themselves. */
static void *take(QnArenaBlock *block, size_t size, size_t alignment)
{
    const uintptr_t at = (uintptr_t)(block->data + block->used);
    const size_t gap = (size_t)(-at & (alignment - 1));
    if (gap > block->size - block->used || size > block->size - block->used - gap)
        return NULL;
    uint8_t *data = block->data + block->used + gap;
    block->used += gap + size;
    return data;
}

/* A new block behind the current one, large enough for `size` bytes at `alignment`. */
static QnArenaBlock *add_block(QnArena *arena, size_t size, size_t alignment)
{
    size_t block_size = arena->current ? 2 * arena->current->size : FIRST_BLOCK_BYTES;
    if (block_size > LARGEST_BLOCK_BYTES)
        block_size = LARGEST_BLOCK_BYTES;
    size_t needed, total;
    if (!qn_add_size(&needed, size, alignment))
        return NULL;
    if (block_size < needed)
        block_size = needed;
    if (!qn_add_size(&total, block_size, sizeof(QnArenaBlock)))
        return NULL;
    QnArenaBlock *block = qn_alloc(arena->allocator, total);
    if (!block)
        return NULL;
    *block = (QnArenaBlock){.size = block_size};
    if (arena->current) {
        block->next = arena->current->next;
        arena->current->next = block;
    } else {
        arena->first = block;
    }
    arena->current = block;
    arena->block_bytes += total;
    return block;
}

void *qn_arena_alloc_raw(QnArena *arena, size_t size, size_t alignment)
{
    if (arena->limit_bytes && !qn_is_range(arena->used_bytes, size, arena->limit_bytes))
        return NULL;
    void *data = NULL;
    while (arena->current && !(data = take(arena->current, size, alignment))) {
        if (!arena->current->next)
            break;
        arena->current = arena->current->next;
    }
    if (!data) {
        QnArenaBlock *block = add_block(arena, size, alignment);
        if (!block)
            return NULL;
        data = take(block, size, alignment);
    }
    arena->used_bytes += size;
    return data;
}

void *qn_arena_alloc(QnArena *arena, size_t size)
{
    void *data = qn_arena_alloc_raw(arena, size, 16);
    if (data && size)
        memset(data, 0, size);
    return data;
}

void *qn_arena_array(QnArena *arena, size_t count, size_t size)
{
    size_t total;
    return qn_mul_size(&total, count, size) ? qn_arena_alloc(arena, total) : NULL;
}

char *qn_arena_copy_text(QnArena *arena, const void *text, size_t size)
{
    char *copy = size < SIZE_MAX ? qn_arena_alloc_raw(arena, size + 1, 1) : NULL;
    if (!copy)
        return NULL;
    if (size)
        memcpy(copy, text, size);
    copy[size] = 0;
    return copy;
}

char *qn_arena_printf(QnArena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = length < 0 ? NULL : qn_arena_alloc_raw(arena, (size_t)length + 1, 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
