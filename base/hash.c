/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

/* The one place that includes the library: as inline code, so that nothing is linked. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wundef"
#define XXH_INLINE_ALL
#include <xxhash.h>
#pragma GCC diagnostic pop

uint64_t qn_hash(QnBytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.size ? (const void *)bytes.data : "", bytes.size, seed);
}

uint64_t qn_hash_text(const char *text, uint64_t seed)
{
    return qn_hash(qn_bytes_of_text(text), seed);
}

uint64_t qn_hash_u64(uint64_t value, uint64_t seed)
{
    return qn_hash(qn_bytes(&value, sizeof value), seed);
}
