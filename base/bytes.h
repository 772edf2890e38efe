/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed range of bytes, and numbers in it: nothing from outside is aligned. */
#ifndef QN_BASE_BYTES_H
#define QN_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct QnBytes {
    const uint8_t *data; /* [size]; NULL only where size is 0 */
    size_t size;
} QnBytes;

static inline QnBytes qn_bytes(const void *data, size_t size)
{
    return (QnBytes){(const uint8_t *)data, size};
}

static inline QnBytes qn_bytes_of_text(const char *text)
{
    return qn_bytes(text, strlen(text));
}

static inline bool qn_bytes_equal(QnBytes a, QnBytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool qn_bytes_is(QnBytes bytes, const char *text)
{
    return qn_bytes_equal(bytes, qn_bytes_of_text(text));
}

/* Little-endian numbers at any address; quern runs on little-endian machines only. */
static inline uint16_t qn_load_u16(const void *at)
{
    uint16_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static inline uint32_t qn_load_u32(const void *at)
{
    uint32_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

static inline uint64_t qn_load_u64(const void *at)
{
    uint64_t v;
    memcpy(&v, at, sizeof v);
    return v;
}

#endif
