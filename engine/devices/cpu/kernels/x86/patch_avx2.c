/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a patch in vectors, the last of each over what the one before it has copied. */
#include <immintrin.h>
#include <string.h>

#include "base/compiler.h"
#include "engine/devices/cpu/kernels/conv_i8.h"

static QN_ALWAYS_INLINE void copy_32(uint8_t *to, const uint8_t *from)
{
    __m256i v = _mm256_loadu_si256((const __m256i *)(const void *)from);
    __asm__("" : "+x"(v)); /* else the loop becomes a call of memcpy */
    _mm256_storeu_si256((__m256i *)(void *)to, v);
}

/* Up to 32 bytes, by two halves that may overlap. */
static QN_ALWAYS_INLINE void copy_few(uint8_t *to, const uint8_t *from, int64_t n)
{
    if (n >= 16) {
        memcpy(to, from, 16);
        memcpy(to + n - 16, from + n - 16, 16);
    } else if (n >= 8) {
        memcpy(to, from, 8);
        memcpy(to + n - 8, from + n - 8, 8);
    } else if (n >= 4) {
        memcpy(to, from, 4);
        memcpy(to + n - 4, from + n - 4, 4);
    } else if (n > 0) {
        to[0] = from[0];
        to[n / 2] = from[n / 2];
        to[n - 1] = from[n - 1];
    }
}

void qn_patch_avx2(uint8_t *to, int64_t step, const uint8_t *first, const int64_t *pieces,
                   int64_t count, int64_t bytes)
{
    for (int64_t i = 0; i < count; i++, to += step) {
        const uint8_t *from = first + pieces[i];
        if (bytes <= 32) {
            copy_few(to, from, bytes);
            continue;
        }
        for (int64_t k = 0; k + 32 < bytes; k += 32)
            copy_32(to + k, from + k);
        copy_32(to + bytes - 32, from + bytes - 32);
    }
}
