/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts allocations from outside: preloaded, it stands in front of the C library's functions, so
 * that nothing that a library below calls goes unseen.  The program reads the count, and who were
 * the last to allocate, by name.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>

#define EXPORT __attribute__((visibility("default")))

enum { CALLERS = 16 };

EXPORT long qn_interposer_count;
EXPORT void *qn_interposer_callers[CALLERS]; /* [number of the allocation % CALLERS] */

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

static void count(void *caller)
{
    const long number = __atomic_fetch_add(&qn_interposer_count, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&qn_interposer_callers[number % CALLERS], caller, __ATOMIC_RELAXED);
}

#define COUNT() count(__builtin_return_address(0))

/* The C library's own entry points, which need no lookup: a lookup may allocate itself. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *data, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

EXPORT void *malloc(size_t size)
{
    COUNT();
    return __libc_malloc(size);
}

EXPORT void *calloc(size_t number, size_t size)
{
    COUNT();
    return __libc_calloc(number, size);
}

EXPORT void *realloc(void *data, size_t size)
{
    COUNT();
    return __libc_realloc(data, size);
}

EXPORT void *aligned_alloc(size_t alignment, size_t size)
{
    COUNT();
    return __libc_memalign(alignment, size);
}

EXPORT int posix_memalign(void **out, size_t alignment, size_t size)
{
    COUNT();
    *out = __libc_memalign(alignment, size);
    return *out ? 0 : ENOMEM;
}

EXPORT void *mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    void *(*original)(void *, size_t, int, int, int, off_t);
    void *found = next("mmap");
    memcpy(&original, &found, sizeof original);
    COUNT();
    return original(address, size, protection, flags, fd, offset);
}
