/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of a patch in 512-bit vectors, the last of each by a mask. */
#include <immintrin.h>

#include "engine/devices/cpu/kernels/conv_i8.h"

void qn_patch_avx512(uint8_t *to, int64_t step, const uint8_t *first, const int64_t *pieces,
                     int64_t count, int64_t bytes)
{
    const int64_t whole = bytes ? (bytes - 1) / 64 * 64 : 0;
    const __mmask64 rest =
        bytes - whole >= 64 ? ~(__mmask64)0 : ((__mmask64)1 << (bytes - whole)) - 1;
    for (int64_t i = 0; i < count; i++, to += step) {
        const uint8_t *from = first + pieces[i];
        for (int64_t k = 0; k < whole; k += 64)
            _mm512_storeu_si512(to + k, _mm512_loadu_si512(from + k));
        _mm512_mask_storeu_epi8(to + whole, rest, _mm512_maskz_loadu_epi8(rest, from + whole));
    }
}
