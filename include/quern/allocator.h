/* SPDX-License-Identifier: Apache-2.0 */
/* Where memory comes from, for programs that want to decide that themselves. */
#ifndef QUERN_ALLOCATOR_H
#define QUERN_ALLOCATOR_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A replaceable allocator.  Both functions may be called from any thread at once, and must not call
 * the library.  NULL, wherever a pointer to one is taken, means the C library's.  The struct itself
 * is borrowed, not copied: it lives as long as what was made with it.
 */
typedef struct QnAllocator {
    void *user; /**< handed to both functions */
    /** Gives `size` bytes (size > 0) aligned to `alignment` (a power of two), or NULL. */
    void *(*alloc)(void *user, size_t size, size_t alignment);
    /** Takes back what `alloc` gave, with the same size; never NULL. */
    void (*free)(void *user, void *data, size_t size);
} QnAllocator;

#ifdef __cplusplus
}
#endif
#endif
